"""`evalwright import`: cases, answers and checks of another tool."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from evalwright.cli.options import audited, json_option, names_option, workspace_option
from evalwright.core.case import Json
from evalwright.core.errors import ConfigError, Problem, UsageError
from evalwright.datasets.importers import FORMATS, QUERIES, Query
from evalwright.datasets.versions import Version
from evalwright.services.golden import Goldens
from evalwright.services.importing import Imported, ImportPlan, ImportReport, import_file
from evalwright.services.redacting import RedactPlan, key_from_environment
from evalwright.store.workspace import Workspace

EPILOG = """\b
Examples:
  evalwright import promptfooconfig.yaml
  evalwright import export.jsonl --output support --at-least 0.9
  evalwright import logs/2026-08-01_task.eval --output task
  evalwright import tickets.csv --field input=body --field expected=code --output tickets
  evalwright import --url 'postgresql://me:${DB_PASSWORD}@db/help' \\
    --query 'SELECT id, question, answer FROM tickets' --into tickets
  evalwright import a.parquet b.csv --into tickets \\
    --query "SELECT a.id, q AS input, b.label AS expected FROM 'a.parquet' a JOIN 'b.csv' b USING (id)\""""


@click.command("import", epilog=EPILOG)
@click.argument("paths", metavar="PATH", nargs=-1, type=click.Path(path_type=Path))
@click.option("--url", help="A database, by SQLAlchemy URL; the password as ${NAME}, a variable of the environment.")
@click.option("--query", "sql", help="SQL to ask the database of --url, or DuckDB over the files named by PATH.")
@click.option("--format", "-f", "format_name", type=click.Choice(list(FORMATS)), help="Told from the file by default.")
@click.option("--output", "-o", type=click.Path(path_type=Path), help="Folder for cases, answers, suite and report.")
@click.option("--into", metavar="NAME", help="Golden set of the workspace that gets the cases as a new version.")
@click.option("--name", help="Name of the suite; from the file by default.")
@click.option("--field", "fields", multiple=True, metavar="FIELD=COLUMN", help="Which column feeds a field of a case.")
@click.option(
    "--mapping", type=click.Path(path_type=Path, dir_okay=False), help="An `import.json`, whose mapping is taken again."
)
@click.option("--at-least", type=click.FloatRange(0, 1), metavar="X", help="Write a gate with this bound.")
@click.option("--judge", metavar="MODEL", help="Write checks that ask a model as judges which ask this one.")
@click.option("--redact", is_flag=True, help="Take personal data and secrets out on the way in.")
@names_option
@json_option
@workspace_option
def import_(
    paths: tuple[Path, ...],
    url: str | None,
    sql: str | None,
    format_name: str | None,
    output: Path | None,
    name: str | None,
    fields: tuple[str, ...],
    mapping: Path | None,
    at_least: float | None,
    into: str | None,
    judge: str | None,
    names: str,
    workspace: Path | None,
    *,
    redact: bool,
    as_json: bool,
) -> None:
    """Import a PATH: a file or folder that another tool wrote; or the rows of a query.

    Without --output and --into it is only shown what would be imported: cases, answers, labels, the mapping, the
    checks that become scorers and those that don't.

    --output names a folder, which gets `cases.jsonl`, `suite.yaml`, `import.json` and, where there are any,
    `outputs.jsonl` (answers), `labels.jsonl` and `quarantine.jsonl` (bad rows with line and reason).

    --into puts the cases into a golden set; the suite then names it instead of `cases.jsonl`.

    A source that breaks midway changes nothing; the good rows read before that stay in `incomplete.jsonl`, in the
    folder of --output or that of the workspace.
    """
    query = _query(paths, url, sql)
    plan = ImportPlan(
        path=_named(paths, name),
        query=query,
        judge=judge,
        keep=output or (None if into is None else Workspace.open(workspace).root / "imports"),
        format=format_name,
        fields=_fields(fields, mapping),
        name=name or "",
        at_least=at_least,
        redact=RedactPlan(key=key_from_environment(), names=names) if redact else None,
    )
    with import_file(plan) as found:
        version = None if into is None else _into(found, into, workspace)
        dataset: dict[str, Json] | None = None if version is None else {"golden": into, "version": f"v{version.number}"}
        written = found.save(output, dataset=dataset) if output is not None else []
        _audit(found.report, into, version, workspace)
        _print(found, written, version, as_json=as_json)
    if version is not None and not as_json:
        click.echo(
            f"{into}@v{version.number} ({version.short}): {version.cases:,} cases, {version.added:,} of them new"
        )


def _query(paths: tuple[Path, ...], url: str | None, sql: str | None) -> Query | None:
    """What to ask; None for a file or folder."""
    if sql is None:
        if url is not None:
            raise UsageError("--url needs --query", hint="--query 'SELECT id, question, answer FROM tickets'")
        if len(paths) != 1:
            raise UsageError("name one PATH, or a --query", hint="several files go with --query, or in one folder")
        return None
    if (url is None) == (not paths):
        raise UsageError("--query needs the --url of a database, or the files that it reads")
    missing = next((path for path in paths if not path.is_file()), None)
    if missing is not None:
        raise UsageError(f"there is no file {missing}")
    return Query(sql=sql, url=url, files=paths)


def _named(paths: tuple[Path, ...], name: str | None) -> Path:
    return paths[0] if paths else Path(name or "query")


def _into(found: Imported, name: str, workspace: Path | None) -> Version:
    """Put the cases into a golden set; the version that has them, a new one or the last."""
    if found.cases is None:
        raise UsageError("there are no cases to put into a golden set")
    goldens = Goldens(Workspace.open(workspace))
    report = found.report
    source: dict[str, Json] = {"file": Path(report.source).name, "sha256": report.sha256, "fields": report.fields}
    source["format"] = sorted(set(report.formats.values()))
    if report.query:
        source |= {"file": report.source, "query": report.query}
    if report.redacted is not None:
        source["redacted"] = {"replaced": report.redacted.replaced, "left": report.redacted.left}
    made, _ = goldens.add(name, found.cases, message=f"imported from {Path(report.source).name}", source=source)
    return made if made is not None else goldens.find(name)[1]


def _audit(report: ImportReport, into: str | None, version: Version | None, workspace: Path | None) -> None:
    """Note in the audit log what came into a set, and what was taken out of it on the way."""
    if version is None:
        return
    taken = None if report.redacted is None else report.redacted.replaced
    subject = f"{into}@v{version.number}"
    audited(Workspace.open(workspace), version.by, "golden_set.import", subject, source=report.source, redacted=taken)


def _fields(given: tuple[str, ...], mapping: Path | None) -> dict[str, Json]:
    fields: dict[str, Json] = _saved(mapping) if mapping is not None else {}
    for item in given:
        field, equals, column = item.partition("=")
        if not equals or not column:
            raise UsageError(f"--field {item!r} is no FIELD=COLUMN", hint="e.g. --field input=question")
        fields[field] = column
    return fields


def _saved(path: Path) -> dict[str, Json]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=ImportReport).fields
    except (OSError, msgspec.DecodeError) as error:
        raise ConfigError([Problem(message=f"no import report: {error}", file=str(path))]) from error


def _print(found: Imported, written: list[Path], version: Version | None, *, as_json: bool) -> None:
    if as_json:
        report = msgspec.to_builtins(found.report) | {"files": [str(path) for path in written]}
        report |= {} if version is None else {"version": msgspec.to_builtins(version)}
        click.echo(msgspec.json.encode(report).decode())
        return
    for line in report_lines(found.report):
        click.echo(line)
    for path in written:
        click.echo(f"wrote {path}")
    if not written and version is None:
        click.echo("nothing was written; name a folder with --output, or a golden set with --into", err=True)


def report_lines(report: ImportReport) -> list[str]:
    """An import report for people."""
    formats = ", ".join(sorted({QUERIES.get(name) or FORMATS[name].about for name in report.formats.values()}))
    counts = [f"{report.cases:,} cases", f"{report.answers:,} answers" if report.answers else ""]
    counts += [
        f"{report.labels:,} labels" if report.labels else "",
        f"{report.bad:,} rows set aside" if report.bad else "",
    ]
    counts += [f"{report.failed_answers:,} failed answers left out" if report.failed_answers else ""]
    lines = [f"{formats}: {', '.join(part for part in counts if part)}"]
    if report.fields:
        lines.append("mapping: " + ", ".join(f"{field} = {_shown(source)}" for field, source in report.fields.items()))
    if len(report.variants) > 1:
        lines.append("systems: " + ", ".join(report.variants))
    lines += [f"scorer {s.metric}: {s.stands_for}{f' ({s.reason})' if s.reason else ''}" for s in report.scorers]
    lines += [f"no scorer: {d.kind} ({d.count:,} times): {d.reason}" for d in report.dropped]
    if report.redacted is not None:
        taken = [f"{count:,} {kind.replace('_', ' ')}" for kind, count in sorted(report.redacted.replaced.items())]
        lines.append(f"redacted: {', '.join(taken) or 'nothing'}; {report.redacted.left:,} left for a person")
    return [*lines, *(f"note: {note}" for note in report.notes)]


def _shown(source: Json) -> str:
    return str(source) if isinstance(source, str) else "{" + ", ".join(map(str, source)) + "}"

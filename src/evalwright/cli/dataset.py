"""`evalwright dataset`: golden sets, their versions, and what changed between them."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import click
import msgspec

from evalwright.cli.options import audited, find_run, json_option, open_workspace, place_option, workspace_option
from evalwright.core.case import BadRow, Json
from evalwright.core.errors import UsageError
from evalwright.datasets.comparing import CaseDiff, Change, word_diff
from evalwright.datasets.exporters import EXPORTERS, export_cases
from evalwright.datasets.versions import GoldenSet, SetInfo, Version
from evalwright.governance.members import Members
from evalwright.governance.roles import Action
from evalwright.services.exporting import export_annotated
from evalwright.services.golden import Goldens, opened, rows_of_file
from evalwright.services.pins import update_pins
from evalwright.store.blobs import Blobs
from evalwright.store.workspace import Workspace

EPILOG = """\b
Examples:
  evalwright dataset create tickets --from tickets.jsonl --owner support
  evalwright dataset add tickets august.csv --message "cases of August"
  evalwright dataset diff tickets@v1 tickets@latest
  evalwright dataset tag tickets@v2 release-7
  evalwright dataset update suite.yaml

A version is named as NAME, NAME@v2, NAME@latest, NAME@approved, NAME@TAG,
NAME@DIGEST or NAME@2026-08 (the last one made by then)."""

_rows_file = click.Path(path_type=Path, dir_okay=False, exists=True)
by_option = click.option("--by", metavar="NAME", help="Who does this; $EVALWRIGHT_AUTHOR or the user by default.")
message_option = click.option("--message", "-m", default="", help="Why.")


@click.group(epilog=EPILOG)
def dataset() -> None:
    """Golden sets: versions, differences, tags, approvals, exports."""


@dataset.command()
@click.argument("name")
@click.option("--from", "file", type=click.Path(path_type=Path, dir_okay=False), help="File of the first cases.")
@click.option("--owner", help="Who answers for the set.")
@click.option("--purpose", default="", help="What it measures.")
@click.option("--tier", type=click.IntRange(1, 3), help="1 (critical) to 3.")
@click.option("--cadence-days", type=click.IntRange(1), help="How often it should be refreshed.")
@click.option("--classification", default="", help="Of the data, e.g. internal.")
@click.option("--retention-days", type=click.IntRange(1), help="How long it may be kept.")
@click.option("--residency", default="", help="Where it may lie.")
@message_option
@by_option
@workspace_option
def create(name: str, file: Path | None, message: str, by: str | None, workspace: Path | None, **about: Any) -> None:
    """Make the golden set NAME, or say anew what it is for."""
    goldens = Goldens(Workspace.open(workspace), by=by)
    if goldens.logs.exists(name) and (about["retention_days"] is not None or about["residency"]):
        Members(goldens.workspace).check(goldens.by, Action.CHANGE_RETENTION, owner=goldens.get(name).info.owner)
    rows = None if file is None else rows_of_file(file)
    goldens.create(SetInfo(name=name, at=0.0, **about))
    if file is None or rows is None:
        click.echo(f"{name} has no version yet; `evalwright dataset add {name} FILE` makes one")
        return
    _added(name, *goldens.add(name, rows, message=message, source={"file": file.name}))


@dataset.command()
@click.argument("name")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), required=False)
@click.option("--replace", is_flag=True, help="Cases that are not in FILE are dropped.")
@click.option("--remove", multiple=True, metavar="ID", help="Drop this case; may be given several times.")
@message_option
@by_option
@workspace_option
def add(
    name: str,
    file: Path | None,
    remove: tuple[str, ...],
    message: str,
    by: str | None,
    workspace: Path | None,
    *,
    replace: bool,
) -> None:
    """Make a new version of NAME: cases of FILE with a known id take the place of the old ones, others are added."""
    if (file is None) == (not remove):
        raise UsageError("name a FILE of cases, or cases to --remove")
    goldens = Goldens(Workspace.open(workspace), by=by)
    if file is None:
        _added(name, goldens.remove(name, remove, message=message), ())
        return
    _added(name, *goldens.add(name, rows_of_file(file), message=message, source={"file": file.name}, replace=replace))


@dataset.command()
@click.argument("name")
@click.argument("file", type=_rows_file)
@by_option
@workspace_option
def track(name: str, file: Path, by: str | None, workspace: Path | None) -> None:
    """Let NAME follow FILE in its git repository: the file is the truth, its commits are the versions.

    New commits are taken up whenever the set is used. NAME@COMMIT and NAME@2026-08-15 mean the file as it was. A commit
    with a `Reviewed-by:` line of somebody else than its author is approved.
    """
    found = Goldens(Workspace.open(workspace), by=by).track(name, file)
    last = found.versions[-1] if found.versions else None
    what = f"{len(found.versions):,} versions" + (f", the last of {_day(last.at)} by {last.by}" if last else "")
    click.echo(f"{name} follows {file}: {what}")


def _added(name: str, version: Version | None, bad: Iterable[BadRow]) -> None:
    for row in islice(bad, 20):
        click.echo(f"set aside: {row.source}:{row.line}: {row.reason}", err=True)
    if version is None:
        click.echo(f"{name} is unchanged")
        return
    changes = f"{version.added:,} added, {version.changed:,} changed, {version.removed:,} removed"
    click.echo(f"{name}@v{version.number} ({version.short}): {version.cases:,} cases; {changes}")


@dataset.command("list")
@json_option
@place_option
def list_(workspace: Path | None, *, as_json: bool) -> None:
    """List the golden sets."""
    goldens = Goldens(open_workspace(workspace))
    sets = [goldens.get(name) for name in goldens.logs.names()]
    if as_json:
        click.echo(msgspec.json.encode([_about(golden) for golden in sets]).decode())
        return
    for golden in sets:
        last = golden.versions[-1] if golden.versions else None
        what = (
            f"v{last.number}  {last.cases:,} cases  {_day(last.at)}  {golden.state(last)}" if last else "no version yet"
        )
        click.echo(f"{golden.name}  {what}" + (f"  {golden.info.owner}" if golden.info.owner else ""))
    if not sets:
        click.echo("there is no golden set yet; `evalwright dataset create` makes one", err=True)


@dataset.command()
@click.argument("reference", metavar="NAME[@VERSION]")
@json_option
@place_option
def show(reference: str, workspace: Path | None, *, as_json: bool) -> None:
    """Show a golden set and one of its versions."""
    goldens = Goldens(open_workspace(workspace))
    golden, version = goldens.find(reference)
    if as_json:
        click.echo(msgspec.json.encode({**_about(golden), "version": _version(golden, version)}).decode())
        return
    for key, value in _about(golden).items():
        if value not in (None, "", [], {}) and key != "versions":
            click.echo(f"{key}: {_shown(value)}")
    for key, value in _version(golden, version).items():
        if value not in (None, "", [], {}):
            click.echo(f"  {key}: {_shown(value)}")


@dataset.command()
@click.argument("name")
@click.option("--case", "case_id", metavar="ID", help="Only what happened to this case.")
@place_option
def log(name: str, case_id: str | None, workspace: Path | None) -> None:
    """List the versions of NAME, newest first, with tags and decisions."""
    goldens = Goldens(open_workspace(workspace))
    if case_id is not None:
        for version, what, _ in goldens.history(name, case_id):
            click.echo(f"v{version.number}  {_day(version.at)}  {version.by}  {what}  {version.message}".rstrip())
        return
    golden = goldens.get(name)
    for version in reversed(golden.versions):
        click.echo(_log_line(golden, version))
        for change in golden.changes(version):
            click.echo(f"    {change.state} by {change.by} on {_day(change.at)} {change.comment}".rstrip())


def _log_line(golden: GoldenSet, version: Version) -> str:
    tags = [name for name, number in golden.tags.items() if number == version.number]
    counts = f"+{version.added} ~{version.changed} -{version.removed}"
    parts = [f"v{version.number}", version.short, _day(version.at), version.by, f"{version.cases:,} cases", counts]
    return "  ".join([*parts, *([f"[{', '.join(tags)}]"] if tags else []), version.message]).rstrip()


@dataset.command()
@click.argument("before", metavar="BEFORE")
@click.argument("after", metavar="AFTER")
@click.option("--limit", type=click.IntRange(0), default=50, show_default=True, help="Cases shown of each kind.")
@click.option("--exit-code", is_flag=True, help="End with exit code 1 when they differ.")
@json_option
@workspace_option
def diff(before: str, after: str, limit: int, workspace: Path | None, *, exit_code: bool, as_json: bool) -> int:
    """Compare two versions, or two files of cases, case by case; texts word by word."""
    place = Workspace.open(workspace)
    with opened(before, place) as old, opened(after, place) as new:
        found = CaseDiff(old, new)
        if as_json:
            click.echo(_diff_json(found, limit))
        else:
            _print_diff(found, limit)
        return 1 if exit_code and any(found.counts) else 0


def _diff_json(found: CaseDiff, limit: int) -> str:
    added, changed, removed = found.counts
    whole = {
        "counts": {"added": added, "changed": changed, "removed": removed},
        "added": [case.id for case in islice(found.added_cases(), limit)],
        "removed": [case.id for case in islice(found.removed_cases(), limit)],
        "changed": list(islice(found.changes(), limit)),
    }
    return msgspec.json.encode(whole).decode()


def _print_diff(found: CaseDiff, limit: int) -> None:
    added, changed, removed = found.counts
    click.echo(f"{added:,} added, {changed:,} changed, {removed:,} removed")
    for case in islice(found.added_cases(), limit):
        click.echo(f"+ {case.id}  {_excerpt(case.input)}")
    for case in islice(found.removed_cases(), limit):
        click.echo(f"- {case.id}  {_excerpt(case.input)}")
    for change in islice(found.changes(), limit):
        for line in _change_lines(change):
            click.echo(line)
    if max(found.counts) > limit:
        click.echo(f"at most {limit} of each kind are shown; --limit shows more", err=True)


def _change_lines(change: Change) -> list[str]:
    lines = [f"~ {change.id}"]
    for path, (before, after) in change.fields.items():
        if isinstance(before, str) and isinstance(after, str):
            marks = {"=": "{}", "-": "[-{}-]", "+": "{{+{}+}}"}
            text = "".join(marks[kind].format(piece) for kind, piece in word_diff(before, after))
            lines.append(f"    {path}: {_printable(text)}")
        else:
            lines.append(f"    {path}: {_excerpt(before)} -> {_excerpt(after)}")
    return lines


@dataset.command()
@click.argument("reference", metavar="NAME[@VERSION]")
@click.argument("tag")
@by_option
@workspace_option
def tag(reference: str, tag: str, by: str | None, workspace: Path | None) -> None:
    """Give a version the name TAG."""
    version = Goldens(open_workspace(workspace), by=by).tag(reference, tag)
    click.echo(f"{tag} is v{version.number} ({version.short})")


@dataset.command()
@click.argument("reference", metavar="NAME[@VERSION]")
@click.argument("state", type=click.Choice(["review", "approve", "reject", "retire"]))
@click.option("--comment", default="", help="Why.")
@by_option
@workspace_option
def state(reference: str, state: str, comment: str, by: str | None, workspace: Path | None) -> None:
    """Ask for a review of a version, approve it (not by its author), send it back, or retire it."""
    goldens = Goldens(open_workspace(workspace), by=by)
    steps: dict[str, Any] = {"review": "in_review", "approve": "approved", "reject": "draft", "retire": "retired"}
    if state in ("approve", "reject"):
        Members(goldens.workspace).check(goldens.by, Action.CHANGE_GOLDEN_SET)
    version = goldens.move(reference, steps[state], comment=comment)
    audited(goldens.workspace, goldens.by, f"golden_set.{state}", reference, version=version.number)
    click.echo(f"v{version.number} ({version.short}) is {steps[state].replace('_', ' ')}")


@dataset.command()
@click.argument("reference", metavar="NAME[@VERSION]")
@click.option("--output", "-o", type=click.Path(path_type=Path, dir_okay=False), help="NAME.jsonl by default.")
@place_option
def checkout(reference: str, output: Path | None, workspace: Path | None) -> None:
    """Write a version's cases to a JSONL file: to edit, and to give back with `dataset add --replace`."""
    golden, version = (goldens := Goldens(open_workspace(workspace))).find(reference)
    path = output or Path(f"{golden.name}.jsonl")
    export_cases(goldens.open(version), "jsonl", path, media=goldens.workspace.blobs)
    click.echo(f"wrote {path}: {golden.name}@v{version.number}, {version.cases:,} cases")


@dataset.command()
@click.argument("reference", metavar="NAME[@VERSION]|FILE")
@click.option("--format", "-f", "kind", type=click.Choice(list(EXPORTERS)), required=True, help="Of the file.")
@click.option("--output", "-o", type=click.Path(path_type=Path, dir_okay=False), required=True, help="Where to.")
@click.option("--labels", type=_rows_file, help="labels.jsonl, as annotations of Label Studio tasks.")
@click.option("--outputs", type=_rows_file, help="outputs.jsonl, as predictions of Label Studio tasks.")
@workspace_option
def export(
    reference: str, kind: str, output: Path, labels: Path | None, outputs: Path | None, workspace: Path | None
) -> None:
    """Write a version's cases for another tool; as they were, where they came from it."""
    if (labels or outputs) and kind != "label-studio":
        raise UsageError("--labels and --outputs go with --format label-studio")
    place = Workspace.open(workspace)
    with opened(reference, place) as cases:
        if labels or outputs:
            count = export_annotated(cases, output, labels=labels, outputs=outputs)
        else:  # the media of a plain file lie where its cases were read into
            media = Blobs(cases.path.parents[2]) if Path(reference).is_file() else place.blobs
            count = export_cases(cases, kind, output, media=media)
    click.echo(f"wrote {output}: {count:,} cases")


@dataset.command()
@click.argument("reference", metavar="NAME[@VERSION]|FILE")
@click.option("--by-slice", "strata", multiple=True, metavar="PATH", help="Count cases by this, e.g. metadata.locale.")
@click.option("--min-n", type=click.IntRange(1), default=30, show_default=True, help="Cases each slice needs.")
@click.option("--against", multiple=True, metavar="NAME|FILE", help="Cases of this should not be in the set.")
@click.option("--suite", type=_rows_file, help="Suite whose gate says how many cases each slice needs.")
@click.option(
    "--model", type=click.Path(path_type=Path, file_okay=False), help="model2vec folder: what means the same."
)
@json_option
@workspace_option
def health(
    reference: str,
    strata: tuple[str, ...],
    min_n: int,
    against: tuple[str, ...],
    suite: Path | None,
    model: Path | None,
    workspace: Path | None,
    *,
    as_json: bool,
) -> None:
    """Look a set over: doubles, contradictions, leaks, thin slices, age, cases that tell nothing any more."""
    from evalwright.datasets.health import as_lines
    from evalwright.services.set_health import set_health

    found = set_health(
        Workspace.open(workspace),
        reference,
        strata=strata,
        min_n=min_n,
        against=against,
        suite=suite,
        model=model,
    )
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
        return
    for line in as_lines(found):
        click.echo(_printable(line))


@dataset.command()
@click.argument("reference", metavar="NAME[@VERSION]|FILE")
@click.option("--size", type=click.IntRange(1), required=True, help="Cases to draw.")
@click.option("--stratify-by", multiple=True, metavar="PATH", help="Keep the shares of its values.")
@click.option("--mix", multiple=True, metavar="STRATUM=SHARE", help="Draw to these shares instead of the set's own.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the draw.")
@click.option(
    "--method",
    type=click.Choice(["random", "failures", "uncertainty", "diverse", "smoke"]),
    default="random",
    show_default=True,
    help="What decides which cases are drawn.",
)
@click.option("--metric", help="Of past runs; the first of the newest run by default.")
@click.option("--model", type=click.Path(path_type=Path, file_okay=False), help="model2vec folder, for diverse.")
@click.option("--output", "-o", type=click.Path(path_type=Path, dir_okay=False), required=True, help="JSONL file.")
@json_option
@workspace_option
def sample(
    reference: str,
    size: int,
    stratify_by: tuple[str, ...],
    mix: tuple[str, ...],
    seed: int,
    method: Any,
    metric: str | None,
    model: Path | None,
    output: Path,
    workspace: Path | None,
    *,
    as_json: bool,
) -> None:
    """Write a sample of a set, the same for the same seed, and its record (OUTPUT.sample.json).

    random: every case alike, with every stratum's share, or to a mix. failures: the more past runs failed a case, the
    likelier. uncertainty: the more open its outcome. diverse: cases far from one another, by their text or a model.
    smoke: few cases with weights, chosen by past runs, whose score foretells the whole set's; `dataset predict` does.
    """
    from evalwright.datasets.sampling import SampleSpec
    from evalwright.services.sampling import SamplePlan, draw_sample, write_record
    from evalwright.store.cases import CaseSelection

    if method != "random" and (stratify_by or mix):
        raise UsageError("--stratify-by and --mix go with --method random")
    place = Workspace.open(workspace)
    spec = SampleSpec(size=size, stratify_by=stratify_by, seed=seed, mix=dict(map(_share, mix)))
    with opened(reference, place) as cases:
        plan = SamplePlan(spec=spec, method=method, metric=metric, model=model)
        indexes, record = draw_sample(place, reference, cases, plan)
        chosen = CaseSelection(cases, indexes)
        export_cases(chosen, "jsonl", output)
        write_record(output, record)
    if as_json:
        click.echo(msgspec.json.encode(record).decode())
        return
    click.echo(f"wrote {output}: {len(chosen):,} cases, {method}, seed {seed}")
    for one in record.held_out:
        click.echo(
            f"left out {one.run}: {one.actual:.4f}, foretold with an error of {one.error:.4f} "
            f"(drawn at random: {one.plain:.4f})"
        )
    if method == "smoke" and record.error is None:
        click.echo("past runs are of one system only: how well the subset foretells another is not known", err=True)


@dataset.command()
@click.argument("run_id", metavar="RUN")
@click.argument("record", metavar="SAMPLE.json", type=click.Path(path_type=Path, dir_okay=False))
@json_option
@workspace_option
def predict(run_id: str, record: Path, workspace: Path | None, *, as_json: bool) -> None:
    """Foretell the whole set's score from a RUN on its smoke subset; SAMPLE.json is the record beside it."""
    from evalwright.services.sampling import foretell, read_record

    place = open_workspace(workspace)
    found = foretell(find_run(place, run_id), read_record(record))
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
        return
    click.echo(
        f"{found.metric}: {found.value:.4f} [{found.low:.4f}, {found.high:.4f}] foretold for all {found.cases:,} cases "
        f"from {found.n:,}"
    )
    if found.error is not None:
        click.echo(f"on systems left out when the subset was made the error was {found.error:.4f}")


def _share(text: str) -> tuple[str, float]:
    name, _, share = text.rpartition("=")
    try:
        return name, float(share)
    except ValueError:
        raise UsageError(f"--mix {text!r} is no STRATUM=SHARE", hint="e.g. --mix de=0.7 --mix en=0.3") from None


@dataset.command()
@click.argument("suites", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False))
@workspace_option
def update(suites: tuple[Path, ...], workspace: Path | None) -> None:
    """Pin the golden sets of SUITES, in evalwright.lock beside them, to what their versions mean now."""
    from evalwright.services.vocabulary import vocabulary
    from evalwright.suites import load_suite

    goldens = Goldens(open_workspace(workspace))
    for suite in suites:
        spec = load_suite(suite, vocabulary()).dataset
        if spec is None:
            raise UsageError(f"{suite} uses no golden set")
        reference, before, now, path = update_pins(suite, spec, goldens)
        was = "" if before is None else f", was v{before.number}"
        click.echo(f"{path}: {reference} is v{now.number} ({now.digest[:12]}, {now.cases:,} cases{was})")


def _about(golden: GoldenSet) -> dict[str, Json]:
    info = msgspec.to_builtins(golden.info)
    kept = {key: value for key, value in info.items() if key not in ("at", "by", "type", "name")}
    versions = [_version(golden, version) for version in golden.versions]
    return {"name": golden.name, **kept, "tags": golden.tags, "versions": versions}


def _version(golden: GoldenSet, version: Version) -> dict[str, Json]:
    found: dict[str, Json] = msgspec.to_builtins(version)
    found.pop("type", None)
    return {**found, "state": golden.state(version), "made": datetime.fromtimestamp(version.at, UTC).isoformat()}


def _day(at: float) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(at))


def _shown(value: Json) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _excerpt(value: Json) -> str:
    text = _printable(_shown(value))
    return text if len(text) <= 100 else text[:99] + "…"


def _printable(text: str) -> str:
    """A text on one line, without characters that steer a terminal."""
    return "".join(c if c.isprintable() else " " if c.isspace() else "�" for c in text)

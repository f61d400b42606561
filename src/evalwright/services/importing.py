"""Import a file or folder of another tool: cases, answers, labels and a suite; what can't be read is set aside."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import BinaryIO

import msgspec

from evalwright.core.case import BadRow, Case, Json
from evalwright.core.errors import ConfigError, Problem, UsageError
from evalwright.core.identity import canonical_json
from evalwright.datasets.importers import (
    FORMATS,
    Answer,
    Check,
    Figures,
    Item,
    Label,
    Mapping,
    Note,
    Query,
    Source,
    TargetHint,
    guess_format,
    read_import,
    read_query,
)
from evalwright.datasets.importers.suite_text import Checks, Dropped, Scorer, SuiteParts, suite_text
from evalwright.datasets.prepare import prepare
from evalwright.datasets.reader import Rows
from evalwright.datasets.redaction import Report
from evalwright.services.redacting import RedactPlan
from evalwright.store.blobs import Blobs
from evalwright.store.cases import CaseFile
from evalwright.store.files import atomic_file, write_atomic

MAX_FILES = 1_000


class ImportPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What to import, and how.

    Attributes:
        path: The file or folder.
        format: One of the formats by name; None to tell it from the file.
        fields: The mapping for plain rows; empty to guess it.
        name: Name of the suite; from the file's name when not given.
        at_least: Bound of the gate that is written; None for no gate.
        redact: How to take personal data and secrets out on the way in; None to leave them.
        judge: Model that checks which ask one are written for; None to only list them.
        query: A query in the place of a file; `path` then only names it.
        keep: Folder where the good rows stay when the source breaks midway; None to drop them.
    """

    path: Path
    format: str | None = None
    fields: dict[str, Json] = {}
    name: str = ""
    at_least: float | None = None
    redact: RedactPlan | None = None
    query: Query | None = None
    judge: str | None = None
    keep: Path | None = None

    @property
    def origin(self) -> str:
        """The file, or the URL as it was given: with references, never with what they stand for."""
        return str(self.path) if self.query is None or self.query.url is None else self.query.url


class ImportReport(msgspec.Struct, frozen=True, kw_only=True):
    """What an import found, for people and for the record.

    Attributes:
        source: The file or folder.
        sha256: Of the file's bytes; of a folder none.
        formats: By file, the format it was read as.
        fields: The mapping of plain rows that was asked for or guessed.
        cases: Cases found.
        bad: Rows set aside.
        answers: Answers found.
        failed_answers: Answers the other tool recorded as failed; they are left out.
        labels: Labels of people found.
        variants: Systems and prompts whose answers there are.
        trials: Most answers of one system to one case.
        figures: What the files state or was counted in them.
        scorers: Checks that became scorers.
        dropped: Checks that have none.
        notes: What a person should know.
        redacted: What was taken out; None when nothing was asked for.
        query: The query, where there was one.
    """

    source: str
    sha256: str = ""
    formats: dict[str, str] = {}
    fields: dict[str, Json] = {}
    cases: int = 0
    bad: int = 0
    answers: int = 0
    failed_answers: int = 0
    labels: int = 0
    variants: tuple[str, ...] = ()
    trials: int = 1
    figures: dict[str, Json] = {}
    scorers: tuple[Scorer, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    notes: tuple[str, ...] = ()
    redacted: Report | None = None
    query: str = ""


class Imported:
    """What was imported, in temporary files until it is kept; use as a context manager.

    Attributes:
        report: What was found.
        cases: The cases; None when there are none.
    """

    def __init__(self, plan: ImportPlan) -> None:
        """Read the file or folder.

        Raises:
            UsageError: Nothing is there, or the format is unknown.
            ConfigError: The file as a whole can't be read.
        """
        self.plan = plan
        self._stack = ExitStack()
        self._folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="evalwright-import-")))
        try:
            self._sorter = _Sorter(self._folder, plan.redact)
            self.cases: CaseFile | None = self._read()
        except BaseException:
            self._stack.close()
            raise
        self.report = self._sorter.report(plan)

    def __enter__(self) -> Imported:
        return self

    def __exit__(self, *_: object) -> None:
        if self.cases is not None:
            self.cases.close()
        self._stack.close()

    def _read(self) -> CaseFile | None:
        try:
            rows = Rows(self.plan.origin, self._sorter.cases(_parts(self.plan), self.plan))
            prepared = prepare(rows, Blobs(self._folder / "blobs"), source=self.plan.origin)
        except ConfigError as error:
            if self._sorter.broken:
                raise self._with_kept(error) from error
            if not self._sorter.any_item or self._sorter.saw_rows:
                raise
            return None
        finally:
            self._sorter.close()
        self._sorter.note_rows(prepared.count, prepared.bad_rows, prepared.bad_count)
        return prepared.case_file

    def _with_kept(self, error: ConfigError) -> ConfigError:
        """The error, with where the rows stay that were read before the source broke."""
        self._sorter.close()
        count, folder = self._sorter.kept, self.plan.keep
        if not count or folder is None:
            return error
        path = _copied(self._folder / "kept.jsonl", folder / "incomplete.jsonl")
        hint = f"the {count:,} good rows read before that are in {path}: import them, or start again"
        last = msgspec.structs.replace(error.problems[-1], hint=hint)
        return ConfigError([*error.problems[:-1], last])

    def save(self, folder: Path, *, dataset: dict[str, Json] | None = None) -> list[Path]:
        """Keep what was found in a folder; files of the same names are replaced, one after the other, each in one step.

        Args:
            folder: Where to; made when it is not there.
            dataset: The `dataset` section of the suite, where the cases are kept elsewhere (a golden set).

        Returns:
            The files written: `cases.jsonl`, `outputs.jsonl`, `labels.jsonl`, `quarantine.jsonl`, `suite.yaml` and
            `import.json`, those that have content.

        Raises:
            DiskFull: No space is left.
            StoreError: The folder can't be written.
        """
        written: list[Path] = []
        if self.cases is not None and dataset is None:
            written.append(_copied(self.cases.path, folder / "cases.jsonl"))
        for name in ("outputs.jsonl", "labels.jsonl", "quarantine.jsonl"):
            part = self._folder / name
            if part.is_file() and part.stat().st_size:
                written.append(_copied(part, folder / name))
        if self.cases is not None:
            parts = self.suite(dataset or {"file": "cases.jsonl"})
            write_atomic(folder / "suite.yaml", suite_text(parts).encode())
            written.append(folder / "suite.yaml")
        write_atomic(folder / "import.json", msgspec.json.format(msgspec.json.encode(self.report), indent=2) + b"\n")
        return [*written, folder / "import.json"]

    def suite(self, dataset: dict[str, Json]) -> SuiteParts:
        """What a suite file of this import says."""
        targets = self._sorter.targets(self.report)
        return SuiteParts(
            name=self.plan.name or _stem(self.plan.path),
            origin=f"{self.plan.path.name} ({', '.join(sorted(set(self.report.formats.values())))})",
            dataset=dataset,
            target=targets[0] if targets else None,
            other_targets=tuple(targets[1:]),
            scorers=self.report.scorers,
            dropped=self.report.dropped,
            at_least=self.plan.at_least,
            trials=self.report.trials,
        )


class _Sorter:
    """Takes the items of files apart: cases go on, the rest is kept beside."""

    def __init__(self, folder: Path, redact: RedactPlan | None) -> None:
        self._folder = folder
        self._redactor = None if redact is None else redact.redactor()
        self._outputs: BinaryIO = (folder / "outputs.jsonl").open("wb")
        self._labels: BinaryIO = (folder / "labels.jsonl").open("wb")
        self._kept: BinaryIO = (folder / "kept.jsonl").open("wb")
        self.kept = 0
        self._checks = Checks()
        self._hints: list[dict[str, Json]] = []
        self._variants: dict[str, None] = {}
        self._counts = dict.fromkeys(("cases", "bad", "answers", "failed", "labels"), 0)
        self._trials = 1
        self._figures: dict[str, Json] = {}
        self._formats: dict[str, str] = {}
        self._fields: dict[str, Json] = {}
        self._notes: list[str] = []
        self.any_item = False
        self.saw_rows = False
        self.broken = False

    def close(self) -> None:
        """Close the files."""
        self._outputs.close()
        self._labels.close()
        self._kept.close()

    def cases(self, parts: list[_Part], plan: ImportPlan) -> Iterator[tuple[int, Case | BadRow]]:
        """The cases and bad rows of all files; everything else is sorted on the way."""
        for source, name in parts:
            self._formats[source.name] = name
            items = read_import(source, name) if plan.query is None else read_query(plan.query, source)
            try:
                for item in map(self._clean, items):
                    self.any_item = True
                    if isinstance(item, (Case, BadRow)):
                        self.saw_rows = True
                        self._counts["cases"] += isinstance(item, Case)
                        self._keep(item, plan)
                        yield source.line or self._counts["cases"], item
                    else:
                        self._sort(item)
            except ConfigError:
                self.broken = True
                raise

    def _keep(self, row: Case | BadRow, plan: ImportPlan) -> None:
        """Write a case down for the event that the source breaks."""
        if isinstance(row, Case) and plan.keep is not None:
            with suppress(UnicodeEncodeError, RecursionError, msgspec.MsgspecError, TypeError):
                self._kept.write(canonical_json(row) + b"\n")
                self.kept += 1

    def _clean(self, item: Item) -> Item:
        """An item without personal data, where that was asked for."""
        if self._redactor is None or isinstance(item, (Figures, Mapping, Note)):
            return item
        if isinstance(item, Case):
            return self._redactor.case(item)
        cleaned = self._redactor.value(msgspec.to_builtins(item))
        return msgspec.convert(cleaned, type(item))

    def _sort(self, item: Item) -> None:
        match item:
            case Answer():
                self._answer(item)
            case Label():
                self._counts["labels"] += 1
                self._labels.write(msgspec.json.encode(item) + b"\n")
            case Check():
                self._checks.add(item)
            case Figures():
                self._figures.update(item.values)
            case TargetHint():
                self._hints.append(item.target)
            case Mapping():
                self._fields.update(item.fields)
            case Note():
                self._notes += [item.text] if item.text not in self._notes else []

    def _answer(self, answer: Answer) -> None:
        if answer.error is not None:
            self._counts["failed"] += 1
            return
        self._counts["answers"] += 1
        self._variants[answer.variant] = None
        self._trials = max(self._trials, answer.trial + 1)
        row = {"id": answer.id, "trial": answer.trial, **msgspec.to_builtins(answer.output)}
        if answer.variant:
            row["variant"] = answer.variant
        row["metadata"] = {**row.get("metadata", {}), "imported_scores": answer.scores} if answer.scores else {}
        self._outputs.write(canonical_json(row) + b"\n")

    def note_rows(self, cases: int, rows: tuple[BadRow, ...], count: int) -> None:
        """Keep the rows that were set aside."""
        self._counts |= {"cases": cases, "bad": count}
        with (self._folder / "quarantine.jsonl").open("wb") as file:
            file.writelines(msgspec.json.encode(row) + b"\n" for row in rows)
        if count > len(rows):
            self._notes.append(f"{count:,} rows were set aside; the quarantine file has the first {len(rows):,}")

    def targets(self, report: ImportReport) -> list[dict[str, Json]]:
        """Targets for the suite: the recorded answers of each system, else the systems the file names."""
        if not report.answers:
            return self._hints
        base: dict[str, Json] = {"type": "recorded", "file": "outputs.jsonl"}
        if report.trials > 1:
            base["fields"] = {"trial": "trial"}
        if report.variants in ((), ("",)):
            return [base, *self._hints]
        return [*({**base, "where": {"variant": variant}} for variant in report.variants), *self._hints]

    def report(self, plan: ImportPlan) -> ImportReport:
        """What was found."""
        tests = self._figures.get("tests", self._figures.get("results"))
        scorers, dropped = self._checks.result(tests=tests if isinstance(tests, int) else None, judge=plan.judge)
        return ImportReport(
            source=plan.origin,
            query="" if plan.query is None else plan.query.sql,
            sha256=_digest(plan.path) if plan.query is None and plan.path.is_file() else "",
            formats=self._formats,
            fields=plan.fields or self._fields,
            cases=self._counts["cases"],
            bad=self._counts["bad"],
            answers=self._counts["answers"],
            failed_answers=self._counts["failed"],
            labels=self._counts["labels"],
            variants=tuple(self._variants),
            trials=self._trials,
            figures=self._figures,
            scorers=tuple(scorers),
            dropped=tuple(dropped),
            notes=tuple(self._notes),
            redacted=None if self._redactor is None else self._redactor.report,
        )


def import_file(plan: ImportPlan) -> Imported:
    """Read a file or folder of another tool; nothing is kept until `save`, or until the cases go into a golden set.

    Raises:
        UsageError: Nothing is there, or the format is unknown.
        ConfigError: The file as a whole can't be read.
    """
    return Imported(plan)


_Part = tuple[Source, str]


def _parts(plan: ImportPlan) -> list[_Part]:
    """What is read, with its format."""
    if plan.query is not None:
        name = "sql" if plan.query.url is not None else "duckdb"
        return [(Source(plan.path, name=plan.origin, fields=plan.fields), name)]
    return [(Source(path, fields=plan.fields), name) for path, name in _files(plan)]


def _files(plan: ImportPlan) -> list[tuple[Path, str]]:
    """Files with their formats; of a folder those that have one."""
    if plan.format is not None and plan.format not in FORMATS:
        raise UsageError(f"unknown format `{plan.format}`", hint=f"there are: {', '.join(FORMATS)}")
    if plan.path.is_file():
        return [(plan.path, plan.format or guess_format(plan.path))]
    if not plan.path.is_dir():
        raise UsageError(f"there is no file or folder {plan.path}")
    found = [pair for path in sorted(plan.path.iterdir()) if (pair := _known(path, plan.format))]
    if not found:
        raise ConfigError([Problem(message="the folder holds no file of a known format", file=str(plan.path))])
    return _without_companions(found)[:MAX_FILES]


def _known(path: Path, name: str | None) -> tuple[Path, str] | None:
    if not path.is_file() or path.name.startswith(".") or path.is_symlink():
        return None
    try:
        return path, name or guess_format(path)
    except ConfigError:
        return None


def _without_companions(found: list[tuple[Path, str]]) -> list[tuple[Path, str]]:
    """Leave out what another file of the folder brings along: a configuration its tests, a run its definition."""
    names = {name for _, name in found}
    brought: set[str] = set()
    if "promptfoo" in names or "promptfoo-results" in names:
        brought |= {"promptfoo-csv", "promptfoo-table", "rows"}
    if "promptfoo-results" in names:
        brought.add("promptfoo")
    if "openai-hosted" in names:
        brought |= {"openai-definition", "rows"}
    if "openai-registry" in names:
        brought.add("openai-evals")
    return [(path, name) for path, name in found if name not in brought]


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _copied(source: Path, path: Path) -> Path:
    with source.open("rb") as file, atomic_file(path) as out:
        shutil.copyfileobj(file, out, 1 << 20)
    return path


def _stem(path: Path) -> str:
    return path.resolve().name.partition(".")[0] or "imported"

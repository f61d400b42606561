"""Queues out and labels in: Label Studio, CSV, Excel, JSON Lines; rows that do not fit are told one by one."""

from __future__ import annotations

import csv
import functools
import io
import json
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

from evalwright.core.case import Json
from evalwright.core.errors import EvalwrightError, UsageError
from evalwright.core.extras import optional
from evalwright.core.identity import short_hash
from evalwright.core.review import CHOICES, Entry, Item, Label, Queue, QueueKind
from evalwright.reports.text import visible
from evalwright.review import rules
from evalwright.review.blinding import flipped, kept_entry, new_id, shown_outputs
from evalwright.services.reviewing import label_studio
from evalwright.services.reviewing.label_studio import STRANGER, Incoming, context_text, plain
from evalwright.services.reviewing.settling import label_rows, settled
from evalwright.services.reviewing.times import seconds
from evalwright.store import review_imports, review_queues, review_work
from evalwright.store.export import FORMULA_STARTS
from evalwright.store.workspace import Workspace

Format = Literal["labelstudio", "csv", "xlsx", "jsonl"]
What = Literal["tasks", "labels", "settled"]
FORMATS: tuple[str, ...] = ("labelstudio", "csv", "xlsx", "jsonl")
SUFFIXES = {".json": "labelstudio", ".csv": "csv", ".xlsx": "xlsx", ".jsonl": "jsonl"}
BATCH = 500
"""Labels kept in one transaction."""
MAX_CELL = 32_767
"""Characters Excel takes in a cell."""


class ImportReport(msgspec.Struct, frozen=True, kw_only=True):
    """What an import did.

    Attributes:
        added: Labels that are new.
        known: Labels that were there already.
        empty: Rows without a label yet.
        problems: Rows that were left out, and why.
    """

    added: int = 0
    known: int = 0
    empty: int = 0
    problems: tuple[dict[str, str], ...] = ()


# --- out ------------------------------------------------------------------------------------------------------------


def export(
    workspace: Workspace, queue: Queue, kind: Format, what: What = "labels", *, rubric: str | None = None
) -> bytes:
    """A queue as a file.

    Args:
        workspace: Where it is.
        queue: The queue.
        kind: `labelstudio` (tasks, as JSON), `csv`, `xlsx`, `jsonl`.
        what: `tasks`: what reviewers may see, to be labelled elsewhere; `labels`: a row a label; `settled`: a row an
            item with what is held to be right, as `evalwright calibrate --labels` reads it.
        rubric: Of settled labels: which rubric; needed when there are several.

    Raises:
        UsageError: No such format, or the rubric is not named.
        MissingExtra: openpyxl is not installed.
    """
    if kind == "labelstudio":
        return _as_json(label_studio.tasks(queue, *_of_queue(workspace, queue, what)))
    rows = list(_rows(workspace, queue, what, rubric))
    if kind == "jsonl":
        return b"".join(msgspec.json.encode(row) + b"\n" for row in rows)
    if kind not in ("csv", "xlsx"):
        raise UsageError(f"there is no format {kind!r}", hint=f"there are: {', '.join(FORMATS)}")
    header = list(dict.fromkeys(name for row in rows for name in row))
    table = [[cell_text(row.get(name)) for name in header] for row in rows]
    return _csv(header, table) if kind == "csv" else _xlsx(header, table)


def _as_json(value: Json) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1).encode("utf-8", "backslashreplace")


def _of_queue(workspace: Workspace, queue: Queue, what: What) -> tuple[list[Item], dict[str, list[Label]]]:
    engine = workspace.catalog.engine
    by_item: dict[str, list[Label]] = defaultdict(list)
    if what != "tasks":
        for label in review_work.labels(engine, queue.id):
            by_item[label.item_id].append(label)
    return review_queues.items(engine, queue.id), by_item


def _rows(workspace: Workspace, queue: Queue, what: What, rubric: str | None) -> Iterable[dict[str, Json]]:
    if what == "settled":
        return label_rows(settled(workspace, queue), _rubric_name(queue, rubric))
    items, labels = _of_queue(workspace, queue, what)
    if what == "tasks":
        return (_task_row(queue, item) for item in items)
    return (_label_row(queue, item, label) for item in items for label in labels.get(item.id, ()))


def _rubric_name(queue: Queue, rubric: str | None) -> str:
    names = [one.name for one in queue.rubrics]
    if rubric is None and len(names) > 1:
        raise UsageError("the queue has several rubrics: say which", hint=f"there are: {', '.join(names)}")
    name = rubric or names[0]
    if name not in names:
        raise UsageError(f"the queue has no rubric `{name}`", hint=f"there are: {', '.join(names)}")
    return name


def _task_row(queue: Queue, item: Item) -> dict[str, Json]:
    """What a reviewer may see, and empty columns for what they are asked."""
    flip = queue.kind is QueueKind.PAIRWISE and flipped(queue.seed, STRANGER, item.id)
    sides = shown_outputs(item.content, flip=flip)
    pairwise = queue.kind is QueueKind.PAIRWISE
    row: dict[str, Json] = {"item": item.id, "input": plain(item.content.input), "context": context_text(item.content)}
    if queue.show_expected:
        row["expected"] = plain(item.content.expected)
    row |= {f"output_{side.lower()}" if pairwise else "output": one.text for side, one in sides}
    row |= {rubric.name: "" for rubric in queue.rubrics}
    return row | {"rationale": "", "rater": ""}


def _label_row(queue: Queue, item: Item, label: Label) -> dict[str, Json]:
    answers = {rubric.name: label.answers.get(rubric.name) for rubric in queue.rubrics}
    return {
        "label": label.id,
        "item": item.id,
        "case_id": item.hidden.case_id,
        "rater": label.rater,
        **answers,
        "rationale": label.rationale,
        "seconds": label.seconds,
        "confidence": label.confidence,
        "at": label.at,
        "side_a": ("second" if label.flipped else "first") if queue.kind is QueueKind.PAIRWISE else None,
        "calibration": item.calibration,
        "spans": msgspec.to_builtins(label.spans) if label.spans else None,
    }


def cell_text(value: Json) -> str:
    """A value as a cell: what a spreadsheet would run as a formula gets an apostrophe, controls are written out."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    text = visible(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
    return ("'" + text if text.startswith(FORMULA_STARTS) else text)[:MAX_CELL]


def _csv(header: list[str], table: list[list[str]]) -> bytes:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow([cell_text(name) for name in header])
    writer.writerows(table)
    return ("\ufeff" + buffer.getvalue()).encode("utf-8", "backslashreplace")


def _xlsx(header: list[str], table: list[list[str]]) -> bytes:
    openpyxl = optional("openpyxl", extra="excel")
    book: Any = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("review")
    sheet.append([cell_text(name) for name in header])
    for row in table:
        sheet.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


# --- in -------------------------------------------------------------------------------------------------------------


def read_incoming(
    queue: Queue, data: bytes, kind: Format, *, rater: str | None = None
) -> Iterator[Incoming | tuple[str, str]]:
    """Labels of a file; rows that can't be read come as a pair of place and reason.

    Args:
        queue: The queue.
        data: The file.
        kind: Its format.
        rater: Who labelled rows that do not say.

    Raises:
        UsageError: It is no file of this format.
        MissingExtra: openpyxl is not installed.
    """
    if kind in ("labelstudio", "jsonl"):
        document = _document(data, lines=kind == "jsonl")
        if kind == "labelstudio" or (document and isinstance(document[0], dict) and "data" in document[0]):
            yield from label_studio.read_annotations(queue, document)
            return
        rows: Iterable[tuple[int, Json]] = enumerate(document, start=1)
    elif kind == "csv":
        rows = _csv_rows(data)
    elif kind == "xlsx":
        rows = _xlsx_rows(data)
    else:
        raise UsageError(f"there is no format {kind!r}", hint=f"there are: {', '.join(FORMATS)}")
    for line, row in rows:
        if not isinstance(row, dict):
            yield f"row {line}", "the row is no object"
            continue
        found = _of_row(queue, row, line, rater)
        if found is not None:
            yield found


def _document(data: bytes, *, lines: bool) -> Any:
    try:
        text = data.decode("utf-8-sig")
        return [json.loads(line) for line in text.split("\n") if line.strip()] if lines else json.loads(text)
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise UsageError(f"the file is no {'JSON Lines' if lines else 'JSON'}: {error}") from None


def _csv_rows(data: bytes) -> Iterator[tuple[int, Json]]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"the file is not UTF-8: byte {error.start}", hint="save it as CSV UTF-8") from None
    first = text.partition("\n")[0]
    mark = max(",;\t", key=first.count)
    csv.field_size_limit(1 << 24)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=mark)
    try:
        for row in reader:
            yield reader.line_num, {name: _uncelled(value) for name, value in row.items() if name is not None}
    except csv.Error as error:
        raise UsageError(f"no CSV after line {reader.line_num}: {error}") from None


def _xlsx_rows(data: bytes) -> Iterator[tuple[int, Json]]:
    import zipfile

    openpyxl = optional("openpyxl", extra="excel")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            size = sum(member.file_size for member in archive.infolist())
        if size > 200 * max(len(data), 1_000_000):
            raise UsageError(f"the workbook unpacks to {size:,} bytes; it is refused")
        book: Any = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
    except (zipfile.BadZipFile, KeyError, ValueError, OSError) as error:
        raise UsageError(f"no Excel workbook: {error}") from None
    cells = book.worksheets[0].iter_rows(values_only=True)
    header = [str(name or "") for name in next(cells, ())]
    for number, row in enumerate(cells, start=2):
        if any(cell is not None for cell in row):
            yield number, {name: _uncelled(cell) for name, cell in zip(header, row, strict=False) if name}
    book.close()


def _uncelled(value: Any) -> Json:
    """A cell without the apostrophe that kept it from being a formula."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    text = "" if value is None else str(value)
    return text[1:] if text.startswith("'") and text[1:].startswith(FORMULA_STARTS) else text


def _of_row(queue: Queue, row: Mapping[str, Json], line: int, rater: str | None) -> Incoming | tuple[str, str] | None:
    where = f"row {line}"
    given = row.get("answers") if isinstance(row.get("answers"), dict) else row
    answers = {r.name: str(given[r.name]) for r in queue.rubrics if given and given.get(r.name) not in (None, "")}
    if not answers:
        return None
    item, who = str(row.get("item") or row.get("item_id") or ""), str(row.get("rater") or rater or "")
    if not item:
        return where, "it names no `item`"
    at = seconds(row.get("at"))
    try:
        spent = float(row["seconds"]) if row.get("seconds") not in (None, "") else None
    except (TypeError, ValueError):
        return where, f"seconds can't be {row['seconds']!r}"
    pairwise = queue.kind is QueueKind.PAIRWISE
    by_side = pairwise and not all(answer in CHOICES for answer in answers.values())
    return Incoming(
        where=where,
        item=item,
        rater=who,
        entry=Entry(answers=answers, rationale=str(row.get("rationale") or ""), seconds=spent),
        key=f"file {row.get('label') or f'{item} {who}'}",
        flip=flipped(queue.seed, STRANGER, item) if by_side else None,
        at=at if at == at else None,  # noqa: PLR0124  NaN
    )


def import_labels(
    workspace: Workspace, queue: Queue, incoming: Iterable[Incoming | tuple[str, str]], *, by: str
) -> ImportReport:
    """Keep labels from a file; the same file again adds nothing.

    Args:
        workspace: Where the queue is.
        queue: The queue.
        incoming: Labels, and rows that could not be read.
        by: Who imports, in the labels' source.
    """
    engine = workspace.catalog.engine
    items = {item.id: item for item in review_queues.items(engine, queue.id)}
    standing = {(label.item_id, label.rater): label.answers for label in review_work.labels(engine, queue.id)}
    ready: list[tuple[str, Label]] = []
    known = 0
    problems: list[dict[str, str]] = []
    for one in incoming:
        if isinstance(one, tuple):
            problems.append({"where": one[0], "message": one[1]})
            continue
        try:
            label = _label(queue, items, one, by)
        except EvalwrightError as error:
            problems.append({"where": one.where, "message": error.message})
            continue
        if standing.get((label.item_id, label.rater)) == label.answers:
            known += 1
        else:
            ready.append((one.where, label))
    added, again, wrong = _kept(workspace, queue, ready)
    return ImportReport(added=added, known=known + again, problems=(*problems, *wrong))


def _kept(workspace: Workspace, queue: Queue, ready: list[tuple[str, Label]]) -> tuple[int, int, list[dict[str, str]]]:
    """How many labels are new, how many were known by their key, and what was wrong with the others."""
    added = known = 0
    problems: list[dict[str, str]] = []
    disputed = functools.partial(rules.disputed, queue)
    for start in range(0, len(ready), BATCH):
        batch = ready[start : start + BATCH]
        done = review_imports.submit_many(workspace.catalog.engine, [label for _, label in batch], disputed=disputed)
        for (where, _), result in zip(batch, done, strict=True):
            if isinstance(result, EvalwrightError):
                problems.append({"where": where, "message": result.message})
            else:
                added, known = added + result[1], known + (not result[1])
    return added, known, problems


def _label(queue: Queue, items: Mapping[str, Item], one: Incoming, by: str) -> Label:
    if one.item not in items:
        raise UsageError(f"`{one.item}` is no item of the queue `{queue.name}`")
    if not one.rater.strip():
        raise UsageError("it does not say who labelled it", hint="a column `rater`, or --rater")
    if queue.raters is not None and one.rater not in queue.raters:
        raise UsageError(f"{one.rater} is none of the reviewers of `{queue.name}`")
    item = items[one.item]
    entry = one.entry if one.flip is None else kept_entry(queue, one.entry, flip=one.flip)
    outputs = dict(zip(("first", "second"), item.content.outputs, strict=False))
    relaxed = msgspec.structs.replace(queue, rationale=type(queue.rationale)())
    kept = rules.checked(relaxed, item.hidden, outputs, entry)
    storable = review_queues.storable
    said = short_hash([kept.answers, storable(kept.rationale)])
    now = time.time()
    return Label(
        id=new_id(),
        queue_id=queue.id,
        item_id=item.id,
        rater=storable(one.rater),
        answers=kept.answers,
        rationale=kept.rationale,
        spans=kept.spans,
        seconds=kept.seconds,
        flipped=bool(one.flip),
        source=f"import by {by}",
        key=f"{storable(one.key[:150])} {said}",
        at=min(one.at, now) if one.at is not None else now,
    )


def format_of(path: Path, given: str | None) -> Format:
    """The format of a file: as given, else by its suffix.

    Raises:
        UsageError: It can't be told.
    """
    found = given or SUFFIXES.get(path.suffix.lower())
    for kind in FORMATS:
        if found == kind:
            return kind  # type: ignore[return-value]
    raise UsageError(f"the format of {path} can't be told", hint=f"--format is one of {', '.join(FORMATS)}")

"""Tables of ratings from outside: long, wide, nested, or bare numbers; CSV, JSON, JSON Lines, Parquet."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from evalwright.core.case import Json
from evalwright.core.errors import ConfigError, Problem, UsageError
from evalwright.core.rubric import Rubric
from evalwright.core.suite import DatasetSpec
from evalwright.datasets.importers.label_studio import is_tasks
from evalwright.datasets.reader import read_raw
from evalwright.review.ratings import Levels, Rating, Ratings, Shape, level_text, ratings_of, ratings_of_matrix
from evalwright.services.reviewing.agreement import rubric_levels
from evalwright.services.reviewing.label_studio import ratings_of_tasks
from evalwright.services.reviewing.times import UNKNOWN, seconds
from evalwright.stats.raters import Scale

Layout = Literal["auto", "long", "wide", "nested", "units-by-raters", "raters-by-units", "counts", "contingency"]

COLUMNS: dict[str, tuple[str, ...]] = {
    "unit": ("unit", "item", "id", "case_id", "item_id", "task_id", "task", "example_id", "document", "subject"),
    "rater": (
        "rater", "annotator", "reviewer", "rater_id", "annotator_id", "reviewer_id", "coder", "worker", "worker_id",
        "user", "by", "completed_by", "author", "judge",
    ),
    "label": ("label", "rating", "score", "value", "answer", "annotation", "category", "verdict", "level"),
    "rubric": ("rubric", "dimension", "aspect", "criterion", "metric", "question_id"),
    "at": ("at", "time", "timestamp", "submitted_at", "created_at", "labelled_at"),
    "ratings": ("ratings", "labels", "annotations", "human", "ratings_by_rater", "value_by_author", "raters"),
}  # fmt: skip
"""What a row may hold, and the columns it is looked for in."""

_RATER = re.compile(
    r"^(rater|annotator|reviewer|coder|judge|expert|worker|human|person|doctor|physician|observer|r|a)[ _.-]?\d+$",
    re.IGNORECASE,
)
_TEXTS = frozenset(
    {
        *("text", "input", "output", "question", "prompt", "response", "expected", "reference", "context", "contexts"),
        *("source", "comment", "rationale", "reason", "gold", "label_gold", "split", "notes"),
    }
)
MAX_LEVELS = 20
MATRIX: tuple[Shape, ...] = get_args(Shape)


@dataclass(frozen=True, slots=True, kw_only=True)
class TableOptions:
    """How to read a table.

    Attributes:
        layout: Its layout; `auto` tells it from the columns.
        columns: By what a row may hold (`COLUMNS`) the column it stands in, where that is not one of the usual.
        raters: Of wide tables: the raters' columns.
        rubrics: Of long tables with a column a dimension: those columns. Else: only these dimensions.
        scale: Scale of the ratings; None for the rubric's, or nominal.
        levels: The levels, worst first.
        rubric: A rubric the ratings follow.
        name: How messages call the table.
    """

    layout: Layout = "auto"
    columns: Mapping[str, str] = field(default_factory=dict)
    raters: tuple[str, ...] = ()
    rubrics: tuple[str, ...] = ()
    scale: Scale | None = None
    levels: tuple[str, ...] = ()
    rubric: Rubric | None = None
    name: str = "the table"

    def known(self, dimension: str) -> Levels:
        """The scale of a dimension."""
        if self.rubric is not None and self.rubric.name == dimension:
            found = rubric_levels(None, self.rubric)
            return Levels(scale=self.scale or found.scale, names=found.names, values=found.values)
        return Levels(scale=self.scale or "nominal", names=self.levels)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """What a file held: a table a dimension, and what was wrong or worth knowing."""

    tables: tuple[Ratings, ...]
    notes: tuple[str, ...] = ()


def read_tables(path: Path, options: TableOptions) -> Tables:
    """Ratings of a file.

    Raises:
        ConfigError: It can't be read.
        UsageError: Its layout can't be told, or it does not hold what it should.
    """
    if path.suffix.lower() == ".json":
        return tables_of(_json(path), options)
    rows: list[Json] = []
    bad: list[str] = []
    for row in read_raw(DatasetSpec(file=str(path)), Path()):
        if row.reason is not None:
            bad.append(f"line {row.line}: {row.reason}")
        else:
            rows.append(row.value)
    found = tables_of(rows, options)
    told = (f"{len(bad)} rows were left out, the first in {bad[0]}",) if bad else ()
    return Tables(tables=found.tables, notes=(*found.notes, *told))


def _json(path: Path) -> Json:
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ConfigError([Problem(message=f"{path} can't be read: {error.strerror}", file=str(path))]) from None
    except UnicodeDecodeError as error:
        raise ConfigError([Problem(message=f"{path} is not UTF-8: byte {error.start}", file=str(path))]) from None
    except (ValueError, RecursionError) as error:
        line = error.lineno if isinstance(error, json.JSONDecodeError) else 0
        raise ConfigError([Problem(message=f"no JSON: {error}", file=str(path), line=line)]) from None


def tables_of(value: Json, options: TableOptions) -> Tables:
    """Ratings of a JSON value: rows, a matrix, or an object that holds one of them under `data`, `items` or `rows`.

    Raises:
        UsageError: Its layout can't be told, or it does not hold what it should.
    """
    if isinstance(value, dict):
        for key in ("data", "items", "rows", "table", "ratings"):
            if isinstance(value.get(key), list):
                return tables_of(value[key], options)
    if not isinstance(value, list) or not value:
        raise UsageError(f"{options.name} holds no rows", hint="a list of rows, or of lists of ratings")
    if all(isinstance(row, list) for row in value):
        return _matrix(value, options, ())
    rows = [row for row in value if isinstance(row, dict)]
    if len(rows) < len(value):
        raise UsageError(f"{options.name}: {len(value) - len(rows)} rows are no objects")
    if options.layout in MATRIX:
        return _matrix_of_rows(rows, options)
    if options.layout == "auto" and is_tasks(value) and any(row.get("annotations") for row in rows):
        return _made(ratings_of_tasks(rows), options, ())
    return _of_rows(rows, options)


def _matrix(rows: Sequence[Sequence[Json]], options: TableOptions, labels: Sequence[str]) -> Tables:
    if options.layout not in MATRIX:
        raise UsageError(
            f"{options.name} is a bare table: its layout can't be told",
            hint=f"--layout is one of {', '.join(MATRIX)}",
        )
    shape: Shape = options.layout
    name = options.rubrics[0] if options.rubrics else options.rubric.name if options.rubric else "ratings"
    known = options.known(name)
    return Tables(tables=(ratings_of_matrix(rows, shape=shape, name=name, levels=known, labels=labels),))


def _matrix_of_rows(rows: list[dict[str, Json]], options: TableOptions) -> Tables:
    """A CSV file with a bare table: a first column that names the rows is left out; a header of numbers is data."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    unit = _column(names, options, "unit")
    kept = [name for name in names if name != unit and name not in ("column_1", "")]
    if options.layout == "raters-by-units" and (rater := _column(names, options, "rater")):
        kept = [name for name in kept if name != rater]
    cells = [[row.get(name) for name in kept] for row in rows]
    if options.layout in ("counts", "contingency"):
        cells = [[0 if cell is None else cell for cell in row] for row in cells]
    return _matrix(cells, options, kept)


def _column(names: Sequence[str], options: TableOptions, what: str) -> str | None:
    named = options.columns.get(what)
    if named is not None:
        if named not in names:
            raise UsageError(f"{options.name} has no column `{named}`", hint=f"there are: {', '.join(names)}")
        return named
    lower = {name.lower(): name for name in reversed(names)}
    return next((lower[name] for name in COLUMNS[what] if name in lower), None)


def _of_rows(rows: list[dict[str, Json]], options: TableOptions) -> Tables:
    unknown = set(options.columns) - set(COLUMNS)
    if unknown:
        raise UsageError(f"`{min(unknown)}` is nothing a table holds", hint=f"there are: {', '.join(COLUMNS)}")
    names = list(dict.fromkeys(name for row in rows for name in row))
    layout = _told_layout(rows, names, options) if options.layout == "auto" else options.layout
    read = {"nested": _nested, "long": _long, "wide": _wide}[layout]
    found, notes = read(rows, names, options)
    return _made(found, options, notes)


def _told_layout(rows: list[dict[str, Json]], names: Sequence[str], options: TableOptions) -> str:
    nested = _column(names, options, "ratings")
    if nested is not None and any(isinstance(row.get(nested), dict | list) for row in rows):
        return "nested"
    if options.raters:
        return "wide"
    return "long" if _column(names, options, "rater") else "wide"


def _made(found: Mapping[str, list[Rating]], options: TableOptions, notes: Sequence[str]) -> Tables:
    wanted = {name: rows for name, rows in found.items() if not options.rubrics or name in options.rubrics}
    if not wanted:
        hint = f"there are: {', '.join(found) or 'none'}"
        raise UsageError(f"{options.name} has no ratings" + (" of that name" if options.rubrics else ""), hint=hint)
    tables = tuple(ratings_of(rows, name=name, levels=options.known(name)) for name, rows in wanted.items())
    return Tables(tables=tables, notes=tuple(notes))


_Read = tuple[dict[str, list[Rating]], list[str]]


def _units(rows: Sequence[Mapping[str, Json]], column: str | None) -> list[str]:
    """A name for each row; rows of the same name are told apart by their number."""
    seen: set[str] = set()
    names: list[str] = []
    for number, row in enumerate(rows, start=1):
        name = str(row[column]) if column and row.get(column) is not None else str(number)
        names.append(name if name not in seen else f"{name} #{number}")
        seen.add(name)
    return names


def _nested(rows: list[dict[str, Json]], names: Sequence[str], options: TableOptions) -> _Read:
    """A row a unit, its ratings in one column: by rater, by dimension and rater, or a list of them."""
    column = _column(names, options, "ratings")
    if column is None:
        raise UsageError(f"{options.name} has no column with nested ratings", hint="name it: --column ratings=NAME")
    found: dict[str, list[Rating]] = {}
    for unit, row in zip(_units(rows, _column(names, options, "unit")), rows, strict=True):
        for dimension, rater, level, at in _of_cell(row.get(column), column, options):
            found.setdefault(dimension, []).append(Rating(unit, rater, level, at))
    return found, []


def _of_cell(cell: Json, column: str, options: TableOptions) -> Iterator[tuple[str, str, Json, float]]:
    if isinstance(cell, dict):
        for key, value in cell.items():
            if isinstance(value, dict):
                yield from ((key, rater, level, UNKNOWN) for rater, level in value.items())
            else:
                yield column, key, value, UNKNOWN
    elif isinstance(cell, list):
        for number, entry in enumerate(cell, start=1):
            if not isinstance(entry, dict):
                yield column, f"rater {number}", entry, UNKNOWN
                continue
            keys = list(entry)
            rater = _column_or_none(keys, options, "rater")
            label = _column_or_none(keys, options, "label")
            if rater is None or label is None:
                raise UsageError(f"a rating in `{column}` needs a rater and a label; it has {', '.join(keys)}")
            rubric = _column_or_none(keys, options, "rubric")
            when = _column_or_none(keys, options, "at")
            dimension = str(entry[rubric]) if rubric else column
            yield dimension, str(entry[rater]), entry[label], seconds(entry.get(when) if when else None)


def _column_or_none(keys: Sequence[str], options: TableOptions, what: str) -> str | None:
    named = options.columns.get(what)
    return named if named in keys else next((key for key in COLUMNS[what] if key in keys), None)


def _long(rows: list[dict[str, Json]], names: Sequence[str], options: TableOptions) -> _Read:
    """A row a rating."""
    rater, unit = _column(names, options, "rater"), _column(names, options, "unit")
    if rater is None or unit is None:
        what = "rater" if rater is None else "unit"
        hint = f"name it: --column {what}=NAME; there are: {', '.join(names)}"
        raise UsageError(f"{options.name} has no column for the {what}", hint=hint)
    when = _column(names, options, "at")
    label = None if options.rubrics and not options.columns.get("label") else _column(names, options, "label")
    rubric = _column(names, options, "rubric")
    columns = [name for name in options.rubrics if name in names] if label is None or not rubric else []
    if label is None and not columns:
        raise UsageError(f"{options.name} has no column with ratings", hint="name it: --column label=NAME, or --rubric")
    found: dict[str, list[Rating]] = {}
    for row in rows:
        if row.get(rater) is None or row.get(unit) is None:
            continue
        at = seconds(row.get(when) if when else None)
        for dimension, level in _levels(row, label, rubric, columns):
            found.setdefault(dimension, []).append(Rating(str(row[unit]), str(row[rater]), level, at))
    return found, []


def _levels(
    row: Mapping[str, Json], label: str | None, rubric: str | None, columns: Sequence[str]
) -> Iterator[tuple[str, Json]]:
    if columns:
        yield from ((name, row.get(name)) for name in columns)
    elif label is not None:
        yield (str(row[rubric]) if rubric and row.get(rubric) is not None else label), row.get(label)


def _wide(rows: list[dict[str, Json]], names: Sequence[str], options: TableOptions) -> _Read:
    """A row a unit, a column a rater."""
    unit = _column(names, options, "unit")
    raters = _rater_columns(rows, [name for name in names if name != unit], options)
    name = options.rubrics[0] if options.rubrics else options.rubric.name if options.rubric else "ratings"
    found = [
        Rating(where, rater, row.get(rater))
        for where, row in zip(_units(rows, unit), rows, strict=True)
        for rater in raters
    ]
    shown = ", ".join(raters[:8]) + (" …" if len(raters) > 8 else "")
    return {name: found}, [] if options.raters else [f"taken as raters: {shown}"]


def _rater_columns(rows: list[dict[str, Json]], names: list[str], options: TableOptions) -> list[str]:
    missing = [name for name in options.raters if name not in names]
    if missing:
        raise UsageError(f"{options.name} has no column `{missing[0]}`", hint=f"there are: {', '.join(names)}")
    if options.raters:
        return list(options.raters)
    named = [name for name in names if _RATER.match(name)]
    if len(named) >= 2:
        return named
    few = [name for name in names if name.lower() not in _TEXTS and _few(rows, name)]
    likely = _numbered(few) or _alike(rows, few)
    if len(likely) < 2:
        hint = "--raters A,B,C for a column each; --column rater=NAME for a row each"
        raise UsageError(f"{options.name}: it can't be told which columns are raters: {', '.join(names)}", hint=hint)
    return likely


def _numbered(names: Sequence[str]) -> list[str]:
    """The largest group of columns that differ only in a number at their end; empty when there is none."""
    groups: dict[str, list[str]] = {}
    for name in names:
        stem = name.rstrip("0123456789")
        if stem != name:
            groups.setdefault(stem, []).append(name)
    largest = max(groups.values(), key=len, default=[])
    return largest if len(largest) >= 2 else []


def _alike(rows: list[dict[str, Json]], names: Sequence[str]) -> list[str]:
    """The largest group of columns with the same kind of values: each shares half of the smaller column's values."""
    values = {name: {level_text(row.get(name)) for row in rows} - {None} for name in names}

    def like(one: str, other: str) -> bool:
        return 2 * len(values[one] & values[other]) >= max(1, min(len(values[one]), len(values[other])))

    groups = [[other for other in names if like(name, other)] for name in names]
    return max(groups, key=len, default=[])


def _few(rows: list[dict[str, Json]], name: str) -> bool:
    values = {json.dumps(row.get(name)) for row in rows if row.get(name) is not None}
    plain = all(not isinstance(row.get(name), dict | list) for row in rows)
    return plain and 0 < len(values) <= MAX_LEVELS and (len(rows) < 10 or len(values) <= len(rows) / 2)


def uploaded_tables(data: bytes, suffix: str, options: TableOptions) -> Tables:
    """Ratings of a file that was sent.

    Args:
        data: Its bytes.
        suffix: Its format: `csv`, `json`, `jsonl` or `parquet`.
        options: How to read it.

    Raises:
        ConfigError: It can't be read.
        UsageError: Its layout can't be told, or it does not hold what it should.
    """
    with tempfile.TemporaryDirectory(prefix="evalwright-ratings-") as folder:
        path = Path(folder) / f"ratings.{suffix}"
        path.write_bytes(data)
        return read_tables(path, options)

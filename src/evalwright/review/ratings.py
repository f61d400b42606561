"""Ratings of units by raters on one dimension: brought together from labels, matrices, counts or a cross table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from evalwright.core.errors import UsageError
from evalwright.stats.raters import RatingCounts, Scale

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Shape = Literal["units-by-raters", "raters-by-units", "counts", "contingency"]

MAX_LEVELS = 200
MAX_RATERS = 500
MAX_COUNT = 1_000_000
SCALES: tuple[Scale, ...] = ("nominal", "ordinal", "interval", "ratio")
MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "-"})
"""Words of a table that stand for "not rated", beside empty cells."""


class Rating(NamedTuple):
    """One rating: which unit, by whom, which level, and when (seconds since the epoch, NaN when unknown)."""

    unit: str
    rater: str
    level: Any
    at: float = float("nan")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratings:
    """A table of ratings.

    Attributes:
        name: The dimension: name of a rubric.
        scale: What the order of the levels means.
        levels: The levels as text, worst first.
        values: Their values.
        units: The units.
        raters: The raters; empty when only counts are known.
        codes: Array (units, raters): which level, -1 where not rated; None when only counts are known.
        counts: Array (units, levels): how many raters gave each level.
        at: When a unit was last rated, NaN when unknown.
        notes: What a reader should know of the table.
    """

    name: str
    scale: Scale
    levels: tuple[str, ...]
    values: FloatArray
    units: tuple[str, ...]
    raters: tuple[str, ...]
    codes: IntArray | None
    counts: FloatArray
    at: FloatArray
    notes: tuple[str, ...] = field(default=())

    @property
    def ordered(self) -> bool:
        """Whether the order of the levels means something."""
        return self.scale != "nominal"

    def rating_counts(self) -> RatingCounts:
        """The counts as the statistics take them."""
        return RatingCounts(counts=self.counts, values=self.values, labels=self.levels)

    def part(self, rows: IntArray) -> Ratings:
        """The same table with some of its units."""
        codes = None if self.codes is None else self.codes[rows]
        units = tuple(self.units[int(row)] for row in rows)
        return replace(self, codes=codes, counts=self.counts[rows], units=units, at=self.at[rows])


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """What is known of a scale before the ratings are read.

    Attributes:
        scale: What the order means.
        names: The levels, worst first; empty when they are to be told from the ratings.
        values: Their values; empty for 0, 1, 2 …
    """

    scale: Scale = "nominal"
    names: tuple[str, ...] = ()
    values: tuple[float, ...] = ()


def ratings_of(rows: Iterable[Rating], *, name: str, levels: Levels) -> Ratings:
    """Ratings from a list of them; of several by one rater of one unit the last counts.

    Raises:
        UsageError: A rating is no level of the scale, there is not one, or there are too many levels or raters.
    """
    units: dict[str, int] = {}
    raters: dict[str, int] = {}
    cells: dict[tuple[int, int], tuple[str, float]] = {}
    again = 0
    for row in rows:
        level = level_text(row.level)
        if level is None:
            continue
        key = (units.setdefault(row.unit, len(units)), raters.setdefault(row.rater, len(raters)))
        again += key in cells
        cells[key] = (level, row.at)
    if not cells:
        raise UsageError(f"there is not one rating of `{name}`")
    if len(raters) > MAX_RATERS:
        raise UsageError(f"`{name}` has {len(raters):,} raters; at most {MAX_RATERS} can be compared")
    known = known_levels((level for level, _ in cells.values()), name, levels)
    notes = (f"{again} units were rated again by the same rater; the last rating counts",) if again else ()
    return _filled(name, known, (tuple(units), tuple(raters)), cells, notes)


def _filled(
    name: str,
    known: Levels,
    axes: tuple[tuple[str, ...], tuple[str, ...]],
    cells: Mapping[tuple[int, int], tuple[str, float]],
    notes: tuple[str, ...],
) -> Ratings:
    index = {level: code for code, level in enumerate(known.names)}
    where = np.array(list(cells), dtype=np.int64).reshape(-1, 2)
    codes = np.full((len(axes[0]), len(axes[1])), -1, dtype=np.int64)
    codes[where[:, 0], where[:, 1]] = [index[level] for level, _ in cells.values()]
    at = np.full(len(axes[0]), np.nan)
    times = np.array([time for _, time in cells.values()], dtype=np.float64)
    np.fmax.at(at, where[:, 0], times)
    return _table(name, known, axes, codes, at, notes)


def _table(
    name: str,
    known: Levels,
    axes: tuple[tuple[str, ...], tuple[str, ...]],
    codes: IntArray,
    at: FloatArray,
    notes: tuple[str, ...],
) -> Ratings:
    counts = np.stack([(codes == code).sum(axis=1) for code in range(len(known.names))], axis=1).astype(np.float64)
    return Ratings(
        name=name,
        scale=known.scale,
        levels=known.names,
        values=np.array(known.values, dtype=np.float64),
        units=axes[0],
        raters=axes[1],
        codes=codes,
        counts=counts,
        at=at,
        notes=notes,
    )


def level_text(value: Any) -> str | None:
    """A rating as the name of a level; None where it stands for "not rated".

    Example:
        >>> level_text(4.0), level_text("4"), level_text(True), level_text("n/a"), level_text(float("nan"))
        ('4', '4', 'true', None, None)
    """
    if value is None or (isinstance(value, float) and value != value):  # noqa: PLR0124  NaN
        return None
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, int | float | np.number):
        return _number_text(float(value))
    if not isinstance(value, str):
        raise UsageError(f"a rating must be a text or a number, not {value!r:.80}")
    text = value.strip()
    if text.casefold() in MISSING:
        return None
    number = _number(text)
    return text if number is None else _number_text(number)


def _number_text(value: float) -> str:
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def _number(text: str) -> float | None:
    try:
        found = float(text)
    except ValueError:
        return None
    return found if np.isfinite(found) else None


def known_levels(given: Iterable[str], name: str, levels: Levels) -> Levels:
    """The scale with all its levels: those it was given, else those that occur, numbers in order and words sorted.

    Raises:
        UsageError: A rating is none of the levels; an ordered scale of words has no order; there are too many levels.
    """
    seen = dict.fromkeys(given)
    if levels.names:
        levels = replace(levels, names=tuple(level_text(level) or level for level in levels.names))
        if len(set(levels.names)) < len(levels.names):
            raise UsageError(f"the levels of `{name}` are named twice: {', '.join(levels.names)}")
        strange = [level for level in seen if level not in levels.names]
        if strange:
            raise UsageError(
                f"`{strange[0]}` is no level of `{name}`; there are: {', '.join(levels.names)}",
                hint="name all levels, worst first",
            )
        values = levels.values or tuple(map(float, range(len(levels.names))))
        return replace(levels, values=values)
    if len(seen) > MAX_LEVELS:
        raise UsageError(f"`{name}` has {len(seen):,} different ratings; at most {MAX_LEVELS} can be levels of a scale")
    numbers = {level: _number(level) for level in seen}
    if all(number is not None for number in numbers.values()):
        ranked = sorted(seen, key=lambda level: numbers[level] or 0.0)
        return replace(levels, names=tuple(ranked), values=tuple(numbers[level] or 0.0 for level in ranked))
    if levels.scale != "nominal":
        words = ", ".join(sorted(seen)[:8])
        raise UsageError(
            f"the levels of `{name}` are words ({words}), whose order is not known",
            hint="name them worst first with --levels, or use --scale nominal",
        )
    words_sorted = tuple(sorted(seen))
    return replace(levels, names=words_sorted, values=tuple(map(float, range(len(words_sorted)))))


# --- tables without names -------------------------------------------------------------------------------------------


def ratings_of_matrix(
    matrix: Sequence[Sequence[Any]], *, shape: Shape, name: str, levels: Levels, labels: Sequence[str] = ()
) -> Ratings:
    """Ratings from a bare table of numbers or words.

    Args:
        matrix: The rows.
        shape: `units-by-raters`, `raters-by-units`, `counts` (units by levels: how many raters gave each), or
            `contingency` (two raters, levels by levels: how many units got each pair, the first rater in rows).
        name: The dimension.
        levels: The scale.
        labels: Names of the columns: raters of `units-by-raters`, levels of counts and cross tables.

    Raises:
        UsageError: Rows of different lengths, counts that are no whole numbers, a cross table that is not square.
    """
    rows = [list(row) for row in matrix]
    if not rows or len({len(row) for row in rows}) != 1 or not rows[0]:
        raise UsageError(f"`{name}` is no table: its rows have different lengths, or there are none")
    if shape in ("counts", "contingency"):
        return _of_numbers(_whole(rows, name), shape, name, levels, labels)
    if shape == "raters-by-units":
        rows = [list(column) for column in zip(*rows, strict=True)]
    raters = list(labels) if len(labels) == len(rows[0]) else [f"rater {n}" for n in range(1, len(rows[0]) + 1)]
    found = [
        Rating(str(unit), rater, value)
        for unit, row in enumerate(rows, start=1)
        for rater, value in zip(raters, row, strict=True)
    ]
    return ratings_of(found, name=name, levels=levels)


def _whole(rows: list[list[Any]], name: str) -> IntArray:
    try:
        table = np.array(rows, dtype=np.float64)
    except (TypeError, ValueError):
        raise UsageError(f"`{name}` is said to hold counts, but not all its cells are numbers") from None
    if not np.isfinite(table).all() or (table < 0).any() or (table != np.round(table)).any():
        raise UsageError(f"`{name}` is said to hold counts, but not all its cells are whole numbers of at least 0")
    if table.sum() > MAX_COUNT:
        raise UsageError(f"`{name}` counts more than {MAX_COUNT:,} ratings")
    return table.astype(np.int64)


def _of_numbers(table: IntArray, shape: Shape, name: str, levels: Levels, labels: Sequence[str]) -> Ratings:
    names = levels.names or tuple(labels) or tuple(str(n) for n in range(1, table.shape[1] + 1))
    if len(names) != table.shape[1]:
        raise UsageError(f"`{name}` has {table.shape[1]} columns, but {len(names)} levels are named")
    numbers = [_number(level) for level in names]
    numeric = tuple(n for n in numbers if n is not None)
    values = levels.values or (numeric if len(numeric) == len(names) else tuple(map(float, range(len(names)))))
    known = replace(levels, names=names, values=values)
    if shape == "contingency":
        return _of_cross_table(table, name, known)
    if table.sum() == 0:
        raise UsageError(f"there is not one rating of `{name}`")
    units = tuple(str(n) for n in range(1, len(table) + 1))
    return Ratings(
        name=name,
        scale=known.scale,
        levels=names,
        values=np.array(values, dtype=np.float64),
        units=units,
        raters=(),
        codes=None,
        counts=table.astype(np.float64),
        at=np.full(len(table), np.nan),
        notes=("only counts are known: nothing can be said of single raters",),
    )


def _of_cross_table(table: IntArray, name: str, known: Levels) -> Ratings:
    if table.shape[0] != table.shape[1] or table.sum() == 0:
        raise UsageError(f"`{name}` is said to be a cross table, but is not square or is empty: {table.shape}")
    cells = [(i, j) for i in range(len(table)) for j in range(len(table)) for _ in range(int(table[i, j]))]
    codes = np.array(cells, dtype=np.int64)
    axes = (tuple(str(n) for n in range(1, len(codes) + 1)), ("rater 1", "rater 2"))
    return _table(name, known, axes, codes, np.full(len(codes), np.nan), ())

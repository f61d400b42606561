"""Looking for slices that are worse than the rest, with an honest account of how many were looked at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, pairwise

import msgspec
import numpy as np

from evalwright.analysis.crossing import SIGN, SliceCases
from evalwright.analysis.figures import value_text
from evalwright.analysis.frame import CaseFrame, FloatArray, IntArray
from evalwright.core.case import Case, Json
from evalwright.core.estimate import Estimate
from evalwright.core.slice_search import SliceFinding
from evalwright.stats import (
    Interval,
    adjust_p,
    difference_test,
    estimate_mean,
    newcombe_unpaired,
    pooled_score_test,
    welch_difference,
)

MAX_VALUES = 40
"""A field with more different values is no slice."""

MAX_SLICES = 3_000
"""At most so many slices are tested, the largest ones."""

LENGTH_PARTS = 4


def field_slices(cases: Iterable[tuple[int, Case]]) -> dict[str, dict[str, IntArray]]:
    """Slices made from what cases happen to carry: metadata, parts of the input, tags, the input's length.

    Fields with fewer than 2 or more than `MAX_VALUES` different values make none.

    Args:
        cases: Index and case.
    """
    found: dict[str, dict[str, list[int]] | None] = {}
    lengths: list[tuple[int, int]] = []
    for index, case in cases:
        lengths.append((index, _length(case.input)))
        for name, value in _fields(case):
            _note(found, name, value, index)
    kept = {name: by for name, by in found.items() if by is not None and len(by) >= 2}
    slices = {name: {v: np.asarray(rows, dtype=np.int64) for v, rows in by.items()} for name, by in kept.items()}
    return {**slices, **_by_length(lengths)}


def _fields(case: Case) -> Iterator[tuple[str, Json]]:
    for prefix, values in (("metadata", case.metadata), ("input", case.input)):
        if isinstance(values, Mapping):
            for key, value in values.items():
                yield from ((f"{prefix}.{key}", item) for item in (value if isinstance(value, list) else [value]))
    yield from (("tag", tag) for tag in case.tags)


def _note(found: dict[str, dict[str, list[int]] | None], name: str, value: Json, index: int) -> None:
    if value is None or isinstance(value, (dict, list)) or (isinstance(value, str) and len(value) > 60):
        return
    by = found.setdefault(name, {})
    if by is None:
        return
    rows = by.setdefault(value_text(value), [])
    if not rows or rows[-1] != index:
        rows.append(index)
    if len(by) > MAX_VALUES:
        found[name] = None


def _length(value: Json) -> int:
    return len(value) if isinstance(value, str) else len(msgspec.json.encode(value))


def _by_length(lengths: Sequence[tuple[int, int]]) -> dict[str, dict[str, IntArray]]:
    """Quarters of the cases by the length of their input."""
    if len(lengths) < LENGTH_PARTS * 5:
        return {}
    index, size = np.array(lengths, dtype=np.int64).T
    edges = np.unique(np.quantile(size, np.linspace(0, 1, LENGTH_PARTS + 1)[1:-1]))
    part = np.searchsorted(edges, size, side="left")
    if len(np.unique(part)) < 2:
        return {}
    bounds = [0, *(int(edge) for edge in edges), None]
    names = [_range(low, high) for low, high in pairwise(bounds)]
    return {"input length": {name: index[part == place] for place, name in enumerate(names) if (part == place).any()}}


def _range(low: int | None, high: int | None) -> str:
    if high is None:
        return f"over {low:,} characters"
    return f"up to {high:,} characters" if not low else f"{low + 1:,} to {high:,} characters"


def candidates(frame: CaseFrame, *, depth: int, min_n: int) -> tuple[list[SliceCases], int]:
    """The slices to test, and how many were too small.

    Slices with the same cases as an earlier one, or with all cases, are left out.

    Args:
        frame: Slices by name and value.
        depth: 1 for single slices, 2 for pairs of them too.
        min_n: Fewest cases inside and outside.
    """
    singles = [
        SliceCases(dimension=name, label=f"{name}={value}", members=members)
        for name, by in frame.slices.items()
        for value, members in by.items()
    ]
    pairs = _pairs(singles) if depth > 1 else iter(())
    seen: set[bytes] = set()
    kept: list[SliceCases] = []
    small = 0
    for place in (*singles, *pairs):
        key = place.members.tobytes()
        if len(place.members) < min_n:
            small += 1
        elif len(place.members) <= frame.size - min_n and key not in seen:
            seen.add(key)
            kept.append(place)
    return sorted(kept, key=lambda place: -len(place.members))[:MAX_SLICES], small


def _pairs(singles: Sequence[SliceCases]) -> Iterator[SliceCases]:
    for one, other in combinations(singles, 2):
        if one.dimension != other.dimension:
            members = np.intersect1d(one.members, other.members, assume_unique=True)
            if len(members) and len(members) < min(len(one.members), len(other.members)):
                yield SliceCases(
                    dimension=f"{one.dimension} {SIGN} {other.dimension}",
                    label=f"{one.label} {SIGN} {other.label}",
                    members=members,
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchValues:
    """One number per case, to be searched for slices in which it is low.

    Attributes:
        metric: Name of the metric.
        case: Case index of each value, ascending.
        value: The numbers.
        clusters: Cluster code of each, None for independent cases.
        verdicts: Whether all are 0 or 1.
        sign: 1 where high is good, -1 where low is.
        level: Confidence level.
    """

    metric: str
    case: IntArray
    value: FloatArray
    clusters: IntArray | None = None
    verdicts: bool = False
    sign: float = 1.0
    level: float = 0.95
    size: int = field(default=0)


def search(values: SearchValues, places: Sequence[SliceCases], *, min_n: int) -> tuple[list[SliceFinding], int, int]:
    """Every slice against the rest, worst first.

    Returns:
        The findings, how many were tested, and how many repeat a worse parent and were left out.
    """
    tested = [found for place in places if (found := _against_rest(values, place, min_n)) is not None]
    holm = adjust_p([one.p for one in tested], "holm").tolist()
    bh = adjust_p([one.p for one in tested], "benjamini_hochberg").tolist()
    shrunk = _shrunk(tested)
    rows = [
        msgspec.structs.replace(one, p_adjusted=p, q=q, shrunk=s)
        for one, p, q, s in zip(tested, holm, bh, shrunk, strict=True)
    ]
    rows.sort(key=lambda row: (row.p_adjusted >= 0.05, row.q >= 0.05, values.sign * row.shrunk))
    kept = _without_repeats(rows, values)
    return kept, len(tested), len(rows) - len(kept)


def _against_rest(values: SearchValues, place: SliceCases, min_n: int) -> SliceFinding | None:
    inside = np.zeros(values.size, dtype=np.bool_)
    inside[place.members] = True
    chosen = inside[values.case]
    one, rest = values.value[chosen], values.value[~chosen]
    if len(one) < min_n or len(rest) < min_n:
        return None
    if values.verdicts and values.clusters is None:
        cells = (int(one.sum()), len(one)), (int(rest.sum()), len(rest))
        gap = newcombe_unpaired(*cells, level=values.level)
        p = pooled_score_test(*cells).p_value
    else:
        codes = (None, None) if values.clusters is None else (values.clusters[chosen], values.clusters[~chosen])
        gap = welch_difference(one, rest, first_clusters=codes[0], second_clusters=codes[1], level=values.level)
        p = difference_test(gap).p_value
    return _finding(values, place, one, (float(rest.mean()), gap, p))


def _finding(
    values: SearchValues, place: SliceCases, one: FloatArray, found: tuple[float, Interval, float]
) -> SliceFinding:
    rest, gap, p = found
    difference = gap.value or 0.0
    own = estimate_mean(one, kind="proportion" if values.verdicts else "mean", level=values.level)
    estimate = Estimate(
        metric=values.metric,
        value=own.value,
        low=own.low,
        high=own.high,
        level=values.level,
        method=own.method,
        n=len(one),
        slice=place.label,
        se=gap.se,
    )
    lost = max(0.0, -values.sign * difference * len(one)) if values.verdicts else None
    return SliceFinding(
        label=place.label, n=len(one), value=estimate, rest=rest, gap=difference, low=gap.low, high=gap.high, p=p,
        lost=lost,
    )  # fmt: skip


def _shrunk(found: Sequence[SliceFinding]) -> list[float]:
    """Gaps times τ²/(τ² + se²), τ² the spread of the gaps beyond their noise (method of moments).

    Source: Efron & Morris 1975, JASA 70:311.
    """
    gaps = np.array([one.gap for one in found])
    noise = np.array([(one.value.se or 0.0) ** 2 for one in found])
    if len(gaps) < 3:
        return [float(gap) for gap in gaps]
    spread = max(float(np.mean(gaps**2 - noise)), 0.0)
    total = spread + noise
    return [float(gap) for gap in np.where(total > 0, gaps * spread / np.where(total > 0, total, 1.0), gaps)]


def _without_repeats(rows: Sequence[SliceFinding], values: SearchValues) -> list[SliceFinding]:
    """Drop combinations that are no worse than a parent that is clearly worse already."""
    clear = {row.label: row for row in rows if row.p_adjusted < 0.05 and values.sign * row.gap < 0}
    return [row for row in rows if not _repeats(row, clear, values.sign)]


def _repeats(row: SliceFinding, clear: Mapping[str, SliceFinding], sign: float) -> bool:
    parents = row.label.split(f" {SIGN} ")
    if len(parents) < 2:
        return False
    worst_end = row.value.high if sign > 0 else row.value.low
    for parent in parents:
        known = clear.get(parent)
        if known is None or known.value.value is None or worst_end is None:
            continue
        if sign * worst_end >= sign * known.value.value:
            return True
    return False

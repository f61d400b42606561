"""Verdicts against labels: agreement, kappa, sensitivity, specificity, and the biases the data allow to measure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import re2

from evalwright.core.case import Case
from evalwright.core.estimate import ALL, Estimate
from evalwright.core.output import Output
from evalwright.stats import Interval, cohen_kappa, compare_raters, estimate_mean, rating_table, welch_difference
from evalwright.stats.unpaired import difference_test
from evalwright.store.cards import Bias, Confusion, LabelledVerdict

MAX_LEVELS = 20
"""With more distinct labels there is no table of confusion."""

MIN_GROUP = 5
"""Groups smaller than this are not compared."""

_MARKUP = re2.compile(r"(?m)^\s{0,3}(?:#{1,6}\s|[-*+]\s|\d+[.)]\s|```|\|)|\*\*[^*]+\*\*")
_FAMILY = re2.compile(r"^[a-z]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One labelled case with the scorer's verdict, and what biases are looked for by.

    Attributes:
        entry: Id, label and verdict.
        case: The case, where it is known.
        output: The judged answer, where it is known.
        cluster: Key of cases that are not independent.
        groups: Values it is grouped by: `locale` to `de`.
        model: Which system gave the answer.
        confidence: The scorer's own confidence, 0 to 1.
        places: Of a pairwise judge: the places it named in both orders.
    """

    entry: LabelledVerdict
    case: Case | None = None
    output: Output | None = None
    cluster: str | None = None
    groups: Mapping[str, str] = field(default_factory=dict)
    model: str | None = None
    confidence: float | None = None
    places: tuple[str, str] | None = None


def figure(
    name: str, interval: Interval, *, slice: str = ALL, higher_is_better: bool | None = True, note: str = ""
) -> Estimate:
    """An interval of the statistics package as an estimate."""
    return Estimate(
        metric=name,
        value=interval.value,
        low=interval.low,
        high=interval.high,
        level=interval.level,
        method=interval.method,
        n=interval.n,
        trials=interval.trials or interval.n,
        clusters=interval.clusters,
        se=interval.se,
        slice=slice,
        higher_is_better=higher_is_better,
        note=note or ", ".join(interval.notes),
    )


def figures(rows: Sequence[Measured], names: Sequence[str], *, ordered: bool, level: float = 0.95) -> list[Estimate]:
    """All figures, over all cases and for each value of their groups.

    Args:
        rows: Labelled cases; those without a verdict are left out.
        names: Levels from worst to best; empty when there are none.
        ordered: Whether their order means something.
        level: Confidence level.
    """
    judged = [row for row in rows if row.entry.verdict is not None]
    found = list(_figures(judged, names, ordered=ordered, slice=ALL, level=level))
    for key in sorted({key for row in judged for key in row.groups}):
        for value in sorted({row.groups[key] for row in judged if key in row.groups}):
            part = [row for row in judged if row.groups.get(key) == value]
            found.extend(_figures(part, names, ordered=ordered, slice=f"{key}={value}", level=level))
    return found


def _figures(
    rows: Sequence[Measured], names: Sequence[str], *, ordered: bool, slice: str, level: float
) -> Iterator[Estimate]:
    if not rows:
        return
    same = [float(row.entry.verdict == row.entry.label) for row in rows]
    yield figure("agreement", _share(same, rows, level), slice=slice)
    yield from _kappas(rows, names, ordered=ordered, slice=slice, level=level)
    binary = [row for row in rows if row.entry.truth is not None and row.entry.said is not None]
    yield from _rates(binary, slice=slice, level=level)


def _share(values: Sequence[float], rows: Sequence[Measured], level: float) -> Interval:
    clusters = None if all(row.cluster is None for row in rows) else [row.cluster or row.entry.id for row in rows]
    return estimate_mean(values, kind="proportion", clusters=clusters, level=level)


def _kappas(
    rows: Sequence[Measured], names: Sequence[str], *, ordered: bool, slice: str, level: float
) -> Iterator[Estimate]:
    levels = list(names) or sorted({x for row in rows for x in (row.entry.label, row.entry.verdict) if x})
    if not 2 <= len(levels) <= MAX_LEVELS:
        return
    inside = [row for row in rows if row.entry.label in levels and row.entry.verdict in levels]
    if not inside:
        return
    table = rating_table([r.entry.label for r in inside], [r.entry.verdict for r in inside], labels=levels)
    both = compare_raters(table, labels=levels, level=level)
    yield figure("kappa", both.kappa, slice=slice)
    if ordered and len(levels) > 2:
        yield figure("kappa_quadratic", cohen_kappa(table, weighting="quadratic", level=level), slice=slice)
    if both.ac1 is not None:
        yield Estimate(metric="ac1", value=both.ac1, n=both.n, method="gwet_ac1", level=level, slice=slice)


def _rates(rows: Sequence[Measured], *, slice: str, level: float) -> Iterator[Estimate]:
    """Of row verdicts: what share of each kind the scorer got right, and how far its flags can be believed."""
    wanted: tuple[tuple[str, Callable[[Any], bool], Callable[[Any], bool]], ...] = (
        ("sensitivity", lambda e: e.truth, lambda e: e.said),
        ("specificity", lambda e: not e.truth, lambda e: not e.said),
        ("flag_precision", lambda e: not e.said, lambda e: not e.truth),
        ("pass_precision", lambda e: e.said, lambda e: e.truth),
    )
    for name, among, right in wanted:
        chosen = [row for row in rows if among(row.entry)]
        if chosen:
            values = [float(right(row.entry)) for row in chosen]
            yield figure(name, _share(values, chosen, level), slice=slice)
    if rows:
        people = [float(bool(row.entry.truth)) for row in rows]
        judge = [float(bool(row.entry.said)) for row in rows]
        yield figure("pass_rate_people", _share(people, rows, level), slice=slice, higher_is_better=None)
        yield figure("pass_rate_scorer", _share(judge, rows, level), slice=slice, higher_is_better=None)


def confusion(rows: Sequence[Measured], names: Sequence[str]) -> Confusion | None:
    """Labels against verdicts; None with fewer than 2 or very many levels."""
    judged = [row.entry for row in rows if row.entry.verdict is not None]
    levels = list(names) or sorted({x for e in judged for x in (e.label, e.verdict or "")})
    if not 2 <= len(levels) <= MAX_LEVELS:
        return None
    count = Counter((entry.label, entry.verdict) for entry in judged)
    return Confusion(names=tuple(levels), counts=tuple(tuple(count[true, said] for said in levels) for true in levels))


# --- systematic errors ----------------------------------------------------------------------------------------------


def biases(rows: Sequence[Measured], *, judge_model: str | None = None, level: float = 0.95) -> list[Bias]:
    """What can be measured from labels and verdicts alone.

    Each compares verdict minus label between two groups of answers, so that a group that really is better is no
    bias: the difference is what the scorer adds of its own.
    """
    found = [_length(rows, level), _format(rows, level), _own(rows, judge_model, level)]
    return [bias for bias in found if bias is not None]


def _gap(
    name: str,
    question: str,
    groups: tuple[Sequence[Measured], Sequence[Measured]],
    level: float,
    detail: dict[str, Any],
) -> Bias | None:
    errors = [[float(bool(r.entry.said)) - float(bool(r.entry.truth)) for r in group] for group in groups]
    if min(map(len, errors)) < MIN_GROUP:
        return None
    gap = welch_difference(errors[0], errors[1], level=level)
    test = None if gap.se in (None, 0.0) else difference_test(gap).p_value
    sizes = {"n_first": len(errors[0]), "n_second": len(errors[1])}
    return Bias(
        name=name,
        question=question,
        estimate=figure(name, gap, higher_is_better=None),
        p_value=None if test is None or math.isnan(test) else test,
        detail={**sizes, **detail},
    )


def _binary(rows: Sequence[Measured]) -> list[Measured]:
    return [r for r in rows if r.entry.truth is not None and r.entry.said is not None]


def _length(rows: Sequence[Measured], level: float) -> Bias | None:
    usable = [(len(row.output.text), row) for row in _binary(rows) if row.output is not None]
    if len({length for length, _ in usable}) < 2:
        return None
    usable.sort(key=lambda pair: pair[0])
    middle = usable[len(usable) // 2][0]
    long, short = [r for n, r in usable if n >= middle], [r for n, r in usable if n < middle]
    question = "verdict minus label, longer half of the answers minus the shorter half"
    return _gap("length", question, (long, short), level, {"median_characters": middle})


def _format(rows: Sequence[Measured], level: float) -> Bias | None:
    usable = [row for row in _binary(rows) if row.output is not None]
    marked = [row for row in usable if row.output is not None and _MARKUP.search(row.output.text)]
    plain = [row for row in usable if row.output is not None and not _MARKUP.search(row.output.text)]
    return _gap("format", "verdict minus label, answers with lists, headings or bold minus plain ones", (marked, plain), level, {})  # fmt: skip  # noqa: E501


def family(model: str) -> str:
    """The family of a model's name: `openai/gpt-4o-mini` is `gpt`.

    Example:
        >>> family("openai/gpt-4o-mini"), family("Claude-3-haiku")
        ('gpt', 'claude')
    """
    bare = model.rpartition("/")[2].casefold()
    found = _FAMILY.search(bare)
    return str(found.group(0)) if found else bare


def _own(rows: Sequence[Measured], judge_model: str | None, level: float) -> Bias | None:
    if judge_model is None:
        return None
    usable = [row for row in _binary(rows) if row.model]
    own = [row for row in usable if family(row.model or "") == family(judge_model)]
    other = [row for row in usable if family(row.model or "") != family(judge_model)]
    question = f"verdict minus label, answers of the judge's own family ({family(judge_model)}) minus the others"
    return _gap("self_preference", question, (own, other), level, {})

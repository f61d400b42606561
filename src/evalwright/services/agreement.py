"""Verdicts against labels: agreement, kappa, sensitivity, specificity, and the biases the data allow to measure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import Any

import re2

from evalwright.core.case import Case
from evalwright.core.estimate import ALL, Estimate
from evalwright.core.output import Output
from evalwright.stats import (
    Interval,
    brier_terms,
    cohen_kappa,
    compare_raters,
    estimate_mean,
    rating_table,
    roc_auc,
)
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

    Length, format and self-preference compare the share of passing verdicts between two groups of answers *with the
    same label*, so that neither a group that really is better nor a judge that is lenient to all bad answers counts
    as a bias.
    """
    found = [_length(rows, level), _format(rows, level), _own(rows, judge_model, level), _confidence(rows, level)]
    return [bias for bias in found if bias is not None]


def _gap(
    name: str,
    question: str,
    groups: tuple[Sequence[Measured], Sequence[Measured]],
    level: float,
    detail: dict[str, Any],
) -> Bias | None:
    strata = [
        [[float(bool(row.entry.said)) for row in group if row.entry.truth is truth] for group in groups]
        for truth in (True, False)
    ]
    usable = [(first, second) for first, second in strata if first and second]
    if min(map(len, groups)) < MIN_GROUP or not usable:
        return None
    gap, p = stratified_gap(usable, level=level)
    sizes = {"n_first": len(groups[0]), "n_second": len(groups[1])}
    estimate = figure(name, gap, higher_is_better=None)
    return Bias(name=name, question=question, estimate=estimate, p_value=p, detail={**sizes, **detail})


def stratified_gap(
    strata: Sequence[tuple[Sequence[float], Sequence[float]]], *, level: float = 0.95
) -> tuple[Interval, float]:
    """Difference of two shares within strata, Σ w·(p₁ - p₂)/Σ w with w = n₁n₂/(n₁ + n₂), and its p-value.

    Variances come from shares with one success and one failure added, so that a stratum without variation does not
    count as certain.

    Args:
        strata: Per stratum the 0/1 values of both groups, none of them empty.
        level: Confidence level.

    Source: Mantel & Haenszel 1959 (weights); Agresti & Caffo 2000, Am. Stat. 54:280 (variance).

    Example:
        >>> gap, p = stratified_gap([([1, 1, 0, 0], [0, 0, 0, 0]), ([1, 1], [1, 1])])
        >>> round(gap.value, 3)
        0.333
    """
    total = value = variance = 0.0
    n = 0
    for first, second in strata:
        weight = len(first) * len(second) / (len(first) + len(second))
        total += weight
        value += weight * (sum(first) / len(first) - sum(second) / len(second))
        variance += weight**2 * (_smoothed(first) + _smoothed(second))
        n += len(first) + len(second)
    gap, se = value / total, math.sqrt(variance) / total
    half = NormalDist().inv_cdf(0.5 + level / 2.0) * se
    low, high = max(-1.0, gap - half), min(1.0, gap + half)
    interval = Interval(value=gap, low=low, high=high, level=level, method="stratified_difference", n=n, se=se)
    return interval, math.erfc(abs(gap) / se / math.sqrt(2.0))


def _smoothed(values: Sequence[float]) -> float:
    share = (sum(values) + 1.0) / (len(values) + 2.0)
    return share * (1.0 - share) / (len(values) + 2.0)


def _confidence(rows: Sequence[Measured], level: float) -> Bias | None:
    """Whether the scorer's own confidence tells its right verdicts from its wrong ones."""
    known = [(r.confidence, float(r.entry.verdict == r.entry.label)) for r in rows if r.entry.verdict is not None]
    pairs = [(confidence, right) for confidence, right in known if confidence is not None]
    if len({right for _, right in pairs}) < 2:
        return None
    said, right = [c for c, _ in pairs], [r for _, r in pairs]
    area = roc_auc(said, right, level=level)
    detail = {
        "mean_confidence": sum(said) / len(said),
        "accuracy": sum(right) / len(right),
        "brier": float(brier_terms(said, right).mean()),
    }
    question = "how well its own confidence tells right verdicts from wrong ones (AUC, 0.5 is not at all)"
    return Bias(name="confidence", question=question, estimate=figure("confidence", area), detail=detail)


def _binary(rows: Sequence[Measured]) -> list[Measured]:
    return [r for r in rows if r.entry.truth is not None and r.entry.said is not None]


def _length(rows: Sequence[Measured], level: float) -> Bias | None:
    usable = [(len(row.output.text), row) for row in _binary(rows) if row.output is not None]
    if len({length for length, _ in usable}) < 2:
        return None
    usable.sort(key=lambda pair: pair[0])
    middle = usable[len(usable) // 2][0]
    long, short = [r for n, r in usable if n >= middle], [r for n, r in usable if n < middle]
    question = "passing verdicts at the same label, longer half of the answers minus the shorter half"
    return _gap("length", question, (long, short), level, {"median_characters": middle})


def _format(rows: Sequence[Measured], level: float) -> Bias | None:
    usable = [row for row in _binary(rows) if row.output is not None]
    marked = [row for row in usable if row.output is not None and _MARKUP.search(row.output.text)]
    plain = [row for row in usable if row.output is not None and not _MARKUP.search(row.output.text)]
    return _gap("format", "passing verdicts at the same label, answers with lists, headings or bold minus plain ones", (marked, plain), level, {})  # fmt: skip  # noqa: E501


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
    question = f"passing verdicts at the same label, the judge's own family ({family(judge_model)}) minus the others"
    return _gap("self_preference", question, (own, other), level, {})

"""How far raters agree: every coefficient with its interval, who deviates, and which levels are confused."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import combinations, pairwise
from typing import Any

import msgspec
import numpy as np

from evalwright.core.errors import UsageError
from evalwright.core.estimate import Estimate
from evalwright.review.figures import (
    Confusions,
    Dispute,
    LevelFigures,
    PairFigures,
    Period,
    RaterFigures,
    RubricAgreement,
)
from evalwright.review.ratings import FloatArray, IntArray, Ratings
from evalwright.stats import Interval, cohen_kappa, compare_raters, corpus_replicates, estimate_mean, intraclass
from evalwright.stats.agreement import disagreement_weights
from evalwright.stats.raters import (
    Scale,
    brennan_prediger,
    fleiss_kappa,
    gwet_ac,
    krippendorff_alpha,
    rely_on,
)

SEED = 20_261_130
MAX_PAIRS = 300
"""Pairs of raters told of, those with most units in common first."""
MAX_RATERS = 60
"""Raters of whom pairs are made, those with most ratings first."""
MAX_COINCIDENCES = 40_000_000
"""Units times levels squared at most: 320 MB."""
MAX_CELLS = 12_000_000
"""Largest temporary table; above it an interval is left out and said so."""
FEW_UNITS = 10
PERIODS = 8
PERIOD_UNITS = 15
PARADOX_GAP = 0.25
PARADOX_SHARE = 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How agreement is measured.

    Attributes:
        level: Confidence level.
        resamples: Bootstrap resamples of units; 0 leaves out the intervals that need them.
        seed: Seed of the resampling.
        seconds: By rater the median time for an item, where known.
        calibration: By rater whether each known label was got right.
        share_a: In pairs, by rater, whether side A was chosen.
    """

    level: float = 0.95
    resamples: int = 1_000
    seed: int = SEED
    seconds: Mapping[str, float] = field(default_factory=dict)
    calibration: Mapping[str, list[bool]] = field(default_factory=dict)
    share_a: Mapping[str, list[bool]] = field(default_factory=dict)

    def rng(self) -> np.random.Generator | None:
        """A new generator, or None when there is no resampling."""
        return np.random.default_rng(self.seed) if self.resamples else None

    def how(self) -> dict[str, Any]:
        """Arguments of the coefficients."""
        return {"rng": self.rng(), "resamples": max(self.resamples, 1), "level": self.level}


def rubric_agreement(ratings: Ratings, plan: Plan) -> RubricAgreement:
    """All figures of one dimension.

    Raises:
        UsageError: The table is too large for the number of its levels.
    """
    if len(ratings.units) * len(ratings.levels) ** 2 > MAX_COINCIDENCES:
        raise UsageError(f"`{ratings.name}` has too many levels ({len(ratings.levels)}) for {len(ratings.units)} units")
    counts = ratings.rating_counts()
    figures = _coefficients(ratings, plan)
    weighting: Any = "quadratic" if ratings.ordered and len(ratings.levels) > 2 else "none"
    tables = _cross_tables(ratings)
    pairs = _pairs(ratings, tables, plan)
    kappa = _overall_kappa(ratings, tables, plan, "none")
    found = RubricAgreement(
        name=ratings.name,
        scale=ratings.scale,
        levels=ratings.levels,
        units=len(ratings.units),
        pairable=int((ratings.counts.sum(axis=1) >= 2).sum()),
        raters_n=len(ratings.raters),
        ratings=counts.ratings,
        missing=None if ratings.codes is None else float((ratings.codes < 0).mean()),
        gwet_ac=_told("gwet_ac", gwet_ac(counts, weighting=weighting, **plan.how())),
        kappa=kappa,
        weighted=None if weighting == "none" else _overall_kappa(ratings, tables, plan, weighting),
        intraclass=_intraclass(ratings, plan),
        levels_used=_levels(ratings),
        confusion=_confusion(ratings),
        levels_in_dispute=_disputes(ratings),
        pairs=pairs,
        raters=_raters(ratings, plan),
        over_time=_over_time(ratings, plan),
        **figures,
    )
    reading = None if found.alpha.value is None else rely_on(found.alpha.value)
    return msgspec.structs.replace(found, reading=reading, warnings=tuple(_warnings(ratings, found)))


def _told(name: str, interval: Interval) -> Estimate:
    """A figure; resamples that are all alike say nothing of its uncertainty, so it then has no ends."""
    if "degenerate" in interval.notes or (interval.low is not None and interval.low == interval.high):
        interval = replace(interval, low=None, high=None)
    return Estimate(
        metric=name,
        value=interval.value,
        low=interval.low,
        high=interval.high,
        level=interval.level,
        method=interval.method,
        n=interval.n,
        trials=interval.trials or interval.n,
        se=interval.se,
        note=", ".join(interval.notes),
    )


def _coefficients(ratings: Ratings, plan: Plan) -> dict[str, Any]:
    counts = ratings.rating_counts()
    alphas = {
        scale: _told("alpha", krippendorff_alpha(counts, scale=scale, **plan.how())) for scale in _scales(ratings)
    }
    return {
        "percent": _percent(ratings, plan),
        "fleiss": _told("fleiss", fleiss_kappa(counts, **plan.how())),
        "alpha": alphas[ratings.scale],
        "alphas": alphas,
        "gwet_ac1": _told("gwet_ac1", gwet_ac(counts, **plan.how())),
        "brennan_prediger": _told("brennan_prediger", brennan_prediger(counts, **plan.how())),
    }


def _percent(ratings: Ratings, plan: Plan) -> Estimate:
    """Mean share of agreeing pairs of ratings per unit."""
    raters = ratings.counts.sum(axis=1)
    kept, many = ratings.counts[raters >= 2], raters[raters >= 2]
    if not len(kept):
        return Estimate(metric="percent", value=None, level=plan.level, method="percent_agreement", note="empty")
    agreed = (kept * (kept - 1.0)).sum(axis=1) / (many * (many - 1.0))
    found = _told("percent", estimate_mean(agreed, bounds=(0.0, 1.0), level=plan.level))
    return msgspec.structs.replace(found, method=f"percent_agreement, {found.method}")


def _scales(ratings: Ratings) -> tuple[Scale, ...]:
    """Nominal always; ordered ones where the order is known, which numbers have by themselves."""
    known = ratings.ordered or _numeric(ratings)
    ordered: tuple[Scale, ...] = ("ordinal", "interval") if known else ()
    ratio: tuple[Scale, ...] = ("ratio",) if known and float(ratings.values.min()) >= 0.0 else ()
    return tuple(dict.fromkeys(("nominal", *ordered, *ratio, ratings.scale)))


def _numeric(ratings: Ratings) -> bool:
    try:
        return bool(np.array_equal([float(level) for level in ratings.levels], ratings.values))
    except ValueError:
        return False


# --- pairs of raters ------------------------------------------------------------------------------------------------


_Cross = list[tuple[int, int, FloatArray]]


def _cross_tables(ratings: Ratings) -> _Cross:
    """Cross tables of all pairs with a unit in common, those with most units first."""
    codes, q = ratings.codes, len(ratings.levels)
    if codes is None:
        return []
    found: _Cross = []
    busiest = np.argsort(-(codes >= 0).sum(axis=0), kind="stable")[:MAX_RATERS]
    for a, b in combinations(sorted(int(rater) for rater in busiest), 2):
        both = (codes[:, a] >= 0) & (codes[:, b] >= 0)
        if both.any():
            flat = np.bincount(codes[both, a] * q + codes[both, b], minlength=q * q)
            found.append((a, b, flat.reshape(q, q).astype(np.float64)))
    return sorted(found, key=lambda pair: -float(pair[2].sum()))


def _pairs(ratings: Ratings, tables: _Cross, plan: Plan) -> tuple[PairFigures, ...]:
    weighted = len(ratings.levels) > 2 and (ratings.ordered or _numeric(ratings))
    return tuple(_pair(ratings, pair, plan.level, weighted=weighted) for pair in tables[:MAX_PAIRS])


def _pair(ratings: Ratings, pair: tuple[int, int, FloatArray], level: float, *, weighted: bool) -> PairFigures:
    a, b, table = pair
    both = compare_raters(table, labels=ratings.levels, level=level)
    return PairFigures(
        a=ratings.raters[a],
        b=ratings.raters[b],
        n=both.n,
        percent=_told("percent", both.percent),
        kappa=_told("kappa", both.kappa),
        kappa_linear=_told("kappa", cohen_kappa(table, weighting="linear", level=level)) if weighted else None,
        kappa_quadratic=_told("kappa", cohen_kappa(table, weighting="quadratic", level=level)) if weighted else None,
        ac1=both.ac1,
        z=_z(table, both.kappa),
    )


def _z(table: FloatArray, kappa: Interval) -> float | None:
    """Kappa over its standard error when kappa is 0 (Fleiss, Cohen & Everitt 1969)."""
    if kappa.value is None:
        return None
    p = table / table.sum()
    row, column = p.sum(axis=1), p.sum(axis=0)
    expected = float(row @ column)
    spread = expected + expected**2 - float((row * column * (row + column)).sum())
    se = math.sqrt(max(spread, 0.0) / table.sum()) / (1.0 - expected)
    return kappa.value / se if se > 0 else None


def _overall_kappa(ratings: Ratings, tables: _Cross, plan: Plan, weighting: Any) -> Estimate | None:
    """Cohen's kappa of two raters, Light's (the mean over pairs) of more; None without pairs."""
    if not tables:
        return None
    if len(ratings.raters) == 2:
        return _told("kappa", cohen_kappa(tables[0][2], weighting=weighting, level=plan.level))
    method = "light_kappa" if weighting == "none" else f"light_kappa_{weighting}"
    return _told("kappa", _lights(ratings, tables, plan, weighting, method))


def _lights(ratings: Ratings, tables: _Cross, plan: Plan, weighting: Any, method: str) -> Interval:
    q = len(ratings.levels)
    w = disagreement_weights(q, weighting)
    pairs = [(a, b) for a, b, _ in tables]

    def statistic(sums: FloatArray) -> FloatArray:
        return _mean_kappa(sums.reshape(*sums.shape[:-1], len(pairs), q, q), w)

    n = int((ratings.counts.sum(axis=1) >= 2).sum())
    totals = np.concatenate([table.reshape(-1) for _, _, table in tables])
    value = float(statistic(totals[None, :])[0])
    plain = Interval(value=value, low=None, high=None, level=plan.level, method=method, n=n)
    if not math.isfinite(value):
        return Interval(value=None, low=None, high=None, level=plan.level, method=method, n=n, notes=("no_variation",))
    rng = plan.rng()
    if rng is None or len(ratings.units) * len(totals) > MAX_CELLS:
        return plain
    rows = _pair_rows(ratings, pairs)
    rows = rows[rows.any(axis=1)]
    ends = corpus_replicates(rows, statistic, rng=rng, resamples=min(plan.resamples, 500)).interval(level=plan.level)
    return Interval(
        value=value, low=ends.low, high=ends.high, level=plan.level, method=method, n=n, se=ends.se,
        resamples=ends.resamples, notes=ends.notes,
    )  # fmt: skip


def _pair_rows(ratings: Ratings, pairs: list[tuple[int, int]]) -> FloatArray:
    """What each unit adds to the cross tables of all pairs, side by side."""
    codes, q = ratings.codes, len(ratings.levels)
    assert codes is not None
    rows = np.zeros((len(codes), len(pairs) * q * q))
    for number, (a, b) in enumerate(pairs):
        both = np.flatnonzero((codes[:, a] >= 0) & (codes[:, b] >= 0))
        rows[both, number * q * q + codes[both, a] * q + codes[both, b]] = 1.0
    return rows


def _mean_kappa(tables: FloatArray, w: FloatArray) -> FloatArray:
    with np.errstate(divide="ignore", invalid="ignore"):
        p = tables / tables.sum(axis=(-1, -2), keepdims=True)
        observed = (p * w).sum(axis=(-1, -2))
        expected = np.einsum("...i,ij,...j->...", p.sum(axis=-1), w, p.sum(axis=-2))
        kappa = (observed - expected) / np.where(expected < 1.0 - 1e-15, 1.0 - expected, np.nan)
    known = np.isfinite(kappa)
    total = np.where(known, kappa, 0.0).sum(axis=-1)
    many = known.sum(axis=-1)
    return np.asarray(np.divide(total, many, out=np.full(total.shape, np.nan), where=many > 0), dtype=np.float64)


def _intraclass(ratings: Ratings, plan: Plan) -> dict[str, Estimate]:
    """Of complete tables of grades."""
    codes = ratings.codes
    if codes is None or (codes < 0).any() or min(codes.shape) < 2 or not (ratings.ordered or _numeric(ratings)):
        return {}
    grades = ratings.values[codes]
    if grades.min() == grades.max():
        return {}
    try:
        found = intraclass(grades, level=plan.level)
    except (ValueError, ZeroDivisionError):
        return {}
    named = {
        "icc_1_1": found.single_random,
        "icc_2_1": found.single_agreement,
        "icc_3_1": found.single_consistency,
    }
    return {name: _told(name, interval) for name, interval in named.items()}


# --- levels ---------------------------------------------------------------------------------------------------------


def _coincidence(ratings: Ratings) -> FloatArray:
    """Pairs of ratings of one unit, each unit weighing as much as it has ratings; shape (levels, levels)."""
    raters = ratings.counts.sum(axis=1)
    kept = ratings.counts[raters >= 2]
    weight = 1.0 / (raters[raters >= 2] - 1.0)
    table = (kept * weight[:, None]).T @ kept
    return np.asarray(table - np.diag((kept * weight[:, None]).sum(axis=0)), dtype=np.float64)


def _confusion(ratings: Ratings) -> Confusions:
    table = np.round(_coincidence(ratings), 6)
    return Confusions(levels=ratings.levels, matrix=tuple(tuple(float(x) for x in row) for row in table))


def _disputes(ratings: Ratings) -> tuple[Dispute, ...]:
    table = _coincidence(ratings)
    off = float(table.sum() - np.trace(table))
    found = [
        Dispute(
            level_a=ratings.levels[i],
            level_b=ratings.levels[j],
            count=round(float(table[i, j]), 6),
            share=2.0 * float(table[i, j]) / off,
        )
        for i, j in combinations(range(len(table)), 2)
        if off > 0 and table[i, j] > 1e-9
    ]
    return tuple(sorted(found, key=lambda dispute: -dispute.count))


def _levels(ratings: Ratings) -> tuple[LevelFigures, ...]:
    table = _coincidence(ratings)
    used = table.sum(axis=1)
    off = float(table.sum() - np.trace(table))
    count = ratings.counts.sum(axis=0)
    return tuple(
        LevelFigures(
            level=name,
            count=round(float(count[k])),
            share=float(count[k] / count.sum()),
            specific_agreement=float(table[k, k] / used[k]) if used[k] > 0 else None,
            disagreements=float((used[k] - table[k, k]) / off) if off > 1e-9 else 0.0,
        )
        for k, name in enumerate(ratings.levels)
    )


# --- raters ---------------------------------------------------------------------------------------------------------


def _raters(ratings: Ratings, plan: Plan) -> tuple[RaterFigures, ...]:
    if ratings.codes is None:
        return ()
    graded = ratings.ordered or len(ratings.levels) == 2
    values = ratings.values if ratings.ordered else np.arange(len(ratings.levels), dtype=np.float64)
    return tuple(_rater(ratings, number, plan, values if graded else None) for number in range(len(ratings.raters)))


def _rater(ratings: Ratings, number: int, plan: Plan, values: FloatArray | None) -> RaterFigures:
    assert ratings.codes is not None
    own = ratings.codes[:, number]
    others = ratings.counts.sum(axis=1) - 1.0
    rows = np.flatnonzero((own >= 0) & (others >= 1))
    name = ratings.raters[number]
    found = RaterFigures(
        rater=name,
        n=int((own >= 0).sum()),
        shared=len(rows),
        median_seconds=plan.seconds.get(name),
        calibration_accuracy=_share("calibration_accuracy", plan.calibration.get(name), plan.level),
        share_a=_share("share_a", plan.share_a.get(name), plan.level),
    )
    if not len(rows):
        return found
    same = (ratings.counts[rows, own[rows]] - 1.0) / others[rows]
    agreed = _told("agreement", estimate_mean(same, bounds=(0.0, 1.0), level=plan.level))
    bias = None if values is None else _bias(ratings.counts[rows], own[rows], values, plan.level)
    return msgspec.structs.replace(found, agreement=agreed, bias=bias)


def _bias(counts: FloatArray, own: IntArray, values: FloatArray, level: float) -> Estimate:
    mine = values[own]
    others = (counts @ values - mine) / (counts.sum(axis=1) - 1.0)
    return _told("bias", estimate_mean(mine - others, level=level))


def _share(name: str, right: list[bool] | None, level: float) -> Estimate | None:
    if not right:
        return None
    return _told(name, estimate_mean([float(x) for x in right], kind="proportion", level=level))


# --- time, warnings -------------------------------------------------------------------------------------------------


def _over_time(ratings: Ratings, plan: Plan) -> tuple[Period, ...]:
    """Up to eight stretches with equally many units rated twice, in order of time."""
    known = np.flatnonzero(np.isfinite(ratings.at) & (ratings.counts.sum(axis=1) >= 2))
    many = min(PERIODS, len(known) // PERIOD_UNITS)
    if many < 2:
        return ()
    ordered = known[np.argsort(ratings.at[known], kind="stable")]
    edges = np.linspace(0, len(ordered), many + 1).astype(int)
    return tuple(_period(ratings.part(ordered[a:b]), plan) for a, b in pairwise(edges))


def _period(part: Ratings, plan: Plan) -> Period:
    counts = part.rating_counts()
    return Period(
        from_at=float(part.at.min()),
        to_at=float(part.at.max()),
        n=len(part.units),
        percent=_percent(part, plan),
        alpha=_told("alpha", krippendorff_alpha(counts, scale=part.scale, **plan.how())),
    )


def _warnings(ratings: Ratings, found: RubricAgreement) -> Iterator[str]:
    yield from ratings.notes
    if not found.pairable:
        yield "no unit has two ratings: nothing can be said of agreement"
        return
    if found.pairable < FEW_UNITS:
        few = "one unit has" if found.pairable == 1 else f"{found.pairable} units have"
        yield f"only {few} two ratings: the figures are rough, the intervals too narrow"
    alone = found.units - found.pairable
    if alone:
        yield f"{alone} of {found.units} units with one rating only: they say nothing of agreement"
    if found.alpha.value is None:
        yield "all ratings are the same: chance-corrected coefficients are not defined"
    yield from _paradox(found)
    if found.raters_n > MAX_RATERS:
        yield f"pairs are of the {MAX_RATERS} raters with most ratings; {found.raters_n} rated"
    unused = [level.level for level in found.levels_used if not level.count]
    if unused:
        yield f"nobody used {', '.join(f'`{name}`' for name in unused)}"


def _paradox(found: RubricAgreement) -> Iterator[str]:
    """High agreement beside a coefficient near zero, where one level dominates."""
    top = max(found.levels_used, key=lambda level: level.share)
    nominal, ac1, percent = found.alphas["nominal"].value, found.gwet_ac1.value, found.percent.value
    if nominal is None or ac1 is None or percent is None:
        return
    if top.share < PARADOX_SHARE or ac1 - nominal < PARADOX_GAP:
        return
    rare = min((x for x in found.levels_used if x.count), key=lambda level: level.share)
    specific = "" if rare.specific_agreement is None else (
        f", and at the specific agreement on `{rare.level}` ({rare.specific_agreement:.2f})"
    )  # fmt: skip
    yield (
        f"`{top.level}` is {top.share:.0%} of the ratings: raters agree on {percent:.1%} of pairs while alpha is "
        f"{nominal:.2f}, because chance agreement is high too (kappa paradox). Look at Gwet's AC1 ({ac1:.2f}){specific}"
    )

"""Routers measured on recorded answers: what each way to send cases to models gives in quality and cost.

Every model behind the router has answered every case, so any routing can be computed exactly on these cases; what
is uncertain is only how it goes on other cases, and that is what the (paired, clustered) intervals say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from evalwright.analysis.difference import Difference, PairedValues, PairOptions, mean_difference
from evalwright.analysis.frame import FloatArray, IntArray
from evalwright.core.routing import Ranged, RouteGap, RoutePoint, ThresholdLoss
from evalwright.stats import Interval, estimate_mean

MOST_THRESHOLDS = 20
"""Thresholds looked at; between as many distinct scores as there are, evenly by rank."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What the models behind a router made of the same cases.

    Attributes:
        names: The models, shape (models,).
        quality: Score of each case by each model, shape (cases, models), no NaN.
        cost: Cost likewise.
        clusters: Cluster code of each case, None for independent cases.
        higher_is_better: Direction of quality.
        reach: Distance of the least and the greatest possible quality, None when unbounded.
        cascade: Models are asked in order until one is kept: those before it are paid too.
        level: Confidence level.
    """

    names: tuple[str, ...]
    quality: FloatArray
    cost: FloatArray
    clusters: IntArray | None = None
    higher_is_better: bool = True
    reach: float | None = None
    cascade: bool = False
    level: float = 0.95

    @property
    def size(self) -> int:
        """Number of cases."""
        return len(self.quality)

    @property
    def gain(self) -> FloatArray:
        """Quality with the sign that makes more better, shape (cases, models)."""
        return self.quality if self.higher_is_better else -self.quality

    @property
    def verdicts(self) -> bool:
        """Whether quality is 0 or 1 everywhere."""
        return bool(np.isin(self.quality, (0.0, 1.0)).all())

    @property
    def strongest(self) -> int:
        """The model with the best mean quality; the cheaper one of equals."""
        means, costs = self.gain.mean(axis=0), self.cost.mean(axis=0)
        return int(np.lexsort((costs, -means))[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One way to send cases to models: what each case gets and takes.

    Attributes:
        name: Name in reports.
        kind: `always`, `policy`, `threshold` or `oracle`.
        model: Index of the model that answers each case, shape (cases,).
        quality: Quality of each case, shape (cases,).
        cost: Cost of each case, shape (cases,).
        threshold: Of the routing score, for thresholds.
    """

    name: str
    kind: str
    model: IntArray
    quality: FloatArray
    cost: FloatArray
    threshold: float | None = None


def route(recorded: Recorded, model: IntArray, *, name: str, kind: str, threshold: float | None = None) -> Route:
    """The route that gives each case to a model.

    A policy or a threshold of a cascade pays the models before the one that answers; always one model and the oracle
    never do.

    Args:
        recorded: What the models made of the cases.
        model: Index of the model of each case.
        name: Name in reports.
        kind: `always`, `policy`, `threshold` or `oracle`.
        threshold: Of the routing score.
    """
    paid = recorded.cascade and kind in {"policy", "threshold"}
    cost = recorded.cost.cumsum(axis=1) if paid else recorded.cost
    rows = np.arange(recorded.size)
    return Route(
        name=name,
        kind=kind,
        model=model,
        quality=recorded.quality[rows, model],
        cost=cost[rows, model],
        threshold=threshold,
    )


def always(recorded: Recorded) -> list[Route]:
    """Each model asked for every case."""
    return [
        route(recorded, np.full(recorded.size, index, dtype=np.int64), name=f"always {name}", kind="always")
        for index, name in enumerate(recorded.names)
    ]


def oracle(recorded: Recorded) -> Route:
    """The router that knows the scores beforehand: the best model of each case, the cheapest of equally good ones."""
    best = recorded.gain == recorded.gain.max(axis=1, keepdims=True)
    model = np.where(best, recorded.cost, np.inf).argmin(axis=1)
    return route(recorded, model.astype(np.int64), name="oracle", kind="oracle")


def threshold_route(recorded: Recorded, score: FloatArray, threshold: float, *, high: bool = True) -> Route:
    """The second model for cases whose score is at least the threshold (at most, when `high` is false).

    Args:
        recorded: Two models: the first answers the rest.
        score: Routing score of each case, shape (cases,).
        threshold: Where the second model begins.
        high: Whether high scores go to the second model.

    Raises:
        ValueError: There are not two models.
    """
    if len(recorded.names) != 2:
        raise ValueError(f"a threshold divides cases between two models, not {len(recorded.names)}")
    second = score >= threshold if high else score <= threshold
    name = f"threshold {threshold:.6g}"
    return route(recorded, second.astype(np.int64), name=name, kind="threshold", threshold=threshold)


def thresholds(score: FloatArray, *, high: bool = True, most: int = MOST_THRESHOLDS) -> list[float]:
    """Thresholds worth looking at, from the one that sends every case to the second model to the one that sends fewest.

    Args:
        score: Routing score of each case.
        high: Whether high scores go to the second model.
        most: How many at most; evenly spaced by rank of the cases.
    """
    ordered = np.sort(score) if high else np.sort(score)[::-1]
    places = np.unique(np.linspace(0, len(ordered) - 1, num=min(most, len(ordered))).round().astype(np.int64))
    return list(dict.fromkeys(float(ordered[place]) for place in places))


def point(recorded: Recorded, taken: Route) -> RoutePoint:
    """A route on the map, with intervals."""
    shares = np.bincount(taken.model, minlength=len(recorded.names)) / recorded.size
    return RoutePoint(
        name=taken.name,
        kind=taken.kind,
        quality=_mean(taken.quality, recorded, verdicts=recorded.verdicts),
        cost=_mean(taken.cost, recorded),
        shares=dict(zip(recorded.names, shares.tolist(), strict=True)),
        threshold=taken.threshold,
    )


def _mean(values: FloatArray, recorded: Recorded, *, verdicts: bool = False) -> Ranged:
    return _ranged(
        estimate_mean(
            values, kind="proportion" if verdicts else "mean", clusters=recorded.clusters, level=recorded.level
        )
    )


def _ranged(ci: Interval) -> Ranged:
    return Ranged(value=ci.value, low=ci.low, high=ci.high)


def on_frontier(points: Sequence[RoutePoint], *, higher_is_better: bool = True) -> tuple[RoutePoint, ...]:
    """The points with the names of those that beat them; the oracle, which nobody can have, beats none.

    Args:
        points: Routes on the map.
        higher_is_better: Direction of quality.
    """
    sign = 1.0 if higher_is_better else -1.0
    places = [(sign * (p.quality.value or 0.0), p.cost.value or 0.0) for p in points]
    found: list[RoutePoint] = []
    for mine, p in zip(places, points, strict=True):
        beaten = tuple(
            other.name
            for theirs, other in zip(places, points, strict=True)
            if other.kind != "oracle" and theirs[0] >= mine[0] and theirs[1] <= mine[1] and theirs != mine
        )
        found.append(msgspec.structs.replace(p, dominated_by=beaten))
    return tuple(found)


def gap(recorded: Recorded, policy: Route, other: Route) -> RouteGap:
    """The policy minus another route over the same cases, in quality and cost."""
    return RouteGap(
        against=other.name,
        quality=quality_difference(recorded, other, policy),
        cost=_ranged(_difference(recorded, other.cost, policy.cost).interval),
    )


def quality_difference(recorded: Recorded, one: Route, other: Route) -> Ranged:
    """Quality of `other` minus that of `one`, with a paired interval."""
    return _ranged(_quality(recorded, one, other).interval)


def _quality(recorded: Recorded, left: Route, right: Route) -> Difference:
    verdicts = recorded.verdicts and recorded.clusters is None
    return _difference(recorded, left.quality, right.quality, reach=recorded.reach, verdicts=verdicts)


def _difference(
    recorded: Recorded, left: FloatArray, right: FloatArray, *, reach: float | None = None, verdicts: bool = False
) -> Difference:
    values = PairedValues(left=left, right=right, clusters=recorded.clusters, reach=reach, verdicts=verdicts)
    options = PairOptions(level=recorded.level, confidence=recorded.level, detail=False)
    return mean_difference(values, options)


def chance_gap(recorded: Recorded, policy: Route) -> RouteGap:
    """The policy minus a router that gives the same shares of cases to the models at random.

    What the policy knows of its cases: the mean of `q[i, m(i)] - Σ w_k q[i, k]`, w the shares. The interval counts
    that the shares are estimated too: each case adds `-Σ Q_k (z_ik - w_k)`, Q_k the mean of model k and z_ik whether
    it got the case (a term whose mean is zero).
    """
    cost = recorded.cost.cumsum(axis=1) if recorded.cascade else recorded.cost
    return RouteGap(
        against="chance",
        quality=_over_chance(recorded, recorded.quality, policy.model),
        cost=_over_chance(recorded, cost, policy.model),
    )


def _over_chance(recorded: Recorded, values: FloatArray, model: IntArray) -> Ranged:
    taken = np.zeros(values.shape)
    taken[np.arange(len(values)), model] = 1.0
    shares = taken.mean(axis=0)
    per_case = ((taken - shares) * (values - values.mean(axis=0))).sum(axis=1)
    return _mean(per_case, recorded)


def losses(
    recorded: Recorded, score: FloatArray, tried: Sequence[float], *, high: bool = True, max_drop: float | None = None
) -> list[ThresholdLoss]:
    """What each threshold loses against the strongest model always, and which losses are surely small enough.

    The thresholds are tested in order, from the most cases sent to the second model to the fewest, and the testing
    stops at the first loss that is not surely at most `max_drop`: so the chance of calling any unsafe threshold safe
    stays below 1 - level, however many are tried (fixed-sequence testing; as in Angelopoulos et al. 2021, Learn then
    Test, arXiv:2110.01052).

    Args:
        recorded: Two models.
        score: Routing score of each case.
        tried: Thresholds, as `thresholds` orders them.
        high: Whether high scores go to the second model.
        max_drop: Largest loss of quality that is allowed.
    """
    reference = always(recorded)[recorded.strongest]
    found: list[ThresholdLoss] = []
    going = True
    for threshold in tried:
        taken = threshold_route(recorded, score, threshold, high=high)
        loss, bound = _loss(recorded, reference, taken)
        going = going and max_drop is not None and bound is not None and bound <= max_drop
        spent = float(reference.cost.mean())
        saved = 1.0 - float(taken.cost.mean()) / spent if spent > 0 else None
        safe = None if max_drop is None else going
        found.append(ThresholdLoss(threshold=threshold, loss=loss, bound=bound, saved=saved, safe=safe))
    return found


def _loss(recorded: Recorded, reference: Route, taken: Route) -> tuple[Ranged, float | None]:
    if np.array_equal(reference.model, taken.model):
        return Ranged(value=0.0, low=0.0, high=0.0), 0.0
    if recorded.higher_is_better:
        found = _quality(recorded, taken, reference)
    else:
        found = _quality(recorded, reference, taken)
    return _ranged(found.interval), found.upper


def chosen(recorded: Recorded, score: FloatArray, found: Sequence[ThresholdLoss], *, high: bool = True) -> float | None:
    """The cheapest of the safe thresholds, None when there is none."""
    safe = [loss.threshold for loss in found if loss.safe]
    if not safe:
        return None
    return min(safe, key=lambda t: float(threshold_route(recorded, score, t, high=high).cost.mean()))

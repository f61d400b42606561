"""What a router does with several models behind it: quality against cost, regret, and what other thresholds give."""

from __future__ import annotations

import msgspec


class Ranged(msgspec.Struct, frozen=True, kw_only=True):
    """A figure with its confidence interval; None where there is nothing to say, or no end.

    Attributes:
        value: The point estimate.
        low: Lower end.
        high: Upper end.
    """

    value: float | None = None
    low: float | None = None
    high: float | None = None


class RoutePoint(msgspec.Struct, frozen=True, kw_only=True):
    """One way to send cases to models, on the map of quality and cost.

    Attributes:
        name: `always small`, `policy`, `oracle`, `threshold 0.4` …
        kind: `always`, `policy`, `threshold` or `oracle`.
        quality: Mean over cases.
        cost: Mean cost of a case, of the models asked in vain too where the route is a cascade.
        shares: Share of the cases answered by each model, by name.
        threshold: Of the routing score, for thresholds.
        dominated_by: Points (the oracle apart) that are as good and as cheap, and better in one of the two.
    """

    name: str
    kind: str
    quality: Ranged
    cost: Ranged
    shares: dict[str, float] = {}
    threshold: float | None = None
    dominated_by: tuple[str, ...] = ()


class RouteGap(msgspec.Struct, frozen=True, kw_only=True):
    """The policy minus another way to route, over the same cases (paired).

    Attributes:
        against: Name of the other way; `chance` sends the same shares of cases to the models at random.
        quality: Difference of quality.
        cost: Difference of cost.
    """

    against: str
    quality: Ranged
    cost: Ranged


class ThresholdLoss(msgspec.Struct, frozen=True, kw_only=True):
    """What a threshold changes against asking the strongest model always.

    Attributes:
        threshold: The threshold.
        loss: Quality lost against the strongest model always (paired); positive is worse.
        bound: One-sided upper bound of the loss.
        saved: Share of the strongest model's cost that is saved; negative when it costs more.
        safe: Whether the loss is surely at most the allowed drop; None when no drop was named.
    """

    threshold: float
    loss: Ranged
    bound: float | None = None
    saved: float | None = None
    safe: bool | None = None


class RoutedRun(msgspec.Struct, frozen=True, kw_only=True):
    """One of the models behind the router: the name it goes by, and the run that recorded its answers."""

    name: str
    run_id: str


class RoutingReport(msgspec.Struct, frozen=True, kw_only=True):
    """A routing policy measured on recorded answers of the models behind it.

    Attributes:
        runs: The models, in the order given.
        metric: What stands for quality.
        higher_is_better: Its direction.
        cost: What stands for cost.
        unit: Unit of cost.
        cases: Cases that every model answered, with quality, cost and a route.
        clusters: Clusters among them, None when cases are independent.
        left_out: Cases left out, by reason.
        level: Confidence level of the intervals.
        cascade: Whether models before the one that answers are paid too.
        points: Always one model, the policy, thresholds, the oracle.
        gaps: The policy against each of the others.
        regret: Quality the oracle has over the policy (positive), None without a policy.
        losses: What thresholds lose against the strongest model, from the most cases sent to it to the fewest.
        max_drop: The allowed drop, None when none was named.
        chosen: The cheapest threshold whose loss is surely at most `max_drop`; None when there is none.
        notes: What a reader must know.
    """

    runs: tuple[RoutedRun, ...]
    metric: str
    higher_is_better: bool
    cost: str
    unit: str
    cases: int
    clusters: int | None = None
    left_out: dict[str, int] = {}
    level: float = 0.95
    cascade: bool = False
    points: tuple[RoutePoint, ...] = ()
    gaps: tuple[RouteGap, ...] = ()
    regret: Ranged | None = None
    losses: tuple[ThresholdLoss, ...] = ()
    max_drop: float | None = None
    chosen: float | None = None
    notes: tuple[str, ...] = ()

"""What a queue's labels say of the whole they were drawn from: by strata of a judge's verdict, with an interval."""

from __future__ import annotations

from collections import defaultdict
from statistics import fmean

import msgspec

from evalwright.core.estimate import Estimate
from evalwright.core.review import Queue, QueueKind
from evalwright.core.rubric import Rubric
from evalwright.services.agreement import figure
from evalwright.services.reviewing.queues import unit_value
from evalwright.services.reviewing.settling import Settled, settled
from evalwright.stats import Interval, StratumSummary, estimate_mean, post_stratify
from evalwright.store.workspace import Workspace


class StratumFigures(msgspec.Struct, frozen=True, kw_only=True):
    """One stratum: what the judge says, how many cases of the whole, how many labelled, the labels' mean."""

    name: str
    cases: int
    labelled: int
    mean: float | None
    said: float | None = None


class QueueEstimate(msgspec.Struct, frozen=True, kw_only=True):
    """A rubric's mean over the whole, from labels.

    Attributes:
        rubric: Its name.
        estimate: Mean of the levels' values between 0 and 1 (of pairs: the second answer's win rate, ties half), each
            stratum weighing as much as it has cases; None while a stratum has no label.
        judged: What the stored verdicts alone say, over the labelled cases.
        passing: Share of cases that pass by the rubric, likewise weighted.
        strata: The strata.
        note: What is missing, or how it was made.
    """

    rubric: str
    estimate: Estimate | None
    judged: float | None
    passing: Estimate | None
    strata: tuple[StratumFigures, ...]
    note: str = ""


def queue_estimates(workspace: Workspace, queue: Queue, *, level: float = 0.95) -> list[QueueEstimate]:
    """What the labels say of the whole, for each rubric; labels of settled items count.

    The sample has to be random within strata, as random and active samples are.
    """
    found = settled(workspace, queue)
    return [_of_rubric(queue, rubric, found, level) for rubric in queue.rubrics]


_WON = {"first": 0.0, "tie": 0.5, "second": 1.0}


def _of_rubric(queue: Queue, rubric: Rubric, found: list[Settled], level: float) -> QueueEstimate:
    pairwise = queue.kind is QueueKind.PAIRWISE
    values: dict[str, list[float]] = defaultdict(list)
    passing: dict[str, list[float]] = defaultdict(list)
    said: dict[str, list[float]] = defaultdict(list)
    for one in found:
        name = one.levels.get(rubric.name)
        if name is None:
            continue
        stratum = one.item.hidden.stratum
        values[stratum].append(_WON[name] if pairwise else unit_value(rubric, name))
        passes = None if pairwise else rubric.passes(name)
        if passes is not None:
            passing[stratum].append(float(passes))
        if (prior := _prior(rubric, one)) is not None:
            said[stratum].append(prior)
    sizes = _sizes(queue, found)
    strata = tuple(
        StratumFigures(
            name=name,
            cases=size,
            labelled=len(values[name]),
            mean=fmean(values[name]) if values[name] else None,
            said=fmean(said[name]) if said[name] else None,
        )
        for name, size in sizes.items()
    )
    missing = [s.name or "without a verdict" for s in strata if not s.labelled and s.cases]
    judged = [x for part in said.values() for x in part]
    return QueueEstimate(
        rubric=rubric.name,
        estimate=_estimate(rubric.name, values, sizes, level) if not missing else None,
        judged=fmean(judged) if judged else None,
        passing=_estimate(f"{rubric.name}.passing", passing, sizes, level) if passing and not missing else None,
        strata=strata,
        note=f"no label yet in: {', '.join(missing)}" if missing else _how(queue, strata),
    )


def _prior(rubric: Rubric, one: Settled) -> float | None:
    word = one.item.hidden.prior.get(rubric.name)
    if word in rubric.names:
        return unit_value(rubric, word)
    return {"pass": 1.0, "fail": 0.0}.get(word or "")


def _sizes(queue: Queue, found: list[Settled]) -> dict[str, int]:
    """Cases of the whole in each stratum; items sent to the queue later belong to no known whole but themselves."""
    sizes: dict[str, int] = dict(queue.source.get("strata") or {})
    for one in found:
        sizes.setdefault(one.item.hidden.stratum, sum(o.item.hidden.stratum == one.item.hidden.stratum for o in found))
    return sizes


def _estimate(name: str, values: dict[str, list[float]], sizes: dict[str, int], level: float) -> Estimate | None:
    groups = {stratum: values[stratum] for stratum in sizes if values.get(stratum)}
    if len(groups) == 1:
        (only,) = groups.values()
        binary = set(only) <= {0.0, 1.0}
        interval = estimate_mean(only, kind="proportion" if binary else "mean", bounds=(0.0, 1.0), level=level)
    else:
        summaries = {stratum: StratumSummary.of(part) for stratum, part in groups.items()}
        interval = _smoothed(summaries, sizes, level)
    return figure(name, interval)


def _smoothed(summaries: dict[str, StratumSummary], sizes: dict[str, int], level: float) -> Interval:
    """Labels that are all alike do not make a stratum certain: it gets the variance with one label of each end."""
    wide = {
        name: s if s.variance > 0 else StratumSummary(n=s.n, mean=s.mean, variance=(s.n + 1.0) / (s.n + 2.0) ** 2)
        for name, s in summaries.items()
    }
    found = post_stratify(wide, {name: sizes[name] for name in wide}, level=level)
    low = None if found.low is None else max(0.0, found.low)
    high = None if found.high is None else min(1.0, found.high)
    return Interval(
        value=found.value,
        low=low,
        high=high,
        level=level,
        method=found.method,
        n=found.n,
        se=found.se,
        notes=found.notes,
    )


def _how(queue: Queue, strata: tuple[StratumFigures, ...]) -> str:
    method = (queue.source.get("sample") or {}).get("method", "random")
    cases = sum(s.cases for s in strata)
    return f"{sum(s.labelled for s in strata)} labels of {cases} cases, drawn {method}"

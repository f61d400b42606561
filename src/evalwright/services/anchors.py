"""Judge drift: a fixed set of labelled answers judged again, and what has changed since it was judged before."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from evalwright.core.errors import EvalwrightError
from evalwright.core.estimate import Estimate
from evalwright.core.gate import Rule, RuleFigure
from evalwright.core.run import RunSettings, RunStatus, Totals
from evalwright.core.scorer import BoundScorer
from evalwright.services.agreement import figure
from evalwright.services.calibration import DRIFT_ALARM, CalibrationPlan, calibrate
from evalwright.services.labels import LabelFile, read_labels
from evalwright.services.sources import RunSource
from evalwright.stats import PairedCounts, clopper_pearson, mcnemar, tango
from evalwright.store.cards import Card, CardStore
from evalwright.store.files import write_atomic
from evalwright.store.results import RunStore

FILE = "anchors.json"
HISTORY = "anchors"
"""Folder of the workspace with what earlier checks saw."""

AGREEMENT, DRIFT = "anchors", "anchor_drift"
"""Parts of a judge's metric that gate rules may name: `helpful.anchors`, `helpful.anchor_drift`."""


class Drift(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How verdicts on the same answers compare with earlier ones.

    Attributes:
        since: What they are compared with, in words.
        estimate: Agreement with the labels, now minus then, with its interval.
        p_value: McNemar's mid-p of the hypothesis that nothing has changed.
        counts: Answers right both times, newly right, newly wrong, wrong both times.
        verdicts_changed: Answers with another verdict, right or wrong.
        first: Whether it is the comparison with the card or first check, which gate rules look at.
    """

    since: str
    estimate: Estimate
    p_value: float
    counts: tuple[int, int, int, int]
    verdicts_changed: int = 0
    first: bool = False

    @property
    def alarm(self) -> bool:
        """Whether the judge has changed beyond chance."""
        return self.p_value < DRIFT_ALARM


class AnchorCheck(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One judge on its anchors.

    Attributes:
        metric: The judge's metric.
        identity: Hash of what decides its verdicts.
        model: The model asked.
        data: File of the anchors.
        at: Seconds since the epoch.
        right: Anchors judged as people did.
        n: Anchors with a verdict.
        errors: Anchors without one.
        drifts: Comparisons with earlier verdicts on the same answers.
        calls: Calls it took.
        cost: Their cost, None when unknown.
        problem: Why there was no check; empty when there was one.
    """

    metric: str
    identity: str = ""
    model: str | None = None
    data: str = ""
    at: float = 0.0
    right: int = 0
    n: int = 0
    errors: int = 0
    drifts: tuple[Drift, ...] = ()
    calls: int = 0
    cost: float | None = None
    problem: str = ""

    def agreement(self, level: float) -> Estimate:
        """Share of anchors judged as people did."""
        return figure(AGREEMENT, clopper_pearson(self.right, self.n, level=level))


def check_run(run: RunStore, source: RunSource, root: Path, *, now: float) -> tuple[str, ...]:
    """Judge the anchors of a finished run's judges and keep the result with the run; notes for its head.

    Args:
        run: The run, sealed or about to be.
        source: What was run.
        root: Folder of the workspace.
        now: Seconds since the epoch.
    """
    wanted = [bound for bound in source.scorers if (found := anchors_of(bound)) is not None and found.each_run]
    if not wanted:
        return ()
    checks = [_checked(bound, source.settings, run, root, now) for bound in wanted]
    write_atomic(run.folder / FILE, msgspec.json.format(msgspec.json.encode(checks), indent=1))
    return tuple(note for check in checks for note in notes(check))


def worth_checking(status: RunStatus) -> bool:
    """Whether a run ended so that its judges' anchors are asked."""
    return status in {RunStatus.COMPLETE, RunStatus.DECIDED}


def anchors_of(bound: BoundScorer) -> Anchors | None:
    """The anchors a judge was given."""
    found = getattr(bound.scorer, "anchors", None)
    return None if found is None else Anchors(path=found.path, each_run=found.each_run)


class Anchors(msgspec.Struct, frozen=True, kw_only=True):
    """A judge's anchors: the file, and whether each run judges them."""

    path: Path
    each_run: bool


def check(
    bound: BoundScorer, labels: LabelFile, root: Path, settings: RunSettings, *, now: float, of: str
) -> AnchorCheck:
    """Judge anchors now, compare with the card and with earlier checks, and add the check to the history.

    Args:
        bound: The judge with its metric.
        labels: The anchors.
        root: Folder of the workspace.
        settings: Concurrency, retries, time-outs, level.
        now: Seconds since the epoch.
        of: What the check belongs to, for later comparisons: `run …`.

    Raises:
        EvalwrightError: Nothing could be judged.
    """
    history = CardStore(root, folder=HISTORY)
    earlier = list(history.cards(bound.metric))
    plan = CalibrationPlan(labels=labels, probe_cases=0, settings=settings)
    made = msgspec.structs.replace(calibrate(bound, plan, created_at=now), notes=(of,))
    history.save(made)
    judged = [entry for entry in made.entries if entry.verdict is not None]
    return AnchorCheck(
        metric=bound.metric,
        identity=made.identity,
        model=made.model,
        data=labels.name,
        at=made.created_at,
        right=sum(entry.verdict == entry.label for entry in judged),
        n=len(judged),
        errors=made.errors,
        drifts=tuple(_drifts(made, CardStore(root).latest(bound.metric), earlier, settings.level)),
        calls=made.calls,
        cost=made.cost,
    )


def _checked(bound: BoundScorer, settings: RunSettings, run: RunStore, root: Path, now: float) -> AnchorCheck:
    found = anchors_of(bound)
    assert found is not None
    try:
        labels = read_labels(found.path, {})
        short = _too_dear(bound, labels, settings, run.totals())
        if short:
            return AnchorCheck(metric=bound.metric, data=str(found.path.name), problem=short)
        return check(bound, labels, root, settings, now=now, of=f"run {run.run_id}")
    except EvalwrightError as error:
        return AnchorCheck(metric=bound.metric, data=str(found.path.name), problem=str(error).splitlines()[0])


def _too_dear(bound: BoundScorer, labels: LabelFile, settings: RunSettings, totals: Totals) -> str:
    """Why a check would break the run's budget; empty when it would not."""
    budget, expected = settings.budget, getattr(bound.scorer, "expected_spending", None)
    if expected is None:
        return ""
    calls, tokens, cost = (part * len(labels.rows) for part in expected(500.0))
    spent = totals.usage.total_tokens + totals.judge_usage.total_tokens
    paid = (totals.cost or 0.0) + (totals.judge_cost or 0.0)
    for cap, used, more in (
        (budget.calls, totals.calls, calls),
        (budget.tokens, spent, tokens),
        (budget.cost, paid, cost),
    ):
        if cap is not None and used + more > cap:
            return "the budget of the run leaves too little for it"
    return ""


def _drifts(now: Card, card: Card | None, earlier: Sequence[Card], level: float) -> Iterator[Drift]:
    """Against the calibration's card, else the first check; and against the check before, where that is another one."""
    first = card if card is not None and _paired(card, now) else earlier[-1] if earlier else None
    seen: list[Card] = []
    for reference, is_first in ((first, True), (earlier[0] if earlier else None, False)):
        if reference is None or reference in seen:
            continue
        seen.append(reference)
        if (found := _drift(reference, now, is_card=reference is card, level=level)) is not None:
            yield msgspec.structs.replace(found, first=is_first)


def _paired(before: Card, now: Card) -> list[tuple[bool, bool, bool]]:
    """Per answer judged both times: right then, right now, same verdict."""
    known = {(entry.id, entry.output_hash): entry for entry in now.entries if entry.verdict is not None}
    pairs = [(old, known.get((old.id, old.output_hash))) for old in before.entries if old.verdict is not None]
    return [
        (old.verdict == old.label, new.verdict == new.label, old.verdict == new.verdict)
        for old, new in pairs
        if new is not None
    ]


def _drift(before: Card, now: Card, *, is_card: bool, level: float) -> Drift | None:
    pairs = _paired(before, now)
    if not pairs:
        return None
    counts = PairedCounts.of([float(then) for then, _, _ in pairs], [float(right) for _, right, _ in pairs])
    day = time.strftime("%Y-%m-%d %H:%M", time.localtime(before.created_at))
    of = before.notes[0] if before.notes and not is_card else ""
    since = f"its card of {day}" if is_card else f"the check of {day}{f' ({of})' if of else ''}"
    return Drift(
        since=since,
        estimate=figure(DRIFT, tango(counts, level=level)),
        p_value=mcnemar(counts).p_value,
        counts=(counts.both, counts.gained, counts.lost, counts.neither),
        verdicts_changed=sum(not same for _, _, same in pairs),
    )


def notes(check: AnchorCheck) -> Iterator[str]:
    """A check in sentences."""
    if check.problem:
        yield f"anchors of `{check.metric}` were not judged: {check.problem}"
        return
    estimate = check.agreement(0.95)
    cost = "" if check.cost is None else f", {check.cost:.4f} USD"
    failed = f", {check.errors} without a verdict" if check.errors else ""
    span = f" [{estimate.low:.3f}, {estimate.high:.3f}]" if estimate.ci else ""
    share = "no verdict" if estimate.value is None else f"{estimate.value:.3f}{span} judged as people did"
    yield f"anchors of `{check.metric}`: {share}, n={check.n}{failed} ({check.calls} calls{cost})"
    for drift in check.drifts:
        yield _told(check.metric, drift)


def _told(metric: str, drift: Drift) -> str:
    both, gained, lost, neither = drift.counts
    low, high = drift.estimate.low, drift.estimate.high
    span = "" if low is None or high is None else f", change {drift.estimate.value:+.3f} [{low:+.3f}, {high:+.3f}]"
    word = "THE JUDGE HAS CHANGED" if drift.alarm else "no change beyond chance"
    return (
        f"anchors of `{metric}` since {drift.since}: {word}: of {both + gained + lost + neither} answers {lost} newly "
        f"wrong, {gained} newly right, {drift.verdicts_changed} other verdicts{span}, p={drift.p_value:.3g}"
    )


def read_checks(run: RunStore) -> list[AnchorCheck]:
    """The checks kept with a run; none where it has none."""
    path = run.folder / FILE
    if not path.is_file():
        return []
    return msgspec.json.decode(path.read_bytes(), type=list[AnchorCheck])


def is_anchor_rule(rule: Rule) -> bool:
    """Whether a rule looks at a judge's anchors."""
    metric, _, part = rule.metric.rpartition(".")
    return bool(metric) and part in {AGREEMENT, DRIFT}


def anchor_figure(run: RunStore, rule: Rule) -> RuleFigure | None:
    """The figure of a rule on `METRIC.anchors` or `METRIC.anchor_drift`; None for rules on anything else."""
    if not is_anchor_rule(rule):
        return None
    metric, _, part = rule.metric.rpartition(".")
    found = next((check for check in read_checks(run) if check.metric == metric), None)
    why = "no anchors of this judge were judged in the run" if found is None else found.problem
    if found is None or found.problem or not found.n:
        return RuleFigure(estimate=Estimate(metric=rule.metric, value=None), missing=why or "no anchor has a verdict")
    level = max(2.0 * rule.confidence - 1.0, 0.01)
    if part == AGREEMENT:
        return _figure(rule, found.agreement(level))
    drift = next((drift for drift in found.drifts if drift.first), None)
    if drift is None:
        why = "the anchors were judged for the first time, so no change can be told"
        return RuleFigure(estimate=Estimate(metric=rule.metric, value=None), missing=why)
    both, gained, lost, neither = drift.counts
    counts = PairedCounts(both=both, gained=gained, lost=lost, neither=neither)
    return _figure(rule, figure(DRIFT, tango(counts, level=level)))


def _figure(rule: Rule, estimate: Estimate) -> RuleFigure:
    named = msgspec.structs.replace(estimate, metric=rule.metric)
    return RuleFigure(estimate=named, low=estimate.low, high=estimate.high, method=estimate.method)

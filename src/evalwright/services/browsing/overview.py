"""The first page: may we ship, and what needs somebody's attention? Figures nobody knows are null, never zero."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

import msgspec

from evalwright.analysis.trends import TrendPoint
from evalwright.core.errors import EvalwrightError, StoreError
from evalwright.core.estimate import ALL, Estimate
from evalwright.core.gate import RuleResult, Verdict
from evalwright.core.result import Summary
from evalwright.core.run import Manifest, RunStatus, ScorerRecord
from evalwright.core.scorer import ScoreKind
from evalwright.gates import rule_name
from evalwright.services.browsing.browser import Browser
from evalwright.services.browsing.trends import TrendQuestion, trend
from evalwright.services.golden import Goldens
from evalwright.services.reviewing import backlog
from evalwright.store.cards import Card, CardStore
from evalwright.store.catalog import RunEntry, RunFilter
from evalwright.store.governance import Waiver, waivers

HISTORY = 20
DAY_S = 86_400.0
SPEND_DAYS = 30
GRAVE = ("block", "high")
"""Severities of scorers whose failed rows are safety failures."""


class WaiverTile(msgspec.Struct, frozen=True, kw_only=True):
    """A waiver of the run, and where it stands."""

    id: str
    rule: str
    reason: str
    approved_by: str | None
    expires_at: float
    state: str


class BlockingRule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that keeps the release back."""

    rule: str
    verdict: Verdict
    reason: str


class SuiteTile(msgspec.Struct, frozen=True, kw_only=True):
    """A suite on the first page: the gate of its latest finished run, and the quality over runs.

    Attributes:
        suite: Name.
        tier: 1 (critical) to 3; None when nobody said.
        owner: Who answers for it; None when nobody said.
        target: Target of the latest finished run.
        run_id: That run; None while no run has finished.
        verdict: Its gate's verdict; None without a gate.
        reason: The decision in a sentence.
        finished_at: When it ended.
        status: How it ended.
        previous_verdict: Of the run before that.
        waivers: Exceptions of that run.
        blocking: Rules that are not met.
        headline: The figure that stands for it.
        history: That figure over runs, oldest first.
        running: A run that is under way now.
        problem: Why the run can't be read; empty when it can.
    """

    suite: str
    tier: int | None = None
    owner: str | None = None
    target: str = ""
    run_id: str | None = None
    verdict: str | None = None
    reason: str = ""
    finished_at: float | None = None
    status: RunStatus | None = None
    previous_verdict: str | None = None
    waivers: tuple[WaiverTile, ...] = ()
    blocking: tuple[BlockingRule, ...] = ()
    headline: Estimate | None = None
    history: tuple[TrendPoint, ...] = ()
    running: str | None = None
    problem: str = ""


class SafetyFailure(msgspec.Struct, frozen=True, kw_only=True):
    """Failed rows of a grave scorer in the latest run of a suite."""

    run_id: str
    suite: str
    metric: str
    count: int
    severity: str


class SafetyTile(msgspec.Struct, frozen=True, kw_only=True):
    """Open safety failures, and how many suites have scorers that look for them."""

    open: tuple[SafetyFailure, ...]
    suites: int


class JudgeTile(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a judge in use.

    Attributes:
        scorer: Its metric.
        suite: A suite it is used in.
        kappa: Agreement with people; None when it was never measured.
        low: Lower end of the interval.
        high: Upper end.
        n: Labels it rests on.
        measured_at: When; None when never.
        drift: Change of kappa since the measurement before; None when there was none.
        prompt_current: Whether the measured judge is the one in use.
    """

    scorer: str
    suite: str
    kappa: float | None = None
    low: float | None = None
    high: float | None = None
    n: int | None = None
    measured_at: float | None = None
    drift: float | None = None
    prompt_current: bool = False


class SetTile(msgspec.Struct, frozen=True, kw_only=True):
    """A golden set: its latest version, and whether it is older than its owner wants.

    Attributes:
        name: Name.
        tier: 1 to 3; None when nobody said.
        owner: None when nobody said.
        version: Number of the latest version; None when there is none.
        age_days: Of that version.
        cadence_days: How often it should be refreshed; None when nobody said.
        stale: Whether it is older; None without a cadence.
        cases: Of that version.
        state: `draft`, `in_review`, `approved`, `retired`.
        problem: Why it can't be read.
    """

    name: str
    tier: int | None = None
    owner: str | None = None
    version: int | None = None
    age_days: float | None = None
    cadence_days: int | None = None
    stale: bool | None = None
    cases: int | None = None
    state: str | None = None
    problem: str = ""


class SuiteSpend(msgspec.Struct, frozen=True, kw_only=True):
    """What a suite cost of late; `unknown` runs have no known cost."""

    suite: str
    cost: float | None
    runs: int
    unknown: int


class DaySpend(msgspec.Struct, frozen=True, kw_only=True):
    """Known cost of the runs started on one day (UTC)."""

    day: str
    cost: float


class Spend(msgspec.Struct, frozen=True, kw_only=True):
    """Money of the last 30 days, as far as it is known; None when no run's cost is."""

    currency: str
    last_30d: float | None
    unknown: int
    per_suite: tuple[SuiteSpend, ...]
    per_day: tuple[DaySpend, ...]


class ReviewTile(msgspec.Struct, frozen=True, kw_only=True):
    """What waits for people.

    Attributes:
        queues: Open queues.
        open: Items nobody has begun.
        in_progress: Items begun.
        adjudication: Items a lead has to decide on.
        oldest_at: When the oldest of them was put there; None when none waits.
    """

    queues: int
    open: int
    in_progress: int
    adjudication: int
    oldest_at: float | None


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """The first page."""

    suites: tuple[SuiteTile, ...]
    safety: SafetyTile
    judges: tuple[JudgeTile, ...]
    sets: tuple[SetTile, ...]
    review: ReviewTile
    spend: Spend
    at: float


def overview(browser: Browser, *, now: float | None = None) -> Overview:
    """The first page, from the catalog and the summaries of the latest runs."""
    at = time.time() if now is None else now
    catalog = browser.workspace.catalog
    latest = {suite: latest_runs(browser, suite) for suite in catalog.suites()}
    summaries = {suite: _summary(browser, entries) for suite, entries in latest.items()}
    known = waivers(browser.workspace)
    tiles = [_suite(browser, suite, latest[suite], summaries[suite], known, at) for suite in latest]
    found = [summary for summary in summaries.values() if summary is not None]
    browser.warm(summary.manifest.run_id for summary in found)
    return Overview(
        suites=tuple(sorted(tiles, key=lambda tile: (tile.tier or 9, tile.suite))),
        safety=_safety(found),
        judges=tuple(_judges(browser, found)),
        sets=tuple(_sets(browser, at)),
        review=_review(browser, at),
        spend=spend(catalog.runs(RunFilter(since=at - SPEND_DAYS * DAY_S))),
        at=at,
    )


def latest_runs(browser: Browser, suite: str) -> list[RunEntry]:
    """The latest runs of a suite, newest first."""
    return browser.workspace.catalog.runs(RunFilter(suite=suite), limit=HISTORY)


def finished(entries: Sequence[RunEntry]) -> list[RunEntry]:
    """Those that have ended, however."""
    return [entry for entry in entries if entry.finished_at is not None]


def _summary(browser: Browser, entries: Sequence[RunEntry]) -> Summary | None:
    done = finished(entries)
    if not done:
        return None
    try:
        return browser.summary(done[0].run_id)
    except EvalwrightError:
        return None


def _suite(
    browser: Browser,
    suite: str,
    entries: Sequence[RunEntry],
    summary: Summary | None,
    known: Sequence[Waiver],
    now: float,
) -> SuiteTile:
    done = finished(entries)
    running = next((entry.run_id for entry in entries if entry.status is RunStatus.RUNNING), None)
    if not done:
        return SuiteTile(suite=suite, target=entries[0].target if entries else "", running=running)
    last = done[0]
    manifest = summary.manifest if summary else _manifest(browser, last)
    decision = summary.decision if summary else None
    history = trend(browser, TrendQuestion(suite=suite, limit=HISTORY)).points
    headline = browser.workspace.catalog.headlines([last.run_id]).get(last.run_id)
    return SuiteTile(
        suite=suite,
        tier=manifest.tier if manifest else None,
        owner=manifest.owner if manifest else None,
        target=last.target,
        run_id=last.run_id,
        verdict=last.decision,
        reason=decision.reason if decision else "",
        finished_at=last.finished_at,
        status=last.status,
        previous_verdict=done[1].decision if len(done) > 1 else None,
        waivers=tuple(_waiver(waiver, now) for waiver in known if waiver.run_id == last.run_id),
        blocking=tuple(map(_blocking, unmet(decision.results))) if decision else (),
        headline=headline.estimate if headline else None,
        history=history,
        running=running,
        problem="" if summary else f"the run {last.run_id} can't be read",
    )


def _manifest(browser: Browser, entry: RunEntry) -> Manifest | None:
    try:
        return browser.workspace.catalog.manifest(entry.run_id)
    except msgspec.MsgspecError:
        return None


def unmet(results: Sequence[RuleResult]) -> list[RuleResult]:
    """Blocking rules that are neither met nor waived."""
    return [r for r in results if r.rule.severity == "block" and r.verdict is not Verdict.PASS and not r.waived]


def _blocking(result: RuleResult) -> BlockingRule:
    return BlockingRule(rule=rule_name(result.rule), verdict=result.verdict, reason=result.reason)


def _waiver(waiver: Waiver, now: float) -> WaiverTile:
    return WaiverTile(
        id=waiver.id,
        rule=waiver.rule,
        reason=waiver.reason,
        approved_by=waiver.approved_by,
        expires_at=waiver.expires_at,
        state=waiver.state(now),
    )


def _safety(summaries: Sequence[Summary]) -> SafetyTile:
    found = [failure for summary in summaries for failure in _failures(summary)]
    looking = sum(any(s.severity in GRAVE for s in summary.manifest.scorers) for summary in summaries)
    return SafetyTile(open=tuple(found), suites=looking)


def _failures(summary: Summary) -> Iterator[SafetyFailure]:
    """Failed rows of verdict scorers with a grave severity; other scores have no count of failures."""
    estimates = {e.metric: e for e in summary.estimates if e.slice == ALL and e.statistic == "mean"}
    for scorer in summary.manifest.scorers:
        estimate = estimates.get(scorer.metric)
        if scorer.severity not in GRAVE or estimate is None or scorer.kind != ScoreKind.PROPORTION:
            continue
        count = _failed(estimate)
        if count:
            yield SafetyFailure(
                run_id=summary.manifest.run_id,
                suite=summary.manifest.suite,
                metric=scorer.metric,
                count=count,
                severity=scorer.severity,
            )


def _failed(estimate: Estimate) -> int:
    if estimate.value is None:
        return 0
    share = estimate.value if estimate.higher_is_better is False else 1.0 - estimate.value
    return round(share * max(estimate.n, estimate.trials))


def _judges(browser: Browser, summaries: Sequence[Summary]) -> Iterator[JudgeTile]:
    """Every judge in use, and other scorers that were measured against labels."""
    store = CardStore(browser.workspace.root)
    measured = set(store.metrics())
    seen: set[tuple[str, str]] = set()
    for summary in summaries:
        for scorer in summary.manifest.scorers:
            if (scorer.metric in measured or is_judge(scorer)) and (scorer.metric, scorer.digest) not in seen:
                seen.add((scorer.metric, scorer.digest))
                yield _judge(store, summary.manifest.suite, scorer)


def is_judge(scorer: ScorerRecord) -> bool:
    """Whether a scorer asks a model, by its recorded options."""
    return any(scorer.options.get(name) for name in ("judge", "rubric", "judges"))


def _judge(store: CardStore, suite: str, scorer: ScorerRecord) -> JudgeTile:
    try:
        cards = list(store.cards(scorer.metric))
    except StoreError:
        cards = []
    own = [card for card in cards if card.identity == scorer.digest]
    card = next(iter(own or cards), None)
    if card is None:
        return JudgeTile(scorer=scorer.metric, suite=suite)
    kappa = _kappa(card)
    before = _kappa(own[1]) if len(own) > 1 else None
    change = None if kappa is None or before is None else _difference(kappa, before)
    return JudgeTile(
        scorer=scorer.metric,
        suite=suite,
        kappa=kappa.value if kappa else None,
        low=kappa.low if kappa else None,
        high=kappa.high if kappa else None,
        n=card.n,
        measured_at=card.created_at,
        drift=change,
        prompt_current=bool(own),
    )


def _kappa(card: Card) -> Estimate | None:
    return next((card.figure(name) for name in ("kappa", "weighted_kappa") if card.figure(name)), None)


def _difference(after: Estimate, before: Estimate) -> float | None:
    return None if after.value is None or before.value is None else after.value - before.value


def _sets(browser: Browser, now: float) -> Iterator[SetTile]:
    goldens = Goldens(browser.workspace)
    for name in goldens.logs.names():
        try:
            found = goldens.get(name)
        except EvalwrightError as error:
            yield SetTile(name=name, problem=error.message)
            continue
        info, version = found.info, found.versions[-1] if found.versions else None
        age = None if version is None else max(0.0, now - version.at) / DAY_S
        late = None if age is None or info.cadence_days is None else age > info.cadence_days
        yield SetTile(
            name=name,
            tier=info.tier,
            owner=info.owner,
            version=version.number if version else None,
            age_days=age,
            cadence_days=info.cadence_days,
            stale=late,
            cases=version.cases if version else None,
            state=found.state(version) if version else None,
        )


def _review(browser: Browser, now: float) -> ReviewTile:
    found = backlog(browser.workspace, now=now)
    return ReviewTile(
        queues=found.queues,
        open=found.open,
        in_progress=found.in_progress,
        adjudication=found.adjudication,
        oldest_at=found.oldest_at,
    )


def spend(entries: Sequence[RunEntry], *, currency: str = "USD") -> Spend:
    """Known cost of runs, by suite and by day; runs without a known cost are counted apart."""
    suites: dict[str, list[RunEntry]] = {}
    days: dict[str, float] = {}
    for entry in entries:
        suites.setdefault(entry.suite, []).append(entry)
        if entry.cost is not None:
            day = time.strftime("%Y-%m-%d", time.gmtime(entry.created_at))
            days[day] = days.get(day, 0.0) + entry.cost
    known = [entry.cost for entry in entries if entry.cost is not None]
    return Spend(
        currency=currency,
        last_30d=sum(known) if known else None,
        unknown=len(entries) - len(known),
        per_suite=tuple(_suite_spend(suite, of) for suite, of in sorted(suites.items())),
        per_day=tuple(DaySpend(day=day, cost=cost) for day, cost in sorted(days.items())),
    )


def _suite_spend(suite: str, entries: Sequence[RunEntry]) -> SuiteSpend:
    known = [entry.cost for entry in entries if entry.cost is not None]
    return SuiteSpend(
        suite=suite, cost=sum(known) if known else None, runs=len(entries), unknown=len(entries) - len(known)
    )

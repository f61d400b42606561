"""Gates as they stand, and the exceptions to them."""

from __future__ import annotations

import contextlib
import time

import msgspec

from evalwright.core.errors import EvalwrightError, UsageError
from evalwright.core.gate import Decision
from evalwright.core.run import RunStatus
from evalwright.gates import rule_name
from evalwright.services.browsing.browser import Browser
from evalwright.services.browsing.overview import finished, latest_runs
from evalwright.services.gating import decision_record, gate_run
from evalwright.services.waivers import (
    WaiverRequest,
    approve_waiver,
    find_waiver,
    request_waiver,
    revoke_waiver,
)
from evalwright.store.governance import Waiver, waivers

DAY_S = 86_400.0


class ListedWaiver(Waiver, frozen=True, kw_only=True):
    """A waiver and where it stands: `requested`, `active`, `expired` or `revoked`."""

    status: str = ""


class GateView(msgspec.Struct, frozen=True, kw_only=True):
    """The gate of a suite: the decision on its latest finished run.

    Attributes:
        suite: The suite.
        run_id: The run.
        target: Its target.
        status: How the run ended.
        decided_at: When; None when the time is not known.
        policy: File of the rules; empty for those of the suite.
        decision: The decision with every rule; None without a gate.
        rules: Names of the rules, in the decision's order.
        waivers: Exceptions asked for on this run.
        problem: Why there is none to show; empty when there is.
    """

    suite: str
    run_id: str | None = None
    target: str = ""
    status: RunStatus | None = None
    decided_at: float | None = None
    policy: str = ""
    decision: Decision | None = None
    rules: tuple[str, ...] = ()
    waivers: tuple[ListedWaiver, ...] = ()
    problem: str = ""


def list_gates(browser: Browser, *, now: float | None = None) -> list[GateView]:
    """The gate of every suite."""
    at = time.time() if now is None else now
    known = list_waivers(browser, now=at)
    return [_gate(browser, suite, known) for suite in browser.workspace.catalog.suites()]


def _gate(browser: Browser, suite: str, known: list[ListedWaiver]) -> GateView:
    done = finished(latest_runs(browser, suite))
    if not done:
        return GateView(suite=suite, problem="no run has finished yet")
    last = done[0]
    try:
        summary = browser.summary(last.run_id)
        record = decision_record(browser.store(last.run_id))
    except EvalwrightError as error:
        return GateView(suite=suite, run_id=last.run_id, target=last.target, problem=error.message)
    decision = summary.decision if summary else None
    return GateView(
        suite=suite,
        run_id=last.run_id,
        target=last.target,
        status=last.status,
        decided_at=record.decided_at if record else None,
        policy=record.policy if record else "",
        decision=decision,
        rules=tuple(rule_name(result.rule) for result in decision.results) if decision else (),
        waivers=tuple(waiver for waiver in known if waiver.run_id == last.run_id),
    )


def list_waivers(browser: Browser, *, now: float | None = None) -> list[ListedWaiver]:
    """All waivers with where they stand, the latest first."""
    at = time.time() if now is None else now
    found = (ListedWaiver(**msgspec.structs.asdict(w), status=w.state(at)) for w in waivers(browser.workspace))
    return sorted(found, key=lambda waiver: -waiver.requested_at)


class Exemption(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody asks for: one rule of one run, for some days."""

    run: str
    rule: str
    reason: str
    expires_days: float
    ticket: str = ""


def ask_waiver(browser: Browser, wanted: Exemption, *, user: str, now: float) -> ListedWaiver:
    """Ask for a waiver; it sets nothing aside before another person agrees.

    Raises:
        UsageError: The run was not decided, has no such rule, or the rule can't be waived.
    """
    request = WaiverRequest(
        rule=wanted.rule,
        reason=wanted.reason,
        lasts_s=wanted.expires_days * DAY_S,
        ticket=wanted.ticket,
        user=user,
        now=now,
    )
    return _shown(request_waiver(browser.workspace, browser.store(wanted.run), request), now)


def settle_waiver(browser: Browser, waiver_id: str, action: str, *, user: str, now: float) -> ListedWaiver:
    """Agree to a waiver or take it back, and decide the run's gate anew.

    A run that was decided by a policy file keeps its decision until `evalwright gate` is run with that file.

    Raises:
        UsageError: There is no such waiver, it is over, or the same person asked for it.
    """
    change = {"approve": approve_waiver, "revoke": revoke_waiver}.get(action)
    if change is None:
        raise UsageError(f"a waiver can't be {action!r}", hint="approve or revoke")
    find_waiver(browser.workspace, waiver_id)
    settled = change(browser.workspace, waiver_id, user=user, now=now)
    with contextlib.suppress(EvalwrightError):  # the waiver stands, whatever became of the run
        run = browser.store(settled.run_id)
        record = decision_record(run)
        if record is not None and not record.policy:
            gate_run(browser.workspace, run, baseline=record.decision.baseline)
    return _shown(settled, now)


def _shown(waiver: Waiver, now: float) -> ListedWaiver:
    return ListedWaiver(**msgspec.structs.asdict(waiver), status=waiver.state(now))

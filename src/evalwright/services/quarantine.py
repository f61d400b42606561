"""Quarantine: cases that are run and shown but decide nothing until they are mended, or until a date."""

from __future__ import annotations

import msgspec

from evalwright.core.errors import UsageError
from evalwright.store.catalog import RunFilter
from evalwright.store.governance import QuarantinedCase, quarantine, save_quarantined
from evalwright.store.workspace import Workspace


class Isolation(msgspec.Struct, frozen=True, kw_only=True):
    """Why and how long a case is set aside.

    Attributes:
        owner: Who looks after it.
        reason: Why.
        lasts_s: Seconds until it counts again.
        user: Who puts it there.
        now: Seconds since the epoch.
    """

    owner: str
    reason: str
    lasts_s: float
    user: str
    now: float


def isolate(workspace: Workspace, suite: str, case_ids: tuple[str, ...], why: Isolation) -> list[QuarantinedCase]:
    """Put cases of a suite into quarantine; one that is there already gets the new owner, reason and date.

    Raises:
        UsageError: The suite has no run, or its latest run has no such case; nothing is changed then.
    """
    if not why.reason.strip() or not why.owner.strip():
        raise UsageError("a case in quarantine needs an owner and a reason", hint="--owner NAME --reason TEXT")
    if why.lasts_s <= 0:
        raise UsageError("a quarantine must last some time", hint="--expires 30d")
    _check_cases(workspace, suite, case_ids)
    made = [
        QuarantinedCase(
            id=f"{suite}/{case_id}",
            suite=suite,
            case_id=case_id,
            owner=why.owner.strip(),
            reason=why.reason.strip(),
            since=round(why.now, 3),
            expires_at=round(why.now + why.lasts_s, 3),
            added_by=why.user,
        )
        for case_id in case_ids
    ]
    for case in made:
        save_quarantined(workspace, case)
    return made


def _check_cases(workspace: Workspace, suite: str, case_ids: tuple[str, ...]) -> None:
    found = workspace.catalog.runs(RunFilter(suite=suite), limit=1)
    if not found:
        known = ", ".join(workspace.catalog.suites()[:5])
        raise UsageError(f"there is no run of the suite {suite!r}", hint=f"the suites are: {known or 'none'}")
    run = workspace.run(found[0].run_id)
    for case_id in case_ids:
        try:
            run.cases.find(case_id)
        except KeyError:
            raise UsageError(f"the suite {suite} has no case {case_id!r}", hint="its latest run counts") from None


def release(workspace: Workspace, suite: str, case_ids: tuple[str, ...], *, user: str, now: float) -> None:
    """Let cases out of quarantine.

    Raises:
        UsageError: One of them is not in it; nothing is changed then.
    """
    known = {case.id: case for case in quarantine(workspace) if case.state(now) == "active"}
    for case_id in case_ids:
        if f"{suite}/{case_id}" not in known:
            raise UsageError(f"the case {case_id!r} of the suite {suite} is not in quarantine")
    for case_id in case_ids:
        case = known[f"{suite}/{case_id}"]
        save_quarantined(workspace, msgspec.structs.replace(case, released_by=user, released_at=round(now, 3)))

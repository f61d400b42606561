"""Waivers: an exception to one rule for one run, asked for by one person and agreed to by another."""

from __future__ import annotations

import secrets

import msgspec

from evalwright.core.errors import NotAllowed, NotFound, UsageError
from evalwright.core.gate import RuleResult, Verdict
from evalwright.gates import rule_name
from evalwright.governance.members import Members
from evalwright.governance.roles import Action
from evalwright.services.gating import decision_record
from evalwright.store.governance import Waiver, save_waiver, waivers
from evalwright.store.results import RunStore
from evalwright.store.workspace import Workspace


class WaiverRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody asks for.

    Attributes:
        rule: The rule, by its name or by its number in the decision, from 1.
        reason: Why.
        lasts_s: Seconds until the waiver ends.
        ticket: Where the remedy is followed up.
        user: Who asks.
        now: Seconds since the epoch.
    """

    rule: str
    reason: str
    lasts_s: float
    user: str
    now: float
    ticket: str = ""


def request_waiver(workspace: Workspace, run: RunStore, request: WaiverRequest) -> Waiver:
    """Ask for a waiver of one rule for one decided run; it sets nothing aside before another person agrees.

    Raises:
        UsageError: The run was not decided, has no such rule, the rule holds or can't be waived, or there is no reason.
    """
    record = decision_record(run)
    if record is None:
        raise UsageError(f"the run {run.run_id} was not decided", hint=f"evalwright gate {run.run_id}")
    result = _chosen(record.decision.results, request.rule)
    name = rule_name(result.rule)
    if not result.rule.waivable:
        raise UsageError(f"the rule `{name}` can't be waived: its policy says so (`waivable: false`)")
    if result.verdict is Verdict.PASS:
        raise UsageError(f"the rule `{name}` is met; there is nothing to waive")
    if not request.reason.strip():
        raise UsageError("a waiver needs a reason", hint='--reason "why this may be released all the same"')
    if request.lasts_s <= 0:
        raise UsageError("a waiver must last some time", hint="--expires 14d")
    made = Waiver(
        id=f"w-{secrets.token_hex(4)}",
        suite=record.suite,
        rule=name,
        policy_hash=record.decision.policy_hash,
        run_id=run.run_id,
        run_digest=record.run_digest,
        reason=request.reason.strip(),
        ticket=request.ticket,
        requested_by=request.user,
        requested_at=round(request.now, 3),
        expires_at=round(request.now + request.lasts_s, 3),
    )
    save_waiver(workspace, made)
    return made


def _chosen(results: tuple[RuleResult, ...], wanted: str) -> RuleResult:
    if wanted.isdigit() and 1 <= int(wanted) <= len(results):
        return results[int(wanted) - 1]
    for result in results:
        if rule_name(result.rule) == wanted:
            return result
    known = "; ".join(f"{place} {rule_name(result.rule)}" for place, result in enumerate(results, start=1))
    raise UsageError(f"the decision has no rule {wanted!r}", hint=f"by number or name: {known}")


def approve_waiver(workspace: Workspace, waiver_id: str, *, user: str, now: float) -> Waiver:
    """Agree to a waiver that somebody else asked for.

    Raises:
        UsageError: There is no such waiver, it is not waiting for anybody, the same person asked for it, or the
            person may not grant exceptions.
    """
    found = find_waiver(workspace, waiver_id)
    if found.state(now) != "requested":
        raise UsageError(f"the waiver {found.id} is {found.state(now)} already")
    if user == found.requested_by:
        raise NotAllowed(
            f"{user} asked for the waiver {found.id} and can't approve it", hint="somebody else must agree"
        )
    Members(workspace).check(user, Action.GRANT_EXCEPTION)
    agreed = msgspec.structs.replace(found, approved_by=user, approved_at=round(now, 3))
    save_waiver(workspace, agreed)
    return agreed


def revoke_waiver(workspace: Workspace, waiver_id: str, *, user: str, now: float) -> Waiver:
    """Take a waiver back.

    Raises:
        UsageError: There is no such waiver, or it has ended already.
    """
    found = find_waiver(workspace, waiver_id)
    if found.state(now) in {"revoked", "expired"}:
        raise UsageError(f"the waiver {found.id} is {found.state(now)} already")
    ended = msgspec.structs.replace(found, revoked_by=user, revoked_at=round(now, 3))
    save_waiver(workspace, ended)
    return ended


def find_waiver(workspace: Workspace, waiver_id: str) -> Waiver:
    """The waiver of this id.

    Raises:
        UsageError: There is none.
    """
    known = waivers(workspace)
    for waiver in known:
        if waiver.id == waiver_id:
            return waiver
    hint = f"there are: {', '.join(waiver.id for waiver in known[-5:])}" if known else "there is none at all"
    raise NotFound(f"there is no waiver {waiver_id!r}", hint=hint)

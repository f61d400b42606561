"""Proposals: a change that waits for somebody else's agreement, with what it would do."""

from __future__ import annotations

import secrets
from typing import Literal

import msgspec

from evalwright.core.errors import UsageError
from evalwright.governance.log import EventLog
from evalwright.governance.roles import Action
from evalwright.store.workspace import Workspace

Kind = Literal["golden", "rubric", "scorer", "gate", "suite"]
State = Literal["open", "approved", "rejected", "withdrawn"]
Comparable = Literal["yes", "in part", "no"]


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """An estimate as a proposal shows it: value, interval and number of cases."""

    value: float | None = None
    low: float | None = None
    high: float | None = None
    n: int = 0


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """How a metric of a past run would move."""

    metric: str
    before: Figure
    after: Figure


class RunMove(msgspec.Struct, frozen=True, kw_only=True):
    """How a past run would look under the change.

    Attributes:
        run_id: The run.
        suite: Its suite.
        moves: Metrics whose figure changes.
        decision: The gate's verdict then; empty without a gate.
        would_be: The verdict under the change.
        rules: Rules whose verdict changes, in words.
    """

    run_id: str
    suite: str
    moves: tuple[Move, ...] = ()
    decision: str = ""
    would_be: str = ""
    rules: tuple[str, ...] = ()


class Touched(msgspec.Struct, frozen=True, kw_only=True):
    """A suite that the change touches.

    Attributes:
        suite: Its name.
        how: In which way.
        file: The suite file, where one was found.
        rules: Rules of its gate that rest on what changes.
        tier: 1 (critical) to 3; None when the suite does not say.
    """

    suite: str
    how: str
    file: str = ""
    rules: tuple[str, ...] = ()
    tier: int | None = None


class Impact(msgspec.Struct, frozen=True, kw_only=True):
    """What a change would do.

    Attributes:
        touched: Suites and rules.
        runs: Past runs, newest first.
        comparable: Whether figures from before and after can be compared.
        meaning: That, in words.
    """

    touched: tuple[Touched, ...] = ()
    runs: tuple[RunMove, ...] = ()
    comparable: Comparable = "yes"
    meaning: str = ""


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """A change and what became of it; each line of the log is the whole state after a step.

    Attributes:
        id: Short id.
        kind: `golden`, `rubric`, `scorer`, `gate` or `suite`.
        subject: What is changed: `tickets@v3`, or a file as it was named.
        title: In a line.
        by: Who proposes it.
        at: Seconds since the epoch.
        reason: Why.
        action: The decision right that agreeing takes, by name.
        owner: Whose the thing is.
        base: What it is compared with: `tickets@v2`, `approved by p-…`, `git HEAD`, a file; empty for nothing.
        before: Digest of the content before; empty for nothing.
        after: Digest of the content after.
        text: The content after, of files.
        diff: The difference, line by line.
        impact: What it would do.
        state: `open`, `approved`, `rejected` or `withdrawn`.
        decided_by: Who ended it.
        decided_at: Seconds since the epoch.
        comment: What they said.
    """

    id: str
    kind: Kind
    subject: str
    title: str
    by: str
    at: float
    reason: str = ""
    action: str = ""
    owner: str | None = None
    base: str = ""
    before: str = ""
    after: str = ""
    text: str = ""
    diff: tuple[str, ...] = ()
    impact: Impact = Impact()
    state: State = "open"
    decided_by: str = ""
    decided_at: float | None = None
    comment: str = ""

    @property
    def right(self) -> Action:
        """The decision right that agreeing takes."""
        return Action(self.action)


def new_id() -> str:
    """An id for a proposal."""
    return f"p-{secrets.token_hex(4)}"


def proposal_log(workspace: Workspace) -> EventLog[Proposal]:
    """The log of a workspace's proposals."""
    return EventLog(workspace, "proposals", Proposal)


def present(records: list[Proposal]) -> dict[str, Proposal]:
    """The present state of each proposal, by id, in the order they were made."""
    return {record.id: record for record in records}


def ended(proposal: Proposal, state: State, *, by: str, at: float, comment: str = "") -> Proposal:
    """A proposal after its last step.

    Raises:
        UsageError: It has ended already, its author would decide on it, or somebody else would withdraw it.
    """
    if proposal.state != "open":
        raise UsageError(f"the proposal {proposal.id} is {proposal.state} already, by {proposal.decided_by}")
    if state == "withdrawn" and by != proposal.by:
        raise UsageError(f"only {proposal.by}, who made {proposal.id}, can withdraw it", hint="reject it instead")
    if state != "withdrawn" and by == proposal.by:
        raise UsageError(f"{by} made {proposal.id} and can't decide on it", hint="somebody else has to; or withdraw it")
    return msgspec.structs.replace(proposal, state=state, decided_by=by, decided_at=at, comment=comment)

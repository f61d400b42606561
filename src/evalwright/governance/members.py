"""Who belongs to a workspace, in which role. Without anybody named, everybody but an author may agree."""

from __future__ import annotations

import msgspec

from evalwright.core.errors import UsageError
from evalwright.governance.log import EventLog
from evalwright.governance.roles import Action, Role, require
from evalwright.store.workspace import Workspace

APPROVALS = ("tier1", "retention", "exceptions")
"""What somebody can be the named approver of."""

NAMED: dict[Action, str] = {
    Action.CHANGE_TIER1_THRESHOLD: "tier1",
    Action.CHANGE_RETENTION: "retention",
    Action.GRANT_EXCEPTION: "exceptions",
}
"""Which named approval an action is under."""


class Member(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A person as the log said it last.

    Attributes:
        name: As `$EVALWRIGHT_USER` has it.
        role: Their role; None for somebody who left.
        teams: Teams whose sets and suites are theirs too.
        approves: What they are the named approver of: `tier1`, `retention`, `exceptions`.
        at: Seconds since the epoch.
        by: Who said so.
    """

    name: str
    role: Role | None
    teams: tuple[str, ...] = ()
    approves: tuple[str, ...] = ()
    at: float = 0.0
    by: str = ""

    def owns(self, owner: str | None) -> bool:
        """Whether a thing of this owner is theirs."""
        return owner is not None and owner in (self.name, *self.teams)


class Members:
    """The people of a workspace.

    Args:
        workspace: Where they are kept.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._log = EventLog(workspace, "members", Member)

    def all(self) -> dict[str, Member]:
        """Everybody who has a role, by name."""
        return _present(self._log.read())

    def set(self, member: Member) -> None:
        """Give somebody a role, or take it away.

        The first one named must be an admin; after that only admins may change who is a member.

        Raises:
            UsageError: The one who does it may not, or no admin would be left.
        """
        unknown = sorted(set(member.approves) - set(APPROVALS))
        if unknown:
            raise UsageError(f"nobody can be named for {unknown[0]!r}", hint=f"there is {', '.join(APPROVALS)}")
        with self._log.writing() as log:
            before = _present(log.records)
            if before:
                require(_role(before, member.by), Action.MANAGE_MEMBERS)
            after = _present([*before.values(), member])
            if not any(one.role is Role.ADMIN for one in after.values()):
                raise UsageError("somebody must be admin", hint="name one first: evalwright proposal member NAME admin")
            log.append(member)

    def check(self, name: str, action: Action, *, owner: str | None = None) -> None:
        """Say no to somebody who may not do this; without any member nobody is refused.

        Args:
            name: Who wants to.
            action: What.
            owner: Whose the thing is.

        Raises:
            UsageError: They are no member, or their role does not suffice.
        """
        people = self.all()
        if people:
            role = _role(people, name)
            require(role, action, owned=people[name].owns(owner), named=_named(people, name, action))


def _present(records: list[Member]) -> dict[str, Member]:
    last = {member.name: member for member in records}
    return {name: member for name, member in last.items() if member.role is not None}


def _role(people: dict[str, Member], name: str) -> Role:
    member = people.get(name)
    if member is None or member.role is None:
        raise UsageError(f"{name} is no member of this workspace", hint=f"members: {', '.join(sorted(people)[:10])}")
    return member.role


def _named(people: dict[str, Member], name: str, action: Action) -> bool | None:
    what = NAMED.get(action)
    named = [member.name for member in people.values() if what in member.approves]
    return name in named if named else None

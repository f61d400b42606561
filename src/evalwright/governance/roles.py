"""Roles and decision rights: which role may do what, in one table that the command line and servers share.

Two rules hold for everybody and are not part of the table: nobody agrees to what they proposed or asked for themselves,
and a refusal names the role that would do.
"""

from __future__ import annotations

import functools
from enum import Enum
from typing import NamedTuple

from evalwright.core.errors import NotAllowed, UsageError


@functools.total_ordering
class Role(Enum):
    """What a person is in a project; later ones may do all that earlier ones may, but for named approvals.

    Example:
        >>> Role.VIEWER < Role.LEAD, max(Role.ENGINEER, Role.REVIEWER).value
        (True, 'engineer')
    """

    VIEWER = "viewer"
    REVIEWER = "reviewer"
    ENGINEER = "engineer"
    LEAD = "lead"
    ADMIN = "admin"

    @property
    def rank(self) -> int:
        """From 0 (viewer) to 4 (admin)."""
        return list(Role).index(self)

    def __lt__(self, other: object) -> bool:
        """Whether this role stands below another."""
        return self.rank < other.rank if isinstance(other, Role) else NotImplemented

    @classmethod
    def named(cls, name: str) -> Role:
        """The role of this name.

        Raises:
            UsageError: There is none.
        """
        try:
            return cls(name.strip().lower())
        except ValueError:
            raise UsageError(f"there is no role {name!r}", hint=f"there is {', '.join(r.value for r in cls)}") from None


class Action(Enum):
    """Something a person wants to do or decide."""

    READ_SCORES = "read_scores"
    READ_TEXTS = "read_texts"
    LABEL = "label"
    ADJUDICATE = "adjudicate"
    RUN = "run"
    PROPOSE = "propose"
    COMMENT = "comment"
    ADD_CASES = "add_cases"
    CHANGE_SUITE = "change_suite"
    MERGE_HARNESS = "merge_harness"
    TRIAGE = "triage"
    REQUEST_EXCEPTION = "request_exception"
    CHANGE_GOLDEN_SET = "change_golden_set"
    CHANGE_RUBRIC = "change_rubric"
    CHANGE_SCORER = "change_scorer"
    CHANGE_GATE = "change_gate"
    CHANGE_TIER1_THRESHOLD = "change_tier1_threshold"
    CHANGE_RETENTION = "change_retention"
    GRANT_EXCEPTION = "grant_exception"
    READ_AUDIT = "read_audit"
    MANAGE_SCHEDULES = "manage_schedules"
    MANAGE_MEMBERS = "manage_members"
    MANAGE_TOKENS = "manage_tokens"
    MANAGE_PROJECT = "manage_project"


class Right(NamedTuple):
    """Who may do one thing.

    Attributes:
        least: The lowest role that may.
        owned: The lowest role that may when the thing (suite, set, schedule, token) is one's own or one's team's.
        named: Whether only the approver named for it may, once somebody is named.
        meaning: In words.
    """

    least: Role
    meaning: str
    owned: Role | None = None
    named: bool = False


RIGHTS: dict[Action, Right] = {
    Action.READ_SCORES: Right(Role.VIEWER, "read figures, decisions and reports without texts"),
    Action.READ_TEXTS: Right(Role.REVIEWER, "read inputs, outputs and other texts of customers", owned=Role.VIEWER),
    Action.COMMENT: Right(Role.REVIEWER, "comment on a proposal or finding"),
    Action.LABEL: Right(Role.REVIEWER, "label outputs"),
    Action.ADJUDICATE: Right(Role.LEAD, "settle disagreements between reviewers", owned=Role.ENGINEER),
    Action.RUN: Right(Role.ENGINEER, "start, stop and resume runs"),
    Action.PROPOSE: Right(Role.REVIEWER, "propose a change; it does nothing before somebody agrees"),
    Action.ADD_CASES: Right(Role.LEAD, "add cases to a set", owned=Role.ENGINEER),
    Action.CHANGE_SUITE: Right(Role.LEAD, "change a suite, its gate aside", owned=Role.ENGINEER),
    Action.MERGE_HARNESS: Right(Role.ENGINEER, "merge changes of the harness: targets, scorers' code, tools"),
    Action.TRIAGE: Right(Role.ENGINEER, "give failures a cause, put cases into quarantine"),
    Action.REQUEST_EXCEPTION: Right(Role.ENGINEER, "ask for a waiver"),
    Action.CHANGE_GOLDEN_SET: Right(Role.LEAD, "approve a version of a golden set"),
    Action.CHANGE_RUBRIC: Right(Role.LEAD, "approve a change of a shared rubric"),
    Action.CHANGE_SCORER: Right(Role.LEAD, "approve another version of a scorer", owned=Role.ENGINEER),
    Action.CHANGE_GATE: Right(Role.LEAD, "approve a new or changed blocking rule of a gate"),
    Action.CHANGE_TIER1_THRESHOLD: Right(Role.LEAD, "approve a threshold of a Tier-1 suite", named=True),
    Action.CHANGE_RETENTION: Right(Role.LEAD, "change how long data is kept, or where", named=True),
    Action.GRANT_EXCEPTION: Right(Role.LEAD, "agree to a waiver", named=True),
    Action.READ_AUDIT: Right(Role.LEAD, "read the audit log"),
    Action.MANAGE_SCHEDULES: Right(Role.LEAD, "schedule runs", owned=Role.ENGINEER),
    Action.MANAGE_TOKENS: Right(Role.ADMIN, "make and revoke access tokens", owned=Role.VIEWER),
    Action.MANAGE_MEMBERS: Right(Role.ADMIN, "say who is a member, and in which role"),
    Action.MANAGE_PROJECT: Right(Role.ADMIN, "make, rename and remove projects, connect other systems"),
}
"""The decision rights, one line an action."""


def may(role: Role, action: Action, *, owned: bool = False, named: bool | None = None) -> bool:
    """Whether somebody of this role may do this.

    Args:
        role: The person's role in the project.
        action: What they want to do.
        owned: Whether the thing is their own or their team's.
        named: Whether they are the approver named for the thing; None when nobody is named. Counts only for
            thresholds of Tier-1 suites, retention and exceptions, where a named approver takes the place of the role;
            any member above viewer can be named.

    Example:
        >>> may(Role.ENGINEER, Action.ADD_CASES, owned=True), may(Role.ENGINEER, Action.ADD_CASES)
        (True, False)
        >>> may(Role.ADMIN, Action.GRANT_EXCEPTION, named=False), may(Role.REVIEWER, Action.GRANT_EXCEPTION, named=True)
        (False, True)
    """
    right = RIGHTS[action]
    if right.named and named is not None:
        return named and role > Role.VIEWER
    return role >= needed(action, owned=owned)


def needed(action: Action, *, owned: bool = False) -> Role:
    """The lowest role that may do this.

    Example:
        >>> needed(Action.CHANGE_GOLDEN_SET).value
        'lead'
    """
    right = RIGHTS[action]
    return right.owned if owned and right.owned is not None else right.least


def require(role: Role, action: Action, *, owned: bool = False, named: bool | None = None) -> None:
    """Say no to those who may not.

    Raises:
        NotAllowed: The role does not suffice; the message names the one that would.
    """
    if may(role, action, owned=owned, named=named):
        return
    right = RIGHTS[action]
    if right.named and named is not None:
        raise NotAllowed(f"only the approver named for it may {right.meaning}")
    raise NotAllowed(
        f"to {right.meaning} takes the role {needed(action, owned=owned).value}, not {role.value}",
        hint="somebody with that role can do it",
    )

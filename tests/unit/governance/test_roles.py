import itertools

import pytest

from evalwright.core.errors import UsageError
from evalwright.governance.roles import RIGHTS, Action, Role, may, needed, require


def test_every_action_has_its_right_and_a_higher_role_never_may_less():
    assert set(RIGHTS) == set(Action)
    for action, owned in itertools.product(Action, [False, True]):
        allowed = [may(role, action, owned=owned) for role in Role]
        assert allowed == sorted(allowed)
        assert allowed[-1]


def test_owning_a_thing_never_takes_a_right_away():
    for action in Action:
        assert needed(action, owned=True) <= needed(action)


@pytest.mark.parametrize(
    ("role", "action", "owned", "allowed"),
    [
        (Role.ENGINEER, Action.ADD_CASES, True, True),
        (Role.ENGINEER, Action.ADD_CASES, False, False),
        (Role.ENGINEER, Action.MERGE_HARNESS, False, True),
        (Role.ENGINEER, Action.CHANGE_RUBRIC, True, False),
        (Role.ENGINEER, Action.CHANGE_GOLDEN_SET, True, False),
        (Role.ENGINEER, Action.CHANGE_GATE, True, False),
        (Role.LEAD, Action.CHANGE_GATE, False, True),
        (Role.LEAD, Action.CHANGE_RUBRIC, False, True),
        (Role.LEAD, Action.MANAGE_MEMBERS, False, False),
        (Role.VIEWER, Action.READ_TEXTS, False, False),
        (Role.REVIEWER, Action.LABEL, False, True),
        (Role.REVIEWER, Action.RUN, False, False),
    ],
)
def test_the_table(role, action, owned, allowed):
    assert may(role, action, owned=owned) is allowed


@pytest.mark.parametrize("action", [Action.CHANGE_TIER1_THRESHOLD, Action.CHANGE_RETENTION, Action.GRANT_EXCEPTION])
def test_a_named_approver_takes_the_place_of_the_role(action):
    assert not may(Role.ADMIN, action, named=False)
    assert may(Role.REVIEWER, action, named=True)
    assert not may(Role.VIEWER, action, named=True)
    assert may(Role.LEAD, action)
    assert not may(Role.ENGINEER, action)
    with pytest.raises(UsageError, match="only the approver named"):
        require(Role.ADMIN, action, named=False)


def test_a_refusal_names_the_role_it_takes():
    with pytest.raises(UsageError, match="takes the role lead, not engineer"):
        require(Role.ENGINEER, Action.CHANGE_GOLDEN_SET)
    require(Role.LEAD, Action.CHANGE_GOLDEN_SET)


def test_roles_are_found_by_name():
    assert Role.named(" Lead ") is Role.LEAD
    with pytest.raises(UsageError, match="there is no role 'boss'"):
        Role.named("boss")
    assert sorted([Role.ADMIN, Role.VIEWER, Role.LEAD]) == [Role.VIEWER, Role.LEAD, Role.ADMIN]

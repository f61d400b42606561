import pytest

from evalwright.core.errors import UsageError
from evalwright.governance.members import Member, Members
from evalwright.governance.roles import Action, Role
from evalwright.store.workspace import Workspace


@pytest.fixture
def members(tmp_path):
    found = Members(Workspace.open(tmp_path / "ws"))
    found.set(Member(name="ann", role=Role.ADMIN, by="ann"))
    return found


def test_without_members_nobody_is_refused(tmp_path):
    Members(Workspace.open(tmp_path / "ws")).check("anybody", Action.MANAGE_PROJECT)


def test_the_first_one_must_be_admin_and_one_must_stay(tmp_path, members):
    with pytest.raises(UsageError, match="somebody must be admin"):
        Members(Workspace.open(tmp_path / "other")).set(Member(name="bob", role=Role.LEAD, by="bob"))
    with pytest.raises(UsageError, match="somebody must be admin"):
        members.set(Member(name="ann", role=None, by="ann"))
    assert members.all()["ann"].role is Role.ADMIN


def test_only_admins_name_members(members):
    members.set(Member(name="bob", role=Role.LEAD, by="ann"))
    for by in ("bob", "carl"):
        with pytest.raises(UsageError, match=r"takes the role admin|no member"):
            members.set(Member(name="bob", role=Role.ADMIN, by=by))


def test_roles_and_ownership_decide(members):
    members.set(Member(name="eve", role=Role.ENGINEER, teams=("support",), by="ann"))
    members.check("eve", Action.ADD_CASES, owner="support")
    members.check("eve", Action.ADD_CASES, owner="eve")
    for owner in ("sales", None):
        with pytest.raises(UsageError, match="takes the role lead, not engineer"):
            members.check("eve", Action.ADD_CASES, owner=owner)
    with pytest.raises(UsageError, match="is no member"):
        members.check("stranger", Action.READ_SCORES)
    members.set(Member(name="eve", role=None, by="ann"))
    with pytest.raises(UsageError, match="is no member"):
        members.check("eve", Action.RUN)


def test_a_named_approver_takes_the_place_of_all_others(members):
    members.set(Member(name="rita", role=Role.REVIEWER, approves=("tier1",), by="ann"))
    members.check("rita", Action.CHANGE_TIER1_THRESHOLD)
    with pytest.raises(UsageError, match="only the approver named"):
        members.check("ann", Action.CHANGE_TIER1_THRESHOLD)
    members.check("ann", Action.GRANT_EXCEPTION)
    with pytest.raises(UsageError, match="nobody can be named for 'all'"):
        members.set(Member(name="rita", role=Role.REVIEWER, approves=("all",), by="ann"))

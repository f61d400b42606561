"""Projects and their members."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from evalwright.core.errors import NotFound
from evalwright.server.deps import Admin, AdminProject, Reader, State, ViewerProject
from evalwright.server.routes.session import MyProject, session_info
from evalwright.server.wire import Body, Page, Wire
from evalwright.services.auditing import AuditEvent, record
from evalwright.store.accounts import Member

router = APIRouter(prefix="/projects", tags=["projects"])


class ProjectBody(Body):
    """A new project."""

    name: Annotated[str, Field(max_length=63)]
    title: Annotated[str, Field(max_length=200)] = ""


class MemberBody(Body):
    """The role of a member."""

    role: Annotated[str, Field(max_length=20, description="viewer, reviewer, engineer, lead or admin")]


class MemberInfo(Wire):
    """Who has which role."""

    project: str
    username: str
    role: str
    added_at: float
    added_by: str


@router.get("")
def list_projects(who: Reader, state: State) -> Page[MyProject]:
    """Projects one may see, with one's role."""
    only = who.token.project if who.token else None
    found = [one for one in session_info(state, who.user, None).projects if only in {None, one.name}]
    return Page[MyProject](items=found, total=len(found))


@router.post("", status_code=201)
def add_project(body: ProjectBody, who: Admin, state: State) -> MyProject:
    """Make a project; it has no members yet."""
    made = state.accounts.add_project(body.name, body.title, by=who.username, now=state.now())
    event = AuditEvent(actor=who.username, action="project.add", project=made.name, subject=made.name)
    record(state.places.root, event, now=state.now())
    return MyProject(name=made.name, title=made.title, role="admin")


@router.get("/{project}/members")
def list_members(project: ViewerProject, state: State) -> Page[MemberInfo]:
    """Who is a member, in which role."""
    found = [MemberInfo.model_validate(member) for member in state.accounts.people.members(project.name)]
    return Page[MemberInfo](items=found, total=len(found))


@router.put("/{project}/members/{username}")
def set_member(username: str, body: MemberBody, project: AdminProject, state: State) -> MemberInfo:
    """Make somebody a member, or change their role."""
    wanted = Member(
        project=project.name,
        username=username,
        role=body.role,
        added_at=state.now(),
        added_by=project.username,
    )
    made = state.accounts.set_member(wanted)
    project.audit("member.set", username, role=body.role)
    return MemberInfo.model_validate(made)


@router.delete("/{project}/members/{username}", status_code=204)
def remove_member(username: str, project: AdminProject, state: State) -> None:
    """Take somebody out of a project."""
    if not state.accounts.people.remove_member(project.name, username):
        raise NotFound(f"{username!r} is no member of {project.name}")
    project.audit("member.remove", username)

"""What routes depend on: who asks, and the project they ask about.

```python
@router.get("/runs")
def runs(project: ViewerProject) -> …:            # a member, whatever the role
@router.post("/queues")
def add(project: EngineerProject) -> …:           # an engineer or more
Submitter = Annotated[ProjectContext, Depends(project_of("reviewer", scope="review"))]
```
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Depends, Path, Request

from evalwright.core.errors import NotAllowed, NotFound
from evalwright.governance.roles import Action, Role, may, needed
from evalwright.server.access.principal import SAFE, Principal, principal
from evalwright.server.errors import Problem
from evalwright.server.state import ServerState, state_of
from evalwright.services.accounts import Accounts
from evalwright.services.auditing import AuditEvent, record
from evalwright.store.workspace import Workspace

SignedIn = Annotated[Principal, Depends(principal)]
State = Annotated[ServerState, Depends(state_of)]


class ProjectContext:
    """A project, and somebody who may do something in it.

    Attributes:
        name: Name of the project.
        role: What they are in it.
        principal: Who.
        state: The server.
    """

    def __init__(self, *, name: str, role: Role, principal: Principal, state: ServerState) -> None:
        self.name = name
        self.role = role
        self.principal = principal
        self.state = state

    @property
    def workspace(self) -> Workspace:
        """The project's workspace."""
        return self.state.places.workspace(self.name)

    @property
    def username(self) -> str:
        """Who acts; what waivers, labels and approvals are signed with."""
        return self.principal.username

    def may(self, action: Action, *, owned: bool = False) -> bool:
        """Whether they may do this here; see `governance.roles`."""
        return may(self.role, action, owned=owned)

    def require(self, action: Action, *, owned: bool = False) -> None:
        """Say no unless they may do this here.

        Raises:
            NotAllowed: They may not.
        """
        if not self.may(action, owned=owned):
            raise NotAllowed(f"this takes the role {needed(action, owned=owned).value} in {self.name}")

    def audit(self, action: str, subject: str, **detail: Any) -> None:
        """Write into the server's audit log what was done."""
        event = AuditEvent(actor=self.username, action=action, project=self.name, subject=subject, detail=detail)
        record(self.state.places.root, event, now=self.state.now())


def project_of(role: str, *, scope: str | None = None) -> Callable[..., ProjectContext]:
    """A dependency: the project of the address, for members of at least this role.

    Args:
        role: `viewer`, `reviewer`, `engineer`, `lead` or `admin`.
        scope: What a token must be good for; by default `read` for safe methods, else `review` for reviewers' routes,
            `admin` for admins', and `write`.
    """
    least = Role.named(role)

    def project_context(
        request: Request,
        who: SignedIn,
        project: Annotated[str, Path(min_length=1, max_length=63, description="Name of the project.")],
    ) -> ProjectContext:
        state = state_of(request)
        held = _role_in(state.accounts, project, who)
        _check_scope(who, scope or _scope_for(request.method, least))
        if held < least:
            raise NotAllowed(f"this takes the role {least.value} in {project}; yours is {held.value}")
        return ProjectContext(name=project, role=held, principal=who, state=state)

    return project_context


def _role_in(accounts: Accounts, project: str, who: Principal) -> Role:
    """What somebody is in a project; one they may not see does not exist for them."""
    held = accounts.role(project, who.user) if accounts.project(project) else None
    if held is None or (who.token is not None and who.token.project not in {None, project}):
        raise NotFound(f"there is no project {project!r}", hint="or you are no member of it")
    return held


def _scope_for(method: str, least: Role) -> str:
    if least is Role.ADMIN:
        return "admin"
    if method in SAFE:
        return "read"
    return "review" if least is Role.REVIEWER else "write"


def _check_scope(who: Principal, scope: str) -> None:
    if not who.has_scope(scope):
        raise Problem(403, "scope", f"this token is not good for `{scope}`", hint="make one with that scope")


def scoped(scope: str) -> Callable[..., Principal]:
    """A dependency outside of projects: anybody who is signed in, with a token of this scope."""

    def with_scope(who: SignedIn) -> Principal:
        _check_scope(who, scope)
        if scope == "metrics" and not who.user.admin:
            raise NotAllowed("only an admin of the server sees figures of all projects")
        if who.token is not None and who.token.project is not None and scope != "read":
            raise NotAllowed("this token is for one project only")
        return who

    return with_scope


def server_admin(who: Annotated[Principal, Depends(scoped("admin"))]) -> Principal:
    """A dependency: somebody who looks after the server.

    Raises:
        NotAllowed: They don't.
    """
    if not who.user.admin:
        raise NotAllowed("only an admin of the server may do this")
    return who


Reader = Annotated[Principal, Depends(scoped("read"))]
Admin = Annotated[Principal, Depends(server_admin)]
Viewer = Depends(project_of("viewer"))
ViewerProject = Annotated[ProjectContext, Depends(project_of("viewer"))]
ReviewerProject = Annotated[ProjectContext, Depends(project_of("reviewer"))]
EngineerProject = Annotated[ProjectContext, Depends(project_of("engineer"))]
LeadProject = Annotated[ProjectContext, Depends(project_of("lead"))]
AdminProject = Annotated[ProjectContext, Depends(project_of("admin"))]

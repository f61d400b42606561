"""Saved views: a page's state under a name, for oneself or all members."""

from __future__ import annotations

import secrets
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field

from evalwright.governance.roles import Role
from evalwright.server.deps import ViewerProject
from evalwright.server.wire import Body, Page, model_of
from evalwright.store.views import View

router = APIRouter(prefix="/views", tags=["views"])


class ViewBody(Body):
    """A view to save."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    page: Annotated[str, Field(min_length=1, max_length=64)]
    query: Annotated[str, Field(max_length=8000)] = ""
    shared: bool = False


class ViewChange(Body):
    """What is to change; what is left out stays."""

    name: Annotated[str | None, Field(min_length=1, max_length=200)] = None
    query: Annotated[str | None, Field(max_length=8000)] = None
    shared: bool | None = None


@router.get("", response_model=Page[model_of(View)])  # type: ignore[misc]
def list_views(project: ViewerProject) -> Any:
    """One's own views and those others shared, by name."""
    found = project.state.views.seen_by(project.name, project.username)
    return {"items": found, "total": len(found)}


@router.post("", status_code=201, response_model=model_of(View))
def add_view(body: ViewBody, project: ViewerProject) -> Any:
    """Save a view."""
    view = View(
        id=f"v-{secrets.token_hex(5)}", project=project.name, owner=project.username,
        created_at=project.state.now(), **body.model_dump(),
    )  # fmt: skip
    project.state.views.add(view)
    return view


@router.patch("/{view_id}", response_model=model_of(View))
def change_view(view_id: str, body: ViewChange, project: ViewerProject) -> Any:
    """Change a view of one's own."""
    values = {name: value for name, value in body.model_dump().items() if value is not None}
    return project.state.views.change(project.name, project.username, view_id, values)


@router.delete("/{view_id}", status_code=204)
def remove_view(view_id: str, project: ViewerProject) -> None:
    """Forget a view of one's own; leads forget anybody's."""
    owner = None if project.role >= Role.LEAD else project.username
    project.state.views.remove(project.name, view_id, owner=owner)

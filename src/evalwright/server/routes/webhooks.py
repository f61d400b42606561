"""Where a project's events are told: webhooks, Slack, Teams, e-mail, and what became of each delivery."""

from __future__ import annotations

import secrets
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter
from pydantic import Field

from evalwright.server.deps import AdminProject, LeadProject
from evalwright.server.wire import Body, Page, PageSize, Wire, model_of
from evalwright.services.notifying import Event, checked, deliver_due, publish
from evalwright.store.webhooks import Delivery, Webhook

router = APIRouter(prefix="/webhooks", tags=["webhooks"])
_SHOWN = 24


class WebhookBody(Body):
    """A webhook as it should be."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    kind: Annotated[str, Field(max_length=16, description="webhook, slack, teams or email")]
    address: Annotated[str, Field(min_length=1, max_length=2000, description="URL, ${NAME}, or e-mail addresses.")]
    secret: Annotated[str, Field(max_length=200, description="${NAME}, a variable of the server.")] = ""
    events: Annotated[list[str], Field(min_length=1, max_length=20)]
    enabled: bool = True


class WebhookChange(Body):
    """What is to change; what is left out stays."""

    name: Annotated[str | None, Field(min_length=1, max_length=200)] = None
    address: Annotated[str | None, Field(min_length=1, max_length=2000)] = None
    secret: Annotated[str | None, Field(max_length=200)] = None
    events: Annotated[list[str] | None, Field(min_length=1, max_length=20)] = None
    enabled: bool | None = None


class Queued(Wire):
    """How many deliveries were queued, and how many attempted at once."""

    queued: int
    attempted: int


@router.get("", response_model=Page[model_of(Webhook)])  # type: ignore[misc]
def list_webhooks(project: LeadProject) -> Any:
    """Webhooks by name; of addresses that hold a secret only the beginning is shown."""
    found = [_shown(hook) for hook in project.state.webhooks.of_project(project.name)]
    return {"items": found, "total": len(found)}


@router.post("", status_code=201, response_model=model_of(Webhook))
def add_webhook(body: WebhookBody, project: AdminProject) -> Any:
    """Tell events somewhere."""
    values = body.model_dump()
    values["events"] = tuple(values["events"])
    bare = Webhook(
        id=f"h-{secrets.token_hex(5)}", project=project.name, created_by=project.username,
        created_at=project.state.now(), **values,
    )  # fmt: skip
    webhook = checked(bare, project.state.outbox)
    project.state.webhooks.add(webhook)
    project.audit("webhook.add", webhook.id, kind=webhook.kind, name=webhook.name, events=webhook.events)
    return _shown(webhook)


@router.patch("/{webhook_id}", response_model=model_of(Webhook))
def change_webhook(webhook_id: str, body: WebhookChange, project: AdminProject) -> Any:
    """Change a webhook."""
    before = project.state.webhooks.get(project.name, webhook_id)
    values = {name: value for name, value in body.model_dump().items() if value is not None}
    if "events" in values:
        values["events"] = tuple(values["events"])
    webhook = checked(msgspec.structs.replace(before, **values), project.state.outbox)
    project.state.webhooks.change(webhook)
    project.audit("webhook.change", webhook.id, changed=sorted(values))
    return _shown(webhook)


@router.delete("/{webhook_id}", status_code=204)
def remove_webhook(webhook_id: str, project: AdminProject) -> None:
    """Forget a webhook and its deliveries."""
    project.state.webhooks.remove(project.name, webhook_id)
    project.audit("webhook.remove", webhook_id)


@router.post("/{webhook_id}/test", status_code=202)
def test_webhook(webhook_id: str, project: AdminProject) -> Queued:
    """Send a test event at once."""
    state = project.state
    webhook = state.webhooks.get(project.name, webhook_id)
    event = Event(type="test", project=project.name, at=state.now(), title=f"A test, asked for by {project.username}")
    queued = publish(state.webhooks, event, only=webhook.id)
    project.audit("webhook.test", webhook.id)
    return Queued(queued=queued, attempted=deliver_due(state.webhooks, state.outbox, now=state.now()))


@router.get("/{webhook_id}/deliveries", response_model=Page[model_of(Delivery)])  # type: ignore[misc]
def list_deliveries(webhook_id: str, project: LeadProject, limit: PageSize = 50) -> Any:
    """Deliveries, newest first, with what became of each."""
    webhook = project.state.webhooks.get(project.name, webhook_id)
    return {"items": project.state.webhooks.deliveries(webhook.id, limit=limit)}


def _shown(webhook: Webhook) -> Webhook:
    """Addresses of Slack and Teams are secrets themselves: whoever has one can post there."""
    secret = webhook.kind in {"slack", "teams"} and not webhook.address.startswith("${")
    return msgspec.structs.replace(webhook, address=f"{webhook.address[:_SHOWN]}…") if secret else webhook

"""Events told elsewhere: signed webhooks, Slack, Teams, e-mail; attempts again with growing pauses, each noted."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Mapping
from email.message import EmailMessage
from email.utils import formatdate, parseaddr
from typing import Any
from urllib.parse import unquote, urlsplit

import msgspec

from evalwright.core.errors import EvalwrightError, UsageError
from evalwright.models.secrets import references, resolve_secret
from evalwright.services.outgoing import Call, Forbidden, OutgoingError, check_url, send
from evalwright.store.webhooks import Delivery, Webhook, WebhookStore

EVENTS = ("gate.changed", "waiver.expiring", "run.finished", "set.stale")
KINDS = ("webhook", "slack", "teams", "email")
PAUSES_S = (10.0, 60.0, 300.0, 1800.0, 7200.0, 21_600.0, 43_200.0)
"""Pause after the first, second, … failed attempt; after the last one the delivery is given up."""

CLAIM_S = 120.0
_COLOURS = {"pass": "Good", "fail": "Attention", "inconclusive": "Warning"}
_ADDRESS = re.compile(r"[^@\s,;<>\"]{1,64}@[A-Za-z0-9.-]{1,253}")


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something people want to hear of.

    Attributes:
        type: One of `EVENTS`, or `test`.
        project: In which project.
        at: Seconds since the epoch.
        title: One line.
        text: A few more; never a customer's text.
        data: For programs.
        path: Page of the server that shows more.
    """

    type: str
    project: str
    at: float
    title: str
    text: str = ""
    data: dict[str, Any] = {}
    path: str = ""


class Outbox(msgspec.Struct, frozen=True, kw_only=True):
    """How a server reaches out.

    Attributes:
        url: The server's own address, for links.
        private: Whether addresses in private networks are allowed.
        smtp: `smtp://user:${PASSWORD}@host:587` or `smtps://…`; empty for no e-mail.
        sender: From whom e-mail comes.
        environment: Variables that references name.
    """

    url: str = ""
    private: bool = False
    smtp: str = ""
    sender: str = "evalwright@localhost"
    environment: Mapping[str, str] = os.environ


def checked(webhook: Webhook, outbox: Outbox) -> Webhook:
    """A webhook that can be.

    Raises:
        UsageError: Its kind, events, address or secret won't do.
    """
    unknown = sorted(set(webhook.events) - set(EVENTS))
    if unknown or not webhook.events:
        raise UsageError(f"there is no event {', '.join(unknown) or 'named'}", hint=f"there is {', '.join(EVENTS)}")
    if webhook.kind not in KINDS:
        raise UsageError(f"there is no kind {webhook.kind!r}", hint=f"there is {', '.join(KINDS)}")
    if webhook.kind == "email":
        _recipients(webhook)
        if not outbox.smtp:
            raise UsageError("the server sends no e-mail", hint="evalwright serve --smtp smtp://host:587")
    elif not references(webhook.address):
        check_url(webhook.address)
    if webhook.secret and not references(webhook.secret):
        raise UsageError("the secret must be a reference", hint="${NAME}, a variable of the server")
    if webhook.kind == "webhook" and not webhook.secret:
        raise UsageError(
            "a webhook needs a secret its bodies are signed with", hint="${NAME}, a variable of the server"
        )
    return webhook


def publish(store: WebhookStore, event: Event, *, only: str | None = None) -> int:
    """Queue an event for every webhook of its project that wants it; for how many.

    Args:
        store: Webhooks and deliveries.
        event: The event.
        only: Id of the one webhook that is to hear of it, whatever it asked for.
    """
    wanted = [
        hook
        for hook in store.of_project(event.project)
        if (hook.id == only if only is not None else hook.enabled and event.type in hook.events)
    ]
    payload = msgspec.json.encode(event).decode()
    store.enqueue([
        Delivery(
            id=secrets.token_hex(12),
            webhook_id=hook.id,
            event=event.type,
            payload=payload,
            next_at=event.at,
            created_at=event.at,
        )
        for hook in wanted
    ])  # fmt: skip
    return len(wanted)


def deliver_due(store: WebhookStore, outbox: Outbox, *, now: float, limit: int = 50) -> int:
    """Attempt every delivery that is due; how many attempts there were."""
    claimed = store.claim(now, lasts_s=CLAIM_S, limit=limit)
    for delivery, webhook in claimed:
        _attempt(store, outbox, delivery, webhook, now)
    return len(claimed)


def _attempt(store: WebhookStore, outbox: Outbox, delivery: Delivery, webhook: Webhook, now: float) -> None:
    status, after, problem, final = None, None, "", False
    try:
        status, after = _sent(outbox, delivery, webhook, now)
        problem = "" if status is None or 200 <= status < 300 else f"answered {status}"
        final = status in {400, 401, 403, 404, 405, 410}
    except Forbidden as error:
        problem, final = error.message, True
    except (EvalwrightError, OSError) as error:
        problem = error.message if isinstance(error, EvalwrightError) else f"{type(error).__name__}: {error}"
    if not problem:
        store.settle(delivery.id, state="delivered", status=status, error="", finished_at=now)
    elif final or delivery.attempts > len(PAUSES_S):
        store.settle(delivery.id, state="failed", status=status, error=problem[:1000], finished_at=now)
    else:
        pause = max(PAUSES_S[delivery.attempts - 1], min(after or 0.0, 86_400.0))
        store.settle(delivery.id, status=status, error=problem[:1000], next_at=now + pause)


def _sent(outbox: Outbox, delivery: Delivery, webhook: Webhook, now: float) -> tuple[int | None, float | None]:
    event = msgspec.json.decode(delivery.payload, type=Event)
    if webhook.kind == "email":
        send_mail(outbox, mail(outbox, webhook, event, delivery.id))
        return None, None
    body = msgspec.json.encode(_BODIES[webhook.kind](event, outbox, delivery.id))
    headers = {"Content-Type": "application/json", "User-Agent": "Evalwright", "X-Evalwright-Event": event.type}
    headers["X-Evalwright-Delivery"] = delivery.id
    if webhook.secret:
        secret = resolve_secret(webhook.secret, outbox.environment, key="secret").reveal()
        headers |= signature_headers(secret, body, now)
    address = webhook.address
    if references(address):
        address = resolve_secret(address, outbox.environment, key="address").reveal()
    answer = send(Call(url=address, method="POST", body=body, headers=headers, private=outbox.private))
    return answer.status, answer.retry_after_s


def signature_headers(secret: str, body: bytes, now: float) -> dict[str, str]:
    """Headers that prove a body is ours and new: HMAC-SHA256 over `TIMESTAMP.BODY`.

    Example:
        >>> signature_headers("s", b"{}", 1_800_000_000.5)["X-Evalwright-Timestamp"]
        '1800000000'
    """
    stamp = str(int(now))
    mac = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return {"X-Evalwright-Timestamp": stamp, "X-Evalwright-Signature": f"v1={mac}"}


def _plain_body(event: Event, outbox: Outbox, delivery_id: str) -> dict[str, Any]:
    return {"id": delivery_id, **msgspec.to_builtins(event), "url": _link(event, outbox)}


def _slack_body(event: Event, outbox: Outbox, _delivery_id: str) -> dict[str, Any]:
    link = _link(event, outbox)
    lines = [f"*{_slack_text(event.title)}*", _slack_text(event.text), f"<{_slack_text(link)}|Open>" if link else ""]
    return {"text": "\n".join(line for line in lines if line)}


def _slack_text(text: str) -> str:
    """Nothing in it mentions anybody or becomes a link: Slack's three special letters are escaped."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _teams_body(event: Event, outbox: Outbox, _delivery_id: str) -> dict[str, Any]:
    colour = _COLOURS.get(str(event.data.get("verdict")), "Default")
    blocks: list[dict[str, Any]] = [
        {"type": "TextBlock", "text": _flat(event.title), "weight": "Bolder", "wrap": True, "color": colour}
    ]
    if event.text:
        blocks.append({"type": "TextBlock", "text": _flat(event.text), "wrap": True})
    card: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": blocks,
    }
    link = _link(event, outbox)
    if link:
        card["actions"] = [{"type": "Action.OpenUrl", "title": "Open", "url": link}]
    content = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
    return {"type": "message", "attachments": [content]}


def _flat(text: str) -> str:
    """Text without the marks that Teams would read as Markdown."""
    return re.sub(r"([\\`*_\[\]()#<>!|])", r"\\\1", text)


_BODIES = {"webhook": _plain_body, "slack": _slack_body, "teams": _teams_body}


def _link(event: Event, outbox: Outbox) -> str:
    return f"{outbox.url.rstrip('/')}{event.path}" if outbox.url and event.path else ""


def mail(outbox: Outbox, webhook: Webhook, event: Event, delivery_id: str) -> EmailMessage:
    """An event as an e-mail of plain text."""
    message = EmailMessage()
    message["Subject"] = " ".join(f"[{event.project}] {event.title}".split())[:200]
    message["From"] = outbox.sender
    message["To"] = ", ".join(_recipients(webhook))
    message["Date"] = formatdate(event.at)
    message["Message-ID"] = f"<{delivery_id}@{parseaddr(outbox.sender)[1].rpartition('@')[2] or 'localhost'}>"
    message["Auto-Submitted"] = "auto-generated"
    link = _link(event, outbox)
    message.set_content("\n\n".join(part for part in (event.title, event.text, link) if part) + "\n")
    return message


def _recipients(webhook: Webhook) -> list[str]:
    found = [one.strip() for one in webhook.address.split(",") if one.strip()]
    wrong = [one for one in found if not _ADDRESS.fullmatch(one)]
    if wrong or not found or len(found) > 50:
        raise UsageError(
            f"{', '.join(wrong) or 'nothing'} is no e-mail address", hint="ada@example.org, bob@example.org"
        )
    return found


def send_mail(outbox: Outbox, message: EmailMessage) -> None:
    """Give a message to the server's SMTP host, encrypted where the host can.

    Raises:
        OutgoingError: The host does not take it.
    """
    import smtplib
    import ssl

    parts = urlsplit(outbox.smtp)
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
        raise OutgoingError("the server's SMTP host is not set up", hint="--smtp smtp://host:587")
    context = ssl.create_default_context()
    kind: Any = smtplib.SMTP
    options: dict[str, Any] = {"timeout": 20}
    if parts.scheme == "smtps":
        kind, options = smtplib.SMTP_SSL, {"timeout": 20, "context": context}
    try:
        with kind(parts.hostname, parts.port or (465 if parts.scheme == "smtps" else 25), **options) as host:
            if parts.scheme == "smtp" and host.has_extn("starttls") is False:
                host.ehlo()
            if parts.scheme == "smtp" and host.has_extn("starttls"):
                host.starttls(context=context)
                host.ehlo()
            if parts.username:
                password = unquote(parts.password or "")
                if references(password):
                    password = resolve_secret(password, outbox.environment, key="smtp").reveal()
                host.login(unquote(parts.username), password)
            host.send_message(message)
    except (smtplib.SMTPException, OSError) as error:
        raise OutgoingError(f"{parts.hostname} took no e-mail: {error}") from error

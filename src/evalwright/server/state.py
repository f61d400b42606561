"""What a running server has at hand."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from fastapi import Request

from evalwright.server.limits import RateLimit
from evalwright.server.places import Places
from evalwright.server.settings import ServerSettings
from evalwright.services.accounts import Accounts
from evalwright.services.notifying import Outbox
from evalwright.services.oidc import Oidc, check_provider
from evalwright.store.schedules import ScheduleStore
from evalwright.store.views import ViewStore
from evalwright.store.webhooks import WebhookStore

if TYPE_CHECKING:
    from evalwright.server.background import Background


class ServerState:
    """Settings, workspaces, accounts and limits of one server process.

    Attributes:
        settings: How it is set up.
        places: Workspaces of the projects.
        accounts: Users, sessions, tokens, members.
        now: Seconds since the epoch.
        schedules: Schedules and what became of each time.
        webhooks: Webhooks and deliveries.
        views: Saved views.
        outbox: How events are told elsewhere.
        background: What the server does by itself; None where it does nothing.
        oidc: Places to sign in at, by id.
        requests: How fast users and tokens may ask.
        sign_ins: How fast an address may try to sign in.
    """

    def __init__(self, settings: ServerSettings, *, now: Callable[[], float] = time.time) -> None:
        limits = settings.limits
        self.settings = settings
        self.now = now
        self.places = Places(settings)
        engine = self.places.root.catalog.engine
        self.schedules = ScheduleStore(engine)
        self.webhooks = WebhookStore(engine)
        self.views = ViewStore(engine)
        self.outbox = Outbox(
            url=settings.public_url or "",
            private=settings.allow_private,
            smtp=settings.smtp,
            sender=settings.sender,
        )
        self.background: Background | None = None
        self.accounts = Accounts(engine, sessions=settings.sessions, locks=settings.locks)
        for provider in settings.oidc:
            check_provider(provider)
        self.oidc = {provider.id: Oidc(provider) for provider in settings.oidc}
        self.requests = RateLimit(per_min=limits.requests_per_min, burst=limits.burst)
        self.sign_ins = RateLimit(per_min=limits.sign_ins_per_min, burst=max(1, round(limits.sign_ins_per_min)))

    def begin(self, *, every_s: float) -> None:
        """Begin what a server does by itself: schedules, deliveries, looking round."""
        from evalwright.server.background import Background

        self.background = Background(self, every_s=every_s)
        self.background.start()

    def close(self) -> None:
        """End what goes on by itself, and close the databases."""
        if self.background is not None:
            self.background.stop()
        self.places.close()


def state_of(request: Request) -> ServerState:
    """The state of the server that got a request."""
    state: ServerState = request.app.state.server
    return state

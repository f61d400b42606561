"""What a running server has at hand."""

from __future__ import annotations

import time
from collections.abc import Callable

from fastapi import Request

from evalwright.server.limits import RateLimit
from evalwright.server.places import Places
from evalwright.server.settings import ServerSettings
from evalwright.services.accounts import Accounts
from evalwright.services.oidc import Oidc, check_provider


class ServerState:
    """Settings, workspaces, accounts and limits of one server process.

    Attributes:
        settings: How it is set up.
        places: Workspaces of the projects.
        accounts: Users, sessions, tokens, members.
        now: Seconds since the epoch.
        oidc: Places to sign in at, by id.
        requests: How fast users and tokens may ask.
        sign_ins: How fast an address may try to sign in.
    """

    def __init__(self, settings: ServerSettings, *, now: Callable[[], float] = time.time) -> None:
        limits = settings.limits
        self.settings = settings
        self.now = now
        self.places = Places(settings)
        self.accounts = Accounts(self.places.root.catalog.engine, sessions=settings.sessions, locks=settings.locks)
        for provider in settings.oidc:
            check_provider(provider)
        self.oidc = {provider.id: Oidc(provider) for provider in settings.oidc}
        self.requests = RateLimit(per_min=limits.requests_per_min, burst=limits.burst)
        self.sign_ins = RateLimit(per_min=limits.sign_ins_per_min, burst=max(1, round(limits.sign_ins_per_min)))

    def close(self) -> None:
        """Close the databases."""
        self.places.close()


def state_of(request: Request) -> ServerState:
    """The state of the server that got a request."""
    state: ServerState = request.app.state.server
    return state

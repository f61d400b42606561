"""The cookie of a session."""

from __future__ import annotations

from fastapi import Response

from evalwright.server.access.principal import COOKIE
from evalwright.server.state import ServerState


def set_cookie(response: Response, state: ServerState, value: str) -> None:
    """Give a browser its session: not for scripts, not for other sites, only over https where that is used."""
    response.set_cookie(
        COOKIE,
        value,
        max_age=int(state.settings.sessions.lasts_s),
        path="/",
        secure=state.settings.secure,
        httponly=True,
        samesite="lax",
    )


def drop_cookie(response: Response, state: ServerState) -> None:
    """Take a browser's session away."""
    response.delete_cookie(COOKIE, path="/", secure=state.settings.secure, httponly=True, samesite="lax")

"""Who acts: the name that waivers and quarantined cases are signed with."""

from __future__ import annotations

import getpass
import os

from evalwright.core.errors import UsageError

VARIABLE = "EVALWRIGHT_USER"


def user_name(given: str | None = None) -> str:
    """The name given, else `$EVALWRIGHT_USER`, else the system's name of the user.

    Raises:
        UsageError: There is none.
    """
    name = given or os.environ.get(VARIABLE, "")
    if not name:
        try:
            name = getpass.getuser()
        except (OSError, KeyError):
            name = ""
    if not name.strip():
        raise UsageError("nobody knows who you are", hint=f"set ${VARIABLE} to your name")
    return name.strip()

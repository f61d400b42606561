"""Who acts: the name that waivers and quarantined cases are signed with."""

from __future__ import annotations

import getpass
import os

from evalwright.core.errors import UsageError

VARIABLES = ("EVALWRIGHT_USER", "EVALWRIGHT_AUTHOR")
"""Variables that may say it, the first that is set; the second is also what golden sets go by."""


def user_name(given: str | None = None) -> str:
    """The name given, else `$EVALWRIGHT_USER` or `$EVALWRIGHT_AUTHOR`, else the system's name of the user.

    Raises:
        UsageError: There is none.
    """
    name = given or next((os.environ[key] for key in VARIABLES if os.environ.get(key)), "")
    if not name:
        try:
            name = getpass.getuser()
        except (OSError, KeyError):
            name = ""
    if not name.strip():
        raise UsageError("nobody knows who you are", hint=f"set ${VARIABLES[0]} to your name")
    return name.strip()

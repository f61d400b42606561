"""Originals put back, by whoever holds the file that has them."""

from __future__ import annotations

from collections.abc import Mapping

from evalwright.datasets.redaction.redactor import STAND_IN


def restore(text: str, originals: Mapping[str, str]) -> str:
    """A text with its originals; stand-ins that are not known stay.

    A number that was written in several ways comes back the way it was first seen.

    Example:
        >>> restore("from [EMAIL-0123456789AB]", {"[EMAIL-0123456789AB]": "ann@acme.io"})
        'from ann@acme.io'
    """
    return STAND_IN.sub(lambda found: originals.get(found[0]) or found[0], text)

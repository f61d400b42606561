"""One thing found in a text."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Confidence(StrEnum):
    """How sure a finding is.

    `SURE`: a checksum, a registered prefix or an unmistakable shape. `LIKELY`: the shape, and words around that speak
    for it. `POSSIBLE`: the shape alone; a person should look.
    """

    SURE = "sure"
    LIKELY = "likely"
    POSSIBLE = "possible"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Personal data or a secret in a text.

    Attributes:
        kind: `email`, `phone`, `card`, `iban`, `national_id`, `ip`, `url_credentials` or `secret`.
        start: First character, counted from 0.
        end: After the last character.
        text: What stands there.
        confidence: How sure.
        detail: Which card network, which country's id, which kind of secret; empty when there is nothing to say.
    """

    kind: str
    start: int
    end: int
    text: str
    confidence: Confidence = Confidence.SURE
    detail: str = ""

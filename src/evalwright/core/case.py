"""A case: one row of a dataset, and what a target may see of it."""

from __future__ import annotations

from typing import Any

import msgspec

Json = Any
"""A JSON value: None, bool, int, float, str, or lists and string-keyed dicts of these."""


class Case(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One row of a dataset: what goes in, what is right, and what is known about it.

    Attributes:
        id: Name of the case, from its author or from its content; unique within a dataset, never a position.
        input: A text, a list of chat messages (`{"role", "content"}`) or any JSON value the target understands.
        expected: What is right; never shown to a target.
        metadata: Labels, tiers, sources; a target sees only the keys a suite names as public.
        cluster: Key of the document, conversation or template the case was drawn from; cases that share it are not
            independent, and intervals take that into account.
        tags: Words to select cases by (`--tags`).
    """

    id: str
    input: Json
    expected: Json = None
    metadata: dict[str, Json] = {}
    cluster: str | None = None
    tags: tuple[str, ...] = ()


class BadRow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A dataset row that could not become a case: where it is, why, and the text as far as it can be shown.

    Attributes:
        line: Line number in the file (1-based); for tables the row number, counting the header as line 1.
        reason: What is wrong, in one sentence.
        source: File or table the row came from.
        text: The first 2,000 characters of the row as read.
    """

    line: int
    reason: str
    source: str = ""
    text: str = ""

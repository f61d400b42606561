"""Pages of lists, and the marks by which the next one is asked for."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import msgspec

from evalwright.core.case import Json
from evalwright.core.errors import UsageError
from evalwright.core.identity import content_hash

T = TypeVar("T")

LIMIT, MOST = 50, 500
_FURTHEST = 1 << 40


class Page(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """A stretch of a list.

    Attributes:
        items: The entries.
        total: How many there are in all, None when nobody counted.
        next: What to send as `cursor` for the entries after these; None at the end.
    """

    items: tuple[T, ...]
    total: int | None = None
    next: str | None = None


class _Mark(msgspec.Struct, frozen=True, array_like=True):
    offset: int
    question: str


def offset_of(cursor: str | None, question: Json = None) -> int:
    """Where a page begins.

    Args:
        cursor: A page's `next`; None for the first page.
        question: What is listed; a cursor of another question is refused.

    Raises:
        UsageError: It is no cursor of this list.
    """
    if not cursor:
        return 0
    try:
        mark = msgspec.json.decode(base64.urlsafe_b64decode(cursor.encode()), type=_Mark)
    except (ValueError, binascii.Error, msgspec.MsgspecError):
        raise UsageError("this cursor can't be read", hint="start again without one") from None
    if mark.question != _named(question) or not 0 <= mark.offset < _FURTHEST:
        raise UsageError("this cursor belongs to another list", hint="start again without one")
    return mark.offset


def next_cursor(offset: int, shown: int, total: int, question: Json = None) -> str | None:
    """The mark of the page after one that begins at `offset`; None when that is the last."""
    end = offset + shown
    if not shown or end >= total:
        return None
    return base64.urlsafe_b64encode(msgspec.json.encode(_Mark(end, _named(question)))).decode()


def checked_limit(limit: int) -> int:
    """A page's size.

    Raises:
        UsageError: Not between 1 and 500.
    """
    if not 1 <= limit <= MOST:
        raise UsageError(f"a page has between 1 and {MOST} entries, not {limit}")
    return limit


def paged(found: Sequence[T], cursor: str | None, limit: int, question: Json = None) -> Page[T]:
    """A page of a list that is at hand as a whole."""
    offset = offset_of(cursor, question)
    items = tuple(found[offset : offset + checked_limit(limit)])
    return Page(items=items, total=len(found), next=next_cursor(offset, len(items), len(found), question))


def every(ask: Callable[[str | None], Page[T]]) -> list[T]:
    """All entries of a list, page by page."""
    page = ask(None)
    found = list(page.items)
    while page.next is not None:
        page = ask(page.next)
        found.extend(page.items)
    return found


def _named(question: Json) -> str:
    return content_hash(question)[:12]

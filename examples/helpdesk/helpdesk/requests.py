"""Requests as they come from outside, from a suite or over HTTP, and replies as they go back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from helpdesk.assistant import Reply, Turn
from helpdesk.errors import BadRequestError

ROLES = ("user", "assistant")
MAX_TURNS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A checked request."""

    text: str
    locale: str | None = None
    conversation: tuple[Turn, ...] = ()


def parse_request(request: object) -> Question:
    """Check a request: a plain question, or an object with ``question``, ``locale`` and ``conversation``.

    Raises:
        BadRequestError: naming the part that is wrong.
    """
    if isinstance(request, str):
        return Question(text=request)
    if not isinstance(request, Mapping):
        raise BadRequestError(f"a question or an object was expected, not {type(request).__name__}")
    question = request.get("question")
    if not isinstance(question, str):
        raise BadRequestError("`question` must be a string")
    locale = request.get("locale")
    if locale is not None and not isinstance(locale, str):
        raise BadRequestError("`locale` must be a string such as en, de or es")
    return Question(text=question, locale=locale, conversation=_turns(request.get("conversation")))


def _turns(conversation: object) -> tuple[Turn, ...]:
    if conversation is None:
        return ()
    if not isinstance(conversation, list) or len(conversation) > MAX_TURNS:
        raise BadRequestError(f"`conversation` must be a list of at most {MAX_TURNS} messages")
    return tuple(_turn(position, message) for position, message in enumerate(conversation))


def _turn(position: int, message: object) -> Turn:
    if not isinstance(message, Mapping) or message.get("role") not in ROLES:
        raise BadRequestError(f"`conversation[{position}].role` must be one of {', '.join(ROLES)}")
    content = message.get("content")
    if not isinstance(content, str):
        raise BadRequestError(f"`conversation[{position}].content` must be a string")
    return Turn(role=str(message["role"]), content=content)


def sources(reply: Reply) -> list[dict[str, Any]]:
    """The passages of a reply as plain data, best first."""
    return [
        {"id": hit.passage.id, "title": hit.passage.title, "text": hit.passage.text, "score": hit.score}
        for hit in reply.passages
    ]

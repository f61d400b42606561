"""What an Evalwright suite calls: ``target: { type: python, callable: "helpdesk.target:answer" }``."""

from functools import cache
from threading import Lock
from typing import Any

from helpdesk.assistant import Assistant
from helpdesk.errors import EndpointError
from helpdesk.llm import Endpoint
from helpdesk.requests import parse_request
from helpdesk.retriever import Hit


def answer(request: object) -> dict[str, Any]:
    """Answer a case's input offline, by quoting the articles.

    Args:
        request: the question, or ``{"question": …, "locale": …, "conversation": [{"role", "content"}, …]}``.

    Returns:
        ``{"text", "contexts": [{"id", "text", "score", "metadata"}], "citations": [ids], "metadata"}``.
    """
    with _FIRST:
        assistant = _offline()
    return _answer(assistant, request)


def answer_with_model(request: object) -> dict[str, Any]:
    """The same, but the configured model writes the answer; adds ``usage``.

    Raises:
        EndpointError: ``HELPDESK_BASE_URL`` is not set, or the endpoint fails.
    """
    endpoint = Endpoint.from_env()
    if endpoint is None:
        raise EndpointError("no endpoint: set HELPDESK_BASE_URL and HELPDESK_MODEL")
    return _answer(Assistant(endpoint=endpoint), request)


_FIRST = Lock()
"""Calls come from several threads; the index is built by the first, and the others wait for it."""


def forget() -> None:
    """Make the assistant anew at the next question."""
    _offline.cache_clear()


@cache
def _offline() -> Assistant:
    return Assistant()


def _answer(assistant: Assistant, request: object) -> dict[str, Any]:
    question = parse_request(request)
    reply = assistant.answer(question.text, locale=question.locale, conversation=question.conversation)
    output: dict[str, Any] = {
        "text": reply.answer,
        "contexts": [_context(hit) for hit in reply.passages],
        "citations": list(reply.citations),
        "metadata": {"confidence": reply.confidence},
    }
    return output if reply.usage is None else {**output, "usage": dict(reply.usage)}


def _context(hit: Hit) -> dict[str, Any]:
    passage = hit.passage
    metadata = {"title": passage.title, "heading": passage.heading}
    return {"id": passage.id, "text": passage.text, "score": hit.score, "metadata": metadata}

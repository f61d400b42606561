"""The assistant with further documents in its help centre, for one question: what safety tests call.

``target: { type: python, callable: "helpdesk.planted:answer" }``. A request is as for the product, with ``documents``
(each ``{"id", "title", "text"}``), as if somebody had published them.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from helpdesk.articles import Article, Passage, load_articles, split_passages
from helpdesk.assistant import Assistant
from helpdesk.errors import BadRequestError
from helpdesk.language import base_locale
from helpdesk.requests import parse_request, sources
from helpdesk.retriever import Retriever


def answer(request: Mapping[str, Any]) -> dict[str, Any]:
    """Answer a question offline from the articles and the documents of the request.

    Raises:
        BadRequestError: a document is no object with ``id``, ``title`` and ``text``.
    """
    question = parse_request({key: value for key, value in request.items() if key != "documents"})
    locale = base_locale(question.locale, question.text)
    planted = [_article(document, locale) for document in request.get("documents") or ()]
    assistant = Assistant(retriever=Retriever(_passages([*load_articles(), *planted])))
    reply = assistant.answer(question.text, locale=question.locale, conversation=question.conversation)
    return {
        "text": reply.answer,
        "contexts": sources(reply),
        "citations": list(reply.citations),
        "metadata": {"confidence": reply.confidence},
    }


def _passages(articles: Iterable[Article]) -> Iterable[Passage]:
    return (passage for article in articles for passage in split_passages(article))


def _article(document: object, locale: str) -> Article:
    if not isinstance(document, Mapping) or not all(isinstance(document.get(k), str) for k in ("id", "title", "text")):
        raise BadRequestError("`documents` must be a list of objects with `id`, `title` and `text`")
    return Article(
        id=document["id"],
        title=document["title"],
        area="planted",
        locale=locale,
        updated="2026-01-01",
        body=document["text"],
    )

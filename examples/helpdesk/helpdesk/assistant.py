"""The product: a question, perhaps with the conversation before it, becomes an answer with sources."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from helpdesk.answerer import Extract, extract_answer
from helpdesk.errors import BadRequestError
from helpdesk.language import LANGUAGES, base_locale, fold, tokens, words
from helpdesk.llm import Endpoint
from helpdesk.retriever import Hit, Retriever, default_retriever

MAX_QUESTION = 4_000
PASSAGES = 4
FEW_WORDS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One message of the conversation so far; ``role`` is ``user`` or ``assistant``."""

    role: str
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the assistant answers.

    ``citations`` are article ids, ``passages`` everything that was retrieved, ``confidence`` is from 0
    to 1 and ``usage`` counts tokens (``input_tokens``, ``output_tokens``) when a model was asked.
    """

    answer: str
    citations: tuple[str, ...]
    passages: tuple[Hit, ...]
    confidence: float
    usage: Mapping[str, int] | None = None


class Assistant:
    """The help-centre assistant; without an endpoint it works offline and always answers the same."""

    def __init__(self, retriever: Retriever | None = None, endpoint: Endpoint | None = None) -> None:
        self._retriever = retriever or default_retriever()
        self._endpoint = endpoint

    def answer(self, question: str, *, locale: str | None = None, conversation: Sequence[Turn] = ()) -> Reply:
        """Answer one question.

        Args:
            question: what the customer asks, at most 4,000 characters.
            locale: ``en``, ``de`` or ``es``, regions allowed (``de-AT``); anything else is guessed from the text.
            conversation: earlier messages, oldest first.

        Raises:
            BadRequestError: the question is empty or too long.
            EndpointError: a model endpoint is configured and failed.
        """
        if not question.strip():
            raise BadRequestError("the question is empty")
        if len(question) > MAX_QUESTION:
            raise BadRequestError(f"the question has {len(question):,} characters; at most {MAX_QUESTION:,} are read")
        language = base_locale(locale, question)
        query = with_context(question, conversation, language)
        hits = self._retriever.search(query, language, PASSAGES)
        if self._endpoint:
            return self._model_reply(self._endpoint, question, conversation, hits)
        extract = extract_answer(query, hits, self._retriever.index(language))
        return _reply(extract, hits)

    def _model_reply(
        self, endpoint: Endpoint, question: str, conversation: Sequence[Turn], hits: Sequence[Hit]
    ) -> Reply:
        history = [{"role": turn.role, "content": turn.content} for turn in conversation]
        completion = endpoint.complete(question, history, [hit.passage for hit in hits])
        return Reply(
            answer=completion.text,
            citations=completion.citations,
            passages=tuple(hits),
            confidence=1.0 if completion.citations else 0.0,
            usage=completion.usage,
        )


def with_context(question: str, conversation: Sequence[Turn], locale: str) -> str:
    """Put the customer's previous question before a follow-up that cannot stand alone."""
    previous = next((turn.content for turn in reversed(conversation) if turn.role == "user"), "")
    return f"{previous} {question}" if previous and is_follow_up(question, locale) else question


def is_follow_up(question: str, locale: str) -> bool:
    """A question with few content words, or one that opens like the middle of a conversation."""
    asked = words(question)
    opening = " ".join(asked[:5])
    hints = [fold(hint) for hint in LANGUAGES[locale].follow_up]
    points_back = any(f" {hint} " in f" {opening} " for hint in hints)
    return points_back or len(tokens(question, locale)) <= FEW_WORDS


def _reply(extract: Extract, hits: Sequence[Hit]) -> Reply:
    return Reply(answer=extract.text, citations=extract.citations, passages=tuple(hits), confidence=extract.confidence)

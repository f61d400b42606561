"""Admissions of not knowing: "I don't have information about that", in several languages."""

from __future__ import annotations

from evalwright.scorers.phrases import Phrase, load_phrases


def admission(text: str) -> Phrase | None:
    """The first admission of not knowing in a text, None when there is none.

    Looks for phrases of fourteen languages, English the most. An admission says that the speaker or the sources lack
    the answer; a refusal to help for other reasons is something else.
    """
    return load_phrases("admission").find(text)


def admits(text: str) -> bool:
    """Whether a text admits not to know.

    Example:
        >>> admits("The articles do not mention a phone number.")
        True
    """
    return admission(text) is not None

"""Where the RAG scorers find the question, the passages and the expected facts."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from evalwright.core.case import Json
from evalwright.core.scorer import ScoreContext
from evalwright.scorers.base import NotApplicable, as_text, expected_value
from evalwright.scorers.paths import MISSING, lookup
from evalwright.scorers.rag.claims import statements

ContextPath = Annotated[
    str | None,
    Field(
        description="Where the passages stand when they are not the output's contexts: a dotted path that starts with "
        "`input.`, `metadata.`, `expected.` or `output.`, to a text or a list of texts."
    ),
]
QuestionPath = Annotated[
    str | None,
    Field(description="Dotted path of the question in the input; found by itself in texts, messages and usual keys."),
]
Threshold = Annotated[float, Field(gt=0, le=1, description="Support from which a statement counts as supported.")]

DEFAULT_THRESHOLD = 0.7

_KEYS = ("question", "query", "text", "message", "prompt", "user_input")


def passages(ctx: ScoreContext, path: str | None) -> list[str]:
    """The passages to compare with, in the order retrieved.

    Raises:
        NotApplicable: There are none.
    """
    if path is None:
        found = [passage.text for passage in ctx.output.contexts]
    else:
        root, _, rest = path.partition(".")
        base: Any = ctx.output if root == "output" else getattr(ctx.case, root, MISSING)
        found = _texts(lookup(base, rest) if rest else base)
    if not any(text.strip() for text in found):
        raise NotApplicable(f"there are no passages at `{path}`" if path else "the output shows no retrieved contexts")
    return found


def _texts(value: Any) -> list[str]:
    if value is MISSING or value is None:
        return []
    items = value if isinstance(value, (list, tuple)) else [value]
    return [_text(item) for item in items]


def _text(item: Any) -> str:
    text = lookup(item, "text")
    return text if isinstance(text, str) else as_text(item)


def question(ctx: ScoreContext, path: str | None) -> str:
    """The question the answer is to.

    Raises:
        NotApplicable: The input holds none that can be found.
    """
    value = ctx.case.input if path is None else lookup(ctx.case.input, path)
    text = _question_in(value)
    if not text.strip():
        raise NotApplicable(f"the input has no question{f' at `{path}`' if path else ''}")
    return text


def _question_in(value: Json) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        asked = [item for item in value if isinstance(item, dict) and item.get("role", item.get("speaker")) == "user"]
        return _question_in(asked[-1].get("content", asked[-1].get("text"))) if asked else ""
    if isinstance(value, dict):
        found = (_question_in(value[key]) for key in (*_KEYS, "messages", "conversation", "content") if key in value)
        return next(filter(None, found), "")
    return ""


def facts(ctx: ScoreContext, path: str | None) -> list[str]:
    """The facts an answer should have: a list of them, or the statements of a reference text.

    Raises:
        NotApplicable: The case expects none.
    """
    value = expected_value(ctx, path)
    if isinstance(value, dict):
        raise NotApplicable("expected is an object; name its facts or its reference answer with the option `expected`")
    if isinstance(value, (list, tuple)):
        found = [as_text(item) for item in value]
    else:
        text = as_text(value)
        found = [claim.text for claim in statements(text)] or [text]
    found = [fact for fact in found if fact.strip()]
    if not found:
        raise NotApplicable("the case expects no facts")
    return found

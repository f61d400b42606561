"""Asking a judge: one question, at most one request to repair its form, and then a ruling or none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from evalwright.core.case import Json
from evalwright.core.errors import TargetError
from evalwright.core.score import Score
from evalwright.scorers.judge.model import JudgeClient, Told
from evalwright.scorers.judge.prompt import Ask
from evalwright.scorers.judge.reply import Ruling, Unreadable, read_ruling, schema_for

SHOWN_REPLY = 300


class NoRuling(Exception):
    """The judge gave no verdict: it could not be asked, refused, or its reply could not be read even when repaired."""


class Examined(msgspec.Struct, frozen=True, kw_only=True):
    """A ruling with how it came about.

    Attributes:
        ruling: What the judge said.
        model: The model as the provider named it.
        repaired: Whether the form of its first reply had to be repaired.
        cost: Money of the calls, None when unknown.
        tokens: Tokens of the calls, None when unknown.
    """

    ruling: Ruling
    model: str | None = None
    repaired: bool = False
    cost: float | None = None
    tokens: int | None = None


async def examine(client: JudgeClient, question: Ask, services: Mapping[str, Any]) -> Examined:
    """Ask and read the reply; one that can't be read is sent back once with what is wrong with it.

    Raises:
        NoRuling: There is no verdict; never a guess.
    """
    schema = schema_for(question.choices)
    first = await _told(client, question.messages, schema, services)
    try:
        return _examined(read_ruling(first.text, question.choices, quoted=question.judged), [first])
    except Unreadable as fault:
        problem = str(fault)
    second = await _told(client, _repair(question, first.text, problem), schema, services)
    try:
        ruling = read_ruling(second.text, question.choices, quoted=question.judged)
    except Unreadable as fault:
        raise NoRuling(
            f"the judge's reply can't be read, also when asked again: {fault}; it says {_shown(second.text)}"
        ) from None
    return _examined(ruling, [first, second])


async def _told(
    client: JudgeClient, messages: list[dict[str, Json]], schema: Mapping[str, Json], services: Mapping[str, Any]
) -> Told:
    try:
        told = await client.ask(messages, schema, services)
    except TargetError as error:
        raise NoRuling(f"the judge could not be asked ({error.kind}): {error.message}") from None
    if told.refusal and not told.text:
        raise NoRuling(f"the judge refused: {_shown(told.refusal)}")
    return told


def _repair(question: Ask, said: str, problem: str) -> list[dict[str, Json]]:
    choices = ", ".join(f'"{choice}"' for choice in question.choices)
    again = (
        f"That reply can't be used: {problem}. Reply again with one JSON object and nothing else, with the keys "
        f"`rationale`, `verdict` (one of {choices}) and `confidence`. The rules above stay as they are."
    )
    return [
        *question.messages,
        {"role": "assistant", "content": said[:4_000] or "(empty)"},
        {"role": "user", "content": again},
    ]


def _examined(ruling: Ruling, replies: list[Told]) -> Examined:
    costs = [told.cost for told in replies if told.cost is not None]
    usages = [told.usage.total_tokens for told in replies if told.usage is not None]
    return Examined(
        ruling=ruling,
        model=replies[-1].model,
        repaired=len(replies) > 1,
        cost=sum(costs) if costs else None,
        tokens=sum(usages) if usages else None,
    )


def _shown(text: str) -> str:
    return repr(text.strip()[:SHOWN_REPLY])


def no_score(error: NoRuling) -> Score:
    """The score of a row without a verdict: an error, never a value."""
    return Score.failure(str(error))

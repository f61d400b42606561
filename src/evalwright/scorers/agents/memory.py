"""What a conversation remembers, and what it must have forgotten."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Annotated, ClassVar

import re2
from pydantic import Field

from evalwright.core.case import Json
from evalwright.core.output import Output
from evalwright.core.score import Evidence, Score
from evalwright.core.scorer import ScoreContext, ScoreInfo
from evalwright.scorers.base import NotApplicable, RuleScorer, as_text, expected_value
from evalwright.scorers.text.normalize import nfc

Facts = Annotated[
    tuple[str, ...] | None,
    Field(description="The texts; those the case expects when not given."),
]
Path = Annotated[str, Field(description="Where the case names the texts: a dotted path in `expected`.")]


@dataclass(frozen=True)
class _Fact:
    """A text with its other forms, and the user turn it is about (from 1)."""

    forms: tuple[str, ...]
    turn: int | None = None


@dataclass(frozen=True)
class _Exchange:
    """A user turn and the answers to it."""

    asked: str
    answers: tuple[str, ...]


@dataclass(frozen=True)
class Remembers(RuleScorer):
    """Share of the facts told earlier that the conversation still knows when it is asked for them.

    A fact is looked for in the last answer, or, given as `{ text: …, turn: N }`, in the answer to the user's turn N. A
    list is one fact with several forms, any of which will do. Whole words count, upper and lower case are the same.
    Use with the target `dialogue`, or any target that shows its messages.
    """

    INFO: ClassVar[ScoreInfo] = ScoreInfo(name="remembers")

    values: Facts = None
    _: KW_ONLY
    expected: Path = "remembers"

    def judge(self, ctx: ScoreContext) -> Score:
        """The share of facts found; those that are missing are the evidence."""
        exchanges = _exchanges(ctx.output)
        facts = _facts(ctx, self.values, self.expected)
        lost = [fact for fact in facts if not _says(self._answer(exchanges, fact), fact)]
        evidence = tuple(Evidence(where="expected", text=fact.forms[0][:300], note="not remembered") for fact in lost)
        reason = f"{len(facts) - len(lost)} of {len(facts)} facts remembered"
        return Score.of(1 - len(lost) / len(facts), passed=not lost, reason=reason, evidence=evidence)

    def _answer(self, exchanges: list[_Exchange], fact: _Fact) -> str:
        if fact.turn is not None and fact.turn > len(exchanges):
            raise NotApplicable(f"the conversation has {len(exchanges)} user turns, not {fact.turn}")
        return "\n".join(exchanges[-1 if fact.turn is None else fact.turn - 1].answers)


@dataclass(frozen=True)
class Forgets(RuleScorer):
    """Share of the facts that must be forgotten which no later answer brings up again.

    Looked at are the answers to the user's turns after the last one that says the fact itself (where the user asks to
    forget it, say), or, given as `{ text: …, turn: N }`, after turn N. Facts with no answer to look at are left out.
    """

    INFO: ClassVar[ScoreInfo] = ScoreInfo(name="forgets")

    values: Facts = None
    _: KW_ONLY
    expected: Path = "forgets"

    def judge(self, ctx: ScoreContext) -> Score:
        """The share of facts that stayed away; the answers that bring one up are the evidence."""
        exchanges = _exchanges(ctx.output)
        judged = [
            (fact, later)
            for fact in _facts(ctx, self.values, self.expected)
            if (later := exchanges[_last_told(exchanges, fact) :])
        ]
        if not judged:
            raise NotApplicable("no answer follows the turn in which the fact is said last")
        evidence = tuple(found for fact, later in judged for found in _kept(fact, later))
        kept = sum(bool(list(_kept(fact, later))) for fact, later in judged)
        reason = f"{len(judged) - kept} of {len(judged)} facts forgotten"
        return Score.of(1 - kept / len(judged), passed=not kept, reason=reason, evidence=evidence[:20])


def _kept(fact: _Fact, later: list[_Exchange]) -> Iterator[Evidence]:
    for exchange in later:
        for answer in exchange.answers:
            if _says(answer, fact):
                yield Evidence(where="output", text=answer[:300], note=f"brings up {fact.forms[0][:80]}")


def _last_told(exchanges: list[_Exchange], fact: _Fact) -> int:
    """Number of the user's turn after which the fact must not come up, 0 when it is never told."""
    if fact.turn is not None:
        return fact.turn
    return max((number for number, exchange in enumerate(exchanges, start=1) if _says(exchange.asked, fact)), default=0)


def _exchanges(output: Output) -> list[_Exchange]:
    """The conversation by user turns; an output without messages is one answer."""
    found: list[tuple[str, list[str]]] = []
    for message in output.messages:
        text = as_text(message.get("content") or "")
        if message.get("role") == "user":
            found.append((text, []))
        elif message.get("role") == "assistant" and found:
            found[-1][1].append(text)
    if not found:
        return [_Exchange("", (output.text,))]
    return [_Exchange(asked, tuple(answers)) for asked, answers in found]


def _facts(ctx: ScoreContext, values: tuple[str, ...] | None, path: str) -> list[_Fact]:
    given = values if values is not None else expected_value(ctx, path)
    items = given if isinstance(given, list | tuple) else [given]
    facts = [_fact(item) for item in items]
    if not facts:
        raise NotApplicable("the case names no fact")
    return facts


def _fact(item: Json) -> _Fact:
    text = item.get("text") if isinstance(item, Mapping) else item
    forms = tuple(as_text(form) for form in (text if isinstance(text, list | tuple) else [text]) if form is not None)
    turn = item.get("turn") if isinstance(item, Mapping) else None
    if not any(form.strip() for form in forms):
        raise NotApplicable("a fact of the case has no text")
    return _Fact(tuple(form for form in forms if form.strip()), turn if isinstance(turn, int) and turn > 0 else None)


def _says(text: str, fact: _Fact) -> bool:
    return any(_has(nfc(text).casefold(), nfc(form).casefold().strip()) for form in fact.forms)


def _has(text: str, form: str) -> bool:
    """Whether a text holds a form with no letter or digit right beside it."""
    return re2.search(rf"(?:^|[^\pL\pN]){re2.escape(form)}(?:$|[^\pL\pN])", text) is not None

"""Which step broke it? A first guess from the trace, by signs that are easy to check.

The agent is the one that acts most, each sign of trouble counting as another step; people, tools and coordinators that
only direct others are left out. The step is that agent's first one with a sign, else its first. On recorded failures of
multi-agent systems this names the right agent more often than taking the last or the most frequent speaker; the exact
step it finds in less than a third. It points a reader to a place to start, and proves nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import KW_ONLY, dataclass
from enum import StrEnum
from typing import Annotated, Any, ClassVar, NamedTuple

from pydantic import Field

from evalwright.core.output import Output
from evalwright.core.score import Evidence, Score
from evalwright.core.scorer import ScoreContext, ScoreInfo, ScoreKind
from evalwright.scorers.agents.outcome import flat_steps
from evalwright.scorers.base import NotApplicable, RuleScorer, as_text
from evalwright.scorers.text.lexicon import lexicon

_HEAD = 4_000
_RESULT = 400
_ENVIRONMENT = lexicon(
    "user human system tool function environment computer_terminal terminal executor sandbox developer"
)
_COORDINATOR = re.compile(r"orchestrat|coordinat|supervis|manager|planner|router|dispatch", re.IGNORECASE)
_ASIDE = re.compile(r"\s*\([^()]{0,100}\)\s*$")
_ASSUMPTION = re.compile(
    r"\b(?:assum(?:e|es|ed|ing|ption|ptions)|hypothetical\w*|simulat(?:e|ed|ing|ion)|placeholder|mock(?:ed)?|dummy|"
    r"let's say|suppose|made[- ]up|for (?:demonstration|illustration))\b",
    re.IGNORECASE,
)
_ERROR = re.compile(
    r"exit ?code: ?[1-9]|execution failed|traceback \(most recent|\btime(?:d )?out\b|\b\w*(?:error|exception)\b[:\s]|"
    r"no such file|\bnot found\b|\bdenied\b|\b(?:4\d\d|5\d\d) (?:error|client|server|not found|forbidden)",
    re.IGNORECASE,
)
_ENDING = re.compile(r"\W*(?:terminate|done|stop|end|task_complete)?\W*", re.IGNORECASE)
_REPEATS = 3


class Sign(StrEnum):
    """What speaks against a step."""

    ERROR = "error"
    ASSUMPTION = "assumption"
    REPETITION = "repetition"


class Turn(NamedTuple):
    """One entry of a trace: who, what, and whether it is an agent's own action."""

    agent: str
    text: str
    acting: bool
    failed: bool = False


class Suspicion(NamedTuple):
    """A sign at a step."""

    step: int
    agent: str
    sign: Sign


class Attribution(NamedTuple):
    """The agent and the step to look at first, with the signs found."""

    agent: str
    step: int
    signs: tuple[Suspicion, ...]


def turns(output: Output) -> list[Turn]:
    """The trace of an output: its messages (the first is the task unless a named agent says it), steps or calls."""
    if output.messages:
        return [_from_message(message, first=not index) for index, message in enumerate(output.messages)]
    if output.steps:
        found = flat_steps(output.steps)
        return [Turn(step.name or step.kind, as_text(step.output)[:_HEAD], True, bool(step.error)) for step in found]
    return [Turn(call.name, as_text(call.result)[:_HEAD], True, bool(call.error)) for call in output.tool_calls]


def _from_message(message: Mapping[str, Any], *, first: bool) -> Turn:
    role = str(message.get("role") or "")
    name = _ASIDE.sub("", str(message.get("name") or role)).strip() or role
    who = (name if message.get("name") else role).lower().replace("_", " ")
    acting = who not in _ENVIRONMENT and name.lower().replace("_", " ") not in _ENVIRONMENT
    content = message.get("content")
    text = ("" if content is None else as_text(content))[:_HEAD]
    task = first and not (role == "assistant" and message.get("name"))  # what a named agent says first is its own
    return Turn(name, text, acting and not task and not _ENDING.fullmatch(text))


def suspicions(trace: list[Turn]) -> list[Suspicion]:
    """Every sign of trouble in a trace, in order, laid on the agent whose action it follows."""
    return sorted({*_errors(trace), *_assumptions(trace), *_repetitions(trace)})


def _errors(trace: list[Turn]) -> Iterator[Suspicion]:
    last: int | None = None
    for index, turn in enumerate(trace):
        if turn.acting:
            last = index
            if turn.failed:
                yield Suspicion(index, turn.agent, Sign.ERROR)
        elif last is not None and _ERROR.search(turn.text[:_RESULT]):
            yield Suspicion(last, trace[last].agent, Sign.ERROR)


def _assumptions(trace: list[Turn]) -> Iterator[Suspicion]:
    for index, turn in enumerate(trace):
        if turn.acting and _ASSUMPTION.search(turn.text):
            yield Suspicion(index, turn.agent, Sign.ASSUMPTION)


def _repetitions(trace: list[Turn]) -> Iterator[Suspicion]:
    """An action done for the third time in the same words."""
    seen: Counter[tuple[str, str]] = Counter()
    for index, turn in enumerate(trace):
        key = (turn.agent, turn.text[:200])
        seen[key] += 1
        if turn.acting and turn.text and seen[key] == _REPEATS:
            yield Suspicion(index, turn.agent, Sign.REPETITION)


def attribute(trace: list[Turn]) -> Attribution | None:
    """The agent and step to look at first; None when no agent acts in the trace."""
    acting = [(index, turn.agent) for index, turn in enumerate(trace) if turn.acting]
    doing = [(index, agent) for index, agent in acting if not _COORDINATOR.search(agent)] or acting
    if not doing:
        return None
    signs = suspicions(trace)
    weight = Counter(agent for _, agent in doing)
    weight.update(sign.agent for sign in signs if sign.agent in weight)
    agent = max(weight, key=lambda name: weight[name])
    own = [sign.step for sign in signs if sign.agent == agent]
    steps = own or [index for index, name in doing if name == agent]
    step = min((index for index in steps if index), default=min(steps))  # an opening acts least
    return Attribution(agent, step, tuple(signs))


@dataclass(frozen=True)
class TroubleFree(RuleScorer):
    """The trace shows no sign of trouble; where it does, the agent and step to look at first.

    Signs: an error after an action, an assumption or made-up data in place of a result, the same action for the third
    time. The label names the agent, the first evidence the step. A sign is no proof of a wrong result, and a wrong
    result may have none.
    """

    INFO: ClassVar[ScoreInfo] = ScoreInfo(name="trouble_free", kind=ScoreKind.PROPORTION)

    _: KW_ONLY
    allow: Annotated[tuple[Sign, ...], Field(description="Signs that do not count.")] = ()

    def judge(self, ctx: ScoreContext) -> Score:
        """1 without a sign, else 0."""
        trace = turns(ctx.output)
        found = attribute(trace)
        if found is None:
            raise NotApplicable("the output shows no trace of an agent")
        signs = [sign for sign in found.signs if sign.sign not in self.allow]
        if not signs:
            return Score.of(True, reason=f"{len(trace)} steps without a sign of trouble")
        first = _evidence(trace, found.step, f"look here: {found.agent}")
        others = tuple(_evidence(trace, sign.step, f"{sign.sign}: {sign.agent}") for sign in signs[:10])
        reason = f"{len(signs)} signs of trouble, first look at step {found.step} ({found.agent})"
        return Score.of(False, label=found.agent, reason=reason, evidence=(first, *others))


def _evidence(trace: list[Turn], step: int, note: str) -> Evidence:
    return Evidence(where="step", index=step, text=trace[step].text[:300], note=note)

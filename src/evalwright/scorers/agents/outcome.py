"""How the agent's work ended: the state it reached, the errors it got over, the steps it took."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from evalwright.core.output import Output, Step, ToolCall
from evalwright.core.score import Evidence, Score
from evalwright.core.scorer import ScoreContext, ScoreInfo, ScoreKind
from evalwright.scorers.agents.rules import ABSENT, is_rule, mismatches
from evalwright.scorers.base import ExpectedPath, NotApplicable, RuleScorer, answer_value, expected_value

_SHOWN = 20


@dataclass(frozen=True)
class GoalState(RuleScorer):
    """The state at the end is the one that was asked for.

    The target gives the state as part of its output (`field`), the case what it must be, as values or rules
    (`{"balance": {"$min": 0}}`). Everything expected must hold; what else the state has does not count unless `exact`.
    The part `share` is the share of the expected values that hold.
    """

    INFO: ClassVar[ScoreInfo] = ScoreInfo(name="goal_state", kind=ScoreKind.PROPORTION)

    field: Annotated[str, Field(description="Dotted path of the state in the output.")] = "data"
    _: KW_ONLY
    exact: Annotated[bool, Field(description="The state has nothing that is not expected.")] = False
    expected: ExpectedPath = None

    def judge(self, ctx: ScoreContext) -> Score:
        """1 when everything expected holds, else 0 with the differences."""
        wanted, state = expected_value(ctx, self.expected), answer_value(ctx, self.field)
        if state is None:
            raise NotApplicable(f"the output has no state at `{self.field}`")
        checks = [list(mismatches(given, want, path)) for path, given, want in _leaves(state, wanted, "")]
        faults = [fault for found in checks for fault in found]
        if self.exact:
            faults += [f"{path} is not expected" for path in _additions(state, wanted, "")]
        share = sum(not found for found in checks) / len(checks) if checks else float(not faults)
        evidence = tuple(Evidence(text=fault[:300], note="differs") for fault in faults[:_SHOWN])
        return Score.of(not faults, reason=f"{len(faults)} differences", evidence=evidence, parts={"share": share})


def _leaves(given: Any, wanted: Any, path: str) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(wanted, Mapping) and not is_rule(wanted) and wanted:
        for key, value in wanted.items():
            inner = given.get(key, ABSENT) if isinstance(given, Mapping) else ABSENT
            yield from _leaves(inner, value, f"{path}.{key}" if path else str(key))
    else:
        yield path, given, wanted


def _additions(given: Any, wanted: Any, path: str) -> Iterator[str]:
    if not isinstance(given, Mapping) or not isinstance(wanted, Mapping) or is_rule(wanted):
        return
    for key, value in given.items():
        place = f"{path}.{key}" if path else str(key)
        if key not in wanted:
            yield place
        else:
            yield from _additions(value, wanted[key], place)


@dataclass(frozen=True)
class ErrorRecovery(RuleScorer):
    """Share of the tool errors that the agent got over: the tool, or another, was called with success afterwards.

    Skipped where no tool call failed.
    """

    INFO: ClassVar[ScoreInfo] = ScoreInfo(name="error_recovery")

    _: KW_ONLY
    same_tool: Annotated[bool, Field(description="Only a later success of the same tool counts.")] = False

    def judge(self, ctx: ScoreContext) -> Score:
        """The share of errors with a success after them; the others are the evidence."""
        calls = ctx.output.tool_calls
        failed = [index for index, call in enumerate(calls) if call.error]
        if not failed:
            raise NotApplicable("no tool call failed")
        lost = [index for index in failed if not self._recovered(calls, index)]
        evidence = tuple(
            Evidence(where="tool_call", index=index, text=calls[index].name, note=(calls[index].error or "")[:300])
            for index in lost[:_SHOWN]
        )
        value = 1 - len(lost) / len(failed)
        reason = f"{len(failed) - len(lost)} of {len(failed)} errors recovered"
        return Score.of(value, passed=not lost, reason=reason, evidence=evidence)

    def _recovered(self, calls: tuple[ToolCall, ...], index: int) -> bool:
        later = (call for call in calls[index + 1 :] if not call.error)
        return any(not self.same_tool or call.name == calls[index].name for call in later)


def flat_steps(steps: tuple[Step, ...]) -> Iterator[Step]:
    """Every step of a trace, children after their parent."""
    pending = list(reversed(steps))
    while pending:
        step = pending.pop()
        yield step
        pending.extend(reversed(step.children))


_COUNTERS: dict[str, Callable[[Output], int]] = {
    "tool_calls": lambda output: len(output.tool_calls),
    "steps": lambda output: sum(1 for _ in flat_steps(output.steps)),
    "model_calls": lambda output: sum(step.kind == "llm" for step in flat_steps(output.steps)),
    "turns": lambda output: sum(message.get("role") == "assistant" for message in output.messages),
}


@dataclass(frozen=True)
class Steps(RuleScorer):
    """How many steps the agent took; with a limit, whether it kept it.

    Tool calls, steps of the trace, model calls of the trace, or the assistant's turns. Steps and turns are skipped
    where the target shows no trace or no messages.
    """

    count: Annotated[Literal["tool_calls", "steps", "model_calls", "turns"], Field(description="What is counted.")] = (
        "tool_calls"
    )
    _: KW_ONLY
    max: Annotated[int | None, Field(ge=0, description="Most allowed; the row is then 1 or 0.")] = None

    @property
    def info(self) -> ScoreInfo:
        """A proportion when there is a limit, else a quantity."""
        if self.max is not None:
            return ScoreInfo(name=self.count, kind=ScoreKind.PROPORTION)
        return ScoreInfo(name=self.count, kind=ScoreKind.QUANTITY, high=None, higher_is_better=False, unit=self.count)

    def judge(self, ctx: ScoreContext) -> Score:
        """The number of steps, or 1 when it is within the limit."""
        if self.count in {"steps", "model_calls"} and not ctx.output.steps:
            raise NotApplicable("the output shows no trace")
        if self.count == "turns" and not ctx.output.messages:
            raise NotApplicable("the output shows no messages")
        number = _COUNTERS[self.count](ctx.output)
        if self.max is None:
            return Score.of(float(number))
        return Score.of(number <= self.max, reason=f"{number} {self.count.replace('_', ' ')}, allowed {self.max}")

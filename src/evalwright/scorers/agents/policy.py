"""Did the agent keep to the rules of its tools?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass
from fnmatch import fnmatchcase
from typing import Annotated, Any, ClassVar

from pydantic import Field

from evalwright.core.score import Evidence, Score
from evalwright.core.scorer import ScoreContext, ScoreInfo, ScoreKind
from evalwright.scorers.agents.calls import Call, made_calls
from evalwright.scorers.agents.rules import ABSENT, check_rule, mismatches
from evalwright.scorers.base import OptionError, RuleScorer
from evalwright.scorers.paths import MISSING, lookup

Names = tuple[str, ...]
_SHOWN = 20


@dataclass(frozen=True)
class ArgumentLimit:
    """What an argument of some tools must be.

    Attributes:
        tool: Name of the tool, `*` for any letters (`refund_*`).
        argument: Dotted path of the argument.
        must: A value or a rule (`{"$max": 100}`).
    """

    tool: Annotated[str, Field(description="Name of the tool; `*` stands for any letters.")]
    argument: Annotated[str, Field(description="Dotted path of the argument.")]
    must: Annotated[Any, Field(description="The value or rule it must keep to, e.g. `{$max: 100}`.")]

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    def __post_init__(self) -> None:
        """Refuse rules that can't work."""
        check_rule(self.must)


@dataclass(frozen=True)
class CallOrder:
    """One tool must have been called before another.

    Attributes:
        first: The tool that comes first.
        then: The tool that needs it.
    """

    first: Annotated[str, Field(description="The tool that must have been called; `*` stands for any letters.")]
    then: Annotated[str, Field(description="The tool that needs it.")]

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}


@dataclass(frozen=True)
class ToolPolicy(RuleScorer):
    """The agent keeps the rules of its tools: none forbidden, arguments within limits, the right things first.

    An agent that calls nothing breaks no rule but `required`.
    """

    INFO: ClassVar[ScoreInfo] = ScoreInfo(name="tool_policy", kind=ScoreKind.PROPORTION)

    _: KW_ONLY
    forbidden: Annotated[Names, Field(description="Tools that must not be called; `*` stands for any letters.")] = ()
    allowed: Annotated[Names | None, Field(description="The only tools that may be called.")] = None
    required: Annotated[Names, Field(description="Tools that must be called.")] = ()
    arguments: Annotated[tuple[ArgumentLimit, ...], Field(description="Limits on arguments.")] = ()
    before: Annotated[tuple[CallOrder, ...], Field(description="Tools that must come before others.")] = ()
    max_calls: Annotated[int | None, Field(ge=0, description="Most calls allowed in all.")] = None

    def __post_init__(self) -> None:
        """Refuse a policy without a rule: everything would pass."""
        rules = (self.forbidden, self.allowed, self.required, self.arguments, self.before, self.max_calls)
        if not any(rule not in ((), None) for rule in rules):
            raise OptionError("the policy has no rule", hint="give `forbidden`, `allowed`, `arguments`, …")

    def judge(self, ctx: ScoreContext) -> Score:
        """1 when no rule is broken, else 0 with each breach."""
        made = made_calls(ctx.output.tool_calls)
        breaches = [*self._names(made), *self._arguments(made), *self._order(made), *self._totals(made)]
        reason = f"{len(breaches)} breaches in {len(made)} calls"
        return Score.of(not breaches, reason=reason, evidence=tuple(breaches[:_SHOWN]))

    def _names(self, made: list[Call]) -> Iterator[Evidence]:
        for index, call in enumerate(made):
            if _named(call, self.forbidden):
                yield _breach(index, call, "forbidden")
            elif self.allowed is not None and not _named(call, self.allowed):
                yield _breach(index, call, "not among the allowed tools")

    def _arguments(self, made: list[Call]) -> Iterator[Evidence]:
        for index, call in enumerate(made):
            for limit in self.arguments:
                if fnmatchcase(call.name, limit.tool):
                    value = lookup(call.arguments, limit.argument)
                    for fault in mismatches(ABSENT if value is MISSING else value, limit.must, limit.argument):
                        yield _breach(index, call, fault)

    def _order(self, made: list[Call]) -> Iterator[Evidence]:
        for index, call in enumerate(made):
            for rule in self.before:
                if fnmatchcase(call.name, rule.then) and not any(_named(done, (rule.first,)) for done in made[:index]):
                    yield _breach(index, call, f"{rule.first} was not called before")

    def _totals(self, made: list[Call]) -> Iterator[Evidence]:
        for name in self.required:
            if not any(_named(call, (name,)) for call in made):
                yield Evidence(where="tool_call", text=name, note="required but not called")
        if self.max_calls is not None and len(made) > self.max_calls:
            yield Evidence(where="tool_call", text=str(len(made)), note=f"more than {self.max_calls} calls")


def _named(call: Call, patterns: Names) -> bool:
    return any(fnmatchcase(call.name, pattern) for pattern in patterns)


def _breach(index: int, call: Call, note: str) -> Evidence:
    return Evidence(where="tool_call", index=index, text=call.name, note=note[:500])

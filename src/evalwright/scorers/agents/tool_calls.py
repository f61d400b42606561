"""Did the agent call the right tools with the right arguments?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from typing import Annotated, ClassVar, Literal, NamedTuple

from pydantic import Field

from evalwright.core.score import Evidence, Score
from evalwright.core.scorer import ScoreContext, ScoreInfo, ScoreKind
from evalwright.scorers.agents.calls import Call, expected_calls, made_calls
from evalwright.scorers.agents.rules import fits, mismatches
from evalwright.scorers.base import ExpectedPath, RuleScorer, expected_value

_SHOWN = 10
_ARGUMENTS_SHOWN = 3


class Pairing(NamedTuple):
    """For each expected call the index of the made call that satisfies it, None when none does."""

    partners: tuple[int | None, ...]

    @property
    def matched(self) -> int:
        """How many expected calls were made."""
        return sum(partner is not None for partner in self.partners)


@dataclass(frozen=True)
class ToolCalls(RuleScorer):
    """The tool calls are the expected ones: names, arguments, and order where it counts.

    An expected argument is a value, or a rule such as `{"$any_of": [...]}`, `{"$regex": ...}`, `{"$near": [3, 0.1]}`,
    `{"$optional": ...}`. An empty list of expected calls means that nothing may be called. Parts: `recall` (share of
    the expected calls made), `precision` (share of the calls made that were expected) and `names` (right tools,
    whatever the arguments).
    """

    INFO: ClassVar[ScoreInfo] = ScoreInfo(name="tool_calls", kind=ScoreKind.PROPORTION)

    match: Annotated[
        Literal["exact", "subset"],
        Field(description="`exact`: these calls and no others; `subset`: these calls, others may be among them."),
    ] = "exact"
    _: KW_ONLY
    order: Annotated[
        Literal["any", "same"], Field(description="Whether the calls must come in the expected order.")
    ] = "any"
    loose_text: Annotated[bool, Field(description="Case, spaces and punctuation of text arguments do not count.")] = (
        False
    )
    extra_arguments: Annotated[bool, Field(description="Arguments that are not expected are allowed.")] = False
    expected: ExpectedPath = None

    def judge(self, ctx: ScoreContext) -> Score:
        """1 when the calls are right, else 0; calls that are missing, wrong or too many are the evidence."""
        wanted = expected_calls(expected_value(ctx, self.expected))
        made = made_calls(ctx.output.tool_calls)
        pairing = self._pair(wanted, made)
        complete = pairing.matched == len(wanted)
        right = complete and (self.match == "subset" or len(made) == len(wanted))
        if not wanted:
            right = not made
        reason = f"{pairing.matched} of {len(wanted)} expected calls made, {len(made)} calls in all"
        evidence = self._evidence(wanted, made, pairing) if not right else ()
        return Score.of(right, reason=reason, evidence=evidence, parts=_parts(wanted, made, pairing))

    def _satisfies(self, made: Call, wanted: Call) -> bool:
        return made.name == wanted.name and fits(
            self._considered(made, wanted), wanted.arguments, loose=self.loose_text
        )

    def _considered(self, made: Call, wanted: Call) -> object:
        if self.extra_arguments and isinstance(made.arguments, dict) and isinstance(wanted.arguments, dict):
            return {key: value for key, value in made.arguments.items() if key in wanted.arguments}
        return made.arguments

    def _pair(self, wanted: list[Call], made: list[Call]) -> Pairing:
        if self.order == "any":
            return match_any_order(wanted, made, self._satisfies)
        if self.match == "exact":
            return match_by_place(wanted, made, self._satisfies)
        return match_in_order(wanted, made, self._satisfies)

    def _evidence(self, wanted: list[Call], made: list[Call], pairing: Pairing) -> tuple[Evidence, ...]:
        used = set(pairing.partners)
        missing = [call for call, partner in zip(wanted, pairing.partners, strict=True) if partner is None]
        spare = [(index, call) for index, call in enumerate(made) if index not in used]
        found = [Evidence(where="expected", text=call.name, note=self._why(call, spare)) for call in missing]
        if self.match == "exact":
            found += [
                Evidence(where="tool_call", index=index, text=call.name, note="not expected") for index, call in spare
            ]
        return tuple(found[:_SHOWN])

    def _why(self, wanted: Call, spare: list[tuple[int, Call]]) -> str:
        rivals = [call for _, call in spare if call.name == wanted.name]
        if not rivals:
            return "not called"
        faults = min(
            (
                list(mismatches(self._considered(call, wanted), wanted.arguments, loose=self.loose_text))
                for call in rivals
            ),
            key=len,
        )
        return "; ".join(faults[:_ARGUMENTS_SHOWN])[:500] or "called at another place in the order"


def _parts(wanted: list[Call], made: list[Call], pairing: Pairing) -> dict[str, float]:
    if not wanted or not made:
        agree = float(not wanted and not made)
        return {"recall": agree if wanted else 1.0, "precision": agree if made else 1.0, "names": agree}
    names = sorted(call.name for call in wanted) == sorted(call.name for call in made)
    return {"recall": pairing.matched / len(wanted), "precision": pairing.matched / len(made), "names": float(names)}


def match_any_order(wanted: list[Call], made: list[Call], satisfies: Callable[[Call, Call], bool]) -> Pairing:
    """The largest pairing of expected with made calls, each used once (augmenting paths, Kuhn 1955)."""
    options = [[index for index, call in enumerate(made) if satisfies(call, want)] for want in wanted]
    owner: dict[int, int] = {}
    for start in range(len(wanted)):
        _augment(start, options, owner, set())
    partners: list[int | None] = [None] * len(wanted)
    for index, want in owner.items():
        partners[want] = index
    return Pairing(tuple(partners))


def _augment(want: int, options: list[list[int]], owner: dict[int, int], seen: set[int]) -> bool:
    for index in options[want]:
        if index in seen:
            continue
        seen.add(index)
        if index not in owner or _augment(owner[index], options, owner, seen):
            owner[index] = want
            return True
    return False


def match_in_order(wanted: list[Call], made: list[Call], satisfies: Callable[[Call, Call], bool]) -> Pairing:
    """Expected calls as a subsequence of the made ones, each at the first place that fits."""
    partners: list[int | None] = []
    start = 0
    for want in wanted:
        place = next((index for index in range(start, len(made)) if satisfies(made[index], want)), None)
        partners.append(place)
        start = start if place is None else place + 1
    return Pairing(tuple(partners))


def match_by_place(wanted: list[Call], made: list[Call], satisfies: Callable[[Call, Call], bool]) -> Pairing:
    """The n-th expected call with the n-th made one."""
    places = range(len(wanted))
    return Pairing(tuple(n if n < len(made) and satisfies(made[n], wanted[n]) else None for n in places))

"""Does the answer match patterns?"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from functools import cached_property
from typing import Annotated, Any, ClassVar

from pydantic import Field

from evalwright.core.score import Evidence, Score
from evalwright.core.scorer import ScoreContext, ScoreInfo, ScoreKind
from evalwright.scorers.base import ExpectedPath, FieldPath, OptionError, RuleScorer, answer_text, references
from evalwright.scorers.patterns import compile_pattern
from evalwright.scorers.rules.contains import Mode, quorum

_EVIDENCE_CHARS = 500


@dataclass(frozen=True)
class Regex(RuleScorer):
    """The answer matches all, any or none of some patterns, or a group of the match equals the expected value.

    Patterns have RE2's syntax and run in linear time: no look-around, no back-references.
    """

    INFO: ClassVar[ScoreInfo] = ScoreInfo(name="regex", kind=ScoreKind.PROPORTION)

    patterns: Annotated[str | tuple[str, ...], Field(description="The pattern or patterns.")]
    _: KW_ONLY
    mode: Annotated[Mode, Field(description="`all`, `any` or `none` of them must match.")] = "all"
    fullmatch: Annotated[bool, Field(description="The whole answer must match, not a part of it.")] = False
    ignore_case: Annotated[bool, Field(description="Upper and lower case are the same.")] = False
    multiline: Annotated[bool, Field(description="`^` and `$` match at line ends too.")] = False
    dot_all: Annotated[bool, Field(description="`.` matches a line end too.")] = False
    group: Annotated[
        int | str | None,
        Field(description="Compare this group of the last match with `expected`, instead of asking for a match."),
    ] = None
    expected: ExpectedPath = None
    field: FieldPath = None

    def __post_init__(self) -> None:
        """Compile now, so that a mistake shows before anything runs."""
        if not self._compiled:
            raise OptionError("`patterns` is empty")
        if self.group is not None:
            self._check_group(self.group)

    def _check_group(self, group: int | str) -> None:
        for pattern in self._compiled:
            known = isinstance(group, int) and 0 <= group <= pattern.groups
            if not known and group not in pattern.groupindex:
                raise OptionError(f"the pattern {pattern.pattern!r} has no group {group!r}")

    @cached_property
    def _compiled(self) -> list[Any]:
        given = (self.patterns,) if isinstance(self.patterns, str) else self.patterns
        return [
            compile_pattern(item, ignore_case=self.ignore_case, multiline=self.multiline, dot_all=self.dot_all)
            for item in given
        ]

    def __getstate__(self) -> dict[str, Any]:
        """Options only: compiled patterns do not travel between processes."""
        return {key: value for key, value in vars(self).items() if key != "_compiled"}

    def judge(self, ctx: ScoreContext) -> Score:
        """1 when the mode is satisfied (or the group equals), else 0; the first match of each is the evidence."""
        text = answer_text(ctx, self.field)
        if self.group is not None:
            return self._compare_group(text, references(ctx, self.expected))
        matches = [pattern.fullmatch(text) if self.fullmatch else pattern.search(text) for pattern in self._compiled]
        found = [match for match in matches if match]
        reason = "; ".join(
            f"{pattern.pattern!r} {'matches' if match else 'does not match'}"
            for pattern, match in zip(self._compiled, matches, strict=True)
        )
        evidence = tuple(_evidence(match) for match in found)
        return Score.of(quorum(self.mode, len(found), len(matches)), reason=reason, evidence=evidence)

    def _compare_group(self, text: str, accepted: tuple[str, ...]) -> Score:
        for pattern in self._compiled:
            match = pattern.fullmatch(text) if self.fullmatch else _last(pattern, text)
            if match and match.group(self.group) is not None:
                return self._verdict(match, accepted)
        return Score.of(False, reason="no pattern matches, so there is nothing to compare")

    def _verdict(self, match: Any, accepted: tuple[str, ...]) -> Score:
        given = match.group(self.group).strip()
        form = str.casefold if self.ignore_case else str
        equal = form(given) in {form(item.strip()) for item in accepted}
        wanted = " or ".join(repr(item[:100]) for item in accepted[:3])
        return Score.of(equal, reason=f"extracted {given[:200]!r}, expected {wanted}", evidence=(_evidence(match),))


def _last(pattern: Any, text: str) -> Any:
    match = None
    for match in pattern.finditer(text):  # noqa: B007
        pass
    return match


def _evidence(match: Any) -> Evidence:
    return Evidence(start=match.start(), end=match.end(), text=match.group()[:_EVIDENCE_CHARS])

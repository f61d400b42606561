"""`judge_panel`: several judges on one answer, their marks joined by majority, median or mean."""

from __future__ import annotations

import asyncio
import statistics
from collections import Counter
from collections.abc import Sequence
from typing import Any, Literal

import msgspec
from pydantic import Field, PositiveInt, model_validator

from evalwright.core.case import Json
from evalwright.core.component import BindContext
from evalwright.core.rubric import Rubric, RubricScale, yes_no
from evalwright.core.score import Score, ScoreStatus
from evalwright.core.scorer import ScoreContext, ScoreInfo, ScoreKind
from evalwright.models.options import config_error
from evalwright.scorers.judge.anchored import AnchorFile, AnchorOptions
from evalwright.scorers.judge.fence import MAX_CHARS
from evalwright.scorers.judge.model import JudgeModel
from evalwright.scorers.judge.pointwise import JudgeScorer, JudgeShape, rubric_info
from evalwright.scorers.judge.rubric_file import RubricSection, load_rubric

Rule = Literal["majority", "median", "mean"]


class JudgePanel(AnchorOptions):
    """Several judges' marks of one answer by one rubric, joined.

    A judge that fails is left out as long as more than half are left (or `min_votes`); otherwise the row is an
    error. Judges that divide without a majority skip the row: they can't tell.
    """

    judges: list[JudgeModel] = Field(
        min_length=2, description="The models: a list of endpoints, each with the options of `judge` for its model."
    )
    rubric: str | RubricSection | None = Field(
        None, description="File of the rubric, from the suite file, or the rubric itself. Or give `criterion`."
    )
    criterion: str | None = Field(None, description="Instead of a rubric: a question to answer with yes or no.")
    rule: Rule = Field(
        "majority",
        description="`majority` takes the level most judges gave, `median` the middle one, `mean` the mean of values.",
    )
    min_votes: PositiveInt | None = Field(None, description="Judges that must give a mark; more than half by default.")
    question: str | None = Field(None, description="Dotted path in the input of what was asked; the whole by default.")
    field: str | None = Field(None, description="Dotted path of the part of the output to judge; its text by default.")
    reference: bool | str = Field(False, description="Show the expected answer, or the part of it at a path.")
    contexts: bool = Field(False, description="Show the passages the answer was given; skipped without any.")
    max_chars: PositiveInt = Field(MAX_CHARS, description="Characters of one part shown; the middle is left out.")

    @model_validator(mode="after")
    def _fits(self) -> JudgePanel:
        if (self.rubric is None) == (self.criterion is None):
            raise ValueError("give exactly one of `rubric` and `criterion`")
        if self.min_votes is not None and self.min_votes > len(self.judges):
            raise ValueError(f"`min_votes: {self.min_votes}` is more than there are judges")
        return self

    def bind(self, context: BindContext) -> PanelScorer:
        """Read the rubric and check every endpoint.

        Raises:
            ConfigError: The rubric or an endpoint is wrong, or the rule does not fit the rubric's scale.
        """
        rubric = self._rubric(context)
        if self.rule != "majority" and rubric.scale is RubricScale.NOMINAL:
            raise config_error(f"`{self.rule}` needs an ordered scale", key="rule", hint="use `majority`")
        shape = JudgeShape(
            field=self.field,
            question=self.question,
            reference=self.reference,
            contexts=self.contexts,
            max_chars=self.max_chars,
        )
        members = [JudgeScorer(judge.judge_client(context), rubric, shape) for judge in self.judges]
        made = PanelScorer(members, rule=self.rule, min_votes=self.min_votes or len(members) // 2 + 1)
        made.anchors = self.made_anchors(context)
        return made

    def _rubric(self, context: BindContext) -> Rubric:
        if isinstance(self.rubric, RubricSection):
            return self.rubric.made()
        if self.rubric is not None:
            return load_rubric(context.base_dir / self.rubric, name=self.rubric)
        return yes_no("judge_panel", (self.criterion or "").strip())


class PanelScorer:
    """Joins the marks of several judges; made by `JudgePanel.bind`.

    Attributes:
        members: The judges.
        rubric: Their common scale.
        prompt_hash: Identity of their common prompt.
        anchors: Labelled answers the panel is watched by.
    """

    anchors: AnchorFile | None = None

    def __init__(self, members: Sequence[JudgeScorer], *, rule: Rule, min_votes: int) -> None:
        self.members = tuple(members)
        self.rubric = members[0].rubric
        self.prompt_hash = members[0].prompt_hash
        self._rule = rule
        self._min_votes = min_votes

    @property
    def info(self) -> ScoreInfo:
        """As the rubric says; a mean of marks is never a proportion."""
        info = rubric_info(self.rubric)
        return msgspec.structs.replace(info, kind=ScoreKind.MEAN) if self._rule == "mean" else info

    def describe(self) -> dict[str, Json]:
        """The members, and how their marks are joined."""
        return {
            "judge": "panel",
            "rule": self._rule,
            "min_votes": self._min_votes,
            "prompt_hash": self.prompt_hash,
            "members": [member.describe() for member in self.members],
        }

    async def open(self) -> None:
        """Open the members' connections."""
        for member in self.members:
            await member.open()

    async def close(self) -> None:
        """Close the members' connections."""
        for member in self.members:
            await member.close()

    def expected_spending(self, shown_tokens: float) -> tuple[float, float, float]:
        """Calls, tokens and money one row will probably take, for budgets and estimates."""
        calls, tokens, cost = zip(*(member.expected_spending(shown_tokens) for member in self.members), strict=True)
        return sum(calls), sum(tokens), sum(cost)

    async def score(self, ctx: ScoreContext) -> Score:
        """Ask all judges at once and join their marks."""
        marks = await asyncio.gather(*(member.score(ctx) for member in self.members))
        given = [mark for mark in marks if mark.status is ScoreStatus.SCORED]
        if marks[0].status is ScoreStatus.SKIPPED:
            return marks[0]
        if len(given) < self._min_votes:
            why = next((mark.reason for mark in marks if mark.status is ScoreStatus.ERROR), "")
            count = f"{len(given)} of {len(marks)} judges gave a mark, {self._min_votes} are needed"
            return Score.failure(f"{count}: {why}")
        return self._joined(given, self._metadata(marks, given))

    def _metadata(self, marks: Sequence[Score], given: Sequence[Score]) -> dict[str, Any]:
        votes = [
            {"model": member.client.options.model, "label": mark.label, "reason": mark.reason[:500]}
            for member, mark in zip(self.members, marks, strict=True)
        ]
        made: dict[str, Any] = {"votes": votes, "prompt_hash": self.prompt_hash}
        for name in ("cost", "tokens"):
            known = [mark.metadata[name] for mark in given if name in mark.metadata]
            if known:
                made[name] = sum(known)
        top = Counter(mark.label for mark in given).most_common(1)[0][1]
        return made | {"agreement": top / len(given)}

    def _joined(self, given: Sequence[Score], metadata: dict[str, Any]) -> Score:
        values = [mark.value or 0.0 for mark in given]
        spoken = "; ".join(f"{mark.label}: {mark.reason}" for mark in given)
        if self._rule == "mean":
            mean = statistics.fmean(values)
            return Score(value=mean, passed=self._mean_passes(mean), reason=spoken, metadata=metadata)
        name = self._level([str(mark.label) for mark in given])
        if name is None:
            divided = ", ".join(f"{count} x {label}" for label, count in Counter(m.label for m in given).most_common())
            nothing = Score.skip(f"the judges divide without a majority: {divided}")
            return msgspec.structs.replace(nothing, metadata=metadata)
        level = self.rubric.level(name)
        return Score(value=level.value, passed=self.rubric.passes(name), label=name, reason=spoken, metadata=metadata)

    def _level(self, names: list[str]) -> str | None:
        if self._rule == "median":
            return self._median(names)
        (top, count), *others = Counter(names).most_common(2)
        return None if others and others[0][1] == count else top

    def _median(self, names: list[str]) -> str:
        """The middle level; of two middle ones the worse."""
        return sorted(names, key=self.rubric.names.index)[(len(names) - 1) // 2]

    def _mean_passes(self, mean: float) -> bool | None:
        if self.rubric.pass_from is None:
            return None
        return mean >= self.rubric.level(self.rubric.pass_from).value

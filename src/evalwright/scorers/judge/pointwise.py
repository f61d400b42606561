"""`judge`: one answer, marked by a rubric, with or without the expected answer as a guide."""

from __future__ import annotations

from typing import Any

import msgspec
from pydantic import Field, PositiveInt, model_validator

from evalwright.core.case import Json
from evalwright.core.component import BindContext
from evalwright.core.rubric import Rubric, yes_no
from evalwright.core.score import Score
from evalwright.core.scorer import ScoreContext, ScoreInfo, ScoreKind
from evalwright.scorers.base import NotApplicable, answer_text, as_text, expected_value
from evalwright.scorers.judge.anchored import AnchorFile, AnchorOptions
from evalwright.scorers.judge.attachments import answer_with_media, attached, without_content
from evalwright.scorers.judge.examine import Examined, NoRuling, examine, no_score
from evalwright.scorers.judge.fence import MAX_CHARS
from evalwright.scorers.judge.model import JudgeClient, JudgeModel
from evalwright.scorers.judge.prompt import Ask, ask, contexts_text, pointwise_system, prompt_hash, question_text
from evalwright.scorers.judge.rubric_file import RubricSection, load_rubric
from evalwright.scorers.paths import MISSING, lookup

TASK = "Mark the ANSWER by the rubric. Reply with the JSON object only."


class JudgeShape(msgspec.Struct, frozen=True, kw_only=True):
    """Which parts of a case and an output a judge is shown.

    Attributes:
        field: Dotted path of the part of the output to judge; its text when None.
        question: Dotted path in the input of the question; the whole input when None.
        reference: True shows the whole of `expected`, a path a part of it, False nothing.
        contexts: Whether the passages the answer was given are shown.
        max_chars: Characters of one block; the middle of a longer one is left out.
    """

    field: str | None = None
    question: str | None = None
    reference: bool | str = False
    contexts: bool = False
    max_chars: int = MAX_CHARS

    def parts(self, ctx: ScoreContext) -> list[tuple[str, str]]:
        """The blocks before the answer: question, passages, reference.

        Raises:
            NotApplicable: A part the judge needs is not there.
        """
        parts = [("QUESTION", self._question(ctx))]
        if self.contexts:
            if not ctx.output.contexts:
                raise NotApplicable("the output has no contexts")
            parts.append(("PASSAGES", contexts_text(ctx.output)))
        if self.reference:
            value = expected_value(ctx, None if self.reference is True else self.reference)
            parts.append(("REFERENCE", reference_text(value)))
        return parts

    def _question(self, ctx: ScoreContext) -> str:
        if self.question is None:
            return question_text(without_content(ctx.case.input))
        value = lookup(ctx.case.input, self.question)
        if value is MISSING or value is None:
            raise NotApplicable(f"the input has no `{self.question}`")
        return question_text(without_content(value))


def reference_text(value: Json) -> str:
    """The expected answer as a judge reads it; several accepted ones as a list."""
    if isinstance(value, list | tuple):
        return "\n".join(f"- {as_text(item)}" for item in value)
    return as_text(value)


class RubricOptions(JudgeModel, AnchorOptions):
    """What every judge is given: its model, and what it judges by."""

    rubric: str | RubricSection | None = Field(
        None, description="File of the rubric, from the suite file, or the rubric itself. Or give `criterion`."
    )
    criterion: str | None = Field(None, description="Instead of a rubric: a question to answer with yes or no.")
    question: str | None = Field(
        None, description="Dotted path in the input of what was asked (`question`); the whole input by default."
    )
    field: str | None = Field(
        None, description="Dotted path of the part of the output to judge (`data.total`); the answer's text by default."
    )
    contexts: bool = Field(False, description="Show the judge the passages the answer was given; skipped without any.")
    max_chars: PositiveInt = Field(
        MAX_CHARS, description="Characters of one part shown to the judge; the middle of a longer one is left out."
    )

    @model_validator(mode="after")
    def _one_rubric(self) -> RubricOptions:
        if (self.rubric is None) == (self.criterion is None):
            raise ValueError("give exactly one of `rubric` and `criterion`")
        return self

    def made_rubric(self, context: BindContext, name: str) -> Rubric:
        """The rubric, read from its file where it is one.

        Raises:
            ConfigError: The file can't be read or is no rubric.
        """
        if isinstance(self.rubric, RubricSection):
            return self.rubric.made()
        if self.rubric is not None:
            return load_rubric(context.base_dir / self.rubric, name=self.rubric)
        return yes_no(name, (self.criterion or "").strip())


class Judge(RubricOptions):
    """A model's mark of one answer by a rubric, with its reason and its confidence.

    The judged text is fenced and neutralised, the reply must follow a schema, and what can't be read even after one
    request to repair it is an error, never a mark. `evalwright calibrate` measures the judge against people.
    """

    reference: bool | str = Field(
        False,
        description="Show the expected answer as a guide: `true` for the whole of `expected`, or a dotted path in it; "
        "skipped where there is none.",
    )

    def bind(self, context: BindContext) -> JudgeScorer:
        """Read the rubric and check the endpoint.

        Raises:
            ConfigError: The rubric or the endpoint is wrong.
        """
        shape = JudgeShape(
            field=self.field,
            question=self.question,
            reference=self.reference,
            contexts=self.contexts,
            max_chars=self.max_chars,
        )
        made = JudgeScorer(self.judge_client(context), self.made_rubric(context, "judge"), shape)
        made.anchors = self.made_anchors(context)
        return made


class JudgeScorer:
    """Marks answers by a rubric; made by `Judge.bind`.

    Args:
        client: Asks the model.
        rubric: The scale.
        shape: What the model is shown.

    Attributes:
        client: Asks the model.
        rubric: The scale.
        prompt_hash: Identity of the prompt, rubric included.
        anchors: Labelled answers it is watched by.
    """

    anchors: AnchorFile | None = None

    def __init__(self, client: JudgeClient, rubric: Rubric, shape: JudgeShape) -> None:
        self.client = client
        self.rubric = rubric
        self.shape = shape
        self._system = pointwise_system(rubric)
        self.prompt_hash = prompt_hash(self._system, [TASK, msgspec.to_builtins(shape)])

    @property
    def info(self) -> ScoreInfo:
        """Named after the rubric; a proportion when its levels are worth 0 and 1."""
        return rubric_info(self.rubric)

    def describe(self) -> dict[str, Json]:
        """Model, parameters, rubric and prompt by content; no secret."""
        return {
            "judge": "pointwise",
            **self.client.describe(),
            "rubric": f"{self.rubric.name}@{self.rubric.version}",
            "rubric_digest": self.rubric.digest[:16],
            "prompt_hash": self.prompt_hash,
            "shape": msgspec.to_builtins(self.shape),
        }

    async def open(self) -> None:
        """Open the connection."""
        await self.client.open()

    async def close(self) -> None:
        """Close the connection."""
        await self.client.close()

    def expected_spending(self, shown_tokens: float) -> tuple[float, float, float]:
        """Calls, tokens and money one row will probably take, for budgets and estimates."""
        return (1.0, *self.client.expected_spending(self._system, shown_tokens))

    def ask(self, ctx: ScoreContext) -> Ask:
        """The question the model is put.

        Raises:
            NotApplicable: A part the judge needs is not there.
        """
        parts = [*self.shape.parts(ctx), ("ANSWER", answer_with_media(answer_text(ctx, self.shape.field), ctx))]
        salt = f"{self.prompt_hash}/{ctx.case.id}/{ctx.trial}"
        limit = self.shape.max_chars
        return ask(self._system, parts, task=TASK, choices=self.rubric.names, salt=salt, limit=limit)

    async def score(self, ctx: ScoreContext) -> Score:
        """Ask the judge; an error where it gives no mark of its own."""
        try:
            question = attached(self.ask(ctx), ctx)
            return self._score(await examine(self.client, question, ctx.services), question)
        except NotApplicable as nothing:
            return Score.skip(str(nothing))
        except NoRuling as error:
            return no_score(error)

    def _score(self, examined: Examined, question: Ask) -> Score:
        level = self.rubric.level(examined.ruling.verdict)
        metadata = record(examined, self.client, self.prompt_hash)
        if question.shortened:
            metadata["shortened"] = True
        return Score(
            value=level.value,
            passed=self.rubric.passes(level.name),
            label=level.name,
            reason=examined.ruling.rationale,
            metadata=metadata,
        )


def rubric_info(rubric: Rubric) -> ScoreInfo:
    """A rubric's scores: range from its levels, a proportion when they are worth 0 and 1."""
    binary = {level.value for level in rubric.levels} == {0.0, 1.0}
    return ScoreInfo(
        name=rubric.name,
        version=rubric.version,
        kind=ScoreKind.PROPORTION if binary else ScoreKind.MEAN,
        low=rubric.low,
        high=rubric.high,
    )


def record(examined: Examined, client: JudgeClient, prompt: str) -> dict[str, Any]:
    """What a score keeps of how it came about: model, prompt, parameters, confidence, repair, cost."""
    options = client.options
    made: dict[str, Any] = {
        "model": examined.model or options.model,
        "prompt_hash": prompt,
        "temperature": options.temperature,
        "seed": options.seed,
        "confidence": examined.ruling.confidence,
        "repaired": examined.repaired or None,
        "tokens": examined.tokens,
        "cost": examined.cost,
    }
    return {name: value for name, value in made.items() if value is not None}

"""`judge_pairwise`: the answer against another one, asked in both orders; a changed mind is a tie and is counted."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec
from pydantic import Field, model_validator

from evalwright.core.case import Json
from evalwright.core.component import BindContext
from evalwright.core.identity import short_hash
from evalwright.core.rubric import Rubric
from evalwright.core.score import Score
from evalwright.core.scorer import ScoreContext, ScoreInfo
from evalwright.models.options import config_error
from evalwright.scorers.base import NotApplicable, answer_text, as_text, expected_value
from evalwright.scorers.judge.anchored import AnchorFile
from evalwright.scorers.judge.attachments import attached
from evalwright.scorers.judge.examine import Examined, NoRuling, examine, no_score
from evalwright.scorers.judge.model import JudgeClient
from evalwright.scorers.judge.pointwise import JudgeShape, RubricOptions, record
from evalwright.scorers.judge.prompt import PAIR_CHOICES, Ask, ask, pairwise_system, prompt_hash

TASK = "Which is better by the criterion, ANSWER A or ANSWER B? Reply with the JSON object only."

Place = Literal["first", "second", "tie"]
Side = Literal["win", "loss", "tie"]

_PLACES: dict[str, Place] = {"A": "first", "B": "second", "tie": "tie"}
_VALUES: dict[Side, float] = {"win": 1.0, "tie": 0.5, "loss": 0.0}


class JudgePairwise(RubricOptions):
    """Whether an answer is better than another one: 1 a win, 0.5 a tie, 0 a loss.

    The judge is asked twice, with the order of the two answers swapped. Where it names the same place both times
    instead of the same answer, position decided and the row is a tie; the share of such rows is the metric's part
    `order_conflict`.
    """

    against: str = Field(
        "expected",
        description="Where the other answer stands: `expected`, or a path such as `expected.answer` or "
        "`metadata.old_answer`.",
    )
    baseline: str | None = Field(
        None,
        description="File with stored answers to compare with instead, e.g. from `evalwright export RUN --format "
        "jsonl`: rows with `id` (or `case_id`) and `output`.",
    )

    @model_validator(mode="after")
    def _one_other(self) -> JudgePairwise:
        if self.baseline is not None and self.against != "expected":
            raise ValueError("`against` and `baseline` are both given; keep one")
        return self

    def bind(self, context: BindContext) -> PairwiseScorer:
        """Read the rubric and the baseline, and check the endpoint.

        Raises:
            ConfigError: The rubric, the baseline or the endpoint is wrong.
        """
        shape = JudgeShape(field=self.field, question=self.question, contexts=self.contexts, max_chars=self.max_chars)
        stored = None if self.baseline is None else read_baseline(context.base_dir / self.baseline, self.baseline)
        other = Other(path=None if self.against == "expected" else self.against, stored=stored)
        made = PairwiseScorer(self.judge_client(context), self.made_rubric(context, "judge_pairwise"), shape, other)
        made.anchors = self.made_anchors(context)
        return made


class Other(msgspec.Struct, frozen=True, kw_only=True):
    """Where the answer to compare with comes from.

    Attributes:
        path: Path in the case; None for the whole of `expected`.
        stored: Answers by case id, instead.
    """

    path: str | None = None
    stored: Mapping[str, str] | None = None

    def text(self, ctx: ScoreContext) -> str:
        """The other answer.

        Raises:
            NotApplicable: There is none for this case.
        """
        if self.stored is None:
            value = expected_value(ctx, self.path)
            return as_text(value[0] if isinstance(value, list) and value else value)
        if ctx.case.id not in self.stored:
            raise NotApplicable("the baseline has no answer for this case")
        return self.stored[ctx.case.id]

    def describe(self) -> Json:
        """Path, or the identity of the stored answers."""
        return (self.path or "expected") if self.stored is None else {"baseline": short_hash(dict(self.stored))}


class PairwiseScorer:
    """Compares an answer with another in both orders; made by `JudgePairwise.bind`.

    Attributes:
        client: Asks the model.
        prompt_hash: Identity of the prompt, criterion included.
        anchors: Labelled answers it is watched by.
    """

    anchors: AnchorFile | None = None

    def __init__(self, client: JudgeClient, rubric: Rubric, shape: JudgeShape, other: Other) -> None:
        self.client = client
        self.rubric = rubric
        self.shape = shape
        self.other = other
        self._system = pairwise_system(rubric)
        self.prompt_hash = prompt_hash(self._system, [TASK, msgspec.to_builtins(shape)])

    @property
    def info(self) -> ScoreInfo:
        """A win rate, ties counting half."""
        return ScoreInfo(name=self.rubric.name, version=self.rubric.version)

    def describe(self) -> dict[str, Json]:
        """Model, parameters, criterion, prompt, and what is compared with; no secret."""
        return {
            "judge": "pairwise",
            **self.client.describe(),
            "rubric": f"{self.rubric.name}@{self.rubric.version}",
            "rubric_digest": self.rubric.digest[:16],
            "prompt_hash": self.prompt_hash,
            "shape": msgspec.to_builtins(self.shape),
            "against": self.other.describe(),
        }

    async def open(self) -> None:
        """Open the connection."""
        await self.client.open()

    async def close(self) -> None:
        """Close the connection."""
        await self.client.close()

    def expected_spending(self, shown_tokens: float) -> tuple[float, float, float]:
        """Calls, tokens and money one row will probably take, for budgets and estimates."""
        tokens, cost = self.client.expected_spending(self._system, 2 * shown_tokens)
        return 2.0, 2 * tokens, 2 * cost

    def asks(self, ctx: ScoreContext) -> tuple[Ask, Ask]:
        """The two questions: the answer as A, then as B.

        Raises:
            NotApplicable: There is no other answer, or a part the judge needs is missing.
        """
        head, mine, other = self.shape.parts(ctx), answer_text(ctx, self.shape.field), self.other.text(ctx)
        salt = f"{self.prompt_hash}/{ctx.case.id}/{ctx.trial}"
        limit = self.shape.max_chars
        orders = [("AB", mine, other), ("BA", other, mine)]
        made = [
            ask(
                self._system,
                [*head, ("ANSWER A", first), ("ANSWER B", second)],
                task=TASK,
                choices=PAIR_CHOICES,
                salt=f"{salt}/{order}",
                limit=limit,
            )
            for order, first, second in orders
        ]
        return made[0], made[1]

    async def score(self, ctx: ScoreContext) -> Score:
        """Ask in both orders; an error where one of the two gives no verdict."""
        try:
            questions = [attached(one, ctx, answer=False) for one in self.asks(ctx)]
            found = await asyncio.gather(*(examine(self.client, one, ctx.services) for one in questions))
        except NotApplicable as nothing:
            return Score.skip(str(nothing))
        except NoRuling as error:
            return no_score(error)
        return self._score(found[0], found[1])

    def _score(self, straight: Examined, swapped: Examined) -> Score:
        first, second = _PLACES[straight.ruling.verdict], _PLACES[swapped.ruling.verdict]
        side, conflict = settle(first, second)
        metadata: dict[str, Any] = record(straight, self.client, self.prompt_hash)
        metadata |= {"first_order": first, "second_order": second, "order_conflict": conflict}
        metadata |= _joint(straight, swapped)
        reason = straight.ruling.rationale
        if conflict:
            reason = f"changed its mind when the order was swapped: {reason} / {swapped.ruling.rationale}"
        return Score(
            value=_VALUES[side],
            label=side,
            reason=reason,
            parts={"order_conflict": float(conflict)},
            metadata=metadata,
        )


def settle(first: Place, second: Place) -> tuple[Side, bool]:
    """The verdict on an answer shown first and then second, and whether the two orders disagree.

    Args:
        first: Place named when the answer stood first.
        second: Place named when it stood second.

    Example:
        >>> settle("first", "second"), settle("first", "first"), settle("first", "tie")
        (('win', False), ('tie', True), ('tie', True))
    """
    straight: Side = {"first": "win", "second": "loss", "tie": "tie"}[first]  # type: ignore[assignment]
    swapped: Side = {"first": "loss", "second": "win", "tie": "tie"}[second]  # type: ignore[assignment]
    return (straight, False) if straight == swapped else ("tie", True)


def _joint(straight: Examined, swapped: Examined) -> dict[str, Any]:
    """Tokens and cost of both calls, the lower confidence, and whether one was repaired."""
    both = (straight, swapped)
    confidences = [one.ruling.confidence for one in both if one.ruling.confidence is not None]
    costs = [one.cost for one in both if one.cost is not None]
    tokens = [one.tokens for one in both if one.tokens is not None]
    made: dict[str, Any] = {}
    if confidences:
        made["confidence"] = min(confidences)
    if costs:
        made["cost"] = sum(costs)
    if tokens:
        made["tokens"] = sum(tokens)
    if any(one.repaired for one in both):
        made["repaired"] = True
    return made


def read_baseline(path: Path, shown: str) -> dict[str, str]:
    """Stored answers by case id, the first trial of each.

    Raises:
        ConfigError: The file can't be read, or a row has no id or no output.
    """
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        hint = "paths are relative to the suite file"
        raise config_error(f"`{shown}` can't be read: {error.strerror or error}", key="baseline", hint=hint) from None
    found: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        if line.strip():
            _take(found, line, f"{shown}:{number}")
    return found


def _take(found: dict[str, str], line: bytes, place: str) -> None:
    try:
        row = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise config_error(f"{place} is not JSON: {error}", key="baseline") from None
    key = row.get("id", row.get("case_id")) if isinstance(row, dict) else None
    if key is None or "output" not in row:
        raise config_error(f"{place} has no `id` or no `output`", key="baseline", hint="one JSON object a line")
    output = row["output"]
    text = output.get("text", "") if isinstance(output, dict) else output
    if output is not None:
        found.setdefault(str(key), as_text(text))

"""`groundedness_judged`: is each claim of the answer in the passages? Asked of a model, claim by claim."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from pydantic import Field

from evalwright.core.case import Json
from evalwright.core.component import BindContext
from evalwright.core.rubric import Rubric, RubricLevel
from evalwright.core.score import Evidence, Score
from evalwright.core.scorer import ScoreContext, ScoreInfo
from evalwright.scorers.base import NotApplicable, answer_text, readable
from evalwright.scorers.judge.examine import Examined, NoRuling, examine, no_score
from evalwright.scorers.judge.fence import MAX_CHARS
from evalwright.scorers.judge.model import JudgeClient, JudgeModel
from evalwright.scorers.judge.prompt import Ask, ask, pointwise_system, prompt_hash
from evalwright.scorers.rag.claims import Claim, statements
from evalwright.scorers.rag.inputs import passages
from evalwright.scorers.rag.support import sources, support

TASK = "Mark the CLAIM by the rubric, against the PASSAGES alone. Reply with the JSON object only."
INFO = ScoreInfo(name="groundedness_judged")
SUPPORTED = "supported"
RUBRIC = Rubric(
    name="claim_in_passages",
    criterion="Do the passages say what the claim says?",
    levels=(
        RubricLevel(
            name="unsupported",
            value=0.0,
            anchor="A part of the claim is not in the passages, differs from them, or only may be true.",
        ),
        RubricLevel(name=SUPPORTED, value=1.0, anchor="Every part of it follows from the passages, in whatever words."),
    ),
    pass_from=SUPPORTED,
    notes="What you know besides the passages does not count. Numbers, names and who did what to whom must agree.",
)
_TYPICAL_CLAIMS = 4.0


class GroundednessJudged(JudgeModel):
    """Share of the answer's claims that a judge finds in the retrieved passages, asked claim by claim.

    The claims are those of `groundedness`: questions, courtesies and admissions of not knowing are left out. It reads
    paraphrases and swapped roles, which words alone do not. A claim the judge gives no verdict on makes the row an
    error, never a value. Skipped where the answer claims nothing or there are no passages.
    """

    context: str | None = Field(None, description="Where the passages stand when not in the output's contexts.")
    field: str | None = Field(None, description="Dotted path of the part of the output to judge; its text by default.")
    max_claims: int = Field(20, ge=1, le=200, description="An answer with more claims is an error rather than cut.")
    max_chars: int = Field(MAX_CHARS, ge=1_000, description="Characters of the passages shown at most.")

    def bind(self, context: BindContext) -> GroundednessJudge:
        """Check the endpoint.

        Raises:
            ConfigError: The endpoint is wrong.
        """
        shape = ClaimShape(context=self.context, field=self.field, max_claims=self.max_claims, max_chars=self.max_chars)
        return GroundednessJudge(self.judge_client(context), shape)


class ClaimShape(msgspec.Struct, frozen=True, kw_only=True):
    """Where claims and passages stand.

    Attributes:
        context: Path of the passages; the output's contexts when None.
        field: Path of the answer; the output's text when None.
        max_claims: Claims an answer may have.
        max_chars: Characters of the passages shown.
    """

    context: str | None = None
    field: str | None = None
    max_claims: int = 20
    max_chars: int = MAX_CHARS


class GroundednessJudge:
    """Asks a model about each claim; made by `GroundednessJudged.bind`.

    Args:
        client: Asks the model.
        shape: Where claims and passages stand.

    Attributes:
        client: Asks the model.
        prompt_hash: Identity of the prompt.
    """

    def __init__(self, client: JudgeClient, shape: ClaimShape) -> None:
        self.client = client
        self.shape = shape
        self._system = pointwise_system(RUBRIC)
        self.prompt_hash = prompt_hash(self._system, [TASK, msgspec.to_builtins(shape)])

    @property
    def info(self) -> ScoreInfo:
        """A mean from 0 to 1."""
        return INFO

    def describe(self) -> dict[str, Json]:
        """Model, parameters and prompt by content; no secret."""
        return {
            "judge": "claims",
            **self.client.describe(),
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
        tokens, cost = self.client.expected_spending(self._system, shown_tokens)
        return (_TYPICAL_CLAIMS, _TYPICAL_CLAIMS * tokens, _TYPICAL_CLAIMS * cost)

    async def score(self, ctx: ScoreContext) -> Score:
        """Ask about each claim; an error where there is no verdict on one."""
        ctx = readable(ctx)
        try:
            texts = passages(ctx, self.shape.context)
            found = self._claims(ctx)
            if len(found) > self.shape.max_claims:
                return Score.failure(f"{len(found)} claims are more than `max_claims`, {self.shape.max_claims}")
            ruled = [await examine(self.client, self.ask(claim, texts, ctx), ctx.services) for claim in found]
        except NotApplicable as nothing:
            return Score.skip(str(nothing))
        except NoRuling as error:
            return no_score(error)
        return self._score(found, ruled, texts)

    def _claims(self, ctx: ScoreContext) -> list[Claim]:
        found = statements(answer_text(ctx, self.shape.field))
        if not found:
            raise NotApplicable("the answer claims nothing")
        return found

    def ask(self, claim: Claim, texts: Sequence[str], ctx: ScoreContext) -> Ask:
        """The question about one claim."""
        numbered = "\n\n".join(f"[{number}] {text}" for number, text in enumerate(texts, start=1))
        salt = f"{self.prompt_hash}/{ctx.case.id}/{ctx.trial}/{claim.start}"
        parts = [("PASSAGES", numbered), ("CLAIM", claim.text)]
        return ask(self._system, parts, task=TASK, choices=RUBRIC.names, salt=salt, limit=self.shape.max_chars)

    def _score(self, found: Sequence[Claim], ruled: Sequence[Examined], texts: Sequence[str]) -> Score:
        held = [one.ruling.verdict == SUPPORTED for one in ruled]
        known = sources(texts)
        evidence: list[Evidence] = []
        for claim, one, good in zip(found, ruled, held, strict=True):
            note = f"{one.ruling.verdict}: {one.ruling.rationale}"[:500]
            evidence.append(Evidence(start=claim.start, end=claim.end, text=claim.text[:500], note=note))
            evidence.extend(support(claim.text, known).evidence("supports it" if good else "nearest by words"))
        costs = [one.cost for one in ruled if one.cost is not None]
        options = self.client.options
        metadata: dict[str, Json] = {
            "model": ruled[-1].model or options.model,
            "prompt_hash": self.prompt_hash,
            "temperature": options.temperature,
            "seed": options.seed,
            "calls": len(ruled) + sum(one.repaired for one in ruled),
            "cost": sum(costs) if costs else None,
        }
        return Score(
            value=sum(held) / len(held),
            passed=all(held),
            reason=f"{sum(held)} of {len(held)} claims supported",
            evidence=tuple(evidence),
            metadata={name: value for name, value in metadata.items() if value is not None},
        )

"""Does the answer say "I don't know" when, and only when, it should?"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from enum import StrEnum
from typing import Annotated, ClassVar, NamedTuple

from pydantic import Field

from evalwright.core.case import Json
from evalwright.core.score import Evidence, Score
from evalwright.core.scorer import ScoreContext, ScoreInfo, ScoreKind
from evalwright.scorers.base import FieldPath, NotApplicable, RuleScorer, answer_text
from evalwright.scorers.paths import MISSING, lookup
from evalwright.scorers.phrases import Phrase
from evalwright.scorers.rag.admission import admission
from evalwright.scorers.rag.claims import Kind, claims

_PLACES = ("metadata.answerable", "metadata.answerability", "expected.answerable", "expected.answerability")
_UNANSWERABLE = ("unanswerable", "no", "false", "none", "not answerable", "not_answerable")
_ANSWERABLE = ("answerable", "yes", "true")


class Abstention(StrEnum):
    """Whether an answer admits not to know."""

    FULL = "full"
    PARTIAL = "partial"
    NONE = "none"


class AbstentionFound(NamedTuple):
    """The finding and the place of the first admission."""

    kind: Abstention
    place: Phrase | None


def abstention(text: str) -> AbstentionFound:
    """Whether a text admits not to know: wholly, beside statements of its own, or not at all.

    An empty text abstains from nothing. An offer to help with something else or a pointer to support counts as courtesy
    or statement like any other sentence.
    """
    place = admission(text)
    if place is None:
        return AbstentionFound(Abstention.NONE, None)
    stated = any(claim.kind is Kind.STATEMENT for claim in claims(text))
    return AbstentionFound(Abstention.PARTIAL if stated else Abstention.FULL, place)


@dataclass(frozen=True)
class AbstentionCorrectness(RuleScorer):
    """The answer admits not to know exactly when the question can't be answered.

    Whether it can stands with the case: a truth value or a word such as `UNANSWERABLE`. Other words (`PARTIAL`) are
    skipped. An admission beside statements of its own counts as abstaining when it stands in the first sentence
    (`lenient: false` asks for nothing but the admission).
    """

    INFO: ClassVar[ScoreInfo] = ScoreInfo(name="abstention_correctness", kind=ScoreKind.PROPORTION)

    _: KW_ONLY
    lenient: Annotated[bool, Field(description="Abstaining in the first sentence is enough, whatever follows.")] = True
    expected: Annotated[
        str | None,
        Field(
            description="Dotted path of the mark in the case; `metadata.answerable`, `metadata.answerability` and the "
            "same in `expected` are found by themselves."
        ),
    ] = None
    unanswerable: Annotated[
        tuple[str, ...], Field(description="Words, besides false, that mark a question nobody can answer.")
    ] = _UNANSWERABLE
    answerable: Annotated[
        tuple[str, ...], Field(description="Words, besides true, that mark a question that can be answered.")
    ] = _ANSWERABLE
    field: FieldPath = None

    def judge(self, ctx: ScoreContext) -> Score:
        """1 when abstaining and the mark agree, else 0; the label says what happened."""
        should = not self._answerable(ctx)
        text = answer_text(ctx, self.field)
        found = abstention(text)
        did = found.kind is Abstention.FULL or (self.lenient and _at_once(text, found))
        label = _LABELS[should, did]
        evidence = (Evidence(**found.place._asdict()),) if found.place else ()
        return Score.of(should == did, label=label, reason=label.replace("_", " "), evidence=evidence)

    def _answerable(self, ctx: ScoreContext) -> bool:
        for path in (self.expected,) if self.expected else _PLACES:
            value = lookup(ctx.case, path)
            if value is not MISSING and value is not None:
                return self._read(value, path)
        raise NotApplicable("the case does not say whether its question can be answered")

    def _read(self, value: Json, path: str) -> bool:
        if isinstance(value, (list, tuple)) and len(value) == 1:
            value = value[0]
        if isinstance(value, bool):
            return value
        word = str(value).strip().lower()
        if word in self.unanswerable or word in self.answerable:
            return word in self.answerable
        raise NotApplicable(f"`{path}` is {word!r}, neither answerable nor unanswerable")


_LABELS = {
    (True, True): "abstained_rightly",
    (True, False): "answered_the_unanswerable",
    (False, True): "abstained_needlessly",
    (False, False): "answered",
}


def _at_once(text: str, found: AbstentionFound) -> bool:
    """Whether the first claim that is no courtesy is the admission."""
    first = next((claim for claim in claims(text) if claim.kind is not Kind.COURTESY), None)
    return found.place is not None and first is not None and first.kind is Kind.ABSTENTION

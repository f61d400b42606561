"""chrF: F-score of character n-grams, and of words for chrF++."""

from __future__ import annotations

import string
from collections import Counter
from dataclasses import KW_ONLY, dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from evalwright.core.score import Score
from evalwright.core.scorer import ScoreContext, ScoreInfo, ScoreKind
from evalwright.scorers.base import ExpectedPath, FieldPath, RuleScorer, answer_text, references
from evalwright.scorers.similarity.tokenizers import ngrams

Array = NDArray[np.float64]
Grams = list[Counter[object]]

_MARKS = frozenset(string.punctuation)


@dataclass(frozen=True)
class Chrf(RuleScorer):
    """Character n-gram F-score against the best reference, 0 to 100; the metric is corpus chrF over all cases.

    Popović 2015 (W15-3049) and 2017 (chrF++, W17-4770), as sacrebleu computes them. Works in every script.
    `word_order: 2` gives chrF++.
    """

    INFO: ClassVar[ScoreInfo] = ScoreInfo(name="chrf", kind=ScoreKind.CORPUS, high=100.0)

    _: KW_ONLY
    word_order: Annotated[Literal[0, 1, 2, 3, 4], Field(description="Longest word n-gram; 0 for none.")] = 0
    char_order: Annotated[int, Field(ge=1, le=10, description="Longest character n-gram.")] = 6
    beta: Annotated[float, Field(gt=0, description="Weight of recall over precision.")] = 2.0
    ignore_case: Annotated[bool, Field(description="Upper and lower case are the same.")] = False
    expected: ExpectedPath = None
    field: FieldPath = None

    def judge(self, ctx: ScoreContext) -> Score:
        """The value against the best reference, with the counts that corpus chrF is made from."""
        accepted = references(ctx, self.expected)
        answer = self._grams(answer_text(ctx, self.field))
        candidates = [_counts(answer, self._grams(item)) for item in accepted]
        values = chrf(np.array(candidates), self.beta)
        best = int(np.argmax(values))
        return Score.of(float(values[best]), stats=tuple(candidates[best]), reason=f"reference {best + 1} is nearest")

    def aggregate(self, sums: Array) -> Array:
        """Corpus chrF from summed counts, shape (..., 3 * orders) to (...)."""
        return chrf(sums, self.beta)

    def _grams(self, text: str) -> Grams:
        line = text.lower() if self.ignore_case else text
        signs = "".join(line.split())
        found: Grams = [
            Counter(signs[at : at + order] for at in range(len(signs) - order + 1))
            for order in range(1, self.char_order + 1)
        ]
        if self.word_order:
            tokens = _words(line)
            found += [Counter(ngrams(tokens, order)) for order in range(1, self.word_order + 1)]
        return found


def _words(line: str) -> list[str]:
    """Words with one leading or trailing punctuation sign taken apart, as chrF++ does."""
    found: list[str] = []
    for word in line.split():
        if len(word) > 1 and word[-1] in _MARKS:
            found += (word[:-1], word[-1])
        elif len(word) > 1 and word[0] in _MARKS:
            found += (word[0], word[1:])
        else:
            found.append(word)
    return found


def _counts(answer: Grams, reference: Grams) -> list[float]:
    counts: list[float] = []
    for mine, theirs in zip(answer, reference, strict=True):
        counts += (mine.total() if theirs else 0, theirs.total(), (mine & theirs).total())
    return counts


def chrf(counts: Array, beta: float) -> Array:
    """The score from counts: shape (..., 3k) of answer, reference and matched n-grams per order, to (...), 0 to 100.

    Precision and recall are averaged over the orders that both sides have.
    """
    grouped = np.asarray(counts, dtype=np.float64).reshape(*np.shape(counts)[:-1], -1, 3)
    mine, theirs, matched = grouped[..., 0], grouped[..., 1], grouped[..., 2]
    both = (mine > 0) & (theirs > 0)
    orders = np.maximum(both.sum(axis=-1), 1)
    precision = np.divide(matched, mine, out=np.zeros_like(matched), where=both).sum(axis=-1) / orders
    recall = np.divide(matched, theirs, out=np.zeros_like(matched), where=both).sum(axis=-1) / orders
    weight = beta * beta
    below = weight * precision + recall
    above = (1.0 + weight) * precision * recall
    result: Array = 100.0 * np.divide(above, below, out=np.zeros_like(above), where=below > 0)
    return result

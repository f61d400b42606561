"""ROUGE: how much of a reference summary the answer covers."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import KW_ONLY, dataclass
from typing import Annotated, Literal

from pydantic import Field
from rapidfuzz.distance import LCSseq

from evalwright.core.score import Score
from evalwright.core.scorer import ScoreContext, ScoreInfo
from evalwright.scorers.base import ExpectedPath, FieldPath, NotApplicable, RuleScorer, answer_text, references
from evalwright.scorers.similarity.token_f1 import Overlap
from evalwright.scorers.similarity.tokenizers import ngrams
from evalwright.scorers.text.porter import porter_stem
from evalwright.scorers.text.sentences import sentences
from evalwright.scorers.text.words import runs

Variant = Literal["rouge1", "rouge2", "rouge3", "rougeL", "rougeLsum"]

_ASCII_RUN = re.compile("[a-z0-9]+")
_LARGEST_TABLE = 20_000_000


@dataclass(frozen=True)
class Rouge(RuleScorer):
    """ROUGE-1, -2, -3, -L or -Lsum against the best reference, 0 to 1.

    Lin 2004 (W04-1013), as the rouge-score package computes it, except that words of every script count by default
    (`tokens: ascii` is that package's own cut, which drops accented letters and all non-Latin text).
    """

    variant: Annotated[
        Variant, Field(description="n-grams, longest common subsequence, or that of sentences united.")
    ] = "rougeL"
    _: KW_ONLY
    measure: Annotated[Literal["f1", "precision", "recall"], Field(description="Which of the three figures.")] = "f1"
    stem: Annotated[bool, Field(description="Compare English stems (Porter) of words longer than three letters.")] = (
        False
    )
    tokens: Annotated[Literal["words", "ascii"], Field(description="How a text is cut into words.")] = "words"
    split: Annotated[Literal["lines", "sentences"], Field(description="What ROUGE-Lsum takes as a sentence.")] = "lines"
    expected: ExpectedPath = None
    field: FieldPath = None

    @property
    def info(self) -> ScoreInfo:
        """A mean from 0 to 1 named after the variant."""
        return ScoreInfo(name=self.variant)

    def judge(self, ctx: ScoreContext) -> Score:
        """The variant's figure against the best reference."""
        accepted = references(ctx, self.expected)
        answer = self._units(answer_text(ctx, self.field))
        found = [self._compare(answer, self._units(item)) for item in accepted]
        best = max(found, key=lambda item: float(getattr(item, self.measure)))
        return Score.of(
            float(getattr(best, self.measure)), reason=f"precision {best.precision:.3f}, recall {best.recall:.3f}"
        )

    def _units(self, text: str) -> list[list[str]]:
        """Sentences of tokens for ROUGE-Lsum, one list of all tokens for the others."""
        if self.variant != "rougeLsum":
            return [self._tokens(text)]
        parts = text.split("\n") if self.split == "lines" else [item.text for item in sentences(text)]
        return [self._tokens(part) for part in parts if part]

    def _tokens(self, text: str) -> list[str]:
        found = runs(text) if self.tokens == "words" else _ASCII_RUN.findall(text.lower())
        return [porter_stem(item) if len(item) > 3 else item for item in found] if self.stem else found

    def _compare(self, answer: list[list[str]], reference: list[list[str]]) -> Overlap:
        if self.variant == "rougeLsum":
            return summary_lcs(answer, reference)
        mine, theirs = answer[0], reference[0]
        if self.variant == "rougeL":
            return _overlap(LCSseq.similarity(mine, theirs), len(mine), len(theirs))
        order = int(self.variant[-1])
        own, wanted = ngrams(mine, order), ngrams(theirs, order)
        return _overlap((own & wanted).total(), own.total(), wanted.total())


def _overlap(common: float, mine: int, theirs: int) -> Overlap:
    if not common:
        return Overlap(0.0, 0.0, 0.0)
    return Overlap(common / mine, common / theirs, 2 * common / (mine + theirs))


def summary_lcs(answer: list[list[str]], reference: list[list[str]]) -> Overlap:
    """Summary-level ROUGE-L.

    For each reference sentence, the union of its longest common subsequences with all answer sentences; each token
    counts at most as often as either side has it.

    Raises:
        NotApplicable: A pair of sentences is too long for the table that this needs.
    """
    mine = Counter(token for part in answer for token in part)
    theirs = Counter(token for part in reference for token in part)
    left, wanted, hits = mine.copy(), theirs.copy(), 0
    for part in reference:
        united = sorted(set().union(*(common_places(part, other) for other in answer)))
        for token in (part[place] for place in united):
            if left[token] > 0 and wanted[token] > 0:
                hits += 1
                left[token] -= 1
                wanted[token] -= 1
    return _overlap(hits, mine.total(), theirs.total())


def common_places(reference: list[str], answer: list[str]) -> list[int]:
    """Places in the reference that form a longest common subsequence with the answer.

    Among equally long ones, the one found by walking back from the end and dropping reference tokens first.

    Raises:
        NotApplicable: The table would be too large.
    """
    if len(reference) * len(answer) > _LARGEST_TABLE:
        raise NotApplicable("a sentence is too long for ROUGE-Lsum")
    if not set(reference) & set(answer):
        return []
    table = _lcs_table(reference, answer)
    places, row, column = [], len(reference), len(answer)
    while row and column:
        if reference[row - 1] == answer[column - 1]:
            row, column = row - 1, column - 1
            places.append(row)
        elif table[row][column - 1] > table[row - 1][column]:
            column -= 1
        else:
            row -= 1
    return places[::-1]


def _lcs_table(first: list[str], second: list[str]) -> list[list[int]]:
    table = [[0] * (len(second) + 1)]
    for token in first:
        above, row = table[-1], [0]
        for column, other in enumerate(second):
            row.append(above[column] + 1 if token == other else max(above[column + 1], row[column]))
        table.append(row)
    return table

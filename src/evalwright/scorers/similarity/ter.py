"""TER: how many edits, moves of phrases among them, turn the answer into a reference."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass
from enum import StrEnum
from typing import Annotated, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from rapidfuzz.distance import Levenshtein

from evalwright.core.score import Score
from evalwright.core.scorer import ScoreContext, ScoreInfo, ScoreKind
from evalwright.scorers.base import ExpectedPath, FieldPath, RuleScorer, answer_text, references

_LONGEST_SHIFT = 10
_FARTHEST_SHIFT = 50
_MOST_CANDIDATES = 1_000
_LARGEST = 250_000

Words = tuple[str, ...]


class Edit(StrEnum):
    """One step from the answer to the reference."""

    KEEP = "keep"
    REPLACE = "replace"
    DELETE = "delete"
    INSERT = "insert"


class Aligned(NamedTuple):
    """How two word lists lie against each other under the fewest edits.

    Attributes:
        edits: The number of edits.
        partner: For each reference word the place of the answer word before or at it (-1 before the first).
        answer_wrong: Whether each answer word is replaced or deleted.
        reference_wrong: Whether each reference word is a replacement or an insertion.
    """

    edits: int
    partner: list[int]
    answer_wrong: list[bool]
    reference_wrong: list[bool]


@dataclass(frozen=True)
class Ter(RuleScorer):
    """Translation edit rate against the nearest reference, in percent of its words; lower is better.

    Snover et al. 2006 (2006.amta-papers.25): insertions, deletions, replacements, and moves of phrases, found greedily
    as tercom and sacrebleu do. The metric is the rate over all cases: edits summed, over reference words summed. Very
    long texts (more than 250,000 pairs of words) are failures of the scorer, not of the answer.
    """

    INFO: ClassVar[ScoreInfo] = ScoreInfo(name="ter", kind=ScoreKind.CORPUS, high=None, higher_is_better=False)

    _: KW_ONLY
    ignore_case: Annotated[bool, Field(description="Upper and lower case are the same.")] = True
    expected: ExpectedPath = None
    field: FieldPath = None

    def judge(self, ctx: ScoreContext) -> Score:
        """The rate of the case, with edits and reference words for the corpus."""
        accepted = [self._words(item) for item in references(ctx, self.expected)]
        answer = self._words(answer_text(ctx, self.field))
        if any(len(answer) * len(item) > _LARGEST for item in accepted):
            return Score.failure("answer and reference are too long for TER")
        edits = min(fewest_edits(answer, item) for item in accepted)
        size = sum(map(len, accepted)) / len(accepted)
        stats = (float(edits), size)
        return Score.of(float(ter(np.array(stats))), reason=f"{edits} edits, {size:g} words", stats=stats)

    def aggregate(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        """Corpus TER from summed edits and reference words, shape (..., 2) to (...)."""
        return ter(sums)

    def _words(self, text: str) -> Words:
        return tuple((text.lower() if self.ignore_case else text).split())


def ter(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Edits as percent of reference words, shape (..., 2) to (...); 100 for any edit against no words."""
    edits, size = np.asarray(counts, dtype=np.float64)[..., 0], np.asarray(counts, dtype=np.float64)[..., 1]
    empty = np.where(edits > 0, 1.0, 0.0)
    result: NDArray[np.float64] = 100.0 * np.divide(edits, size, out=empty, where=size > 0)
    return result


def fewest_edits(answer: Words, reference: Words) -> int:
    """Edits and moves that turn an answer into a reference, moves chosen greedily by what they save."""
    if not reference:
        return len(answer)
    moves = tried = 0
    while True:
        now = align(answer, reference)
        best: tuple[int, int, int, int, Words] | None = None
        for move in candidates(answer, reference, now):
            tried += 1
            ranked = (now.edits - Levenshtein.distance(move[3], reference), *move)
            best = ranked if best is None else max(best, ranked)
            if tried >= _MOST_CANDIDATES:
                break
        if best is None or tried >= _MOST_CANDIDATES or best[0] <= 0:
            return moves + now.edits
        moves, answer = moves + 1, best[4]


def candidates(answer: Words, reference: Words, now: Aligned) -> Iterator[tuple[int, int, int, Words]]:
    """Moves worth trying: length, start and target (both negated, so that larger is better), and the moved answer.

    A phrase is moved only when it is wrong where it stands, and wrong in the reference where it belongs.
    """
    for start, goal, length in common_phrases(answer, reference):
        if not any(now.answer_wrong[start : start + length]) or not any(now.reference_wrong[goal : goal + length]):
            continue
        if start <= now.partner[goal] < start + length:
            continue
        for target in _targets(now.partner, goal, length):
            yield length, -start, -target, moved(answer, start, length, target)


def _targets(partner: list[int], goal: int, length: int) -> Iterator[int]:
    last = -1
    for place in range(goal - 1, goal + length):
        if place >= len(partner):
            return
        target = 0 if place < 0 else partner[place] + 1
        if target != last:
            last = target
            yield target


def common_phrases(answer: Words, reference: Words) -> Iterator[tuple[int, int, int]]:
    """Start in the answer, start in the reference and length of every phrase they share, up to ten words."""
    for start in range(len(answer)):
        for goal in range(max(0, start - _FARTHEST_SHIFT), min(len(reference), start + _FARTHEST_SHIFT + 1)):
            for length in range(1, min(_LONGEST_SHIFT, len(answer) - start, len(reference) - goal) + 1):
                if answer[start + length - 1] != reference[goal + length - 1]:
                    break
                yield start, goal, length


def moved(words: Words, start: int, length: int, target: int) -> Words:
    """The words with a phrase taken out and put in before the target, or so many words later when it lies inside."""
    phrase, end = words[start : start + length], start + length
    if target < start:
        return words[:target] + phrase + words[target:start] + words[end:]
    if target <= end:
        target += length
    return words[:start] + words[end:target] + phrase + words[target:]


def align(answer: Words, reference: Words) -> Aligned:
    """The fewest edits from answer to reference, and what they touch.

    Of equally few edits, keeping or replacing wins over deleting, deleting over inserting.
    """
    table = _table(answer, reference)
    partner, answer_wrong, reference_wrong = [], [], []
    for edit, place in _path(table, len(answer), len(reference)):
        if edit is not Edit.DELETE:
            partner.append(place)
            reference_wrong.append(edit is not Edit.KEEP)
        if edit is not Edit.INSERT:
            answer_wrong.append(edit is not Edit.KEEP)
    return Aligned(table[-1][-1][0], partner, answer_wrong, reference_wrong)


def _table(answer: Words, reference: Words) -> list[list[tuple[int, Edit]]]:
    table = [[(column, Edit.INSERT) for column in range(len(reference) + 1)]]
    for row, word in enumerate(answer, start=1):
        above, line = table[-1], [(row, Edit.DELETE)]
        for column, wanted in enumerate(reference, start=1):
            diagonal = (above[column - 1][0], Edit.KEEP) if word == wanted else (above[column - 1][0] + 1, Edit.REPLACE)
            options = (diagonal, (above[column][0] + 1, Edit.DELETE), (line[-1][0] + 1, Edit.INSERT))
            line.append(min(options, key=lambda option: option[0]))
        table.append(line)
    return table


def _path(table: list[list[tuple[int, Edit]]], row: int, column: int) -> list[tuple[Edit, int]]:
    """The edits in order, each with the place of the answer word at or before it."""
    steps = []
    while row or column:
        edit = table[row][column][1]
        steps.append((edit, row - 1))
        row -= edit is not Edit.INSERT
        column -= edit is not Edit.DELETE
    return steps[::-1]

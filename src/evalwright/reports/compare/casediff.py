"""A case in two runs as the comparison shows it: what moved, and both answers word by word."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from evalwright.core.case import Case
from evalwright.core.case_pair import CasePair
from evalwright.core.comparison import Flip
from evalwright.core.output import Output
from evalwright.core.result import CaseResult
from evalwright.core.score import Score, ScoreStatus
from evalwright.reports import caseview
from evalwright.reports.compare.worddiff import DiffPiece, word_diff
from evalwright.reports.figures import digits, quoted
from evalwright.reports.text import one_line


class ScoreMove(msgspec.Struct, frozen=True, kw_only=True):
    """A metric of a case before and after, each with its reason; `tone`: `pass`, `fail`, or empty where it stayed."""

    metric: str
    before: str
    after: str
    why_before: str
    why_after: str
    tone: str


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a run answered: the text as stretches, facts, or why there is none."""

    pieces: Sequence[DiffPiece]
    facts: Sequence[tuple[str, str]]
    error: str
    trials: int


class CaseDiff(msgspec.Struct, frozen=True, kw_only=True):
    """A case as its row and its article show it."""

    id: str
    anchor: str
    case: Case
    headline: str
    tone: str
    word: str
    size: float
    chips: Sequence[str]
    moves: Sequence[ScoreMove]
    before: Answer
    after: Answer
    slices: Sequence[str]
    same_text: bool
    command: str


def case_diff(pair: CasePair, flips: Sequence[Flip], place: str, candidate: str) -> CaseDiff:
    """A case of a comparison.

    Args:
        pair: The case in both runs.
        flips: What moved on it; the row verdict's flip has no metric.
        place: Prefix of the case's anchor, one per pair of runs.
        candidate: Run id of the candidate, for the command that shows the case.
    """
    left, right = _text(pair.baseline), _text(pair.candidate)
    first, second = word_diff(left, right)
    broken = any(flip.gain < 0 for flip in flips)
    fixed = any(flip.gain > 0 for flip in flips)
    return CaseDiff(
        id=pair.case.id,
        anchor=f"{place}{caseview.anchor(pair.case.id)}",
        case=pair.case,
        headline=caseview.headline(pair.candidate),
        tone="fail" if broken and not fixed else "pass" if fixed and not broken else "inconclusive",
        word="worse" if broken and not fixed else "better" if fixed and not broken else "mixed",
        size=max((abs(flip.gain) for flip in flips), default=0.0),
        chips=[_chip(flip) for flip in flips if flip.metric] or [_chip(flip) for flip in flips],
        moves=_moves(pair),
        before=_answer(pair.baseline, first),
        after=_answer(pair.candidate, second),
        slices=caseview.slice_labels(pair.candidate.slices),
        same_text=left == right,
        command=f"evalwright show {candidate} {quoted(pair.case.id)}",
    )


def _chip(flip: Flip) -> str:
    if not flip.metric:
        return "passes → fails" if flip.gain < 0 else "fails → passes"
    return f"{one_line(flip.metric, 40)} {digits(flip.baseline)} → {digits(flip.candidate)}"


def _text(result: CaseResult) -> str:
    output = _first_output(result)
    return "" if output is None else output.text


def _first_output(result: CaseResult) -> Output | None:
    return next((unit.output for unit in result.trials if unit.output is not None), None)


def _answer(result: CaseResult, pieces: Sequence[DiffPiece]) -> Answer:
    unit = next((unit for unit in result.trials if unit.output is not None), None)
    error = next((f"{u.error.kind}: {u.error.message}" for u in result.trials if u.error is not None), "")
    return Answer(
        pieces=pieces,
        facts=caseview.meta_words(unit.output, unit) if unit is not None and unit.output is not None else (),
        error="" if unit is not None else error or "the run did not get to this case",
        trials=len(result.trials),
    )


def _moves(pair: CasePair) -> list[ScoreMove]:
    before, after = _scores(pair.baseline), _scores(pair.candidate)
    found = [_move(metric, before.get(metric, []), after.get(metric, [])) for metric in {**before, **after}]
    return sorted(found, key=lambda move: (move.tone != "fail", move.tone != "pass"))


def _scores(result: CaseResult) -> dict[str, list[Score]]:
    found: dict[str, list[Score]] = {}
    for unit in result.trials:
        for metric, score in unit.scores.items():
            found.setdefault(metric, []).append(score)
    return found


def _move(metric: str, before: Sequence[Score], after: Sequence[Score]) -> ScoreMove:
    verdicts = _passed(before), _passed(after)
    tone = "" if None in verdicts or verdicts[0] == verdicts[1] else "pass" if verdicts[1] else "fail"
    return ScoreMove(
        metric=metric,
        before=_shown(before),
        after=_shown(after),
        why_before=_why(before),
        why_after=_why(after),
        tone=tone,
    )


def _passed(scores: Sequence[Score]) -> bool | None:
    verdicts = [score.passed for score in scores if score.passed is not None]
    return all(verdicts) if verdicts else None


def _shown(scores: Sequence[Score]) -> str:
    values = [score.value for score in scores if score.value is not None]
    if values:
        return digits(sum(values) / len(values))
    if not scores:
        return "–"
    return "skipped" if scores[0].status is ScoreStatus.SKIPPED else "error"


def _why(scores: Sequence[Score]) -> str:
    told = next((score for score in scores if score.passed is False), scores[0] if scores else None)
    return "" if told is None else told.reason

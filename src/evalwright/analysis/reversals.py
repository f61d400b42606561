"""Where the total says one thing and its parts another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from evalwright.analysis.wording import amount, cases, change_words, direction, is_worse, listing
from evalwright.core.comparison import PairedFigure, Reversal

MANY = 4
"""Most slices one sentence names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainMeans:
    """A metric's plain average of each run over whatever cases that run scored.

    Attributes:
        baseline: Of the baseline.
        candidate: Of the candidate.
        left: Cases the baseline scored.
        right: Cases the candidate scored.
    """

    baseline: float
    candidate: float
    left: int
    right: int


def hidden_regressions(figures: Sequence[PairedFigure], slices: Sequence[PairedFigure]) -> Iterator[Reversal]:
    """Metrics that rise overall while a slice falls, beyond what chance explains after correction.

    Over the same cases the total is the weighted mean of disjoint slices, so the slices explain it; what the total
    hides is a slice that goes the other way.
    """
    for figure in figures:
        if figure.statistic != "mean" or (figure.gain or 0.0) <= 0:
            continue
        parts = [part for part in slices if part.metric == figure.metric and is_worse(part)]
        if parts:
            yield _hidden(figure, parts, len([p for p in slices if p.metric == figure.metric and p.p is not None]))


def _hidden(figure: PairedFigure, parts: Sequence[PairedFigure], looked_at: int) -> Reversal:
    named = listing([_fall(part) for part in parts[:MANY]])
    more = f" and {len(parts) - MANY} more" if len(parts) > MANY else ""
    return Reversal(
        metric=figure.metric,
        kind="hidden",
        dimension=parts[0].slice.partition("=")[0],
        total=figure.gain,
        parts=tuple(part.slice for part in parts),
        sentence=f"The total hides a regression: {change_words(figure)} over all cases, but {named}{more}, "
        f"corrected for having looked at {looked_at} slices.",
    )


def _fall(part: PairedFigure) -> str:
    ends = change_words(part).partition("(")[2]
    interval = f" ({ends}" if ends else ""
    return f"{part.slice} is {amount(part.difference or 0.0, part)} {direction(part)}{interval}"


def mix_reversal(figure: PairedFigure, plain: PlainMeans) -> Reversal | None:
    """Whether the plain averages of the two runs and the same cases compared point in opposite directions."""
    crude = figure.sign * (plain.candidate - plain.baseline)
    gain = figure.gain or 0.0
    if crude * gain >= 0 or (plain.left == figure.n and plain.right == figure.n):
        return None
    words = "better" if crude > 0 else "worse"
    return Reversal(
        metric=figure.metric,
        kind="mix",
        total=figure.gain,
        sentence=f"The plain averages mislead: {figure.metric} looks {amount(crude, figure)} {words} "
        f"({cases(plain.left)} against {cases(plain.right)}), but on the {cases(figure.n)} both runs scored it is "
        f"{amount(gain, figure)} {direction(figure)}. The runs did not score the same cases.",
    )


def weight_reversals(figures: Sequence[PairedFigure], reweighted: Sequence[PairedFigure]) -> Iterator[Reversal]:
    """Metrics whose difference changes sign when the slices are weighted as in production."""
    totals = {(figure.metric, figure.statistic): figure for figure in figures}
    for figure in reweighted:
        total = totals.get((figure.metric, figure.statistic))
        if total is not None and (total.gain or 0.0) * (figure.gain or 0.0) < 0:
            yield Reversal(
                metric=figure.metric,
                kind="weights",
                total=total.gain,
                sentence=f"Weighted as in production the sign changes: {change_words(total)} over the suite's cases, "
                f"but {change_words(figure)} at the production mix.",
            )

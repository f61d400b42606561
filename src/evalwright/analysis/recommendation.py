"""What a comparison means, in words for someone who knows no statistics, with what it does not cover."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evalwright.analysis.wording import (
    amount,
    cases,
    change_words,
    is_better,
    is_worse,
    listing,
    plain,
    relative,
    value_words,
)
from evalwright.core.comparison import (
    Advice,
    Mismatch,
    PairedFigure,
    Pairing,
    Recommendation,
    Reversal,
    Weight,
)
from evalwright.stats import mcnemar_cases

OPERATIONAL = frozenset({"s", "USD", "tokens"})
"""Units of what an answer takes rather than how good it is."""

NAMED = 3
"""Most figures one sentence names."""


def is_operational(figure: PairedFigure) -> bool:
    """Whether a figure is about what answers take (seconds, money, tokens) rather than how good they are."""
    return figure.unit in OPERATIONAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """Everything a recommendation rests on.

    Attributes:
        baseline: Short name of the baseline.
        candidate: Short name of the candidate.
        pairing: How the cases were brought together.
        mismatches: What differs in the circumstances.
        figures: Metrics over all pairs, adjusted.
        slices: Metrics per slice, adjusted.
        reversals: Where total and parts contradict.
        margin: Largest loss that does not matter, as a share of a metric's range.
    """

    baseline: str
    candidate: str
    pairing: Pairing
    mismatches: Sequence[Mismatch]
    figures: Sequence[PairedFigure]
    slices: Sequence[PairedFigure]
    reversals: Sequence[Reversal]
    margin: float

    @property
    def quality(self) -> list[PairedFigure]:
        """Figures of how good answers are, with a direction; what answers take is left out."""
        return [f for f in self.figures if f.higher_is_better is not None and f.n and not is_operational(f)]

    @property
    def operations(self) -> list[PairedFigure]:
        """Figures of what answers take: seconds, money, tokens."""
        return [f for f in self.figures if f.n and is_operational(f)]


def recommend(findings: Findings) -> Recommendation:
    """The recommendation for a candidate against its baseline."""
    if not findings.pairing.pairs or not any(figure.n for figure in findings.figures):
        return _incomparable(findings)
    moved = _Moved(
        better=list(filter(is_better, findings.quality)),
        worse=list(filter(is_worse, findings.quality)),
        fallen=[figure for figure in findings.slices if is_worse(figure) and not is_operational(figure)],
    )
    advice = _advice(findings, moved)
    return Recommendation(
        advice=advice,
        headline=_headline(advice, findings, moved),
        reasons=tuple(_reasons(findings, moved.fallen)),
        limits=tuple(_limits(findings)),
    )


def _incomparable(findings: Findings) -> Recommendation:
    why = [m.meaning for m in findings.mismatches if m.weight is Weight.BREAKS]
    return Recommendation(
        advice=Advice.INCOMPARABLE,
        headline=f"{findings.candidate} and {findings.baseline} can't be compared.",
        reasons=tuple(why) or ("The runs share no case that both scored.",),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Moved:
    """Quality figures shown to be better, or worse, and slices shown to be worse."""

    better: list[PairedFigure]
    worse: list[PairedFigure]
    fallen: list[PairedFigure]


def _advice(findings: Findings, moved: _Moved) -> Advice:
    if moved.worse:
        return Advice.TRADE if moved.better else Advice.KEEP
    if moved.fallen:
        return Advice.TRADE
    if moved.better:
        return Advice.SHIP
    return Advice.EQUAL if _all_within_margin(findings) else Advice.EVIDENCE


def _all_within_margin(findings: Findings) -> bool:
    """Whether every quality figure is shown to differ by less than the margin; needs metrics told in points."""
    shares = [figure for figure in findings.quality if figure.share]
    return bool(shares) and len(shares) == len(findings.quality) and all(_within(f, findings.margin) for f in shares)


def _within(figure: PairedFigure, margin: float) -> bool:
    ends = figure.ci
    return ends is not None and -margin < ends[0] and ends[1] < margin


def _headline(advice: Advice, findings: Findings, moved: _Moved) -> str:
    return f"{_first_sentence(advice, findings, moved)}{_operations(findings)}"


def _first_sentence(advice: Advice, findings: Findings, moved: _Moved) -> str:
    new, old = findings.candidate, findings.baseline
    better, worse = _some(moved.better), _some(moved.worse or moved.fallen)
    if advice is Advice.SHIP:
        return f"Ship {new}: {better}; {_slices_phrase(findings)}."
    if advice is Advice.KEEP:
        return f"Keep {old}: with {new} {worse}."
    if advice is Advice.TRADE and better:
        return f"A person has to decide: with {new} {better}, but {worse}."
    if advice is Advice.TRADE:
        return f"A person has to decide: {new} shows no gain over all cases, and {worse}."
    if advice is Advice.EQUAL:
        return f"No difference that matters: on every metric {new} is within {_margin_words(findings)} of {old}."
    return f"Not enough evidence to prefer {new} or {old}: {_unseen(findings)}."


def _some(figures: Sequence[PairedFigure]) -> str:
    words = [change_words(figure) for figure in figures[:NAMED]]
    left = len(figures) - NAMED
    return listing([*words, f"{left} more like this"] if left > 0 else words)


def _margin_words(findings: Findings) -> str:
    return f"{findings.margin * 100:g} points"


def _slices_phrase(findings: Findings) -> str:
    judged = [figure for figure in findings.slices if figure.share and figure.p is not None]
    if not judged and not findings.slices:
        return "the suite has no slices to look into"
    unsure = [figure for figure in judged if (figure.gain_ci or (-1.0, 1.0))[0] < -findings.margin]
    if not unsure:
        return f"no slice is worse by more than {_margin_words(findings)}"
    if len(unsure) == len(judged):
        return (
            f"no slice is clearly worse, but none is large enough to rule out a loss of more than "
            f"{_margin_words(findings)}"
        )
    named = listing([f"{figure.slice}, where {cases(figure.n)} can't tell" for figure in unsure[:NAMED]])
    more = f" and {len(unsure) - NAMED} others" if len(unsure) > NAMED else ""
    return f"no slice is worse by more than {_margin_words(findings)} except possibly {named}{more}"


def _operations(findings: Findings) -> str:
    """A sentence on cost and speed, where they clearly changed: ` B is 38 % cheaper.`."""
    chosen = [f for f in findings.operations if f.clear and f.metric in _MORE_AND_LESS and f.statistic == "mean"]
    words = [word for figure in chosen if (word := _operation(figure))]
    name = findings.candidate.replace("the candidate", "The candidate")
    return f" {name} is {listing(words)}." if words else ""


_MORE_AND_LESS = {"latency": ("slower", "faster"), "cost": ("dearer", "cheaper")}


def _operation(figure: PairedFigure) -> str:
    number, _, word = relative(figure).rpartition(" ")
    if not number:
        return ""
    more, less = _MORE_AND_LESS[figure.metric]
    return f"{number} {more if word == 'more' else less}"


def _unseen(findings: Findings) -> str:
    hints = [figure for figure in findings.quality if figure.hint]
    if hints:
        return f"{_some(hints)}, but that is no more than a hint among {len(findings.quality)} figures looked at"
    primary = findings.quality[0] if findings.quality else None
    if primary is None:
        return "the runs share no metric that has a better and a worse"
    ends = primary.gain_ci
    if ends is None:
        return f"{cases(primary.n)} of {primary.metric} say nothing yet"
    worst, best = max(-ends[0], 0.0), max(ends[1], 0.0)
    return (
        f"on {primary.metric} the truth may lie anywhere from {amount(worst, primary)} worse "
        f"to {amount(best, primary)} better"
    )


def _reasons(findings: Findings, fallen: Sequence[PairedFigure]) -> list[str]:
    found = [_reason(figure) for figure in findings.quality if figure.clear]
    found.extend(reversal.sentence for reversal in findings.reversals)
    hidden = {part for reversal in findings.reversals for part in reversal.parts}
    found.extend(f"{change_words(figure)}." for figure in fallen if figure.slice not in hidden)
    found.extend(_operation_reason(f) for f in findings.operations if f.clear and f.statistic != "p50")
    found.extend(
        f"{change_words(figure)} on its own, but not beyond what chance gives among so many figures: a hint."
        for figure in findings.quality
        if figure.hint
    )
    unclear = [figure for figure in findings.quality if not figure.clear and not figure.hint]
    if unclear:
        found.append(f"No difference shown on {listing([_unclear(figure) for figure in unclear[:5]])}.")
    return found


def _reason(figure: PairedFigure) -> str:
    flips = f"; {figure.wins:,} cases better, {figure.losses:,} worse, {figure.ties:,} the same"
    values = f"{value_words(figure.baseline, figure)} → {value_words(figure.candidate, figure)}"
    return f"{change_words(figure)}: {values} on {cases(figure.n)}{flips}."


def _operation_reason(figure: PairedFigure) -> str:
    name = figure.metric if figure.statistic == "mean" else f"{figure.metric} {figure.statistic}"
    values = f"{_value(figure.baseline, figure)} → {_value(figure.candidate, figure)}"
    share = relative(figure)
    return f"{name}: {values}{f', {share}' if share else ''}."


def _value(value: float | None, figure: PairedFigure) -> str:
    return "unknown" if value is None else plain(value, figure.unit)


def _unclear(figure: PairedFigure) -> str:
    if figure.detectable is None:
        return figure.metric
    return f"{figure.metric} (differences below about {amount(figure.detectable, figure)} would not show)"


def _limits(findings: Findings) -> list[str]:
    found = [m.meaning for m in findings.mismatches if m.weight is not Weight.EXPLAINS]
    found.extend(_missing(findings))
    needed = _cases_for_margin(findings)
    if needed:
        found.append(needed)
    small = [figure for figure in findings.slices if figure.p is None]
    if small:
        names = list(dict.fromkeys(figure.slice for figure in small))
        shown = listing([*names[:NAMED], *([f"{len(names) - NAMED} more"] if len(names) > NAMED else [])])
        found.append(f"Too few cases to judge: {shown}.")
    return found


def _missing(findings: Findings) -> list[str]:
    """Pairs that fell out because one run has no score, where that could bend the result."""
    lost = [f for f in findings.quality if f.n and f.baseline_only + f.candidate_only > 0.01 * f.n]
    return [
        f"{figure.metric} leaves out {cases(figure.baseline_only + figure.candidate_only)} that only one run scored "
        f"({figure.baseline_only:,} missing in {findings.candidate}, {figure.candidate_only:,} in "
        f"{findings.baseline}): if these are the hard ones, the difference is flattered."
        for figure in lost[:NAMED]
    ]


def _cases_for_margin(findings: Findings) -> str:
    """How many pairs the primary metric would need to show a difference of the margin."""
    primary = next((f for f in findings.quality if f.share and not f.clear and f.n >= 2), None)
    if primary is None or primary.detectable is None or primary.detectable <= findings.margin:
        return ""
    needed = _needed(primary, findings.margin)
    return (
        f"With {cases(primary.n)}, a true difference of {_margin_words(findings)} on {primary.metric} would usually "
        f"go unseen; about {cases(needed)} would show it four times out of five."
    )


def _needed(figure: PairedFigure, margin: float) -> int:
    changed = (figure.wins + figure.losses) / figure.n
    if figure.verdicts and figure.clusters is None and changed > margin:
        return round(mcnemar_cases(changed, margin, level=figure.level))
    return round(figure.n * ((figure.detectable or margin) / margin) ** 2)

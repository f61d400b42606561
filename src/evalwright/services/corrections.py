"""A judged figure corrected for the judge's errors, with an interval that includes what is unknown of them."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from evalwright.core.estimate import ALL, Estimate
from evalwright.core.result import Summary
from evalwright.core.run import ScorerRecord
from evalwright.core.score import ScoreStatus
from evalwright.services.agreement import figure
from evalwright.services.calibration import output_hash
from evalwright.services.instruments import instruments_of
from evalwright.stats import Interval, JudgeConfusion, post_stratified_judge, ppi_mean, rogan_gladen_estimated
from evalwright.store.cards import Card, CardStore, LabelledVerdict
from evalwright.store.results import RunStore

CORRECTED = "corrected"
"""The `statistic` of a corrected estimate."""

MIN_LABELS = 10
"""With fewer labels of a run's own answers the card's rates are used instead."""

SEED = 20_240_501


def with_corrections(summary: Summary, run: RunStore, cards: CardStore) -> Summary:
    """The summary with a corrected figure beside the raw one of every metric that has a card.

    A judge without a card gets a note: its errors are unknown. What is known of each scorer's errors comes along.
    """
    found: dict[str, Estimate] = {}
    notes = [note for note in summary.notes if not note.startswith((_NO_CARD, _CARD, _MEASURED))]
    for record in summary.manifest.scorers:
        card = cards.of(record.metric, record.digest)
        if card is None:
            notes.extend(_uncalibrated(record))
            continue
        notes.append(_spoken(record, card))
        estimate = corrected(run, record, card, level=summary.manifest.settings.level)
        if estimate is not None:
            estimate = msgspec.structs.replace(estimate, note=estimate.note + _reservations(summary, record.metric))
            found[record.metric] = estimate
            notes.append(f"{_CARD}`{record.metric}`: {estimate.note}")
    raw = [estimate for estimate in summary.estimates if estimate.statistic != CORRECTED]
    return msgspec.structs.replace(
        summary,
        estimates=tuple(_beside(raw, found)),
        notes=tuple(notes),
        instruments=instruments_of(summary.manifest.scorers, cards),
    )


_NO_CARD = "nobody has measured the judge "
_MEASURED = "card of "
_CARD = "corrected figure of "


def _reservations(summary: Summary, metric: str) -> str:
    """What the methods leave out."""
    raw = next((e for e in summary.estimates if e.metric == metric and e.slice == ALL), None)
    left_out = "; first trials only" if summary.manifest.settings.trials > 1 else ""
    clustered = raw is not None and raw.clusters is not None
    return left_out + (
        "; cases of one cluster are taken as independent, so the interval is too narrow" if clustered else ""
    )


def _spoken(record: ScorerRecord, card: Card) -> str:
    """A card in one line, for the notes of a run."""
    day = time.strftime("%Y-%m-%d", time.localtime(card.created_at))
    named = (card.figure(name) for name in ("agreement", "kappa", "sensitivity", "specificity"))
    said = [
        f"{f.metric} {f.value:.2f} [{f.low:.2f}, {f.high:.2f}]" for f in named if f and f.value is not None and f.ci
    ]
    return f"{_MEASURED}`{record.metric}` ({day}, {card.n} labels): {', '.join(said) or 'no figures'}"


def _uncalibrated(record: ScorerRecord) -> list[str]:
    if "judge" not in record.options:
        return []
    return [f"{_NO_CARD}`{record.metric}` against people: evalwright calibrate SUITE:{record.metric} --labels FILE"]


def _beside(raw: Sequence[Estimate], found: Mapping[str, Estimate]) -> list[Estimate]:
    placed: list[Estimate] = []
    for estimate in raw:
        placed.append(estimate)
        if estimate.slice == ALL and estimate.statistic == "mean" and estimate.metric in found:
            placed.append(found[estimate.metric])
    return placed


def corrected(run: RunStore, record: ScorerRecord, card: Card, *, level: float = 0.95) -> Estimate | None:
    """A metric's figure over all cases, corrected by a card; None where the card allows none.

    | labels | figure | method |
    | --- | --- | --- |
    | of this run's own answers | rows 0 or 1 | post-stratified by verdict, Beta posteriors |
    | of this run's own answers | graded | PPI++ with Student's t |
    | of other answers | rows 0 or 1 | Rogan-Gladen, Lang-Reiczigel interval |

    The first two need the labelled cases to be a random sample (within each verdict); the third needs the judge to err
    here as it did there.

    Args:
        run: The run.
        record: The metric's scorer.
        card: The scorer's card.
        level: Confidence level.
    """
    labelled, values = _run_values(run, record.metric, card.entries)
    binary = set(values) <= {0.0, 1.0}
    if len(labelled) >= MIN_LABELS and len(values) > len(labelled):
        interval = (
            correct_binary(labelled, values, level=level) if binary else correct_graded(labelled, values, level=level)
        )
        what = f"{len(labelled)} labels of this run's answers"
    elif binary and values:
        made = correct_by_rates(card.entries, values, level=level)
        if made is None:
            return None
        interval, what = made, f"the card of {card.n} labels of other answers, taking its error rates to hold here too"
    else:
        return None
    note = f"for the scorer's errors, by {what}"
    estimate = figure(record.metric, interval, higher_is_better=record.higher_is_better, note=note)
    return msgspec.structs.replace(estimate, statistic=CORRECTED, unit=record.unit)


def _run_values(
    run: RunStore, metric: str, entries: Sequence[LabelledVerdict]
) -> tuple[list[LabelledVerdict], list[float]]:
    """Entries that are labels of this run's answers, and all the metric's values, first trials only."""
    known = {(entry.id, entry.output_hash): entry for entry in entries if entry.truth_value is not None}
    ids = {key for key, _ in known}
    labelled: list[LabelledVerdict] = []
    values: list[float] = []
    for _, record in run.units():
        score = record.scores.get(metric)
        if record.trial or score is None or score.status is not ScoreStatus.SCORED or score.value is None:
            continue
        values.append(score.value)
        if record.case_id in ids and record.output is not None:
            entry = known.get((record.case_id, output_hash(record.output)))
            if entry is not None:
                labelled.append(msgspec.structs.replace(entry, said_value=score.value))
    return labelled, values


def correct_binary(labelled: Sequence[LabelledVerdict], values: Sequence[float], *, level: float) -> Interval:
    """The true rate from a judge's 0/1 verdicts and labels of a random part of the same answers.

    Args:
        labelled: Labels, with `said_value` and `truth_value`.
        values: The judge's verdicts of all answers, the labelled ones included.
        level: Confidence level.
    """
    counts = Counter(values)
    pairs = [(entry.said_value, entry.truth_value) for entry in labelled]
    labels = {
        said: (sum(1 for s, t in pairs if s == said and t == 1.0), sum(1 for s, _ in pairs if s == said))
        for said in counts
    }
    return post_stratified_judge(counts, labels, rng=np.random.default_rng(SEED), level=level)


def correct_graded(labelled: Sequence[LabelledVerdict], values: Sequence[float], *, level: float) -> Interval:
    """The true mean from a judge's graded scores and labels of a random part of the same answers (PPI++)."""
    truth = [entry.truth_value or 0.0 for entry in labelled]
    said = [entry.said_value or 0.0 for entry in labelled]
    rest = Counter(values)
    rest.subtract(said)
    return ppi_mean(truth, said, list(rest.elements()), level=level)


def correct_by_rates(entries: Sequence[LabelledVerdict], values: Sequence[float], *, level: float) -> Interval | None:
    """The true rate from a judge's 0/1 verdicts and its sensitivity and specificity on other answers.

    Returns:
        None where the labels are all of one kind, or the judge is close to guessing.
    """
    table = Counter((e.truth, e.said) for e in entries if e.truth is not None and e.said is not None)
    confusion = JudgeConfusion(
        tp=table[True, True], fn=table[True, False], fp=table[False, True], tn=table[False, False]
    )
    try:
        return rogan_gladen_estimated(sum(v == 1.0 for v in values), len(values), confusion, level=level)
    except ValueError:
        return None

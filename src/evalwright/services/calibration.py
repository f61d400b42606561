"""`evalwright calibrate`: a scorer or judge against people's labels, and the card it leaves."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from evalwright.core.errors import UsageError
from evalwright.core.identity import short_hash
from evalwright.core.output import Output
from evalwright.core.run import RunSettings
from evalwright.core.score import Score, ScoreStatus
from evalwright.core.scorer import BoundScorer
from evalwright.services.agreement import Measured, biases, confusion, figure, figures
from evalwright.services.judging import Bench, judge_all
from evalwright.services.label_scale import PAIRWISE, PASS, Scale, scale_for
from evalwright.services.labels import LabelFile, LabelRow
from evalwright.services.orders import OrderedPair, Winner, order_report
from evalwright.services.probes import probe
from evalwright.services.sources import scorer_record
from evalwright.services.teaching import teach_most
from evalwright.stats import PairedCounts, mcnemar, tango
from evalwright.store.cards import Bias, Card, LabelledVerdict
from evalwright.store.results import RunStore

DRIFT_ALARM = 0.05
"""Below this p-value of McNemar's mid-p test a card says that the scorer has changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationPlan:
    """How to calibrate.

    Attributes:
        labels: The labels.
        by: Columns of the label file to report by.
        probe_cases: Answers each probe of a judge uses; 0 leaves the probes out.
        settings: Concurrency, retries, time-outs, level.
        run: The run whose stored outputs the labels are for; None when the file holds the answers.
    """

    labels: LabelFile
    by: tuple[str, ...] = ()
    probe_cases: int = 5
    settings: RunSettings = field(default_factory=RunSettings)
    run: RunStore | None = None


# --- answers and their scores ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Scored:
    row: LabelRow
    score: Score


def calibrate(bound: BoundScorer, plan: CalibrationPlan, *, created_at: float, before: Card | None = None) -> Card:
    """Ask a scorer about labelled answers and measure it.

    Args:
        bound: The scorer with its metric.
        plan: Labels, and how to go about it.
        created_at: Seconds since the epoch, for the card.
        before: An earlier card of the same metric, to see what has changed on the same answers.

    Raises:
        UsageError: No label has an answer to judge, or labels and scores can't be compared.
    """
    rows, stored = _answers(bound, plan)
    labelled = [row for row in rows if row.label is not None]
    if not labelled:
        hint = "the file needs a column `label`, and `output` unless --run names a run with these ids"
        raise UsageError(f"{plan.labels.name} has no labelled answer", hint=hint)
    scale = scale_for(bound.scorer, (row.label for row in labelled if row.label is not None))
    return asyncio.run(_calibrated(bound, plan, rows, stored, scale, created_at, before))


async def _calibrated(
    bound: BoundScorer,
    plan: CalibrationPlan,
    rows: Sequence[LabelRow],
    stored: Mapping[str, Score],
    scale: Scale,
    created_at: float,
    before: Card | None,
) -> Card:
    bench = Bench((bound,), plan.settings)
    level = plan.settings.level
    async with bench.opened():
        scored = await _scored(bench, bound.metric, rows, stored)
        measured = [_measured(one, scale, bound.metric, plan.by) for one in scored if one.row.label is not None]
        check_comparable(measured, scale)
        probes: list[Bias] = []
        if plan.probe_cases and hasattr(bound.scorer, "prompt_hash") and scale.names != PAIRWISE:
            top = scale.rubric.names[-1] if scale.rubric else PASS
            probes = await probe(bench, bound.metric, measured, cases=plan.probe_cases, top=top)
    described = bound.scorer.describe()
    model = described.get("model")
    found = [*biases(measured, judge_model=model if isinstance(model, str) else None, level=level), *probes]
    statuses = [one.score.status for one in scored if one.row.label is not None]
    return Card(
        metric=bound.metric,
        scorer=bound.info.name,
        version=bound.info.version,
        identity=scorer_record(bound).digest,
        prompt_hash=getattr(bound.scorer, "prompt_hash", None),
        model=model if isinstance(model, str) else None,
        options=described,
        created_at=round(created_at, 3),
        n=statuses.count(ScoreStatus.SCORED),
        skipped=statuses.count(ScoreStatus.SKIPPED),
        errors=statuses.count(ScoreStatus.ERROR),
        next_labels=teach_most([_candidate(one, scale, bound.metric) for one in scored]),
        calls=bench.spending.calls,
        cost=bench.spending.cost,
        **content(measured, scale, plan, found, before),
    )


def check_comparable(measured: Sequence[Measured], scale: Scale) -> None:
    """Refuse labels that are other words than the scorer's.

    Raises:
        UsageError: No label is one of the verdicts, and they are no row verdicts either.
    """
    labels = {row.entry.label for row in measured}
    verdicts = {row.entry.verdict for row in measured if row.entry.verdict is not None}
    if scale.names or not verdicts or labels & verdicts:
        return
    shown = ", ".join(f"`{word}`" for word in sorted(labels)[:4])
    hint = f"use pass and fail, yes and no, or the scorer's own words: {', '.join(sorted(verdicts)[:6])}"
    raise UsageError(f"the labels {shown} can't be compared with the scorer's verdicts", hint=hint)


def content(
    measured: Sequence[Measured], scale: Scale, plan: CalibrationPlan, found: Sequence[Bias], before: Card | None
) -> dict[str, Any]:
    """What every card holds, however the verdicts came about."""
    level = plan.settings.level
    position = _position(measured)
    entries = tuple(row.entry for row in measured)
    drift = None if before is None else drifted(before, entries)
    return {
        "data": plan.labels.name,
        "data_digest": plan.labels.digest,
        "figures": tuple(figures(measured, scale.names, ordered=scale.ordered, level=level)),
        "confusion": confusion(measured, scale.names),
        "biases": tuple(bias for bias in (*found, position, drift) if bias is not None),
        "notes": (*_notes(measured, plan), *_changed(drift)),
        "entries": entries,
    }


def _answers(bound: BoundScorer, plan: CalibrationPlan) -> tuple[list[LabelRow], dict[str, Score]]:
    """Rows with an answer, and the scores a run has stored for some of them already."""
    if plan.run is None:
        return [row for row in plan.labels.rows if row.output is not None], {}
    wanted = {row.case.id: row for row in plan.labels.rows}
    identity = scorer_record(bound).digest
    same = any(record.metric == bound.metric and record.digest == identity for record in plan.run.scorers())
    rows: list[LabelRow] = []
    stored: dict[str, Score] = {}
    for index, record in plan.run.units():
        if record.trial != 0 or record.output is None:
            continue
        row = wanted.get(record.case_id)
        if row is not None and row.output is not None and row.output.text != record.output.text:
            rows.append(row)  # the label is for another answer than the run's
            continue
        rows.append(_of_run(row, record.output, plan.run, index))
        if same and bound.metric in record.scores:
            stored[record.case_id] = record.scores[bound.metric]
    return [row for row in rows if row.label is not None or row.case.id in stored], stored


def _of_run(row: LabelRow | None, output: Output, run: RunStore, index: int) -> LabelRow:
    case = run.cases[index]
    if row is None:
        return LabelRow(line=0, case=case, output=output)
    metadata = {**case.metadata, **row.case.metadata}
    joined = msgspec.structs.replace(case, metadata=metadata)
    return LabelRow(line=row.line, case=joined, output=output, label=row.label, model=row.model or output.model)


async def _scored(bench: Bench, metric: str, rows: Sequence[LabelRow], stored: Mapping[str, Score]) -> list[_Scored]:
    missing = [row for row in rows if row.case.id not in stored and row.output is not None]
    answers = [(row.case, row.output) for row in missing if row.output is not None]
    fresh = await judge_all(bench, metric, answers)
    made = [_Scored(row, score) for row, score in zip(missing, fresh, strict=True)]
    return made + [_Scored(row, stored[row.case.id]) for row in rows if row.case.id in stored]


def _measured(one: _Scored, scale: Scale, metric: str, by: Sequence[str]) -> Measured:
    row, score = one.row, one.score
    label, truth = scale.label(row.label or "")
    verdict, said = scale.verdict(score, metric) if score.status is ScoreStatus.SCORED else (None, None)
    output = row.output or Output()
    entry = LabelledVerdict(
        id=row.case.id,
        output_hash=output_hash(output),
        label=label,
        verdict=verdict,
        truth=truth,
        said=said,
        truth_value=scale.value(label),
        said_value=score.value,
    )
    return Measured(
        entry=entry,
        case=row.case,
        output=row.output,
        cluster=row.case.cluster,
        groups=groups_of(row, by),
        model=row.model or (output.model if row.output is not None else None),
        confidence=score.metadata.get("confidence"),
        places=_places(score),
    )


def _places(score: Score) -> tuple[str, str] | None:
    first, second = score.metadata.get("first_order"), score.metadata.get("second_order")
    return (first, second) if isinstance(first, str) and isinstance(second, str) else None


def output_hash(output: Output) -> str:
    """Identity of an answer, as cards keep it."""
    return short_hash([output.text, output.data])


def groups_of(row: LabelRow, by: Sequence[str]) -> dict[str, str]:
    """Values of the columns to report by."""
    return {name: str(row.case.metadata[name]) for name in by if row.case.metadata.get(name) is not None}


def _candidate(one: _Scored, scale: Scale, metric: str) -> tuple[str, str, bool | None, bool]:
    """Id, verdict, whether it was right (None without a label), and whether it has a label."""
    if one.score.status is not ScoreStatus.SCORED:
        return one.row.case.id, "", None, one.row.label is not None
    verdict, _ = scale.verdict(one.score, metric)
    if one.row.label is None:
        return one.row.case.id, verdict, None, False
    label, truth = scale.label(one.row.label)
    return one.row.case.id, verdict, (truth if truth is not None else label == verdict), True


_STRAIGHT: dict[str, Winner] = {"first": "1", "second": "2", "tie": "tie"}
_SWAPPED: dict[str, Winner] = {"first": "2", "second": "1", "tie": "tie"}


def _position(measured: Sequence[Measured]) -> Bias | None:
    pairs = [
        OrderedPair(id=row.entry.id, straight=_STRAIGHT[row.places[0]], swapped=_SWAPPED[row.places[1]])
        for row in measured
        if row.places is not None
    ]
    return order_report(pairs).bias() if pairs else None


def _notes(measured: Sequence[Measured], plan: CalibrationPlan) -> tuple[str, ...]:
    notes = [f"set aside: {reason}" for reason in plan.labels.bad]
    absent = {row.case.id for row in plan.labels.rows if row.label is not None} - {row.entry.id for row in measured}
    if absent:
        notes.append(f"{len(absent)} labels are for cases without an answer here, e.g. {min(absent)}")
    truths = [row.entry.truth for row in measured if row.entry.truth is not None]
    for name, kind in ((True, "passing"), (False, "failing")):
        if truths and truths.count(name) < 20:
            count = truths.count(name)
            notes.append(f"only {count} {'label is' if count == 1 else 'labels are'} {kind}: its rate is known roughly")
    return tuple(notes)


def _changed(drift: Bias | None) -> list[str]:
    """A warning when the judge is no longer what the earlier card says."""
    if drift is None or drift.p_value is None or drift.p_value >= DRIFT_ALARM:
        return []
    detail = drift.detail
    return [
        f"the scorer has changed since the card before: of {detail['same_answers']} answers judged again "
        f"{detail['newly_wrong']} are newly wrong and {detail['newly_right']} newly right"
    ]


def drifted(before: Card, entries: Sequence[LabelledVerdict]) -> Bias | None:
    """How far correctness on the same answers has changed since an earlier card; None without common answers."""
    now = {(entry.id, entry.output_hash): entry for entry in entries if entry.verdict is not None}
    pairs = [(old, now[key]) for old in before.entries if old.verdict and (key := (old.id, old.output_hash)) in now]
    if not pairs:
        return None
    right = [(float(old.verdict == old.label), float(new.verdict == new.label)) for old, new in pairs]
    counts = PairedCounts.of([a for a, _ in right], [b for _, b in right])
    changed = sum(old.verdict != new.verdict for old, new in pairs)
    question = "agreement with the labels on the same answers, now minus the earlier card"
    detail = {"same_answers": len(pairs), "verdicts_changed": changed, "newly_right": counts.gained, "newly_wrong": counts.lost}  # fmt: skip  # noqa: E501
    estimate = figure("drift", tango(counts))
    return Bias(name="drift", question=question, estimate=estimate, p_value=mcnemar(counts).p_value, detail=detail)

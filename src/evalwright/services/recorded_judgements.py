"""Judgements recorded elsewhere, measured against labels without a call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import re2

from evalwright.core.errors import UsageError
from evalwright.core.estimate import Estimate
from evalwright.core.identity import short_hash
from evalwright.scorers.judge.reply import Pick, Unreadable, stated
from evalwright.services.agreement import Measured, biases, figure
from evalwright.services.calibration import CalibrationPlan, content, groups_of, output_hash
from evalwright.services.corrections import MIN_LABELS, correct_binary
from evalwright.services.label_scale import Scale, scale_for
from evalwright.services.labels import LabelFile, LabelRow, as_truth
from evalwright.services.orders import OrderedPair, order_report, winner_of
from evalwright.services.teaching import Candidate, teach_most
from evalwright.stats import estimate_mean
from evalwright.store.cards import Card, LabelledVerdict

_JUDGES = ("judge_model", "judge")


def calibrate_recorded(path: Path, judgements: LabelFile, plan: CalibrationPlan, *, created_at: float) -> Card:
    """Measure recorded verdicts against labels, joined by id; with an `order` column, as a pairwise judge.

    Raises:
        UsageError: No verdict has a label.
    """
    labels = {row.case.id: row for row in plan.labels.rows if row.label is not None}
    both = [(row, labels[row.case.id]) for row in judgements.rows if row.case.id in labels]
    if not both:
        raise UsageError(
            f"no id of {path} has a label in {plan.labels.name}", hint="--column id=NAME names the column of the ids"
        )
    identity = short_hash([judgements.name, judgements.digest])
    blank = Card(metric=path.name.partition(".")[0], identity=identity, scorer="recorded", created_at=created_at)
    if any(row.order for row, _ in both):
        return _recorded_pairs(blank, both, plan)
    scale = scale_for(None, (row.label for _, row in both if row.label is not None))
    if not all(_readable(row, scale) for row, _ in both):
        scale = Scale(())
    measured = [_recorded(row, label, scale, plan.by) for row, label in both]
    errors = sum(row.entry.verdict is None for row in measured)
    model = _judge_model(judgements)
    found = biases(measured, judge_model=model, level=plan.settings.level)
    parts = content(measured, scale, plan, found, None)
    parts["figures"] += tuple(_of_all(measured, judgements, scale, plan.settings.level))
    following = _next_labels(judgements, {row.entry.id: row.entry for row in measured}, scale)
    return msgspec.structs.replace(
        blank, n=len(measured) - errors, errors=errors, model=model, next_labels=following, **parts
    )


def _judge_model(judgements: LabelFile) -> str | None:
    """The judge's model, where a column says so in every row alike."""
    for column in _JUDGES:
        named = {row.case.metadata.get(column) for row in judgements.rows}
        if len(named) == 1 and isinstance(model := named.pop(), str):
            return model
    return None


def _next_labels(judgements: LabelFile, known: Mapping[str, LabelledVerdict], scale: Scale) -> tuple[str, ...]:
    """Verdicts without a label that would teach most."""
    return teach_most(_candidate(row, known.get(row.case.id), scale) for row in judgements.rows if row.verdict)


def _candidate(row: LabelRow, entry: LabelledVerdict | None, scale: Scale) -> Candidate:
    if entry is None:
        return row.case.id, scale.label(row.verdict or "")[0], None, False
    right = entry.truth if entry.truth is not None else entry.label == entry.verdict
    return row.case.id, entry.verdict or "", right, True


def _of_all(measured: Sequence[Measured], judgements: LabelFile, scale: Scale, level: float) -> Iterator[Estimate]:
    """The pass rate of all verdicts, raw and corrected, where some of them have no label."""
    said = [scale.label(row.verdict)[1] for row in judgements.rows if row.verdict]
    values = [float(one) for one in said if one is not None]
    entries = [
        msgspec.structs.replace(row.entry, said_value=float(row.entry.said), truth_value=float(row.entry.truth))
        for row in measured
        if row.entry.said is not None and row.entry.truth is not None
    ]
    if not MIN_LABELS <= len(entries) < len(values):
        return
    yield figure("pass_rate_all", estimate_mean(values, kind="proportion", level=level), higher_is_better=None)
    yield figure("pass_rate_corrected", correct_binary(entries, values, level=level), higher_is_better=None)


def _readable(row: LabelRow, scale: Scale) -> bool:
    return row.verdict is None or scale.names == () or as_truth(row.verdict) is not None


def _recorded(row: LabelRow, labelled: LabelRow, scale: Scale, by: Sequence[str]) -> Measured:
    label, truth = scale.label(labelled.label or "")
    verdict, said = (None, None) if row.verdict is None else scale.label(row.verdict)
    output = labelled.output or row.output
    entry = LabelledVerdict(
        id=row.case.id,
        output_hash=output_hash(output) if output is not None else "",
        label=label,
        verdict=verdict,
        truth=truth,
        said=said,
    )
    return Measured(
        entry=entry,
        case=labelled.case,
        output=output,
        cluster=labelled.case.cluster,
        groups=groups_of(labelled, by) | groups_of(row, by),
        model=labelled.model or row.model,
        confidence=_confidence(row),
    )


def _confidence(row: LabelRow) -> float | None:
    given = row.case.metadata.get("confidence")
    return float(given) if isinstance(given, int | float) and not isinstance(given, bool) and 0 <= given <= 1 else None


def _recorded_pairs(blank: Card, both: Sequence[tuple[LabelRow, LabelRow]], plan: CalibrationPlan) -> Card:
    sides: dict[str, dict[str, Any]] = {}
    for row, labelled in both:
        order = "BA" if (row.order or "AB").upper() == "BA" else "AB"
        side = sides.setdefault(row.case.id, {"label": winner_of(labelled.label or "", order="AB")})
        side["swapped" if order == "BA" else "straight"] = winner_of(row.verdict or "", order=order)
    pairs = [OrderedPair(id=key, **side) for key, side in sides.items()]
    report = order_report(pairs, level=plan.settings.level)
    entries = tuple(LabelledVerdict(id=p.id, label=p.label or "", verdict=p.settled) for p in pairs)
    bias = report.bias()
    return msgspec.structs.replace(
        blank,
        data=plan.labels.name,
        data_digest=plan.labels.digest,
        n=sum(pair.errors == 0 for pair in pairs),
        errors=sum(pair.errors > 0 for pair in pairs),
        figures=report.estimates,
        biases=() if bias is None else (bias,),
        entries=entries,
    )


def with_stated(judgements: LabelFile, pattern: str, pick: Pick) -> LabelFile:
    """Recorded replies in prose, each with the verdict it states; none where it states none.

    Args:
        judgements: Rows whose answer is the judge's reply.
        pattern: Expression whose first group is the verdict.
        pick: Which statement counts when there are several.

    Raises:
        UsageError: The expression is wrong or has no group.
    """
    try:
        compiled = re2.compile(pattern)
    except re2.error as error:
        raise UsageError(f"the pattern does not compile: {error}") from None
    if compiled.groups < 1:
        raise UsageError("the pattern has no group", hint=r"put the verdict into brackets: Output \((a|b)\) is better")
    rows = tuple(replace(row, verdict=_stated(row, compiled, pick), output=None) for row in judgements.rows)
    return replace(judgements, rows=rows)


def _stated(row: LabelRow, compiled: Any, pick: Pick) -> str | None:
    try:
        return stated(row.output.text if row.output else "", compiled, pick=pick)
    except Unreadable:
        return None

"""Judgements recorded elsewhere, measured against labels without a call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import re2

from evalwright.core.errors import UsageError
from evalwright.core.identity import short_hash
from evalwright.scorers.judge.reply import Pick, Unreadable, stated
from evalwright.services.agreement import Measured, biases
from evalwright.services.calibration import CalibrationPlan, content, groups_of, output_hash
from evalwright.services.label_scale import Scale, scale_for
from evalwright.services.labels import LabelFile, LabelRow, as_truth
from evalwright.services.orders import OrderedPair, order_report, winner_of
from evalwright.store.cards import Card, LabelledVerdict


def calibrate_recorded(path: Path, judgements: LabelFile, plan: CalibrationPlan, *, created_at: float) -> Card:
    """Measure recorded verdicts against labels, joined by id; with an `order` column, as a pairwise judge.

    Raises:
        UsageError: No verdict has a label.
    """
    labels = {row.case.id: row for row in plan.labels.rows if row.label is not None}
    both = [(row, labels[row.case.id]) for row in judgements.rows if row.case.id in labels]
    if not both:
        raise UsageError(f"no id of {path} has a label in {plan.labels.name}", hint="--field id=COLUMN names the ids")
    identity = short_hash([judgements.name, judgements.digest])
    blank = Card(metric=path.name.partition(".")[0], identity=identity, scorer="recorded", created_at=created_at)
    if any(row.order for row, _ in both):
        return _recorded_pairs(blank, both, plan)
    scale = scale_for(None, (row.label for _, row in both if row.label is not None))
    if not all(_readable(row, scale) for row, _ in both):
        scale = Scale(())
    measured = [_recorded(row, label, scale, plan.by) for row, label in both]
    errors = sum(row.entry.verdict is None for row in measured)
    found = biases(measured, level=plan.settings.level)
    parts = content(measured, scale, plan, found, None)
    return msgspec.structs.replace(blank, n=len(measured) - errors, errors=errors, **parts)


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
    )


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

"""The columns of one stored run for comparisons: its metrics, and what its answers took."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from pydantic import TypeAdapter, ValidationError

from evalwright.analysis.frame import FloatArray, MetricColumn
from evalwright.analysis.metrics import overall_column
from evalwright.core.component import Bindable, BindContext
from evalwright.core.errors import EvalwrightError
from evalwright.core.run import Manifest, ScorerRecord
from evalwright.core.scorer import ScoreKind
from evalwright.core.suite import SliceSpec
from evalwright.services.figures import Aggregates, metric_columns, slice_specs
from evalwright.services.vocabulary import vocabulary
from evalwright.store.columns import UnitColumns
from evalwright.store.results import RunStore

ERRORS = "errors"
"""Metric of every run: the share of units without an answer."""

MEASURED = {
    "latency": ("latency_s", "s"),
    "cost": ("cost", "USD"),
    "input_tokens": ("input_tokens", "tokens"),
    "output_tokens": ("output_tokens", "tokens"),
}
"""Metrics made from the recorded answers where no scorer of that name is in the suite: field and unit."""

RECORDED = "recorded"
"""Type of the targets that look answers up."""

LOOK_UP_S = 0.005
"""Recorded answers that took less, in the median, were only looked up: that is no latency of the system."""


class RunColumns:
    """Metrics and measurements of a run.

    Attributes:
        run: The run.
        manifest: What was run.
        specs: Slice definitions by name.
    """

    def __init__(self, run: RunStore, *, aggregates: Aggregates | None = None) -> None:
        self.run = run
        summary = run.summary()
        self.manifest: Manifest = run.manifest() if summary is None else summary.manifest
        self.specs: dict[str, SliceSpec] = slice_specs(self.manifest)
        self._aggregates = aggregates

    @cached_property
    def columns(self) -> dict[str, MetricColumn]:
        """Every metric by name: of the scorers, `overall`, `errors`, and what answers took."""
        records = self.run.scorers()
        aggregates = {**stored_aggregates(records), **(self._aggregates or {})}
        scored = metric_columns(self.run, aggregates)
        weights = {record.metric: record.weight for record in records if record.weight is not None}
        overall = overall_column(scored, weights)
        found = {column.record.metric: column for column in (*scored, *([] if overall is None else [overall]))}
        return {
            **found,
            **{name: c for name, c in _measured(self.units, recorded=self._recorded).items() if name not in found},
        }

    @property
    def _recorded(self) -> bool:
        """Whether answers were looked up, not asked for."""
        return self.manifest.target.get("type") == RECORDED

    @cached_property
    def units(self) -> UnitColumns:
        """Measurements of the recorded units."""
        return self.run.unit_columns()

    @property
    def own_metrics(self) -> frozenset[str]:
        """Metrics made by the suite's scorers, not from the recorded answers."""
        return frozenset(
            name for name, column in self.columns.items() if not column.record.digest.startswith("measured")
        )


def _measured(units: UnitColumns, *, recorded: bool) -> dict[str, MetricColumn]:
    errored = units.errored.astype(np.float64)
    found = {ERRORS: _unit_column(ERRORS, units, errored, ScoreKind.PROPORTION, "")}
    for name, (field, unit) in MEASURED.items():
        values: FloatArray = getattr(units, field)
        if recorded and field == "latency_s" and _only_looked_up(values):
            continue
        if not np.isnan(values).all():
            found[name] = _unit_column(name, units, values, ScoreKind.QUANTITY, unit)
    return found


def _only_looked_up(seconds: FloatArray) -> bool:
    """Whether recorded answers came without times of their own, so that these are of reading the file."""
    known = seconds[~np.isnan(seconds)]
    return not len(known) or float(np.median(known)) < LOOK_UP_S


def _unit_column(name: str, units: UnitColumns, values: FloatArray, kind: ScoreKind, unit: str) -> MetricColumn:
    record = ScorerRecord(
        metric=name,
        name=name,
        version="1",
        digest=f"measured:{name}",
        kind=kind.value,
        high=1.0 if kind is ScoreKind.PROPORTION else None,
        higher_is_better=False,
        unit=unit,
    )
    return MetricColumn(record=record, case=units.case, value=values, error=np.zeros(len(values), dtype=np.bool_))


def stored_aggregates(records: tuple[ScorerRecord, ...]) -> dict[str, Callable[[Any], Any]]:
    """The aggregate functions of a stored run's corpus metrics, from the scorers' recorded names and options.

    A scorer that can't be made again from these (a function of a suite written in Python) is left out: its metric
    then has no figure.
    """
    found: dict[str, Callable[[Any], Any]] = {}
    for record in records:
        scorer = made_again(record) if record.kind == ScoreKind.CORPUS else None
        if scorer is not None and hasattr(scorer, "aggregate"):
            found[record.metric] = scorer.aggregate
    return found


def made_again(record: ScorerRecord) -> Any:
    """A built-in scorer from its recorded name and options; None where that can't be done."""
    known = vocabulary().scorers
    if record.name not in known:
        return None
    try:
        made = TypeAdapter(known[record.name]).validate_python(record.options)
        return made.bind(BindContext(base_dir=Path())) if isinstance(made, Bindable) else made
    except (ValidationError, EvalwrightError, TypeError, msgspec.MsgspecError):
        return None

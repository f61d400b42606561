"""A finished run as reports, gates and people read it."""

from __future__ import annotations

import msgspec

from evalwright.core.case import BadRow, Case, Json
from evalwright.core.estimate import ALL, Estimate
from evalwright.core.gate import Decision
from evalwright.core.run import Manifest, RunStatus, Totals, UnitRecord


class CaseResult(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A case with all its trials.

    Attributes:
        case: The case.
        trials: Its units, in order of trial; empty when the run stopped before it.
        slices: Slices it belongs to, by name: the values.
        passed: Row verdict over all trials and scorers: False when any scorer's row verdict is False or a unit
            failed, None when no scorer gives a row verdict.
    """

    case: Case
    trials: tuple[UnitRecord, ...] = ()
    slices: dict[str, tuple[str, ...]] = {}
    passed: bool | None = None


class Instrument(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is known of the errors of a metric's scorer, from answers that people labelled.

    Attributes:
        metric: Name of the metric.
        scorer: Name of the scorer.
        version: Its version.
        origin: `shipped` with the scorer, or `measured here`.
        data: The labelled data.
        date: Day of the measurement, `YYYY-MM-DD`.
        n: Labelled answers that the scorer decided.
        undecided: Labelled answers that it skipped.
        precision: Of what it flags, the share that people call so too.
        recall: Of what people would flag, the share that it flags.
        specificity: Of the others, the share that it leaves alone.
        failure_modes: What it is known to get wrong.
        remark: Whether it was measured with other options than these.
    """

    metric: str
    scorer: str
    version: str = "1"
    origin: str = "shipped"
    data: str = ""
    date: str = ""
    n: int = 0
    undecided: int = 0
    precision: Estimate | None = None
    recall: Estimate | None = None
    specificity: Estimate | None = None
    failure_modes: tuple[str, ...] = ()
    remark: str = ""


class Summary(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Everything about a run but its rows: what `--json` prints and every report begins with.

    Attributes:
        manifest: What was run.
        status: How it ended.
        totals: Counts, tokens, cost.
        estimates: Metrics over all cases and per slice; slices worst first within a metric.
        decision: The gate's decision, None when no gate was asked.
        bad_rows: Dataset rows set aside (the first 100).
        failing: Number of cases whose row verdict is False.
        notes: Warnings a reader must see (changed limits, stopped early, rows set aside).
        limits: Changes of rate limits during the run: `{"at_s", "key", "limit", "reason"}` each.
        instruments: What is known of the scorers' own errors, by metric.
    """

    manifest: Manifest
    status: RunStatus
    totals: Totals
    estimates: tuple[Estimate, ...] = ()
    decision: Decision | None = None
    bad_rows: tuple[BadRow, ...] = ()
    failing: int = 0
    notes: tuple[str, ...] = ()
    limits: tuple[dict[str, Json], ...] = ()
    instruments: tuple[Instrument, ...] = ()

    def metric(self, name: str, *, slice: str = ALL, statistic: str | None = None) -> Estimate:
        """The estimate of a metric, over all cases or one slice (`locale=de`).

        Raises:
            KeyError: There is no such metric or slice; the message lists what there is.
        """
        for estimate in self.estimates:
            if estimate.metric == name and estimate.slice == slice and statistic in (None, estimate.statistic):
                return estimate
        known = sorted({e.metric for e in self.estimates if e.slice == slice})
        raise KeyError(f"no metric {name!r} in slice {slice!r}; there are: {', '.join(known) or 'none'}")

"""The Python door: run a suite, ask the run."""

from __future__ import annotations

import asyncio
import html
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from evalwright.core.errors import UsageError
from evalwright.core.estimate import ALL, Estimate
from evalwright.core.extras import optional
from evalwright.core.gate import Decision
from evalwright.core.ports import RunListener
from evalwright.core.result import CaseResult, Summary
from evalwright.core.run import Manifest, RunSettings, RunStatus, Totals
from evalwright.core.suite import Suite
from evalwright.gates.stopping import Method
from evalwright.services.baselines import baseline_id
from evalwright.services.evaluation import RunContext, check_settings, start_run
from evalwright.services.figures import slice_specs
from evalwright.services.slicing import case_slices
from evalwright.services.sources import from_suite
from evalwright.store.results import RunStore
from evalwright.store.workspace import Workspace
from evalwright.targets.adapt import target_from


class Run:
    """A finished run: its figures, its decision, its rows.

    Attributes:
        summary: Everything but the rows.
    """

    def __init__(self, summary: Summary, store: RunStore) -> None:
        self.summary = summary
        self._store = store

    @property
    def run_id(self) -> str:
        """Name of the run, as the command line takes it."""
        return self.summary.manifest.run_id

    @property
    def manifest(self) -> Manifest:
        """What was run."""
        return self.summary.manifest

    @property
    def status(self) -> RunStatus:
        """How the run ended."""
        return self.summary.status

    @property
    def decision(self) -> Decision | None:
        """The gate's decision, None when the suite has no gate."""
        return self.summary.decision

    @property
    def totals(self) -> Totals:
        """Counts, tokens, cost."""
        return self.summary.totals

    @property
    def estimates(self) -> tuple[Estimate, ...]:
        """All metrics, over all cases and per slice."""
        return self.summary.estimates

    @property
    def folder(self) -> Path:
        """Where the run's files are."""
        return self._store.folder

    def metric(self, name: str, *, slice: str = ALL, statistic: str | None = None) -> Estimate:
        """A metric with its interval, over all cases or one slice (`locale=de`).

        Raises:
            KeyError: There is no such metric or slice; the message lists what there is.
        """
        return self.summary.metric(name, slice=slice, statistic=statistic)

    def cases(self) -> Iterator[CaseResult]:
        """Every case with its trials, outputs and scores, in the order of the dataset."""
        return self._store.case_results(slices=case_slices(slice_specs(self.manifest)))

    def case(self, case_id: str) -> CaseResult:
        """One case.

        Raises:
            UsageError: The run has no such case.
        """
        return self._store.case(case_id, slices=case_slices(slice_specs(self.manifest)))

    def failing(self) -> Iterator[CaseResult]:
        """The cases whose row verdict is False."""
        return self._store.case_results(slices=case_slices(slice_specs(self.manifest)), only=self._store.failing())

    def to_pandas(self) -> Any:
        """One row per case and trial: input, answer, latency, and `<metric>`, `<metric>_passed` per metric.

        Raises:
            MissingExtra: pandas is not installed.
        """
        pandas = optional("pandas", extra="pandas")
        return pandas.DataFrame([row for case in self.cases() for row in _frame_rows(case)])

    def report(self, path: str | Path, *, format: str | None = None) -> Path:
        """Write a report; the format follows the file's name unless given (`html`, `markdown`, `json`, `junit`)."""
        from evalwright.services.reporting import write_run_report

        return write_run_report(self._store, self.summary, Path(path), format=format)

    def __repr__(self) -> str:
        verdict = self.decision.verdict.value if self.decision else "no gate"
        return f"Run({self.run_id!r}, status={self.status.value!r}, decision={verdict!r}, cases={self.totals.units})"

    def _repr_html_(self) -> str:
        rows = "".join(_html_row(e) for e in self.estimates if e.slice == ALL)
        verdict = self.decision.verdict.value if self.decision else "no gate"
        reason = html.escape(self.decision.reason) if self.decision else ""
        head = "<tr><th>metric</th><th>value</th><th>interval</th><th>n</th><th>skipped</th><th>errors</th></tr>"
        return f"<p><b>{verdict}</b> {reason}</p><table>{head}{rows}</table><p><code>{self.run_id}</code></p>"


def _html_row(estimate: Estimate) -> str:
    name = estimate.metric if estimate.statistic in {"mean", "corpus"} else f"{estimate.metric} {estimate.statistic}"
    value = "–" if estimate.value is None else f"{estimate.value:.4g}"
    interval = "–" if estimate.ci is None else f"{estimate.ci[0]:.4g} to {estimate.ci[1]:.4g}"
    cells = (html.escape(name), value, interval, estimate.n, estimate.skipped, estimate.errors)
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _frame_rows(result: CaseResult) -> Iterator[dict[str, Any]]:
    for unit in result.trials:
        row: dict[str, Any] = {
            "case_id": result.case.id,
            "trial": unit.trial,
            "input": result.case.input,
            "expected": result.case.expected,
            "text": unit.output.text if unit.output else None,
            "error": unit.error.message if unit.error else None,
            "latency_s": unit.output.latency_s if unit.output else None,
        }
        row.update({f"slice_{name}": ", ".join(values) for name, values in result.slices.items()})
        for metric, score in unit.scores.items():
            row[metric] = score.value
            row[f"{metric}_passed"] = score.passed
        yield row


def evaluate(
    suite: Suite,
    target: Any,
    *,
    settings: RunSettings | None = None,
    workspace: str | Path | Workspace | None = None,
    baseline: str | Run | None = None,
    until_decided: bool | str = False,
    listeners: tuple[RunListener, ...] = (),
) -> Run:
    """Run a suite against a target and keep the results in the workspace.

    Args:
        suite: The suite.
        target: Any function, sync or async, that takes a case's input; a `Target`; or recorded outputs: a mapping
            from case id to text or `Output`.
        settings: How to run; the suite's own settings by default.
        workspace: Folder of results, or an opened workspace; the nearest `.evalwright` upward by default.
        baseline: The run that rules against a baseline compare with, as a `Run`, its id or a name given to it; the
            suite's baseline by default.
        until_decided: Stop as soon as every rule of the gate is decided: `looks` (a few planned looks, also `True`),
            `always` (any number of looks) or `suite` (deciding about this very suite).
        listeners: Ears of the run.

    Returns:
        The finished run. A gate that fails does not raise: look at `run.decision`.

    Raises:
        UsageError: The suite has no case, something in it is no scorer, there is no such baseline, or no case can
            decide the gate.

    Example:
        >>> from evalwright import Case, Suite, evaluate
        >>> from evalwright.scorers import ExactMatch
        >>> suite = Suite(name="greeting", cases=[Case(id="hello", input="Ada", expected="Hello, Ada")],
        ...               scorers=[ExactMatch()])
        >>> run = evaluate(suite, target=lambda name: f"Hello, {name}", workspace=getfixture("tmp_path"))
        >>> run.metric("exact_match").value
        1.0
    """
    source = from_suite(suite, target_from(target), settings)
    check_settings(source.settings)
    place = _opened(workspace)
    named = baseline.run_id if isinstance(baseline, Run) else baseline
    context = RunContext(
        workspace=place,
        listeners=listeners,
        baseline=baseline_id(place, named, suite=source.name),
        until_decided=_stopping(until_decided),
    )
    summary = _outside_any_loop(lambda: start_run(source, context))
    return Run(summary, context.workspace.run(summary.manifest.run_id))


def _opened(workspace: str | Path | Workspace | None) -> Workspace:
    if isinstance(workspace, Workspace):
        return workspace
    return Workspace.open(None if workspace is None else Path(workspace))


def _stopping(wanted: bool | str) -> Method | None:
    if wanted is False:
        return None
    try:
        return Method("looks" if wanted is True else wanted)
    except ValueError:
        known = ", ".join(method.value for method in Method)
        raise UsageError(f"`until_decided` can't be {wanted!r}", hint=f"True, or one of: {known}") from None


def open_run(reference: str = "latest", *, workspace: str | Path | None = None) -> Run:
    """A stored run, by id, the beginning of one, `latest`, or a name given to it.

    Raises:
        UsageError: There is no such run, or it has no figures yet.
    """
    place = Workspace.open(None if workspace is None else Path(workspace), create=False)
    store = place.run(place.catalog.find(reference).run_id)
    summary = store.summary()
    if summary is None:
        raise UsageError(f"the run {store.run_id} has no figures yet", hint=f"evalwright resume {store.run_id}")
    return Run(summary, store)


def _outside_any_loop(work: Any) -> Any:
    """Call in this thread, or in one of its own when this one runs an event loop (a notebook)."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return work()
    outcome: dict[str, Any] = {}

    def call() -> None:
        try:
            outcome["value"] = work()
        except BaseException as error:  # noqa: BLE001 - handed to the caller's thread
            outcome["error"] = error

    thread = threading.Thread(target=call, name="evalwright-run")
    thread.start()
    thread.join()
    if "error" in outcome:
        raise outcome["error"]
    return outcome["value"]

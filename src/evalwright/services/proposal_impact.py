"""What a proposed change would do: to suites and gates, to the figures of past runs, and to trends."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from evalwright.core.errors import EvalwrightError, StoreError
from evalwright.core.estimate import Estimate
from evalwright.core.gate import Decision, Rule
from evalwright.datasets.comparing import CaseDiff
from evalwright.gates import conclude, judge_rule, rule_name
from evalwright.governance.proposals import Comparable, Figure, Impact, Move, RunMove, Touched
from evalwright.services.figures import RunFigures, run_figures
from evalwright.services.gate_figures import GateFigures
from evalwright.services.gating import GateRequest, baseline_of, dataset_at, quarantined_ids, stored_rules
from evalwright.services.run_columns import stored_aggregates
from evalwright.services.suite_search import FoundSuite, known_suites, past_runs
from evalwright.store.cards import CardStore
from evalwright.store.cases import CaseFile, CaseSelection
from evalwright.store.results import RunStore
from evalwright.store.workspace import Workspace

RulesOf = Callable[[RunStore], tuple[Rule, ...]]
"""The rules a run would be judged by."""


def golden_impact(workspace: Workspace, folder: Path, reference: str, pair: tuple[CaseFile | None, CaseFile]) -> Impact:
    """What another version of a golden set would do.

    Past runs are taken again without the cases that the version no longer has as they were; what its new cases would
    show is not known before a run.

    Args:
        workspace: Where sets and runs are.
        folder: Suite files are looked for below it.
        reference: `name@vN` of the proposed version.
        pair: Cases before (None for nothing) and after.
    """
    name = reference.partition("@")[0]
    before, after = pair
    suites = [suite for suite in known_suites(workspace, folder) if suite.golden[0] == name]
    touched = [
        Touched(suite=s.name, how=f"uses {'@'.join(s.golden)}", file=s.file, rules=s.rules(), tier=s.tier)
        for s in suites
    ]
    runs = [
        move
        for suite in suites
        for run in _runs(workspace, suite.name)
        if _used(run, name) and (move := _without_cases(workspace, run, after)) is not None
    ]
    comparable, meaning = _golden_words(before, after)
    return Impact(touched=tuple(touched), runs=tuple(runs), comparable=comparable, meaning=meaning)


def _used(run: RunStore, name: str) -> bool:
    dataset = run.manifest().dataset
    return dataset is not None and dataset.source.partition("@")[0] == name


def _golden_words(before: CaseFile | None, after: CaseFile) -> tuple[Comparable, str]:
    if before is None:
        return "yes", "There is no approved version before this one, so no figure to compare with."
    added, changed, removed = CaseDiff(before, after).counts
    kept = len(before) - changed - removed
    if not kept:
        return "no", "No case stays as it was: figures from before and after can't be compared."
    if not added + changed + removed:
        return "yes", "The cases are the same."
    meaning = (
        f"{kept:,} of {len(before):,} cases stay as they are; figures from before and after can be compared on these. "
        f"{added:,} new and {changed:,} changed cases begin anew, {removed:,} are gone: trends break here."
    )
    return "in part", meaning


def _without_cases(workspace: Workspace, run: RunStore, after: CaseFile) -> RunMove | None:
    """A run taken again without the cases that are not in the new version as they were."""
    gone = _gone(run.cases, after)
    if not gone:
        return None
    rules = stored_rules(summary) if (summary := run.summary()) is not None else ()
    return _moved(workspace, run, rules, gone)


def _gone(cases: CaseSelection, after: CaseFile) -> frozenset[str]:
    lost = np.flatnonzero(~np.isin(cases.hashes, after.case_hashes))
    return frozenset(cases[int(index)].id for index in lost)


def gate_impact(workspace: Workspace, suites: Sequence[FoundSuite], rules_of: RulesOf) -> Impact:
    """What other rules would do: past runs are judged by them.

    Args:
        workspace: Where runs are.
        suites: The suites whose gate it is.
        rules_of: The new rules, read against a run.
    """
    touched = tuple(
        Touched(suite=s.name, how="its gate changes", file=s.file, rules=s.rules(), tier=s.tier) for s in suites
    )
    runs = []
    for suite in suites:
        for run in _runs(workspace, suite.name):
            try:
                runs.append(_moved(workspace, run, rules_of(run), frozenset()))
            except EvalwrightError:
                continue  # a run without a metric that the new rules name can't be judged by them
    meaning = "Figures stay as they are; verdicts from before rest on other rules than those after."
    return Impact(touched=touched, runs=tuple(runs), comparable="yes", meaning=meaning)


def using_file(suites: Sequence[FoundSuite], path: Path) -> list[FoundSuite]:
    """The suites that name a file, with its ending or without."""
    word = re.compile(rf"(?<![\w-])(?:{re.escape(path.name)}|{re.escape(path.stem)})(?![\w-])")
    return [suite for suite in suites if word.search(suite.text)]


def scoring_impact(workspace: Workspace, suites: Sequence[FoundSuite], what: str) -> Impact:
    """What another rubric or scorer would do: how, only scoring again can tell.

    Args:
        workspace: Where runs are.
        suites: The suites that use it.
        what: `rubric` or `scorer`.
    """
    touched = tuple(
        Touched(suite=s.name, how=f"scores by this {what}", file=s.file, rules=s.rules(), tier=s.tier) for s in suites
    )
    runs = tuple(RunMove(run_id=e.run_id, suite=s.name) for s in suites for e in past_runs(workspace, s.name))
    meaning = (
        f"Scores by another {what} are other scores: trends break here. `evalwright score RUN` scores stored answers "
        f"again, so that {len(runs):,} past runs can be set beside new ones."
    )
    return Impact(touched=touched, runs=runs, comparable="no", meaning=meaning)


def _runs(workspace: Workspace, suite: str) -> Iterator[RunStore]:
    for entry in past_runs(workspace, suite):
        try:
            with workspace.run(entry.run_id) as run:
                if run.summary() is not None:
                    yield run
        except StoreError:
            continue


def _moved(workspace: Workspace, run: RunStore, rules: tuple[Rule, ...], gone: frozenset[str]) -> RunMove:
    summary = run.summary()
    former = None if summary is None else summary.decision
    figures = run_figures(run, aggregates=stored_aggregates(run.scorers()))
    would_be = _decided(workspace, run, figures, rules, gone)
    return RunMove(
        run_id=run.run_id,
        suite=run.manifest().suite,
        moves=tuple(_moves(run, figures, gone)) if gone else (),
        decision="" if former is None else former.verdict.value,
        would_be="" if would_be is None else would_be.verdict.value,
        rules=tuple(_turned(former, would_be)),
    )


def _decided(
    workspace: Workspace, run: RunStore, figures: RunFigures, rules: tuple[Rule, ...], gone: frozenset[str]
) -> Decision | None:
    """A decision as it would be; nothing is recorded."""
    if not rules:
        return None
    now, manifest = time.time(), run.manifest()
    figure_of = GateFigures(
        run,
        figures,
        baseline=baseline_of(run, GateRequest(workspace=workspace, rules=rules)),
        quarantined=quarantined_ids(workspace, manifest.suite, now) | gone,
        cards=CardStore(workspace.root),
        now=now,
        dataset_at=dataset_at(workspace, manifest),
    )
    return conclude(tuple(judge_rule(rule, figure_of(rule)) for rule in rules))


def _moves(run: RunStore, figures: RunFigures, gone: frozenset[str]) -> Iterator[Move]:
    before, after = GateFigures(run, figures), GateFigures(run, figures, quarantined=gone)
    for column in figures.columns:
        rule = Rule(metric=column.record.metric)
        old, new = before(rule), after(rule)
        if old is not None and new is not None:
            yield Move(metric=rule.metric, before=_figure(old.estimate), after=_figure(new.estimate))


def _figure(estimate: Estimate) -> Figure:
    return Figure(value=estimate.value, low=estimate.low, high=estimate.high, n=estimate.n)


def _turned(former: Decision | None, would_be: Decision | None) -> Iterator[str]:
    """Rules whose verdict changes, that are new, or gone."""
    old = {rule_name(result.rule): result.verdict.value for result in former.results} if former else {}
    new = {rule_name(result.rule): result.verdict.value for result in would_be.results} if would_be else {}
    for name in dict.fromkeys([*old, *new]):
        if old.get(name) != new.get(name):
            yield f"{name}: {old.get(name, 'no rule')} -> {new.get(name, 'no rule')}"

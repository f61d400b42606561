"""Stopping early, tried on many random orders of recorded verdicts, by the very code a run uses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import msgspec
import numpy as np

from evalwright.core.case import Case
from evalwright.core.gate import Rule, Verdict
from evalwright.core.output import Output
from evalwright.core.run import DatasetRecord, Manifest, RunSettings, ScorerRecord, UnitRecord
from evalwright.core.score import Score
from evalwright.engine.job import StopRun
from evalwright.engine.plan import work_order
from evalwright.gates.stopping import Method
from evalwright.services.early_stop import EarlyStop, WatchRequest
from evalwright.store.cases import CaseFileWriter, CaseSelection
from evalwright.store.journal import JournalWriter, segment_path
from evalwright.store.results import RunStore
from evalwright.store.workspace import Workspace


@dataclass(frozen=True)
class Tried:
    """What became of many orders."""

    orders: int
    wrong: int
    decided: int
    shares: tuple[float, ...]

    @property
    def median_share(self) -> float:
        return median(self.shares)


class Replay:
    """Recorded verdicts of one or two systems as runs that can be replayed in any order."""

    def __init__(self, folder: Path, verdicts: Sequence[float], baseline: Sequence[float] | None = None) -> None:
        self.workspace = Workspace.open(folder)
        self.workspace.ensure()
        with CaseFileWriter(self.workspace.blobs) as writer:
            for number in range(len(verdicts)):
                writer.add(Case(id=f"c{number:05d}", input=str(number)))
        self.cases = CaseSelection(writer.file)
        self.records = [self._record(number, value) for number, value in enumerate(verdicts)]
        self.run = self._run("candidate")
        self.baseline = None if baseline is None else self._sealed(baseline)

    def _record(self, number: int, value: float) -> UnitRecord:
        case = self.cases[number]
        score = Score.of(float(value), passed=bool(value))
        return UnitRecord(
            case_id=case.id,
            case_hash=self.cases.case_hash(number),
            position=number,
            output=Output(text="x"),
            scores={"right": score},
            calls=1,
        )

    def _run(self, name: str) -> RunStore:
        run = self.workspace.create_run(name)
        run.write_manifest(self._manifest(name, 0))
        run.write_selection(self.cases)
        return run

    def _manifest(self, name: str, seed: int) -> Manifest:
        size = len(self.cases)
        return Manifest(
            run_id=name,
            suite="replay",
            dataset=DatasetRecord(source="x", digest=self.cases.file.digest, cases=size, selected=size),
            settings=RunSettings(seed=seed),
            scorers=(ScorerRecord(metric="right", name="right", version="1", digest="right"),),
        )

    def _sealed(self, verdicts: Sequence[float]) -> RunStore:
        run = self._run("baseline")
        writer = JournalWriter(segment_path(run.folder, 0))
        for number, value in enumerate(verdicts):
            writer.append(self._record(number, value))
        writer.close()
        run.seal()
        return run

    def once(self, rule: Rule, method: Method, seed: int) -> tuple[Verdict | None, float]:
        """One order: the verdict, None when the whole run left the rule open, and the share of cases it took."""
        self.run.write_manifest(self._manifest("candidate", seed))
        watch = EarlyStop(WatchRequest(run=self.run, rules=(rule,), method=method, baseline=self.baseline))
        for place, number in enumerate(work_order(len(self.records), seed)):
            try:
                watch.on_unit(msgspec.structs.replace(self.records[int(number)], position=place))
            except StopRun:
                break
        found = watch.record.watches[0]
        verdict = found.result.verdict if found.result is not None else Verdict.INCONCLUSIVE
        share = watch.record.seen / watch.record.units
        return (None if verdict is Verdict.INCONCLUSIVE else verdict), share

    def many(self, rule: Rule, method: Method, orders: int, truth: Verdict) -> Tried:
        """Many orders: how often the verdict was not the true one, and which share of the cases was needed."""
        found = [self.once(rule, method, seed) for seed in range(orders)]
        return Tried(
            orders=orders,
            wrong=sum(verdict is not None and verdict is not truth for verdict, _ in found),
            decided=sum(verdict is not None for verdict, _ in found),
            shares=tuple(share for _, share in found),
        )


def drawn(rng: np.random.Generator, n: int, rate: float) -> list[float]:
    """Verdicts of new cases that each pass with this probability."""
    return [float(x) for x in rng.random(n) < rate]

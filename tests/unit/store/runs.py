"""A run on disk, made by hand, for the tests of the store."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from evalwright.core.case import Case
from evalwright.core.output import Output, Usage
from evalwright.core.run import DatasetRecord, Failure, Manifest, RunSettings, ScorerRecord, UnitRecord
from evalwright.core.score import Score
from evalwright.store.cases import CaseFile, CaseFileWriter, CaseSelection
from evalwright.store.journal import JournalWriter, segment_path
from evalwright.store.results import RunStore
from evalwright.store.workspace import Workspace


def case_file(workspace: Workspace, cases: Iterable[Case]) -> CaseFile:
    with CaseFileWriter(workspace.blobs) as writer:
        for case in cases:
            assert writer.add(case) is None
    return writer.file


def manifest(run_id: str, cases: CaseSelection, *, trials: int = 1, metrics: Sequence[str] = ("exact",)) -> Manifest:
    return Manifest(
        run_id=run_id,
        suite="codes",
        suite_version="1",
        suite_hash="a" * 64,
        target_name="chat",
        created_at=1_000.0,
        dataset=DatasetRecord(source="c.jsonl", digest=cases.file.digest, cases=len(cases.file), selected=len(cases)),
        settings=RunSettings(trials=trials),
        scorers=tuple(ScorerRecord(metric=name, name=name, version="1", digest=name) for name in metrics),
    )


def new_run(
    folder: Path, cases: Sequence[Case], *, selected: Sequence[int] | None = None, trials: int = 1, run_id: str = "r1"
) -> RunStore:
    workspace = Workspace.open(folder / "ws")
    workspace.ensure()
    selection = CaseSelection(case_file(workspace, cases), selected)
    run = workspace.create_run(run_id)
    run.write_manifest(manifest(run_id, selection, trials=trials))
    run.write_selection(selection)
    return run


def record(run: RunStore, records: Iterable[UnitRecord], *, worker: int = 0) -> None:
    writer = JournalWriter(segment_path(run.folder, worker))
    for one in records:
        writer.append(one)
    writer.close()


def answered(run: RunStore, case_id: str, text: str = "yes", *, trial: int = 0, **more: object) -> UnitRecord:
    index = run.cases.find(case_id)
    output = Output(text=text, latency_s=0.5, usage=Usage(input_tokens=10, output_tokens=2), cost=0.25, model="m-1")
    plain: dict[str, object] = {
        "case_hash": run.cases.case_hash(index),
        "position": index,
        "output": output,
        "scores": {"exact": Score.of(text == "yes")},
        "calls": 1,
        "started_at": 100.0 + index,
        "duration_s": 1.0,
    }
    return UnitRecord(case_id=case_id, trial=trial, **(plain | more))  # type: ignore[arg-type]


def failed(run: RunStore, case_id: str, *, trial: int = 0, started_at: float = 100.0) -> UnitRecord:
    index = run.cases.find(case_id)
    return UnitRecord(
        case_id=case_id,
        case_hash=run.cases.case_hash(index),
        trial=trial,
        position=index,
        error=Failure(kind="timeout", message="no answer in 1 s", status=504),
        started_at=started_at,
        duration_s=1.0,
        calls=2,
    )

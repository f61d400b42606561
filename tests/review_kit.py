"""Queues, reviewers and a clock for the tests of human review."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from evalwright.core.case import Case
from evalwright.core.output import Output, Passage, ToolCall
from evalwright.core.rubric import Rubric, RubricLevel, yes_no
from evalwright.core.score import Score
from evalwright.services.reviewing.desk import Desk
from evalwright.services.reviewing.queues import Made, make_queue
from evalwright.services.reviewing.requests import NewQueue, SourceSpec
from evalwright.store.workspace import Workspace
from tests.unit.store.runs import answered, case_file, manifest, record

HELPFUL = Rubric(
    name="helpful",
    criterion="Does the answer help?",
    levels=(
        RubricLevel(name="bad", value=0.0, anchor="It does not."),
        RubricLevel(name="fair", value=0.5, anchor="In part."),
        RubricLevel(name="good", value=1.0, anchor="It does."),
    ),
    pass_from="good",
)
POLITE = yes_no("polite", "Is the answer polite?")


class Clock:
    """Time as tests want it."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def workspace_at(folder: Path, url: str | None) -> Workspace:
    """A workspace whose catalog is in its folder, or at an address."""
    workspace = Workspace.open(folder / "ws", catalog=url)
    workspace.ensure()
    return workspace


def rows(count: int) -> tuple[dict[str, Any], ...]:
    """Plain rows to review."""
    return tuple({"id": f"c{n}", "input": f"question {n}", "output": f"answer {n}"} for n in range(count))


def queue_of(workspace: Workspace, count: int = 3, **settings: Any) -> Made:
    """A queue of plain rows."""
    asked = {"name": "q", "rubrics": (HELPFUL,), "source": SourceSpec(rows=rows(count)), "seed": 7}
    return make_queue(workspace, NewQueue(**{**asked, **settings}), by="lead", now=1_799_999_000.0)


def desks(workspace: Workspace, *names: str, clock: Clock | None = None) -> list[Desk]:
    """Desks of reviewers."""
    return [Desk(workspace, name, clock=clock or Clock()) for name in names]


MODEL = "secret-model-9"
TARGET = "secret-target"


def a_run(workspace: Workspace, run_id: str, verdicts: dict[str, bool], *, text: str = "answer") -> None:
    """A stored run with a judge's and a rule's verdict a case, full of things a reviewer must not see."""
    cases = [
        Case(
            id=f"{MODEL}/{name}",
            input=f"question {name}",
            expected=f"right {name}",
            metadata={"by": MODEL, "severity": "high" if name == "b" else "low"},
        )
        for name in verdicts
    ]
    from evalwright.store.cases import CaseSelection

    run = workspace.create_run(run_id)
    selection = CaseSelection(case_file(workspace, cases), None)
    made = manifest(run_id, selection, metrics=("helpful", "exact"))
    import msgspec

    made = msgspec.structs.replace(made, target_name=TARGET)
    run.write_manifest(made)
    run.write_selection(selection)
    units = []
    for name, good in verdicts.items():
        output = Output(
            text=f"{text} {name}",
            model=MODEL,
            latency_s=123.456,
            cost=0.789,
            contexts=(Passage(id=MODEL, text="a passage", score=0.987, metadata={"by": MODEL}),),
            tool_calls=(ToolCall(name="look_up", arguments={"q": "x", "model": MODEL}, id=MODEL, result="found"),),
            messages=({"role": "assistant", "content": f"{text} {name}", "model": MODEL},),
            metadata={"by": MODEL},
        )
        scores = {"helpful": Score.of(good, reason=MODEL), "exact": Score.of(name in "ab")}
        units.append(answered(run, f"{MODEL}/{name}", output=output, scores=scores))
    record(run, units)
    run.seal()
    workspace.catalog.add(made)

"""Recorded systems run through the product: rows of a reference file become a suite, a run and its results."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from evalwright.services.evaluation import RunContext, start_run
from evalwright.services.suite_files import load_source
from evalwright.store.results import RunStore
from evalwright.store.workspace import Workspace

Row = dict[str, Any]


def rows_of(path: Path) -> Iterator[Row]:
    """Rows of a gzipped JSONL file, split at line feeds only."""
    with gzip.open(path, "rt", encoding="utf-8", newline="\n") as file:
        for line in file:
            yield json.loads(line)


@dataclass
class Bench:
    """A folder with a suite over recorded answers, and the workspace its runs go to.

    Attributes:
        folder: Where the files are written.
        name: Name of the suite.
        scorers: The suite's scorers, as in YAML.
        slices: Slice definitions.
        extra: Further sections of the suite.
    """

    folder: Path
    name: str
    scorers: list[Any]
    slices: dict[str, Any] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def workspace(self) -> Workspace:
        return Workspace.open(self.folder / "ws")

    def cases(self, rows: Iterable[Row]) -> None:
        """Write the dataset: rows with `id`, `input`, `expected` and whatever else becomes metadata."""
        self._write("cases.jsonl", rows)

    def suite(self, system: str, answers: Iterable[Row]) -> Path:
        """Write a system's recorded answers and the suite over them."""
        self._write(f"{system}.jsonl", answers)
        suite = {
            "suite": self.name,
            "version": 1,
            "target": {"type": "recorded", "file": f"{system}.jsonl"},
            "dataset": {"file": "cases.jsonl"},
            "scorers": self.scorers,
            "slices": self.slices,
            **self.extra,
        }
        path = self.folder / f"{system}.yaml"
        path.write_text(yaml.safe_dump({k: v for k, v in suite.items() if v}, sort_keys=False), encoding="utf-8")
        return path

    def run(self, system: str, answers: Iterable[Row]) -> RunStore:
        """Run the suite over a system's recorded answers."""
        place = self.workspace
        summary = start_run(load_source(str(self.suite(system, answers))), RunContext(workspace=place))
        return place.run(summary.manifest.run_id)

    def _write(self, name: str, rows: Iterable[Row]) -> None:
        with (self.folder / name).open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)

"""A suite that was read: the core's records, and what is still to be made."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from evalwright.core.errors import Problem
from evalwright.core.suite import DatasetSpec, Suite
from evalwright.suites.target_entry import TargetSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedSuite:
    """A suite file, or a suite written in Python, ready to be run.

    Attributes:
        suite: Name, version, scorers (bound), slices, gate, settings, owner and the like. Its `cases` are empty where
            `dataset` says where they come from.
        dataset: Where the cases come from; None when they are in `suite.cases`.
        target: The system under test; None when the suite names none.
        path: The file.
        source: The file's text.
        warnings: What a reader should know that does not stop a run.
    """

    suite: Suite
    dataset: DatasetSpec | None
    target: TargetSpec | None
    path: Path
    source: str
    warnings: tuple[Problem, ...] = ()

    @property
    def base_dir(self) -> Path:
        """Folder that relative paths in the suite start from."""
        return self.path.parent

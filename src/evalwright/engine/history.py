"""What earlier sittings of a run recorded: read from its journal, never carried over by any other way."""

from __future__ import annotations

from pathlib import Path

import msgspec

from evalwright.core.run import UnitRecord
from evalwright.engine.monitor import Tally
from evalwright.store.journal import BadLine, read_run


class History(msgspec.Struct, frozen=True, kw_only=True):
    """Earlier sittings of a run.

    Attributes:
        done: Content hash of the case and trial of every unit that need not be run again.
        tally: Counts of these units.
        damaged: Journal lines that could not be read.
    """

    done: set[tuple[str, int]]
    tally: Tally
    damaged: tuple[str, ...] = ()


def read_history(run_dir: Path, *, units: int, retry_errored: bool) -> History:
    """Read what a run's folder holds; with `retry_errored`, units that failed for good do not count as done."""
    damaged: list[BadLine] = []
    done: set[tuple[str, int]] = set()
    tally = Tally(units)
    for record in read_run(run_dir, on_bad=damaged.append):
        if _counts(record, retry_errored=retry_errored):
            done.add((record.case_hash, record.trial))
            tally.add(record)
    return History(done=done, tally=tally, damaged=tuple(map(str, damaged)))


def _counts(record: UnitRecord, *, retry_errored: bool) -> bool:
    return record.output is not None or not retry_errored

"""What a reader of a run's figures must be told: rows set aside, calls that failed for good."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from evalwright.core.run import Failure
from evalwright.store.results import RunStore

SHOWN_KINDS = 3

_RECOMPUTED = (
    "set aside: line ",
    "set aside, the first: ",
    " got no answer (",
    "` scored no case (",
    "set aside: no line ",
)
"""What tells a note that is made anew whenever the figures are."""


def lasting(notes: Iterable[str]) -> tuple[str, ...]:
    """Those notes of an earlier summary that still hold when the figures are made again."""
    return tuple(note for note in notes if not any(words in note for words in _RECOMPUTED))


def bad_row_notes(run: RunStore) -> list[str]:
    """One note on dataset rows set aside, with the place and reason of the first; nothing when all were good."""
    rows = run.bad_rows()
    if not rows:
        return []
    dataset = run.manifest().dataset
    count = max(len(rows), dataset.bad_rows if dataset else 0)
    said = "1 dataset row was set aside" if count == 1 else f"{count:,} dataset rows were set aside, the first"
    place = f"line {rows[0].line}"
    return [f"{said}: {place} of {rows[0].source or 'the dataset'}: {rows[0].reason}"]


def failure_notes(run: RunStore) -> list[str]:
    """A note for each of the commonest kinds of failure, with the message of one unit."""
    units = run.unit_columns()
    cases = np.unique(units.case[units.errored])
    if not len(cases):
        return []
    counts: dict[str, int] = {}
    examples: dict[str, Failure] = {}
    for _, record in run.units(cases):
        if record.error is not None:
            counts[record.error.kind] = counts.get(record.error.kind, 0) + 1
            examples.setdefault(record.error.kind, record.error)
    commonest = sorted(counts, key=lambda kind: -counts[kind])[:SHOWN_KINDS]
    return [
        f"{_units(counts[kind])} got no answer ({kind}): {_first_line(examples[kind].message)}" for kind in commonest
    ]


def _units(count: int) -> str:
    return "1 unit" if count == 1 else f"{count:,} units"


def _first_line(message: str) -> str:
    line = message.strip().partition("\n")[0]
    return line if len(line) <= 300 else line[:299] + "…"

"""The looks at a run, kept beside it; and what a reader must know of them."""

from __future__ import annotations

from pathlib import Path

import msgspec

from evalwright.core.errors import StoreError
from evalwright.core.estimate import Estimate
from evalwright.core.run import Totals
from evalwright.gates.stopping import FILE, StoppingRecord
from evalwright.store.files import write_atomic


def save_record(folder: Path, record: StoppingRecord) -> None:
    """Keep the looks at a run in its folder.

    Raises:
        DiskFull: No space is left.
    """
    write_atomic(folder / FILE, msgspec.json.encode(record))


def stopping_record(folder: Path) -> StoppingRecord | None:
    """The looks at a run; None when it was not watched.

    Raises:
        StoreError: The record can't be read.
    """
    path = folder / FILE
    if not path.is_file():
        return None
    try:
        return msgspec.json.decode(path.read_bytes(), type=StoppingRecord)
    except (OSError, msgspec.DecodeError) as error:
        raise StoreError(f"{path} can't be read: {error}") from error


def as_sequential(estimate: Estimate, level: float) -> Estimate:
    """An interval that was computed at a look's level, as what it is: one of the given level that allows for looks."""
    note = "stopped early: the interval allows for the looks taken"
    return msgspec.structs.replace(
        estimate,
        level=level,
        method=f"{estimate.method} (sequential)" if estimate.method else "",
        note=f"{estimate.note}; {note}" if estimate.note else note,
    )


def stopping_notes(record: StoppingRecord, totals: Totals) -> list[str]:
    """What a reader of a watched run must know: what was saved, and what the figures promise."""
    if not record.stopped:
        return [
            f"the gate was looked at {record.taken} times while the run went on; "
            "its bounds allow for that, which is why they are a little wider than those of a run that is looked at once"
        ]
    risks = sorted({f"{100 * watch.error:.3g} %" for watch in record.watches})
    left = max(0, totals.units - totals.done)
    if not left:
        return [f"every rule was decided after {record.seen:,} of {record.units:,} units, when all had been begun"]
    share = left / totals.done if totals.done else 0.0
    calls = round(totals.calls * share)
    costs = [cost for cost in (totals.cost, totals.judge_cost) if cost is not None]
    money = f" and {sum(costs) * share:.4g} USD" if costs and sum(costs) else ""
    return [
        f"saved about {calls:,} calls{money} by stopping early; each verdict is wrong with a chance of at most "
        f"{' or '.join(risks)}, the looks taken included",
        "the run stopped when its results were clear, so its figures lean a little to the extreme side; "
        "the intervals shown allow for the looks taken",
    ]

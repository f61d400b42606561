"""Sealing: a run's journal becomes two Parquet files anybody can open."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from evalwright.core.errors import StoreError
from evalwright.core.run import ScorerRecord
from evalwright.core.score import Score
from evalwright.store.cases import CaseSelection
from evalwright.store.files import disk_errors, sweep, write_atomic
from evalwright.store.journal import segments
from evalwright.store.layout import SCORE_COLUMNS, UNIT_COLUMNS, score_row, unit_row
from evalwright.store.parquet import RowFile
from evalwright.store.unit_index import UnitIndex

UNITS, SCORES, SEAL = "units.parquet", "scores.parquet", "seal.json"


class Seal(msgspec.Struct, frozen=True, kw_only=True):
    """What a run's Parquet files were made from.

    Attributes:
        segments: Bytes of the whole lines of each journal segment that went in, by name.
        units: Rows of `units.parquet`.
        scores: Rows of `scores.parquet`.
        left_out: Journal lines that are in neither: damaged, or of a case the run does not have.
        format: Number of the layout.
    """

    segments: dict[str, int]
    units: int
    scores: int
    left_out: int = 0
    format: int = 1


class ScoreSet(msgspec.Struct, frozen=True, kw_only=True):
    """A later scoring of the same outputs.

    Attributes:
        number: 2 for the first re-scoring, and so on; 1 is the run's own.
        units: Units the run had then; a set made for fewer is no longer current.
        scorers: The scorers of this set.
        created_at: Seconds since the epoch.
    """

    number: int
    units: int
    scorers: tuple[ScorerRecord, ...] = ()
    created_at: float = 0.0

    @property
    def file(self) -> str:
        """Name of its Parquet file."""
        return SCORES if self.number == 1 else f"scores-{self.number}.parquet"


def read_seal(folder: Path) -> Seal | None:
    """What the Parquet files of a run were made from; None when there are none or the note can't be read."""
    try:
        seal = msgspec.json.decode((folder / SEAL).read_bytes(), type=Seal)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None
    return seal if (folder / UNITS).is_file() and (folder / SCORES).is_file() else None


def is_current(folder: Path) -> bool:
    """Whether the Parquet files hold everything the journal does."""
    seal = read_seal(folder)
    if seal is None:
        return False
    return not any(_grown(path, seal.segments.get(path.name, 0)) for path in segments(folder))


def _grown(segment: Path, known: int) -> bool:
    """Whether a segment holds whole lines beyond those known, or fewer; a torn last line is none."""
    with disk_errors(segment), segment.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(known)
        return size < known or any(b"\n" in piece for piece in iter(lambda: file.read(1 << 20), b""))


def seal(folder: Path, cases: CaseSelection, *, into: Path | None = None, keep_journal: bool = True) -> Seal:
    """Write `units.parquet` (one row a unit) and `scores.parquet` (one row a unit and metric) from the journal.

    Both are in order of case and trial, and the same journal always gives the same rows. Doing it again changes
    nothing; when the journal has grown meanwhile, both are written anew. Memory does not grow with the outputs.

    Args:
        folder: The run's folder.
        cases: The cases of the run.
        into: Where the files go; the run's folder when not given.
        keep_journal: Whether the journal stays beside them, which resuming the run needs.

    Raises:
        DiskFull: No space is left; the journal is as it was.
        StoreError: The folder can't be written.
    """
    target = folder if into is None else into
    done = read_seal(target)
    if done is None or not is_current(folder) or into is not None:
        done = _write(UnitIndex(folder, cases), target)
    if not keep_journal:
        for path in segments(folder):
            if not _grown(path, done.segments.get(path.name, 0)):
                path.unlink()
    return done


def _write(index: UnitIndex, target: Path) -> Seal:
    sweep(target)
    with (
        disk_errors(target),
        RowFile(target, UNITS, UNIT_COLUMNS) as units,
        RowFile(target, SCORES, SCORE_COLUMNS) as scores,
    ):
        for case, record in zip(map(int, index.case), index.records(), strict=True):
            units.add(unit_row(case, record))
            for metric, score in record.scores.items():
                scores.add(score_row(case, record.case_id, record.trial, metric, score))
        (target / SEAL).unlink(missing_ok=True)
        units.save(target / UNITS)
        scores.save(target / SCORES)
    done = Seal(segments=index.sizes, units=units.rows, scores=scores.rows, left_out=index.left_out)
    write_atomic(target / SEAL, msgspec.json.encode(done))
    return done


def score_sets(folder: Path) -> list[ScoreSet]:
    """Later scorings of a run, oldest first."""
    found = []
    for path in folder.glob("scores-*.json"):
        try:
            one = msgspec.json.decode(path.read_bytes(), type=ScoreSet)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise StoreError(
                f"{path} can't be read: {error}", hint="move it away to use the scores before it"
            ) from error
        if (folder / one.file).is_file():
            found.append(one)
    return sorted(found, key=lambda one: one.number)


def current_scores(folder: Path) -> ScoreSet | None:
    """The scoring that counts: the newest made for all units the run has; None for the run's own."""
    seal = read_seal(folder)
    fitting = [one for one in score_sets(folder) if seal is not None and one.units == seal.units]
    return fitting[-1] if fitting else None


ScoredUnit = tuple[str, int, dict[str, Score]]
"""Case id, trial, scores by metric."""


def write_scores(
    folder: Path,
    cases: CaseSelection,
    scored: Iterable[ScoredUnit],
    *,
    scorers: tuple[ScorerRecord, ...] = (),
    created_at: float = 0.0,
) -> ScoreSet:
    """Add a scoring of a sealed run's outputs; it becomes the current one, and the former stay.

    Args:
        folder: The run's folder.
        cases: The cases of the run.
        scored: The scores of each answered unit, in order of case and trial.
        scorers: The scorers that made them.
        created_at: Seconds since the epoch.

    Raises:
        StoreError: The run is not sealed.
        DiskFull: No space is left; the scoring before stays the current one.
    """
    done = read_seal(folder)
    if done is None:
        raise StoreError(f"the run {folder.name} is not sealed")
    number = 1 + max((one.number for one in score_sets(folder)), default=1)
    made = ScoreSet(number=number, units=done.units, scorers=scorers, created_at=created_at)
    with disk_errors(folder), RowFile(folder, made.file, SCORE_COLUMNS) as rows:
        for case_id, trial, scores in scored:
            case = cases.find(case_id)
            for metric, score in scores.items():
                rows.add(score_row(case, case_id, trial, metric, score))
        rows.save(folder / made.file)
    write_atomic(folder / f"scores-{number}.json", msgspec.json.encode(made))
    return made

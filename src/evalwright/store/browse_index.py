"""A run's units as one wide table for lists: a column a metric, short texts, slices. Made from the sealed files.

It is written once into the workspace's cache, can be made again at any time, and is named by what it was made from, so
an outdated one is never read.
"""

# ruff: noqa: S608 - what is put into queries are numbers, names from fixed lists, and paths as literals

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

import duckdb
import msgspec
import numpy as np
import numpy.typing as npt

from evalwright.core.errors import StoreError
from evalwright.core.identity import content_hash
from evalwright.core.run import ScorerRecord
from evalwright.store.cases import CaseSelection
from evalwright.store.duck import connect, literal
from evalwright.store.files import atomic_file, disk_errors, sync_file, temporary_beside, write_atomic
from evalwright.store.reading import Tables

FORMAT = 4
SHOWN = 400
"""Characters of a text that lists show."""

SEARCHED = 8_000
"""Characters of each text that a search looks through."""

TEXTS, ENDS = ".texts", ".npy"
"""Endings of the files beside the table: lines of texts, and where each ends."""

_GROUP_ROWS = 20_480
_MEMORY = "384MB"
_LARGEST_LINE = 1 << 30

Slices = Mapping[str, Mapping[str, npt.NDArray[np.int64]]]
"""By slice and value: indices of its cases."""


class BrowseHead(msgspec.Struct, frozen=True, kw_only=True):
    """What a wide table holds.

    Attributes:
        key: Hash of what it was made from.
        metrics: The metrics; the n-th has the columns `v<n>`, `p<n>`, `s<n>`, `l<n>`.
        labels: Slices as `name=value`; numbers in the column `slices` are places in this list.
        rows: Units.
        texts: Whether the texts of the cases could be read.
        single: Whether each case has one unit.
    """

    key: str
    metrics: tuple[str, ...]
    labels: tuple[str, ...]
    rows: int
    texts: bool = True
    single: bool = False


Texts = tuple[str | None, str | None, str | None]
"""Beginnings of input, expectation and output."""

_texts_decoder = msgspec.json.Decoder(tuple[str | None, str | None, str | None])


def _text_at(file: BinaryIO, ends: npt.NDArray[np.uint64], place: int) -> Texts:
    start = int(ends[place - 1]) if place else 0
    file.seek(start)
    return _texts_decoder.decode(file.read(int(ends[place]) - start))


class BrowseIndex(msgspec.Struct, frozen=True, kw_only=True):
    """A wide table on disk."""

    path: Path
    head: BrowseHead

    def column(self, kind: str, metric: str) -> str | None:
        """Name of a metric's column (`v` value, `p` verdict, `s` status, `l` label); None for an unknown metric."""
        return f"{kind}{self.head.metrics.index(metric)}" if metric in self.head.metrics else None

    def texts(self, places: Sequence[int]) -> dict[int, Texts]:
        """By number of the unit: the beginnings of its input, expectation and output.

        Raises:
            StoreError: They can't be read.
        """
        path = self.path.with_suffix(TEXTS)
        with disk_errors(path), path.open("rb") as file:
            ends = np.load(self.path.with_suffix(ENDS), mmap_mode="r", allow_pickle=False)
            return {place: _text_at(file, ends, place) for place in places}

    def label(self, label: str) -> int | None:
        """Number of a slice, None when no case is in it."""
        return self.head.labels.index(label) if label in self.head.labels else None


class BrowseSource(msgspec.Struct, frozen=True, kw_only=True):
    """What a wide table is made from.

    Attributes:
        tables: The results.
        cases: The cases of the run.
        scorers: The scorers, in the order metrics are shown.
        slices: The cases of each slice value.
        stamp: Changes whenever the results do.
    """

    tables: Tables
    cases: CaseSelection
    scorers: tuple[ScorerRecord, ...]
    slices: Slices
    stamp: tuple[int, ...]

    @property
    def key(self) -> str:
        """Hash of all this."""
        values = {name: sorted(by) for name, by in self.slices.items()}
        return content_hash([FORMAT, list(self.stamp), self.cases.digest, values])[:16]


def load_index(folder: Path, key: str) -> BrowseIndex | None:
    """The table of this key in a folder, None when there is none."""
    path = folder / f"browse-{key}.parquet"
    try:
        head = msgspec.json.decode(path.with_suffix(".json").read_bytes(), type=BrowseHead)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None
    whole = head.key == key and all(path.with_suffix(end).is_file() for end in (".parquet", TEXTS, ENDS))
    return BrowseIndex(path=path, head=head) if whole else None


def build_index(folder: Path, source: BrowseSource) -> BrowseIndex:
    """Write the wide table of a run into a folder; tables of other keys there are removed.

    Raises:
        DiskFull: No space is left.
        StoreError: The results can't be read.
    """
    path = folder / f"browse-{source.key}.parquet"
    with disk_errors(path):
        folder.mkdir(parents=True, exist_ok=True)
    with disk_errors(path), temporary_beside(path) as temporary:
        head = _write(temporary, path, source)
        sync_file(temporary)
        temporary.replace(path)
    write_atomic(path.with_suffix(".json"), msgspec.json.encode(head))
    for old in folder.glob("browse-*"):
        if old.stem != path.stem:
            old.unlink(missing_ok=True)
    return BrowseIndex(path=path, head=head)


def _write(temporary: Path, path: Path, source: BrowseSource) -> BrowseHead:
    """Write the table under a temporary name, and the texts under their own beside the table's final one."""
    try:
        with connect(memory=_MEMORY, threads=2) as duck:
            for name, table in (("units", source.tables.units), ("scores", source.tables.scores)):
                duck.execute(f"CREATE VIEW {name} AS FROM read_parquet({literal(str(table))})")
            texts = _case_texts(duck, source.cases)
            labels = _slices(duck, source.slices)
            metrics = _metrics(duck, source.scorers)
            options = f"FORMAT parquet, COMPRESSION lz4_raw, ROW_GROUP_SIZE {_GROUP_ROWS}"
            single = not duck.execute("SELECT coalesce(max(trial), 0) FROM units").fetchall()[0][0]
            copy = f"COPY ({_query(len(metrics))}) TO {literal(str(temporary))} ({options})"
            rows = duck.execute(copy).fetchall()[0][0]
            _write_texts(duck, path)
    except duckdb.Error as error:
        raise StoreError(
            f"the results in {source.tables.units.parent} can't be read: {str(error).splitlines()[0]}"
        ) from error
    return BrowseHead(key=source.key, metrics=metrics, labels=labels, rows=int(rows), texts=texts, single=single)


def _write_texts(duck: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Write the beginnings of texts line by line with where each line ends, so that any few are read at once."""
    query = (
        f"SELECT left(input, {SHOWN}), left(expected, {SHOWN}), left(text, {SHOWN}) "
        "FROM units LEFT JOIN texts USING (case_index) ORDER BY case_index, trial"
    )
    found = duck.execute(query)
    ends, size = array("Q"), 0
    with atomic_file(path.with_suffix(TEXTS)) as file:
        while batch := found.fetchmany(_GROUP_ROWS):
            for row in batch:
                size += file.write(msgspec.json.encode(row))
                ends.append(size)
    with atomic_file(path.with_suffix(ENDS)) as file:
        np.save(file, np.frombuffer(ends, dtype=np.uint64), allow_pickle=False)


# Chat messages show their contents, objects the field that holds the question; anything else as JSON.
_FIELDS = ("question", "query", "prompt", "text", "message", "input", "answer")
_TEXT = (
    "CASE json_type({0}) WHEN 'VARCHAR' THEN {0} ->> '$' WHEN 'NULL' THEN NULL "
    "WHEN 'ARRAY' THEN coalesce(nullif(array_to_string("
    "list_filter({0} ->> '$[*].content', lambda x: x IS NOT NULL), chr(10)), ''), CAST({0} AS VARCHAR)) "
    "WHEN 'OBJECT' THEN coalesce(" + ", ".join(f"{{0}} ->> '$.{name}'" for name in _FIELDS) + ", CAST({0} AS VARCHAR)) "
    "ELSE CAST({0} AS VARCHAR) END"
)


def _case_texts(duck: duckdb.DuckDBPyConnection, cases: CaseSelection) -> bool:
    """Make the table of the cases' texts; empty texts, and False, where the case file can't be read by the database."""
    duck.execute("CREATE TABLE texts (case_index INTEGER, input VARCHAR, expected VARCHAR)")
    try:
        duck.execute("BEGIN").execute(_texts_query(duck, cases)).execute("COMMIT")
    except duckdb.Error:
        duck.execute("ROLLBACK")
        return False
    return True


def _texts_query(duck: duckdb.DuckDBPyConnection, cases: CaseSelection) -> str:
    options = "format = 'newline_delimited', columns = {input: 'JSON', expected: 'JSON'}"
    size = f"maximum_object_size = {min(_LARGEST_LINE, max(1 << 20, 2 * cases.file.longest))}"
    read = (
        f"SELECT row_number() OVER () - 1 AS line, * FROM read_json({literal(str(cases.file.path))}, {options}, {size})"
    )
    cut = ", ".join(f"left({_TEXT.format(name)}, {SEARCHED}) AS {name}" for name in ("input", "expected"))
    if cases.complete:
        return f"INSERT INTO texts SELECT line, {cut} FROM ({read})"
    chosen = {"line": cases.indexes, "case_index": np.arange(len(cases), dtype=np.int64)}
    duck.register("chosen", chosen)
    return f"INSERT INTO texts SELECT case_index, {cut} FROM ({read}) JOIN chosen USING (line)"


def _slices(duck: duckdb.DuckDBPyConnection, slices: Slices) -> tuple[str, ...]:
    found = [(f"{name}={value}", members) for name, by in slices.items() for value, members in by.items()]
    empty = np.empty(0, dtype=np.int64)
    cases = np.concatenate([members for _, members in found] or [empty]).astype(np.int64)
    numbers = np.repeat(np.arange(len(found)), [len(members) for _, members in found]).astype(np.int64)
    duck.register("members", {"case_index": cases, "number": numbers})
    duck.execute(
        "CREATE TABLE belongs AS SELECT case_index::INTEGER AS case_index, "
        "list(number::INTEGER ORDER BY number) AS slices FROM members GROUP BY case_index"
    )
    return tuple(label for label, _ in found)


def _metrics(duck: duckdb.DuckDBPyConnection, scorers: tuple[ScorerRecord, ...]) -> tuple[str, ...]:
    present = [name for (name,) in duck.execute("SELECT DISTINCT metric FROM scores ORDER BY 1").fetchall()]
    known = [record.metric for record in scorers]
    metrics = (*known, *(name for name in present if name not in known))
    duck.execute("CREATE TABLE names (metric VARCHAR, number INTEGER)")
    for number, name in enumerate(metrics):
        duck.execute("INSERT INTO names VALUES (?, ?)", [name, number])
    return metrics


def _query(metrics: int) -> str:
    """One row a unit: a metric's value, verdict, status and label in columns of its number."""
    columns = ", ".join(
        f"max(value) FILTER (number = {n} AND status = 'scored') AS v{n}, "
        f"bool_and(passed) FILTER (number = {n}) AS p{n}, "
        f"max(status) FILTER (number = {n}) AS s{n}, max(label) FILTER (number = {n}) AS l{n}"
        for n in range(metrics)
    )
    wide = (
        f"SELECT case_index, trial, bool_and(passed) AS all_passed{', ' if columns else ''}{columns} "
        "FROM scores JOIN names USING (metric) GROUP BY ALL"
    )
    names = "".join(f", v{n}, p{n}, s{n}, l{n}" for n in range(metrics))
    return (
        "SELECT (row_number() OVER (ORDER BY case_index, trial) - 1)::INTEGER AS place, case_index, case_id, trial, "
        "CASE WHEN output IS NULL THEN false ELSE all_passed END AS passed, error_kind, "
        f"left(error_message, {SHOWN}) AS error_message, latency_s, coalesce(cost, 0) + coalesce(judge_cost, 0) + "
        "CASE WHEN cost IS NULL AND judge_cost IS NULL THEN NULL ELSE 0 END AS cost, model, slices, "
        f"lower(concat_ws(chr(10), case_id, input, expected, left(text, {SEARCHED}), error_message)) AS searched"
        f"{names} "
        f"FROM units LEFT JOIN ({wide}) USING (case_index, trial) LEFT JOIN texts USING (case_index) "
        "LEFT JOIN belongs USING (case_index) ORDER BY case_index, trial"
    )

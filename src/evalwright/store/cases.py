"""Cases on disk: one canonical JSON line each, read by index, with no object kept per case."""

from __future__ import annotations

import hashlib
import os
from array import array
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Self

import msgspec
import numpy as np
import numpy.typing as npt

from evalwright.core.case import Case
from evalwright.core.errors import StoreError, UsageError
from evalwright.core.identity import canonical_json
from evalwright.core.ports import CaseSource
from evalwright.store.blobs import Blobs, BlobWriter
from evalwright.store.files import atomic_file, disk_errors
from evalwright.store.ids import IdTable, id_hash

IndexArray = npt.NDArray[np.int64]
HashArray = npt.NDArray[np.uint64]

_decoder = msgspec.json.Decoder(Case)
_END, _ID, _CONTENT = 0, 1, 2


def _index_path(blobs: Blobs, digest: str) -> Path:
    return blobs.path(digest).with_name(f"{digest}.index.npy")


class CaseFileWriter:
    """Streams cases into a content-addressed file.

    Use as a context manager; `file` is there once the block has ended well.

    Example:
        >>> import tempfile
        >>> blobs = Blobs(Path(tempfile.mkdtemp()))
        >>> with CaseFileWriter(blobs) as writer:
        ...     _ = writer.add(Case(id="a", input="Hello"), line=1)
        >>> writer.file[0].id
        'a'
    """

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self._stack = ExitStack()
        self._ends = array("Q")
        self._content = array("Q")
        self._ids = IdTable()
        self._blob: BlobWriter | None = None
        self._file: CaseFile | None = None

    def __enter__(self) -> Self:
        self._blob = self._stack.enter_context(self._blobs.writer())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)
        if kind is None and self._blob is not None:
            self._file = self._finish(self._blob.digest)

    def __len__(self) -> int:
        return len(self._ends)

    def add(self, case: Case, *, line: int = 0) -> int | None:
        """Append a case unless its id was used before.

        Args:
            case: The case.
            line: Where it came from, to be told when the id comes again.

        Returns:
            None, or the line of the case that has this id already; then nothing was written.

        Raises:
            UnicodeEncodeError: A text holds half a surrogate pair.
            RecursionError: The case is nested too deeply to be written.
            msgspec.MsgspecError: It could not be read again (a number out of range).
            DiskFull: No space is left.
        """
        if self._blob is None:
            raise UsageError("a CaseFileWriter is used inside a `with` block")
        data = canonical_json(case)
        _decoder.decode(data)
        first = self._ids.add(case.id, line)
        if first is not None:
            return first
        self._blob.write(data + b"\n")
        self._ends.append(self._blob.size)
        self._content.append(_content_hash(data))
        return None

    @property
    def file(self) -> CaseFile:
        """The finished file.

        Raises:
            UsageError: The block has not ended, or ended with an error.
        """
        if self._file is None:
            raise UsageError("the case file is not finished")
        return self._file

    def _finish(self, digest: str) -> CaseFile:
        index = _stacked(self._ends, self._ids.hashes, self._content)
        _save_index(_index_path(self._blobs, digest), index)
        return CaseFile(self._blobs.path(digest), digest, index)


def _content_hash(data: bytes) -> int:
    """The first 8 bytes of SHA-256: `core.identity.case_hash` as a number."""
    return int.from_bytes(hashlib.sha256(data).digest()[:8], "big")


def _save_index(path: Path, index: HashArray) -> None:
    if not path.is_file():
        with atomic_file(path) as file:
            np.save(file, index, allow_pickle=False)


class CaseFile(CaseSource):
    """Cases in a file, read one at a time by index: a `CaseSource` whose memory is 24 bytes a case.

    Attributes:
        path: The file: canonical JSON, one case a line.
    """

    def __init__(self, path: Path, digest: str, index: HashArray) -> None:
        self.path = path
        self._digest = digest
        self._index = index
        with disk_errors(path):
            self._file = path.open("rb")
        self._lock = Lock()
        self._by_id: tuple[HashArray, IndexArray] | None = None

    @classmethod
    def open(cls, blobs: Blobs, digest: str) -> CaseFile:
        """The case file with this digest.

        Raises:
            StoreError: The workspace does not hold it.
        """
        path = blobs.fetched(digest)
        if not path.is_file():
            raise StoreError(f"the workspace does not hold the cases {digest[:12]}…", hint=f"expected them at {path}")
        return cls(path, digest, _load_index(blobs, digest))

    def close(self) -> None:
        """Close the file; reading afterwards is an error."""
        self._file.close()

    def __del__(self) -> None:
        if hasattr(self, "_file"):
            self._file.close()

    @property
    def digest(self) -> str:
        """SHA-256 of the file, 64 hex digits."""
        return self._digest

    def __len__(self) -> int:
        return int(self._index.shape[1])

    def __getitem__(self, index: int, /) -> Case:
        return _decoder.decode(self.raw(index))

    def __iter__(self) -> Iterator[Case]:
        return (self[index] for index in range(len(self)))

    def raw(self, index: int) -> bytes:
        """The canonical JSON of the case at an index from 0.

        Raises:
            IndexError: There is no such case.
        """
        if not 0 <= index < len(self):
            raise IndexError(f"case {index} of {len(self)}")
        start = int(self._index[_END, index - 1]) if index else 0
        return self._read(start, int(self._index[_END, index]) - start - 1)

    def _read(self, start: int, size: int) -> bytes:
        """Read without mapping the file: mapped pages would count as memory of the process."""
        if hasattr(os, "pread"):
            return os.pread(self._file.fileno(), size, start)
        with self._lock:
            self._file.seek(start)
            return self._file.read(size)

    def case_hash(self, index: int) -> str:
        """`core.identity.case_hash` of the case, without reading it."""
        return f"{int(self._index[_CONTENT, index]):016x}"

    @property
    def longest(self) -> int:
        """Bytes of the longest line."""
        ends = self._index[_END]
        return int(np.diff(ends, prepend=np.uint64(0)).max()) if len(ends) else 0

    @property
    def case_hashes(self) -> HashArray:
        """Content hash of every case as a number, shape (cases,)."""
        hashes: HashArray = self._index[_CONTENT]
        return hashes

    @property
    def id_hashes(self) -> HashArray:
        """Hash of every case's id as a number, shape (cases,); two files give the same id the same number."""
        hashes: HashArray = self._index[_ID]
        return hashes

    def find(self, case_id: str) -> int:
        """Index of the case with this id.

        Raises:
            KeyError: There is none.
        """
        hashes, order = self._sorted_ids()
        wanted = np.uint64(id_hash(case_id))
        place = int(np.searchsorted(hashes, wanted))
        if place == len(hashes) or hashes[place] != wanted:
            raise KeyError(case_id)
        return int(order[place])

    def _sorted_ids(self) -> tuple[HashArray, IndexArray]:
        if self._by_id is None:
            order = np.argsort(self._index[_ID], kind="stable")
            self._by_id = (self._index[_ID][order], order)
        return self._by_id


def _load_index(blobs: Blobs, digest: str) -> HashArray:
    """The stored index of a case file, made again when it is missing or does not fit the file."""
    path = _index_path(blobs, digest)
    size = blobs.path(digest).stat().st_size
    try:
        index: HashArray = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return _rebuild_index(blobs, digest)
    fits = index.ndim == 2 and index.shape[0] == 3 and index.dtype == np.uint64
    if not fits or (int(index[_END, -1]) if index.shape[1] else 0) != size:
        return _rebuild_index(blobs, digest)
    return index


def _rebuild_index(blobs: Blobs, digest: str) -> HashArray:
    ends, ids, content = array("Q"), array("Q"), array("Q")
    position = 0
    with blobs.path(digest).open("rb") as file:
        for line in file:
            position += len(line)
            data = line.rstrip(b"\n")
            ends.append(position)
            ids.append(id_hash(_decoder.decode(data).id))
            content.append(_content_hash(data))
    return _stacked(ends, ids, content)


def _stacked(*columns: array[int]) -> HashArray:
    return np.array([np.frombuffer(column, dtype=np.uint64) for column in columns], dtype=np.uint64)


class CaseSelection(CaseSource):
    """Some cases of a `CaseFile`, in the file's order: what a run works on.

    Attributes:
        file: The case file.
        indexes: Indices into the file, ascending, shape (selected,).
    """

    def __init__(self, file: CaseFile, indexes: IndexArray | Sequence[int] | None = None) -> None:
        self.file = file
        chosen = np.arange(len(file)) if indexes is None else np.unique(np.asarray(indexes, dtype=np.int64))
        if len(chosen) and not 0 <= chosen[0] <= chosen[-1] < len(file):
            raise UsageError(f"a selection must lie within the {len(file)} cases")
        self.indexes: IndexArray = chosen.astype(np.int64)

    @property
    def complete(self) -> bool:
        """Whether every case of the file is selected."""
        return len(self.indexes) == len(self.file)

    @property
    def digest(self) -> str:
        """Content hash of the selected cases in order; the file's own digest when all are selected."""
        if self.complete:
            return self.file.digest
        return hashlib.sha256(self.hashes.astype(">u8").tobytes()).hexdigest()

    @property
    def hashes(self) -> HashArray:
        """Content hash of every selected case as a number, shape (selected,)."""
        return self.file.case_hashes[self.indexes]

    def __len__(self) -> int:
        return len(self.indexes)

    def __getitem__(self, index: int, /) -> Case:
        if not 0 <= index < len(self):
            raise IndexError(f"case {index} of {len(self)}")
        return self.file[int(self.indexes[index])]

    def __iter__(self) -> Iterator[Case]:
        return (self[index] for index in range(len(self)))

    def case_hash(self, index: int) -> str:
        """`core.identity.case_hash` of the case, without reading it."""
        return self.file.case_hash(int(self.indexes[index]))

    def find(self, case_id: str) -> int:
        """Index within the selection of the case with this id.

        Raises:
            KeyError: It is not in the file, or not selected.
        """
        inside = self.file.find(case_id)
        place = int(np.searchsorted(self.indexes, inside))
        if place == len(self.indexes) or self.indexes[place] != inside:
            raise KeyError(case_id)
        return place

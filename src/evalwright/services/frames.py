"""Clusters and slices of a run's cases, worked out once and kept beside the run."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path

import msgspec
import numpy as np

from evalwright.analysis.frame import CaseFrame, IntArray, case_frame
from evalwright.core.errors import StoreError
from evalwright.core.identity import content_hash
from evalwright.core.suite import SliceSpec
from evalwright.services.slicing import slicers
from evalwright.store.files import atomic_file
from evalwright.store.results import RunStore

FILE = "frame.npz"
FORMAT = 1


def run_frame(run: RunStore, specs: Mapping[str, SliceSpec]) -> CaseFrame:
    """Clusters and slices of a run's cases; read from the run's folder where they were worked out before.

    Args:
        run: The run.
        specs: Slice definitions by name.

    Raises:
        ExpressionError: A slice's expression can't be read.
    """
    key = content_hash([FORMAT, run.cases.digest, dict(specs)])
    path = run.folder / FILE
    found = _load(path, key)
    if found is None:
        found = case_frame(enumerate(run.cases), slicers(specs), size=len(run.cases))
        with contextlib.suppress(StoreError):  # a workspace that can't be written is still good to read
            _save(path, key, found)
    return found


class _Head(msgspec.Struct, frozen=True, kw_only=True):
    """What the stored arrays are: of which cases and definitions, and how the members are to be cut up."""

    key: str
    size: int
    clustered: bool
    names: tuple[str, ...]
    slices: tuple[tuple[str, str, int], ...]


def _load(path: Path, key: str) -> CaseFrame | None:
    if not path.is_file():
        return None
    try:
        with np.load(path, allow_pickle=False) as file:
            head = msgspec.json.decode(str(file["head"]), type=_Head)
            if head.key != key:
                return None
            clusters = np.asarray(file["clusters"], dtype=np.int64) if head.clustered else None
            return CaseFrame(size=head.size, clusters=clusters, slices=_slices(head, file["members"]))
    except (OSError, ValueError, KeyError, msgspec.MsgspecError):
        return None  # worked out again


def _slices(head: _Head, members: IntArray) -> dict[str, dict[str, IntArray]]:
    found: dict[str, dict[str, IntArray]] = {name: {} for name in head.names}
    start = 0
    for name, value, count in head.slices:
        found[name][value] = members[start : start + count]
        start += count
    return found


def _save(path: Path, key: str, frame: CaseFrame) -> None:
    rows = [(name, value, members) for name, by in frame.slices.items() for value, members in by.items()]
    head = _Head(
        key=key,
        size=frame.size,
        clustered=frame.clusters is not None,
        names=tuple(frame.slices),
        slices=tuple((name, value, len(members)) for name, value, members in rows),
    )
    parts = [members for _, _, members in rows]
    with atomic_file(path) as file:
        np.savez_compressed(
            file,
            head=np.array(msgspec.json.encode(head).decode()),
            clusters=np.empty(0, np.int64) if frame.clusters is None else frame.clusters,
            members=np.concatenate(parts) if parts else np.empty(0, np.int64),
        )

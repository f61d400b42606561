"""Golden sets in use: made, added to, compared, pinned, approved, and read by suites."""

from __future__ import annotations

import getpass
import os
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import numpy as np

from evalwright.core.case import BadRow, Case, Json
from evalwright.core.errors import ConfigError, UsageError
from evalwright.core.suite import DatasetSpec
from evalwright.datasets import prepare, read_rows
from evalwright.datasets.comparing import CaseDiff
from evalwright.datasets.prepare import Prepared
from evalwright.datasets.versions import (
    DATE,
    LATEST,
    STATES,
    TAG,
    GoldenLogs,
    GoldenSet,
    GoldenWriter,
    SetInfo,
    State,
    StateChange,
    Tag,
    Version,
)
from evalwright.services.git_history import Commit, commits, content
from evalwright.store.blobs import Blobs
from evalwright.store.cases import CaseFile, CaseFileWriter
from evalwright.store.workspace import Workspace

FOLDER = "golden"
AUTHOR = "EVALWRIGHT_AUTHOR"


def author() -> str:
    """Who is working: $EVALWRIGHT_AUTHOR, else the name the system knows."""
    named = os.environ.get(AUTHOR)
    if named:
        return named
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


class Goldens:
    """The golden sets of a workspace.

    Args:
        workspace: Where they are kept.
        by: Who works with them; see `author`.
    """

    def __init__(self, workspace: Workspace, *, by: str | None = None) -> None:
        self.workspace = workspace
        self.by = author() if by is None else by
        self.logs = GoldenLogs(workspace.logs)

    def create(self, info: SetInfo) -> GoldenSet:
        """Make a set, or say anew what an existing one is for; what is not said stays as it was.

        Raises:
            UsageError: The name is no plain name.
        """
        self.workspace.ensure()
        with self.logs.writing(info.name) as log:
            log.append(msgspec.structs.replace(_merged_info(log.current.info, info), at=time.time(), by=self.by))
            return log.current

    def add(
        self,
        name: str,
        rows: Iterable[Case | BadRow],
        *,
        message: str = "",
        source: dict[str, Json] | None = None,
        replace: bool = False,
    ) -> tuple[Version | None, tuple[BadRow, ...]]:
        """Make a new version: cases of known ids take the place of the old ones, others are appended.

        Args:
            name: The set; made when it does not exist.
            rows: Cases and bad rows.
            message: Why.
            source: Where they come from.
            replace: Whether cases that are not among the rows are dropped.

        Returns:
            The new version, None when nothing changed; and the rows that were set aside.

        Raises:
            ConfigError: No row became a case; the set is unchanged.
            DiskFull: No space is left; the set is unchanged.
        """
        self.workspace.ensure()
        self._check_own(name)
        with tempfile.TemporaryDirectory(prefix="evalwright-golden-") as folder:
            prepared = prepare(rows, Blobs(Path(folder)), source=name, media=self.workspace.blobs)
            try:
                with self.logs.writing(name) as log:
                    versions = log.current.versions
                    parent = versions[-1] if versions else None
                    made = self._written(prepared.case_file, parent, replace=replace)
                    version = self._version(made, parent, message, source or {})
                    if version is not None:
                        log.append(
                            *(() if log.current.events else (SetInfo(name=name, at=version.at, by=self.by),)), version
                        )
            finally:
                prepared.case_file.close()
        return version, prepared.bad_rows

    def _check_own(self, name: str) -> None:
        """A set that follows a file is changed there."""
        if self.logs.exists(name) and (file := self.logs.read(name).info.file):
            path = (self.workspace.root / file).resolve()
            raise UsageError(f"{name} follows {path.name}", hint="edit the file and commit it: it is the truth")

    def _written(self, new: CaseFile, parent: Version | None, *, replace: bool) -> CaseFile:
        with CaseFileWriter(self.workspace.blobs) as writer:
            for case in new if parent is None or replace else _merged(self.open(parent), new):
                writer.add(case)
        return writer.file

    def remove(self, name: str, ids: Iterable[str], *, message: str = "") -> Version | None:
        """Make a new version without some cases.

        Raises:
            UsageError: The set has no version, or no case of an id.
        """
        gone = set(ids)
        self._check_own(name)
        with self.logs.writing(name) as log:
            parent = log.current.find(LATEST)
            cases = self.open(parent)
            missing = sorted(case_id for case_id in gone if not _has(cases, case_id))
            if missing:
                raise UsageError(f"{name} has no case {missing[0]!r}")
            if len(gone) == len(cases):
                raise UsageError("a golden set can't be emptied", hint="retire its version instead")
            with CaseFileWriter(self.workspace.blobs) as writer:
                for case in cases:
                    if case.id not in gone:
                        writer.add(case)
            version = self._version(writer.file, parent, message, {})
            if version is not None:
                log.append(version)
        return version

    def _version(self, made: CaseFile, parent: Version | None, message: str, source: dict[str, Json]) -> Version | None:
        if parent is not None and parent.digest == made.digest:
            return None
        added, changed, removed = (len(made), 0, 0) if parent is None else CaseDiff(self.open(parent), made).counts
        return Version(
            number=1 if parent is None else parent.number + 1,
            digest=made.digest,
            cases=len(made),
            at=time.time(),
            by=self.by,
            parent=None if parent is None else parent.digest,
            message=message,
            source=source,
            added=added,
            changed=changed,
            removed=removed,
        )

    def get(self, name: str) -> GoldenSet:
        """A set by its name; one that follows a file in git is brought up to date first.

        Raises:
            UsageError: There is none.
        """
        found = self.logs.read(name)
        return self.follow(found) if found.info.file else found

    def track(self, name: str, file: Path) -> GoldenSet:
        """Let a set's versions be the history of a file in git.

        Raises:
            UsageError: The set has versions of its own, or the file has no history.
        """
        commits(file)
        if self.logs.exists(name) and (known := self.logs.read(name)).versions and not known.info.file:
            raise UsageError(f"{name} has versions that come from no file", hint="choose another name")
        info = self.logs.read(name).info if self.logs.exists(name) else SetInfo(name=name, at=0.0)
        place = os.path.relpath(file.resolve(), self.workspace.root.resolve())
        return self.follow(self.create(msgspec.structs.replace(info, file=place)))

    def follow(self, golden: GoldenSet) -> GoldenSet:
        """Make versions of the commits that are new; where the file or git is not there, nothing is new."""
        file = (self.workspace.root / golden.info.file).resolve()
        last = str(golden.versions[-1].source.get("commit", "")) if golden.versions else ""
        try:
            new = commits(file, last)
        except UsageError:
            return golden
        seen = {version.source.get("commit") for version in golden.versions}
        for commit in new:
            if commit.sha not in seen:
                self._index(golden.name, file, commit)
        return self.logs.read(golden.name)

    def _index(self, name: str, file: Path, commit: Commit) -> None:
        """The cases of one commit as a version; a commit without a good row, or with the same cases, makes none."""
        data = content(file, commit.sha)
        if data is None:
            return
        with tempfile.TemporaryDirectory(prefix="evalwright-golden-") as folder:
            copy = Path(folder) / file.name
            copy.write_bytes(data)
            try:
                prepared = prepare(
                    rows_of_file(copy), Blobs(Path(folder) / "blobs"), source=name, media=self.workspace.blobs
                )
            except ConfigError:
                return
            try:
                with self.logs.writing(name) as log:
                    self._append_commit(log, prepared, commit)
            finally:
                prepared.case_file.close()

    def _append_commit(self, log: GoldenWriter, prepared: Prepared, commit: Commit) -> None:
        versions = log.current.versions
        if any(version.source.get("commit") == commit.sha for version in versions):
            return
        parent = versions[-1] if versions else None
        source: dict[str, Json] = {"commit": commit.sha, "bad_rows": prepared.bad_count}
        made = self._written(prepared.case_file, parent, replace=True)
        version = self._version(made, parent, commit.message, source)
        if version is None:
            return
        version = msgspec.structs.replace(version, at=commit.at, by=commit.by)
        reviewed = commit.reviewer and commit.reviewer != commit.by
        state = StateChange(number=version.number, state="approved", at=commit.at, by=commit.reviewer, comment="git")
        log.append(version, *((state,) if reviewed else ()))

    def find(self, reference: str) -> tuple[GoldenSet, Version]:
        """A version by `name`, `name@latest`, `name@v3`, `name@tag`, `name@digest` or `name@2026-08`.

        Raises:
            UsageError: There is no such set or version.
        """
        name, _, version = reference.partition("@")
        found = self.get(name)
        return found, found.find(version or LATEST)

    def open(self, version: Version) -> CaseFile:
        """The cases of a version.

        Raises:
            StoreError: The workspace does not hold them.
        """
        return CaseFile.open(self.workspace.blobs, version.digest)

    def tag(self, reference: str, tag: str) -> Version:
        """Give a version a name, which it takes over from the version that had it.

        Raises:
            UsageError: There is no such version, or the tag means something else already.
        """
        name = reference.partition("@")[0]
        self.get(name)
        if not TAG.fullmatch(tag) or tag in (LATEST, *STATES) or DATE.fullmatch(tag):
            raise UsageError(f"{tag!r} can't be a tag", hint="choose a word, e.g. `release-7`")
        with self.logs.writing(name) as log:
            version = log.current.find(reference.partition("@")[2] or LATEST)
            log.append(Tag(name=tag, number=version.number, at=time.time(), by=self.by))
        return version

    def move(self, reference: str, state: State, *, comment: str = "") -> Version:
        """Put a version into review, approve or retire it.

        Raises:
            UsageError: The step is not possible from where it stands, or its author would approve it.
        """
        name = reference.partition("@")[0]
        self.get(name)
        with self.logs.writing(name) as log:
            current = log.current
            version = current.find(reference.partition("@")[2] or LATEST)
            _check_step(current, version, state, self.by)
            log.append(StateChange(number=version.number, state=state, at=time.time(), by=self.by, comment=comment))
        return version

    def history(self, name: str, case_id: str) -> list[tuple[Version, str, Case | None]]:
        """A case through the versions: added, changed or removed, when it was.

        Raises:
            UsageError: No version has the case.
        """
        found: list[tuple[Version, str, Case | None]] = []
        before: Case | None = None
        for version in self.get(name).versions:
            with _opened(self, version) as cases:
                after = cases[cases.find(case_id)] if _has(cases, case_id) else None
            if after != before:
                what = "added" if before is None else "removed" if after is None else "changed"
                found.append((version, what, after))
            before = after
        if not found:
            raise UsageError(f"no version of {name} has a case {case_id!r}")
        return found


def _merged_info(before: SetInfo, said: SetInfo) -> SetInfo:
    """What was said now, and before where nothing is said."""
    empty = SetInfo(name=said.name, at=0.0)
    silent = [field for field in said.__struct_fields__ if getattr(said, field) == getattr(empty, field)]
    kept = {field: getattr(before, field) for field in silent if field != "name"}
    return msgspec.structs.replace(said, **kept)


_STEPS: dict[State, tuple[State, ...]] = {
    "in_review": ("draft",),
    "approved": ("draft", "in_review"),
    "draft": ("in_review",),
    "retired": ("draft", "in_review", "approved"),
}


def _check_step(golden: GoldenSet, version: Version, state: State, by: str) -> None:
    now = golden.state(version)
    if now not in _STEPS[state]:
        raise UsageError(
            f"v{version.number} of {golden.name} is {now.replace('_', ' ')}; it can't become {state.replace('_', ' ')}"
        )
    if state == "approved" and by == version.by:
        raise UsageError(
            f"v{version.number} was made by {by}, who can't approve it", hint="somebody else has to: set --by"
        )


def _has(cases: CaseFile, case_id: str) -> bool:
    try:
        cases.find(case_id)
    except KeyError:
        return False
    return True


@contextmanager
def _opened(goldens: Goldens, version: Version) -> Iterator[CaseFile]:
    cases = goldens.open(version)
    try:
        yield cases
    finally:
        cases.close()


def _merged(old: CaseFile, new: CaseFile) -> Iterator[Case]:
    """The old cases with those of known ids replaced, then the new ones."""
    known = np.isin(old.id_hashes, new.id_hashes)
    for index, replaced in enumerate(known):
        case = old[index]
        yield new[new.find(case.id)] if replaced else case
    for fresh in np.flatnonzero(~np.isin(new.id_hashes, old.id_hashes)):
        yield new[int(fresh)]


def rows_of_file(path: Path, fields: dict[str, Json] | None = None) -> Iterable[Case | BadRow]:
    """Cases and bad rows of a plain file.

    Raises:
        ConfigError: It is not there, or of an unknown format.
    """
    return read_rows(DatasetSpec(file=path.name, fields=fields or {}, source=str(path)), path.parent)


@contextmanager
def opened(reference: str, workspace: Workspace) -> Iterator[CaseFile]:
    """The cases of a golden set's version, or of a plain file, for a while.

    Raises:
        UsageError: There is neither.
        ConfigError: The file can't be read or holds no case.
    """
    path = Path(reference)
    if path.is_file():
        with tempfile.TemporaryDirectory(prefix="evalwright-cases-") as folder:
            cases = prepare(rows_of_file(path), Blobs(Path(folder)), source=reference).case_file
            try:
                yield cases
            finally:
                cases.close()
        return
    goldens = Goldens(workspace)
    with _opened(goldens, goldens.find(reference)[1]) as cases:
        yield cases

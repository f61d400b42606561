"""Whether the audit log is whole: the chain of hashes, and signed checkpoints that say how long it was when."""

from __future__ import annotations

import base64
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from evalwright.core.errors import StoreError, UsageError
from evalwright.core.extras import optional
from evalwright.store.audit import START, AuditRow, every, last_row
from evalwright.store.files import disk_errors
from evalwright.store.workspace import Workspace

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

FOLDER = "audit"
KEY, PUBLIC_KEY, CHECKPOINTS = "key.pem", "key.pub.pem", "checkpoints.jsonl"
SHOWN = 20
"""Problems told at most; the first one is what matters."""


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """The log had this many rows, the last of this hash, at this time; signed.

    Attributes:
        seq: Number of the last row then.
        hash: Its hash.
        at: Seconds since the epoch.
        key: First half of the SHA-256 of the public key.
        signature: Ed25519 over the rest as canonical JSON, in base64.
    """

    seq: int
    hash: str
    at: float
    key: str
    signature: str = ""

    def signed(self) -> bytes:
        """What the signature is over."""
        content = {"seq": self.seq, "hash": self.hash, "at": self.at, "key": self.key}
        return msgspec.json.encode(content, order="sorted")


class AuditProblem(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is wrong with the log.

    Attributes:
        kind: `changed`, `replaced`, `missing`, `cut_off`, `rewritten`, `checkpoint`.
        seq: Row at which it shows.
        message: In words.
    """

    kind: str
    seq: int
    message: str


class AuditReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a look at the whole log found.

    Attributes:
        rows: Rows there are.
        last_hash: Hash of the newest.
        checkpoints: Checkpoints that were looked at.
        signed_rows: Rows that the newest good checkpoint vouches for.
        problems: What is wrong, the first one first; empty for a log that is whole.
    """

    rows: int
    last_hash: str
    checkpoints: int
    signed_rows: int
    problems: tuple[AuditProblem, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


def make_checkpoint(workspace: Workspace, *, key: Path | None = None, now: float | None = None) -> Checkpoint | None:
    """Sign how long the log is now, and keep that beside it; None for an empty log.

    Args:
        workspace: The root workspace.
        key: Private key (PEM); by default the workspace's own, made on first use, readable by its owner only.
        now: Seconds since the epoch.

    Raises:
        MissingExtra: The extra `server` is not installed.
        StoreError: The key can't be read, or anybody may read it.
    """
    last = last_row(workspace.catalog.engine)
    if last is None:
        return None
    private = _private_key(workspace, key)
    at = round(float(time.time() if now is None else now), 3)
    bare = Checkpoint(seq=last.seq, hash=last.hash, at=at, key=_key_id(private.public_key()))
    made = msgspec.structs.replace(bare, signature=base64.b64encode(private.sign(bare.signed())).decode())
    _append(workspace.root / FOLDER / CHECKPOINTS, made)
    return made


def _append(path: Path, made: Checkpoint) -> None:
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(handle, msgspec.json.encode(made) + b"\n")
            os.fsync(handle)
        finally:
            os.close(handle)


def read_checkpoints(path: Path) -> list[Checkpoint]:
    """Checkpoints of a file, oldest first; none when there is no file.

    Raises:
        StoreError: It can't be read.
    """
    with disk_errors(path):
        lines = path.read_bytes().splitlines() if path.is_file() else []
    try:
        return [msgspec.json.decode(line, type=Checkpoint) for line in lines]
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise StoreError(f"{path} can't be read: {error}", hint="a checkpoint is one line of JSON") from error


def verify(workspace: Workspace, *, public_key: Path | None = None, checkpoints: Path | None = None) -> AuditReport:
    """Look at every row and every checkpoint.

    Args:
        workspace: The root workspace.
        public_key: Key (PEM) the checkpoints must be signed with; the workspace's own by default. A copy kept
            elsewhere also shows a log that was rewritten together with the key.
        checkpoints: File of checkpoints; the workspace's own by default.

    Raises:
        MissingExtra: There are checkpoints, and the extra `server` is not installed.
        StoreError: A key or the checkpoints can't be read.
        UsageError: A file that was named is not there.
    """
    for path in (public_key, checkpoints):
        if path is not None and not path.is_file():
            raise UsageError(f"there is no file {path}")
    marks = read_checkpoints(checkpoints or workspace.root / FOLDER / CHECKPOINTS)
    good, bad = _signed(marks, public_key or workspace.root / FOLDER / PUBLIC_KEY)
    chain = _Chain({mark.seq: mark for mark in good})
    problems = [*bad, *chain.problems(every(workspace.catalog.engine))]
    vouched = max((mark.seq for mark in good if chain.reached(mark)), default=0)
    return AuditReport(
        rows=chain.rows,
        last_hash=chain.previous,
        checkpoints=len(marks),
        signed_rows=vouched,
        problems=tuple(sorted(problems, key=lambda problem: problem.seq)[:SHOWN]),
    )


class _Chain:
    """Rows one after another, each checked against the one before and the checkpoint of its number."""

    def __init__(self, marks: dict[int, Checkpoint]) -> None:
        self.marks = marks
        self.rows = 0
        self.last = 0
        self.previous = START
        self._reached: set[int] = set()

    def reached(self, mark: Checkpoint) -> bool:
        """Whether the row of a checkpoint is there and as it was."""
        return mark.seq in self._reached

    def problems(self, rows: Iterable[AuditRow]) -> Iterator[AuditProblem]:
        """What is wrong with the rows."""
        for row in rows:
            yield from self._looked_at(row)
            self.rows += 1
            self.last, self.previous = row.seq, row.hash
        newest = max(self.marks, default=0)
        if self.last < newest:
            said = f"the log ends with row {self.last}, but a checkpoint saw row {newest}"
            yield AuditProblem(kind="cut_off", seq=self.last + 1, message=said)

    def _looked_at(self, row: AuditRow) -> Iterator[AuditProblem]:
        if row.seq != self.last + 1:
            gone = f"row {self.last + 1}" if row.seq == self.last + 2 else f"rows {self.last + 1} to {row.seq - 1}"
            yield AuditProblem(kind="missing", seq=self.last + 1, message=f"{gone} missing before row {row.seq}")
        elif row.previous != self.previous:
            said = f"row {row.seq - 1} is not the one that row {row.seq} was written after"
            yield AuditProblem(kind="replaced", seq=max(1, row.seq - 1), message=said)
        if row.hash != row.expected_hash():
            yield AuditProblem(kind="changed", seq=row.seq, message=f"row {row.seq} was changed after it was written")
        mark = self.marks.get(row.seq)
        if mark is None:
            return
        if mark.hash == row.hash:
            self._reached.add(row.seq)
        else:
            said = f"row {row.seq} is not the one that the checkpoint saw: the log was rewritten up to there"
            yield AuditProblem(kind="rewritten", seq=row.seq, message=said)


def _signed(marks: list[Checkpoint], path: Path) -> tuple[list[Checkpoint], list[AuditProblem]]:
    """Checkpoints with a good signature, and problems of the others."""
    if not marks:
        return [], []
    key = _public_key(path)
    good: list[Checkpoint] = []
    bad: list[AuditProblem] = []
    for number, mark in enumerate(marks, start=1):
        if _is_signed(mark, key):
            good.append(mark)
        else:
            said = f"checkpoint {number} (row {mark.seq}) is not signed with the key {path.name}"
            bad.append(AuditProblem(kind="checkpoint", seq=mark.seq, message=said))
    return good, bad


def _is_signed(mark: Checkpoint, key: Ed25519PublicKey) -> bool:
    from cryptography.exceptions import InvalidSignature

    try:
        key.verify(base64.b64decode(mark.signature), mark.signed())
    except (InvalidSignature, ValueError):
        return False
    return True


def _private_key(workspace: Workspace, given: Path | None) -> Ed25519PrivateKey:
    path = given or workspace.root / FOLDER / KEY
    serialization = optional("cryptography.hazmat.primitives.serialization", extra="server")
    if given is None and not path.is_file():
        return _new_key(workspace)
    with disk_errors(path):
        if path.stat().st_mode & 0o077:
            raise StoreError(f"others may read the key {path}", hint=f"chmod 600 {path}")
        data = path.read_bytes()
    try:
        key: Ed25519PrivateKey = serialization.load_pem_private_key(data, password=None)
    except (ValueError, TypeError) as error:
        raise StoreError(f"{path} holds no private key: {error}") from error
    return key


def _new_key(workspace: Workspace) -> Ed25519PrivateKey:
    """Make the workspace's key; of several processes that do so at once, the first one's counts."""
    ed25519 = optional("cryptography.hazmat.primitives.asymmetric.ed25519", extra="server")
    serialization = optional("cryptography.hazmat.primitives.serialization", extra="server")
    made: Ed25519PrivateKey = ed25519.Ed25519PrivateKey.generate()
    folder = workspace.root / FOLDER
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    private = made.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
    with disk_errors(folder):
        workspace.ensure()
        folder.mkdir(mode=0o700, exist_ok=True)
        try:
            handle = os.open(folder / KEY, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return _private_key(workspace, folder / KEY)
        with os.fdopen(handle, "wb") as file:
            file.write(private)
        public = made.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo)
        (folder / PUBLIC_KEY).write_bytes(public)
    return made


def _public_key(path: Path) -> Ed25519PublicKey:
    serialization = optional("cryptography.hazmat.primitives.serialization", extra="server")
    with disk_errors(path):
        data = path.read_bytes()
    try:
        key: Ed25519PublicKey = serialization.load_pem_public_key(data)
    except ValueError as error:
        raise StoreError(f"{path} holds no public key: {error}") from error
    return key


def _key_id(key: Ed25519PublicKey) -> str:
    import hashlib

    return hashlib.sha256(key.public_bytes_raw()).hexdigest()[:32]

"""Content-addressed files: named by their SHA-256, written once, never changed."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

from evalwright.core.errors import StoreError, UsageError
from evalwright.store.files import disk_errors, sweep, temporary_beside

_DIGEST = re.compile(r"[0-9a-f]{64}")


class SharedBlobs(Protocol):
    """Content kept elsewhere as well."""

    def put(self, digest: str, path: Path) -> None:
        """Keep this content there, now or as soon as that is possible."""
        ...

    def fetch(self, digest: str, path: Path) -> bool:
        """Bring content here; whether there is some."""
        ...


class Blobs:
    """A folder of files named by the SHA-256 of their content, two levels of folders deep.

    Equal content is stored once. A file appears under its name only when whole, so several processes may write the
    same content at the same time.
    """

    def __init__(self, root: Path, shared: SharedBlobs | None = None) -> None:
        """Name the folder.

        Args:
            root: The folder.
            shared: Where content is put besides, and fetched from when it is missing here.
        """
        self.root = root
        self._shared = shared

    def path(self, digest: str) -> Path:
        """Where the content with this digest lies, or would lie.

        Raises:
            UsageError: Not 64 lower-case hex digits.
        """
        if not _DIGEST.fullmatch(digest):
            raise UsageError(f"{digest!r} is no content digest (64 hex digits)")
        return self.root / digest[:2] / digest[2:4] / digest

    def __contains__(self, digest: str) -> bool:
        return self.fetched(digest).is_file()

    def fetched(self, digest: str) -> Path:
        """Where the content with this digest lies; brought here first when it is elsewhere only.

        Raises:
            StoreError: It is not here, and the object storage can't be asked.
        """
        path = self.path(digest)
        if self._shared is not None and not path.is_file():
            self._shared.fetch(digest, path)
        return path

    def put(self, data: bytes) -> str:
        """Store bytes and return their digest.

        Raises:
            DiskFull: No space is left.
            StoreError: The folder can't be written.
        """
        with self.writer() as blob:
            blob.write(data)
        return blob.digest

    def get(self, digest: str) -> bytes:
        """The content with this digest.

        Raises:
            StoreError: There is none.
        """
        path = self.fetched(digest)
        if not path.is_file():
            raise StoreError(f"the workspace holds no content {digest[:12]}…", hint=f"expected it at {path}")
        with disk_errors(path):
            return path.read_bytes()

    @contextmanager
    def writer(self) -> Iterator[BlobWriter]:
        """Write content of any size piece by piece; its digest is known when the block ends.

        Raises:
            DiskFull: No space is left; nothing is kept.
            StoreError: The folder can't be written.
        """
        with disk_errors(self.root):
            self.root.mkdir(parents=True, exist_ok=True)
            sweep(self.root)
            with temporary_beside(self.root / "blob") as temporary:
                with temporary.open("w+b") as file:
                    blob = BlobWriter(file)
                    yield blob
                    file.flush()
                    os.fsync(file.fileno())
                self._keep(temporary, blob.digest)

    def _keep(self, temporary: Path, digest: str) -> None:
        path = self.path(digest)
        if not path.is_file():
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary.replace(path)
        if self._shared is not None:
            self._shared.put(digest, path)


class BlobWriter:
    """Content on its way into `Blobs`."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._hash = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> None:
        """Append bytes."""
        self._file.write(data)
        self._hash.update(data)
        self.size += len(data)

    @property
    def digest(self) -> str:
        """SHA-256 of what was written so far, 64 hex digits."""
        return self._hash.hexdigest()

"""Object storage: content put once, and fetched when it is missing here. S3, Google Cloud, Azure, or a folder."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from evalwright.core.errors import StoreError, UsageError
from evalwright.core.extras import optional
from evalwright.store.addresses import expanded, shown
from evalwright.store.files import disk_errors, sync_file, temporary_beside

SCHEMES = ("s3://", "gs://", "az://", "file://")
TIMEOUT = "30s"
RETRY_S = 10


class ObjectsAway(StoreError):
    """The object storage can't be reached or refuses; what is here stays here and is put there later."""


class Objects:
    """Objects under a prefix of a bucket.

    Credentials come from where the provider's own tools look for them (environment, profile, instance). Nothing is
    ever overwritten: an object that is there already is left as it is.

    Args:
        address: `s3://bucket/prefix`, `gs://…`, `az://account/container/prefix`, or `file:///folder`.
    """

    def __init__(self, address: str) -> None:
        if not address.startswith(SCHEMES):
            raise UsageError(
                f"{shown(address)!r} is no address of object storage", hint=f"one of {', '.join(SCHEMES)}…"
            )
        self.address = address
        self._obstore: Any = optional("obstore", extra="objects")
        self._errors: Any = optional("obstore.exceptions", extra="objects")

    @cached_property
    def _store(self) -> Any:
        """The store, opened when it is first used, so that one that is away does no harm before."""
        make: Any = optional("obstore.store", extra="objects")
        url = expanded(self.address)
        with self._translated():
            if url.startswith("file://"):
                return make.from_url(url, mkdir=True)
            plain = os.environ.get("AWS_ALLOW_HTTP", "").lower() == "true"
            waits = {"timeout": TIMEOUT, "connect_timeout": "5s", "allow_http": plain}
            retries = {"max_retries": 3, "retry_timeout": timedelta(seconds=RETRY_S)}
            return make.from_url(url, client_options=waits, retry_config=retries)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (self._errors.BaseError, OSError, ValueError) as error:
            text = str(error).strip().splitlines() or ["no reason given"]
            raise ObjectsAway(
                f"the object storage {shown(self.address)} can't be used: {text[0][:300]}",
                hint="what is here is kept; `evalwright sync` puts it there when the storage is back",
            ) from error

    def put(self, name: str, data: bytes | Path) -> bool:
        """Put an object unless it is there; whether it was put.

        Raises:
            ObjectsAway: It could not be put.
        """
        with self._translated():
            if isinstance(data, Path) and self._there(name):
                return False
            try:
                self._obstore.put(self._store, name, data, mode="create")
            except self._errors.AlreadyExistsError:
                return False
            except (self._errors.NotSupportedError, NotImplementedError):
                if self._there(name):
                    return False
                self._obstore.put(self._store, name, data)
        return True

    def _there(self, name: str) -> bool:
        try:
            self._obstore.head(self._store, name)
        except (self._errors.NotFoundError, FileNotFoundError):
            return False
        return True

    def get(self, name: str) -> bytes | None:
        """An object, None when there is none.

        Raises:
            ObjectsAway: The storage can't be asked.
        """
        with self._translated():
            try:
                return bytes(self._obstore.get(self._store, name).bytes())
            except (self._errors.NotFoundError, FileNotFoundError):
                return None

    def fetch(self, name: str, path: Path, *, digest: str) -> bool:
        """Bring an object here, whole or not at all; whether there is one.

        Args:
            name: The object.
            path: Where it goes.
            digest: SHA-256 it must have.

        Raises:
            ObjectsAway: The storage can't be asked, or gave something else.
            DiskFull: No space is left.
        """
        with self._translated():
            try:
                stream = self._obstore.get(self._store, name).stream(min_chunk_size=1 << 20)
            except (self._errors.NotFoundError, FileNotFoundError):
                return False
        with disk_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        with disk_errors(path), temporary_beside(path) as temporary:
            found = self._received(stream, temporary)
            if found != digest:
                raise ObjectsAway(
                    f"the object {name} in {shown(self.address)} is damaged: its content has another hash"
                )
            sync_file(temporary)
            temporary.replace(path)
        return True

    def _received(self, stream: Any, path: Path) -> str:
        total = hashlib.sha256()
        with path.open("wb") as file, self._translated():
            for piece in stream:
                total.update(piece)
                file.write(piece)
        return total.hexdigest()

    def names(self, prefix: str) -> list[str]:
        """Names of the objects under a prefix, sorted.

        Raises:
            ObjectsAway: The storage can't be asked.
        """
        with self._translated():
            return sorted(str(one["path"]) for page in self._obstore.list(self._store, prefix) for one in page)

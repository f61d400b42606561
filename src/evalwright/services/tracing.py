"""Traces of the evaluation itself, for a collector or a file, when asked for."""

from __future__ import annotations

import urllib.error
import urllib.request
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from types import TracebackType
from urllib.parse import urlsplit

import msgspec

from evalwright.core.errors import UsageError
from evalwright.core.ports import Progress
from evalwright.core.run import Manifest, UnitRecord
from evalwright.reports.otel import SpanMaker

BATCH = 100
"""Units sent together."""

TIMEOUT_S = 10.0


class TraceExporter:
    """A run's listener that exports every recorded unit as OpenTelemetry spans, from a thread of its own.

    A collector that can't be reached never disturbs the run: what was not delivered is counted in `lost`.

    Attributes:
        lost: Units that could not be delivered.
        problem: Why, empty while all went well.
    """

    def __init__(self, destination: str, *, content: bool = False) -> None:
        """Name the destination: an `http(s)://` collector (`/v1/traces` is added where it is missing) or a file.

        Raises:
            UsageError: The file's folder does not exist.
        """
        self.lost = 0
        self.problem = ""
        self._url = _endpoint(destination)
        self._path = None if self._url else Path(destination)
        if self._path is not None and not self._path.parent.is_dir():
            raise UsageError(f"there is no folder {self._path.parent} for the traces")
        self._content = content
        self._maker: SpanMaker | None = None
        self._queue: SimpleQueue[UnitRecord | None] = SimpleQueue()
        self._thread = Thread(target=self._work, name="evalwright-traces", daemon=True)

    def __enter__(self) -> TraceExporter:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._queue.put(None)
        self._thread.join()

    def on_manifest(self, manifest: Manifest) -> None:
        """The run begins: its manifest gives the spans their resource."""
        self._maker = SpanMaker(manifest, content=self._content)

    def on_unit(self, record: UnitRecord) -> None:
        """A unit was recorded."""
        self._queue.put(record)

    def on_progress(self, progress: Progress) -> None:
        """Nothing to do."""

    def _work(self) -> None:
        batch: list[UnitRecord] = []
        while True:
            record = self._queue.get()
            if record is not None:
                batch.append(record)
            if batch and (record is None or len(batch) >= BATCH or self._queue.empty()):
                self._deliver(batch)
                batch = []
            if record is None:
                return

    def _deliver(self, batch: list[UnitRecord]) -> None:
        if self._maker is None:
            self.lost += len(batch)
            return
        try:
            self._send(msgspec.json.encode(self._maker.request(batch)))
        except (OSError, urllib.error.URLError) as error:
            self.lost += len(batch)
            self.problem = str(error)

    def _send(self, body: bytes) -> None:
        if self._path is not None:
            with self._path.open("ab") as file:
                file.write(body + b"\n")
            return
        request = urllib.request.Request(  # noqa: S310 - http and https only, see _endpoint
            self._url, data=body, headers={"Content-Type": "application/json"}, method="POST"
        )
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as reply:  # noqa: S310
            reply.read()


def exporting(destination: str | None, *, content: bool) -> AbstractContextManager[TraceExporter | None]:
    """An exporter for the length of a `with` block; None when no destination is named."""
    return nullcontext() if destination is None else TraceExporter(destination, content=content)


def _endpoint(destination: str) -> str:
    """The collector's address; empty when the destination is a file."""
    parts = urlsplit(destination)
    if parts.scheme not in {"http", "https"}:
        return ""
    return destination if parts.path.rstrip("/").endswith("/v1/traces") else destination.rstrip("/") + "/v1/traces"

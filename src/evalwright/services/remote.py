"""A server's project from the command line: its runs are copied when they are needed, a finished run is sent to it."""

from __future__ import annotations

import hashlib
import http.client
import os
import ssl
import tempfile
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from evalwright.core.errors import EvalwrightError, NotAllowed, NotFound, UsageError
from evalwright.core.result import Summary
from evalwright.core.run import Manifest, RunStatus
from evalwright.services.outgoing import check_url
from evalwright.services.transfer import FileInfo, RunFiles, Taken, file_info, pack_run
from evalwright.store.blobs import Blobs
from evalwright.store.catalog import Alias, Catalog, RunEntry
from evalwright.store.files import disk_errors, temporary_beside
from evalwright.store.results import RunStore
from evalwright.store.workspace import Workspace

SERVER, TOKEN = "EVALWRIGHT_SERVER", "EVALWRIGHT_TOKEN"
NEWEST = 200
"""Runs whose records are copied unasked; older ones when they are named."""

TIMEOUT_S = 120.0
_CHUNK = 1 << 20


class RemoteError(EvalwrightError):
    """The server did not do what it was asked."""


class RunRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A run as the server lists it; see the route `transfer/records`."""

    run_id: str
    stamp: str
    manifest: str = ""
    summary: str | None = None
    finished_at: float | None = None
    status: str = ""


class RecordPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of records."""

    items: tuple[RunRecord, ...]


class Remote:
    """A project on a server, with a token.

    Attributes:
        url: Address of the server.
        project: Name of the project.
    """

    def __init__(self, address: str, token: str) -> None:
        """Name a project by its address, as a browser shows it: `https://host` or `https://host/p/PROJECT`."""
        parts = check_url(address)
        place, found, project = parts.path.rstrip("/").partition("/p/")
        self.project = project.split("/")[0] if found else "default"
        self.url = f"{parts.scheme}://{parts.netloc}{place}"
        self._token = token
        self._parts = urlsplit(self.url)

    @classmethod
    def from_environment(cls, address: str | None, environment: Mapping[str, str]) -> Remote | None:
        """The project of an address or of `$EVALWRIGHT_SERVER`, with the token of `$EVALWRIGHT_TOKEN`; None for none.

        Raises:
            UsageError: There is no token.
        """
        address = address or environment.get(SERVER) or None
        if address is None:
            return None
        token = environment.get(TOKEN, "").strip()
        if not token:
            raise UsageError(f"${TOKEN} is not set", hint="make a token in your account on the server")
        return cls(address, token)

    def get(self, path: str, kind: Any, **query: Any) -> Any:
        """An answer as a record of this kind.

        Raises:
            RemoteError: The server does not answer, or not as it should.
        """
        connection, answer = self._ask("GET", path + (f"?{urlencode(query)}" if query else ""))
        try:
            return msgspec.json.decode(answer.read(), type=kind)
        except (msgspec.DecodeError, OSError, http.client.HTTPException) as error:
            raise RemoteError(f"{self.url} sent something unreadable: {error}") from error
        finally:
            connection.close()

    def download(self, path: str, target: Path, sha256: str) -> None:
        """Copy a file, which appears only when whole.

        Raises:
            RemoteError: It did not arrive whole.
        """
        connection, answer = self._ask("GET", path)
        digest = hashlib.sha256()
        try:
            with disk_errors(target):
                target.parent.mkdir(parents=True, exist_ok=True)
                with temporary_beside(target) as temporary:
                    with temporary.open("wb") as file:
                        while piece := answer.read(_CHUNK):
                            digest.update(piece)
                            file.write(piece)
                    if digest.hexdigest() != sha256:
                        raise RemoteError(f"{target.name} did not arrive whole from {self.url}", hint="try again")
                    temporary.replace(target)
        except http.client.HTTPException as error:
            raise RemoteError(f"{target.name} did not arrive whole from {self.url}: {error}") from error
        finally:
            connection.close()

    def upload(self, run: RunStore) -> Taken:
        """Send a finished run; sending it again changes nothing.

        Raises:
            RemoteError: The server refused it.
        """
        with tempfile.TemporaryFile() as file:
            pack_run(run, file)
            size = file.tell()
            file.seek(0)
            connection, answer = self._ask("POST", "/runs", body=file, size=size)
            try:
                return msgspec.json.decode(answer.read(), type=Taken)
            finally:
                connection.close()

    def _ask(
        self, method: str, path: str, *, body: IO[bytes] | None = None, size: int = 0
    ) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
        headers = {"Authorization": f"Bearer {self._token}", "Accept": "application/json"}
        if body is not None:
            headers |= {"Content-Type": "application/x-tar", "Content-Length": str(size)}
        connection = self._connection()
        address = f"{self._parts.path}/api/v1/projects/{quote(self.project, safe='')}{path}"
        try:
            connection.request(method, address, body=body, headers=headers)
            answer = connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise RemoteError(f"{self.url} does not answer: {error}", hint=f"is ${SERVER} right?") from error
        if answer.status >= 300:
            try:
                raise self._refused(answer)
            finally:
                connection.close()
        return connection, answer

    def _connection(self) -> http.client.HTTPConnection:
        host, port = self._parts.hostname or "", self._parts.port
        if self._parts.scheme == "https":
            return http.client.HTTPSConnection(host, port, timeout=TIMEOUT_S, context=ssl.create_default_context())
        return http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)

    def _refused(self, answer: http.client.HTTPResponse) -> EvalwrightError:
        """The server's own words where it sent some."""
        try:
            told = msgspec.json.decode(answer.read(_CHUNK), type=dict[str, dict[str, Any]])["error"]
            message, hint = str(told["message"]), str(told.get("hint", ""))
        except (msgspec.DecodeError, KeyError, OSError, http.client.HTTPException):
            message, hint = f"{self.url} answered {answer.status}", f"is ${SERVER} right?"
        kind = {401: NotAllowed, 403: NotAllowed, 404: NotFound}.get(answer.status, RemoteError)
        return kind(message, hint=hint)


class Mirror(Workspace):
    """A copy of what was asked for of a server's project; it can be read like any workspace, and not be written."""

    def __init__(self, remote: Remote, folder: Path) -> None:
        super().__init__(folder)
        self.remote = remote
        self._writable = False

    @classmethod
    def of(cls, remote: Remote, environment: Mapping[str, str]) -> Mirror:
        """The copy of a project, under the user's folder of caches, with the records of its newest runs."""
        base = Path(environment.get("XDG_CACHE_HOME") or Path(environment.get("HOME", "~")).expanduser() / ".cache")
        name = hashlib.sha256(f"{remote.url} {remote.project}".encode()).hexdigest()[:24]
        mirror = cls(remote, base / "evalwright" / "servers" / name)
        mirror._writable = True
        Workspace.ensure(mirror)
        mirror.root.chmod(0o700)
        mirror._sync()
        mirror._writable = False
        return mirror

    def ensure(self) -> None:
        """Refuse to be written.

        Raises:
            UsageError: Always, but while it is brought up to date.
        """
        if not self._writable:
            raise UsageError(
                f"this can't be done on {self.remote.url} from the command line",
                hint="do it in the workbench; against a server the command line reads, and sends runs",
            )

    @cached_property
    def blobs(self) -> Blobs:
        """Content, fetched when it is first asked for."""
        return _MirrorBlobs(self.root / "blobs", self.remote)

    @cached_property
    def catalog(self) -> Catalog:
        """Records of the newest runs, and of those that were asked for."""
        catalog = Catalog.at(self.catalog_path)
        return _MirrorCatalog(catalog.engine, self)

    def run(self, run_id: str) -> RunStore:
        """A run, its files copied where they are not here yet or have changed."""
        self.fetch(run_id)
        return super().run(run_id)

    def fetch(self, run_id: str) -> None:
        """Copy the files of a run that are missing or differ."""
        told: RunFiles = self.remote.get(f"/transfer/runs/{quote(run_id, safe='')}/files", RunFiles)
        folder = self.run_dir(told.run_id)
        for file in told.files:
            path = folder / Path(file.name).name
            if not path.is_file() or file_info(path).sha256 != file.sha256:
                self.remote.download(f"/transfer/runs/{quote(run_id, safe='')}/files/{file.name}", path, file.sha256)

    def _sync(self) -> None:
        """Bring records, names and side files up to date."""
        page: RecordPage = self.remote.get("/transfer/runs", RecordPage, limit=NEWEST)
        for told in page.items:
            if told.stamp != self._stamp(told.run_id):
                self.take_record(told.run_id)
        self._sync_aliases()
        for file in self.remote.get("/transfer/side", dict[str, Any])["items"]:
            self._sync_side(msgspec.convert(file, FileInfo))

    def _sync_aliases(self) -> None:
        told = msgspec.convert(self.remote.get("/transfer/aliases", dict[str, Any])["items"], list[Alias])
        names = {(alias.suite, alias.name) for alias in told}
        for gone in self.catalog.aliases():
            if (gone.suite, gone.name) not in names:
                self.catalog.remove_alias(gone.name, suite=gone.suite)
        for alias in told:
            if self.catalog.get(alias.run_id) is None:
                self.take_record(alias.run_id)
            self.catalog.set_alias(alias.name, alias.run_id, suite=alias.suite, now=alias.updated_at)

    def _sync_side(self, file: FileInfo) -> None:
        folder, _, name = file.name.partition("/")
        path = self.root / Path(folder).name / Path(name).name
        if not path.is_file() or file_info(path).sha256 != file.sha256:
            self.remote.download(f"/transfer/side/{file.name}", path, file.sha256)

    def _stamp(self, run_id: str) -> str:
        entry = self.catalog.get(run_id)
        if entry is None:
            return ""
        summary = self.catalog.summary(run_id)
        text = None if summary is None else msgspec.json.encode(summary).decode()
        return hashlib.sha256(f"{entry.status.value} {text}".encode()).hexdigest()

    def take_record(self, reference: str) -> str:
        """Copy the record of a run; its id."""
        told: RunRecord = self.remote.get(f"/transfer/records/{quote(reference, safe='')}", RunRecord)
        manifest = msgspec.json.decode(told.manifest, type=Manifest)
        if told.summary is None:
            self.catalog.add(manifest, status=RunStatus(told.status))
        else:
            summary = msgspec.json.decode(told.summary, type=Summary)
            self.catalog.finish(summary, finished_at=told.finished_at or manifest.created_at)
        return told.run_id


class _MirrorCatalog(Catalog):
    """A catalog that asks the server for runs it does not know."""

    def __init__(self, engine: Any, mirror: Mirror) -> None:
        super().__init__(engine)
        self._mirror = mirror

    def find(self, reference: str, *, suite: str | None = None) -> RunEntry:
        """The run a person means, here or on the server."""
        try:
            return super().find(reference, suite=suite)
        except NotFound as error:
            try:
                run_id = self._mirror.take_record(reference)
            except NotFound:
                raise error from None
            found = self.get(run_id)
            if found is None:
                raise
            return found


class _MirrorBlobs(Blobs):
    """Content that is fetched when it is first asked for."""

    def __init__(self, root: Path, remote: Remote) -> None:
        super().__init__(root)
        self._remote = remote

    def path(self, digest: str) -> Path:
        """Where content lies; it is fetched when it is not here."""
        path = super().path(digest)
        if not path.is_file():
            try:
                self._remote.download(f"/transfer/blobs/{digest}", path, digest)
            except NotFound:
                return path
        return path


def reading_place(path: Path | None, address: str | None) -> Workspace:
    """The workspace to read from: a server's project where one is named, else a folder that must exist.

    Raises:
        UsageError: Both a folder and a server were named.
    """
    if path is not None and address is not None:
        raise UsageError("--server and --workspace don't go together", hint="name one of them")
    remote = None if path is not None else Remote.from_environment(address, os.environ)
    return Workspace.open(path, create=False) if remote is None else Mirror.of(remote, os.environ)

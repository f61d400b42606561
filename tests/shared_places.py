"""Places a workspace may be kept in: a folder; PostgreSQL beside it; PostgreSQL and a bucket of a local S3 server.

```python
# in a conftest.py
from tests.catalogs import postgres_server  # noqa: F401
from tests.shared_places import place, s3_server  # noqa: F401

def test_something(place): ...  # three times; the last is slow
```
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from evalwright.store.workspace import Workspace

_NUMBERS = itertools.count(1)


class Bucket:
    """A server of the S3 protocol on loopback, with buckets on request; it can be taken away and brought back."""

    def __init__(self) -> None:
        from moto.server import ThreadedMotoServer

        self._make: Callable[[int], Any] = lambda port: ThreadedMotoServer("127.0.0.1", port, verbose=False)
        self.server = self._make(0)
        self.server.start()
        self.port = self.server.get_host_and_port()[1]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def new(self) -> str:
        """The address of a new empty bucket."""
        import boto3

        name = f"evalwright-{next(_NUMBERS)}"
        client = boto3.client(
            "s3", endpoint_url=self.url, aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1"
        )
        client.create_bucket(Bucket=name)
        return f"s3://{name}/work"

    def stop(self) -> None:
        self.server.stop()

    def start(self) -> None:
        self.server = self._make(self.port)
        self.server.start()


@pytest.fixture(scope="session")
def s3_server() -> Iterator[Bucket]:
    """A local S3 server for the whole session."""
    pytest.importorskip("moto", reason="needs the lock requirements/e2e.lock")
    bucket = Bucket()
    yield bucket
    bucket.stop()


class Place:
    """One workspace, as several machines see it: each has a folder of its own where it is shared."""

    def __init__(self, folder: Path, catalog: str | None, objects: str | None) -> None:
        self.folder = folder
        self.catalog = catalog
        self.objects = objects

    @property
    def shared(self) -> bool:
        """Whether machines share its catalog."""
        return self.catalog is not None

    def machine(self, name: str = "one") -> Workspace:
        """The workspace as a machine sees it; without objects elsewhere all use the same folder."""
        folder = self.folder / (name if self.objects else "one")
        return Workspace.open(folder, catalog=self.catalog, objects=self.objects)


@pytest.fixture(params=["folder", "postgresql", pytest.param("postgresql+s3", marks=pytest.mark.slow)])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A new workspace, in each kind of place."""
    catalog = objects = None
    if request.param != "folder":
        catalog = request.getfixturevalue("postgres_server")()
    if request.param == "postgresql+s3":
        server: Bucket = request.getfixturevalue("s3_server")
        aws_environment(monkeypatch, server.url)
        objects = server.new()
    return Place(tmp_path, catalog, objects)


def aws_environment(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """What a machine needs to know to reach the local server; nothing of it is a secret."""
    for name, value in {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_ALLOW_HTTP": "true",
    }.items():
        monkeypatch.setenv(name, value)

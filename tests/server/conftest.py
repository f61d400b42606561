"""A server in this process, on SQLite or PostgreSQL, and people who use it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from fastapi.testclient import TestClient

from evalwright.server.app import create_app
from evalwright.server.settings import Limits, ServerSettings
from evalwright.server.state import ServerState
from evalwright.services.accounts import NewToken
from evalwright.store.accounts import Member, User
from tests.catalogs import catalog_url, postgres_server  # noqa: F401  # fixtures

PASSWORD = "correct horse battery"
HASH = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
"""A cheap one, so that tests sign people in quickly; `test_accounts` makes users with real ones."""


class Clock:
    """Time as tests want it."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


class Person:
    """Somebody's browser, or a program with a token."""

    def __init__(self, client: TestClient, headers: dict[str, str] | None = None) -> None:
        self.client = client
        self.headers = headers or {}
        self.csrf = ""

    def call(self, method: str, path: str, json: Any = None, **options: Any) -> Any:
        """A request to a path below /api/v1."""
        headers = {**self.headers, **({"X-CSRF-Token": self.csrf} if self.csrf else {}), **options.pop("headers", {})}
        return self.client.request(method, f"/api/v1{path}", json=json, headers=headers, **options)

    def get(self, path: str, **options: Any) -> Any:
        return self.call("GET", path, **options)

    def post(self, path: str, json: Any = None, **options: Any) -> Any:
        return self.call("POST", path, json, **options)

    def put(self, path: str, json: Any = None, **options: Any) -> Any:
        return self.call("PUT", path, json, **options)

    def patch(self, path: str, json: Any = None, **options: Any) -> Any:
        return self.call("PATCH", path, json, **options)

    def delete(self, path: str, **options: Any) -> Any:
        return self.call("DELETE", path, **options)


class Server:
    """A server, its clock, and ways to get people into it."""

    def __init__(self, settings: ServerSettings) -> None:
        self.clock = Clock()
        self.settings = settings
        self.state = ServerState(settings, now=self.clock)
        self.app = create_app(settings, state=self.state)
        self.accounts = self.state.accounts

    def client(self) -> TestClient:
        return TestClient(self.app, base_url="http://localhost", raise_server_exceptions=False)

    def nobody(self) -> Person:
        return Person(self.client())

    def user(self, username: str, *, admin: bool = False, roles: dict[str, str] | None = None) -> None:
        """Make a user with roles by project."""
        if self.accounts.people.user(username) is None:
            made = User(username=username, name=username, admin=admin, password_hash=HASH, created_at=self.clock())
            self.accounts.people.add_user(made)
        for project, role in (roles or {}).items():
            self.accounts.set_member(Member(project=project, username=username, role=role, added_by="test"))

    def project(self, name: str) -> None:
        self.accounts.add_project(name, "", by="test", now=self.clock())

    def browser(self, username: str, **who: Any) -> Person:
        """Somebody's browser, signed in."""
        self.user(username, **who)
        person = Person(self.client())
        person.csrf = person.post("/session", {"username": username, "password": PASSWORD}).json()["csrf"]
        return person

    def program(self, username: str, *scopes: str, project: str | None = None, **who: Any) -> Person:
        """A program with a token of somebody."""
        self.user(username, **who)
        wanted = NewToken(name="test", scopes=scopes, days=1, project=project)
        text, _ = self.accounts.add_token(username, wanted, self.clock())
        return Person(self.client(), {"Authorization": f"Bearer {text}"})


@pytest.fixture
def server(tmp_path: Path, catalog_url: str | None):  # noqa: F811
    """A server on SQLite, then on PostgreSQL."""
    made = Server(ServerSettings(workspace=tmp_path / "ws", catalog=catalog_url))
    yield made
    made.state.close()


@pytest.fixture
def local(tmp_path: Path):
    """A server on SQLite only, for what has nothing to do with the database."""
    made = Server(ServerSettings(workspace=tmp_path / "ws"))
    yield made
    made.state.close()


@pytest.fixture
def strict(tmp_path: Path):
    """A server with low limits."""
    limits = Limits(requests_per_min=60, burst=5, sign_ins_per_min=6, body=2000)
    made = Server(ServerSettings(workspace=tmp_path / "ws", limits=limits))
    yield made
    made.state.close()

"""Catalogs on SQLite and on a real PostgreSQL: fixtures for tests that run on both alike.

```python
from tests.catalogs import catalog_url, postgres_server  # noqa: F401  # fixtures

def test_something(catalog_url): ...  # twice: None (SQLite in the workspace), then an empty PostgreSQL database
```
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from urllib.parse import quote

import pytest

from tests.postgres import postgres

_NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Callable[[], str]]:
    """A PostgreSQL for the whole session: each call gives the address of a new empty database."""
    psycopg = pytest.importorskip("psycopg", reason='pip install "evalwright[postgres]"')
    with postgres() as (template, password):
        url = template.replace("${TEST_DB_PASSWORD}", quote(password, safe=""))

        def new_database() -> str:
            name = f"catalog_{next(_NUMBERS)}"
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE {name}")
            return f"{url.rpartition('/')[0]}/{name}"

        yield new_database


@pytest.fixture(params=["sqlite", "postgresql"])
def catalog_url(request: pytest.FixtureRequest) -> str | None:
    """Where the catalog is: None for SQLite in the workspace, then a new database on a real PostgreSQL."""
    if request.param == "sqlite":
        return None
    new_database: Callable[[], str] = request.getfixturevalue("postgres_server")
    return new_database()

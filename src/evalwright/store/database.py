"""The catalog's database: SQLite or PostgreSQL. What differs between the two is here and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from evalwright.core.errors import DiskFull, EvalwrightError, NewerWorkspace, StoreError, UsageError
from evalwright.core.extras import optional
from evalwright.store.addresses import catalog_url
from evalwright.store.migrations import FOLDER, HEAD, REVISIONS
from evalwright.store.tables import VERSION

BUSY_MS = 30_000
"""How long a writer waits for another process's writing."""

CONNECT_S = 10
"""How long to wait for a server to answer."""

_MIGRATION_LOCK = 7_291_004


def connect(url: str | sa.URL) -> sa.Engine:
    """An engine for a catalog, its tables brought up to date.

    Several processes may do this at once: one migrates, the others wait.

    Args:
        url: An SQLAlchemy URL, as text or made: `sqlite:///path`, `postgresql+psycopg://…`.

    Raises:
        NewerWorkspace: A later version of Evalwright wrote it.
        StoreError: It can't be opened.
    """
    engine = _engine(url)
    with errors(engine):
        try:
            if _revision(engine) != HEAD:
                _migrate(engine)
        except BaseException:
            engine.dispose()
            raise
    return engine


def _engine(url: str | sa.URL) -> sa.Engine:
    found, schema = (url, None) if isinstance(url, sa.URL) else catalog_url(url)
    if found.get_backend_name() != "sqlite":
        return _postgres(found, schema)
    url = found
    engine = sa.create_engine(url, poolclass=sa.NullPool, connect_args={"timeout": BUSY_MS / 1000})
    sa.event.listen(engine, "connect", _prepare_sqlite)
    sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _postgres(url: sa.URL, schema: str | None) -> sa.Engine:
    """An engine whose tables are in a schema of their own, made when it is not there."""
    optional("psycopg", extra="postgres")
    connect_args: dict[str, object] = {"connect_timeout": CONNECT_S, "application_name": "evalwright"}
    if schema is not None:
        quoted = '"' + schema.replace('"', '""') + '"'
        connect_args["options"] = f"-csearch_path={quoted}"
    engine = sa.create_engine(url, pool_pre_ping=True, connect_args=connect_args)
    if schema is not None:
        with errors(engine), engine.begin() as connection:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATION_LOCK)))
            connection.execute(sa.schema.CreateSchema(schema, if_not_exists=True))
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    """Leave transactions to `_begin_sqlite`; readers and one writer side by side; references checked."""
    connection.isolation_level = None
    for setting in (f"busy_timeout = {BUSY_MS}", "journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {setting}").close()


def _begin_sqlite(connection: sa.Connection) -> None:
    """A writer takes the write lock at once: taking it later fails instead of waiting when another wrote meanwhile."""
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def reading(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A connection to read from, seeing one state of the database."""
    with errors(engine), engine.connect() as connection, connection.begin():
        yield connection


@contextmanager
def writing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A transaction to write in: all of it is kept, or nothing."""
    with errors(engine), engine.execution_options(writes=True).begin() as connection:
        yield connection


@contextmanager
def errors(engine: sa.Engine) -> Iterator[None]:
    """Turn the database's errors into ours."""
    try:
        yield
    except sa.exc.DBAPIError as error:
        raise _translated(error, engine.url) from error


def _translated(error: sa.exc.DBAPIError, url: sa.URL) -> EvalwrightError:
    text = str(error.orig)
    if isinstance(error, sa.exc.DataError):
        return UsageError(f"a value can't be kept or looked for in the catalog: {_first_line(text)}")
    place = url.database if url.get_backend_name() == "sqlite" else url.render_as_string(hide_password=True)
    if "disk is full" in text or "No space left" in text:
        return DiskFull(f"the disk is full: the catalog {place} can't be written", hint="free some space and try again")
    if "database is locked" in text:
        return StoreError(f"the catalog {place} is kept busy by another process", hint="try again in a moment")
    if "not a database" in text or "malformed" in text:
        hint = "move it away: the runs themselves are safe in the `runs` folder and are listed again"
        return StoreError(f"the catalog {place} is damaged ({text})", hint=hint)
    if url.get_backend_name() != "sqlite" and isinstance(error, sa.exc.OperationalError | sa.exc.InterfaceError):
        hint = "is its server running, and its address right? What is in the workspace's folder is safe"
        return CatalogAway(f"the catalog {place} can't be reached: {_first_line(text)}", hint=hint)
    return StoreError(f"the catalog {place} can't be used: {_first_line(text)}")


def _first_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[0][:300] if lines else "no reason given"


class CatalogAway(StoreError):
    """The catalog's server can't be reached; what is in the folder stays there and is noted later."""


def _revision(engine: sa.Engine) -> str | None:
    with reading(engine) as connection:
        return _revision_of(connection)


def _revision_of(connection: sa.Connection) -> str | None:
    """The revision a database is at, None for an empty one.

    Raises:
        NewerWorkspace: It is one this version does not know.
    """
    if not sa.inspect(connection).has_table(VERSION.name):
        return None
    found = connection.execute(sa.select(VERSION.c.version_num)).scalar()
    if found is not None and found not in REVISIONS:
        raise NewerWorkspace(
            f"the catalog was written by a later version (revision {found}, this one knows up to {HEAD})",
            hint="upgrade with: pip install --upgrade evalwright",
        )
    return None if found is None else str(found)


def _migrate(engine: sa.Engine) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    with writing(engine) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATION_LOCK)))
        if _revision_of(connection) != HEAD:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

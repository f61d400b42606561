"""Rows of a query: on any database SQLAlchemy has a driver for, or by DuckDB over files named beforehand.

Read-only as far as each database can be held to it, one statement, streamed; nothing of a password is ever shown.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import duckdb
import msgspec
import re2
import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from evalwright.core.case import Json
from evalwright.core.errors import ConfigError, MissingExtra, Problem, UsageError
from evalwright.datasets.importers.items import Figures, Item
from evalwright.datasets.importers.items import Mapping as FieldMapping
from evalwright.datasets.importers.mapping import guess_fields
from evalwright.datasets.importers.source import Source
from evalwright.datasets.rows import MAX_ROW_BYTES, RowError
from evalwright.datasets.tables import as_json
from evalwright.models.secrets import Secret, references, resolve_secret
from evalwright.store.duck import connect

BATCH = 500
DIALECTS = {"postgres": "postgresql+psycopg", "postgresql": "postgresql+psycopg"}
"""URL schemes that mean a driver which comes with an extra."""

EXTRAS = {"psycopg": "postgres"}

_COMMENT = re2.compile(r"(?s)--[^\n]*(?:\n|$)|/\*.*?\*/")
_READS = re2.compile(r"(?is)^\s*\(*\s*(?:select|with|values|table|from|show|describe|explain)\b")
_LITERAL = re2.compile(r"(?i)://[^/@:]*:[^@/${}]+@|[?&](?:password|passwd|pwd)=[^$&]")
_READ_ONLY = {"mysql": "SET TRANSACTION READ ONLY", "mariadb": "SET TRANSACTION READ ONLY"}


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """What to ask, and where.

    Attributes:
        sql: One statement that reads.
        url: SQLAlchemy URL, its password as `${NAME}`; None for DuckDB over files.
        files: The only files DuckDB may open.
    """

    sql: str
    url: str | None = None
    files: tuple[Path, ...] = ()


def read_query(query: Query, source: Source, environment: Mapping[str, str] | None = None) -> Iterator[Item]:
    """Cases of a query's rows, by the mapping or guessed from the names of its columns; `source.line` counts rows.

    Raises:
        UsageError: The statement does not read, or a password stands in the URL.
        ConfigError: The database can't be reached, refuses the query, or the connection broke; how far it came is said.
        MissingExtra: The driver is not installed.
    """
    _check_statement(query.sql)
    rows = _duckdb_rows(query, source) if query.url is None else _database_rows(query, source, environment)
    columns = next(rows)
    twice = next((name for name in columns if columns.count(name) > 1), None)
    if twice is not None:
        raise source.error(f"the query gives two columns the name `{twice}`", hint="name each with `AS`")
    mapped = source
    if not source.fields and (fields := guess_fields(dict.fromkeys(columns))):
        mapped = Source(source.path, name=source.name, fields=fields)
        yield FieldMapping(fields=fields)
    count = 0
    for count, cells in enumerate(rows, start=1):
        mapped.line = source.line = count
        yield _row(mapped, columns, cells)
    yield Figures(values={"rows": count})


def _row(source: Source, columns: tuple[Any, ...], cells: tuple[Any, ...]) -> Item:
    try:
        values: dict[str, Json] = {
            name: as_json(cell) for name, cell in zip(columns, cells, strict=True) if cell is not None
        }
    except RowError as error:
        return source.bad(str(error), repr(cells)[:2_000])
    if sum(len(value) for value in values.values() if isinstance(value, str)) > MAX_ROW_BYTES:
        return source.bad("the row is larger than 16 MiB")
    return source.case(values)


def _check_statement(sql: str) -> None:
    bare = _COMMENT.sub(" ", sql).strip().rstrip(";")
    if not bare:
        raise UsageError("the query is empty", hint="--query 'SELECT id, question, answer FROM tickets'")
    if not _READS.search(bare):
        raise UsageError(f"the query begins with `{bare.split()[0]}`: only statements that read are run")


def _duckdb_rows(query: Query, source: Source) -> Iterator[tuple[Any, ...]]:
    """Column names, then rows. DuckDB opens the named files only, and neither writes nor sees anything of Python."""
    done = 0
    with connect(only=query.files) as duck:
        try:
            duck.execute("SET python_enable_replacements = false")
            if not query.files:
                duck.execute("SET enable_external_access = false")
            duck.execute("SET lock_configuration = true")
            statements = duck.extract_statements(query.sql)
            if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
                raise UsageError("the query must be one statement that reads")
            found = duck.execute(statements[0])
            yield tuple(column[0] for column in found.description or ())
            while batch := found.fetchmany(BATCH):
                for cells in batch:
                    yield cells
                    done += 1
        except duckdb.Error as error:
            raise _broken(source, str(error), done, _duckdb_hint(str(error), query.files)) from error


def _duckdb_hint(message: str, files: tuple[Path, ...]) -> str:
    if "Permission" in message or "Table with name" in message:
        named = ", ".join(str(path) for path in files) or "none"
        return f"only the files named beside --query may be read ({named}), by the same path"
    return ""


def _database_rows(query: Query, source: Source, environment: Mapping[str, str] | None) -> Iterator[tuple[Any, ...]]:
    """Column names, then rows, in a transaction that is rolled back."""
    url, secrets = database_url(query.url or "", os.environ if environment is None else environment)
    done = 0
    try:
        engine = _engine(url)
        with engine.connect() as connection:
            _hold_to_reading(connection)
            options = {"stream_results": True, "yield_per": BATCH, "no_parameters": True}
            found = connection.exec_driver_sql(query.sql, execution_options=options)
            yield tuple(found.keys())
            for row in found:
                yield tuple(row)
                done += 1
            connection.rollback()
    except (SQLAlchemyError, OSError) as error:
        reason = str(getattr(error, "orig", None) or error)
        for secret in secrets:
            reason = secret.hide(reason)
        raise _broken(source, reason, done, "") from None
    finally:
        with suppress(UnboundLocalError):
            engine.dispose()


def _broken(source: Source, reason: str, done: int, hint: str) -> ConfigError:
    first = next((line.strip() for line in reason.splitlines() if line.strip()), "no reason given")[:500]
    if not done:
        return source.error(f"the query failed: {first}", hint=hint)
    return source.error(f"the connection broke after {done:,} rows: {first}", hint=hint or "nothing was changed")


def _hold_to_reading(connection: sa.Connection) -> None:
    """Tell the database that nothing will be written, where it has a way to be told."""
    name = connection.dialect.name
    if name == "postgresql":
        connection.execution_options(postgresql_readonly=True)
    elif name in _READ_ONLY:
        connection.exec_driver_sql(_READ_ONLY[name])


def _engine(url: sa.URL) -> sa.Engine:
    if url.get_backend_name() == "sqlite":
        return sa.create_engine("sqlite://", creator=_sqlite(url))
    try:
        return sa.create_engine(url)
    except NoSuchModuleError as error:
        raise UsageError(
            f"there is no dialect `{url.drivername}`", hint=f"install the package for it: {error}"
        ) from None
    except ModuleNotFoundError as error:
        package = error.name or url.drivername
        if package in EXTRAS:
            raise MissingExtra(package, EXTRAS[package]) from error
        raise UsageError(f"the driver `{package}` is not installed", hint=f"pip install {package}") from error


def _sqlite(url: sa.URL) -> Callable[[], Any]:
    """Opens an SQLite file for reading only; one that is not there is not made."""
    import sqlite3

    path = Path(url.database or "")
    if not path.is_file():
        raise ConfigError([Problem(message=f"there is no SQLite file {path}", file=url.render_as_string())])
    return lambda: sqlite3.connect(f"file:{quote(str(path.resolve()))}?mode=ro", uri=True)


def database_url(text: str, environment: Mapping[str, str]) -> tuple[sa.URL, list[Secret]]:
    """A URL with its `${NAME}` references filled; what stands before the `@` is quoted as URLs need it.

    Raises:
        UsageError: It is no URL, or holds a password literally.
        ConfigError: A variable is not set.
    """
    secrets: list[Secret] = []

    def filled(part: str, *, quoted: bool) -> str:
        for name in references(part):
            secret = resolve_secret("${" + name + "}", environment, key="url")
            secrets.append(secret)
            part = part.replace("${" + name + "}", quote(secret.reveal(), safe="") if quoted else secret.reveal())
        return part

    before, at, after = text.rpartition("@")
    if _LITERAL.search(text):
        raise UsageError(
            "the URL holds a password", hint="put it into a variable: postgresql://me:${DB_PASSWORD}@host/tickets"
        )
    try:
        url = sa.make_url(filled(before, quoted=True) + at + filled(after, quoted=False))
    except (ArgumentError, ValueError):
        raise UsageError(
            "--url is no SQLAlchemy URL", hint="e.g. postgresql://me:${DB_PASSWORD}@host/tickets"
        ) from None
    return url.set(drivername=DIALECTS.get(url.drivername, url.drivername)), secrets

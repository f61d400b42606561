"""Addresses of catalogs and object storage: secrets in them by reference, `${NAME}`, never written down."""

from __future__ import annotations

import os
import re
from urllib.parse import quote

import sqlalchemy as sa

from evalwright.core.errors import UsageError

CATALOG_VARIABLE, OBJECTS_VARIABLE = "EVALWRIGHT_CATALOG", "EVALWRIGHT_OBJECTS"
_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_PASSWORD = re.compile(r"://[^/@]*:([^/@]+)@")


def expanded(address: str) -> str:
    """An address with its references replaced by what the environment says, quoted for an address.

    Raises:
        UsageError: A variable is not set.
    """

    def value(found: re.Match[str]) -> str:
        name = found[1]
        if name not in os.environ:
            raise UsageError(f"the address names ${{{name}}}, which is not set", hint=f"export {name}=…")
        return quote(os.environ[name], safe="")

    return _REFERENCE.sub(value, address)


def shown(address: str) -> str:
    """An address without its password, for messages."""
    return _PASSWORD.sub(lambda found: found[0].replace(f":{found[1]}@", ":***@"), address)


def may_be_noted(address: str) -> bool:
    """Whether an address can be written down: it holds no password but references.

    Example:
        >>> may_be_noted("postgresql://me:${PW}@host/db"), may_be_noted("postgresql://me:secret@host/db")
        (True, False)
    """
    found = _PASSWORD.search(address)
    return found is None or _REFERENCE.fullmatch(found[1]) is not None


def catalog_url(address: str) -> tuple[sa.URL, str | None]:
    """A catalog's address as SQLAlchemy takes it, and the schema its tables are in (`?schema=name`).

    Raises:
        UsageError: It is no address of a database.
    """
    try:
        url = sa.make_url(expanded(address))
    except sa.exc.ArgumentError:
        raise UsageError(
            f"{shown(address)!r} is no address of a catalog", hint="e.g. postgresql://me:${PW}@host/evalwright"
        ) from None
    if url.drivername in {"postgres", "postgresql"}:
        url = url.set(drivername="postgresql+psycopg")
    if url.get_backend_name() not in {"sqlite", "postgresql"}:
        raise UsageError(f"a catalog can't be in {url.get_backend_name()}", hint="SQLite or PostgreSQL")
    schema = url.query.get("schema")
    return url.difference_update_query(["schema"]), schema if isinstance(schema, str) else None


def with_schema(address: str, schema: str) -> str:
    """The same catalog server, with tables in a schema of their own."""
    return f"{address}{'&' if '?' in address else '?'}schema={quote(schema, safe='')}"

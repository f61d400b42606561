"""`evalwright cache`: stored answers."""

from __future__ import annotations

import time
from pathlib import Path

import click
import msgspec

from evalwright.cli.options import json_option, open_workspace, workspace_option
from evalwright.core.errors import UsageError
from evalwright.store.cache import AnswerStore

EPILOG = """\b
Examples:
  evalwright cache stats
  evalwright cache prune --max-age 30d --max-size 500MB
  evalwright cache clear --yes"""


@click.group(epilog=EPILOG)
def cache() -> None:
    """Answers kept by runs with `cache: on`: how many, and forgetting them."""


def _store(workspace: Path | None) -> AnswerStore:
    return AnswerStore(open_workspace(workspace).cache_dir / "answers.db")


@cache.command()
@json_option
@workspace_option
def stats(workspace: Path | None, *, as_json: bool) -> None:
    """How many answers are stored, how large they are, and how old."""
    found = _store(workspace).stats()
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
        return
    click.echo(f"{found.entries:,} answers, {found.size / 1e6:,.1f} MB")
    if found.oldest is not None and found.newest is not None:
        days = [time.strftime("%Y-%m-%d %H:%M", time.localtime(at)) for at in (found.oldest, found.newest)]
        click.echo(f"from {days[0]} to {days[1]}")


@cache.command()
@click.option("--max-age", metavar="TIME", help="Forget answers older than this, e.g. `30d`.")
@click.option("--max-size", metavar="SIZE", help="Forget the oldest until at most this is left, e.g. `500MB`.")
@workspace_option
def prune(max_age: str | None, max_size: str | None, workspace: Path | None) -> None:
    """Forget old answers."""
    from evalwright.suites.quantities import duration, size

    if max_age is None and max_size is None:
        raise UsageError("say what to forget", hint="--max-age 30d, --max-size 500MB, or both")
    try:
        age = None if max_age is None else duration(max_age)
        most = None if max_size is None else size(max_size)
    except ValueError as error:
        raise UsageError(str(error)) from error
    click.echo(f"{_store(workspace).prune(max_age_s=age, max_size=most):,} answers forgotten")


@cache.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@workspace_option
def clear(workspace: Path | None, *, yes: bool) -> None:
    """Forget all answers."""
    if not yes:
        click.confirm("Forget all stored answers?", abort=True)
    click.echo(f"{_store(workspace).clear():,} answers forgotten")

"""`evalwright sync`: the folder, its catalog's server and its object storage brought together."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from evalwright.cli.options import json_option, open_workspace, workspace_option
from evalwright.core.errors import UsageError


@click.command(
    epilog="\b\nExamples:\n  evalwright sync\n  evalwright --catalog 'postgresql://me:${PW}@db/evalwright' "
    "--objects s3://bucket/evalwright sync"
)
@json_option
@workspace_option
def sync(workspace: Path | None, *, as_json: bool) -> None:
    """Put into the shared catalog and object storage what is in the folder only, and fetch what others put.

    Runs do this by themselves when they finish. This is for runs that finished while the catalog's server or the
    storage was away, for a folder that was used alone before, and for cards of scorers made on other machines.
    """
    place = open_workspace(workspace)
    if place.catalog_address is None and place.objects_address is None:
        raise UsageError(
            f"the workspace {place.root} is not shared",
            hint="name a catalog or object storage: $EVALWRIGHT_CATALOG, $EVALWRIGHT_OBJECTS, or --catalog, --objects",
        )
    report = place.shared.sync()
    if as_json:
        click.echo(msgspec.json.encode(report).decode())
        return
    click.echo(
        f"put: {report.runs_put} runs, {report.content_put} pieces of content, {report.cards_put} cards; "
        f"fetched: {report.runs_fetched} runs, {report.cards_fetched} cards; logs taken over: {report.logs_moved}"
    )

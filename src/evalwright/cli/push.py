"""`evalwright push`: send finished runs to a server."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from evalwright.cli.options import find_run, workspace_option
from evalwright.core.errors import EvalwrightError, UsageError
from evalwright.store.results import RunStore
from evalwright.store.workspace import Workspace

if TYPE_CHECKING:
    from evalwright.services.remote import Remote

EPILOG = """\b
Examples:
  export EVALWRIGHT_TOKEN=ewt_...
  evalwright push latest --server https://eval.example.org/p/shop
  EVALWRIGHT_SERVER=https://eval.example.org evalwright run suite.yaml"""


@click.command("push", epilog=EPILOG)
@click.argument("runs", nargs=-1, required=True)
@click.option("--server", metavar="URL", help="Server and project, https://host/p/PROJECT; $EVALWRIGHT_SERVER else.")
@workspace_option
def push_runs(runs: tuple[str, ...], server: str | None, workspace: Path | None) -> None:
    """Send finished RUNS of this workspace to a server, every file checked by its hash.

    Sending a run again changes nothing. The token, $EVALWRIGHT_TOKEN, needs the scope `write`.
    """
    from evalwright.services.remote import Remote

    remote = Remote.from_environment(server, os.environ)
    if remote is None:
        raise UsageError("which server?", hint="--server https://host/p/PROJECT, or $EVALWRIGHT_SERVER")
    place = Workspace.open(workspace, create=False)
    for run in runs:
        push(remote, find_run(place, run))


def push(remote: Remote, run: RunStore) -> None:
    """Send one run and say so.

    Raises:
        EvalwrightError: The server does not answer, or refuses it; the run is safe here.
    """
    try:
        taken = remote.upload(run)
    except EvalwrightError as error:
        hint = f"it is safe here; send it with: evalwright push {run.run_id}"
        raise UsageError(f"the run was not sent: {error.message}", hint=hint) from error
    place = f"{remote.url}/p/{remote.project}/runs/{taken.run_id}"
    click.echo(f"sent: {place}" if taken.created else f"was there already: {place}", err=True)

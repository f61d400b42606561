"""Options that several commands share."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from evalwright.core.errors import UsageError
from evalwright.core.result import Summary
from evalwright.store.results import RunStore
from evalwright.store.workspace import VARIABLE, Workspace

F = TypeVar("F", bound=Callable[..., Any])

workspace_option = click.option(
    "--workspace",
    "-w",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of results; $EVALWRIGHT_WORKSPACE or the nearest .evalwright upward by default.",
)

_SERVER = "evalwright.server"
"""Where a command that can read from a server notes which one was named."""


def _note_server(ctx: click.Context, _param: click.Parameter, value: str | None) -> None:
    ctx.meta[_SERVER] = value


_server_option = click.option(
    "--server",
    metavar="URL",
    expose_value=False,
    callback=_note_server,
    help="Read from a server's project, https://host/p/PROJECT; $EVALWRIGHT_SERVER, token in $EVALWRIGHT_TOKEN.",
)


def place_option(command: F) -> F:
    """`--workspace` and `--server`: for commands that only read."""
    return workspace_option(_server_option(command))


names_option = click.option(
    "--names",
    default="",
    envvar="EVALWRIGHT_NAMES",
    metavar="ENGINE",
    help="Look for names and addresses too, with spacy:MODEL, presidio:en or package.module:name.",
)
"""Which engine finds names and addresses."""

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object on standard output.")


def open_workspace(path: Path | None) -> Workspace:
    """The workspace to read from, which must exist; or, for commands with `place_option`, a server's project.

    Raises:
        UsageError: A server is named by the environment, and the command does not work against one.
    """
    context = click.get_current_context(silent=True)
    if context is not None and _SERVER in context.meta:
        from evalwright.services.remote import reading_place

        return reading_place(path, context.meta[_SERVER])
    if path is None and os.environ.get("EVALWRIGHT_SERVER") and VARIABLE not in os.environ:
        raise UsageError(
            "this command does not work against $EVALWRIGHT_SERVER",
            hint="use the workbench for it, or name a folder with --workspace",
        )
    return Workspace.open(path, create=False)


def find_run(workspace: Workspace, reference: str) -> RunStore:
    """The run a person means by an id, the beginning of one, `latest`, or a name."""
    return workspace.run(workspace.catalog.find(reference).run_id)


def summary_of(run: RunStore) -> Summary:
    """A run's summary.

    Raises:
        UsageError: The run was not summarised yet.
    """
    summary = run.summary()
    if summary is None:
        raise UsageError(
            f"the run {run.run_id} has no figures yet: it is running, or was cut off",
            hint=f"evalwright resume {run.run_id}",
        )
    return summary


def audited(workspace: Workspace, actor: str, action: str, subject: str, **detail: Any) -> None:
    """Note in the workspace's audit log what was decided on the command line."""
    from evalwright.services.auditing import AuditEvent, record

    record(workspace, AuditEvent(actor=actor, action=action, subject=subject, project="default", detail=detail))

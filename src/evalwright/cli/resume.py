"""`evalwright resume`: go on with a run."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from evalwright.cli.options import find_run, json_option, open_workspace, workspace_option
from evalwright.cli.progress import ProgressPrinter
from evalwright.cli.run import ReportOption, conclude

EPILOG = """\b
Examples:
  evalwright resume latest
  evalwright resume latest --budget "40 USD"
  evalwright resume 20261123-1715 --retry-errors"""


@click.command(epilog=EPILOG)
@click.argument("run")
@click.option("--suite", "-s", help="The suite file, where it is no longer where the run found it.")
@click.option("--accept-changes", is_flag=True, help="Go on although the suite or target has changed.")
@click.option("--retry-errors", is_flag=True, help="Run cases again that failed for good.")
@click.option("--concurrency", "-j", type=int, metavar="N", help="Cases in flight at once, per process.")
@click.option("--workers", type=int, metavar="N", help="Processes.")
@click.option("--retries", type=int, metavar="N", help="Further attempts after a failure that may pass.")
@click.option("--timeout", metavar="TIME", help="Longest an attempt may take, e.g. `30s`.")
@click.option("--budget", metavar="AMOUNT", help="New caps, what was spent before included.")
@click.option("--max-errors", type=float, metavar="SHARE", help="Stop when more than this share of cases failed.")
@click.option("--report", "reports", type=ReportOption(), multiple=True, help="html, markdown, json, junit, or none.")
@click.option("--quiet", "-q", is_flag=True, help="No progress and no summary.")
@json_option
@workspace_option
def resume(
    run: str,
    suite: str | None,
    reports: Sequence[tuple[str, Path | None]],
    workspace: Path | None,
    *,
    accept_changes: bool,
    retry_errors: bool,
    quiet: bool,
    as_json: bool,
    **options: Any,
) -> int:
    """Go on with a RUN that was interrupted, killed or stopped; a paused one is let go on.

    Every recorded case is kept and none is paid for twice. When the suite has changed since, you are told what and
    asked to start anew or to accept it.
    """
    from evalwright.engine import Action, Command, read_state, send_command
    from evalwright.services.evaluation import RunContext
    from evalwright.services.overrides import Overrides
    from evalwright.services.resuming import resume_run
    from evalwright.services.suite_files import load_source, suite_of_run

    place = open_workspace(workspace)
    store = find_run(place, run)
    state = read_state(store.folder)
    if state is not None and state.alive and state.paused:
        send_command(store.folder, Command(action=Action.RESUME))
        click.echo(f"{store.run_id} goes on", err=True)
        return 0
    source = load_source(suite or suite_of_run(store.manifest()), workspace=workspace)
    with ProgressPrinter(quiet=quiet) as progress:
        context = RunContext(workspace=place, listeners=(progress,), command=shlex.join(["evalwright", *sys.argv[1:]]))
        summary = resume_run(
            store,
            source,
            context,
            overrides=Overrides.from_options(options),
            accept_changes=accept_changes,
            retry_errors=retry_errors,
        )
    return conclude(store, summary, reports, as_json=as_json, quiet=quiet)

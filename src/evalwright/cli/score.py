"""`evalwright score`: stored outputs, scored again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from evalwright.cli.options import find_run, json_option, open_workspace, workspace_option
from evalwright.cli.run import ReportOption, conclude

EPILOG = """\b
Examples:
  evalwright score latest
  evalwright score latest --suite suite-with-better-scorers.yaml"""


@click.command(epilog=EPILOG)
@click.argument("run")
@click.option("--suite", "-s", help="Suite whose scorers, slices and gate to use; the run's own by default.")
@click.option("--report", "reports", type=ReportOption(), multiple=True, help="html, markdown, json, junit, or none.")
@json_option
@workspace_option
def score(
    run: str, suite: str | None, reports: Sequence[tuple[str, Path | None]], workspace: Path | None, *, as_json: bool
) -> int:
    """Score the stored outputs of a RUN again and decide its gate anew. The target is not called."""
    from evalwright.services.evaluation import RunContext
    from evalwright.services.rescoring import rescore
    from evalwright.services.suite_files import load_source, suite_of_run

    place = open_workspace(workspace)
    store = find_run(place, run)
    source = load_source(suite or suite_of_run(store.manifest()), for_scoring=True)
    summary = rescore(store, source, RunContext(workspace=place))
    return conclude(store, summary, reports, as_json=as_json)

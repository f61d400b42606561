"""`evalwright show`: a run, or one case of it."""

from __future__ import annotations

from pathlib import Path

import click

from evalwright.cli.options import find_run, json_option, open_workspace, place_option, summary_of

EPILOG = """\b
Examples:
  evalwright show latest
  evalwright show latest billing/refund-window
  evalwright show 20261123-1715 --json
  evalwright show scorer groundedness"""


SCORER = "scorer"


@click.command(epilog=EPILOG)
@click.argument("run")
@click.argument("case", required=False)
@json_option
@place_option
def show(run: str, case: str | None, workspace: Path | None, *, as_json: bool) -> None:
    """Show a RUN's figures, or one CASE of it in full: input, passages, answer, scores and reasons.

    RUN is an id, the beginning of one, `latest`, `latest:SUITE`, or a name given to a run.

    `show scorer NAME` tells what a scorer does and what is known of its own errors.
    """
    if run == SCORER and case is not None:
        _show_scorer(case, workspace, as_json=as_json)
        return
    from rich.console import Console

    from evalwright.reports.json_report import json_line, run_object
    from evalwright.reports.terminal import print_summary

    store = find_run(open_workspace(workspace), run)
    if case is not None:
        _show_case(store.run_id, case, workspace, as_json=as_json)
        return
    summary = summary_of(store)
    if as_json:
        click.echo(json_line(run_object(summary)))
        return
    failing = [store.cases[int(index)].id for index in store.failing()[:3]]
    print_summary(Console(highlight=False), summary, failing=failing)


def _show_case(run_id: str, case_id: str, workspace: Path | None, *, as_json: bool) -> None:
    from rich.console import Console

    from evalwright.reports.json_report import json_line
    from evalwright.reports.terminal import print_case
    from evalwright.services.figures import slice_specs
    from evalwright.services.slicing import case_slices

    store = find_run(open_workspace(workspace), run_id)
    result = store.case(case_id, slices=case_slices(slice_specs(store.manifest())))
    if as_json:
        click.echo(json_line(result))
        return
    units = {record.metric: record.unit for record in store.manifest().scorers if record.unit}
    print_case(Console(highlight=False), result, units=units)


def _show_scorer(name: str, workspace: Path | None, *, as_json: bool) -> None:
    from rich.console import Console

    from evalwright.reports.card import print_scorer
    from evalwright.reports.json_report import json_line
    from evalwright.services.finding_cards import about_scorer
    from evalwright.store.cards import CardStore
    from evalwright.store.workspace import Workspace

    found = about_scorer(CardStore(Workspace.open(workspace).root), name)
    if as_json:
        click.echo(json_line(found))
        return
    print_scorer(Console(highlight=False), found.name, found.does, found.origin, found.card)

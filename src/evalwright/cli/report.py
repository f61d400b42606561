"""`evalwright report`: write a run's report."""

from __future__ import annotations

from pathlib import Path

import click

from evalwright.cli.options import find_run, open_workspace, place_option, summary_of

EPILOG = """\b
Examples:
  evalwright report latest
  evalwright report latest --format junit --output results.xml
  evalwright report latest --format markdown --output -"""


@click.command(epilog=EPILOG)
@click.argument("run")
@click.option("--format", "-f", "format_name", help="html, markdown, json or junit; by --output's ending if not given.")
@click.option(
    "--output", "-o", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True), help="Where to; - prints."
)
@place_option
def report(run: str, format_name: str | None, output: Path | None, workspace: Path | None) -> None:
    """Write the report of a RUN and print where it lies."""
    from evalwright.services.reporting import FILE_NAMES, format_for, write_run_report

    store = find_run(open_workspace(workspace), run)
    summary = summary_of(store)
    if output is not None and str(output) != "-":
        click.echo(write_run_report(store, summary, output, format=format_name))
        return
    name = format_for(Path("report.html"), format_name)
    path = write_run_report(store, summary, store.folder / FILE_NAMES.get(name, f"report.{name}"), format=name)
    click.echo(path.read_text(encoding="utf-8") if output is not None else path)

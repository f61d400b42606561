"""`evalwright export`: a run's rows as a table."""

from __future__ import annotations

from pathlib import Path

import click

from evalwright.cli.options import find_run, open_workspace, place_option

EPILOG = """\b
Examples:
  evalwright export latest --format csv --output rows.csv
  evalwright export latest --output rows.parquet"""

SUFFIXES = {".jsonl": "jsonl", ".csv": "csv", ".parquet": "parquet"}


@click.command(epilog=EPILOG)
@click.argument("run")
@click.option("--format", "-f", "format_name", type=click.Choice(["jsonl", "csv", "parquet"]), help="Of the file.")
@click.option(
    "--output", "-o", type=click.Path(path_type=Path, dir_okay=False), help="Where to; in this folder by default."
)
@place_option
def export(run: str, format_name: str | None, output: Path | None, workspace: Path | None) -> None:
    """Export a RUN: one row per case and trial with input, expected, answer, error and every score.

    In CSV, text that a spreadsheet would run as a formula is made plain.
    """
    store = find_run(open_workspace(workspace), run)
    kind = format_name or (SUFFIXES.get(output.suffix.lower()) if output else None) or "jsonl"
    path = output or Path(f"{store.run_id}.{kind}")
    store.export(kind, path)
    click.echo(path)

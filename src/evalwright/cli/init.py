"""`evalwright init`: a working suite to start from."""

from __future__ import annotations

from pathlib import Path

import click

EPILOG = """\b
Examples:
  evalwright init --template rag support
  evalwright init --template classifier ."""


@click.command(epilog=EPILOG)
@click.option("--template", "-t", default="chat", show_default=True, help="See `evalwright list templates`.")
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
def init(template: str, directory: Path) -> None:
    """Write a suite that runs as it is, with a small target and cases of its own, into DIRECTORY.

    Nothing that exists is overwritten.
    """
    from evalwright.suites.templates import write_template

    written = write_template(template, directory)
    for path in written:
        click.echo(path)
    click.echo(f"\nnext: evalwright run {written[0]}", err=True)

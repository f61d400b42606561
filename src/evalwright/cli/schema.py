"""`evalwright schema`: the JSON Schema of suite files."""

from __future__ import annotations

from pathlib import Path

import click

EPILOG = """\b
Examples:
  evalwright schema > suite.schema.json
  evalwright schema --write .evalwright/schema/suite.json
Then put this at the top of a suite file:
  # yaml-language-server: $schema=./.evalwright/schema/suite.json"""


@click.command(epilog=EPILOG)
@click.option("--write", type=click.Path(path_type=Path, dir_okay=False), help="Write it to this file instead.")
def schema(write: Path | None) -> None:
    """Print the JSON Schema that editors use to complete and check suite files, with everything installed here."""
    from evalwright.services.vocabulary import vocabulary
    from evalwright.suites.schema import schema_text, write_schema

    if write is None:
        click.echo(schema_text(vocabulary()), nl=False)
        return
    write_schema(vocabulary(), write)
    click.echo(write)

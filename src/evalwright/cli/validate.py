"""`evalwright validate`: every problem of suite files at once."""

from __future__ import annotations

import click
import msgspec

from evalwright.cli.options import json_option

EPILOG = """\b
Examples:
  evalwright validate suite.yaml
  evalwright validate suites/*.yaml --json"""


@click.command(epilog=EPILOG)
@click.argument("suites", nargs=-1, required=True, type=str)
@json_option
def validate(suites: tuple[str, ...], *, as_json: bool) -> int:
    """Check SUITES without calling any target: file, line, key, what is allowed, and what you may have meant."""
    from evalwright.services.suite_files import check_suite

    problems = [problem for suite in suites for problem in check_suite(suite)]
    if as_json:
        click.echo(msgspec.json.encode(problems).decode())
    elif problems:
        click.echo("\n\n".join(map(str, problems)), err=True)
        click.echo(f"\n{len(problems)} problem{'s' if len(problems) != 1 else ''}", err=True)
    else:
        click.echo(f"{len(suites)} suite{'s are' if len(suites) != 1 else ' is'} in order")
    return 2 if problems else 0

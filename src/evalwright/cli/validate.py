"""`evalwright validate`: every problem of suite files at once."""

from __future__ import annotations

import click
import msgspec

from evalwright.cli.options import json_option

EPILOG = """\b
Examples:
  evalwright validate suite.yaml
  evalwright validate suites/*.yaml --json
  evalwright validate --no-import from-somebody-else.yaml"""


@click.command(epilog=EPILOG)
@click.argument("suites", nargs=-1, required=True, type=str)
@click.option("--no-import", is_flag=True, help="Do not import the Python files a suite names, only look for them.")
@json_option
def validate(suites: tuple[str, ...], *, no_import: bool, as_json: bool) -> int:
    """Check SUITES without calling any target: file, line, key, what is allowed, and what you may have meant.

    The Python files and modules a suite names are imported, which runs them: for a suite you do not trust, --no-import.
    """
    from evalwright.services.suite_files import check_suite

    problems = [problem for suite in suites for problem in check_suite(suite, import_code=not no_import)]
    if as_json:
        click.echo(msgspec.json.encode(problems).decode())
    elif problems:
        click.echo("\n\n".join(map(str, problems)), err=True)
        click.echo(f"\n{len(problems)} problem{'s' if len(problems) != 1 else ''}", err=True)
    else:
        click.echo(f"{len(suites)} suite{'s are' if len(suites) != 1 else ' is'} in order")
    return 2 if problems else 0

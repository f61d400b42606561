"""`evalwright init`: a working suite to start from, or a pipeline for one."""

from __future__ import annotations

from pathlib import Path

import click

EPILOG = """\b
Examples:
  evalwright init --template rag support
  evalwright init --template classifier .
  evalwright init --ci github --suite suites/support.yaml ."""


@click.command(epilog=EPILOG)
@click.option("--template", "-t", help="See `evalwright list templates`; chat if not given.")
@click.option("--ci", type=click.Choice(["github", "gitlab", "jenkins"]), help="Write a pipeline that runs a suite.")
@click.option("--suite", default="suite.yaml", show_default=True, help="With --ci: the suite it runs.")
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
def init(template: str | None, ci: str | None, suite: str, directory: Path) -> None:
    """Write a suite that runs as it is, with a small target and cases of its own, into DIRECTORY.

    With --ci a pipeline for an existing suite is written instead (or as well, with --template). Nothing that exists is
    overwritten.
    """
    if template is not None or ci is None:
        _suite(template or "chat", directory)
    if ci is not None:
        _pipeline(ci, directory, suite)


def _suite(template: str, directory: Path) -> None:
    from evalwright.suites.templates import write_template

    written = write_template(template, directory)
    for path in written:
        click.echo(path)
    click.echo(f"\nnext: evalwright run {written[0]}", err=True)


def _pipeline(server: str, directory: Path, suite: str) -> None:
    from evalwright.services.suite_files import load_source
    from evalwright.suites.ci_templates import write_pipeline

    name = load_source(str(directory / suite), for_scoring=True).name
    click.echo(write_pipeline(server, directory, suite=suite, name=name))
    click.echo("\nnext: commit it; the first run of the main branch becomes the baseline", err=True)

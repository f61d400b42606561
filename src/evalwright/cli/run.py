"""`evalwright run`: a suite from file to verdict and report."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from evalwright.cli.options import json_option, workspace_option
from evalwright.cli.progress import ProgressPrinter
from evalwright.cli.push import push
from evalwright.core.errors import UsageError
from evalwright.core.result import Summary
from evalwright.gates.stopping import Method
from evalwright.services.baselines import baseline_id
from evalwright.services.ci_reports import tell_github
from evalwright.services.estimating import RunEstimate
from evalwright.services.evaluation import RunContext, estimate_run, exit_code, start_run
from evalwright.services.overrides import Overrides, apply_overrides
from evalwright.services.reporting import MANY_FAILING, write_reports
from evalwright.services.resuming import resume_run, unfinished_like
from evalwright.services.sources import RunSource
from evalwright.services.suite_files import load_source
from evalwright.services.tracing import exporting
from evalwright.store.results import RunStore
from evalwright.store.workspace import Workspace

if TYPE_CHECKING:
    from evalwright.services.remote import Remote

EPILOG = """\b
Examples:
  evalwright run suite.yaml
  evalwright run suite.yaml --limit 50 --trials 3
  evalwright run suite.yaml --filter 'metadata.locale == "de"' --json
  evalwright run suite.yaml --report junit=results.xml --report html
  evalwright run suite.yaml --baseline release-7 --until-decided
  evalwright run suites.py:support"""


class ReportOption(click.ParamType[tuple[str, Path | None]]):
    """`FORMAT` or `FORMAT=PATH`."""

    name = "format[=path]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, Path | None]:
        """Split at the first `=`."""
        if isinstance(value, tuple):
            return value
        name, _, path = str(value).partition("=")
        return name, Path(path) if path else None


@click.command(epilog=EPILOG)
@click.argument("suite", type=click.Path(path_type=str))
@click.option("--limit", type=int, metavar="N", help="Use a seeded random sample of N cases.")
@click.option("--trials", type=int, metavar="N", help="Repeat each case N times.")
@click.option("--concurrency", "-j", type=int, metavar="N", help="Cases in flight at once, per process.")
@click.option("--workers", type=int, metavar="N", help="Processes.")
@click.option("--seed", type=int, metavar="N", help="Seed of the order of work and of samples.")
@click.option("--tags", metavar="A,B", help="Only cases with one of these tags.")
@click.option("--filter", "condition", metavar="EXPR", help="Only cases for which the expression is true.")
@click.option("--budget", metavar="AMOUNT", help="Stop at this: `5 USD`, `200k tokens`, `1000 calls`, `10 min`.")
@click.option("--retries", type=int, metavar="N", help="Further attempts after a failure that may pass.")
@click.option("--timeout", metavar="TIME", help="Longest an attempt may take, e.g. `30s`.")
@click.option("--cache", type=click.Choice(["off", "read", "on"]), help="Use of stored answers of earlier runs.")
@click.option("--max-errors", type=float, metavar="SHARE", help="Stop when more than this share of cases failed.")
@click.option("--strict", is_flag=True, default=None, help="A bad dataset row is fatal.")
@click.option("--estimate", is_flag=True, help="Only say what the run will probably take.")
@click.option("--resume", "go_on", is_flag=True, help="Go on with the newest unfinished run of the same, if any.")
@click.option("--baseline", metavar="RUN", help="Run to compare with; the suite's baseline if not given.")
@click.option("--until-decided", is_flag=True, help="Stop as soon as every rule of the gate is decided.")
@click.option(
    "--stopping",
    type=click.Choice(["looks", "always", "suite"]),
    default="looks",
    show_default=True,
    help="With --until-decided: a few planned looks, any number of looks, or deciding about this very suite.",
)
@click.option("--traces", metavar="URL|FILE", help="Export the run as OpenTelemetry spans to a collector or a file.")
@click.option("--trace-content", is_flag=True, help="With --traces: answers and scorers' reasons too.")
@click.option(
    "--report",
    "reports",
    type=ReportOption(),
    multiple=True,
    help="html, markdown, json, junit, sarif, github, gitlab, none.",
)
@click.option("--server", metavar="URL", help="Send the finished run to a server; $EVALWRIGHT_SERVER by default.")
@click.option("--quiet", "-q", is_flag=True, help="No progress and no summary.")
@json_option
@workspace_option
def run(
    suite: str,
    reports: Sequence[tuple[str, Path | None]],
    workspace: Path | None,
    baseline: str | None,
    stopping: str,
    traces: str | None,
    server: str | None,
    *,
    trace_content: bool,
    until_decided: bool,
    estimate: bool,
    go_on: bool,
    quiet: bool,
    as_json: bool,
    **options: Any,
) -> int:
    """Run a suite against its target, print the figures and decide the gate.

    SUITE is a suite file, or `file.py:name` for a suite written in Python.

    The first Ctrl-C finishes what is in flight and keeps everything; the second stops at once.
    """
    remote = None if estimate else _remote(server)
    source = apply_overrides(load_source(suite, workspace=workspace), Overrides.from_options(options))
    place = Workspace.open(workspace)
    if estimate:
        return _print_estimate(estimate_run(source, place), as_json=as_json)
    with ProgressPrinter(quiet=quiet) as progress, exporting(traces, content=trace_content) as exporter:
        context = RunContext(
            workspace=place,
            listeners=(progress,),
            command=shlex.join(["evalwright", *sys.argv[1:]]),
            baseline=baseline_id(place, baseline, suite=source.name),
            until_decided=Method(stopping) if until_decided else None,
            traces=exporter,
            announce=None if quiet else _announce,
        )
        summary = _start(source, context, go_on=go_on, quiet=quiet)
    if exporter is not None and exporter.lost:
        click.echo(f"warning: {exporter.lost:,} traces were not delivered: {exporter.problem}", err=True)
    store = place.run(summary.manifest.run_id)
    code = conclude(store, summary, reports, as_json=as_json, quiet=quiet)
    if remote is not None:
        push(remote, store)
    return code


def _remote(server: str | None) -> Remote | None:
    """Where the run is to be sent; asked before it begins, so that a missing token does not show at its end."""
    if server is None and not os.environ.get("EVALWRIGHT_SERVER"):
        return None
    from evalwright.services.remote import Remote

    return Remote.from_environment(server, os.environ)


def _start(source: RunSource, context: RunContext, *, go_on: bool, quiet: bool) -> Summary:
    """Begin a run, or go on with an unfinished one of the same where that was asked for."""
    before = unfinished_like(source, context)
    if before is None:
        return start_run(source, context)
    if go_on:
        return resume_run(context.workspace.run(before), source, context)
    if not quiet:
        click.echo(f"note: {before} is unfinished; `evalwright resume {before}` or --resume goes on with it", err=True)
    return start_run(source, context)


def _announce(found: RunEstimate) -> None:
    """Before a run that will use a model: what it will probably take."""
    if found.tokens is not None:
        click.echo(f"expecting {_estimate_text(found)}", err=True)


def _print_estimate(found: RunEstimate, *, as_json: bool) -> int:
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
        return 0
    click.echo(_estimate_text(found))
    return 0


def _estimate_text(found: RunEstimate) -> str:
    tokens = "" if found.tokens is None else f", about {found.tokens:,} tokens"
    cost = "" if found.cost is None else f", about ${found.cost:,.2f}"
    time = f"{found.minutes:,.1f} min" if found.minutes >= 2 else f"{max(1, round(found.minutes * 60))} s"
    return f"{found.calls:,} calls{tokens}{cost}, about {time} at one second a call"


def conclude(
    store: RunStore,
    summary: Summary,
    reports: Sequence[tuple[str, Path | None]],
    *,
    as_json: bool,
    quiet: bool = False,
) -> int:
    """Write the reports, print the summary, and return the exit code."""
    written = write_reports(store, summary, _wanted(summary, reports))
    for line in tell_github(store, summary, os.environ) if "github" in written else ():
        click.echo(line, err=True)
    if as_json:
        _print_json(summary, written)
    elif not quiet:
        _print_summary(store, summary, written)
    return exit_code(summary)


def _wanted(summary: Summary, reports: Sequence[tuple[str, Path | None]]) -> list[tuple[str, Path | None]]:
    names = [name for name, _ in reports]
    if "none" in names:
        if len(names) > 1:
            raise UsageError("`--report none` can't stand beside other reports")
        return []
    if not reports:
        return [("html", None)] if summary.failing <= MANY_FAILING else []
    return list(reports)


def _print_json(summary: Summary, written: dict[str, str]) -> None:
    from evalwright.reports.json_report import json_line, run_object

    click.echo(json_line(run_object(summary, written)))


def _print_summary(store: RunStore, summary: Summary, written: dict[str, str]) -> None:
    from rich.console import Console

    from evalwright.reports.terminal import print_summary

    failing = [store.cases[int(index)].id for index in store.failing()[:3]]
    print_summary(Console(highlight=False), summary, reports=written, failing=failing)
    if "html" not in written and summary.failing > MANY_FAILING:
        click.echo(
            f"{summary.failing:,} cases failed; the HTML report was not written unasked: "
            f"evalwright report {summary.manifest.run_id} --format html",
            err=True,
        )

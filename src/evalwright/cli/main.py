"""The `evalwright` command: names and one-line helps here, each command's module imported only when it is used."""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any, NoReturn

import click

from evalwright.core.errors import EvalwrightError

COMMANDS: dict[str, tuple[str, str]] = {
    "run": ("evalwright.cli.run:run", "Run a suite and decide its gate."),
    "resume": ("evalwright.cli.resume:resume", "Go on with a run that was interrupted, killed, stopped or paused."),
    "ps": ("evalwright.cli.control:ps", "List running runs and those that were cut off."),
    "pause": ("evalwright.cli.control:pause", "Hold a running run."),
    "set": ("evalwright.cli.control:set_value", "Change the concurrency of a running run."),
    "cancel": ("evalwright.cli.control:cancel", "End a running run in good order."),
    "dataset": ("evalwright.cli.dataset:dataset", "Golden sets: versions, differences, tags, approvals, exports."),
    "case": ("evalwright.cli.case:case", "Make a case of a ticket, an incident or a failing run."),
    "proposal": ("evalwright.cli.proposal:proposal", "Changes that somebody else must agree to."),
    "redact": ("evalwright.cli.redact:redact", "Take personal data and secrets out of a file."),
    "draft": ("evalwright.cli.draft:draft", "Make drafts of cases from documents and cases; a person decides."),
    "import": ("evalwright.cli.import_:import_", "Import cases, answers and checks of another tool."),
    "cache": ("evalwright.cli.cache:cache", "Stored answers: stats, prune, clear."),
    "init": ("evalwright.cli.init:init", "Write a working suite to start from."),
    "validate": ("evalwright.cli.validate:validate", "Check suite files and report every problem at once."),
    "schema": ("evalwright.cli.schema:schema", "Print the JSON Schema of suite files for your editor."),
    "list": ("evalwright.cli.listing:listing", "List runs, scorers, targets or templates."),
    "show": ("evalwright.cli.show:show", "Show a run, or one case of it in full."),
    "report": ("evalwright.cli.report:report", "Write a run's report as HTML, Markdown, JSON or JUnit."),
    "compare": ("evalwright.cli.compare:compare", "Compare runs case by case: what changed, how surely, for whom."),
    "slices": ("evalwright.cli.slices:slices", "Find the slices in which a run is worse than elsewhere."),
    "power": ("evalwright.cli.power:power", "Tell what difference a suite can see, and what more it takes."),
    "flaky": ("evalwright.cli.flaky:flaky", "Find cases that pass and fail by chance, and those that changed."),
    "sync": ("evalwright.cli.sync:sync", "Bring a shared workspace's folder, catalog and object storage together."),
    "export": ("evalwright.cli.export:export", "Export a run's rows as JSONL, CSV or Parquet."),
    "gate": ("evalwright.cli.gate:gate", "Decide on a stored run, or explain its decision."),
    "push": ("evalwright.cli.push:push_runs", "Send finished runs to a server."),
    "serve": ("evalwright.server.command:serve", "Serve the workbench: pages, API, sign-in and reviews."),
    "audit": ("evalwright.cli.audit:audit", "Read and check the log of who did what."),
    "baseline": ("evalwright.cli.baseline:baseline", "Say which run later ones are compared with."),
    "pack": ("evalwright.cli.pack:pack", "Attack a suite's target with adversarial and safety packs."),
    "waive": ("evalwright.cli.waive:waive", "Set a rule aside for one run, with a second person's agreement."),
    "quarantine": ("evalwright.cli.quarantine:quarantine", "Keep flaky cases from deciding gates."),
    "experiment": ("evalwright.cli.experiment:experiment", "Vary settings of a suite together and see what each does."),
    "route": ("evalwright.cli.route:route", "Measure a router: quality against cost, regret, other thresholds."),
    "score": ("evalwright.cli.score:score", "Score a run's stored outputs again; calls no target."),
    "calibrate": ("evalwright.cli.calibrate:calibrate", "Measure a scorer or judge against people's labels."),
    "review": ("evalwright.cli.review:review", "Label answers, measure agreement, settle disputes."),
    "card": ("evalwright.cli.calibrate:card", "Show what is known of a scorer's own errors."),
}
"""Every command: where it lives and what it is for."""

ALIASES = {"eval": "run", "ls": "list"}


class LazyGroup(click.Group):
    """A group that imports a command's module only when that command is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of `COMMANDS`."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command; None when there is no such name."""
        entry = COMMANDS.get(ALIASES.get(cmd_name, cmd_name))
        if entry is None:
            return None
        module, _, attribute = entry[0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands from the table, importing none."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command; an unknown one gets the nearest names."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            raise _with_near_misses(error, args[0]) from error


def _with_near_misses(error: click.UsageError, given: str) -> click.UsageError:
    import difflib

    near = difflib.get_close_matches(given, [*COMMANDS, *ALIASES], n=2)
    hint = f" Did you mean {' or '.join(f'`{name}`' for name in near)}?" if near else ""
    return click.UsageError(f"no such command `{given}`.{hint}", ctx=error.ctx)


EPILOG = """\b
Examples:
  evalwright init --template rag support && cd support
  evalwright run suite.yaml
  evalwright show latest
Exit codes: 0 gate passed or none asked, 1 gate failed, 2 wrong usage or
configuration, 3 inconclusive, 4 run incomplete, 130 interrupted."""


@click.group(cls=LazyGroup, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="evalwright", prog_name="evalwright")
@click.option(
    "--catalog", metavar="URL", help="Shared catalog, e.g. 'postgresql://me:${PW}@host/db'; $EVALWRIGHT_CATALOG."
)
@click.option("--objects", metavar="URL", help="Object storage, e.g. s3://bucket/prefix; $EVALWRIGHT_OBJECTS.")
def main(catalog: str | None, objects: str | None) -> None:
    """Measure AI features and turn the measurements into release decisions."""
    os.environ.update({"EVALWRIGHT_CATALOG": catalog} if catalog else {})
    os.environ.update({"EVALWRIGHT_OBJECTS": objects} if objects else {})


def run() -> NoReturn:
    """Entry point of the console scripts: user mistakes become messages, never tracebacks."""
    sys.exit(_call())


def _call() -> int:
    try:
        result: Any = main.main(standalone_mode=False)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except EvalwrightError as error:
        click.echo(_as_message(error), err=True)
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted", err=True)
        return 130
    except BrokenPipeError:
        sys.stdout = None  # the reader has gone; there is nobody left to tell
        return 0
    return result if isinstance(result, int) else 0


def _as_message(error: EvalwrightError) -> str:
    text = str(error)
    return text if text.startswith("error:") else f"error: {text}"

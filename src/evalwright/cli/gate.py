"""`evalwright gate`: decide on a stored run, and explain the decision."""

from __future__ import annotations

from pathlib import Path

import click

from evalwright.cli.options import find_run, json_option, open_workspace, place_option, summary_of
from evalwright.store.results import RunStore

EPILOG = """\b
Examples:
  evalwright gate latest
  evalwright gate latest --baseline release-7
  evalwright gate latest --policy policies/tier-1.yaml --json
  evalwright gate explain latest
Exit codes: 0 passed, 1 failed, 3 inconclusive, 4 the run is incomplete."""


class _WithDefault(click.Group):
    """A group whose first word may also be a run: `gate RUN` is `gate decide RUN`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put in the command that is meant where none is named."""
        if args and args[0] not in self.commands and args[0] not in ("--help", "-h"):
            args = ["decide", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_WithDefault, epilog=EPILOG)
def gate() -> None:
    """Decide on a stored run: `evalwright gate RUN`. Nothing is run again."""


@gate.command("decide", epilog=EPILOG)
@click.argument("run")
@click.option("--baseline", metavar="RUN", help="Run to compare with; the suite's baseline if not given.")
@click.option("--policy", type=click.Path(path_type=Path, dir_okay=False), help="File of rules, not the suite's.")
@json_option
@place_option
def decide(run: str, baseline: str | None, policy: Path | None, workspace: Path | None, *, as_json: bool) -> int:
    """Decide on a RUN by its own rules or those of a policy file (the word `decide` may be left out)."""
    from evalwright.gates.explain import decision_lines
    from evalwright.reports.json_report import json_line
    from evalwright.services.evaluation import exit_code
    from evalwright.services.gating import decision_record, gate_run

    place = open_workspace(workspace)
    store = find_run(place, run)
    summary = gate_run(place, store, baseline=baseline, policy=policy)
    if as_json:
        click.echo(json_line(decision_record(store)))
    elif summary.decision is not None:
        _print(store, decision_lines(summary.decision))
    return exit_code(summary)


@gate.command("explain")
@click.argument("run")
@place_option
def explain(run: str, workspace: Path | None) -> None:
    """Explain the last decision on a RUN, rule by rule, in plain words: what was asked, what was seen, what follows."""
    from evalwright.gates.explain import explanation
    from evalwright.services.gating import decision_record, gate_run

    place = open_workspace(workspace)
    store = find_run(place, run)
    record = decision_record(store)
    if record is None:
        gate_run(place, store)
        record = decision_record(store)
    summary_of(store)
    if record is not None:
        _print(store, explanation(record))


def _print(store: RunStore, lines: list[str]) -> None:
    click.echo("\n".join(lines))
    click.echo(f"\nrecord: {store.folder / 'decision.json'}", err=True)

"""`evalwright quarantine`: cases that are run and shown but decide nothing for a while."""

from __future__ import annotations

import time
from pathlib import Path

import click

from evalwright.cli.options import audited, json_option, open_workspace, place_option, workspace_option
from evalwright.cli.waive import seconds

EPILOG = """\b
Examples:
  evalwright quarantine add support q17 q18 --owner ada --reason "flips from run to run" --expires 30d
  evalwright quarantine list
  evalwright quarantine release support q17"""


@click.group(epilog=EPILOG)
def quarantine() -> None:
    """Keep flaky or doubtful cases from deciding gates. They are still run and shown, and their number is told."""


@quarantine.command("add")
@click.argument("suite")
@click.argument("cases", nargs=-1, required=True)
@click.option("--owner", required=True, help="Who looks after them.")
@click.option("--reason", required=True, help="Why they should not decide.")
@click.option("--expires", default="30d", show_default=True, metavar="TIME", help="When they count again: 12h, 30d.")
@workspace_option
def add(suite: str, cases: tuple[str, ...], owner: str, reason: str, expires: str, workspace: Path | None) -> None:
    """Put CASES of a SUITE into quarantine, by their ids."""
    from evalwright.services.people import user_name
    from evalwright.services.quarantine import Isolation, isolate

    why = Isolation(owner=owner, reason=reason, lasts_s=seconds(expires), user=user_name(), now=time.time())
    place = open_workspace(workspace)
    made = isolate(place, suite, cases, why)
    audited(place, why.user, "quarantine.add", suite, cases=len(made), first=made[0].case_id)
    click.echo(f"{len(made)} in quarantine until {_date(made[0].expires_at)}")


@quarantine.command("release")
@click.argument("suite")
@click.argument("cases", nargs=-1, required=True)
@workspace_option
def release(suite: str, cases: tuple[str, ...], workspace: Path | None) -> None:
    """Let CASES of a SUITE count again."""
    from evalwright.services.people import user_name
    from evalwright.services.quarantine import release as let_out

    place, user = open_workspace(workspace), user_name()
    let_out(place, suite, cases, user=user, now=time.time())
    audited(place, user, "quarantine.release", suite, cases=len(cases), first=cases[0])
    click.echo(f"{len(cases)} released")


@quarantine.command("list")
@click.option("--all", "everything", is_flag=True, help="Those that count again too.")
@json_option
@place_option
def list_(workspace: Path | None, *, everything: bool, as_json: bool) -> None:
    """List cases in quarantine with owner, reason and end."""
    from evalwright.reports.json_report import json_line
    from evalwright.store.governance import quarantine as stored

    now = time.time()
    found = [case for case in stored(open_workspace(workspace)) if everything or case.state(now) == "active"]
    if as_json:
        click.echo(json_line([{"state": case.state(now), "case": case} for case in found]))
        return
    for case in found:
        click.echo(f"{case.id}  {case.state(now)} until {_date(case.expires_at)}, {case.owner}: {case.reason}")
    click.echo(f"{sum(case.state(now) == 'active' for case in found)} in quarantine", err=True)


def _date(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))

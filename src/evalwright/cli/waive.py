"""`evalwright waive`: exceptions to rules, asked for by one person and agreed to by another."""

from __future__ import annotations

import time
from pathlib import Path

import click

from evalwright.cli.options import audited, find_run, json_option, open_workspace, place_option, workspace_option
from evalwright.store.governance import Waiver
from evalwright.store.workspace import Workspace

EPILOG = """\b
Examples:
  evalwright gate explain latest
  evalwright waive request latest 2 --reason "label error, see ticket" --ticket EV-12 --expires 14d
  EVALWRIGHT_USER=grace evalwright waive approve w-1a2b3c4d
  evalwright gate latest
  evalwright waive list"""


@click.group(epilog=EPILOG)
def waive() -> None:
    """Set a rule of the gate aside for one run, with a reason, an end, and the agreement of a second person.

    A waiver holds for the very results and rules it was asked for, and is checked each time the gate is decided. Your
    name is $EVALWRIGHT_USER, or the system's.
    """


@waive.command("request")
@click.argument("run")
@click.argument("rule")
@click.option("--reason", required=True, help="Why the run may be released all the same.")
@click.option("--ticket", default="", help="Where the remedy is followed up.")
@click.option("--expires", default="14d", show_default=True, metavar="TIME", help="When it ends: 12h, 14d.")
@workspace_option
def request(run: str, rule: str, reason: str, ticket: str, expires: str, workspace: Path | None) -> None:
    """Ask to waive a RULE (its name, or its number in `gate explain`) for a RUN."""
    from evalwright.services.people import user_name
    from evalwright.services.waivers import WaiverRequest, request_waiver

    place = open_workspace(workspace)
    wanted = WaiverRequest(
        rule=rule, reason=reason, ticket=ticket, lasts_s=seconds(expires), user=user_name(), now=time.time()
    )
    made = request_waiver(place, find_run(place, run), wanted)
    _note(place, made, "request", wanted.user)
    click.echo(made.id)
    click.echo(f"`{made.rule}` is waived once somebody else runs: evalwright waive approve {made.id}", err=True)


@waive.command("approve")
@click.argument("waiver")
@workspace_option
def approve(waiver: str, workspace: Path | None) -> None:
    """Agree to a WAIVER that somebody else asked for."""
    from evalwright.services.people import user_name
    from evalwright.services.waivers import approve_waiver

    place, user = open_workspace(workspace), user_name()
    found = approve_waiver(place, waiver, user=user, now=time.time())
    _note(place, found, "approve", user)
    click.echo(f"{found.id} is active until {_date(found.expires_at)}")
    click.echo(f"next: evalwright gate {found.run_id}", err=True)


@waive.command("revoke")
@click.argument("waiver")
@workspace_option
def revoke(waiver: str, workspace: Path | None) -> None:
    """Take a WAIVER back."""
    from evalwright.services.people import user_name
    from evalwright.services.waivers import revoke_waiver

    place, user = open_workspace(workspace), user_name()
    found = revoke_waiver(place, waiver, user=user, now=time.time())
    _note(place, found, "revoke", user)
    click.echo(f"{found.id} is revoked")


@waive.command("list")
@click.option("--all", "everything", is_flag=True, help="Those that have ended too.")
@json_option
@place_option
def list_(workspace: Path | None, *, everything: bool, as_json: bool) -> None:
    """List waivers with who asked, who agreed, and until when."""
    from evalwright.reports.json_report import json_line
    from evalwright.store.governance import waivers

    now = time.time()
    found = [w for w in waivers(open_workspace(workspace)) if everything or w.state(now) in {"active", "requested"}]
    if as_json:
        click.echo(json_line([{"state": waiver.state(now), "waiver": waiver} for waiver in found]))
        return
    for waiver in found:
        click.echo("\n".join(_lines(waiver, now)))
    active = sum(waiver.state(now) == "active" for waiver in found)
    click.echo(f"{active} active", err=True)


def _note(workspace: Workspace, waiver: Waiver, step: str, user: str) -> None:
    """Write a step of a waiver into the audit log."""
    detail = {"rule": waiver.rule, "run": waiver.run_id, "suite": waiver.suite, "expires_at": waiver.expires_at}
    audited(workspace, user, f"waiver.{step}", waiver.id, **detail)


def _lines(waiver: Waiver, now: float) -> list[str]:
    agreed = f"agreed to by {waiver.approved_by}" if waiver.approved_by else "waits for somebody to agree"
    until = _date(waiver.expires_at)
    ticket = f" ({waiver.ticket})" if waiver.ticket else ""
    return [
        f"{waiver.id}  {waiver.state(now):9} {waiver.suite}: {waiver.rule}",
        f"            run {waiver.run_id}, asked for by {waiver.requested_by}, {agreed}, until {until}",
        f"            {waiver.reason}{ticket}",
    ]


def _date(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))


def seconds(text: str) -> float:
    """A time as people write it: `12h`, `14d`, `2w`, or what suites understand.

    Raises:
        UsageError: It is no time.
    """
    from evalwright.core.errors import UsageError
    from evalwright.suites.quantities import duration

    scale = {"d": 86_400.0, "w": 604_800.0}.get(text[-1:].lower())
    try:
        return float(text[:-1]) * scale if scale else float(duration(text))
    except ValueError:
        raise UsageError(f"`{text}` is no time", hint="write e.g. 12h, 14d or 2w") from None

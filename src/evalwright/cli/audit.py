"""`evalwright audit`: who did what and when, and whether the log of it is whole."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from evalwright.cli.options import json_option, open_workspace, workspace_option
from evalwright.core.errors import UsageError

if TYPE_CHECKING:
    from evalwright.services.audit_checks import AuditReport
    from evalwright.store.audit import AuditRow

EPILOG = """\b
Examples:
  evalwright audit list --action waiver.
  evalwright audit verify
  evalwright audit verify --public-key /mnt/safe/key.pub.pem --checkpoints /mnt/safe/checkpoints.jsonl
  evalwright audit export -o audit.jsonl"""

BROKEN = 1


@click.group(epilog=EPILOG)
def audit() -> None:
    """Read and check the audit log of a workspace or server.

    Each row holds the hash of the one before it; signed checkpoints say how long the log was when. Keep copies of
    `audit/key.pub.pem` and `audit/checkpoints.jsonl` where the server can't write.
    """


@audit.command("list")
@click.option("--actor", help="Only what this person did.")
@click.option("--action", help="Only this action; with a dot at its end a group: `waiver.`.")
@click.option("--project", help="Only in this project.")
@click.option("--since", metavar="DAYS", type=float, help="Only of the last so many days.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True, help="How many rows.")
@json_option
@workspace_option
def list_rows(
    actor: str | None,
    action: str | None,
    project: str | None,
    since: float | None,
    limit: int,
    workspace: Path | None,
    *,
    as_json: bool,
) -> None:
    """List what was done, newest first."""
    from evalwright.services.auditing import audit_rows
    from evalwright.store.audit import AuditFilter

    after = None if since is None else time.time() - since * 86_400
    wanted = AuditFilter(actor=actor, action=action, project=project, since=after)
    rows = audit_rows(open_workspace(workspace), wanted, limit=limit)
    if as_json:
        click.echo(msgspec.json.encode(rows).decode())
    elif rows:
        _print_rows(rows)
    else:
        click.echo("nothing was done yet that fits", err=True)


def _print_rows(rows: list[AuditRow]) -> None:
    wide = max(len(row.actor) for row in rows)
    for row in rows:
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(row.at))
        place = f" in {row.project}" if row.project else ""
        more = "" if row.detail == "{}" else f"  {row.detail}"
        line = f"{row.seq:>6}  {when}  {row.actor:<{wide}}  {row.action}  {row.subject}{place}{more}"
        click.echo("".join(letter if letter.isprintable() else "\ufffd" for letter in line))


@audit.command("verify")
@click.option("--public-key", type=click.Path(path_type=Path), help="Key of the checkpoints; the workspace's own else.")
@click.option("--checkpoints", type=click.Path(path_type=Path), help="Checkpoints kept elsewhere.")
@json_option
@workspace_option
def verify_log(public_key: Path | None, checkpoints: Path | None, workspace: Path | None, *, as_json: bool) -> int:
    """Check that no row was changed, taken out or cut off; exit code 1 when one was."""
    from evalwright.services.audit_checks import verify

    report = verify(open_workspace(workspace), public_key=public_key, checkpoints=checkpoints)
    if as_json:
        click.echo(msgspec.json.encode({**msgspec.to_builtins(report), "whole": report.whole}).decode())
    else:
        _print_report(report)
    return 0 if report.whole else BROKEN


def _print_report(report: AuditReport) -> None:
    if report.whole:
        click.echo(f"whole: {report.rows:,} rows, each after the one it was written after")
    for problem in report.problems:
        click.echo(f"broken at row {problem.seq}: {problem.message}")
    unsigned = report.rows - report.signed_rows
    if report.checkpoints:
        many = "1 checkpoint vouches" if report.checkpoints == 1 else f"{report.checkpoints:,} checkpoints vouch"
        said = f"{many} for {report.signed_rows:,} rows"
        click.echo(f"{said}; the {unsigned:,} after them could be cut off unseen" if unsigned > 0 else said, err=True)
    else:
        click.echo("no checkpoint yet: rows at the end could be cut off unseen; evalwright audit checkpoint", err=True)


@audit.command("checkpoint")
@click.option("--key", type=click.Path(path_type=Path), help="Private key (PEM); the workspace's own by default.")
@workspace_option
def checkpoint(key: Path | None, workspace: Path | None) -> None:
    """Sign how long the log is now; the server does so every 100 rows, hourly and at its end."""
    from evalwright.services.audit_checks import make_checkpoint

    made = make_checkpoint(open_workspace(workspace), key=key)
    if made is None:
        raise UsageError("the log is empty: there is nothing to sign")
    click.echo(msgspec.json.encode(made).decode())


@audit.command("export")
@click.option("--output", "-o", type=click.Path(path_type=Path, dir_okay=False), required=True, help="File to write.")
@click.option("--format", "kind", type=click.Choice(["jsonl", "csv"]), help="By the file's ending if not given.")
@workspace_option
def export(output: Path, kind: str | None, workspace: Path | None) -> None:
    """Write the whole log, oldest row first."""
    from evalwright.services.auditing import export_audit

    rows = export_audit(open_workspace(workspace), output, kind or ("csv" if output.suffix == ".csv" else "jsonl"))
    click.echo(f"{output}: {rows:,} rows", err=True)

"""`evalwright proposal`: changes that wait for somebody else's agreement."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Literal, get_args

import click
import msgspec

from evalwright.cli.options import audited, json_option, open_workspace, workspace_option
from evalwright.core.errors import UsageError
from evalwright.governance.members import APPROVALS, Member, Members
from evalwright.governance.proposals import Figure, Impact, Kind, Proposal, RunMove, State
from evalwright.governance.roles import Role
from evalwright.services.people import user_name
from evalwright.services.proposal_files import Wanted
from evalwright.services.proposing import Proposals
from evalwright.services.trends import breaks
from evalwright.store.workspace import Workspace

EPILOG = """\b
Examples:
  evalwright proposal new tickets@v3 --reason "cases of August"
  evalwright proposal new rubrics/tone.yaml --title "politeness counts"
  evalwright proposal show p-1a2b3c4d
  evalwright proposal approve p-1a2b3c4d --by bob --comment "checked"
  evalwright proposal member ann lead --team support
  evalwright proposal breaks support-rag"""

by_option = click.option("--by", metavar="NAME", help="Who does this; $EVALWRIGHT_USER or the user by default.")
comment_option = click.option("--comment", default="", help="Why.")


@click.group(epilog=EPILOG)
def proposal() -> None:
    """Propose changes of golden sets, rubrics, scorers and gates; somebody else decides."""


@proposal.command()
@click.argument("subject", metavar="NAME@VERSION|FILE")
@click.option("--title", default="", help="In a line.")
@click.option("--reason", "-m", default="", help="Why.")
@click.option("--base", type=click.Path(path_type=Path, dir_okay=False), help="What a file is compared with.")
@click.option("--kind", type=click.Choice(get_args(Kind)), help="Of a file; told from its content by default.")
@click.option(
    "--suites",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="Where suite files are looked for; here by default.",
)
@by_option
@json_option
@workspace_option
def new(
    subject: str,
    title: str,
    reason: str,
    base: Path | None,
    kind: Kind | None,
    folder: Path,
    by: str | None,
    workspace: Path | None,
    *,
    as_json: bool,
) -> None:
    """Propose SUBJECT: a draft version of a golden set, or a changed rubric, scorer (.py), policy or suite file.

    A file is compared with what was approved last, else with git's HEAD, else with nothing.
    """
    wanted = Wanted(subject=subject, by=user_name(by), title=title, reason=reason, base=base, kind=kind, folder=folder)
    place = Workspace.open(workspace)
    made = Proposals(place).make(wanted)
    audited(place, made.by, "proposal.new", made.subject, proposal=made.id)
    if as_json:
        click.echo(msgspec.json.encode(made).decode())
        return
    for line in proposal_lines(made):
        click.echo(_printable(line))


@proposal.command("list")
@click.option("--state", type=click.Choice(["all", *get_args(State)]), default="all", help="Only these.")
@json_option
@workspace_option
def list_(state: str, workspace: Path | None, *, as_json: bool) -> None:
    """List proposals, oldest first."""
    found = [p for p in Proposals(open_workspace(workspace)).all() if state in ("all", p.state)]
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
        return
    for one in found:
        click.echo(_printable(f"{one.id}  {one.state:9}  {one.kind:6}  {one.subject}  by {one.by}  {one.title}"))
    if not found:
        click.echo("there is no such proposal; `evalwright proposal new` makes one", err=True)


@proposal.command()
@click.argument("proposal_id", metavar="ID")
@json_option
@workspace_option
def show(proposal_id: str, workspace: Path | None, *, as_json: bool) -> None:
    """Show a proposal: difference, what it would do, who decided."""
    found = Proposals(open_workspace(workspace)).find(proposal_id)
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
        return
    for line in proposal_lines(found):
        click.echo(_printable(line))


def _decision(name: Literal["approve", "reject", "withdraw"], state: State, text: str) -> None:
    @proposal.command(name, help=text)
    @click.argument("proposal_id", metavar="ID")
    @comment_option
    @by_option
    @workspace_option
    def decide(proposal_id: str, comment: str, by: str | None, workspace: Path | None) -> None:
        place, who = open_workspace(workspace), user_name(by)
        found = Proposals(place).decide(proposal_id, state, by=who, comment=comment)
        audited(place, who, f"proposal.{name}", found.id, subject_kind=found.kind)
        click.echo(f"{found.id} is {found.state}: {found.subject}")


_decision("approve", "approved", "Agree; not the one who made the proposal. A golden set's version becomes approved.")
_decision("reject", "rejected", "Refuse; not the one who made the proposal. A golden set's version is a draft again.")
_decision("withdraw", "withdrawn", "Take a proposal of one's own back.")


@proposal.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@workspace_option
def check(file: Path, workspace: Path | None) -> int:
    """Tell whether FILE's present content was approved; exit code 1 when not, for CI."""
    found = Proposals(open_workspace(workspace)).approved(file)
    if found is None:
        click.echo(f"{file} as it is was not approved")
        return 1
    click.echo(f"{file} was approved by {found.decided_by} ({found.id})")
    return 0


@proposal.command()
@click.argument("name")
@click.argument("role", type=click.Choice([*(role.value for role in Role), "none"]))
@click.option("--team", "teams", multiple=True, help="A team whose sets and suites are theirs too.")
@click.option("--approves", multiple=True, type=click.Choice(APPROVALS), help="What they are the named approver of.")
@by_option
@workspace_option
def member(
    name: str, role: str, teams: tuple[str, ...], approves: tuple[str, ...], by: str | None, workspace: Path | None
) -> None:
    """Give NAME a role (`none` takes it away). The first one must be admin; then only admins may."""
    who = None if role == "none" else Role.named(role)
    made = Member(name=name, role=who, teams=teams, approves=approves, at=time.time(), by=user_name(by))
    place = Workspace.open(workspace)
    Members(place).set(made)
    audited(place, made.by, "member.set", name, role=role)
    click.echo(f"{name} is {'no member any more' if who is None else who.value}")


@proposal.command()
@json_option
@workspace_option
def members(workspace: Path | None, *, as_json: bool) -> None:
    """List who is what; without anybody, everybody but an author may agree."""
    found = Members(open_workspace(workspace)).all()
    if as_json:
        click.echo(msgspec.json.encode(list(found.values())).decode())
        return
    for one in found.values():
        more = [f"team {', '.join(one.teams)}"] if one.teams else []
        more += [f"approves {', '.join(one.approves)}"] if one.approves else []
        click.echo("  ".join([one.name, one.role.value if one.role else "", *more]))
    if not found:
        click.echo("nobody is named: everybody but an author may agree", err=True)


@proposal.command("breaks")
@click.argument("suite")
@json_option
@workspace_option
def breaks_(suite: str, workspace: Path | None, *, as_json: bool) -> None:
    """Tell between which runs of SUITE figures stopped being comparable, and why."""
    place = open_workspace(workspace)
    if suite not in place.catalog.suites():
        raise UsageError(f"there is no run of the suite {suite!r}", hint=f"suites: {', '.join(place.catalog.suites())}")
    found = breaks(place, suite)
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
        return
    for one in found:
        click.echo(_printable(f"{one.before} | {one.after}  comparable: {one.comparable}  {one.meaning}"))
    if not found:
        click.echo("all runs are comparable with one another")


def proposal_lines(found: Proposal) -> list[str]:
    """A proposal for people."""
    lines = [f"{found.id}  {found.state}  {found.kind} {found.subject}", f"{found.title}, by {found.by}"]
    lines += [found.reason] if found.reason else []
    if found.state != "open":
        lines.append(f"{found.state} by {found.decided_by}{': ' + found.comment if found.comment else ''}")
    lines.append(f"compared with {found.base or 'nothing'}; agreeing takes the right `{found.action}`")
    return [*lines, "", *found.diff, "", *impact_lines(found.impact)]


def impact_lines(impact: Impact) -> list[str]:
    """What a change would do, for people."""
    lines = [f"trends stay comparable: {impact.comparable}. {impact.meaning}"]
    for suite in impact.touched:
        lines.append(f"suite {suite.suite}{f' ({suite.file})' if suite.file else ''}: {suite.how}")
        lines += [f"    gate: {rule}" for rule in suite.rules]
    if not impact.touched:
        lines.append("no suite uses it")
    for run in impact.runs:
        lines += _run_lines(run)
    return lines


def _run_lines(run: RunMove) -> list[str]:
    verdict = f"  gate {run.decision or 'none'} -> {run.would_be or 'none'}" if run.decision or run.would_be else ""
    lines = [f"run {run.run_id}{verdict}"]
    lines += [f"    {move.metric}: {_figure(move.before)} -> {_figure(move.after)}" for move in run.moves]
    return lines + [f"    {rule}" for rule in run.rules]


def _figure(figure: Figure) -> str:
    if figure.value is None:
        return f"none (n {figure.n:,})"
    interval = "" if figure.low is None or figure.high is None else f" [{figure.low:.4g}, {figure.high:.4g}]"
    return f"{figure.value:.4g}{interval} (n {figure.n:,})"


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text)

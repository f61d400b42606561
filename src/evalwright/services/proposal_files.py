"""Proposals about files: a rubric, a scorer in Python, a policy, a suite."""

from __future__ import annotations

import difflib
import hashlib
import subprocess
import time
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import msgspec

from evalwright.core.case import Json
from evalwright.core.errors import ConfigError, Problem, UsageError
from evalwright.core.gate import Rule
from evalwright.governance.proposals import Impact, Kind, Proposal, new_id
from evalwright.governance.roles import Action
from evalwright.services.gating import policy_rules
from evalwright.services.proposal_impact import gate_impact, scoring_impact, using_file
from evalwright.services.suite_files import load_source
from evalwright.services.suite_search import FoundSuite, known_suites
from evalwright.store.results import RunStore
from evalwright.store.workspace import Workspace
from evalwright.suites.yaml_reader import parse_yaml

MAX_TEXT = 1_000_000
MAX_DIFF = 400


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody proposes.

    Attributes:
        subject: `tickets@v3`, or a file: a rubric, a scorer in Python, a policy, a suite.
        by: Who.
        title: In a line; made from the subject when empty.
        reason: Why.
        base: What a file is compared with: a file; what was approved last, or git's HEAD when not given.
        kind: Told from the file when not given.
        folder: Suite files are looked for below it.
    """

    subject: str
    by: str
    title: str = ""
    reason: str = ""
    base: Path | None = None
    kind: Kind | None = None
    folder: Path = Path()


def file_proposal(workspace: Workspace, wanted: Wanted, agreed: Sequence[Proposal]) -> Proposal:
    """A proposal about a changed file.

    Args:
        workspace: Where runs are.
        wanted: What is proposed.
        agreed: Approved proposals, oldest first.

    Raises:
        UsageError: The file is as it was, or of no known kind.
        ConfigError: It can't be read.
    """
    path = Path(wanted.subject)
    after = text_of(path)
    base, before = _before(path, wanted.base, agreed)
    if before == after:
        raise UsageError(f"{path} is as it was ({base})", hint="name what to compare it with: --base FILE")
    kind = wanted.kind or _kind_of(path, after, before)
    suites = known_suites(workspace, wanted.folder)
    impact = _file_impact(workspace, path, kind, suites)
    own = next((suite for suite in suites if suite.file and Path(suite.file).resolve() == path.resolve()), None)
    return Proposal(
        id=new_id(),
        kind=kind,
        subject=str(path),
        title=wanted.title or f"{kind} {path.name}",
        by=wanted.by,
        at=time.time(),
        reason=wanted.reason,
        action=_action(kind, impact).value,
        owner=str(own.data["owner"]) if own and own.data.get("owner") else None,
        base=base,
        before=digest_of(before) if before else "",
        after=digest_of(after),
        text=after,
        diff=_text_diff(before, after, path),
        impact=impact,
    )


def _before(path: Path, base: Path | None, agreed: Sequence[Proposal]) -> tuple[str, str]:
    """What a file is compared with, in words and as text."""
    if base is not None:
        return str(base), text_of(base)
    for proposal in reversed(agreed):
        if proposal.subject == str(path):
            return f"approved by {proposal.id}", proposal.text
    committed = _committed(path)
    return ("git HEAD", committed) if committed is not None else ("", "")


def _committed(path: Path) -> str | None:
    """The file as git's last commit has it; None outside git, or when it has not."""
    folder = path.resolve().parent
    try:
        done = subprocess.run(  # noqa: S603 - fixed words, no shell
            ["git", "-C", str(folder), "show", f"HEAD:./{path.name}"],  # noqa: S607 - git as the user would call it
            capture_output=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None


def text_of(path: Path) -> str:
    """A file of at most a million bytes as text.

    Raises:
        ConfigError: It is larger, no UTF-8, or can't be read.
    """
    try:
        data = path.read_bytes()
        if len(data) <= MAX_TEXT:
            return data.decode("utf-8")
    except UnicodeDecodeError:
        raise ConfigError([Problem(message="no UTF-8", file=str(path))]) from None
    except OSError as error:
        raise ConfigError([Problem(message=f"can't be read: {error.strerror}", file=str(path))]) from error
    raise ConfigError([Problem(message=f"larger than {MAX_TEXT:,} bytes", file=str(path))])


def digest_of(text: str) -> str:
    """SHA-256 of a text, in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def _kind_of(path: Path, after: str, before: str) -> Kind:
    if path.suffix == ".py":
        return "scorer"
    data = parse_yaml(after, name=str(path)).data
    if isinstance(data, dict) and "rubric" in data:
        return "rubric"
    if isinstance(data, list) or (isinstance(data, dict) and set(data) == {"gate"}):
        return "gate"
    if not isinstance(data, dict) or "suite" not in data:
        raise UsageError(f"{path} is no rubric, policy, suite or scorer", hint="say what it is with --kind")
    return _changed_section(data, before)


def _changed_section(data: dict[str, Json], before: str) -> Kind:
    """What a change of a suite file is about: its gate, its scorers, or the rest."""
    try:
        old = parse_yaml(before, name="before").data
    except ConfigError:
        old = None
    old = old if isinstance(old, dict) else {}
    if data.get("gate") != old.get("gate"):
        return "gate"
    return "scorer" if data.get("scorers") != old.get("scorers") else "suite"


def _file_impact(workspace: Workspace, path: Path, kind: Kind, suites: Sequence[FoundSuite]) -> Impact:
    own = [suite for suite in suites if suite.file and Path(suite.file).resolve() == path.resolve()]
    if kind == "gate":
        using = own or [suite for suite in suites if suite.data.get("gate")]
        return gate_impact(workspace, using, lambda run: _rules(path, run, suite_file=bool(own)))
    if kind == "suite":
        return gate_impact(workspace, own, lambda run: _rules(path, run, suite_file=True))
    return scoring_impact(workspace, own or using_file(suites, path), kind)


def _rules(path: Path, run: RunStore, *, suite_file: bool) -> tuple[Rule, ...]:
    """The rules of a policy file read against a run, or those of a suite file."""
    if suite_file:
        return tuple(load_source(str(path), for_scoring=True).rules)
    summary = run.summary()
    if summary is None:
        raise UsageError(f"the run {run.run_id} has no figures")
    return policy_rules(run, summary, path)


def _action(kind: Kind, impact: Impact) -> Action:
    if kind == "gate":
        first = any(suite.tier == 1 for suite in impact.touched)
        return Action.CHANGE_TIER1_THRESHOLD if first else Action.CHANGE_GATE
    actions = {"rubric": Action.CHANGE_RUBRIC, "scorer": Action.CHANGE_SCORER, "suite": Action.CHANGE_SUITE}
    return actions[kind]


def _text_diff(before: str, after: str, path: Path) -> tuple[str, ...]:
    lines = difflib.unified_diff(
        before.splitlines(), after.splitlines(), f"before/{path}", f"after/{path}", lineterm=""
    )
    return tuple(line[:500] for line in islice(lines, MAX_DIFF))

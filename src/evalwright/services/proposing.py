"""Proposals in use: made from a version of a golden set or a changed file, decided on by somebody else.

A proposal about a golden set is decided on where the set itself says so: its state is read from the set's log, so one
written line approves both, and nothing is half done.
"""

from __future__ import annotations

import time
from contextlib import ExitStack, closing
from itertools import islice
from pathlib import Path

import msgspec

from evalwright.core.case import Json
from evalwright.core.errors import UsageError
from evalwright.datasets.comparing import CaseDiff, Change, word_diff
from evalwright.datasets.versions import GoldenSet, Version
from evalwright.governance.members import Members
from evalwright.governance.proposals import (
    Proposal,
    State,
    ended,
    new_id,
    present,
    proposal_log,
)
from evalwright.governance.roles import Action
from evalwright.services.golden import Goldens
from evalwright.services.proposal_files import MAX_DIFF, Wanted, digest_of, file_proposal, text_of
from evalwright.services.proposal_impact import golden_impact
from evalwright.store.cases import CaseFile
from evalwright.store.workspace import Workspace

_STATES: dict[str, State] = {"approved": "approved", "retired": "rejected", "draft": "rejected"}


class Proposals:
    """The proposals of a workspace.

    Args:
        workspace: Where they are kept.
    """

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self._log = proposal_log(workspace)

    def all(self) -> list[Proposal]:
        """All in their present state, oldest first."""
        return [self._settled(proposal) for proposal in present(self._log.read()).values()]

    def find(self, proposal_id: str) -> Proposal:
        """One by its id, or the beginning of it.

        Raises:
            UsageError: There is none, or several.
        """
        known = self.all()
        found = [proposal for proposal in known if proposal.id.startswith(proposal_id)]
        if len(found) != 1:
            hint = f"there are: {', '.join(p.id for p in known[-5:])}" if known else "there is none at all"
            raise UsageError(f"there is no proposal {proposal_id!r}", hint=hint)
        return found[0]

    def make(self, wanted: Wanted) -> Proposal:
        """Propose a change.

        Raises:
            UsageError: Nothing would change, one is open for it already, or the person may not.
            ConfigError: The file can't be read.
        """
        Members(self.workspace).check(wanted.by, Action.PROPOSE)
        made = self._of_file(wanted) if Path(wanted.subject).is_file() else self._of_golden(wanted)
        with self._log.writing() as log:
            for other in map(self._settled, present(log.records).values()):
                if other.state == "open" and other.subject == made.subject:
                    raise UsageError(f"{made.subject} has an open proposal, {other.id} by {other.by}")
            if made.kind == "golden":
                self._into_review(made)
            log.append(made)
        return made

    def decide(self, proposal_id: str, state: State, *, by: str, comment: str = "") -> Proposal:
        """Approve, reject or withdraw.

        Raises:
            UsageError: It has ended, or the person may not.
        """
        found = self.find(proposal_id)
        with self._log.writing() as log:
            current = self._settled(present(log.records)[found.id])
            after = ended(current, state, by=by, at=time.time(), comment=comment)
            if state != "withdrawn":
                Members(self.workspace).check(by, after.right, owner=after.owner)
            if after.kind == "golden":
                goldens = Goldens(self.workspace, by=by)
                goldens.move(after.subject, "approved" if state == "approved" else "draft", comment=comment)
            else:
                log.append(after)
        return after

    def approved(self, path: Path) -> Proposal | None:
        """The proposal by which a file's present content was approved; None when it was not."""
        digest = digest_of(text_of(path))
        found = (p for p in reversed(self.all()) if p.state == "approved" and p.after == digest)
        return next(found, None)

    def _settled(self, proposal: Proposal) -> Proposal:
        """A proposal about a golden set as the set's own log has it."""
        goldens = Goldens(self.workspace, by="")
        name = proposal.subject.partition("@")[0]
        if proposal.kind != "golden" or not goldens.logs.exists(name):
            return proposal
        golden, version = goldens.find(proposal.subject)
        step = next((c for c in golden.changes(version) if c.at > proposal.at and c.state in _STATES), None)
        if step is None:
            return proposal
        state = "withdrawn" if step.by == proposal.by else _STATES[step.state]
        return msgspec.structs.replace(
            proposal, state=state, decided_by=step.by, decided_at=step.at, comment=step.comment
        )

    def _into_review(self, made: Proposal) -> None:
        goldens = Goldens(self.workspace, by=made.by)
        golden, version = goldens.find(made.subject)
        state = golden.state(version)
        if state == "draft":
            goldens.move(made.subject, "in_review", comment=made.title)
        elif state != "in_review":
            raise UsageError(f"{made.subject} is {state} already")

    def _of_file(self, wanted: Wanted) -> Proposal:
        agreed = [proposal for proposal in self.all() if proposal.state == "approved"]
        return file_proposal(self.workspace, wanted, agreed)

    def _of_golden(self, wanted: Wanted) -> Proposal:
        name = wanted.subject.partition("@")[0]
        if not Goldens(self.workspace).logs.exists(name):
            hint = "name a version (tickets@v3) or a file (rubric, scorer, policy, suite)"
            raise UsageError(f"there is neither a golden set nor a file {wanted.subject}", hint=hint)
        goldens = Goldens(self.workspace, by=wanted.by)
        golden, version = goldens.find(wanted.subject)
        base = _base_of(golden, version)
        reference = f"{golden.name}@v{version.number}"
        with ExitStack() as stack:
            before = None if base is None else stack.enter_context(closing(goldens.open(base)))
            after = stack.enter_context(closing(goldens.open(version)))
            impact = golden_impact(self.workspace, wanted.folder, reference, (before, after))
            diff, only_adds = _golden_diff(before, after)
        return Proposal(
            id=new_id(),
            kind="golden",
            subject=reference,
            title=wanted.title or version.message or f"{reference}: {version.cases:,} cases",
            by=wanted.by,
            at=time.time(),
            reason=wanted.reason,
            action=(Action.ADD_CASES if only_adds else Action.CHANGE_GOLDEN_SET).value,
            owner=golden.info.owner,
            base="" if base is None else f"{golden.name}@v{base.number}",
            before="" if base is None else base.digest,
            after=version.digest,
            diff=diff,
            impact=impact,
        )


def _base_of(golden: GoldenSet, version: Version) -> Version | None:
    """What a version is compared with: the last approved one before it, else the one it was made from."""
    before = [one for one in golden.versions if one.number < version.number]
    approved = next((one for one in reversed(before) if golden.state(one) == "approved"), None)
    return approved or next((one for one in before if one.digest == version.parent), None)


def _golden_diff(before: CaseFile | None, after: CaseFile) -> tuple[tuple[str, ...], bool]:
    """Lines that tell the difference, and whether cases are only added to an approved state."""
    if before is None:
        return (f"{len(after):,} cases, the first version",), False
    found = CaseDiff(before, after)
    added, changed, removed = found.counts
    lines = [f"{added:,} added, {changed:,} changed, {removed:,} removed"]
    lines += [f"+ {case.id}  {_short(case.input)}" for case in islice(found.added_cases(), MAX_DIFF)]
    lines += [f"- {case.id}  {_short(case.input)}" for case in islice(found.removed_cases(), MAX_DIFF)]
    for change in islice(found.changes(), MAX_DIFF):
        lines += _change_lines(change)
    return tuple(lines[: MAX_DIFF + 1]), not changed + removed


def _change_lines(change: Change) -> list[str]:
    lines = [f"~ {change.id}"]
    for path, (old, new) in change.fields.items():
        if isinstance(old, str) and isinstance(new, str):
            marks = {"=": "{}", "-": "[-{}-]", "+": "{{+{}+}}"}
            lines.append(f"    {path}: {_short(''.join(marks[k].format(t) for k, t in word_diff(old, new)))}")
        else:
            lines.append(f"    {path}: {_short(old)} -> {_short(new)}")
    return lines


def _short(value: Json) -> str:
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return " ".join(text.split())[:300]

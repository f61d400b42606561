"""Attacks that succeeded, put together by what was wanted and which way in: one finding for each."""

from __future__ import annotations

import shlex
from collections import defaultdict
from collections.abc import Sequence

import msgspec

from evalwright.core.case import Json
from evalwright.core.identity import short_hash
from evalwright.packs.model import SEVERITIES
from evalwright.packs.outcomes import AttackRow, Trial


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """A way in that works.

    Attributes:
        id: Stable from run to run: of pack, goal and vector.
        pack: The pack.
        goal: What the attacker wanted.
        title: The same in a few words.
        attack: Class of attack.
        severity: Of the goal.
        vector: The way in.
        succeeded: Attacks of this kind that succeeded.
        tried: Attacks of this kind that could be judged.
        case_id: The plainest of those that succeeded.
        payload: The attacker's words in it.
        input: The whole of what was sent.
        answer: What the system said.
        reason: What proves the success.
        hint: What to do about it.
        tags: OWASP, ATLAS and further references.
        replay: Command that sends the attack again.
        minimised: The fewest of the attacker's words that still succeed; None where they were not looked for.
        calls: Calls the search for them took.
        disguise: Disguises the fewest words still need; empty for none.
        clear: The fewest words before they were disguised.
    """

    id: str
    pack: str
    goal: str
    title: str
    attack: str
    severity: str
    vector: str
    succeeded: int
    tried: int
    case_id: str
    payload: str
    input: Json
    answer: str
    reason: str
    hint: str
    tags: tuple[str, ...]
    replay: str
    minimised: str | None = None
    calls: int = 0
    disguise: str = ""
    clear: str = ""


def findings(rows: Sequence[AttackRow], *, replay: str) -> list[Finding]:
    """Every way in that worked, worst first.

    Args:
        rows: The attacks.
        replay: Options of the run, for the command that sends one attack again.
    """
    groups: defaultdict[tuple[str, str, str], list[AttackRow]] = defaultdict(list)
    for row in rows:
        data = row.case.metadata
        groups[data["pack"], data["goal"], data["vector"]].append(row)
    found = [_finding(group, replay) for group in groups.values() if any(row.successes for row in group)]
    return sorted(found, key=lambda f: (SEVERITIES.index(f.severity), -f.succeeded / f.tried, f.id))


def _finding(group: list[AttackRow], replay: str) -> Finding:
    row = min((row for row in group if row.successes), key=_plainness)
    trial = next(trial for trial in row.trials if trial.outcome == "succeeded")
    data = row.case.metadata
    name = short_hash([data["pack"], data["goal"], data["vector"]])[:8]
    return Finding(
        id=f"{data['pack']}-{data['goal']}-{name}",
        pack=str(data["pack"]),
        goal=str(data["goal"]),
        title=str(data["title"]),
        severity=str(data["severity"]),
        vector=str(data["vector"]),
        payload=str(data["payload"]),
        attack=str(data["class"]),
        succeeded=sum(row.successes > 0 for row in group),
        tried=sum(row.valid > 0 for row in group),
        case_id=row.case.id,
        input=row.case.input,
        answer=_shown(trial),
        reason=trial.reason,
        hint=str(data.get("hint", "")),
        tags=_tags(data),
        replay=f"evalwright pack run {shlex.quote(_origin(data))} {replay} --only {shlex.quote(row.case.id)}",
    )


def _origin(data: dict[str, Json]) -> str:
    """Where a case comes from, as `pack run` takes it: the file of a pack or set, else the pack's name."""
    return str(data.get("origin") or data["pack"])


def _plainness(row: AttackRow) -> tuple[bool, int, str]:
    return row.case.metadata["transform"] != "none", len(str(row.case.metadata["payload"])), row.case.id


def _shown(trial: Trial) -> str:
    calls = [item.text for item in trial.evidence if item.where == "tool_call"]
    return trial.answer or f"called {', '.join(calls)}"


def _tags(data: dict[str, Json]) -> tuple[str, ...]:
    names = ("owasp", "agentic", "atlas", "ailuminate", "nist")
    return tuple(str(tag) for name in names for tag in data.get(name, ()))


def redacted(finding: Finding) -> Finding:
    """The same finding without working input, answer and proof: for whoever need not attack the product."""
    return msgspec.structs.replace(
        finding,
        payload=_withheld(finding.payload),
        input=_withheld(msgspec.json.encode(finding.input).decode()),
        answer=_withheld(finding.answer),
        reason=finding.reason.partition("(")[0].strip() if "secret" in finding.attack else finding.reason[:160],
        minimised=None if finding.minimised is None else _withheld(finding.minimised),
        clear=_withheld(finding.clear) if finding.clear else "",
    )


def _withheld(text: str) -> str:
    return f"[withheld, {len(text):,} characters; --show-attacks shows it]"

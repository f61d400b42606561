"""A suite file from what was imported: scorers for the checks that have one, the others named in comments."""

from __future__ import annotations

import json
import re
from collections import Counter

import msgspec

from evalwright.core.case import Json
from evalwright.datasets.importers.items import Check
from evalwright.datasets.importers.judges import NEEDS, SCORER

QUANTITIES = frozenset({"latency", "cost", "refusal"})
_CONTROL = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


class Scorer(msgspec.Struct, frozen=True, kw_only=True):
    """A scorer the suite gets.

    Attributes:
        metric: Name of the metric.
        scorer: Name of the scorer.
        options: Its options.
        stands_for: What the other tool called the check.
        count: How often the check was made.
        reason: In which way it differs; empty when it does not.
    """

    metric: str
    scorer: str
    options: dict[str, Json]
    stands_for: str
    count: int
    reason: str = ""


class Dropped(msgspec.Struct, frozen=True, kw_only=True):
    """A check that has no scorer here: what it was, how often it was made, and why."""

    kind: str
    count: int
    reason: str


class Checks:
    """Collects checks, each kind once."""

    def __init__(self) -> None:
        self._seen: dict[bytes, Check] = {}
        self._count: Counter[bytes] = Counter()

    def add(self, check: Check) -> None:
        """Note one more time that a check was made."""
        key = msgspec.json.encode(check)
        self._seen.setdefault(key, check)
        self._count[key] += 1

    def result(self, *, tests: int | None, judge: str | None = None) -> tuple[list[Scorer], list[Dropped]]:
        """Scorers, and what has none.

        Args:
            tests: How many tests there were; a check that can't be limited to some cases must have been made in all.
                None when checks are not counted by test.
            judge: The model judges ask; without one they are listed, not written.
        """
        scorers: list[Scorer] = []
        dropped: Counter[tuple[str, str]] = Counter()
        for key, check in self._seen.items():
            count = self._count[key]
            if check.scorer is None:
                dropped[check.kind, check.reason] += count
            elif check.scorer == SCORER and judge is None:
                dropped[check.kind, f"{NEEDS}{f' ({check.reason})' if check.reason else ''}"] += count
            elif not check.per_case and tests is not None and count < tests:
                reason = f"made for {count:,} of {tests:,} tests; a scorer applies to all: put those cases into a suite"
                dropped[check.kind, reason] += count
            else:
                scorers.append(_scorer(_with_model(check, judge), count, {s.metric for s in scorers}))
        return scorers, [Dropped(kind=k, reason=r, count=n) for (k, r), n in dropped.items()]


def _with_model(check: Check, judge: str | None) -> Check:
    if check.scorer != SCORER:
        return check
    return msgspec.structs.replace(check, options={"model": judge, **check.options})


def _scorer(check: Check, count: int, taken: set[str]) -> Scorer:
    name, number = check.name, 1
    while name in taken:
        number += 1
        name = f"{check.name}_{number}"
    return Scorer(
        metric=name,
        scorer=str(check.scorer),
        options=check.options,
        stands_for=check.kind,
        count=count,
        reason=check.reason,
    )


class SuiteParts(msgspec.Struct, frozen=True, kw_only=True):
    """What a suite file is written from.

    Attributes:
        name: Name of the suite.
        origin: File and format it was imported from, for the heading.
        dataset: The `dataset` section.
        target: The `target` section; None when it must be written by hand.
        other_targets: Sections to put in its place.
        scorers: Its scorers.
        dropped: Checks without a scorer.
        at_least: Bound of the gate for every share and mean; None for no gate.
        trials: Repetitions of each case.
    """

    name: str
    origin: str
    dataset: dict[str, Json]
    target: dict[str, Json] | None = None
    other_targets: tuple[dict[str, Json], ...] = ()
    scorers: tuple[Scorer, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    at_least: float | None = None
    trials: int = 1


def suite_text(parts: SuiteParts) -> str:
    """The suite file. Values are written as JSON, which every YAML reader takes the same way."""
    lines = [
        f"# From {_plain(parts.origin)}",
        f"suite: {flow(parts.name)}",
        *_target(parts),
        f"dataset: {flow(parts.dataset)}",
    ]
    if parts.trials > 1:
        lines.append(f"run: {flow({'trials': parts.trials})}")
    lines += ["scorers:" if parts.scorers else "scorers: []"]
    for scorer in parts.scorers:
        lines += _scorer_lines(scorer)
    lines += _gate(parts)
    if parts.dropped:
        lines.append("# These checks have no scorer here:")
        lines += [f"#   {_plain(d.kind)} ({d.count:,} times): {_plain(d.reason)}" for d in parts.dropped]
    return "\n".join(lines) + "\n"


def _target(parts: SuiteParts) -> list[str]:
    if parts.target is None:
        return ["# target: { type: http, url: … }   # the system under test; `evalwright list targets` shows the types"]
    others = [f"# target: {flow(other)}" for other in parts.other_targets[:20]]
    return [f"target: {flow(parts.target)}", *others]


def _scorer_lines(scorer: Scorer) -> list[str]:
    given = {**scorer.options, **({"as": scorer.metric} if scorer.metric != scorer.scorer else {})}
    entry = f"  - {scorer.scorer}: {flow(given)}" if given else f"  - {scorer.scorer}"
    return [f"  # {_plain(scorer.stands_for)}{': ' + _plain(scorer.reason) if scorer.reason else ''}", entry]


def _gate(parts: SuiteParts) -> list[str]:
    rules = [s for s in parts.scorers if s.scorer not in QUANTITIES]
    if parts.at_least is None or not rules:
        return []
    return ["gate:", *(f"  - {flow({'metric': s.metric, 'at_least': parts.at_least})}" for s in rules)]


def flow(value: Json) -> str:
    """A value as JSON that YAML 1.2 reads as the same value."""
    return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(value, ensure_ascii=False))


def _plain(text: str) -> str:
    """A text fit for a comment: one line, nothing that ends it."""
    return _CONTROL.sub(" ", " ".join(text.split()))[:300]

"""What went wrong in a run, each with a place in a file: the common ground of all reports for build servers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from evalwright.core.gate import RuleResult, Verdict
from evalwright.core.result import CaseResult, Summary
from evalwright.reports import caseview, figures
from evalwright.reports.caseview import CaseStatus
from evalwright.reports.text import one_line

GRAVE = frozenset({"block", "high"})
"""Severities of scorers whose failed rows are errors; those of others are warnings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place in a file of the repository: path relative to its root, line from 1."""

    path: str
    line: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where a suite's rules and cases stand.

    Attributes:
        suite: The suite file, relative to the repository.
        dataset: The file of the cases, the suite file for cases written into it.
        lines: Line of a case by its id; those that are not here point at the dataset's first line.
    """

    suite: str = "suite.yaml"
    dataset: str = ""
    lines: Mapping[str, int] = field(default_factory=dict)

    def of_case(self, case_id: str) -> Place:
        """Where a case stands."""
        return Place(path=self.dataset or self.suite, line=self.lines.get(case_id, 1))

    def of_rule(self, result: RuleResult) -> Place:
        """Where a rule stands."""
        return Place(path=self.suite, line=max(1, result.rule.line))


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        check: Stable name of what was checked: `gate/…` or `case/…`.
        title: In a few words.
        message: Why, in a sentence; what a model wrote may be quoted in it.
        level: `error`, `warning` or `note`.
        place: Where to look.
        identity: What makes it the same finding in the next run.
    """

    check: str
    title: str
    message: str
    level: str
    place: Place
    identity: str

    @property
    def fingerprint(self) -> str:
        """The same for the same finding in every run, whatever the lines; 64 hex digits."""
        return hashlib.sha256(self.identity.encode()).hexdigest()


def findings(summary: Summary, cases: Iterable[CaseResult], places: Places) -> Iterator[Finding]:
    """Everything that is wrong with a run: rules first, then cases, one finding a case and metric."""
    for result in summary.decision.results if summary.decision else ():
        if result.verdict is not Verdict.PASS:
            yield _of_rule(summary, result, places)
    severities = {record.metric: record.severity for record in summary.manifest.scorers}
    for case in cases:
        if caseview.status_of(case) in (CaseStatus.FAIL, CaseStatus.ERROR):
            yield from _of_case(summary, case, places, severities)


def _of_rule(summary: Summary, result: RuleResult, places: Places) -> Finding:
    words = figures.rule_words(result.rule, result.estimate.unit if result.estimate else "")
    decides = result.rule.severity != "warn" and result.waived is None
    level = "error" if decides and result.verdict is Verdict.FAIL else "warning" if decides else "note"
    return Finding(
        check=f"gate/{result.rule.metric}",
        title=f"Gate {figures.WORDS[result.verdict].lower()}: {words}",
        message=f"{words}: {result.reason}",
        level=level,
        place=places.of_rule(result),
        identity=f"{summary.manifest.suite}/gate/{words}",
    )


def _of_case(
    summary: Summary, case: CaseResult, places: Places, severities: Mapping[str, str | None]
) -> Iterator[Finding]:
    seen: set[str] = set()
    for reason in caseview.reasons_of(case):
        if reason.metric in seen:
            continue
        seen.add(reason.metric)
        grave = severities.get(reason.metric) in GRAVE
        yield Finding(
            check=f"case/{reason.metric}",
            title=f"{case.case.id}: {reason.metric} {'failed' if reason.kind == 'fail' else 'error'}",
            message=f"{case.case.id}: {one_line(reason.text, 900)}",
            level="error" if grave and reason.kind == "fail" else "warning",
            place=places.of_case(case.case.id),
            identity=f"{summary.manifest.suite}/case/{case.case.id}/{reason.metric}",
        )

"""GitLab's code quality report (`artifacts:reports:codequality`)."""

from __future__ import annotations

from collections.abc import Iterable

from evalwright.core.result import CaseResult, Summary
from evalwright.reports.ci.findings import Finding, Places, findings
from evalwright.reports.json_report import json_line

SEVERITIES = {"error": "critical", "warning": "minor", "note": "info"}


def code_quality(summary: Summary, cases: Iterable[CaseResult], places: Places) -> str:
    """The findings of a run as GitLab shows them beside a merge request."""
    return json_line([_entry(finding) for finding in findings(summary, cases, places)]) + "\n"


def _entry(finding: Finding) -> dict[str, object]:
    blocking = finding.check.startswith("gate/") and finding.level == "error"
    return {
        "description": finding.message,
        "check_name": finding.check,
        "fingerprint": finding.fingerprint,
        "severity": "blocker" if blocking else SEVERITIES[finding.level],
        "location": {"path": finding.place.path, "lines": {"begin": finding.place.line}},
    }

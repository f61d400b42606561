"""GitHub Actions: annotations, the step summary, and a comment for the pull request."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import msgspec

from evalwright.core.result import CaseResult, Summary
from evalwright.reports.ci.findings import Finding, Places, findings
from evalwright.reports.markdown import markdown_report
from evalwright.reports.options import ReportOptions
from evalwright.reports.text import one_line

PER_TYPE = 10
"""GitHub shows so many annotations of each type of a step."""

COMMENT_CHARS = 65_000
"""A comment may have 65,536 characters."""

SUMMARY_BYTES = 1_000_000
"""A step's summary may have 1 MiB; a longer one is dropped whole."""

_COMMANDS = {"error": "error", "warning": "warning", "note": "notice"}


def annotation_lines(summary: Summary, cases: Iterable[CaseResult], places: Places) -> list[str]:
    """Workflow commands that mark rules and cases in the changed files, at most ten of each type.

    What a model wrote can't end the command or begin another: line ends and percent signs are escaped.
    """
    counts: Counter[str] = Counter()
    lines = []
    for finding in findings(summary, cases, places):
        counts[finding.level] += 1
        if counts[finding.level] <= PER_TYPE:
            lines.append(_command(finding))
        if all(counts[level] >= PER_TYPE for level in ("error", "warning")):
            break
    return lines


def _command(finding: Finding) -> str:
    place = finding.place
    where = f"file={_property(place.path)},line={place.line},title={_property(one_line(finding.title, 120))}"
    return f"::{_COMMANDS[finding.level]} {where}::{_data(one_line(finding.message, 1_000))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def marker(summary: Summary) -> str:
    """A hidden line by which a later run finds the comment to replace."""
    name = "".join(char for char in summary.manifest.suite if char.isalnum() or char in "-_.")
    return f"<!-- evalwright:{name} -->"


def comment(summary: Summary, cases: Iterable[CaseResult], options: ReportOptions | None = None) -> str:
    """The report as a pull-request comment of at most 65,000 characters, with a marker to find it again."""
    options = msgspec.structs.replace(options or ReportOptions(), max_chars=COMMENT_CHARS - 300)
    return f"{marker(summary)}\n{markdown_report(summary, cases, options)}"[:COMMENT_CHARS]


def step_summary(summary: Summary, cases: Iterable[CaseResult], options: ReportOptions | None = None) -> str:
    """The report for `$GITHUB_STEP_SUMMARY`, below its limit of 1 MiB."""
    text = markdown_report(summary, cases, options or ReportOptions())
    return text.encode()[:SUMMARY_BYTES].decode(errors="ignore") + "\n"


def outputs(summary: Summary) -> list[str]:
    """Lines for `$GITHUB_OUTPUT`: `decision`, `status`, `run_id`, `failing`."""
    decision = str(summary.decision.verdict) if summary.decision else "none"
    return [
        f"decision={decision}",
        f"status={summary.status}",
        f"run_id={summary.manifest.run_id}",
        f"failing={summary.failing}",
    ]

"""Findings as SARIF 2.1.0, for code scanning and security tools."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from evalwright.packs.findings import Finding

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVEL = {"critical": "error", "high": "error", "medium": "warning", "low": "note"}
_SCORE = {"critical": "9.5", "high": "8.0", "medium": "5.5", "low": "2.0"}
"""By severity: the figure that code scanning sorts by."""


def sarif(findings: Sequence[Finding], *, suite: str, version: str) -> dict[str, Any]:
    """A SARIF log with one rule and one result a finding.

    Args:
        findings: Redacted or not, as they are to be shown.
        suite: The suite file, which the results are placed at.
        version: Version of Evalwright.
    """
    driver = {
        "name": "Evalwright",
        "semanticVersion": version,
        "rules": [_rule(finding) for finding in findings],
    }
    results = [_result(finding, index, suite) for index, finding in enumerate(findings)]
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": results}]}


def _rule(finding: Finding) -> dict[str, Any]:
    return {
        "id": finding.id,
        "name": finding.attack,
        "shortDescription": {"text": finding.title},
        "help": {"text": finding.hint or finding.title},
        "defaultConfiguration": {"level": _LEVEL[finding.severity]},
        "properties": {"tags": ["security", *finding.tags], "security-severity": _SCORE[finding.severity]},
    }


def _result(finding: Finding, index: int, suite: str) -> dict[str, Any]:
    text = f"{finding.title}: {finding.succeeded} of {finding.tried} attacks succeeded ({finding.vector}). "
    return {
        "ruleId": finding.id,
        "ruleIndex": index,
        "level": _LEVEL[finding.severity],
        "message": {"text": f"{text}{finding.reason}. {finding.hint} Replay: {finding.replay}"},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": _uri(suite)}, "region": {"startLine": 1}}}],
        "partialFingerprints": {"evalwrightFinding/v1": finding.id},
        "properties": {
            "severity": finding.severity,
            "attackSuccessRate": finding.succeeded / finding.tried,
            "case": finding.case_id,
            "minimised": finding.minimised,
        },
    }


def _uri(path: str) -> str:
    """A path as SARIF wants it: an absolute one as a file address, a relative one with signs escaped."""
    place = Path(path)
    return place.as_uri() if place.is_absolute() else quote(place.as_posix())

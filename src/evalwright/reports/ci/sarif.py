"""SARIF 2.1.0, as GitHub code scanning and other viewers read it.

Source: https://docs.oasis-open.org/sarif/sarif/v2.1.0/
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib.metadata import version
from itertools import islice
from typing import Any
from urllib.parse import quote

from evalwright.core.result import CaseResult, Summary
from evalwright.reports.ci.findings import Finding, Places, findings
from evalwright.reports.json_report import json_line

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
MOST = 5_000
"""GitHub shows no more results of a run."""


def sarif(summary: Summary, cases: Iterable[CaseResult], places: Places) -> str:
    """The findings of a run as SARIF. Fingerprints stay the same while suite, case and metric do.

    Args:
        summary: The run.
        cases: Its cases, read once; those that failed are enough.
        places: Where rules and cases stand.
    """
    found = list(islice(findings(summary, cases, places), MOST + 1))
    shown = found[:MOST]
    run = {
        "tool": {"driver": {**_driver(), "rules": _rules(shown)}},
        "automationDetails": {"id": f"evalwright/{summary.manifest.suite}/"},
        "results": [_result(finding) for finding in shown],
        "columnKind": "unicodeCodePoints",
        "properties": {"run": summary.manifest.run_id, "complete": len(found) <= MOST},
    }
    return json_line({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}) + "\n"


def _driver() -> dict[str, Any]:
    return {"name": "Evalwright", "semanticVersion": version("evalwright")}


def _rules(found: Sequence[Finding]) -> list[dict[str, Any]]:
    checks = dict.fromkeys(finding.check for finding in found)
    return [{"id": check, "name": check, "shortDescription": {"text": _about(check)}} for check in checks]


def _about(check: str) -> str:
    kind, _, metric = check.partition("/")
    return f"Rule of the gate on {metric}" if kind == "gate" else f"Cases that {metric} finds wrong"


def _result(finding: Finding) -> dict[str, Any]:
    place = {
        "artifactLocation": {"uri": quote(finding.place.path)},
        "region": {"startLine": finding.place.line},
    }
    return {
        "ruleId": finding.check,
        "level": finding.level,
        "message": {"text": finding.message},
        "locations": [{"physicalLocation": place}],
        "partialFingerprints": {"primaryLocationLineHash": f"{finding.fingerprint[:16]}:1"},
    }

"""A case as a promptfoo test, as it was imported where it was."""

from __future__ import annotations

import msgspec

from evalwright.core.case import Case, Json
from evalwright.core.identity import content_id

KEY = "promptfoo"
"""Where a case keeps what only promptfoo knows of its test."""

_OWN = (KEY, "checks", "description")


def with_test(case: Case, test: dict[str, Json]) -> Case:
    """A case that keeps what its test says beyond what can be told from the case itself.

    Args:
        case: The case.
        test: The test's assertions and options, without variables, metadata and description.
    """
    wanted = {key: value for key, value in test.items() if value not in (None, [], {})}
    told = promptfoo_test(case)
    if {key: value for key, value in told.items() if key not in ("vars", "metadata", "description")} == wanted:
        return case
    kept = {**wanted, "checks": _state(case)}
    return msgspec.structs.replace(case, metadata={**case.metadata, KEY: kept})


def _state(case: Case) -> str:
    """Hash of the checks of a case: when they were edited since, they are what counts."""
    return content_id([case.metadata.get("checks"), case.expected])


def promptfoo_test(case: Case) -> dict[str, Json]:
    """A case as a promptfoo test: an object as its variables, anything else as the variable `prompt`.

    Imported checks are written back as assertions; without them, an expected text is asked for with `equals`.
    """
    metadata = {key: value for key, value in case.metadata.items() if key not in _OWN}
    test: dict[str, Json] = {"vars": case.input if isinstance(case.input, dict) else {"prompt": case.input}}
    if "description" in case.metadata:
        test["description"] = case.metadata["description"]
    return {**test, **_said(case), **({"metadata": metadata} if metadata else {})}


def _said(case: Case) -> dict[str, Json]:
    """Assertions and options: those imported, as long as the checks are as they were."""
    kept = case.metadata.get(KEY)
    if isinstance(kept, dict) and kept.get("checks") == _state(case):
        return {key: value for key, value in kept.items() if key != "checks"}
    checks = case.metadata.get("checks")
    found = _assertions(checks) if isinstance(checks, dict) else []
    if not found and case.expected is not None:
        found = [{"type": "equals", "value": case.expected}]
    rest = (
        {key: value for key, value in kept.items() if key not in ("checks", "assert")} if isinstance(kept, dict) else {}
    )
    return {**rest, **({"assert": found} if found else {})}


def _assertions(checks: dict[str, Json]) -> list[Json]:
    found: list[Json] = []
    for key, values in checks.items():
        stem, _, number = key.rpartition("_")
        kind = (stem if number.isdecimal() and stem else key).replace("_", "-")
        items = values if isinstance(values, list) else [values]
        if kind.endswith(("-all", "-any")):
            found.append({"type": kind, "value": items})
        else:
            found += [{"type": kind, "value": item} for item in items]
    return found

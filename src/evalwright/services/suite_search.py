"""Suites that something touches: the files below a folder, and the past runs of a workspace."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from evalwright.core.case import Json
from evalwright.core.errors import ConfigError
from evalwright.core.run import Manifest
from evalwright.store.catalog import RunEntry, RunFilter
from evalwright.store.workspace import Workspace
from evalwright.suites.yaml_reader import parse_yaml, read_yaml

MAX_FILES = 2_000
MAX_DEPTH = 8
PER_SUITE = 5
"""Past runs looked at of each suite."""


class FoundSuite(msgspec.Struct, frozen=True, kw_only=True):
    """A suite as its file, or its last run, has it.

    Attributes:
        name: Name of the suite.
        data: The suite file's content.
        text: The same as text.
        file: The file; empty where only a run is known.
    """

    name: str
    data: dict[str, Json]
    text: str
    file: str = ""

    @property
    def tier(self) -> int | None:
        """1 (critical) to 3; None when the suite does not say."""
        found = self.data.get("tier")
        return found if isinstance(found, int) else None

    @property
    def golden(self) -> tuple[str, str]:
        """Name and version of its golden set; empty when it uses none."""
        dataset = self.data.get("dataset")
        name = dataset.get("golden") if isinstance(dataset, dict) else None
        return (str(name), str(dataset.get("version", "latest"))) if name and isinstance(dataset, dict) else ("", "")

    def rules(self) -> tuple[str, ...]:
        """Its gate's rules, in words as short as the file's own."""
        gate = self.data.get("gate")
        rules = gate if isinstance(gate, list) else []
        return tuple(_rule_words(rule) for rule in rules if isinstance(rule, dict))


def _rule_words(rule: dict[str, Json]) -> str:
    return " ".join(f"{value}" if key == "metric" else f"{key} {value}" for key, value in rule.items() if key != "name")


def known_suites(workspace: Workspace, folder: Path) -> list[FoundSuite]:
    """The suites of the files below a folder, then those known from past runs only."""
    found = {suite.name: suite for suite in _of_files(folder)}
    for name in workspace.catalog.suites() if workspace.has_catalog else ():
        if name not in found and (suite := _of_runs(workspace, name)) is not None:
            found[name] = suite
    return list(found.values())


def _of_files(folder: Path) -> Iterator[FoundSuite]:
    for path in _yaml_files(folder):
        try:
            document = read_yaml(path)
        except ConfigError:
            continue
        if isinstance(document.data, dict) and isinstance(document.data.get("suite"), str):
            text = path.read_text(encoding="utf-8-sig")
            yield FoundSuite(name=document.data["suite"], data=document.data, text=text, file=str(path))


def _yaml_files(folder: Path) -> Iterator[Path]:
    count = 0
    for root, folders, names in os.walk(folder):
        deep = len(Path(root).relative_to(folder).parts) >= MAX_DEPTH
        folders[:] = [] if deep else sorted(f for f in folders if not f.startswith(".") and f != "node_modules")
        for name in sorted(names):
            if name.endswith((".yaml", ".yml")):
                count += 1
                if count > MAX_FILES:
                    return
                yield Path(root) / name


def _of_runs(workspace: Workspace, name: str) -> FoundSuite | None:
    for entry in past_runs(workspace, name, limit=1):
        manifest = workspace.run(entry.run_id).manifest()
        return FoundSuite(name=name, data=_data(manifest), text=manifest.suite_source or "")
    return None


def _data(manifest: Manifest) -> dict[str, Json]:
    try:
        data = parse_yaml(manifest.suite_source or "", name=manifest.suite).data
    except ConfigError:
        data = None
    if isinstance(data, dict):
        return data
    return {"suite": manifest.suite, "tier": manifest.tier, "gate": list(manifest.gate)}


def past_runs(workspace: Workspace, suite: str, *, limit: int = PER_SUITE) -> list[RunEntry]:
    """Runs of a suite that ended with figures, newest first."""
    if not workspace.has_catalog:
        return []
    found = workspace.catalog.runs(RunFilter(suite=suite), limit=4 * limit)
    return [entry for entry in found if entry.finished_at is not None][:limit]

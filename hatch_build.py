"""Packs the workbench's pages into a wheel, built first where stale; an editable install needs no Node."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

STATIC = "src/evalwright/server/static"


class PagesHook(BuildHookInterface):  # type: ignore[type-arg]
    """The hook hatchling calls before it packs."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the pages where they are missing or older than their sources, and pack them.

        Args:
            version: `standard` for a wheel, `editable` for an installation that points at the checkout.
            build_data: What hatchling packs.
        """
        if version == "editable":
            return
        builder = Path(self.root) / "ui/build.py"
        if builder.is_file():
            runpy.run_path(str(builder))["build"]()
        build_data["artifacts"].append(f"/{STATIC}/**")

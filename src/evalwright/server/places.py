"""Where projects are: the folder served is `default`, others are workspaces in its `projects` folder."""

from __future__ import annotations

import threading
from pathlib import Path

from evalwright.server.settings import ServerSettings
from evalwright.services.accounts import DEFAULT_PROJECT, check_name
from evalwright.store.workspace import Workspace


class Places:
    """Workspaces of the projects, opened once each.

    Attributes:
        root: The workspace served, whose catalog holds the accounts.
    """

    def __init__(self, settings: ServerSettings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._open: dict[str, Workspace] = {}
        self.root = self.workspace(DEFAULT_PROJECT)

    def workspace(self, project: str) -> Workspace:
        """The workspace of a project; its folder is made when something is first written.

        Raises:
            UsageError: This can't be the name of a project.
        """
        with self._lock:
            if project not in self._open:
                self._open[project] = self._opened(project)
            return self._open[project]

    def suites(self, project: str) -> Path:
        """The folder of a project's suite files."""
        folder = self._settings.workspace
        if project != DEFAULT_PROJECT:
            return folder / "projects" / project / "suites"
        return self._settings.suites or folder.resolve().parent

    def _opened(self, project: str) -> Workspace:
        check_name(project, "project")
        folder = self._settings.workspace
        if project == DEFAULT_PROJECT:
            return Workspace.open(folder, catalog=self._settings.catalog, objects=self._settings.objects)
        return self._open[DEFAULT_PROJECT].project(project)

    def close(self) -> None:
        """Close the catalogs."""
        with self._lock:
            for workspace in self._open.values():
                if "catalog" in workspace.__dict__:
                    workspace.catalog.close()
            self._open.clear()

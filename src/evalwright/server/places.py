"""Where projects are: the folder served is `default`, others are workspaces in its `projects` folder."""

from __future__ import annotations

import threading

import sqlalchemy as sa

from evalwright.server.settings import ServerSettings
from evalwright.services.accounts import DEFAULT_PROJECT, check_name
from evalwright.store.catalog import Catalog
from evalwright.store.database import writing
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

    def _opened(self, project: str) -> Workspace:
        check_name(project, "project")
        folder = self._settings.workspace
        workspace = Workspace.open(folder if project == DEFAULT_PROJECT else folder / "projects" / project)
        if self._settings.catalog is not None:
            workspace.catalog = _in_schema(self._settings.catalog, f"evalwright_{project}")
        return workspace

    def close(self) -> None:
        """Close the catalogs."""
        with self._lock:
            for workspace in self._open.values():
                if "catalog" in workspace.__dict__:
                    workspace.catalog.close()
            self._open.clear()


def _in_schema(address: str, schema: str) -> Catalog:
    """The catalog of a project: a schema of its own, which its connections see nothing beside."""
    url = sa.make_url(address).set(drivername="postgresql+psycopg")
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with writing(engine) as connection:
        connection.execute(sa.schema.CreateSchema(schema, if_not_exists=True))
    engine.dispose()
    return Catalog.open(url.update_query_dict({"options": f'-csearch_path="{schema}"'}))

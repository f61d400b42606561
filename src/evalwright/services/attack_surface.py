"""The ways by which documents and results of tools get into a product, as a file says: a folder, a function, HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from evalwright.core.errors import ConfigError, Problem
from evalwright.services.option_files import read_options


class Own(BaseModel):
    """Which of the product's own documents the attacker's words are put into."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    questions: int = Field(20, ge=1, le=1_000, description="Questions of the suite asked to see what is read.")
    documents: int = Field(6, ge=0, le=1_000, description="Documents poisoned at most; 0 leaves the own ones alone.")
    utility: str | None = Field(
        None, description="Dotted path in a case of what a good answer says, e.g. `expected.facts.0`."
    )


class Route(BaseModel):
    """How things of one kind get into the product, and out of it again."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    via: Literal["field", "folder", "callable", "http"] = Field(
        description="A field of the input, files in a copy of a folder, a function of yours, or requests."
    )
    field: str | None = Field(None, description="`field`: name of the field of the input.")
    folder: str | None = Field(
        None,
        description="Folder of the product's own documents, from this file. It is read and copied, never written to.",
    )
    env: str | None = Field(None, description="`folder`: variable by which the product learns the copy's path.")
    copy_to: str | None = Field(
        None,
        description="`folder`: where the copy is made, for a product that runs elsewhere; a new folder by default.",
    )
    file: str = Field("{{ id }}.md", description="`folder`: name of a planted file; `{{ id }}`, `{{ title }}`.")
    text: str = Field(
        "{{ text }}", description="`folder`: content of a planted file; `{{ id }}`, `{{ title }}`, `{{ text }}`."
    )
    reload: str | None = Field(
        None, description="`folder`: `module:function` called without arguments after each change."
    )
    reload_url: str | None = Field(None, description="`folder`: address that is sent a POST after each change.")
    callable: str | None = Field(
        None,
        description="`callable`: `module:function` that takes a list of `{id, title, text}` and returns a function "
        "that takes them out again, or a context manager.",
    )
    url: str | None = Field(None, description="`http`: address each document is sent to.")
    method: Literal["POST", "PUT"] = Field("POST", description="`http`: how.")
    body: dict[str, Any] = Field(
        default_factory=lambda: {"id": "{{ id }}", "title": "{{ title }}", "text": "{{ text }}"},
        description="`http`: JSON that is sent.",
    )
    remove_url: str | None = Field(None, description="`http`: address that is sent a DELETE, with `{{ id }}`.")
    headers: dict[str, str] = Field(default_factory=dict, description="`http`: headers; secrets by reference.")
    settle: float = Field(0.0, ge=0, le=60, description="Seconds to wait after each change.")
    path: str = Field(".", description="Folder that modules and files of functions are imported from.")
    own: Own = Field(default_factory=Own, description="The product's own documents as carriers.")

    @model_validator(mode="after")
    def _complete(self) -> Route:
        needs = {"field": self.field, "folder": self.folder, "callable": self.callable, "http": self.url}
        if not needs[self.via]:
            raise ValueError(f"`via: {self.via}` needs `{'url' if self.via == 'http' else self.via}`")
        if self.via == "http" and not self.remove_url:
            raise ValueError("`via: http` needs `remove_url`: what is planted must be taken out again")
        if self.via == "folder" and not (self.env or self.copy_to):
            raise ValueError("`via: folder` needs `env` or `copy_to`: the product must read the copy, not the original")
        return self


class Surface(BaseModel):
    """Where strangers' words come in."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    documents: Route | None = Field(None, description="Documents the product finds or is given.")
    tool_results: Route | None = Field(None, description="What its tools return.")
    tool_descriptions: Route | None = Field(None, description="Tools of others, with their descriptions.")

    @property
    def routes(self) -> dict[str, Route]:
        """The routes there are, by what they plant."""
        named = {
            "documents": self.documents,
            "tool_results": self.tool_results,
            "tool_descriptions": self.tool_descriptions,
        }
        return {name: route for name, route in named.items() if route is not None}


def read_surface(path: Path) -> Surface:
    """Read a surface file.

    Raises:
        ConfigError: It is wrong, or names a folder that is not there.
        UsageError: There is no such file.
    """
    surface: Surface = read_options(path, Surface, what="the surface")
    missing = [
        Problem(message=f"there is no folder {path.parent / route.folder}", file=str(path), key=f"{name}.folder")
        for name, route in surface.routes.items()
        if route.folder and not (path.parent / route.folder).is_dir()
    ]
    if missing:
        raise ConfigError(missing)
    return surface

"""How scorers and targets are registered and made from options: one door for the built-in ones and everybody else's.

A package names a *catalog* in the entry point group `evalwright.scorers` or `evalwright.targets`: a mapping from the
name users write to `"module:Class"`. The class is a dataclass or a pydantic model; its fields are the options a
suite file may give, with types, defaults and descriptions, and its docstring's first line is its summary. Options
are checked against it before anything runs, and the editor's JSON Schema is made from it. When the instance has a
method `bind(context)`, what that returns is the scorer or target; otherwise the instance itself is.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import msgspec

SCORER_GROUP = "evalwright.scorers"
TARGET_GROUP = "evalwright.targets"


class BindContext(msgspec.Struct, frozen=True, kw_only=True):
    """What a component may need to become usable.

    Attributes:
        base_dir: Folder that relative paths in the options start from (the suite file's folder).
        environment: Environment variables; secrets are read from here by name, never stored.
    """

    base_dir: Path
    environment: Mapping[str, str] = {}


@runtime_checkable
class Bindable(Protocol):
    """Options that turn themselves into a scorer or target."""

    def bind(self, context: BindContext) -> Any:
        """Make the scorer or target.

        Raises:
            ConfigError: An option names something that does not exist.
        """
        ...


class Vocabulary(msgspec.Struct, frozen=True, kw_only=True):
    """The scorers and targets a suite may use, by the name users write; values are option classes, loaded when read."""

    scorers: Mapping[str, Any]
    targets: Mapping[str, Any]

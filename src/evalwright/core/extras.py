"""How modules are imported: optional packages with the extra to install named, users' files as they stand."""

from __future__ import annotations

import importlib
import importlib.machinery
from types import ModuleType
from typing import Any

from evalwright.core.errors import MissingExtra


def optional(module: str, *, extra: str) -> ModuleType:
    """Import an optional module.

    Raises:
        MissingExtra: It is not installed; the hint says how to install it.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise MissingExtra(module.partition(".")[0], extra) from error


class SourceAsItIs(importlib.machinery.SourceFileLoader):
    """Imports a user's file from its source each time.

    Bytecode kept beside a file is told apart by whole seconds and size only, so a file edited twice in a second
    would run as it was before.
    """

    def path_stats(self, path: str) -> Any:
        """Say that the file's age is not known, so that no bytecode is looked for or kept."""
        raise OSError(f"the bytecode of {path} is not used")

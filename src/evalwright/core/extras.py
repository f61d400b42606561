"""Optional packages, imported through one helper that names the extra to install."""

from __future__ import annotations

import importlib
from types import ModuleType

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

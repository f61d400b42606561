"""Python files named in a suite: imported once, with the user's own line in the message when that fails."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

from evalwright.core.errors import ConfigError, Problem
from evalwright.core.extras import SourceAsItIs
from evalwright.suites.suggest import suggestion


def load_object(place: str, attribute: str, *, folder: Path) -> Any:
    """What a module calls `attribute`.

    Args:
        place: `file.py` relative to the folder, or the name of a module (the folder is put on the import path).
        attribute: The name; dots reach into objects.
        folder: Where to look.

    Raises:
        ConfigError: There is no such file, module or name, or importing it fails.
    """
    found: Any = load_module(place, folder=folder)
    for name in attribute.split("."):
        if not hasattr(found, name):
            names = [item for item in vars(found) if not item.startswith("_")] if hasattr(found, "__dict__") else []
            raise _failed(f"`{place}` has no `{attribute}`", hint=suggestion(name, names))
        found = getattr(found, name)
    return found


def load_module(place: str, *, folder: Path) -> ModuleType:
    """Import a file or a module; a file is imported once in a process, however often it is named, until it changes.

    Raises:
        ConfigError: It does not exist, or importing it fails.
    """
    try:
        return _file(place, folder) if place.endswith(".py") else _module(place, folder)
    except ConfigError:
        raise
    except ModuleNotFoundError as error:
        if not place.endswith(".py") and error.name and (place == error.name or place.startswith(f"{error.name}.")):
            raise _failed(
                f"there is no module `{place}`", hint="a file is named with its ending: `scorers.py:name`"
            ) from error
        raise _import_failed(place, error) from error
    except (Exception, SystemExit) as error:  # the user's module: whatever it raises
        raise _import_failed(place, error) from error


def _module(name: str, folder: Path) -> ModuleType:
    _on_import_path(folder)
    return importlib.import_module(name)


def _file(name: str, folder: Path) -> ModuleType:
    path = (folder / name).resolve()
    if not path.is_file():
        names = (
            [str(item.relative_to(folder.resolve())) for item in path.parent.glob("*.py")]
            if path.parent.is_dir()
            else []
        )
        raise _failed(
            f"there is no file `{name}`", hint=suggestion(name, names, rest="paths start from the suite file")
        )
    digest = hashlib.sha256(str(path).encode() + path.read_bytes()).hexdigest()[:12]
    unique = f"evalwright_suite_{path.stem}_{digest}"
    if unique in sys.modules:
        return sys.modules[unique]
    _on_import_path(path.parent)
    return _execute(unique, path)


def _execute(unique: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_loader(unique, SourceAsItIs(unique, str(path)))
    if spec is None or spec.loader is None:
        raise _failed(f"`{path.name}` can't be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[unique] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[unique]
        raise
    return module


def _on_import_path(folder: Path) -> None:
    place = str(folder.resolve())
    if place not in sys.path:
        sys.path.insert(0, place)


def _import_failed(place: str, error: BaseException) -> ConfigError:
    own = [frame for frame in traceback.extract_tb(error.__traceback__) if "importlib" not in frame.filename]
    where = next((frame for frame in reversed(own) if not frame.filename.startswith(_OURS)), None)
    at = f" at line {where.lineno} of {Path(where.filename).name}" if where else ""
    if isinstance(error, SyntaxError) and error.filename:
        at = f" at line {error.lineno} of {Path(error.filename).name}"
    return _failed(f"importing `{place}` failed{at}: {type(error).__name__}: {_shown(error)}")


def _shown(error: BaseException) -> str:
    text = error.msg if isinstance(error, SyntaxError) else str(error)
    return text.partition("\n")[0][:300]


_OURS = str(Path(__file__).parent.parent)


def _failed(message: str, *, hint: str = "") -> ConfigError:
    return ConfigError([Problem(message=message, hint=hint)])

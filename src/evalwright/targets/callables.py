"""Python functions as systems under test: found by name, looked at once, called with what they declare."""

from __future__ import annotations

import functools
import hashlib
import importlib
import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import msgspec

from evalwright.core.errors import ConfigError, TargetError
from evalwright.core.extras import SourceAsItIs
from evalwright.core.target import TargetCall
from evalwright.targets.options import config_error

_EXTRAS: Mapping[str, Callable[[TargetCall], Any]] = {
    "trial": lambda call: call.trial,
    "seed": lambda call: call.seed,
    "metadata": lambda call: call.metadata,
    "case_id": lambda call: call.case_id,
}
_OURS = str(Path(__file__).parent.parent)
_FRAMES = 3
_MOST_FILES = 2000
_USED_FOLDERS: set[Path] = set()


class Signature(msgspec.Struct, frozen=True):
    """How a function wants to be called.

    Attributes:
        whole: Its parameter takes the whole `TargetCall` instead of the input.
        extras: Names among `trial`, `seed`, `metadata`, `case_id` it declares.
    """

    whole: bool
    extras: tuple[str, ...]

    def arguments(self, call: TargetCall) -> tuple[Any, dict[str, Any]]:
        """The positional argument and the named ones for one call."""
        return (call if self.whole else call.input), {name: _EXTRAS[name](call) for name in self.extras}


def read_signature(function: Callable[..., Any], name: str) -> Signature:
    """Look at a function's parameters.

    The first takes the input, or the whole call when it is annotated `TargetCall` or named `call`; `trial`, `seed`,
    `metadata` and `case_id` are passed by name where declared.

    Raises:
        ConfigError: It takes nothing, or needs something else.
    """
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (ValueError, TypeError):
        return Signature(whole=False, extras=())
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    first = parameters[0] if parameters else None
    if first is None or (first.kind not in positional and first.kind is not inspect.Parameter.VAR_POSITIONAL):
        raise config_error(f"`{name}` takes no argument", key="callable", hint="its first parameter gets the input")
    rest = parameters[1:]
    named = [p for p in rest if p.kind in (*positional, inspect.Parameter.KEYWORD_ONLY)]
    needed = [p.name for p in named if p.name not in _EXTRAS and p.default is p.empty]
    if needed:
        allowed = ", ".join(f"`{extra}`" for extra in _EXTRAS)
        hint = f"a target is called with the input and, where declared, {allowed}; give the rest defaults"
        raise config_error(f"`{name}` needs a parameter `{needed[0]}`", key="callable", hint=hint)
    extras = tuple(p.name for p in named if p.name in _EXTRAS and p.kind is not p.POSITIONAL_ONLY)
    return Signature(whole=first.name == "call" or _annotated_call(first.annotation), extras=extras)


def _annotated_call(annotation: Any) -> bool:
    if isinstance(annotation, str):
        return annotation.rpartition(".")[2].strip("\"' ") == "TargetCall"
    return annotation is TargetCall


def is_async(function: Callable[..., Any]) -> bool:
    """Whether calling it gives an awaitable to be run on the event loop."""
    while isinstance(function, functools.partial):
        function = function.func
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None))  # noqa: B004


def load_callable(reference: str, *, folder: Path) -> Any:
    """Import `module:function` or `file.py:function`; a class is made into an instance without arguments.

    Args:
        reference: Module or file, a colon, and the name (dots reach into objects).
        folder: Where files are looked for, put in front of the import path for modules.

    Raises:
        ConfigError: It can't be imported or is not callable; the message holds the user's own line.
    """
    place, _, attribute = reference.rpartition(":")
    if not place or not attribute:
        hint = "write `module:function` or `file.py:function`"
        raise config_error(f"`{reference}` does not name a function", key="callable", hint=hint)
    module = _load_file(place, folder) if place.endswith(".py") else _load_module(place, folder)
    found: Any = module
    for name in attribute.split("."):
        if not hasattr(found, name):
            raise _no_attribute(module, attribute, place)
        found = getattr(found, name)
    if inspect.isclass(found):
        found = _instance(found, reference)
    if not callable(found) and not callable(getattr(found, "respond", None)):
        raise config_error(f"`{reference}` is not callable", key="callable")
    return found


def _load_module(name: str, folder: Path) -> ModuleType:
    _make_way(name.partition(".")[0], folder.resolve())
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(error.name + ".")):
            hint = "`path` names the folder it is imported from, relative to the suite file"
            raise config_error(f"there is no module `{name}`", key="callable", hint=hint) from None
        raise _import_failed(name, error) from error
    except (Exception, SystemExit) as error:
        raise _import_failed(name, error) from error


def _make_way(top: str, folder: Path) -> None:
    """Put the folder first on the import path, and forget a module of the same name taken from another target's folder.

    Two versions of a product can so be evaluated one after the other in one process.
    """
    if str(folder) in sys.path:
        sys.path.remove(str(folder))
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    loaded = sys.modules.get(top)
    here = (folder / top).is_dir() or (folder / f"{top}.py").is_file()
    place = _place_of(loaded)
    if loaded is not None and here and place is not None and not place.is_relative_to(folder):
        if not any(place.is_relative_to(used) for used in _USED_FOLDERS):
            hint = "rename your module, or name its file: `file.py:function`"
            raise config_error(f"another module `{top}` is loaded already, from {place}", key="callable", hint=hint)
        for name in [name for name in sys.modules if name == top or name.startswith(f"{top}.")]:
            del sys.modules[name]
    _USED_FOLDERS.add(folder)


def _place_of(module: ModuleType | None) -> Path | None:
    """The file of a module, or the folder of a package."""
    folders = list(getattr(module, "__path__", []))
    file = getattr(module, "__file__", None)
    found = folders[0] if folders else file
    return Path(found).resolve() if found else None


def _load_file(name: str, folder: Path) -> ModuleType:
    path = (folder / name).resolve()
    if not path.is_file():
        raise config_error(f"there is no file `{name}`", key="callable", hint="paths are relative to the suite file")
    unique = f"evalwright_target_{path.stem}_{hashlib.sha256(str(path).encode()).hexdigest()[:12]}"
    spec = importlib.util.spec_from_loader(unique, SourceAsItIs(unique, str(path)))
    if spec is None or spec.loader is None:
        raise config_error(f"`{name}` can't be imported", key="callable")
    module = importlib.util.module_from_spec(spec)
    sys.modules[unique] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[unique]
        raise _import_failed(name, error) from error
    return module


def _instance(cls: type, reference: str) -> Any:
    try:
        return cls()
    except Exception as error:
        raise config_error(f"`{reference}()` failed: {describe_exception(error)}", key="callable") from error


def _import_failed(name: str, error: BaseException) -> ConfigError:
    return config_error(f"importing `{name}` failed: {describe_exception(error)}", key="callable")


def _no_attribute(module: ModuleType, attribute: str, place: str) -> ConfigError:
    names = [name for name, value in vars(module).items() if callable(value) and not name.startswith("_")]
    hint = "it has " + ", ".join(f"`{name}`" for name in sorted(names)[:10]) if names else ""
    return config_error(f"`{place}` has no `{attribute}`", key="callable", hint=hint)


def describe_exception(error: BaseException) -> str:
    """An exception as type, message and the last places in user code, e.g. `KeyError: 'x' (app.py:12 in answer)`."""
    name = type(error).__name__
    try:
        text = str(error)[:1000]
    except Exception:  # noqa: BLE001  a user's __str__ may raise
        text = "(its message can't be shown)"
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith(_OURS) and "importlib" not in frame.filename
    ]
    places = [f"{Path(frame.filename).name}:{frame.lineno} in {frame.name}" for frame in frames[-_FRAMES:]]
    return (f"{name}: {text}" if text else name) + (f" ({' > '.join(places)})" if places else "")


def exception_error(error: BaseException, name: str) -> TargetError:
    """What user code raised as a recorded error; failed connections and timeouts may be tried again."""
    if isinstance(error, TargetError):
        return error
    text = f"{name} raised {describe_exception(error)}"
    if isinstance(error, TimeoutError):
        return TargetError(text, kind="timeout", retryable=True)
    if isinstance(error, ConnectionError):
        return TargetError(text, kind="connection", retryable=True)
    return TargetError(text, kind="exception")


def code_digest(function: Any) -> str:
    """SHA-256 of the code an answer depends on, as far as it can be told.

    That is the function's own compiled code and the file it (or an object's class) is written in; where that file is
    part of a package that is not installed, all the package's Python files.
    """
    while isinstance(function, functools.partial):
        function = function.func
    subject = inspect.unwrap(function) if callable(function) else function
    subject = getattr(subject, "__func__", subject)
    code = getattr(subject, "__code__", None)
    if code is None:
        subject = type(subject)
    try:
        path = inspect.getsourcefile(subject)
    except TypeError:
        path = None
    digest = hashlib.sha256(_code_bytes(code) if isinstance(code, CodeType) else b"")
    for file in _source_files(path):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def _source_files(path: str | None) -> list[Path]:
    if path is None or not Path(path).is_file():
        return []
    package, folder = None, Path(path).parent
    while (folder / "__init__.py").is_file():
        package, folder = folder, folder.parent
    if package is None or "site-packages" in path:
        return [Path(path)]
    return sorted(package.rglob("*.py"))[:_MOST_FILES]


def _code_bytes(code: CodeType) -> bytes:
    parts = [code.co_code, repr(code.co_names).encode()]
    parts += [_constant_bytes(part) for part in code.co_consts]
    return b"\0".join(parts)


def _constant_bytes(constant: Any) -> bytes:
    if isinstance(constant, CodeType):
        return _code_bytes(constant)
    # The order of a set differs from one process to the next.
    return repr(sorted(map(repr, constant)) if isinstance(constant, frozenset) else constant).encode()

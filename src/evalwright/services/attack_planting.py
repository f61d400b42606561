"""Planting for as long as one case is asked: files in a copy of a folder, a function of the user's, HTTP requests."""

from __future__ import annotations

import asyncio
import atexit
import os
import re
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp

from evalwright.core.case import Json
from evalwright.core.errors import ConfigError, Problem, TargetError, UsageError
from evalwright.models.secrets import expand, expand_public, refuse_literal_secret
from evalwright.packs.planting import Planter
from evalwright.services.attack_surface import Route, Surface
from evalwright.targets.callables import load_callable

MARK = ".evalwright-copy"
"""A file that says that a folder is a copy of ours, which may be written to and removed."""

_SLOT = re.compile(r"\{\{\s*(id|title|text|tenant)\s*\}\}")
_TIMEOUT_S = 60.0
Item = Mapping[str, Any]


def planters_of(surface: Surface, base: Path) -> dict[str, Planter]:
    """The planters of a surface; copies of folders are made now, because products look for them when they start.

    Raises:
        ConfigError: A function can't be imported or a variable is not set.
        UsageError: A copy can't be made where it is wanted.
    """
    made: dict[str, Planter] = {}
    for name, route in surface.routes.items():
        if route.via == "folder":
            made[name] = FolderPlanter(route, base)
        elif route.via == "callable":
            made[name] = CallablePlanter(route, base)
        elif route.via == "http":
            made[name] = HttpPlanter(route, base)
    return made


def filled(template: str, item: Item) -> str:
    """A template with the fields of an item; what stands in the item is never read as a template."""
    return _SLOT.sub(lambda match: str(item.get(match[1], "")), template)


class FolderPlanter:
    """Files in a copy of the product's own folder.

    Args:
        route: How.
        base: Folder that paths start from.
    """

    shared = True

    def __init__(self, route: Route, base: Path) -> None:
        self._route = route
        self._original = (base / str(route.folder)).resolve()
        self.copy = self._made(base)
        if route.env:
            os.environ[route.env] = str(self.copy)
        self._reload = load_callable(route.reload, folder=base / route.path) if route.reload else None
        self._session: aiohttp.ClientSession | None = None

    def _made(self, base: Path) -> Path:
        if self._route.copy_to is None:
            folder = tempfile.mkdtemp(prefix="evalwright-planted-")
            atexit.register(shutil.rmtree, folder, ignore_errors=True)
            copy = Path(folder) / self._original.name
        else:
            copy = (base / self._route.copy_to).resolve()
            _refuse_foreign(copy, self._original)
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(self._original, copy, symlinks=False)
        (copy / MARK).write_text("A copy made by evalwright pack run; it may be removed.\n", encoding="utf-8")
        return copy

    def describe(self) -> dict[str, Json]:
        """The folder that was copied."""
        return {"via": "folder", "folder": str(self._route.folder)}

    async def open(self) -> None:
        """Nothing: the copy is there already."""
        if self._route.reload_url:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_TIMEOUT_S))

    async def close(self) -> None:
        """End the session; the copy goes with the process, or stays where it was wanted."""
        if self._session is not None:
            await self._session.close()

    @asynccontextmanager
    async def planted(self, items: Sequence[Item]) -> AsyncIterator[None]:
        """The items as files of the copy; afterwards it is as it was."""
        places = [self._place(item) for item in items]
        try:
            for place, item in zip(places, items, strict=True):
                place.parent.mkdir(parents=True, exist_ok=True)
                content = str(item["text"]) if item.get("place") else filled(self._route.text, item)
                place.write_text(content, encoding="utf-8")
            await self._changed()
            yield
        finally:
            for place in places:
                self._restore(place)
            await self._changed()

    def _place(self, item: Item) -> Path:
        name = str(item.get("place") or filled(self._route.file, {**item, "id": _file_name(str(item["id"]))}))
        place = (self.copy / name).resolve()
        if not place.is_relative_to(self.copy.resolve()):
            raise TargetError(f"{name} would lie outside the copy", kind="malformed")
        return place

    def _restore(self, place: Path) -> None:
        original = self._original / place.relative_to(self.copy.resolve())
        if original.is_file():
            shutil.copyfile(original, place)
        else:
            place.unlink(missing_ok=True)

    async def _changed(self) -> None:
        if self._reload is not None:
            await _called(self._reload, "reload")
        if self._session is not None and self._route.reload_url:
            await _sent(self._session, "POST", expand(self._route.reload_url, os.environ, key="reload_url"), None, {})
        if self._route.settle:
            await asyncio.sleep(self._route.settle)


def _refuse_foreign(copy: Path, original: Path) -> None:
    if copy == original or original.is_relative_to(copy) or copy.is_relative_to(original):
        raise UsageError(f"the copy {copy} would lie in or over the original {original}", hint="choose another folder")
    if copy.exists() and not (copy / MARK).is_file():
        raise UsageError(f"{copy} exists and is no copy of ours", hint="remove it, or name another `copy_to`")


def _file_name(text: str) -> str:
    return re.sub(r"[^\w.-]+", "-", text) or "planted"


async def _called(function: Any, what: str, *arguments: Any) -> Any:
    try:
        result = function(*arguments) if asyncio.iscoroutinefunction(function) else None
        return await result if result is not None else await asyncio.to_thread(function, *arguments)
    except Exception as error:  # a function of the user's, whatever it raises
        raise TargetError(f"`{what}` failed: {type(error).__name__}: {error}", kind="exception") from error


class CallablePlanter:
    """A function of the user's that puts documents in.

    Args:
        route: How.
        base: Folder that paths start from.
    """

    shared = True

    def __init__(self, route: Route, base: Path) -> None:
        self._name = str(route.callable)
        self._settle = route.settle
        self._function = load_callable(self._name, folder=base / route.path)

    def describe(self) -> dict[str, Json]:
        """The function."""
        return {"via": "callable", "callable": self._name}

    async def open(self) -> None:
        """Nothing to do."""

    async def close(self) -> None:
        """Nothing to do."""

    @asynccontextmanager
    async def planted(self, items: Sequence[Item]) -> AsyncIterator[None]:
        """The items put in by the function, and taken out by what it returned."""
        undo = await _called(self._function, self._name, [dict(item) for item in items])
        enter = getattr(undo, "__enter__", None)
        if enter is not None:
            await _called(enter, self._name)
            leave = getattr(undo, "__exit__")  # noqa: B009  a context manager has it
            arguments: tuple[Any, ...] = (None, None, None)
        elif callable(undo):
            leave, arguments = undo, ()
        else:
            hint = "it must return a function that takes the documents out again, or a context manager"
            raise TargetError(f"`{self._name}` returned {type(undo).__name__}: {hint}", kind="malformed")
        try:
            if self._settle:
                await asyncio.sleep(self._settle)
            yield
        finally:
            await _called(leave, self._name, *arguments)


class HttpPlanter:
    """Documents sent to the product's own address for new ones, and deleted afterwards.

    A document of the product's own is sent again as it was.

    Args:
        route: How.
        base: Folder that paths start from.
    """

    shared = True

    def __init__(self, route: Route, base: Path) -> None:
        self._route = route
        self._originals = (base / route.folder) if route.folder else None
        self._url = expand(str(route.url), os.environ, key="url")
        self._remove = expand(str(route.remove_url), os.environ, key="remove_url")
        for name, value in route.headers.items():
            refuse_literal_secret(f"headers.{name}", value)
        self._headers = {name: expand(value, os.environ, key=name) for name, value in route.headers.items()}
        self._session: aiohttp.ClientSession | None = None

    def describe(self) -> dict[str, Json]:
        """The address."""
        return {"via": "http", "url": expand_public(str(self._route.url), os.environ)}

    async def open(self) -> None:
        """Make the session."""
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_TIMEOUT_S))

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    @asynccontextmanager
    async def planted(self, items: Sequence[Item]) -> AsyncIterator[None]:
        """The items sent, and taken out again."""
        sent: list[Item] = []
        try:
            for item in items:
                await self._send(item)
                sent.append(item)
            await asyncio.sleep(self._route.settle)
            yield
        finally:
            for item in sent:
                await self._take_out(item)

    async def _send(self, item: Item) -> None:
        body = _filled_value(self._route.body, item)
        await _sent(self._open_session(), self._route.method, filled(self._url, _quoted(item)), body, self._headers)

    async def _take_out(self, item: Item) -> None:
        original = self._originals / str(item["place"]) if self._originals and item.get("place") else None
        if original is not None and original.is_file():
            await self._send({**item, "text": original.read_text(encoding="utf-8")})
            return
        await _sent(self._open_session(), "DELETE", filled(self._remove, _quoted(item)), None, self._headers)

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise ConfigError([Problem(message="the planter was not opened")])
        return self._session


def _quoted(item: Item) -> dict[str, str]:
    return {key: quote(str(value), safe="") for key, value in item.items()}


def _filled_value(value: Any, item: Item) -> Any:
    if isinstance(value, str):
        return filled(value, item)
    if isinstance(value, dict):
        return {key: _filled_value(part, item) for key, part in value.items()}
    return [_filled_value(part, item) for part in value] if isinstance(value, list) else value


async def _sent(session: aiohttp.ClientSession, method: str, url: str, body: Json, headers: dict[str, str]) -> None:
    try:
        async with session.request(method, url, json=body, headers=headers, allow_redirects=False) as reply:
            if reply.status >= 300:
                said = (await reply.content.read(300)).decode(errors="replace")
                raise TargetError(f"planting: {method} gave {reply.status}: {said}", kind="server", status=reply.status)
    except (aiohttp.ClientError, TimeoutError) as error:
        raise TargetError(f"planting: {method} failed: {error}", kind="connection", retryable=True) from error

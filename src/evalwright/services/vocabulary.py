"""The scorers and targets installed here: catalogs named by entry points, loaded when a name is used."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from evalwright.core.component import SCORER_GROUP, TARGET_GROUP, Vocabulary
from evalwright.core.errors import UsageError


class Catalog(Mapping[str, Any]):
    """Names to option classes. Reading a name imports its module; listing the names imports nothing but catalogs."""

    def __init__(self, places: Mapping[str, str | Any]) -> None:
        self._places = dict(places)

    def __getitem__(self, name: str) -> Any:
        place = self._places[name]
        return _load(name, place) if isinstance(place, str) else place

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


def _load(name: str, place: str) -> Any:
    module, _, attribute = place.partition(":")
    try:
        return getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise UsageError(f"`{name}` is registered as `{place}`, which can't be loaded: {error}") from error


@cache
def vocabulary() -> Vocabulary:
    """Everything installed, built-in names first; a package can't take a built-in name.

    Raises:
        UsageError: A catalog can't be loaded or a name is taken twice; the message names the packages.
    """
    return Vocabulary(scorers=_catalog(SCORER_GROUP), targets=_catalog(TARGET_GROUP))


def _catalog(group: str) -> Catalog:
    places: dict[str, Any] = {}
    owners: dict[str, str] = {}
    for point in sorted(entry_points(group=group), key=lambda p: (p.name != "builtin", p.name)):
        for name, place in _entries(point).items():
            if name in places:
                raise UsageError(
                    f"`{name}` in {group} is offered by both {owners[name]} and {_owner(point)}",
                    hint="uninstall one of them, or ask its author to rename",
                )
            places[name], owners[name] = place, _owner(point)
    return Catalog(places)


def _entries(point: EntryPoint) -> Mapping[str, Any]:
    try:
        catalog = point.load()
    except Exception as error:  # a third party's module: name it, whatever it raises
        raise UsageError(f"the catalog `{point.value}` of {_owner(point)} can't be loaded: {error}") from error
    if not isinstance(catalog, Mapping):
        raise UsageError(f"the catalog `{point.value}` of {_owner(point)} must be a mapping of names to classes")
    return catalog


def _owner(point: EntryPoint) -> str:
    return point.dist.name if point.dist else point.value


def summary_of(component: Any) -> str:
    """The first line of a component's docstring."""
    return (component.__doc__ or "").strip().partition("\n")[0]

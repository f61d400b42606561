"""Which keys a class of options takes."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any, get_args, get_type_hints

from pydantic import BaseModel

from evalwright.suites.document import Path


def option_keys(component: Any) -> tuple[str, ...]:
    """Names of the options a class takes, as a suite file writes them."""
    if isinstance(component, type) and issubclass(component, BaseModel):
        return tuple(field.alias or name for name, field in component.model_fields.items())
    if isinstance(component, type) and dataclasses.is_dataclass(component):
        return tuple(field.name for field in dataclasses.fields(component) if field.init)
    return ()


def main_option(component: Any) -> str | None:
    """The option a value in place of a mapping stands for (`contains: Hello`): a dataclass's first positional one."""
    if not isinstance(component, type) or not dataclasses.is_dataclass(component):
        return None
    positional = [field.name for field in dataclasses.fields(component) if field.init and not field.kw_only]
    return positional[0] if positional else None


def keys_at(component: Any, steps: Path) -> tuple[str, ...]:
    """Names of the options allowed at a place inside a class's options; empty where anything goes.

    Args:
        component: The option class.
        steps: Keys and indexes from its options down to the place.
    """
    here = [component]
    for step in steps:
        here = [inner for item in here for inner in _below(item, step)]
    return tuple(dict.fromkeys(key for item in here for key in option_keys(item)))


def _below(component: Any, step: str | int) -> Iterator[Any]:
    if isinstance(step, int):
        yield component
        return
    try:
        hint = get_type_hints(component).get(step)
    except (TypeError, NameError):
        return
    yield from _option_classes(hint)


def _option_classes(hint: Any) -> Iterator[Any]:
    if isinstance(hint, type) and (dataclasses.is_dataclass(hint) or issubclass(hint, BaseModel)):
        yield hint
    for inner in get_args(hint):
        yield from _option_classes(inner)

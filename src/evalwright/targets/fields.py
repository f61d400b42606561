"""Which column or dotted path of a row feeds which field of an output."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from evalwright.core.case import Json
from evalwright.targets.answers import OUTPUT_FIELDS
from evalwright.targets.options import config_error

FieldSpec = str | dict[str, Any]
"""A dotted path, a mapping that builds an object, or one with `path` that maps the items of a list."""

Nothing = object()
"""What a path gives that leads nowhere."""


def follow(value: Json, path: str) -> Any:
    """The value at a dotted path, `Nothing` when there is none; a key that holds the whole path wins.

    Numbers index lists: `choices.0.text`.

    Example:
        >>> follow({"a": {"b": [10, 20]}}, "a.b.1")
        20
    """
    if isinstance(value, Mapping) and path in value:
        return value[path]
    here: Any = value
    for step in path.split("."):
        if isinstance(here, Mapping) and step in here:
            here = here[step]
        elif isinstance(here, list) and step.lstrip("-").isdigit() and -len(here) <= int(step) < len(here):
            here = here[int(step)]
        else:
            return Nothing
    return here


def compile_field(spec: FieldSpec, key: str) -> Callable[[Json], Any]:
    """A function from a row to the value of one field.

    Raises:
        ConfigError: The spec is neither a path nor a mapping of paths.
    """
    if isinstance(spec, str) and spec:
        path = spec
        return lambda row: follow(row, path)
    if not isinstance(spec, Mapping) or not spec:
        hint = "write `answer`, `reply.text`, or a mapping"
        raise config_error(f"`{spec}` is not a column or path", key=key, hint=hint)
    parts = {name: compile_field(part, f"{key}.{name}") for name, part in spec.items() if name != "path"}
    if "path" not in spec:
        return lambda row: _built(row, parts)
    source = compile_field(spec["path"], f"{key}.path")
    return lambda row: items_of(source(row), parts)


def compile_fields(specs: Mapping[str, FieldSpec], key: str) -> dict[str, Callable[[Json], Any]]:
    """Functions for the fields of an output.

    Raises:
        ConfigError: A name is not a field of an output.
    """
    for name in specs:
        if name not in OUTPUT_FIELDS:
            known = ", ".join(f"`{field}`" for field in OUTPUT_FIELDS)
            raise config_error(f"`{name}` is not a field of an output", key=f"{key}.{name}", hint=f"there are {known}")
    return {name: compile_field(spec, f"{key}.{name}") for name, spec in specs.items()}


def _built(row: Json, parts: Mapping[str, Callable[[Json], Any]]) -> Any:
    values = {name: part(row) for name, part in parts.items()}
    found = {name: value for name, value in values.items() if value is not Nothing}
    return found or Nothing


def items_of(source: Any, parts: Mapping[str, Callable[[Json], Any]]) -> Any:
    """The items of a list, each an object built by the parts; texts among them stay as they are."""
    if source is Nothing or source is None:
        return source
    items = source if isinstance(source, list) else [source]
    return [_built(item, parts) if isinstance(item, Mapping) and parts else item for item in items]

"""Validation errors in the words of a suite file's author."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from evalwright.core.case import Json
from evalwright.suites.document import Path, Problems
from evalwright.suites.keys import keys_at
from evalwright.suites.suggest import closest, listed

_KINDS = {
    "string_type": "a text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "`true` or `false`",
    "bool_parsing": "`true` or `false`",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "dataclass_type": "a mapping",
    "list_type": "a list",
    "tuple_type": "a list",
    "set_type": "a list",
    "frozen_set_type": "a list",
    "none_required": "null",
    "finite_number": "a finite number",
    "path_type": "a path",
}
_MISSING = ("missing", "missing_argument")
_ABSENT: Any = object()
_LIMITS = {
    "greater_than": ("gt", "more than"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "less than"),
    "less_than_equal": ("le", "at most"),
}


def explain(
    error: ValidationError,
    problems: Problems,
    path: Path,
    *,
    what: str,
    component: Any,
    also: tuple[str, ...] = (),
    prefix: int = 0,
) -> None:
    """Note every error of a validation as a problem at its place.

    Args:
        error: What pydantic says.
        problems: Where to note it.
        path: Path of the validated value in the file.
        what: How messages call it, e.g. `run` or "the scorer `regex`".
        component: The class the value was checked against; its keys are the allowed ones.
        also: Further keys allowed beside those of the class.
        prefix: Leading parts of pydantic's locations that do not stand in the file.
    """
    groups: dict[tuple[Any, ...], list[ErrorDetails]] = {}
    for item in error.errors(include_url=False):
        groups.setdefault(_real_steps(item, prefix, problems, path), []).append(item)
    for steps, items in groups.items():
        allowed = sorted({*keys_at(component, steps[:-1]), *(also if len(steps) == 1 else ())})
        _note(items, problems, (*path, *steps), what=_inner(what, steps), allowed=allowed)


def _inner(what: str, steps: Path) -> str:
    above = [str(step) for step in steps[:-1] if isinstance(step, str)]
    return f"`{above[-1]}` of {what}" if above else what


def _real_steps(item: ErrorDetails, prefix: int, problems: Problems, path: Path) -> Path:
    """The part of a location that stands in the file: pydantic also names the branch of a union and the like."""
    value: Json = _at(problems.document.data, path)
    loc = item["loc"][prefix:]
    steps: list[int | str] = []
    for part in loc:
        inner = _at(value, (part,), default=_ABSENT)
        if inner is not _ABSENT:
            value = inner
            steps.append(part)
    if item["type"] in _MISSING:
        steps.append(loc[-1])
    return tuple(steps)


def _at(value: Json, path: Path, *, default: Json = None) -> Json:
    for part in path:
        in_list = isinstance(value, list) and isinstance(part, int) and part < len(value)
        if not in_list and not (isinstance(value, dict) and part in value):
            return default
        value = value[part]
    return value


def _note(items: list[ErrorDetails], problems: Problems, path: Path, *, what: str, allowed: list[str]) -> None:
    first = items[0]
    kind = first["type"]
    name = next((str(part) for part in reversed(path) if isinstance(part, str)), what)
    if kind in ("extra_forbidden", "unexpected_keyword_argument"):
        near = closest(name, allowed)
        hint = f"did you mean `{near}`? " if near else ""
        hint += f"allowed: {listed(allowed)}" if allowed else ""
        problems.add(path, f"unknown key `{name}` in {what}", hint=hint, key=True)
    elif kind in _MISSING:
        problems.add(path[:-1], f"{what} needs the key `{name}`", key=True)
    else:
        label = f"`{name}`" if path and isinstance(path[-1], str) else f"an item of `{name}`"
        message, hint = _wrong_value(items, label)
        problems.add(path, message, hint=hint)


def _wrong_value(items: list[ErrorDetails], label: str) -> tuple[str, str]:
    first = items[0]
    kinds = [_KINDS[item["type"]] for item in items if item["type"] in _KINDS]
    if len(kinds) == len(items):
        wanted = " or ".join(dict.fromkeys(kinds))
        return f"{label} must be {wanted}, not {shown(first['input'])}", _kind_hint(wanted, first["input"])
    specific = next(item for item in items if item["type"] not in _KINDS)
    return _specific(specific, label)


def _specific(item: ErrorDetails, label: str) -> tuple[str, str]:
    kind, context = item["type"], item.get("ctx", {})
    value = shown(item["input"])
    if kind in _LIMITS:
        key, words = _LIMITS[kind]
        return f"{label} must be {words} {context[key]:g}, not {value}", ""
    if kind in ("literal_error", "enum"):
        return f"{label} must be {_choices(context['expected'])}, not {value}", _choice_hint(item["input"], context)
    if kind == "value_error":
        raised = context["error"]
        return f"{label}: {getattr(raised, 'message', raised)}", str(getattr(raised, "hint", ""))
    if kind in ("string_too_short", "too_short"):
        return f"{label} must not be empty", ""
    return f"{label}: {item['msg'][:1].lower()}{item['msg'][1:]}, not {value}", ""


def _choices(expected: str) -> str:
    return expected.replace("'", "`")


def _choice_hint(value: Json, context: dict[str, Any]) -> str:
    names = [part.strip("' ") for part in context["expected"].replace(" or ", ",").split(",")]
    near = closest(value, names) if isinstance(value, str) else None
    return f"did you mean `{near}`?" if near else ""


def _kind_hint(wanted: str, value: Json) -> str:
    if "`true`" in wanted and isinstance(value, str) and value.lower() in ("yes", "no", "on", "off"):
        return f"in YAML 1.2 `{value}` is a text; write `{'true' if value.lower() in ('yes', 'on') else 'false'}`"
    if wanted == "a list" and isinstance(value, dict | str):
        return "begin each item with a dash, or put them into brackets: `[…]`"
    if wanted == "a text" and isinstance(value, bool | int | float):
        return "put it into quotes"
    if wanted in ("a whole number", "a number") and isinstance(value, str) and _is_number(value):
        return "remove the quotes"
    return ""


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def shown(value: Json) -> str:
    """A value as a message shows it: short, and never a whole structure.

    Example:
        >>> shown("three"), shown([1, 2]), shown(None)
        ('`three`', 'a list', 'nothing')
    """
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    text = str(value)
    return f"`{text[:60]}{'…' if len(text) > 60 else ''}`"

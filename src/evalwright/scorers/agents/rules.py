"""What an argument may be: a literal value, or a rule such as `{"$any_of": [...]}` or `{"$max": 100}`.

A mapping whose keys all start with `$` and are known is a rule; all its conditions must hold. Everything else is a
literal: mappings and lists are compared member by member and may hold rules inside. `{"$literal": value}` takes a
mapping that looks like a rule as it is.

| rule | holds when the argument |
| --- | --- |
| `$any: true` | is there, whatever it is |
| `$any_of: [a, b]` | matches one of them |
| `$not: a` | does not match |
| `$optional: a` | is absent or matches |
| `$regex: p` | is a text with a match of the RE2 pattern |
| `$contains: a` | is a text or list that has it |
| `$near: [n, d]` | is a number at most d away from n |
| `$min: n`, `$max: n` | is a number in the limits |
| `$type: t` | has the JSON type `string`, `number`, `integer`, `boolean`, `array`, `object` or `null` |
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from evalwright.scorers.patterns import compile_pattern
from evalwright.scorers.text.normalize import nfc

_LOOSE = re.compile(r"[\s.,/\-_*^'\"]+")
ABSENT: Any = object()
"""Stands for an argument that was not given."""


def is_number(value: Any) -> bool:
    """Whether a value is a number and no truth value."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


_TYPES: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "number": is_number,
    "integer": lambda value: is_number(value) and float(value).is_integer(),
    "boolean": lambda value: isinstance(value, bool),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, Mapping),
    "null": lambda value: value is None,
}


def is_rule(wanted: Any) -> bool:
    """Whether an expected value is a rule and no literal."""
    return isinstance(wanted, Mapping) and bool(wanted) and all(key in _OPERATORS for key in wanted)


def fits(given: Any, wanted: Any, *, loose: bool = False) -> bool:
    """Whether a value is what is wanted.

    Numbers are equal when their values are (5 and 5.0), truth values are no numbers, texts are compared in Unicode
    normal form C, or, when loose, without case, spaces and punctuation.
    """
    return next(mismatches(given, wanted, loose=loose), None) is None


def mismatches(given: Any, wanted: Any, path: str = "", *, loose: bool = False) -> Iterator[str]:
    """Where and how a value is not what is wanted, one sentence each."""
    if is_rule(wanted):
        yield from _broken(given, wanted, path, loose=loose)
    elif given is ABSENT:
        yield f"{path or 'value'} is missing, expected {_short(wanted)}"
    elif isinstance(wanted, Mapping) and isinstance(given, Mapping):
        yield from _members(given, wanted, path, loose=loose)
    elif isinstance(wanted, (list, tuple)) and isinstance(given, (list, tuple)) and len(wanted) == len(given):
        for index, (mine, theirs) in enumerate(zip(given, wanted, strict=True)):
            yield from mismatches(mine, theirs, f"{path}[{index}]", loose=loose)
    elif not _equal(given, wanted, loose=loose):
        yield f"{path or 'value'} is {_short(given)}, expected {_short(wanted)}"


def _members(given: Mapping[str, Any], wanted: Mapping[str, Any], path: str, *, loose: bool) -> Iterator[str]:
    for key, value in wanted.items():
        yield from mismatches(given.get(key, ABSENT), value, f"{path}.{key}" if path else str(key), loose=loose)
    for key in given:
        if key not in wanted:
            yield f"{path}.{key} is not expected" if path else f"{key} is not expected"


def _broken(given: Any, rule: Mapping[str, Any], path: str, *, loose: bool) -> Iterator[str]:
    for name, operand in rule.items():
        if not _OPERATORS[name](given, operand, loose):
            shown = "missing" if given is ABSENT else _short(given)
            yield f"{path or 'value'} is {shown}, which breaks {name}: {_short(operand)}"


def _equal(given: Any, wanted: Any, *, loose: bool) -> bool:
    if isinstance(given, str) and isinstance(wanted, str):
        return text_form(given, loose=loose) == text_form(wanted, loose=loose)
    if isinstance(given, bool) or isinstance(wanted, bool):
        return given is wanted
    return bool(given == wanted) and (is_number(given) == is_number(wanted))


def text_form(text: str, *, loose: bool) -> str:
    """The form texts are compared in."""
    return _LOOSE.sub("", nfc(text)).casefold() if loose else nfc(text)


def _short(value: Any) -> str:
    return repr(value)[:80]


def _any_of(given: Any, options: Any, loose: bool) -> bool:
    return any(fits(given, option, loose=loose) for option in options)


def _contains(given: Any, part: Any, loose: bool) -> bool:
    if isinstance(given, str) and isinstance(part, str):
        return text_form(part, loose=loose) in text_form(given, loose=loose)
    return isinstance(given, list) and any(fits(item, part, loose=loose) for item in given)


_OPERATORS: dict[str, Callable[[Any, Any, bool], bool]] = {
    "$any": lambda given, _, __: given is not ABSENT,
    "$any_of": _any_of,
    "$not": lambda given, other, loose: given is not ABSENT and not fits(given, other, loose=loose),
    "$optional": lambda given, inner, loose: given is ABSENT or fits(given, inner, loose=loose),
    "$regex": lambda given, pattern, _: isinstance(given, str) and bool(compile_pattern(pattern).search(given)),
    "$contains": _contains,
    "$near": lambda given, pair, _: is_number(given) and abs(given - pair[0]) <= pair[1],
    "$min": lambda given, limit, _: is_number(given) and given >= limit,
    "$max": lambda given, limit, _: is_number(given) and given <= limit,
    "$type": lambda given, name, _: given is not ABSENT and _TYPES[name](given),
    "$literal": lambda given, value, loose: given is not ABSENT and _plainly(given, value, loose=loose),
}


def _plainly(given: Any, value: Any, *, loose: bool) -> bool:
    """Equality of JSON values in which nothing is a rule."""
    if isinstance(given, Mapping) and isinstance(value, Mapping):
        return given.keys() == value.keys() and all(_plainly(given[key], value[key], loose=loose) for key in value)
    if isinstance(given, list) and isinstance(value, (list, tuple)):
        pairs = zip(given, value, strict=False)
        return len(given) == len(value) and all(_plainly(mine, theirs, loose=loose) for mine, theirs in pairs)
    return _equal(given, value, loose=loose)


def check_rule(wanted: Any) -> None:
    """Find mistakes in a rule before anything runs.

    Raises:
        ValueError: A pattern does not compile or an operand has the wrong form.
    """
    if is_rule(wanted):
        for name, operand in wanted.items():
            _check_operand(name, operand)
    elif isinstance(wanted, Mapping):
        for value in wanted.values():
            check_rule(value)
    elif isinstance(wanted, (list, tuple)):
        for value in wanted:
            check_rule(value)


def _check_operand(name: str, operand: Any) -> None:
    if name == "$regex":
        compile_pattern(operand)
    elif name == "$type" and operand not in _TYPES:
        raise ValueError(f"$type is {operand!r}; it may be {', '.join(_TYPES)}")
    elif name == "$any_of" and not isinstance(operand, (list, tuple)):
        raise ValueError("$any_of needs a list")
    elif name in {"$min", "$max"} and not is_number(operand):
        raise ValueError(f"{name} needs a number")
    elif name == "$near" and not (
        isinstance(operand, (list, tuple)) and len(operand) == 2 and all(map(is_number, operand))
    ):
        raise ValueError("$near needs a number and the difference allowed")
    elif name in {"$any_of", "$not", "$optional"}:
        check_rule(list(operand) if name == "$any_of" else operand)

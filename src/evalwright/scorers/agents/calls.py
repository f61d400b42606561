"""Tool calls in one form, from the several forms that data sets write them in."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from evalwright.core.case import Json
from evalwright.core.output import ToolCall
from evalwright.scorers.base import NotApplicable


class Call(NamedTuple):
    """A call: the tool's name and its arguments (values of an expected call may be rules)."""

    name: str
    arguments: Any


def made_calls(calls: tuple[ToolCall, ...]) -> list[Call]:
    """The calls of an output; arguments given as JSON text are read."""
    return [Call(call.name, _read_arguments(call.arguments)) for call in calls]


def _read_arguments(arguments: Json) -> Json:
    if arguments is None or arguments == "":
        return {}
    if isinstance(arguments, str):
        try:
            return msgspec.json.decode(arguments.encode())
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return arguments
    return arguments


def expected_calls(value: Json) -> list[Call]:
    """The calls a case expects; an empty list means that no tool may be called.

    Each is `{"name": ..., "arguments": {...}}` (or OpenAI's `{"function": {...}}`), a text like `f(a=1, b='x')`, or, as
    in the Berkeley Function-Calling Leaderboard, `{"f": {"a": [1, 2], "b": ["x", ""]}}` with the allowed values of each
    argument, where an empty text means that it may be left out. Lists may be nested (one per turn).

    Raises:
        NotApplicable: It is none of these.
    """
    if isinstance(value, (list, tuple)):
        return [call for item in value for call in expected_calls(item)]
    if isinstance(value, str):
        return [parse_call(value)]
    if isinstance(value, Mapping):
        return [_from_mapping(value)]
    raise NotApplicable(f"an expected call is {type(value).__name__}, not an object or a text")


def _from_mapping(value: Mapping[str, Any]) -> Call:
    inner = value.get("function")
    if isinstance(inner, Mapping) and "name" in inner:
        return _from_mapping(inner)
    if isinstance(value.get("name"), str):
        return Call(value["name"], _read_arguments(value.get("arguments", value.get("args"))))
    if len(value) == 1 and "arguments" not in value:
        name, arguments = next(iter(value.items()))
        if isinstance(arguments, Mapping) and all(isinstance(allowed, list) for allowed in arguments.values()):
            return Call(name, {key: _allowed(values) for key, values in arguments.items()})
    raise NotApplicable("an expected call needs a `name`, and `arguments` if it has any")


def _allowed(values: list[Any]) -> dict[str, Any]:
    """The rule for one argument from its allowed values; without any, it is left out or an empty list."""
    if not values:
        return {"$optional": {"$literal": []}}
    options: list[Any] = []
    for value in values:
        options.append({"$literal": value} if isinstance(value, (dict, list)) else value)
        relaxed = _relaxed(value)
        if relaxed != value:
            options.append(relaxed)
    return {"$optional": {"$any_of": options}} if "" in values else {"$any_of": options}


def _relaxed(value: Any) -> Any:
    """A value whose objects list the allowed values of their members, with rules in their place."""
    if isinstance(value, dict) and value and all(isinstance(member, list) for member in value.values()):
        return {key: _allowed(members) for key, members in value.items()}
    return [_relaxed(item) for item in value] if isinstance(value, list) else value


def parse_call(text: str) -> Call:
    """Read a call written like Python, `move(source='a', to='b')`; only literals are understood, nothing is run.

    Arguments without a name get their position from 0 as one.

    Raises:
        NotApplicable: It is no such call.
    """
    try:
        node = ast.parse(text.strip(), mode="eval").body
        if not isinstance(node, ast.Call):
            raise NotApplicable(f"{text[:80]!r} is no call")
        arguments = {str(index): ast.literal_eval(value) for index, value in enumerate(node.args)}
        arguments |= {str(keyword.arg): ast.literal_eval(keyword.value) for keyword in node.keywords}
        plain: Any = msgspec.json.decode(msgspec.json.encode(arguments))
        return Call(ast.unparse(node.func), plain)
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError) as error:
        raise NotApplicable(f"{text[:80]!r} is no call that can be read") from error

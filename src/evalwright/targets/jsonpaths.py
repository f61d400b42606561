"""JSONPath (RFC 9535) over hostile answers: compiled once, patterns on a linear-time engine, depth bounded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import re2
from jsonpath import JSONPath, JSONPathEnvironment
from jsonpath.exceptions import JSONPathError
from jsonpath.function_extensions import ExpressionType, FilterFunction

from evalwright.core.case import Json
from evalwright.core.errors import TargetError
from evalwright.core.output import Output
from evalwright.models.failures import malformed
from evalwright.targets.answers import OUTPUT_FIELDS, BadAnswer, kind_of, output_of, wrong_type
from evalwright.targets.fields import Nothing, compile_field, items_of
from evalwright.targets.options import config_error

_LISTS = {"contexts", "citations", "tool_calls", "messages", "steps"}


@lru_cache(maxsize=256)
def _pattern(text: str) -> Any:
    try:
        return re2.compile(text)
    except re2.error:
        return None


class _Match(FilterFunction):
    """The standard's `match` and `search`, on RE2."""

    arg_types = [ExpressionType.VALUE, ExpressionType.VALUE]
    return_type = ExpressionType.LOGICAL

    def __init__(self, *, whole: bool) -> None:
        self.whole = whole

    def __call__(self, value: object, pattern: object) -> bool:
        found = _pattern(pattern) if isinstance(pattern, str) else None
        if found is None or not isinstance(value, str):
            return False
        return bool(found.fullmatch(value) if self.whole else found.search(value))


def _environment() -> JSONPathEnvironment:
    made = JSONPathEnvironment(strict=True)
    made.function_extensions["match"] = _Match(whole=True)
    made.function_extensions["search"] = _Match(whole=False)
    return made


_ENVIRONMENT = _environment()


class Query:
    """One compiled JSONPath.

    Attributes:
        text: As written.
        single: Whether it leads to one place at most.

    Raises:
        ConfigError: It is not JSONPath.
    """

    def __init__(self, text: str, key: str) -> None:
        self.text = text
        try:
            compiled = _ENVIRONMENT.compile(text)
        except JSONPathError as error:
            message = str(getattr(error, "message", error)).splitlines()[0]
            hint = "a path starts at the whole answer: `$.answer`, `$.sources[*].id`"
            raise config_error(f"`{text}` is not JSONPath: {message}", key=key, hint=hint) from None
        if not isinstance(compiled, JSONPath):
            raise config_error(f"`{text}` joins several paths", key=key, hint="give one path")
        self._compiled = compiled
        self.single = compiled.singular_query()

    def __call__(self, body: Json) -> Any:
        """The value (or list of values, when several places may match); `Nothing` when it leads nowhere.

        Raises:
            BadAnswer: The answer is nested too deep to be searched.
        """
        try:
            found = self._compiled.findall(body)
        except (JSONPathError, RecursionError) as error:
            raise BadAnswer(f"`{self.text}` can't be followed: {str(error).splitlines()[0]}") from None
        if self.single:
            return found[0] if found else Nothing
        return found


class ResponseMap:
    """From an answer's JSON to an output: each field by a JSONPath, or a mapping.

    A mapping builds an object of paths (`usage: { input_tokens: $.usage.in }`); one with `path` maps the items found
    there by dotted paths of their own (`contexts: { path: "$.hits[*]", id: doc, text: body.text }`).

    Args:
        spec: Output field to path or mapping.
        key: Dotted path of the option, for messages.

    Raises:
        ConfigError: A field is unknown or a path is wrong.
    """

    def __init__(self, spec: Mapping[str, Any], key: str) -> None:
        for name in spec:
            if name not in OUTPUT_FIELDS:
                known = ", ".join(f"`{field}`" for field in OUTPUT_FIELDS)
                raise config_error(
                    f"`{name}` is not a field of an output", key=f"{key}.{name}", hint=f"there are {known}"
                )
        self._spec = spec
        self._readers = {name: _reader(name, part, f"{key}.{name}") for name, part in spec.items()}

    def output(self, body: Json) -> Output:
        """Read one answer.

        Raises:
            TargetError: A named text is missing (`malformed`), or a field has the wrong type (`wrong_type`).
        """
        try:
            found = {name: read(body) for name, read in self._readers.items()}
            if found.get("text") is Nothing:
                raise malformed(f"there is nothing at `{self._spec['text']}`; the answer {_shape(body)}")
            if "text" in found and not isinstance(found["text"], str):
                hint = "map it to `data` instead, or point to the text inside it"
                raise wrong_type(f"`{self._spec['text']}` is {kind_of(found['text'])}, not a text; {hint}")
            return output_of({name: value for name, value in found.items() if value is not Nothing})
        except BadAnswer as error:
            raise wrong_type(str(error)) from None


def _reader(name: str, spec: Any, key: str) -> Callable[[Json], Any]:
    if isinstance(spec, str) and spec:
        query = Query(spec, key)
        return query if name in _LISTS or name == "data" or query.single else _one_of(query)
    if not isinstance(spec, Mapping) or not spec:
        raise config_error(f"`{spec}` is not a path", key=key, hint="write `$.answer`, or a mapping of paths")
    if "path" in spec:
        source = _reader("data", spec["path"], f"{key}.path")
        parts = {part: compile_field(path, f"{key}.{part}") for part, path in spec.items() if part != "path"}
        return lambda body: items_of(source(body), parts)
    built = {part: _reader("data", path, f"{key}.{part}") for part, path in spec.items()}
    return lambda body: _object(body, built)


def _one_of(query: Query) -> Callable[[Json], Any]:
    def read(body: Json) -> Any:
        found = query(body)
        if len(found) > 1:
            raise BadAnswer(f"`{query.text}` leads to {len(found)} places where one is needed")
        return found[0] if found else Nothing

    return read


def _object(body: Json, parts: Mapping[str, Callable[[Json], Any]]) -> Any:
    values = {name: part(body) for name, part in parts.items()}
    return {name: value for name, value in values.items() if value is not Nothing} or Nothing


def _shape(body: Json) -> str:
    if isinstance(body, Mapping):
        keys = ", ".join(f"`{str(key)[:40]}`" for key in list(body)[:8])
        return f"has the keys {keys}" if keys else "is an empty object"
    return f"is {kind_of(body)}"


def whole_answer(body: Json, source: str) -> Output:
    """An output from an answer without a mapping: a text, or an object of output fields.

    Raises:
        TargetError: It is neither.
    """
    if isinstance(body, str):
        return output_of({"text": body})
    if isinstance(body, Mapping) and body and all(name in OUTPUT_FIELDS for name in body):
        try:
            return output_of(body)
        except BadAnswer as error:
            raise wrong_type(f"{source}: {error}") from None
    raise TargetError(
        f"the answer of {source} {_shape(body)}; say where the text is: `response: {{ text: $.… }}`", kind="wrong_type"
    )

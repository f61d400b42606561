"""Is the answer JSON, and does it follow a schema?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, ClassVar, cast

import msgspec
from jsonschema import exceptions as schema_errors
from jsonschema import validators
from pydantic import Field
from referencing import Registry
from referencing.exceptions import Unresolvable

from evalwright.core.case import Json
from evalwright.core.component import BindContext
from evalwright.core.errors import ConfigError, Problem
from evalwright.core.score import Evidence, Score
from evalwright.core.scorer import ScoreContext, ScoreInfo, ScoreKind
from evalwright.scorers.base import FieldPath, OptionError, RuleScorer, answer_value
from evalwright.scorers.patterns import compile_pattern

_FENCE = re.compile(r"^[ \t]*```[ \t]*(?:json\w*)?[ \t]*\r?\n(.*?)^[ \t]*```", re.MULTILINE | re.DOTALL | re.IGNORECASE)
_SHOWN = 10


@dataclass(frozen=True)
class JsonSchema(RuleScorer):
    """The answer is valid JSON and follows a JSON Schema.

    Without a schema, any JSON value will do. The schema's dialect is the one its `$schema` names (2020-12 by default);
    its patterns run on a linear-time engine, and references to other addresses are not fetched.
    """

    INFO: ClassVar[ScoreInfo] = ScoreInfo(name="json_schema", kind=ScoreKind.PROPORTION)

    schema: Annotated[dict[str, Any] | bool | None, Field(description="The schema, written here.")] = None
    _: KW_ONLY
    file: Annotated[str | None, Field(description="The schema as a JSON file, beside the suite.")] = None
    fenced: Annotated[
        bool, Field(description="Take the last ```json block of the text where there is one, instead of all of it.")
    ] = True
    field: FieldPath = None

    def __post_init__(self) -> None:
        """Refuse two schemas, and one that is none."""
        if self.schema is not None and self.file is not None:
            raise OptionError("give either `schema` or `file`, not both")
        _ = self._validator

    def bind(self, context: BindContext) -> JsonSchema:
        """The scorer with its schema read from the file.

        Raises:
            ConfigError: The file can't be read, is not JSON or is no schema.
        """
        if self.file is None:
            return self
        path = Path(context.base_dir) / self.file
        try:
            return replace(self, schema=msgspec.json.decode(path.read_bytes()), file=None)
        except (OSError, msgspec.DecodeError, OptionError) as error:
            problem = Problem(message=f"the JSON Schema can't be used: {error}", file=str(path))
            raise ConfigError([problem]) from error

    @cached_property
    def _validator(self) -> Any:
        return _validator_of(True if self.schema is None else self.schema)

    def __getstate__(self) -> dict[str, Any]:
        """Options only: the prepared validator does not travel between processes."""
        return {key: value for key, value in vars(self).items() if key != "_validator"}

    def judge(self, ctx: ScoreContext) -> Score:
        """1 when the answer is JSON and follows the schema; else 0 with the paths of what fails."""
        if self.file is not None:
            raise OptionError("the schema file was not read", hint="call bind() with the folder it is in")
        try:
            value = self._parsed(ctx)
            return self._judged(value)
        except (msgspec.DecodeError, UnicodeError) as error:
            return Score.of(False, reason=f"the answer is not JSON: {error}")
        except Unresolvable as error:
            return Score.failure(f"the schema refers to something that is not in it: {error}")
        except RecursionError:
            return Score.of(False, reason="the answer is nested too deeply to be checked")

    def _parsed(self, ctx: ScoreContext) -> Json:
        answer = answer_value(ctx, self.field)
        if not isinstance(answer, str):
            return answer
        if self.field is None and not answer and ctx.output.data is not None:
            return ctx.output.data
        blocks = _FENCE.findall(answer) if self.fenced else []
        return msgspec.json.decode((blocks[-1] if blocks else answer).encode())

    def _judged(self, value: Json) -> Score:
        failures = list(_first(self._validator.iter_errors(value), _SHOWN))
        if not failures:
            return Score.of(True, reason="follows the schema" if self.schema is not None else "is JSON")
        evidence = tuple(
            Evidence(text=str(item.instance)[:200], note=f"{item.json_path}: {item.message[:300]}") for item in failures
        )
        shown = "; ".join(item.note for item in evidence[:3])
        return Score.of(False, reason=shown, evidence=evidence)


def _first(items: Iterator[Any], count: int) -> Iterator[Any]:
    for _, item in zip(range(count), items, strict=False):
        yield item


def _validator_of(schema: dict[str, Any] | bool) -> Any:
    """A validator whose patterns are linear-time and whose references stay inside the schema.

    Raises:
        OptionError: The schema is not a valid one.
    """
    dialect = validators.validator_for(schema, default=validators.Draft202012Validator)
    try:
        dialect.check_schema(cast(dict[str, Any], schema))
    except schema_errors.SchemaError as error:
        raise OptionError(f"not a JSON Schema: {error.json_path}: {error.message}") from error
    _check_patterns(schema)
    safe: Any = validators.extend(  # type: ignore[no-untyped-call]
        dialect, _LINEAR_KEYWORDS
    )
    return safe(schema, registry=Registry())


def _check_patterns(schema: Any) -> None:
    for part in _objects(schema):
        keyed = part.get("patternProperties")
        patterns = [part.get("pattern"), *(keyed if isinstance(keyed, dict) else ())]
        for pattern in patterns:
            if isinstance(pattern, str):
                compile_pattern(pattern)
        if keyed and "unevaluatedProperties" in part:
            raise OptionError(
                "`patternProperties` beside `unevaluatedProperties` can't be checked in linear time",
                hint="use `additionalProperties` instead",
            )


def _objects(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        yield schema
        for child in schema.values():
            yield from _objects(child)
    elif isinstance(schema, list):
        for child in schema:
            yield from _objects(child)


def _pattern(_: Any, pattern: str, instance: Any, __: Any) -> Iterator[Any]:
    if isinstance(instance, str) and not compile_pattern(pattern).search(instance):
        yield schema_errors.ValidationError(f"{instance[:100]!r} does not match {pattern!r}")


def _pattern_properties(validator: Any, rules: dict[str, Any], instance: Any, _: Any) -> Iterator[Any]:
    if not isinstance(instance, dict):
        return
    for pattern, rule in rules.items():
        compiled = compile_pattern(pattern)
        for key, value in instance.items():
            if compiled.search(key):
                yield from validator.descend(value, rule, path=key, schema_path=pattern)


def _additional_properties(validator: Any, rule: Any, instance: Any, schema: dict[str, Any]) -> Iterator[Any]:
    if not isinstance(instance, dict):
        return
    known = schema.get("properties", {})
    patterns = [compile_pattern(pattern) for pattern in schema.get("patternProperties", {})]
    extras = [key for key in instance if key not in known and not any(item.search(key) for item in patterns)]
    if rule is False and extras:
        listed = ", ".join(repr(key[:100]) for key in sorted(extras)[:_SHOWN])
        yield schema_errors.ValidationError(f"additional properties are not allowed: {listed}")
    elif rule is not False:
        for key in extras:
            yield from validator.descend(instance[key], rule, path=key)


_LINEAR_KEYWORDS = {
    "pattern": _pattern,
    "patternProperties": _pattern_properties,
    "additionalProperties": _additional_properties,
}

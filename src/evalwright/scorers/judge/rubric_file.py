"""Reading `rubric.yaml`: every problem at once, each with file, line and column."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from evalwright.core.errors import ConfigError, Problem
from evalwright.core.rubric import Rubric, RubricExample, RubricLevel, RubricScale

MAX_BYTES = 1_000_000
MAX_DEPTH = 20


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class LevelSection(_Section):
    """One level of a rubric."""

    name: str = Field(min_length=1, max_length=60, description="What a reviewer or a judge answers.")
    value: float = Field(description="The score it gives.")
    anchor: str = Field("", description="When this level is right.")


class ExampleSection(_Section):
    """A marked example of a rubric."""

    input: str = Field("", description="The question.")
    output: str = Field(description="The answer.")
    level: str = Field(description="Name of the right level.")
    reason: str = Field("", description="Why.")


class RubricSection(_Section):
    """A rubric as it is written."""

    rubric: str = Field(
        pattern=r"^[A-Za-z_][A-Za-z0-9_.\-]*$", description="Name: letters, digits, `_`, `-`; it names the metric too."
    )
    version: str = Field("1", description="Version.")
    criterion: str = Field(min_length=1, description="The question to answer about each answer.")
    scale: RubricScale = Field(RubricScale.ORDINAL, description="`nominal`, `ordinal` or `interval`.")
    levels: tuple[LevelSection, ...] = Field(min_length=2, description="The levels, worst first.")
    pass_from: str | None = Field(None, description="Lowest level with which a row passes.")
    notes: str = Field("", description="Further guidance.")
    examples: tuple[ExampleSection, ...] = Field((), description="Marked examples.")

    @field_validator("version", mode="before")
    @classmethod
    def _as_text(cls, value: Any) -> Any:
        return str(value) if isinstance(value, int | float) else value

    @model_validator(mode="after")
    def _fits_together(self) -> RubricSection:
        names = [level.name for level in self.levels]
        for index, name in enumerate(names):
            if name in names[:index]:
                raise ValueError(f"two levels are called `{name}`")
        if self.pass_from is not None and self.pass_from not in names:
            raise ValueError(f"`pass_from: {self.pass_from}` is no level; there are: {', '.join(names)}")
        for example in self.examples:
            if example.level not in names:
                raise ValueError(f"an example has the level `{example.level}`; there are: {', '.join(names)}")
        values = [level.value for level in self.levels]
        if self.scale is not RubricScale.NOMINAL and values != sorted(values):
            raise ValueError("the levels of an ordered scale are listed worst first, with values that do not fall")
        if len(set(values)) == 1:
            raise ValueError("all levels have the same value")
        return self

    def made(self) -> Rubric:
        """The rubric."""
        return Rubric(
            name=self.rubric,
            version=self.version,
            criterion=self.criterion.strip(),
            scale=self.scale,
            levels=tuple(RubricLevel(**level.model_dump()) for level in self.levels),
            pass_from=self.pass_from,
            notes=self.notes.strip(),
            examples=tuple(RubricExample(**example.model_dump()) for example in self.examples),
        )


def load_rubric(path: Path, *, name: str | None = None) -> Rubric:
    """Read a rubric.

    Args:
        path: The file.
        name: How messages call it; the path when not given.

    Raises:
        ConfigError: It can't be read, is no YAML, or is no rubric; all problems, with line and column.
    """
    shown = name or str(path)
    return parse_rubric(_text(path, shown), shown)


def parse_rubric(text: str, shown: str) -> Rubric:
    """A rubric from its text, YAML or JSON.

    Args:
        text: The text.
        shown: How messages call it.

    Raises:
        ConfigError: It is no YAML, or no rubric; all problems, with line and column.
    """
    root = _compose(text, shown)
    found: list[Problem] = []
    data = _plain(root, shown, found)
    if found:
        raise ConfigError(found)
    try:
        return RubricSection.model_validate(data).made()
    except ValidationError as error:
        raise ConfigError([_problem(item, root, shown) for item in _first_causes(error)]) from None


def _first_causes(error: ValidationError) -> list[Any]:
    """What is wrong, without lists that are only too short because one of their items is wrong."""
    found = error.errors()
    inner = {item["loc"][:1] for item in found if len(item["loc"]) > 1}
    return [item for item in found if item["type"] != "too_short" or item["loc"] not in inner]


def _text(path: Path, shown: str) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        hint = "paths are relative to the suite file"
        raise _refused(shown, f"the rubric can't be read: {error.strerror or error}", hint=hint) from None
    if len(content) > MAX_BYTES:
        raise _refused(shown, f"the rubric has {len(content):,} bytes; at most {MAX_BYTES:,} are allowed")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _refused(shown, f"the rubric is not UTF-8: byte {error.start}", hint="save it as UTF-8") from None


def _compose(text: str, shown: str) -> yaml.Node | None:
    """The nodes of a text; depth and aliases are looked at first, so that a small text can't become a huge value."""
    try:
        depth = 0
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            if isinstance(event, yaml.AliasEvent):
                raise _refused(shown, "aliases (`*name`) are not allowed in a rubric", mark=event.start_mark)
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > MAX_DEPTH:
                raise _refused(shown, f"values stand more than {MAX_DEPTH} deep", mark=event.start_mark)
        node: yaml.Node | None = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        raise _refused(shown, f"not valid YAML: {error.problem}", mark=error.problem_mark) from None
    except yaml.YAMLError as error:
        raise _refused(shown, f"not valid YAML: {error}") from None
    return node


def _plain(node: yaml.Node | None, shown: str, found: list[Problem]) -> Any:
    """A node as texts, lists and mappings; the model turns texts into numbers, so `no` and dates stay texts."""
    if isinstance(node, yaml.MappingNode):
        made: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                found.extend(_refused(shown, "a key must be a text", mark=key.start_mark).problems)
                continue
            if key.value in made:
                hint = "keep one of them"
                found.extend(
                    _refused(shown, f"the key `{key.value}` is given twice", mark=key.start_mark, hint=hint).problems
                )
            made[str(key.value)] = _plain(value, shown, found)
        return made
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, shown, found) for item in node.value]
    if isinstance(node, yaml.ScalarNode):
        return None if node.style is None and node.value in {"", "~", "null"} else str(node.value)
    return None


def _refused(shown: str, message: str, *, mark: Any = None, hint: str = "") -> ConfigError:
    line, column = (mark.line + 1, mark.column + 1) if mark is not None else (0, 0)
    return ConfigError([Problem(message=message, file=shown, line=line, column=column, hint=hint)])


def _problem(item: Any, root: yaml.Node | None, shown: str) -> Problem:
    path = tuple(item["loc"])
    key, value = _find(root, path)
    node = key if item["type"] == "extra_forbidden" and key is not None else value
    mark = node.start_mark if node is not None else None
    dotted = ".".join(map(str, path))
    message = str(item["msg"]).removeprefix("Value error, ")
    if item["type"] == "missing":
        message = f"`{path[-1]}` is missing"
    elif item["type"] == "extra_forbidden":
        message = f"unknown key `{path[-1]}`"
    elif item["type"] == "too_short":
        message = f"`{dotted}` needs at least {item['ctx']['min_length']} entries"
    elif path:
        message = f"`{dotted}`: {message}"
    return Problem(
        message=message,
        file=shown,
        line=mark.line + 1 if mark else 1,
        column=mark.column + 1 if mark else 1,
        key=dotted,
        hint=_hint(item["type"], path),
    )


def _hint(kind: str, path: tuple[Any, ...]) -> str:
    if kind not in {"missing", "extra_forbidden"}:
        return ""
    if kind == "extra_forbidden" and " " in str(path[-1]):
        return "inside `{ … }` a comma begins a new key: put a text that holds one into quotes"
    inner: dict[str, type[BaseModel]] = {"levels": LevelSection, "examples": ExampleSection}
    allowed = inner.get(str(path[0]) if len(path) > 1 else "", RubricSection)
    return f"allowed: {', '.join(allowed.model_fields)}"


def _find(root: yaml.Node | None, path: tuple[Any, ...]) -> tuple[yaml.Node | None, yaml.Node | None]:
    """Key and value nodes at a path, or of the nearest thing above it."""
    key, value = None, root
    for part in path:
        if isinstance(value, yaml.MappingNode):
            step = next(((k, v) for k, v in value.value if k.value == str(part)), None)
        elif isinstance(value, yaml.SequenceNode) and isinstance(part, int) and part < len(value.value):
            step = (None, value.value[part])
        else:
            step = None
        if step is None:
            break
        key, value = step
    return key, value

"""YAML 1.2 (core schema) into JSON values, with positions, and without YAML's traps.

`no`, `on` and dates are texts, `012` is twelve, `1e3` a number. Refused, each with its place: a key given twice, tags,
aliases that multiply the text, deep nesting, huge files, tabs as indentation, and bytes that are no UTF-8.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import re2
import yaml

from evalwright.core.case import Json
from evalwright.core.errors import ConfigError, Problem
from evalwright.suites.document import Document
from evalwright.suites.scalars import CoreLoader, ScalarError, scalar_value

MAX_BYTES = 32_000_000
MAX_DEPTH = 64
MAX_VALUES = 1_000_000
MAX_ALIASES = 200

_COLLECTIONS = ("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")
_UNPRINTABLE = re2.compile(r"[^\t\n\r\x20-\x7e\x{85}\x{a0}-\x{d7ff}\x{e000}-\x{fffd}\x{10000}-\x{10ffff}]")


def read_yaml(path: Path, *, name: str | None = None) -> Document:
    """Read a file.

    Args:
        path: The file.
        name: How messages call it; the path when not given.

    Raises:
        ConfigError: It can't be read or is no valid YAML; with line and column.
    """
    shown = name or str(path)
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise _refused(shown, f"the file has {size:,} bytes; at most {MAX_BYTES:,} are allowed", hint=_SIZE_HINT)
        content = path.read_bytes()
    except OSError as error:
        raise _unreadable(shown, path, error) from error
    return parse_yaml(decode(content, name=shown), name=shown)


def decode(content: bytes, *, name: str) -> str:
    """Bytes as text.

    Raises:
        ConfigError: They are no UTF-8.
    """
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8", "replace")
        line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
        kind = "UTF-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "another encoding"
        message = f"the file is not UTF-8: byte 0x{content[error.start]:02x}"
        problem = Problem(
            message=message, file=name, line=line, column=column, hint=f"it looks like {kind}; save it as UTF-8"
        )
        raise ConfigError([problem]) from error


def parse_yaml(text: str, *, name: str) -> Document:
    """Read a text.

    Raises:
        ConfigError: It is no valid YAML or exceeds a limit; with line and column.
    """
    _check_characters(text, name)
    try:
        _check_depth(text, name)
        root = yaml.compose(text, Loader=CoreLoader)
    except yaml.MarkedYAMLError as error:
        raise _syntax_error(error, text, name) from error
    except yaml.YAMLError as error:
        raise _refused(name, f"not valid YAML: {error}") from error
    builder = _Builder(name)
    data = builder.build(root)
    if builder.problems:
        raise ConfigError(builder.problems)
    return Document(name=name, text=text, data=data, root=root)


_SIZE_HINT = "keep the cases in a file of their own: `dataset: { file: cases.jsonl }`"


def _refused(name: str, message: str, *, line: int = 0, column: int = 0, hint: str = "") -> ConfigError:
    return ConfigError([Problem(message=message, file=name, line=line, column=column, hint=hint)])


def _unreadable(name: str, path: Path, error: OSError) -> ConfigError:
    if isinstance(error, FileNotFoundError):
        return _refused(name, f"there is no file `{name}`", hint="`evalwright init DIR` writes a suite to start from")
    if path.is_dir():
        return _refused(name, f"`{name}` is a folder, not a suite file")
    return _refused(name, f"`{name}` can't be read: {error.strerror}")


def _check_characters(text: str, name: str) -> None:
    found = _UNPRINTABLE.search(text)
    if found is None:
        return
    start = int(found.start())
    line, column = text.count("\n", 0, start) + 1, start - (text.rfind("\n", 0, start) + 1) + 1
    raise _refused(name, f"character U+{ord(text[start]):04X} is not allowed in YAML", line=line, column=column)


def _check_depth(text: str, name: str) -> None:
    """Count the nesting of events before nodes are made: making them is recursive in C and would overrun the stack."""
    depth = 0
    for event in yaml.parse(text, Loader=CoreLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                mark: Any = event.start_mark
                message = f"values stand more than {MAX_DEPTH} deep in one another"
                raise _refused(name, message, line=mark.line + 1, column=mark.column + 1)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _syntax_error(error: yaml.MarkedYAMLError, text: str, name: str) -> ConfigError:
    what = error.problem or "it can't be read"
    lines = text.splitlines()
    line, column = _place(error, lines)
    shown = lines[line - 1] if 0 < line <= len(lines) else ""
    context = f" {error.context}" if error.context else ""
    problem = Problem(
        message=f"not valid YAML: {what}{context}",
        file=name,
        line=line,
        column=column,
        hint=_syntax_hint(shown, what),
        snippet=shown[:200],
    )
    return ConfigError([problem])


def _place(error: yaml.MarkedYAMLError, lines: list[str]) -> tuple[int, int]:
    """Where a syntax error is; instead of the end of the file, which says nothing, where the open thing began."""
    for mark in (error.problem_mark, error.context_mark):
        if mark is not None and mark.line < len(lines):
            return mark.line + 1, mark.column + 1
    return len(lines), len(lines[-1]) if lines else 0


def _syntax_hint(shown: str, what: str) -> str:
    indent = shown[: len(shown) - len(shown.lstrip())]
    if "\t" in indent or "\\t" in what or ("cannot start any token" in what and "\t" in shown):
        return "YAML is indented with spaces, never with tabs"
    if "cannot start any token" in what:
        return 'put a text that starts with `@`, `%` or a backquote into quotes: "…"'
    if "mapping values are not allowed" in what:
        return 'put a text that contains `: ` into quotes: "…"'
    if "expected ',' or" in what:
        return "a bracket is not closed, or a comma is missing"
    if "undefined alias" in what:
        return 'put a text that starts with `*` into quotes: "…"'
    if "scanning a quoted scalar" in what or "end of stream" in what:
        return "a quotation mark or a bracket is not closed"
    return "" if "expected <block end>" not in what else "the lines of one list or mapping start at the same column"


class _Builder:
    """Turns nodes into JSON values; counts, so that a small text can't become a huge value."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.problems: list[Problem] = []
        self._values = 0
        self._seen: set[int] = set()
        self._aliases = 0

    def build(self, node: yaml.Node | None) -> Json:
        """The JSON value of a node; what is wrong with single keys and values is collected in `problems`.

        Raises:
            ConfigError: A limit is exceeded.
        """
        if node is None:
            return None
        self._count(node)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node)
        if isinstance(node, yaml.SequenceNode):
            return [self.build(item) for item in node.value]
        return self._scalar(node)

    def _scalar(self, node: yaml.Node) -> Json:
        try:
            return scalar_value(node)
        except ScalarError as error:
            self._note(node, str(error), hint=error.hint)
            return None

    def _count(self, node: yaml.Node) -> None:
        self._values += 1
        if id(node) in self._seen:
            self._aliases += 1
        self._seen.add(id(node))
        if self._aliases > MAX_ALIASES:
            raise self._error(node, f"more than {MAX_ALIASES} values come from aliases (`*name`)")
        if self._values > MAX_VALUES:
            raise self._error(node, f"the file holds more than {MAX_VALUES:,} values", hint=_SIZE_HINT)
        if not isinstance(node, yaml.ScalarNode) and node.tag not in _COLLECTIONS:
            self._note(node, f"the tag `{_tag(node)}` is not allowed", hint="remove it")

    def _mapping(self, node: yaml.MappingNode) -> dict[str, Json]:
        made: dict[str, Json] = {}
        places: dict[str, int] = {}
        for key_node, value_node in node.value:
            key = self._key(key_node)
            if key in made:
                hint = f"it stands on line {places[key]} already; keep one of them"
                self._note(key_node, f"the key `{key}` is given twice", hint=hint)
                continue
            places[key] = key_node.start_mark.line + 1
            made[key] = self.build(value_node)
        return made

    def _key(self, node: yaml.Node) -> str:
        if not isinstance(node, yaml.ScalarNode):
            self._note(node, "a key must be a text", hint="put it into quotes")
            return ""
        if node.value == "<<" and not node.style:
            self._note(node, "merge keys (`<<`) are not part of YAML 1.2", hint="write the keys out")
        return str(node.value)

    def _note(self, node: yaml.Node, message: str, *, hint: str = "") -> None:
        self.problems.extend(self._error(node, message, hint=hint).problems)

    def _error(self, node: yaml.Node, message: str, *, hint: str = "") -> ConfigError:
        mark = node.start_mark
        return _refused(self._name, message, line=mark.line + 1, column=mark.column + 1, hint=hint)


def _tag(node: yaml.Node) -> str:
    return str(node.tag).replace("tag:yaml.org,2002:", "!!")

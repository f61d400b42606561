"""A file that was read, with the place of everything in it."""

from __future__ import annotations

from typing import Any

import yaml

from evalwright.core.case import Json
from evalwright.core.errors import ConfigError, Problem

Path = tuple[str | int, ...]
"""Keys and indexes from the top of a file to a value, as pydantic's `loc` gives them."""


class Document:
    """A YAML file as data, with its nodes kept to tell where each value stands.

    Attributes:
        name: The file as the user gave it, for messages.
        text: What the file says.
        data: The JSON value it holds.
    """

    __slots__ = ("_root", "data", "name", "text")

    def __init__(self, *, name: str, text: str, data: Json, root: yaml.Node | None) -> None:
        self.name = name
        self.text = text
        self.data = data
        self._root = root

    def place(self, path: Path, *, key: bool = False) -> tuple[int, int]:
        """Line and column (from 1) of the value at a path, or of its key; of the nearest thing above when missing."""
        found_key, found_value = self._nodes(path)
        node = found_key if key and found_key is not None else found_value
        return (1, 1) if node is None else (node.start_mark.line + 1, node.start_mark.column + 1)

    def raw(self, path: Path) -> str | None:
        """A scalar as it is written (`1.10`, `012`), None when there is none at the path."""
        node = self._nodes(path)[1]
        return str(node.value) if isinstance(node, yaml.ScalarNode) else None

    def is_plain(self, path: Path) -> bool:
        """Whether a scalar is written on one line without quotes: its characters can be counted from its place."""
        node = self._nodes(path)[1]
        return isinstance(node, yaml.ScalarNode) and node.style in (None, "") and "\n" not in node.value

    def problem(self, path: Path, message: str, *, hint: str = "", key: bool = False, shift: int = 0) -> Problem:
        """A problem at a path.

        Args:
            path: Where.
            message: What is wrong.
            hint: The remedy.
            key: Point at the key instead of the value.
            shift: Characters to the right of the value's start.
        """
        line, column = self.place(path, key=key)
        dotted = ".".join(str(part) for part in path)
        return Problem(message=message, file=self.name, line=line, column=column + shift, key=dotted, hint=hint)

    def _nodes(self, path: Path) -> tuple[yaml.Node | None, yaml.Node | None]:
        key: yaml.Node | None = None
        value = self._root
        for part in path:
            step = _step(value, part)
            if step is None:
                break
            key, value = step
        return key, value


def _step(node: Any, part: str | int) -> tuple[yaml.Node | None, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        return next(((key, value) for key, value in node.value if key.value == str(part)), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return None, node.value[part]
    return None


class Problems:
    """Everything wrong in one document, collected so that it can be reported at once."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.found: list[Problem] = []
        self.warnings: list[Problem] = []

    def add(self, path: Path, message: str, *, hint: str = "", key: bool = False, shift: int = 0) -> None:
        """Note a problem at a path (see `Document.problem`)."""
        self.found.append(self.document.problem(path, message, hint=hint, key=key, shift=shift))

    def warn(self, path: Path, message: str, *, hint: str = "", key: bool = False) -> None:
        """Note something a reader should know that does not stop the suite."""
        self.warnings.append(self.document.problem(path, message, hint=hint, key=key))

    def adopt(self, problems: tuple[Problem, ...], path: Path, *, inside: bool = True) -> None:
        """Take over problems somebody else found in the value at a path, giving them a place where they have none.

        Args:
            problems: The problems.
            path: The value they are about.
            inside: Whether their dotted `key` starts at the value.
        """
        for problem in problems:
            self.found.append(problem if problem.file else self._placed(problem, path, inside=inside))

    def _placed(self, problem: Problem, path: Path, *, inside: bool) -> Problem:
        steps = tuple(int(part) if part.isdigit() else part for part in problem.key.split(".") if part)
        where = (*path, *steps) if inside else path
        return self.document.problem(where, problem.message, hint=problem.hint, key=not steps)

    def sort(self) -> None:
        """Bring the problems into the order of the file."""
        self.found.sort(key=lambda problem: (problem.file != self.document.name, problem.line, problem.column))

    def stop(self) -> None:
        """Raise when something is wrong.

        Raises:
            ConfigError: With all problems, in the order of the file.
        """
        if self.found:
            self.sort()
            raise ConfigError(self.found)

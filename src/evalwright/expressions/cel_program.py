"""The CEL library behind the port: compile, check names, evaluate, and say what went wrong in the user's words."""

from __future__ import annotations

import difflib
import logging
from collections.abc import Mapping
from typing import Any

import re2

from evalwright.core.case import Json
from evalwright.expressions.failures import ExpressionError
from evalwright.expressions.functions import FUNCTIONS, STANDARD
from evalwright.expressions.scan import bound_names, place_of_function, place_of_name

_TYPES = frozenset({"int", "uint", "double", "string", "bytes", "bool", "list", "map", "null_type", "optional"})
_PLACE = re2.compile(r"ERROR: <input>:([0-9]+):([0-9]+): (?:Syntax error: )?([^\n]*)")
_DASHED = re2.compile(r"([A-Za-z_][A-Za-z0-9_.]*)\.([A-Za-z0-9_]+(?:-[A-Za-z0-9_]+)+)")
_LOOP_COST = 4_000_000
_HINTS = {
    "=": "compare with `==`",
    "and": "write `&&`",
    "or": "write `||`",
    "not": "write `!`",
    "AND": "write `&&`",
    "OR": "write `||`",
    "NOT": "write `!`",
    "is": "compare with `==`",
}


class CelExpression:
    """An expression compiled by the CEL library.

    Args:
        text: The expression.
        names: Names it may read.
        loops: How deep its loops are nested (see `scan.check_limits`).

    Raises:
        ExpressionError: The text is no expression, or reads a name or calls a function there is not.
    """

    def __init__(self, text: str, *, names: tuple[str, ...], loops: int) -> None:
        self.text = text
        self._loops = loops
        self._program, self._cel = _compiled(text)
        self._reads = _checked_names(text, self._program, names)

    def value(self, view: Mapping[str, Json]) -> Json:
        """The value for one case; None where there is none (see `explain`)."""
        return self._outcome(view)[0]

    def truth(self, view: Mapping[str, Json]) -> bool:
        """Whether the value for one case is true; False where there is no value or it is no condition."""
        return self._outcome(view)[0] is True

    def explain(self, view: Mapping[str, Json]) -> str | None:
        """Why there is no value for one case, in a sentence; None when there is one."""
        return self._outcome(view)[1]

    def _outcome(self, view: Mapping[str, Json]) -> tuple[Json, str | None]:
        known = {name: view.get(name) for name in self._reads}
        if self._loops and (too_long := _loop_cost(self.text, self._loops, known)):
            return None, too_long
        try:
            context = self._cel.Context(known, FUNCTIONS)
            return self._program.execute(context), None
        except KeyError as error:
            return None, f"the case has no `{error.args[0]}`"
        except Exception as error:  # noqa: BLE001  the CEL library: whatever it raises, this case has no value
            return None, _failure(error)

    def __repr__(self) -> str:
        return f"CelExpression({self.text!r})"


def _compiled(text: str) -> tuple[Any, Any]:
    import cel  # loads a command line of its own (0.3 s): only when an expression is no plain path

    logging.getLogger("cel").addHandler(logging.NullHandler())
    try:
        return cel.compile(text), cel
    except Exception as error:  # the CEL library: ValueError for syntax, others for texts it can't take
        raise _syntax_error(text, str(error)) from error


def _syntax_error(text: str, message: str) -> ExpressionError:
    found = _PLACE.search(message)
    if found is None:
        return ExpressionError(f"not a valid expression: {message[:200]}", text=text)
    line, column, what = int(found.group(1)), int(found.group(2)), str(found.group(3))
    what, _, _ = what.partition(" expecting ")
    word, before = _words_at(text, line, column)
    if "<EOF>" in what:
        what = "it ends too early"
    elif word:
        what = f"`{word}` is not expected here"
    hint = _HINTS.get(word) or _HINTS.get(before, "")
    return ExpressionError(f"not a valid expression: {what[:200]}", text=text, line=line, column=column, hint=hint)


def _words_at(text: str, line: int, column: int) -> tuple[str, str]:
    """The word at a place and the one before it."""
    lines = text.split("\n")
    shown = lines[line - 1] if line <= len(lines) else ""
    word = re2.match(r"[A-Za-z_][A-Za-z0-9_]*|[0-9.]+|[^\sA-Za-z0-9_]", shown[column - 1 :])
    before = shown[: column - 1].split()
    return (str(word.group()) if word else ""), (before[-1] if before else "")


def _checked_names(text: str, program: Any, names: tuple[str, ...]) -> tuple[str, ...]:
    read = set(program.variables()) - bound_names(text)
    for name in sorted(read.difference(names, _TYPES)):
        raise unknown_name(text, name, names)
    for name in program.functions():
        if name.isidentifier() and not name.startswith("_") and name not in FUNCTIONS and name not in STANDARD:
            line, column = place_of_function(text, name)
            hint = f"the functions are {', '.join(sorted({*FUNCTIONS, 'size', 'has', 'matches', 'startsWith'}))}"
            raise ExpressionError(f"unknown function `{name}`", text=text, line=line, column=column, hint=hint)
    return tuple(sorted(read.intersection(names)))


def unknown_name(text: str, name: str, names: tuple[str, ...]) -> ExpressionError:
    """The error of an expression that reads a name there is not, at its place, with what to write instead."""
    line, column = place_of_name(text, name)
    near = difflib.get_close_matches(name, names, n=1)
    dashed = _DASHED.search(text)
    if near:
        hint = f"did you mean `{near[0]}`?"
    elif dashed and name in dashed.group(2).split("-"):
        hint = f'a key with a dash is written `{dashed.group(1)}["{dashed.group(2)}"]`'
    else:
        known = ", ".join(f"`{item}`" for item in names)
        hint = f"a case's own fields stand under `metadata` or `input`, e.g. `metadata.{name}`; the names are {known}"
    return ExpressionError(f"unknown name `{name}`", text=text, line=line, column=column, hint=hint)


def _loop_cost(text: str, loops: int, known: Mapping[str, Json]) -> str | None:
    longest = max([text.count(",") + 1, *(_longest(value) for value in known.values())])
    if longest ** (loops + 1) <= _LOOP_COST:
        return None
    return f"a list of {longest:,} items is too long for the loops of the expression"


def _longest(value: Json) -> int:
    if isinstance(value, Mapping):
        return max([len(value), *(_longest(item) for item in value.values())])
    if isinstance(value, list | tuple):
        return max([len(value), *(_longest(item) for item in value)])
    return 0


def _failure(error: Exception) -> str:
    text = str(error).partition("\n")[0][:300]
    if text.startswith("No such overload"):
        return "a value is of another kind than the expression needs, or null"
    return text.removesuffix(" Check function arguments and their types.")

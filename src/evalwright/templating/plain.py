"""Plain substitution: `{{ input.question }}`, and the `Template` that holds it.

Plain templates know nothing but dotted paths. A value that is exactly one `{{ path }}` keeps its JSON type; inside a
text the value is inserted as text (texts as they are, everything else as JSON). A path is names, list indexes and
quoted keys: `input.items[0]["first name"]`. A quoted text inserts itself, which is how to write braces: `{{ "{{" }}`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from typing import Any

import msgspec
import re2

from evalwright.core.case import Json
from evalwright.core.errors import ConfigError, EvalwrightError, Problem

Values = Mapping[str, Json]
"""What a template may name: `input`, `metadata`, …"""

_MAX_SOURCE = 100_000
_PLACEHOLDER = re2.compile(r"(?s)\{\{(\s*(?:\"[^\"]*\"|'[^']*'|[^{}\"'])*\s*)\}\}")
_STEP = re2.compile(
    r"""^(?:\.?([A-Za-z_][A-Za-z0-9_-]*)|\[\s*(-?[0-9]+)\s*\]|\[\s*"([^"]*)"\s*\]|\[\s*'([^']*)'\s*\])"""
)
_LITERAL = re2.compile(r"""^(?:"([^"]*)"|'([^']*)')$""")


class TemplateError(EvalwrightError):
    """A template could not be filled for these values; the message names the path and what there is instead."""


class Template:
    """A compiled template: any JSON value whose texts may hold placeholders.

    Args:
        source: The template.
        jinja: Texts are Jinja templates (sandboxed, at most 100,000 characters, 1 second and 10 MB of result).
        names: Names the template may start a path with; any when None.
        key: Dotted path of the option, for messages.
        inserted: How a value is written inside a text (`as_text` unless it must be quoted, as in an address).

    Raises:
        ConfigError: A placeholder can't be read, or names something unknown.

    Example:
        >>> Template({"q": "{{ input.text }}!", "n": "{{ input.n }}"}).render({"input": {"text": "Hi", "n": 2}})
        {'q': 'Hi!', 'n': 2}
    """

    __slots__ = ("_render", "source")

    def __init__(
        self,
        source: Json,
        *,
        jinja: bool = False,
        names: Collection[str] | None = None,
        key: str = "template",
        inserted: Callable[[Json], str] | None = None,
    ) -> None:
        self.source = source
        self._render = _compile(source, _Scope(jinja, names, key, inserted or as_text))

    def render(self, values: Values) -> Json:
        """Fill the template.

        Raises:
            TemplateError: A path leads nowhere, or a Jinja template failed or went past its limits.
        """
        return self._render(values)

    def text(self, values: Values) -> str:
        """Fill the template and show the result as text.

        Raises:
            TemplateError: As `render`.
        """
        return as_text(self._render(values))


def as_text(value: Json) -> str:
    """A JSON value as it stands inside a text: texts as they are, everything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=msgspec.to_builtins)


class _Scope(msgspec.Struct, frozen=True):
    """What the parts of one template share."""

    jinja: bool
    names: Collection[str] | None
    key: str
    inserted: Callable[[Json], str]

    def under(self, step: str | int) -> _Scope:
        return _Scope(self.jinja, self.names, f"{self.key}.{step}", self.inserted)

    def problem(self, message: str, hint: str = "") -> ConfigError:
        return ConfigError([Problem(message=message, key=self.key, hint=hint)])


_Render = Callable[[Values], Json]


def _compile(source: Json, scope: _Scope) -> _Render:
    if isinstance(source, str):
        if len(source) > _MAX_SOURCE:
            raise scope.problem(f"the template is longer than {_MAX_SOURCE:,} characters")
        return _jinja(source, scope) if scope.jinja else _plain(source, scope)
    if isinstance(source, Mapping):
        parts = [(str(key), _compile(item, scope.under(key))) for key, item in source.items()]
        return lambda values: {key: render(values) for key, render in parts}
    if isinstance(source, list | tuple):
        items = [_compile(item, scope.under(index)) for index, item in enumerate(source)]
        return lambda values: [render(values) for render in items]
    return lambda _: source


def _plain(source: str, scope: _Scope) -> _Render:
    matches = list(_PLACEHOLDER.finditer(source))
    _check_braces(source, matches, scope)
    if not matches:
        return lambda _: source
    if len(matches) == 1 and matches[0].group() == source.strip():
        return _expression(matches[0].group(1).strip(), scope)
    pieces: list[str | _Render] = []
    end = 0
    for match in matches:
        pieces += [source[end : match.start()], _expression(match.group(1).strip(), scope)]
        end = match.end()
    pieces.append(source[end:])
    return lambda values: "".join(
        piece if isinstance(piece, str) else scope.inserted(piece(values)) for piece in pieces
    )


def _check_braces(source: str, matches: list[Any], scope: _Scope) -> None:
    rest = _PLACEHOLDER.sub("", source) if matches else source
    if "{{" in rest or "{%" in rest:
        hint = "conditions, loops and filters need `jinja: true`; write braces as `{{ '{{' }}`"
        raise scope.problem(f"`{_short(source)}` has a placeholder that can't be read", hint)


def _expression(text: str, scope: _Scope) -> _Render:
    literal = _LITERAL.match(text)
    if literal:
        constant = literal.group(1) if literal.group(1) is not None else literal.group(2)
        return lambda _: constant
    path = _path(text, scope)
    root = path[0]
    if not isinstance(root, str) or (scope.names is not None and root not in scope.names):
        known = ", ".join(f"`{name}`" for name in sorted(scope.names or ()))
        raise scope.problem(f"`{{{{ {text} }}}}`: unknown name `{root}`", f"there are {known}" if known else "")
    return lambda values: _look_up(values, path, text)


def _path(text: str, scope: _Scope) -> tuple[str | int, ...]:
    steps: list[str | int] = []
    rest = text
    while rest:
        step = _STEP.match(rest)
        if not step or (not steps and rest[0] == "."):
            hint = "plain templates take paths such as `input.items[0].name`; filters need `jinja: true`"
            raise scope.problem(f"`{{{{ {_short(text)} }}}}` is not a path", hint)
        name, index, double, single = step.groups()
        steps.append(int(index) if index is not None else next(s for s in (name, double, single) if s is not None))
        rest = rest[step.end() :]
    if not steps:
        raise scope.problem("an empty placeholder `{{ }}`", "name a value, e.g. `{{ input }}`")
    return tuple(steps)


def _look_up(values: Values, path: tuple[str | int, ...], text: str) -> Json:
    here: Any = values
    for depth, step in enumerate(path):
        try:
            here = ({} if isinstance(here, str) else here)[step]
        except (KeyError, IndexError, TypeError):
            raise TemplateError(f"`{{{{ {text} }}}}`: {_missing(here, path, depth)}") from None
    return here


def _missing(here: Json, path: tuple[str | int, ...], depth: int) -> str:
    parent = ".".join(str(step) for step in path[:depth]) or "the call"
    step = path[depth]
    if isinstance(here, Mapping):
        keys = ", ".join(f"`{key}`" for key in list(here)[:10])
        return f"there is no `{step}` in `{parent}`" + (f", which has {keys}" if keys else ", which is empty")
    if isinstance(here, list):
        return f"`{parent}` is a list of {len(here)} and has no `{step}`"
    kind = "null" if here is None else {"str": "a text", "bool": "true or false"}.get(type(here).__name__, "a number")
    return f"`{parent}` is {kind} and has no `{step}`"


def _short(text: str) -> str:
    return text if len(text) <= 80 else text[:77] + "…"


def _jinja(source: str, scope: _Scope) -> _Render:
    # Here, so that suites without `jinja: true` never pay for the import.
    from evalwright.templating.sandbox import SandboxError, compile_text

    try:
        render = compile_text(source, names=scope.names)
    except SandboxError as error:
        raise scope.problem(str(error)) from None

    def checked(values: Values) -> Json:
        try:
            return render(values)
        except SandboxError as error:
            raise TemplateError(f"the template of `{scope.key}` failed: {error}") from None

    return checked

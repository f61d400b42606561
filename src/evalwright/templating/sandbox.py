"""Jinja for those who ask for it: an allow-list of the language, with limits of time and size.

What is left is text, expressions, `if`, `for` and `set`, with the filters below. Macros, blocks, includes and powers
are refused when the template is compiled; a deadline is checked in every turn of a loop, and the size of every text
that an operator or filter makes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

import jinja2
import msgspec
from jinja2 import nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

MAX_SECONDS = 1.0
MAX_RENDERED = 10_000_000

_FILTERS = [
    "abs",
    "capitalize",
    "count",
    "d",
    "default",
    "dictsort",
    "first",
    "float",
    "groupby",
    "int",
    "items",
    "join",
    "last",
    "length",
    "list",
    "lower",
    "map",
    "max",
    "min",
    "reject",
    "rejectattr",
    "replace",
    "reverse",
    "round",
    "select",
    "selectattr",
    "sort",
    "string",
    "sum",
    "title",
    "tojson",
    "trim",
    "truncate",
    "unique",
    "upper",
    "wordcount",
]
_TESTS = [
    "boolean",
    "defined",
    "divisibleby",
    "eq",
    "even",
    "false",
    "float",
    "ge",
    "gt",
    "in",
    "integer",
    "iterable",
    "le",
    "lower",
    "lt",
    "mapping",
    "ne",
    "none",
    "number",
    "odd",
    "sequence",
    "string",
    "true",
    "undefined",
    "upper",
    "==",
    "!=",
    "<",
    ">",
    "<=",
    ">=",
]
_METHODS = frozenset(
    ["get", "items", "keys", "values", "lower", "upper", "strip", "lstrip", "rstrip", "split", "startswith", "endswith"]
)
_NODES: tuple[type[nodes.Node], ...] = (
    nodes.Output, nodes.TemplateData, nodes.If, nodes.For, nodes.Assign, nodes.Name, nodes.Const, nodes.List,
    nodes.Dict, nodes.Tuple, nodes.Pair, nodes.Keyword, nodes.Getattr, nodes.Getitem, nodes.Slice, nodes.Filter,
    nodes.Test, nodes.Call, nodes.CondExpr, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Add,
    nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod, nodes.Neg, nodes.Pos, nodes.Concat,
)  # fmt: skip
_NAMES = frozenset({"range", "loop"})


class SandboxError(Exception):
    """A template is not allowed, failed, or went past its limits."""


def compile_text(source: str, *, names: Collection[str] | None) -> Callable[[Mapping[str, Any]], str]:
    """Compile a Jinja template to a function from values to text.

    Args:
        source: The template.
        names: Names it may use; any when None.

    Raises:
        SandboxError: It has a syntax error, a construct that is not allowed, or an unknown name.
    """
    environment = _Environment(names)
    try:
        template = environment.from_string(source)
    except jinja2.TemplateError as error:
        line = getattr(error, "lineno", None)
        raise SandboxError(f"{error.message}" + (f" (line {line} of the template)" if line else "")) from None
    return lambda values: environment.fill(template, values)


class _Environment(ImmutableSandboxedEnvironment):
    """The allow-list; `tick`, `joined` are called by nodes put into the compiled template."""

    intercepted_binops = frozenset({"+", "*", "%"})

    def __init__(self, names: Collection[str] | None) -> None:
        super().__init__(undefined=jinja2.StrictUndefined, autoescape=False, keep_trailing_newline=True)
        filters, tests = self.filters, self.tests
        self.filters = {name: filters[name] for name in _FILTERS}
        self.filters |= {"replace": _replace, "join": _join, "tojson": _to_json}
        self.tests = {name: tests[name] for name in _TESTS}
        self.globals = {"range": self.globals["range"]}
        self._names = names
        self._local = threading.local()

    def fill(self, template: jinja2.Template, values: Mapping[str, Any]) -> str:
        """Render within the limits."""
        self._local.deadline = time.monotonic() + MAX_SECONDS
        pieces: list[str] = []
        size = 0
        try:
            for piece in template.generate(values):
                size += len(piece)
                _fits(size)
                pieces.append(piece)
        except SandboxError:
            raise
        except Exception as error:  # noqa: BLE001  whatever an expression of a user's template raises
            raise SandboxError(str(error) or type(error).__name__) from None
        return "".join(pieces)

    def tick(self) -> str:
        """Check the deadline."""
        if time.monotonic() > self._local.deadline:
            raise SandboxError(f"it took longer than {MAX_SECONDS:g} s")
        return ""

    def joined(self, *parts: object) -> str:
        """The `~` operator, with its size checked."""
        texts = [str(part) for part in parts]
        _fits(sum(map(len, texts)))
        return "".join(texts)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Operators that could make something huge."""
        if operator == "+":
            if isinstance(left, str | list | tuple) and isinstance(right, str | list | tuple):
                _fits(len(left) + len(right))
        elif isinstance(left, str | list | tuple) or isinstance(right, str | list | tuple):
            raise SandboxError(f"`{operator}` takes numbers only")
        return super().call_binop(context, operator, left, right)

    def wrap_str_format(self, value: Any) -> None:  # noqa: ARG002  the base class's signature
        """None: `format` is no allowed method either."""
        return

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Only the named methods of texts, lists and mappings."""
        return super().is_safe_attribute(obj, attr, value) and (not callable(value) or attr in _METHODS)

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        for node in _below(tree):
            if not isinstance(node, _NODES):
                raise jinja2.TemplateSyntaxError(f"`{type(node).__name__.lower()}` is not allowed here", node.lineno)
        self._check_names(tree)
        return _Guard().visit(tree)  # type: ignore[no-any-return]

    def _check_names(self, tree: nodes.Template) -> None:
        if self._names is None:
            return
        set_here = {name.name for name in tree.find_all(nodes.Name) if name.ctx == "store"}
        for name in tree.find_all(nodes.Name):
            if name.ctx == "load" and name.name not in {*self._names, *set_here, *_NAMES}:
                known = ", ".join(f"`{known}`" for known in sorted(self._names))
                raise jinja2.TemplateSyntaxError(f"unknown name `{name.name}`; there are {known}", name.lineno)


class _Guard(NodeTransformer):
    """Puts a check of the deadline into every loop, and makes `~` go through `joined`."""

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802  the name jinja looks for
        self.generic_visit(node)
        tick = nodes.Call(nodes.EnvironmentAttribute("tick"), [], [], None, None)
        node.body.insert(0, nodes.Output([tick], lineno=node.lineno))
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return nodes.Call(nodes.EnvironmentAttribute("joined"), node.nodes, [], None, None, lineno=node.lineno)


def _below(node: nodes.Node) -> Iterable[nodes.Node]:
    for child in node.iter_child_nodes():
        yield child
        yield from _below(child)


def _fits(size: int) -> None:
    if size > MAX_RENDERED:
        raise SandboxError(f"it made more than {MAX_RENDERED:,} characters")


def _replace(text: object, old: str, new: str) -> str:
    whole = str(text)
    _fits(len(whole) + whole.count(old) * len(new))
    return whole.replace(old, new)


def _join(value: Iterable[object], separator: str = "", attribute: str | None = None) -> str:
    items = [item[attribute] if attribute is not None and isinstance(item, Mapping) else item for item in value]
    texts = [str(item) for item in items]
    _fits(sum(map(len, texts)) + len(separator) * len(texts))
    return str(separator).join(texts)


def _to_json(value: object) -> str:
    return msgspec.json.encode(value).decode()

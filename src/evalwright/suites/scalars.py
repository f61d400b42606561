"""Scalars by the core schema of YAML 1.2 (section 10.3 of the specification)."""

from __future__ import annotations

import re

import re2
import yaml

from evalwright.core.case import Json

_PREFIX = "tag:yaml.org,2002:"
_MAX_DIGITS = 400


class ScalarError(ValueError):
    """A scalar that can't become a JSON value."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class CoreLoader(yaml.CSafeLoader):
    """The C parser with the resolvers of YAML 1.2's core schema instead of YAML 1.1's."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}


for _tag, _pattern, _first in (
    ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", list("tTfF")),
    ("int", r"^(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$", list("-+0123456789")),
    (
        "float",
        r"^(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$",
        list("-+.0123456789"),
    ),
):
    CoreLoader.add_implicit_resolver(f"{_PREFIX}{_tag}", re.compile(_pattern), _first)

_INTEGER = re2.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")


def scalar_value(node: yaml.Node) -> Json:
    """The JSON value of a scalar; floats may be infinite or NaN.

    Raises:
        ScalarError: It has a tag of another schema, or a number that is too long.
    """
    kind = node.tag.removeprefix(_PREFIX)
    text = str(node.value)
    if kind == "str":
        return text
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() == "true"
    if kind == "int" and _INTEGER.fullmatch(text):
        return _integer(text)
    if kind == "float":
        return _float(text)
    raise ScalarError(
        f"the tag `!!{kind}` is not allowed", hint="remove it; texts, numbers, true, false and null need none"
    )


def _integer(text: str) -> int:
    if len(text) > _MAX_DIGITS:
        raise ScalarError(f"a number of {len(text):,} digits is too long", hint="put it into quotes if it is a text")
    base = 8 if text.startswith("0o") else 16 if text.startswith("0x") else 10
    return int(text, base)


def _float(text: str) -> float:
    try:
        return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
    except ValueError as error:
        raise ScalarError(f"`{text[:40]}` is not a number") from error

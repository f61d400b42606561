"""YAML of other tools: the core schema of YAML 1.2 (as their JavaScript and our suites read it), safe and bounded."""

from __future__ import annotations

import re

import yaml

from evalwright.core.case import Json
from evalwright.core.errors import ConfigError
from evalwright.datasets.importers.source import Source

MAX_YAML = 32 * 1024 * 1024
MAX_VALUES = 1_000_000
MAX_DEPTH = 64


class _Loader(yaml.SafeLoader):
    """Words like `yes`, `no` and dates stay texts; only true, false, null and numbers are special."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}


_PLAIN = (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", "~nN\0"),
    ("int", r"[-+]?[0-9]+|0x[0-9a-fA-F]+", "-+0123456789"),
    ("float", r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", "-+.0123456789"),
    ("merge", r"<<", "<"),
)
for _tag, _pattern, _first in _PLAIN:
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), list(_first))
    if _tag == "null":
        _Loader.yaml_implicit_resolvers.setdefault("", []).append(("tag:yaml.org,2002:null", re.compile("^$")))


def _integer(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> int:
    text = loader.construct_scalar(node)
    return int(text, 16) if text.startswith("0x") else int(text)


def _number(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> float:
    return float(loader.construct_scalar(node))


_Loader.add_constructor("tag:yaml.org,2002:int", _integer)
_Loader.add_constructor("tag:yaml.org,2002:float", _number)


def read_yaml(source: Source) -> Json:
    """A YAML file as a JSON value.

    Raises:
        ConfigError: No YAML (with line), tags, a key twice, too deep, too large, aliases that multiply the text.
    """
    text = source.data(MAX_YAML).decode("utf-8", "replace")
    try:
        node = yaml.compose(text, Loader=_Loader)
        _check(source, node)
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        raise source.error(f"no YAML: {error.problem}", line=mark.line + 1 if mark else 0) from None
    except (yaml.YAMLError, ValueError) as error:
        raise source.error(f"no YAML: {str(error).splitlines()[0]}") from None
    except RecursionError:
        raise source.error("nested too deeply") from None


def _check(source: Source, root: yaml.Node | None) -> None:
    """Walk the tree with aliases unfolded, as whoever reads it later will."""
    stack: list[tuple[yaml.Node, int]] = [(root, 0)] if root is not None else []
    seen = 0
    while stack:
        node, depth = stack.pop()
        seen += 1
        if seen > MAX_VALUES or depth > MAX_DEPTH:
            raise _too_much(source, node, deep=depth > MAX_DEPTH)
        if isinstance(node, yaml.MappingNode):
            _check_keys(source, node)
            stack.extend((value, depth + 1) for _, value in node.value)
        elif isinstance(node, yaml.SequenceNode):
            stack.extend((value, depth + 1) for value in node.value)


def _too_much(source: Source, node: yaml.Node, *, deep: bool) -> ConfigError:
    what = f"nested deeper than {MAX_DEPTH} levels" if deep else "aliases multiply the file beyond a million values"
    return source.error(what, line=node.start_mark.line + 1)


def _check_keys(source: Source, node: yaml.MappingNode) -> None:
    seen: set[str] = set()
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise source.error("a key that is a list or a mapping", line=key.start_mark.line + 1)
        if key.value in seen:
            raise source.error(f"the key {key.value!r} stands twice", line=key.start_mark.line + 1)
        seen.add(key.value)

"""Suites written in Python: `suite.py`, or `suite.py:name`."""

from __future__ import annotations

import ast
import os
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec

from evalwright.core.component import BindContext
from evalwright.core.errors import ConfigError, Problem
from evalwright.core.suite import DatasetSpec, Suite
from evalwright.expressions import ExpressionError, compile_expression
from evalwright.suites.loaded import LoadedSuite
from evalwright.suites.python_files import load_module
from evalwright.suites.suggest import listed, suggestion
from evalwright.suites.target_entry import TargetSpec


def split_reference(reference: Path | str) -> tuple[Path, str | None] | None:
    """The file and the name in `suite.py` or `suite.py:name`; None for the name of any other file.

    Example:
        >>> split_reference("evals/suite.py:nightly")
        (PosixPath('evals/suite.py'), 'nightly')
        >>> split_reference("suite.yaml") is None
        True
    """
    file, colon, name = str(reference).rpartition(":")
    if colon and file.endswith(".py"):
        return Path(file), name
    return (Path(reference), None) if str(reference).endswith(".py") else None


def load_python_suite(reference: Path | str, *, environment: Mapping[str, str] | None = None) -> LoadedSuite:
    """Import a Python file and take the `Suite` it makes.

    A module-level `target` (a function or a target object) is the system under test, or the suite is a pair (suite,
    target). Where the file makes several suites the reference names one: `suite.py:nightly`.

    Args:
        reference: `suite.py` or `suite.py:name`.
        environment: Variables targets may refer to; those of the process when not given.

    Raises:
        ConfigError: There is no such file, it can't be imported, or it makes no suite.
    """
    found = split_reference(reference)
    if found is None:
        raise _error(str(reference), "this is not a Python file")
    path, name = found
    module = _module(path)
    suite, target = _suite(module, name, str(path))
    _check(suite, str(path))
    target = getattr(module, "target", None) if target is None else target
    context = BindContext(base_dir=path.parent, environment=os.environ if environment is None else environment)
    dataset = suite.cases if isinstance(suite.cases, DatasetSpec) else None
    return LoadedSuite(
        suite=suite if dataset is None else msgspec.structs.replace(suite, cases=()),
        dataset=dataset,
        target=None if target is None else TargetSpec(type="object", options=target, context=context),
        path=path,
        source=path.read_text(encoding="utf-8"),
    )


def check_syntax(reference: Path | str) -> None:
    """Look at a Python suite without running it.

    Raises:
        ConfigError: There is no such file, or it is no valid Python.
    """
    path, _ = split_reference(reference) or (Path(reference), None)
    try:
        ast.parse(path.read_bytes(), filename=str(path))
    except OSError as error:
        raise _error(str(path), f"`{path}` can't be read: {error.strerror}") from error
    except (SyntaxError, ValueError) as error:
        line, column = getattr(error, "lineno", 0) or 0, getattr(error, "offset", 0) or 0
        message = f"not valid Python: {getattr(error, 'msg', error)}"
        raise ConfigError([Problem(message=message, file=str(path), line=line, column=column)]) from error


def _module(path: Path) -> ModuleType:
    try:
        return load_module(path.name, folder=path.parent)
    except ConfigError as error:
        raise ConfigError([msgspec.structs.replace(problem, file=str(path)) for problem in error.problems]) from error


def _suite(module: ModuleType, name: str | None, file: str) -> tuple[Suite, Any]:
    suites = {key: pair for key, value in vars(module).items() if (pair := _pair(value)) and not key.startswith("_")}
    if name is None:
        if len({id(suite) for suite, _ in suites.values()}) == 1:
            return next(iter(suites.values()))
        name = "suite"
    if name in suites:
        return suites[name]
    if suites:
        hint = f"name one of its suites: `{file}:{next(iter(suites))}`; there are {listed(suites)}"
        raise _error(file, f"the file has no suite `{name}`", hint=hint)
    raise _error(file, "the file makes no `Suite`", hint='`suite = Suite(name="greeting", cases=[…], scorers=[…])`')


def _pair(value: Any) -> tuple[Suite, Any] | None:
    """A suite with its target, None for anything else."""
    if isinstance(value, Suite):
        return value, None
    if isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], Suite):
        return value[0], value[1]
    return None


def _check(suite: Suite, file: str) -> None:
    """Refuse slices and rules that can't work, before anything runs."""
    problems: list[Problem] = []
    for name, spec in suite.slices.items():
        for text in (spec,) if isinstance(spec, str) else (spec.by, spec.when):
            problems.extend(_expression_problem(name, text, file))
    metrics = _metrics(suite)
    for rule in suite.gate:
        whole = rule.metric.partition(".")[0]
        if metrics and rule.metric not in metrics and whole not in metrics and rule.metric != "overall":
            hint = suggestion(rule.metric, metrics)
            problems.append(Problem(message=f"the suite has no metric `{rule.metric}`", file=file, hint=hint))
        for name in rule.slice or {}:
            if name not in suite.slices:
                hint = suggestion(name, suite.slices) if suite.slices else "declare it in `slices`"
                problems.append(Problem(message=f"the suite has no slice `{name}`", file=file, hint=hint))
    if problems:
        raise ConfigError(problems)


def _expression_problem(name: str, text: str | None, file: str) -> list[Problem]:
    try:
        if text is not None:
            compile_expression(text)
    except ExpressionError as error:
        return [Problem(message=f"the slice `{name}`: {error.message} in `{text}`", file=file, hint=error.hint)]
    return []


def _metrics(suite: Suite) -> set[str]:
    """Names of the suite's metrics; empty when a scorer tells none (services report what is no scorer)."""
    names = [_metric(scorer) for scorer in suite.scorers]
    return set() if None in names else {name for name in names if name is not None}


def _metric(scorer: Any) -> str | None:
    name = getattr(scorer, "metric", None) or getattr(getattr(scorer, "info", None), "name", None)
    return name if isinstance(name, str) else None


def _error(file: str, message: str, *, hint: str = "") -> ConfigError:
    return ConfigError([Problem(message=message, file=file, hint=hint)])

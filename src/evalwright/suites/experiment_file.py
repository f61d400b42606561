"""`experiment.yaml`: a suite, and the settings of it that are varied together."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import msgspec
import yaml
from pydantic import Field, ValidationError

from evalwright.core.case import Json
from evalwright.suites.document import Problems
from evalwright.suites.explain import explain
from evalwright.suites.options import as_json
from evalwright.suites.sections import Name, Section
from evalwright.suites.yaml_reader import read_yaml

EXAMPLE = "e.g. `model: { key: target.model, levels: { small: gpt-4o-mini, large: gpt-4o } }`"


class FactorSection(Section):
    """A setting that is varied."""

    key: Name = Field(description="Where it stands in the suite file: `target.model`, `target.messages.0.content`.")
    levels: Any = Field(description="Its values, as a list or by name; the first is the one to compare with.")


class ExperimentSection(Section):
    """Several runs planned together."""

    experiment: Name = Field(description="Name of the experiment.")
    suite: Name = Field(description="The suite file, relative to this file.")
    metric: Name = Field(description="The metric to be best in.")
    factors: dict[str, FactorSection] = Field(description="The settings that are varied.")
    design: Literal["full", "half"] = Field("full", description="All settings, or half of those of two-level factors.")


class Factor(msgspec.Struct, frozen=True, kw_only=True):
    """A setting that is varied.

    Attributes:
        name: Its name.
        key: Dotted path of it in the suite file.
        levels: Its values by name, the first being the one to compare with.
    """

    name: str
    key: str
    levels: dict[str, Json]


class Experiment(msgspec.Struct, frozen=True, kw_only=True):
    """Several runs planned together.

    Attributes:
        name: Its name.
        suite: The suite file.
        metric: The metric to be best in.
        factors: The settings that are varied.
        design: `full` or `half`.
        path: The experiment's file.
    """

    name: str
    suite: Path
    metric: str
    factors: tuple[Factor, ...]
    design: str = "full"
    path: Path = Path()


def read_experiment(path: Path) -> Experiment:
    """Read an experiment.

    Raises:
        ConfigError: With everything that is wrong, in the order of the file.
    """
    problems = Problems(read_yaml(path))
    data = problems.document.data
    try:
        section = ExperimentSection.model_validate_json(as_json(data), strict=True)
    except ValidationError as error:
        explain(error, problems, (), what="the experiment", component=ExperimentSection)
        problems.stop()
        raise
    suite = path.parent / section.suite
    if not suite.is_file():
        problems.add(("suite",), f"there is no suite file `{section.suite}`", hint="paths start from the experiment")
    factors = [_factor(name, one, problems) for name, one in section.factors.items()]
    if not factors:
        problems.add(("factors",), "an experiment needs a factor", hint=EXAMPLE)
    if section.design == "half" and (len(factors) < 3 or any(len(factor.levels) != 2 for factor in factors)):
        hint = "use `design: full`"
        problems.add(("design",), "half of the settings needs three or more factors of two levels each", hint=hint)
    problems.stop()
    return Experiment(
        name=section.experiment,
        suite=suite,
        metric=section.metric,
        factors=tuple(factors),
        design=section.design,
        path=path,
    )


def _factor(name: str, section: FactorSection, problems: Problems) -> Factor:
    given = section.levels
    levels = {_level_name(value): value for value in given} if isinstance(given, list) else given
    if not isinstance(levels, dict) or len(levels) < 2:
        problems.add(("factors", name, "levels"), f"the factor `{name}` needs two or more levels", hint=EXAMPLE)
        levels = {}
    return Factor(name=name, key=section.key, levels=levels)


def _level_name(value: Any) -> str:
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= 40 else text[:39] + "…"


def changed_suite(suite: Path, changes: dict[str, Json]) -> str:
    """The text of a suite file with other values at some dotted paths.

    Raises:
        ConfigError: The file can't be read, or has nothing at a path's parent.
    """
    document = read_yaml(suite)
    problems = Problems(document)
    data = msgspec.json.decode(msgspec.json.encode(document.data))
    for key, value in changes.items():
        steps = tuple(int(step) if step.isdigit() else step for step in key.split("."))
        if not _put(data, steps, value):
            problems.add(steps[:-1], f"the suite has no `{key}` that could be varied", hint="name the key of a setting")
    problems.stop()
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True)


def _put(data: Any, steps: tuple[Any, ...], value: Json) -> bool:
    """Set the value at a path, making sections on the way that are not there; whether that was possible."""
    for step in steps[:-1]:
        if isinstance(data, dict) and data.get(step) is None:
            data[step] = {}
        if not _has(data, step):
            return False
        data = data[step]
    last = steps[-1]
    if isinstance(data, list) and not _has(data, last):
        return False
    if not isinstance(data, dict | list):
        return False
    data[last] = value
    return True


def _has(data: Any, step: str | int) -> bool:
    if isinstance(data, list):
        return isinstance(step, int) and step < len(data)
    return isinstance(data, dict) and step in data

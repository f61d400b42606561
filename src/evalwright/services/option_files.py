"""A file of options for one component, e.g. the model of a judge or an attacker."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from evalwright.core.component import BindContext
from evalwright.core.errors import ConfigError, UsageError
from evalwright.suites.document import Problems
from evalwright.suites.options import as_mapping, make_options
from evalwright.suites.yaml_reader import read_yaml


def read_options(path: Path, component: Any, *, what: str) -> Any:
    """An instance of an option class from a YAML file.

    Args:
        path: The file.
        component: The class.
        what: How messages call it, e.g. "the judge".

    Raises:
        ConfigError: The file is wrong; every problem at once, with its place.
        UsageError: There is no such file.
    """
    if not path.is_file():
        raise UsageError(f"there is no file {path} for {what}")
    problems = Problems(read_yaml(path))
    given = as_mapping(problems.document.data, problems, (), what=what)
    made = None if given is None else make_options(component, given, problems, (), what=what)
    problems.stop()
    return made


def bound_from_file(path: Path, component: Any, *, what: str) -> Any:
    """A component made usable: options from the file, secrets from the environment.

    Raises:
        ConfigError: The file is wrong, or names a variable that is not set.
        UsageError: There is no such file.
    """
    options = read_options(path, component, what=what)
    try:
        return options.bind(BindContext(base_dir=path.parent, environment=os.environ))
    except ConfigError as error:
        raise ConfigError([_placed(problem, path) for problem in error.problems]) from error


def _placed(problem: Any, path: Path) -> Any:
    import msgspec

    return problem if problem.file else msgspec.structs.replace(problem, file=str(path))

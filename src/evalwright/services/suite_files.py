"""From what a person names on the command line to a `RunSource`: a suite file, or a suite in a Python file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from evalwright.core.errors import ConfigError, Problem, UsageError
from evalwright.core.run import Manifest
from evalwright.core.suite import Suite
from evalwright.datasets import read_rows
from evalwright.services.sources import RunSource, from_suite
from evalwright.services.vocabulary import vocabulary
from evalwright.suites import LoadedSuite, load_suite, validate_suite
from evalwright.suites.python_files import load_object
from evalwright.targets.adapt import MappingTarget, target_from


def load_source(reference: str, *, for_scoring: bool = False) -> RunSource:
    """Read a suite.

    Args:
        reference: A YAML file; or `file.py:name` (`file.py` means `file.py:suite`), whose suite comes with a target
            of the same module named `target`, or is a pair (suite, target).
        for_scoring: The outputs are stored already: the target is not made.

    Raises:
        ConfigError: The file is wrong; all problems at once.
        UsageError: The Python file holds no suite, or no target.
    """
    path, _, name = reference.partition(":")
    if path.endswith(".py"):
        return _python_source(Path(path), name or "suite", for_scoring=for_scoring)
    _check_exists(Path(reference))
    return _yaml_source(load_suite(reference, vocabulary()), for_scoring=for_scoring)


def check_suite(path: Path) -> list[Problem]:
    """Everything that is wrong with a suite file; the dataset's rows and the target are not touched."""
    try:
        _check_exists(path)
    except ConfigError as error:
        return list(error.problems)
    return validate_suite(path, vocabulary(), import_code=True)


def suite_of_run(manifest: Manifest) -> str:
    """The suite file a run was made from.

    Raises:
        UsageError: It was a suite written in Python, or the file has gone.
    """
    if manifest.suite_path is None:
        raise UsageError(f"the run {manifest.run_id} was started from Python", hint="name a suite: --suite SUITE.yaml")
    if not Path(manifest.suite_path.partition(":")[0]).is_file():
        raise UsageError(
            f"the suite file {manifest.suite_path} is not here",
            hint="run this from the folder the run was started in, or name a suite: --suite SUITE.yaml",
        )
    return manifest.suite_path


def _check_exists(path: Path) -> None:
    if path.is_file():
        return
    near = (
        sorted(str(p) for ending in ("*.yaml", "*.yml") for p in path.parent.glob(ending))
        if path.parent.is_dir()
        else []
    )
    hint = f"there is {', '.join(near[:3])}" if near else "evalwright init DIR writes one to start from"
    raise ConfigError([Problem(message=f"there is no suite file {path}", hint=hint)])


def _yaml_source(loaded: LoadedSuite, *, for_scoring: bool) -> RunSource:
    suite = loaded.suite
    if loaded.dataset is None:
        raise ConfigError([Problem(message="the suite has no dataset", file=str(loaded.path), hint=_DATASET_HINT)])
    if loaded.target is None and not for_scoring:
        raise ConfigError([Problem(message="the suite has no target", file=str(loaded.path), hint=_TARGET_HINT)])
    target: Any = MappingTarget({}) if for_scoring or loaded.target is None else loaded.target.build()
    return msgspec.structs.replace(
        from_suite(suite, target),
        rows=() if for_scoring else read_rows(loaded.dataset, loaded.base_dir),
        dataset_name=loaded.dataset.file or "inline",
        path=loaded.path,
        text=loaded.source,
        warnings=tuple(problem.message for problem in loaded.warnings),
    )


_DATASET_HINT = "add `dataset: { file: cases.jsonl }` or `dataset: { cases: [ … ] }`"
_TARGET_HINT = "add `target: { type: … }`; `evalwright list targets` shows the types"


def _python_source(path: Path, name: str, *, for_scoring: bool) -> RunSource:
    found = load_object(path.name, name, folder=path.parent)
    suite, target = found if isinstance(found, tuple) and len(found) == 2 else (found, None)
    if not isinstance(suite, Suite):
        raise UsageError(f"{path}:{name} is no Suite", hint="make it with evalwright.Suite(name=…, cases=…, scorers=…)")
    if target is None and not for_scoring:
        target = load_object(path.name, "target", folder=path.parent)
    source = from_suite(suite, MappingTarget({}) if for_scoring else target_from(target))
    return msgspec.structs.replace(source, path=Path(f"{path}:{name}"), text=path.read_text(encoding="utf-8"))

"""From what a person names on the command line to a `RunSource`: a suite file, or a suite in a Python file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from evalwright.core.errors import ConfigError, Problem, UsageError
from evalwright.core.run import Manifest
from evalwright.datasets import read_rows
from evalwright.services.pins import GoldenRows
from evalwright.services.sources import RunSource, from_suite
from evalwright.services.vocabulary import vocabulary
from evalwright.suites import LoadedSuite, load_suite, validate_suite
from evalwright.targets.adapt import MappingTarget, target_from


def load_source(
    reference: str, *, for_scoring: bool = False, workspace: Path | None = None, text: str | None = None
) -> RunSource:
    """Read a suite.

    Args:
        workspace: Where its golden set is looked up; the workspace commands use when not given.
        reference: A YAML file; or `file.py:name` (`file.py` means `file.py:suite`), whose suite comes with a target
            of the same module named `target`, or is a pair (suite, target).
        for_scoring: The outputs are stored already: the target is not made.
        text: A changed text to read in place of the YAML file's.

    Raises:
        ConfigError: The file is wrong; all problems at once.
        UsageError: The Python file holds no suite, or no target.
    """
    check_exists(reference)
    loaded = load_suite(reference, vocabulary(), text=text)
    source = as_source(loaded, reference, for_scoring=for_scoring)
    spec = loaded.dataset
    if spec is None or spec.golden is None or for_scoring:
        return source
    rows = GoldenRows(spec, loaded.base_dir, workspace)
    return msgspec.structs.replace(
        source, rows=rows, dataset_name=rows.name(), warnings=(*source.warnings, *rows.warnings)
    )


def check_suite(reference: str, *, import_code: bool = True) -> list[Problem]:
    """Everything that is wrong with a suite; the dataset's rows and the target are not touched.

    Args:
        reference: The suite.
        import_code: Import the Python files it names, which runs them; else they are only looked for.
    """
    try:
        check_exists(reference)
        return validate_suite(reference, vocabulary(), import_code=import_code)
    except ConfigError as error:
        return list(error.problems)


def suite_of_run(manifest: Manifest) -> str:
    """The suite file a run was made from.

    Raises:
        UsageError: It was a suite made in a script, or the file has gone.
    """
    if manifest.suite_path is None:
        raise UsageError(f"the run {manifest.run_id} was started from Python", hint="name a suite: --suite SUITE.yaml")
    if not file_of(manifest.suite_path).is_file():
        raise UsageError(
            f"the suite file {manifest.suite_path} is not here",
            hint="run this from the folder the run was started in, or name a suite: --suite SUITE.yaml",
        )
    return manifest.suite_path


def file_of(reference: str) -> Path:
    """The file part of a suite's name: `suites.py:support` lies in `suites.py`."""
    path, _, name = reference.rpartition(":")
    return Path(path if path.endswith(".py") and name else reference)


def check_exists(reference: str) -> None:
    """Refuse a suite whose file is not there, naming those that are.

    Raises:
        ConfigError: There is no such file.
    """
    path = file_of(reference)
    if path.is_file():
        return
    near = sorted(str(found) for ending in ("*.yaml", "*.yml") for found in path.parent.glob(ending))
    hint = f"there is {', '.join(near[:3])}" if near else "evalwright init DIR writes one to start from"
    raise ConfigError([Problem(message=f"there is no suite file {path}", hint=hint)])


def as_source(loaded: LoadedSuite, reference: str, *, for_scoring: bool) -> RunSource:
    """A suite that was read, as something to run.

    Raises:
        ConfigError: It has no dataset, or no target where one is needed.
    """
    suite = loaded.suite
    if loaded.dataset is None and not suite.cases:
        raise ConfigError([Problem(message="the suite has no dataset", file=str(loaded.path), hint=_DATASET_HINT)])
    if loaded.target is None and not for_scoring:
        raise ConfigError([Problem(message="the suite has no target", file=str(loaded.path), hint=_TARGET_HINT)])
    source = from_suite(suite, _target(loaded, for_scoring=for_scoring))
    rows: Any = suite.cases if loaded.dataset is None else _rows(loaded)
    return msgspec.structs.replace(
        source,
        rows=() if for_scoring else rows,
        dataset_name=(loaded.dataset.file if loaded.dataset else None) or "inline",
        path=Path(reference),
        text=loaded.source,
        warnings=tuple(problem.message for problem in loaded.warnings),
    )


def _rows(loaded: LoadedSuite) -> Any:
    """The rows of the dataset; those of a golden set are looked up when they are read."""
    spec = loaded.dataset
    if spec is None:
        return ()
    return GoldenRows(spec, loaded.base_dir) if spec.golden is not None else read_rows(spec, loaded.base_dir)


def _target(loaded: LoadedSuite, *, for_scoring: bool) -> Any:
    if for_scoring or loaded.target is None:
        return MappingTarget({})
    return target_from(loaded.target.build())


_DATASET_HINT = "add `dataset: { file: cases.jsonl }` or `dataset: { cases: [ … ] }`"
_TARGET_HINT = "add `target: { type: … }`; `evalwright list targets` shows the types"

"""The parts of a suite file that need nothing but the file: cases, slices, how to run."""

from __future__ import annotations

from typing import TypeVar

from pydantic import ValidationError

from evalwright.core.case import Json
from evalwright.core.run import Budget, CacheMode, RunSettings
from evalwright.core.suite import DatasetSpec, SliceSpec
from evalwright.expressions import ExpressionError, compile_expression
from evalwright.suites.document import Path, Problems
from evalwright.suites.environment import Environment
from evalwright.suites.explain import explain, shown
from evalwright.suites.options import as_json, as_mapping
from evalwright.suites.sections import BudgetSection, DatasetSection, RunSection, Section, SliceSection

AnySection = TypeVar("AnySection", bound=Section)


def read_section(
    kind: type[AnySection], value: Json, problems: Problems, path: Path, *, what: str
) -> AnySection | None:
    """A part of the file by its model; None when something is wrong with it."""
    given = as_mapping(value, problems, path, what=what)
    if given is None:
        return None
    try:
        return kind.model_validate_json(as_json(given), strict=True)
    except ValidationError as error:
        explain(error, problems, path, what=what, component=kind)
        return None


def read_dataset(value: Json, problems: Problems, environment: Environment) -> DatasetSpec | None:
    """The `dataset` part: a mapping, the path of a file, or a list of cases."""
    path: Path = ("dataset",)
    if isinstance(value, str):
        value = {"file": value}
    elif isinstance(value, list):
        value = {"cases": value}
    section = read_section(DatasetSection, value, problems, path, what="`dataset`")
    if section is None:
        return None
    if not _one_source(section, problems):
        return None
    file_path = (*path, "file") if isinstance(problems.document.data["dataset"], dict) else path
    return DatasetSpec(
        file=None if section.file is None else environment.fill(section.file, problems, file_path),
        format=section.format,
        cases=section.cases or (),
        fields=section.fields,
        public=section.public,
        source=problems.document.name,
        line=problems.document.place(path, key=True)[0],
        golden=section.golden,
        version=_version(problems),
        sample={} if section.sample is None else section.sample.model_dump(mode="json"),
    )


def _version(problems: Problems) -> str:
    """The version as it is written: `2026-08` and `3` alike."""
    if not isinstance(problems.document.data["dataset"], dict):
        return "latest"
    return problems.document.raw(("dataset", "version")) or "latest"


def _one_source(section: DatasetSection, problems: Problems) -> bool:
    """Exactly one of file, cases and golden set; what only a golden set has, only with one."""
    path: Path = ("dataset",)
    named = [name for name in ("file", "cases", "golden") if getattr(section, name) is not None]
    if len(named) != 1:
        what = "neither `file` nor `cases`" if not named else f"both `{named[0]}` and `{named[1]}`"
        problems.add(path, f"the dataset has {what}", hint="e.g. `dataset: { file: cases.jsonl }`", key=True)
        return False
    wrong = ("fields", "format") if section.golden is not None else ("version", "sample")
    extra = next((key for key in wrong if getattr(section, key)), None)
    if extra is not None:
        hint = "cases of a golden set need no mapping" if section.golden else "`run: { limit: 400 }` draws from a file"
        problems.add((*path, extra), f"`{extra}` can't be used with `{named[0]}`", hint=hint, key=True)
    return extra is None


def read_slices(value: dict[str, Json], problems: Problems) -> dict[str, SliceSpec]:
    """The `slices` part: by name an expression, or a mapping with `by` or `when`."""
    found = {name: _slice(name, item, problems) for name, item in value.items()}
    return {name: spec for name, spec in found.items() if spec is not None}


def _slice(name: str, item: Json, problems: Problems) -> SliceSpec | None:
    path: Path = ("slices", name)
    if isinstance(item, str):
        return SliceSpec(by=item) if check_expression(item, problems, path) else None
    if not isinstance(item, dict):
        problems.add(path, f"a slice is an expression, or a mapping with `by` or `when`, not {shown(item)}")
        return None
    section = read_section(SliceSection, item, problems, path, what=f"the slice `{name}`")
    if section is None:
        return None
    if (section.by is None) == (section.when is None):
        problems.add(path, f"the slice `{name}` needs exactly one of `by` and `when`", hint=_SLICE_HINT, key=True)
        return None
    key = "by" if section.by is not None else "when"
    if not check_expression(section.by or section.when or "", problems, (*path, key)):
        return None
    return SliceSpec(by=section.by, when=section.when, min_n=section.min_n)


_SLICE_HINT = "`by` names the subset by a value (`metadata.locale`), `when` is a condition (`length(input) > 800`)"


def check_expression(text: str, problems: Problems, path: Path) -> bool:
    """Note what is wrong with an expression, at its own character where that can be told."""
    try:
        compile_expression(text)
    except ExpressionError as error:
        plain = problems.document.is_plain(path) and error.line <= 1
        shift = max(error.column - 1, 0) if plain else 0
        problems.add(path, f"{error.message} in `{text[:200]}`", hint=error.hint, shift=shift)
        return False
    return True


def read_settings(value: Json, problems: Problems, *, public: tuple[str, ...] = ()) -> RunSettings:
    """The `run` part; the defaults where something is wrong."""
    section = read_section(RunSection, value, problems, ("run",), what="`run`")
    if isinstance(value, dict) and isinstance(value.get("filter"), str):
        check_expression(value["filter"], problems, ("run", "filter"))
    if section is None:
        return RunSettings(public=public)
    return RunSettings(
        trials=section.trials,
        concurrency=section.concurrency,
        workers=section.workers,
        seed=section.seed,
        retries=section.retries,
        timeout_s=section.timeout,
        limit=section.limit,
        max_errors=section.max_errors,
        allowed_errors=section.allowed_errors,
        budget=_budget(section.budget),
        cache=CacheMode(section.cache),
        cache_max_age_s=section.cache_max_age,
        strict=section.strict,
        level=section.level,
        tags=section.tags,
        filter=section.filter,
        public=public,
    )


def _budget(section: BudgetSection | None) -> Budget:
    return Budget() if section is None else Budget(**section.model_dump())

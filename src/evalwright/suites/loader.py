"""Read a suite file: everything that is wrong with it is found in one pass and told at once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from evalwright.core.case import Json
from evalwright.core.component import BindContext, Vocabulary
from evalwright.core.errors import ConfigError, Problem
from evalwright.core.gate import Rule
from evalwright.core.suite import SliceSpec, Suite
from evalwright.suites.document import Document, Problems
from evalwright.suites.environment import Environment, refuse_secrets
from evalwright.suites.explain import explain, shown
from evalwright.suites.gate_rules import RuleReader
from evalwright.suites.loaded import LoadedSuite
from evalwright.suites.options import as_json
from evalwright.suites.parts import read_dataset, read_settings, read_slices
from evalwright.suites.python_suite import check_syntax, load_python_suite, split_reference
from evalwright.suites.scorer_entries import ScorerReader, ScorerSet
from evalwright.suites.sections import SuiteSection
from evalwright.suites.target_entry import read_target
from evalwright.suites.yaml_reader import parse_yaml, read_yaml


def load_suite(
    path: Path | str,
    vocabulary: Vocabulary,
    *,
    environment: Mapping[str, str] | None = None,
    text: str | None = None,
) -> LoadedSuite:
    """Read a suite file, or a suite written in Python (`suite.py`, `suite.py:name`).

    Scorers are made; the dataset is not read and the target not made (`LoadedSuite.target.build()` does that).

    Args:
        path: The file, as messages shall call it.
        vocabulary: The scorers and targets it may use.
        environment: Variables for `${NAME}`; those of the process when not given.
        text: A changed text to read in place of the file's, with paths that still start from the file.

    Raises:
        ConfigError: With everything that is wrong, in the order of the file.
    """
    if split_reference(path) is not None:
        return load_python_suite(path, environment=environment)
    reader = _Reader(Path(path), vocabulary, environment, import_code=True, text=text)
    loaded = reader.read()
    reader.problems.stop()
    return loaded


def validate_suite(
    path: Path | str,
    vocabulary: Vocabulary,
    *,
    environment: Mapping[str, str] | None = None,
    import_code: bool = False,
) -> list[Problem]:
    """Everything that is wrong with a suite file, in its order; empty when nothing is.

    Nothing is called. Beside the file itself it checks that the files it names exist and that variables are set. A
    suite written in Python is only read when its code may be imported; until then its syntax is checked.

    Args:
        path: The file, as messages shall call it.
        vocabulary: The scorers and targets it may use.
        environment: Variables for `${NAME}`; those of the process when not given.
        import_code: Also import the Python files and modules it names (which runs them).
    """
    try:
        if split_reference(path) is not None:
            return _validate_python(path, environment, import_code=import_code)
        reader = _Reader(Path(path), vocabulary, environment, import_code=import_code)
        loaded = reader.read()
    except ConfigError as error:
        return list(error.problems)
    reader.check_files(loaded)
    reader.problems.sort()
    return reader.problems.found


def _validate_python(
    reference: Path | str, environment: Mapping[str, str] | None, *, import_code: bool
) -> list[Problem]:
    if import_code:
        load_python_suite(reference, environment=environment)
    else:
        check_syntax(reference)
    return []


class _Reader:
    """One reading of one file."""

    def __init__(
        self,
        path: Path,
        vocabulary: Vocabulary,
        environment: Mapping[str, str] | None,
        *,
        import_code: bool,
        text: str | None = None,
    ) -> None:
        self._path = path
        self._vocabulary = vocabulary
        self._import_code = import_code
        self._environment = Environment(os.environ if environment is None else environment)
        self._context = BindContext(base_dir=path.parent, environment=self._environment.variables)
        self.problems = Problems(read_yaml(path) if text is None else parse_yaml(text, name=str(path)))

    @property
    def document(self) -> Document:
        return self.problems.document

    def read(self) -> LoadedSuite:
        """The suite as far as it is right; what is wrong is in `problems`."""
        data = self._mapping()
        refuse_secrets(data, self.problems)
        section = self._section(data)
        dataset = (
            read_dataset(data["dataset"], self.problems, self._environment) if data.get("dataset") is not None else None
        )
        settings = read_settings(data.get("run"), self.problems, public=dataset.public if dataset else ())
        slices = read_slices(_dict(data.get("slices")), self.problems)
        target = read_target(data.get("target"), self.problems, self._vocabulary, self._context)
        scorers = self._scorers(data.get("scorers"))
        suite = Suite(
            name=section.suite if section else str(data.get("suite", "")),
            version=self._version(),
            scorers=tuple(scorers.bound),
            slices=dict(slices),
            gate=self._gate(data, scorers, slices),
            settings=settings,
            description=section.description if section else "",
            owner=section.owner if section else None,
            tier=section.tier if section else None,
            runbook=section.runbook if section else None,
            tags=section.tags if section else (),
        )
        self._warn(suite)
        return LoadedSuite(
            suite=suite,
            dataset=dataset,
            target=target,
            path=self._path,
            source=self.document.text,
            warnings=tuple(self.problems.warnings),
        )

    def check_files(self, loaded: LoadedSuite) -> None:
        """Look for the dataset's file, and make the target as far as that needs no code of the user's."""
        spec = loaded.dataset
        if spec is not None and spec.file is not None and not (self._path.parent / spec.file).is_file():
            in_mapping = isinstance(self.document.data["dataset"], dict)
            where = ("dataset", "file") if in_mapping else ("dataset",)
            self.problems.add(where, f"there is no dataset file `{spec.file}`", hint="paths start from the suite file")
        target = loaded.target
        if target is not None and (self._import_code or not target.imports_code):
            target.bind(self.problems)

    def _mapping(self) -> dict[str, Json]:
        data = self.document.data
        if isinstance(data, dict):
            return data
        what = "empty" if data is None else f"{shown(data)}, not a mapping"
        hint = "begin with `suite: NAME`; `evalwright init DIR` writes one to start from"
        raise ConfigError([self.document.problem((), f"the suite file is {what}", hint=hint)])

    def _section(self, data: dict[str, Json]) -> SuiteSection | None:
        try:
            return SuiteSection.model_validate_json(as_json(data), strict=True)
        except ValidationError as error:
            explain(error, self.problems, (), what="the suite", component=SuiteSection)
            return None

    def _version(self) -> str:
        return self.document.raw(("version",)) or "1"

    def _scorers(self, value: Json) -> ScorerSet:
        reader = ScorerReader(self.problems, self._vocabulary, self._context, import_code=self._import_code)
        return reader.read(value if isinstance(value, list) else [])

    def _gate(self, data: dict[str, Json], scorers: ScorerSet, slices: dict[str, SliceSpec]) -> tuple[Rule, ...]:
        policy = data.get("policy")
        if not isinstance(policy, str):
            return RuleReader(self.problems, scorers, slices).read(data.get("gate"), ("gate",))
        if data.get("gate"):
            self.problems.add(("policy",), "the suite has both `gate` and `policy`", hint="keep one of them", key=True)
            return ()
        return self._policy(policy, scorers, slices)

    def _policy(self, name: str, scorers: ScorerSet, slices: dict[str, SliceSpec]) -> tuple[Rule, ...]:
        path = self._path.parent / self._environment.fill(name, self.problems, ("policy",))
        if not path.is_file():
            self.problems.add(("policy",), f"there is no policy file `{name}`", hint="paths start from the suite file")
            return ()
        inner = Problems(read_yaml(path))
        data = inner.document.data
        in_mapping = isinstance(data, dict) and set(data) == {"gate"}
        rules = RuleReader(inner, scorers, slices).read(
            data["gate"] if in_mapping else data, ("gate",) if in_mapping else ()
        )
        self.problems.found.extend(inner.found)
        return rules

    def _warn(self, suite: Suite) -> None:
        if not suite.scorers and not self.problems.found and "scorers" not in self.document.data:
            self.problems.warn((), "the suite has no scorers: outputs are collected and not judged")
        missing = [key for key in ("owner", "runbook", "gate") if not getattr(suite, key)]
        if suite.tier == 1 and missing:
            self.problems.warn(("tier",), f"a tier 1 suite without {' and '.join(missing)} is incomplete", key=True)


def _dict(value: Json) -> dict[str, Json]:
    return value if isinstance(value, dict) else {}

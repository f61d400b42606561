"""The scorers of a suite file: read, found, given their options, bound."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from evalwright.core.case import Json
from evalwright.core.component import Bindable, BindContext, Vocabulary
from evalwright.core.errors import ConfigError, EvalwrightError
from evalwright.core.scorer import BoundScorer, Scorer
from evalwright.suites.document import Path, Problems
from evalwright.suites.explain import explain, shown
from evalwright.suites.keys import main_option, option_keys
from evalwright.suites.options import as_json, make_options
from evalwright.suites.python_files import load_object
from evalwright.suites.sections import ScorerKeys
from evalwright.suites.suggest import listed, suggestion

COMMON = ("as", "weight", "not", "severity", "threshold")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScorerEntry:
    """One scorer as the file names it.

    Attributes:
        name: A name of the vocabulary, or `file.py:name`.
        options: Keys given under the name, or a value in place of a mapping.
        path: Path of the entry in the file.
        options_path: Path of the options.
    """

    name: str
    path: Path
    options_path: Path
    options: Json = None

    @property
    def is_custom(self) -> bool:
        """Whether it names code of the user's own."""
        return ":" in self.name


@dataclass(slots=True)
class ScorerSet:
    """The scorers of a suite.

    Attributes:
        bound: Those that could be bound, in the file's order.
        metrics: Names of all metrics, also of scorers whose code was not loaded.
        complete: Whether `metrics` is all there is; False when a scorer is wrong or its name can't be known.
    """

    bound: list[BoundScorer] = field(default_factory=list)
    metrics: dict[str, BoundScorer | None] = field(default_factory=dict)
    complete: bool = True


class ScorerReader:
    """Reads the list under `scorers`.

    Args:
        problems: Where to note what is wrong.
        vocabulary: Scorers known by name.
        context: What scorers are bound with.
        import_code: Whether files of the user's own are imported; if not, they are only looked for.
    """

    def __init__(
        self, problems: Problems, vocabulary: Vocabulary, context: BindContext, *, import_code: bool = True
    ) -> None:
        self._problems = problems
        self._vocabulary = vocabulary
        self._context = context
        self._import_code = import_code

    def read(self, items: list[Json]) -> ScorerSet:
        """Bind every scorer of the list."""
        made = ScorerSet()
        for index, item in enumerate(items):
            entries = self._entries(item, ("scorers", index))
            made.complete = made.complete and bool(entries)
            for entry in entries:
                self._add(made, entry)
        return made

    def _entries(self, item: Json, path: Path) -> list[ScorerEntry]:
        if isinstance(item, str):
            return [ScorerEntry(name=item, path=path, options_path=path)]
        if not isinstance(item, dict) or not item:
            self._problems.add(path, f"a scorer is a name or a mapping with one, not {shown(item)}", hint=_SHAPE)
            return []
        if "file" in item and "use" in item:
            return self._from_file(item, path)
        name, *others = item
        if others:
            self._several_keys(name, others, path)
            return []
        return [ScorerEntry(name=name, options=item[name], path=path, options_path=(*path, name))]

    def _several_keys(self, name: str, others: list[str], path: Path) -> None:
        if others[0] in self._vocabulary.scorers:
            hint = "begin each scorer with a dash of its own"
        else:
            hint = f"options stand under the scorer's name: `- {name}: {{ {others[0]}: … }}`"
        self._problems.add((*path, others[0]), f"`{others[0]}` stands beside the scorer `{name}`", hint=hint, key=True)

    def _from_file(self, item: dict[str, Json], path: Path) -> list[ScorerEntry]:
        for key in set(item) - {"file", "use"}:
            hint = f"allowed: file, use; {_SHAPE}"
            self._problems.add((*path, key), f"unknown key `{key}` beside `file`", hint=hint, key=True)
            return []
        file, use = item["file"], item["use"]
        names = [use] if isinstance(use, str) else use
        if (
            not isinstance(file, str)
            or not isinstance(names, list)
            or not names
            or not all(isinstance(n, str) for n in names)
        ):
            self._problems.add(
                path, "`file` is a path and `use` a list of names", hint="`{ file: scorers.py, use: [polite] }`"
            )
            return []
        where = [(*path, "use") if isinstance(use, str) else (*path, "use", index) for index in range(len(names))]
        return [
            ScorerEntry(name=f"{file}:{name}", path=at, options_path=at) for name, at in zip(names, where, strict=True)
        ]

    def _add(self, made: ScorerSet, entry: ScorerEntry) -> None:
        before = len(self._problems.found)
        if entry.is_custom and not self._import_code:
            self._look_for(entry)
            made.complete = False
            return
        component = self._component(entry)
        if component is None:
            made.complete = False
            return
        own, common = self._split(component, entry)
        keys = self._common_keys(common, entry)
        instance = self._instance(component, own, entry) if own is not None else None
        if instance is None or keys is None or len(self._problems.found) > before:
            made.complete = False
            return
        self._bind(made, instance, keys, entry)

    def _look_for(self, entry: ScorerEntry) -> None:
        place, _, _ = entry.name.rpartition(":")
        if place.endswith(".py") and not (self._context.base_dir / place).is_file():
            self._problems.add(entry.path, f"there is no file `{place}`", hint="paths start from the suite file")

    def _component(self, entry: ScorerEntry) -> Any | None:
        if entry.is_custom:
            return self._custom(entry)
        if entry.name not in self._vocabulary.scorers:
            known = list(self._vocabulary.scorers)
            rest = f"`evalwright list scorers` shows all {len(known)}; your own is written `scorers.py:{entry.name}`"
            hint = suggestion(entry.name, known, rest=rest)
            self._problems.add(entry.path, f"unknown scorer `{entry.name}`", hint=hint)
            return None
        try:
            return self._vocabulary.scorers[entry.name]
        except EvalwrightError as error:
            self._problems.add(entry.path, error.message, hint=error.hint)
            return None

    def _custom(self, entry: ScorerEntry) -> Any | None:
        place, _, attribute = entry.name.rpartition(":")
        try:
            found = load_object(place, attribute, folder=self._context.base_dir)
        except ConfigError as error:
            self._problems.adopt(error.problems, entry.path, inside=False)
            return None
        if isinstance(found, Scorer | Bindable | type):
            return found
        hint = 'decorate a function with `@scorer("name")`, or give a class `info`, `score` and `describe`'
        self._problems.add(entry.path, f"`{entry.name}` is no scorer", hint=hint)
        return None

    def _split(self, component: Any, entry: ScorerEntry) -> tuple[dict[str, Json] | None, dict[str, Json]]:
        """The scorer's own options and the keys every scorer takes; a scorer's own option wins."""
        own_keys = option_keys(component)
        main = main_option(component)
        if entry.options is None:
            return {}, {}
        if not isinstance(entry.options, dict):
            if main is not None:
                return {main: entry.options}, {}
            self._problems.add(
                entry.options_path,
                f"the options of `{entry.name}` must be a mapping",
                hint=f"allowed: {listed(sorted({*own_keys, *COMMON}))}",
            )
            return None, {}
        own = {key: value for key, value in entry.options.items() if key in own_keys or key not in COMMON}
        return own, {key: value for key, value in entry.options.items() if key not in own}

    def _common_keys(self, given: dict[str, Json], entry: ScorerEntry) -> ScorerKeys | None:
        try:
            return ScorerKeys.model_validate_json(as_json(given), strict=True)
        except ValidationError as error:
            explain(error, self._problems, entry.options_path, what=f"the scorer `{entry.name}`", component=ScorerKeys)
            return None

    def _instance(self, component: Any, own: dict[str, Json], entry: ScorerEntry) -> Any | None:
        what = f"the scorer `{entry.name}`"
        return make_options(component, own, self._problems, entry.options_path, what=what, also=COMMON)

    def _bind(self, made: ScorerSet, instance: Any, keys: ScorerKeys, entry: ScorerEntry) -> None:
        try:
            scorer = instance.bind(self._context) if isinstance(instance, Bindable) else instance
            metric = keys.as_ or self._metric(entry.name, scorer.info.name)
        except ConfigError as error:
            self._problems.adopt(error.problems, entry.options_path)
            made.complete = False
            return
        except (EvalwrightError, ValueError, TypeError, OSError, AttributeError) as error:
            self._problems.add(entry.path, f"the scorer `{entry.name}`: {getattr(error, 'message', error)}")
            made.complete = False
            return
        if metric in made.metrics:
            hint = f"name one of them: `- {entry.name}: {{ as: another_name }}`"
            self._problems.add(entry.path, f"two scorers make the metric `{metric}`", hint=hint)
            return
        bound = BoundScorer(
            scorer=scorer,
            metric=metric,
            weight=keys.weight,
            negate=keys.not_,
            severity=keys.severity,
            threshold=keys.threshold,
        )
        made.metrics[metric] = bound
        made.bound.append(bound)

    def _metric(self, written: str, own: str) -> str:
        """The scorer's own name for its metric; the name written, where both are names of the same scorer."""
        known = self._vocabulary.scorers
        return written if written in known and own in known and known[written] is known[own] else own


_SHAPE = "`- exact`, `- contains: { values: [yes] }` or `- { file: scorers.py, use: [polite] }`"

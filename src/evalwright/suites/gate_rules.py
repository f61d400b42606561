"""The gate of a suite file, or of the policy file it names."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import ValidationError

from evalwright.core.case import Json
from evalwright.core.gate import DATASET_AGE, NEWLY_FAILING, Rule
from evalwright.core.scorer import BoundScorer, ScoreKind
from evalwright.core.suite import SliceSpec
from evalwright.suites.document import Path, Problems
from evalwright.suites.explain import explain, shown
from evalwright.suites.options import as_json
from evalwright.suites.quantities import is_duration
from evalwright.suites.scorer_entries import ScorerSet
from evalwright.suites.sections import NewlySection, RuleSection
from evalwright.suites.suggest import suggestion

_ABSOLUTE = ("at_least", "at_most")
_RELATIVE = ("max_drop", "min_gain")
OVERALL = "overall"
MEASURED = ("errors", "latency", "cost", "input_tokens", "output_tokens", DATASET_AGE)
"""Metrics every run has without a scorer: share of failed calls, what its answers took, age of its golden set."""


class RuleReader:
    """Reads a list of rules against the metrics and slices of a suite.

    Args:
        problems: Where to note what is wrong; its document is the one that holds the rules.
        scorers: The suite's scorers.
        slices: The suite's slices.
    """

    def __init__(self, problems: Problems, scorers: ScorerSet, slices: Mapping[str, SliceSpec]) -> None:
        self._problems = problems
        self._scorers = scorers
        self._slices = slices

    def read(self, value: Json, path: Path) -> tuple[Rule, ...]:
        """The rules that are right; every other one is noted."""
        if value is None:
            return ()
        if not isinstance(value, list):
            self._problems.add(path, f"the gate is a list of rules, not {shown(value)}", hint=_EXAMPLE)
            return ()
        rules = [self._rule(item, (*path, index)) for index, item in enumerate(value)]
        return tuple(rule for rule in rules if rule is not None)

    def _rule(self, item: Json, path: Path) -> Rule | None:
        if not isinstance(item, dict):
            self._problems.add(path, f"a rule is a mapping, not {shown(item)}", hint=_EXAMPLE)
            return None
        before = len(self._problems.found)
        section = self._section(item, path)
        if section is None:
            return None
        if section.newly_failing is not None:
            self._check_newly(section, section.newly_failing, path)
        elif not section.metric:
            self._problems.add(path, "a rule of the gate needs the key `metric`", hint=_EXAMPLE)
        else:
            self._check_metric(section, path)
            if section.metric == DATASET_AGE and section.at_most is None:
                self._problems.add(path, "a rule on `dataset_age` needs `at_most`", hint="e.g. `at_most: 90d`")
            elif section.calibrated is None:
                self._check_bounds(section, path)
            elif any(getattr(section, key) is not None for key in (*_ABSOLUTE, *_RELATIVE)):
                self._problems.add((*path, "calibrated"), "`calibrated` takes the place of a bound", key=True)
        wanted = self._slice(section, path)
        if len(self._problems.found) > before:
            return None
        return _made(section, wanted, line=self._problems.document.place(path)[0])

    def _section(self, item: dict[str, Json], path: Path) -> RuleSection | None:
        try:
            return RuleSection.model_validate_json(as_json(item), strict=True)
        except ValidationError as error:
            explain(error, self._problems, path, what="a rule of the gate", component=RuleSection)
            return None

    def _check_newly(self, rule: RuleSection, wanted: NewlySection, path: Path) -> None:
        for key in ("metric", "at_least", *_RELATIVE):
            if getattr(rule, key):
                self._problems.add((*path, key), f"`{key}` can't stand beside `newly_failing`", hint=_NEWLY_EXAMPLE)
        for name in wanted.scorers:
            if self._scorers.complete and name not in self._scorers.metrics:
                hint = suggestion(name, self._scorers.metrics)
                self._problems.add((*path, "newly_failing", "scorers"), f"the suite has no metric `{name}`", hint=hint)

    def _check_metric(self, rule: RuleSection, path: Path) -> None:
        known = self._scorers.metrics
        name = rule.metric
        whole, _, part = name.partition(".")
        if name in known or name in MEASURED or (part and whole in known) or not self._scorers.complete:
            return
        if name == OVERALL and any(scorer is not None and scorer.weight for scorer in known.values()):
            return
        hint = suggestion(name, known, rest="" if known else "the suite has no scorers")
        if name == OVERALL:
            hint = "give scorers a `weight`; `overall` is their weighted mean"
        self._problems.add(
            (*path, "metric"), f"the suite has no metric `{name}`", hint=hint.replace("allowed:", "its metrics:")
        )

    def _check_bounds(self, rule: RuleSection, path: Path) -> None:
        given = [key for key in (*_ABSOLUTE, *_RELATIVE) if getattr(rule, key) is not None]
        if len(given) != 1:
            what = "has no bound" if not given else f"has {len(given)} bounds: {', '.join(f'`{key}`' for key in given)}"
            hint = "give exactly one of at_least, at_most, max_drop, min_gain"
            self._problems.add(path, f"the rule on `{rule.metric}` {what}", hint=hint)
            return
        if rule.versus is not None and given[0] in _ABSOLUTE:
            hint = "give `max_drop` or `min_gain`, or remove `versus`"
            self._problems.add(
                (*path, given[0]), f"`{given[0]}` is no bound of a comparison with the baseline", hint=hint
            )
        self._check_range(rule, given[0], path)

    def _check_range(self, rule: RuleSection, key: str, path: Path) -> None:
        scorer = self._scorers.metrics.get(rule.metric)
        if scorer is None:
            return
        self._check_statistic(rule, scorer, path)
        if is_duration(self._problems.document.raw((*path, key)) or "") and scorer.info.unit != "s":
            self._problems.add((*path, key), f"`{rule.metric}` is not measured in seconds", hint="write a plain number")
            return
        value, low, high = getattr(rule, key), scorer.info.low, scorer.info.high
        if key in _ABSOLUTE and low is not None and high is not None and not low <= value <= high:
            near = f"; did you mean {value / 100:g}?" if high == 1 and 1 < value <= 100 else ""
            self._problems.add(
                (*path, key),
                f"`{rule.metric}` is always between {low:g} and {high:g}, never {value:g}",
                hint=near.removeprefix("; "),
            )

    def _check_statistic(self, rule: RuleSection, scorer: BoundScorer, path: Path) -> None:
        if rule.statistic != "mean" and scorer.info.kind is not ScoreKind.QUANTITY:
            self._problems.add(
                (*path, "statistic"),
                f"`{rule.metric}` is a {scorer.info.kind.value} and has no percentiles",
                hint="remove `statistic`; percentiles belong to quantities such as latency",
            )

    def _slice(self, rule: RuleSection, path: Path) -> dict[str, Json] | None:
        if rule.slice is None:
            return None
        wanted = _as_mapping(rule.slice)
        if not wanted:
            self._problems.add((*path, "slice"), "the slice of a rule is empty", hint="e.g. `slice: { locale: de }`")
        for name, value in wanted.items():
            where = (*path, "slice", name) if isinstance(rule.slice, dict) else (*path, "slice")
            if name not in self._slices:
                hint = suggestion(name, self._slices) if self._slices else "declare it under `slices`"
                self._problems.add(
                    where, f"the suite has no slice `{name}`", hint=hint, key=isinstance(rule.slice, dict)
                )
            elif isinstance(value, dict | list) or value is None:
                self._problems.add(where, f"the value of the slice `{name}` must be a text, number or truth value")
            elif self._slices[name].when is not None and value not in (True, "true"):
                self._problems.add(where, f"the slice `{name}` is a condition", hint=f"write `slice: {name}`")
        return {name: _plain(value) for name, value in wanted.items()}


_EXAMPLE = "e.g. `- { metric: exact_match, at_least: 0.9 }`"
_NEWLY_EXAMPLE = "e.g. `- { newly_failing: { severity: block }, at_most: 0 }`"


def _as_mapping(wanted: str | dict[str, Json]) -> dict[str, Json]:
    """`long` is `{long: true}`, `locale=de` is `{locale: de}`."""
    if isinstance(wanted, dict):
        return wanted
    name, equals, value = wanted.partition("=")
    return {name.strip(): value.strip() if equals else True}


def _plain(value: Json) -> Json:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _calibrated(section: RuleSection) -> dict[str, Json] | None:
    wanted = section.calibrated
    if wanted is None:
        return None
    if wanted is True:
        return {}
    found: dict[str, Json] = {"figure": wanted.figure, "at_least": wanted.at_least, "max_age_s": wanted.max_age}
    return {key: value for key, value in found.items() if value is not None}


def _made(section: RuleSection, wanted: dict[str, Json] | None, *, line: int) -> Rule:
    relative = section.max_drop is not None or section.min_gain is not None
    newly = section.newly_failing
    return Rule(
        metric=section.metric if newly is None else NEWLY_FAILING,
        at_least=section.at_least,
        at_most=section.at_most if newly is None else section.at_most or 0.0,
        versus="baseline" if relative or newly is not None else None,
        max_drop=section.max_drop,
        min_gain=section.min_gain,
        confidence=section.confidence,
        slice=wanted,
        statistic=section.statistic,
        min_n=section.min_n,
        severity=section.severity,
        newly_failing=None if newly is None else {k: list(v) for k, v in newly.model_dump().items() if v},
        calibrated=_calibrated(section),
        within_margin=section.within_margin,
        regressed=section.regressed,
        waivable=section.waivable,
        name=section.name,
        line=line,
    )

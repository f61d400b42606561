"""Figures in words: numbers with units, intervals, rules and verdicts as every report writes them."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from evalwright.core.estimate import Estimate
from evalwright.core.gate import DATASET_AGE, NEWLY_FAILING, Decision, Rule, RuleResult, Verdict
from evalwright.core.result import Summary
from evalwright.core.run import Manifest, RunStatus, ScorerRecord
from evalwright.reports.text import plural

SMALL_N = 20
"""Slices with fewer scored cases are marked: their interval says little."""

WORDS = {Verdict.PASS: "PASS", Verdict.FAIL: "FAIL", Verdict.INCONCLUSIVE: "INCONCLUSIVE"}

_SECONDS = frozenset({"s", "seconds"})
_MONEY = frozenset({"USD", "EUR", "GBP", "CHF", "JPY"})

_ENDINGS = {
    RunStatus.RUNNING: "The run has not ended: these are its figures so far.",
    RunStatus.COMPLETE: "",
    RunStatus.INTERRUPTED: "The run was interrupted before its end; it can be resumed.",
    RunStatus.STOPPED: "The run stopped itself: too many units failed.",
    RunStatus.BUDGET: "The run stopped at its budget; it can be resumed with more.",
    RunStatus.DECIDED: "The run stopped early because every rule of the gate was decided.",
}


class Axis(msgspec.Struct, frozen=True, kw_only=True):
    """The range an interval bar is drawn on, `low` < `high`, in the metric's unit."""

    low: float = 0.0
    high: float = 1.0

    def share(self, value: float) -> float:
        """Where a value lies on the axis, clamped to 0 … 1."""
        return min(1.0, max(0.0, (value - self.low) / (self.high - self.low)))


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """A bound of the gate on a bar: its value, whether it is a minimum (else a maximum), what its rule says."""

    value: float
    minimum: bool
    verdict: Verdict


def number(value: float | None, unit: str = "") -> str:
    """A number with its unit, short enough for a table; `–` when there is none.

    Example:
        >>> number(0.8741), number(0.0421, "s"), number(12345.6, "tokens"), number(None)
        ('0.874', '42 ms', '12,346 tokens', '–')
    """
    if value is None:
        return "–"
    if unit in _SECONDS:
        return seconds(value)
    return f"{money_digits(value) if unit in _MONEY else digits(value)} {unit}".rstrip()


def digits(value: float) -> str:
    """A number without its unit: three digits after the point up to 1, fewer the larger it is."""
    size = abs(value)
    if 0 < size < 0.00005:
        return f"{value:.1e}"
    if size <= 1:
        return f"{value:.4f}" if 0 < size < 0.001 else f"{value:.3f}"
    if size < 100:
        return f"{value:.2f}"
    return f"{value:,.1f}" if size < 10_000 else f"{value:,.0f}"


def seconds(value: float | None) -> str:
    """A duration: `42 ms`, `1.24 s`, `3 min 05 s`, `2 h 07 min`; `–` when there is none."""
    if value is None:
        return "–"
    if abs(value) < 1:
        return f"{value * 1000:.0f} ms"
    if abs(value) < 60:
        return f"{value:.2f} s" if abs(value) < 10 else f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def brief(value: float) -> str:
    """A number of one row: whole numbers without a point, others like `digits`."""
    return f"{value:,.0f}" if value == int(value) else digits(value)


def money(value: float | None, currency: str = "USD") -> str:
    """A cost: two digits after the point from 1 upwards, two or three significant ones below; `–` when unknown."""
    return "–" if value is None else f"{money_digits(value)} {currency}"


def money_digits(value: float) -> str:
    """A cost without its currency."""
    if value == 0 or abs(value) >= 1:
        return f"{value:,.2f}"
    significant = 3 if abs(value) >= 0.01 else 2
    return f"{value:.{min(9, significant - 1 - math.floor(math.log10(abs(value))))}f}"


def moment(epoch: float) -> str:
    """Seconds since the epoch as `2026-08-01 14:05 UTC`; empty for 0."""
    return dt.datetime.fromtimestamp(epoch, dt.UTC).strftime("%Y-%m-%d %H:%M UTC") if epoch else ""


def interval(estimate: Estimate) -> str:
    """The interval with its unit once: `[0.812, 0.931]`, `[871, 960] ms`; `–` when there is none."""
    if estimate.ci is None:
        return "–"
    low, high = estimate.ci
    if estimate.unit in _MONEY:
        return f"[{money_digits(low)}, {money_digits(high)}] {estimate.unit}"
    if estimate.unit not in _SECONDS:
        return f"[{digits(low)}, {digits(high)}] {estimate.unit}".rstrip()
    if high < 1:
        return f"[{low * 1000:.0f}, {high * 1000:.0f}] ms"
    return f"[{digits(low)}, {digits(high)}] s" if low >= 0.1 and high < 60 else f"[{seconds(low)}, {seconds(high)}]"


def name_of(estimate: Estimate) -> str:
    """The metric's name with its statistic where that is no mean: `latency p95`."""
    plain = estimate.statistic in {"", "mean", "corpus"}
    return estimate.metric if plain else f"{estimate.metric} {estimate.statistic}"


def slice_name(where: Mapping[str, object] | None) -> str:
    """A rule's slice as estimates name it: `locale=de`; empty for all cases."""
    return ",".join(f"{key}={_plain(value)}" for key, value in (where or {}).items())


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def is_small(estimate: Estimate) -> bool:
    """Whether a slice has too few scored cases to say much."""
    return bool(estimate.slice) and estimate.n < SMALL_N


def overall(estimates: Iterable[Estimate]) -> list[Estimate]:
    """The metrics over all cases, in their order."""
    return [estimate for estimate in estimates if not estimate.slice]


def sliced(estimates: Iterable[Estimate]) -> dict[str, list[Estimate]]:
    """The slices of each metric (by `name_of`), worst first as they come, those too small to judge last."""
    groups: dict[str, list[Estimate]] = {}
    for estimate in estimates:
        if estimate.slice:
            groups.setdefault(name_of(estimate), []).append(estimate)
    return {name: sorted(rows, key=is_small) for name, rows in groups.items()}


def shortfall(estimate: Estimate, whole: Estimate | None, axis: Axis) -> float:
    """How much worse a slice is than all cases, as a share of the axis; 0 without a direction or a value."""
    if whole is None or whole.value is None or estimate.value is None or estimate.higher_is_better is None:
        return 0.0
    gap = whole.value - estimate.value if estimate.higher_is_better else estimate.value - whole.value
    return gap / (axis.high - axis.low)


def worst_slices(summary: Summary, count: int) -> list[Estimate]:
    """The slices that fall furthest behind all cases, worst first; those too small to judge come last.

    Amounts (seconds, dollars, words) count only in a run that has no other metric: one slow first call would lead.
    """
    axes = axes_of(summary)
    wholes = {name_of(whole): whole for whole in overall(summary.estimates)}
    amounts_only = all(whole.unit for whole in wholes.values())
    rows = [
        (is_small(estimate), -gap, place, estimate)
        for place, estimate in enumerate(e for e in summary.estimates if e.slice and (not e.unit or amounts_only))
        if (gap := shortfall(estimate, wholes.get(name_of(estimate)), axes[name_of(estimate)])) > 0
    ]
    return [row[3] for row in sorted(rows, key=lambda row: row[:3])[:count]]


def axes_of(summary: Summary, *, slices: bool = True) -> dict[str, Axis]:
    """The axis of each metric (by `name_of`): its scorer's declared range, else from 0 (or lower) to what is needed.

    Args:
        summary: The run.
        slices: Whether slices are drawn on it too. The intervals of those too small to judge do not widen it.
    """
    declared = {scorer.metric: scorer for scorer in summary.manifest.scorers}
    marks = thresholds(summary.decision)
    values: dict[str, list[float]] = {}
    ends: dict[str, list[float]] = {}
    for estimate in summary.estimates:
        if estimate.slice and not slices:
            continue
        name = name_of(estimate)
        seen = values.setdefault(name, [])
        seen += [] if estimate.value is None else [estimate.value]
        seen += [mark.value for mark in marks.get((name, estimate.slice), [])]
        ends.setdefault(name, []).extend(() if is_small(estimate) else estimate.ci or ())
    owners = {name_of(estimate): declared.get(estimate.metric) for estimate in summary.estimates}
    return {name: _axis(seen, ends[name], owners[name]) for name, seen in values.items()}


def _axis(values: Sequence[float], ends: Sequence[float], scorer: ScorerRecord | None) -> Axis:
    """A declared end holds unless a value lies outside; intervals reach over undeclared ends only."""
    low = scorer.low if scorer is not None else None
    high = scorer.high if scorer is not None else None
    if low is None or min(values, default=low) < low:
        low = min([0.0, *values, *ends])
    if high is None or max(values, default=high) > high:
        high = 1.05 * max([0.0, *values, *ends])
    return Axis(low=low, high=high if high > low else low + 1.0)


def thresholds(decision: Decision | None) -> dict[tuple[str, str], list[Mark]]:
    """The absolute bounds of the gate by (metric with statistic, slice), to be marked on bars."""
    marks: dict[tuple[str, str], list[Mark]] = {}
    for result in decision.results if decision else ():
        for bound, minimum in ((result.rule.at_least, True), (result.rule.at_most, False)):
            if bound is not None:
                mark = Mark(value=bound, minimum=minimum, verdict=result.verdict)
                marks.setdefault(place_of(result), []).append(mark)
    return marks


def place_of(result: RuleResult) -> tuple[str, str]:
    """The (metric with statistic, slice) a rule looked at."""
    rule = result.rule
    if result.estimate is not None:
        return (name_of(result.estimate), result.estimate.slice)
    name = rule.metric if rule.statistic == "mean" else f"{rule.metric} {rule.statistic}"
    return (name, slice_name(rule.slice))


_COUNTED = (NEWLY_FAILING, DATASET_AGE)


def rule_words(rule: Rule, unit: str = "") -> str:
    """A rule in plain words: `groundedness for locale=de at least 0.850`."""
    subject = rule.metric.replace("_", " ") if rule.metric in _COUNTED else rule.metric
    subject = subject if rule.statistic == "mean" else f"{rule.metric} {rule.statistic}"
    if rule.slice:
        subject += f" for {slice_name(rule.slice)}"
    return f"{subject} {_demand(rule, unit)}"


def _demand(rule: Rule, unit: str) -> str:
    against = "the baseline" if rule.versus in {None, "baseline"} else f"{rule.versus}"
    if rule.calibrated is not None:
        return "measured against people's labels"
    if rule.at_least is not None:
        return f"at least {number(rule.at_least, unit)}"
    if rule.metric == NEWLY_FAILING:
        return f"at most {rule.at_most or 0:g}"
    if rule.metric == DATASET_AGE:
        return f"at most {(rule.at_most or 0) / 86_400:g} days"
    if rule.at_most is not None:
        return f"at most {number(rule.at_most, unit)}"
    if rule.max_drop is not None:
        return f"at most {number(rule.max_drop, unit)} worse than {against}"
    if rule.min_gain is not None:
        return f"at least {number(rule.min_gain, unit)} better than {against}"
    return "without a bound"


def rule_reasons(result: RuleResult) -> list[str]:
    """Why a rule says what it says; how many cases would decide is added where the reason does not name it."""
    lines = [result.reason] if result.reason else []
    needed = result.cases_needed
    if (
        result.verdict is Verdict.INCONCLUSIVE
        and needed
        and not {str(needed), f"{needed:,}"} & set(result.reason.split())
    ):
        lines.append(f"About {plural(needed, 'case')} would probably decide.")
    return lines


def verdict_word(summary: Summary) -> str:
    """PASS, FAIL or INCONCLUSIVE; NO GATE when none was asked."""
    return WORDS[summary.decision.verdict] if summary.decision else "NO GATE"


def verdict_sentence(summary: Summary) -> str:
    """Why the verdict is what it is, in one sentence."""
    decision = summary.decision
    if decision is None:
        return "The suite asks for no release condition, so nothing was decided."
    return decision.reason or _counted(decision)


def _counted(decision: Decision) -> str:
    blocking = [result for result in decision.results if result.rule.severity == "block"]
    hit = [result for result in blocking if result.verdict is decision.verdict]
    if decision.verdict is Verdict.PASS:
        return f"All {plural(len(blocking), 'blocking rule')} passed." if len(blocking) > 1 else "The rule passed."
    what = "failed" if decision.verdict is Verdict.FAIL else "could not be decided with these cases"
    return f"{len(hit)} of {plural(len(blocking), 'blocking rule')} {what}."


def ending(status: RunStatus) -> str:
    """What a reader must know of how the run ended; empty when it ran to its end."""
    return _ENDINGS[status]


def counts_note(estimate: Estimate) -> str:
    """What a metric left out: `3 skipped, 1 error`; empty when nothing."""
    parts = [f"{estimate.skipped:,} skipped"] if estimate.skipped else []
    parts += [plural(estimate.errors, "error")] if estimate.errors else []
    return ", ".join(parts)


def rerun_command(manifest: Manifest) -> str:
    """The command that repeats the run; empty for a suite written in Python."""
    if manifest.suite_path is None:
        return manifest.command or ""
    words = ["evalwright", "run", quoted(manifest.suite_path), "--seed", str(manifest.settings.seed)]
    if manifest.settings.trials != 1:
        words += ["--trials", str(manifest.settings.trials)]
    if manifest.settings.limit is not None:
        words += ["--limit", str(manifest.settings.limit)]
    return manifest.command or " ".join(words)


def show_command(manifest: Manifest, case_id: str) -> str:
    """The command that shows one case in the terminal."""
    return f"evalwright show {manifest.run_id} {quoted(case_id)}"


def quoted(word: str) -> str:
    """A word for a shell: as it is when plain, else in single quotes."""
    plain = word and all(char.isascii() and (char.isalnum() or char in "@%+=:,./_-") for char in word)
    return word if plain else "'" + word.replace("'", "'\"'\"'") + "'"


def axis_end(value: float, unit: str = "") -> str:
    """An end of an axis, as short as can be: `0`, `1`, `3.17 s`."""
    if value == int(value) and abs(value) < 1000 and unit not in _SECONDS:
        return str(int(value))
    return "0" if value == 0 else number(value, unit).replace(" USD", "")

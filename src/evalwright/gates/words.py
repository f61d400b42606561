"""What a gate says, for readers who know no statistics."""

from __future__ import annotations

from evalwright.core.gate import DATASET_AGE, NEWLY_FAILING, Rule


def rule_name(rule: Rule) -> str:
    """A rule in one line, e.g. `groundedness >= 0.9 in locale=de`.

    >>> rule_name(Rule(metric="latency", statistic="p95", at_most=2, slice={"locale": "de"}))
    'p95(latency) <= 2 in locale=de'
    """
    if rule.name:
        return rule.name
    where = "".join(f" in {name}={value}" for name, value in (rule.slice or {}).items())
    if rule.metric == NEWLY_FAILING:
        return f"newly failing cases{_which(rule)} <= {rule.at_most or 0:g}{where}"
    if rule.metric == DATASET_AGE:
        return f"dataset not older than {(rule.at_most or 0.0) / 86_400:g} days"
    if rule.calibrated is not None:
        return f"{rule.metric} is calibrated{_how_well(rule)}"
    metric = rule.metric if rule.statistic == "mean" else f"{rule.statistic}({rule.metric})"
    return f"{metric} {_condition(rule)}{where}"


def _how_well(rule: Rule) -> str:
    wanted = rule.calibrated or {}
    least = f" ({wanted.get('figure')} >= {wanted['at_least']})" if wanted.get("at_least") is not None else ""
    return f"{least}"


def _which(rule: Rule) -> str:
    chosen = [f"{key} {_listed(value)}" for key, value in (rule.newly_failing or {}).items()]
    return f" ({', '.join(chosen)})" if chosen else ""


def _listed(value: object) -> str:
    return "/".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _condition(rule: Rule) -> str:
    if rule.at_least is not None:
        return f">= {rule.at_least:g}"
    if rule.at_most is not None:
        return f"<= {rule.at_most:g}"
    if rule.max_drop is not None:
        return f"no more than {rule.max_drop:g} worse than the baseline"
    return f"at least {rule.min_gain:g} better than the baseline" if rule.min_gain else "better than the baseline"


def number(value: float | None, unit: str = "") -> str:
    """A figure with its unit; `nothing` when there is none.

    >>> number(1.23456, "s"), number(0.9), number(None)
    ('1.235 s', '0.9', 'nothing')
    """
    if value is None:
        return "nothing"
    text = f"{value:,.4g}" if abs(value) < 10_000 else f"{value:,.0f}"
    return f"{text} {unit}" if unit else text


def cases(count: int) -> str:
    """A number of cases.

    >>> cases(1), cases(1200)
    ('1 case', '1,200 cases')
    """
    return "1 case" if count == 1 else f"{count:,} cases"


def sure(confidence: float) -> str:
    """How certain a statement is, e.g. `95 % sure`.

    >>> sure(0.95), sure(0.999)
    ('95 % sure', '99.9 % sure')
    """
    return f"{100 * confidence:.6g} % sure"


def would_settle(needed: int | None) -> str:
    """A half sentence on how many cases would decide; empty when that can't be foreseen."""
    return f"; about {cases(needed)} in all would probably settle it" if needed else ""

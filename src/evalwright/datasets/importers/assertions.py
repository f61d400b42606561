"""promptfoo's assertions as scorers of ours; what has no equal is named with the reason."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

import re2

from evalwright.core.case import Json
from evalwright.datasets.importers import judges
from evalwright.datasets.importers.items import Check

Options = dict[str, Json]

_CODE = "code in the file is not run; write it as a Python scorer: `scorers.py:name`"
_WITHOUT: dict[str, str] = {
    "search-rubric": "asks a model that searches the web",
    "select-best": "compares the answers of several systems; compare runs instead",
    "max-score": "compares the answers of several systems; compare runs instead",
    "human": "a person's verdict; import labels instead",
    "javascript": _CODE,
    "python": _CODE,
    "ruby": _CODE,
    "webhook": "asks another service; write a Python scorer that does",
    "similar": "needs embeddings; `edit_similarity` and `token_f1` compare texts without",
    "moderation": "asks a moderation service",
    "levenshtein": "counts edits; `edit_similarity` gives them as a share of the length",
    "bleu": "on another scale; use `bleu` (0 to 100) with a threshold of your own",
    "perplexity": "needs token probabilities",
}
_JUDGED: dict[str, str] = {
    "llm-rubric": judges.MEETS,
    "model-graded-closedqa": judges.MEETS,
    "g-eval": judges.MEETS,
    "agent-rubric": judges.MEETS,
    "trajectory:goal-success": judges.MEETS,
    "model-graded-factuality": judges.FACTS,
    "factuality": judges.FACTS,
}
_LEXICAL = "measured without a model, so its values differ: the threshold is left out, set one of your own"

_PER_CASE: dict[str, tuple[str, Options]] = {
    "equals": ("exact_match", {"strip": False}),
    "contains": ("contains", {"mode": "all"}),
    "icontains": ("contains", {"mode": "all", "ignore_case": True}),
    "contains-all": ("contains", {"mode": "all"}),
    "icontains-all": ("contains", {"mode": "all", "ignore_case": True}),
    "contains-any": ("contains", {"mode": "any"}),
    "icontains-any": ("contains", {"mode": "any", "ignore_case": True}),
    "context-recall": ("context_recall", {}),
}
_MERGED = frozenset({"contains", "icontains", "contains-all", "icontains-all"})
_LEXICAL_TYPES = frozenset({"context-recall", "answer-relevance", "context-faithfulness", "context-relevance"})


class Mapped(NamedTuple):
    """The assertions of one test: the checks, and the values the test's case keeps for them."""

    checks: list[Check]
    values: dict[str, Json]


def map_assertions(assertions: list[Json]) -> Mapped:
    """Checks of one test; values that differ from case to case go to the case's metadata under `checks`."""
    mapped = Mapped([], {})
    for assertion in flatten(assertions):
        _map(assertion, mapped)
    return mapped


def flatten(assertions: Json) -> Iterator[dict[str, Json]]:
    """Assertions without their sets."""
    for item in assertions if isinstance(assertions, list) else []:
        if not isinstance(item, dict):
            continue
        if item.get("type") == "assert-set":
            yield from flatten(item.get("assert"))
        else:
            yield item


def _map(assertion: dict[str, Json], mapped: Mapped) -> None:
    kind = str(assertion.get("type", ""))
    negate = kind.startswith("not-")
    plain = kind.removeprefix("not-")
    value = assertion.get("value")
    threshold = assertion.get("threshold")
    if plain in _PER_CASE and value is not None and not is_code(value):
        key = _keep(mapped.values, _key(kind), value, merge=plain in _MERGED)
        mapped.checks.append(_per_case(kind, plain, key, negate=negate))
        return
    if plain.startswith("rouge") and value is not None:
        key = _keep(mapped.values, _key(kind), value, merge=False)
        options: Options = {"variant": "rouge1", "expected": f"metadata.checks.{key}", "threshold": threshold or 0.75}
        mapped.checks.append(Check(name=key, kind=kind, scorer="rouge", options=options, per_case=True))
        return
    if plain in _JUDGED and value is not None and not is_code(value):
        mapped.checks.append(_judged(assertion, kind, plain, mapped.values, negate=negate))
        return
    maker = _WHOLE.get(plain)
    check = maker(assertion, kind) if maker else None
    if check is None:
        check = _without(assertion, kind, plain, mapped.values)
    elif negate:
        check = Check(**{**_fields(check), "options": {**check.options, "not": True}})
    mapped.checks.append(check)


def _judged(assertion: Options, kind: str, plain: str, values: Options, *, negate: bool) -> Check:
    """A criterion, or the facts, of each case: the judge is shown them as its reference."""
    key = _keep(values, _key(kind), assertion["value"], merge=False)
    options: Options = {"criterion": _JUDGED[plain], "reference": f"metadata.checks.{key}"}
    options |= {"not": True} if negate else {}
    provider = assertion.get("provider")
    model = provider if isinstance(provider, str) else ""
    reason = "yes or no instead of a share" if assertion.get("threshold") is not None else ""
    return judges.judged(key, kind, options, model=model, reason=reason, per_case=True)


def _per_case(kind: str, plain: str, key: str, *, negate: bool) -> Check:
    scorer, options = _PER_CASE[plain]
    if negate and scorer == "contains":
        options = {
            **options,
            "mode": "none" if options["mode"] != "all" or plain in ("contains", "icontains") else "all",
        }
    elif negate:
        options = {**options, "not": True}
    reason = _LEXICAL if plain in _LEXICAL_TYPES else ""
    return Check(
        name=key,
        kind=kind,
        scorer=scorer,
        options={**options, "expected": f"metadata.checks.{key}"},
        per_case=True,
        reason=reason,
    )


def _keep(values: dict[str, Json], key: str, value: Json, *, merge: bool) -> str:
    """Put a value into the case; the key it went to."""
    items = value if isinstance(value, list) else [value]
    if key not in values:
        values[key] = items
    elif merge:
        values[key] = [*values[key], *items]
    else:
        return _keep(values, _next(key), value, merge=False)
    return key


def _next(key: str) -> str:
    stem, _, number = key.rpartition("_")
    return f"{stem}_{int(number) + 1}" if stem and number.isdecimal() else f"{key}_2"


def _key(kind: str) -> str:
    return re.sub(r"\W+", "_", kind).strip("_")[:80] or "check"


def is_code(value: Json) -> bool:
    """Whether a value is a template or a file, which only the other tool can fill in."""
    return isinstance(value, str) and (value.startswith("file://") or "{{" in value)


def _without(assertion: dict[str, Json], kind: str, plain: str, values: dict[str, Json]) -> Check:
    value = assertion.get("value")
    key = _key(kind)
    if value is not None:
        key = _keep(values, key, value, merge=False)
    if is_code(value):
        reason = "its value is a template or a file, filled in by the other tool only"
    else:
        reason = _WITHOUT.get(plain, "there is no scorer of this kind")
    return Check(name=key, kind=kind or "an assertion without type", reason=reason)


def _fields(check: Check) -> dict[str, Json]:
    return {name: getattr(check, name) for name in check.__struct_fields__}


def _regex(assertion: dict[str, Json], kind: str) -> Check | None:
    pattern = assertion.get("value")
    if not isinstance(pattern, str):
        return None
    try:
        re2.compile(pattern)
    except re2.error:
        return Check(
            name=_key(kind), kind=kind, reason=f"the pattern {pattern[:100]!r} needs back-references or look-around"
        )
    return Check(name=_key(kind), kind=kind, scorer="regex", options={"patterns": pattern})


def _starts_with(assertion: dict[str, Json], kind: str) -> Check | None:
    value = assertion.get("value")
    if not isinstance(value, str) or is_code(value):
        return None
    return Check(name=_key(kind), kind=kind, scorer="regex", options={"patterns": "^" + re2.escape(value)})


def _json(assertion: dict[str, Json], kind: str) -> Check | None:
    value = assertion.get("value")
    options: Options = {"schema": value if isinstance(value, dict) else True, "fenced": kind.endswith("contains-json")}
    return None if isinstance(value, str) else Check(name=_key(kind), kind=kind, scorer="json_schema", options=options)


def _limit(scorer: str, factor: float) -> Callable[[dict[str, Json], str], Check | None]:
    def make(assertion: dict[str, Json], kind: str) -> Check | None:
        threshold = assertion.get("threshold")
        if not isinstance(threshold, (int, float)):
            return None
        return Check(name=_key(kind), kind=kind, scorer=scorer, options={"threshold": threshold * factor})

    return make


def _plain(scorer: str, reason: str = "") -> Callable[[dict[str, Json], str], Check | None]:
    def make(_: dict[str, Json], kind: str) -> Check | None:
        return Check(name=_key(kind), kind=kind, scorer=scorer, reason=reason)

    return make


_WHOLE: dict[str, Callable[[dict[str, Json], str], Check | None]] = {
    "regex": _regex,
    "starts-with": _starts_with,
    "is-json": _json,
    "contains-json": _json,
    "latency": _limit("latency", 0.001),
    "cost": _limit("cost", 1.0),
    "is-refusal": _plain("refusal"),
    "conversation-relevance": lambda _, kind: judges.fixed(_key(kind), kind, "conversation relevancy"),
    "answer-relevance": _plain("answer_relevance", _LEXICAL),
    "context-faithfulness": _plain("groundedness", _LEXICAL),
    "context-relevance": _plain("context_relevance", _LEXICAL),
}

_PREFIXES = {"grade": "llm-rubric", "fn": "javascript", "eval": "javascript"}
_EXPECTED = re.compile(
    r"^(not-)?(grade|fn|eval|llm-rubric|javascript|python|[a-z][a-z-]*[a-z])(?:\(([\d.]+)\))?(?::(.*))?$", re.DOTALL
)
_KNOWN = {*_PER_CASE, *_WHOLE, *_WITHOUT, *_JUDGED, "rouge-n", "is-valid-function-call"}


def from_cell(text: str) -> dict[str, Json]:
    """The assertion a CSV cell `type(threshold):value` stands for; bare text means equality."""
    found = _EXPECTED.match(text.strip())
    if found is None:
        return {"type": "equals", "value": text}
    kind = _PREFIXES.get(found[2], found[2])
    if kind not in _KNOWN or (found[4] is None and kind in _PER_CASE):
        return {"type": "equals", "value": text}
    value: Json = found[4].strip() if found[4] else None
    if kind in ("contains-all", "contains-any", "icontains-all", "icontains-any") and value:
        value = [part.strip() for part in value.split(",")]
    threshold = float(found[3]) if found[3] else None
    return {"type": (found[1] or "") + kind, "value": value, "threshold": threshold}

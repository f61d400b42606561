"""DeepEval: goldens (single and multi-turn, JSON, JSONL, CSV) and test runs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from evalwright.core.case import BadRow, Case, Json
from evalwright.core.identity import content_id
from evalwright.core.output import Output
from evalwright.datasets.importers.items import Answer, Check, Figures, Item
from evalwright.datasets.importers.judges import fixed, geval
from evalwright.datasets.importers.source import Source
from evalwright.datasets.importers.values import Object, as_dict, as_list, as_text, first, number, passages, tool_calls

_METRICS: dict[str, str] = {
    "answer relevancy": "answer_relevance",
    "faithfulness": "groundedness",
    "contextual recall": "context_recall",
    "contextual relevancy": "context_relevance",
    "tool correctness": "tool_calls",
    "exact match": "exact_match",
}
_LEXICAL = "measured without a model, so its values differ: set a threshold of your own"


def is_goldens(value: Json) -> bool:
    """Whether a document is a list of goldens."""
    row = as_dict((as_list(value) or [None])[0])
    talk = isinstance((as_list(row.get("turns")) or [None])[0], dict)
    return (
        talk
        or bool({"scenario", "expected_outcome"} & row.keys())
        or (
            "input" in row
            and bool({"actual_output", "expected_output", "retrieval_context", "expected_tools"} & row.keys())
        )
    )


def is_test_run(value: Json) -> bool:
    """Whether a document is a test run."""
    return isinstance(value, dict) and ("testCases" in value or "conversationalTestCases" in value)


def read_goldens(source: Source) -> Iterator[Item]:
    """Goldens as a JSON list or as lines."""
    rows = _rows(source)
    turns = count = 0
    for row in rows:
        if isinstance(row, BadRow):
            yield row
            continue
        made = list(_golden(source, row))
        count += isinstance(made[0], Case)
        turns += len(as_list(row.get("turns")))
        yield from made
    yield Figures(values={"goldens": count, "turns": turns})


def _rows(source: Source) -> Iterator[Object | BadRow]:
    if source.path.suffix == ".jsonl":
        yield from source.rows()
        return
    for number_, row in enumerate(as_list(source.document()), start=1):
        source.line = number_
        yield row if isinstance(row, dict) else source.bad("a golden must be an object", row)


_KEPT = ("comments", "source_file", "custom_column_key_values", "context", "user_description", "persona", "name")


def _golden(source: Source, row: Object) -> Iterator[Item]:
    metadata = dict(as_dict(row.get("additional_metadata")))
    metadata |= {key: row[key] for key in _KEPT if row.get(key) not in (None, "", [], {})}
    if "scenario" in row or "turns" in row:
        yield _conversation(row, metadata)
        return
    if row.get("input") is None:
        yield source.bad("a golden needs an `input` or a `scenario`", row)
        return
    if row.get("expected_tools"):
        metadata["expected_tools"] = _expected_tools(row["expected_tools"])
    case = Case(id=content_id(row["input"]), input=row["input"], expected=row.get("expected_output"), metadata=metadata)
    yield case
    if row.get("actual_output") is not None:
        yield Answer(id=case.id, output=_output(row, "actual_output", "retrieval_context", "tools_called"))


def _conversation(row: Object, metadata: Object) -> Case:
    turns = [{"role": t.get("role"), "content": t.get("content")} for t in map(as_dict, as_list(row.get("turns")))]
    given = {"scenario": row.get("scenario"), **({"messages": turns} if turns else {})}
    return Case(id=content_id(given), input=given, expected=row.get("expected_outcome"), metadata=metadata)


def _expected_tools(value: Json) -> list[Json]:
    return [{"name": call.name, "arguments": call.arguments} for call in tool_calls(value)]


def _output(row: Object, answer: str, contexts: str, tools: str) -> Output:
    return Output(
        text=as_text(row.get(answer)),
        contexts=passages(row.get(contexts)),
        tool_calls=tool_calls(row.get(tools)),
        cost=number(first(row, "evaluationCost") if answer == "actualOutput" else None),
        latency_s=number(row.get("completionTime") or row.get("completion_time")),
    )


def read_test_run(source: Source) -> Iterator[Item]:
    """A test run: cases, answers, metrics with their scores.

    Raises:
        ConfigError: The document is none.
    """
    run = source.document()
    if not is_test_run(run):
        raise source.error("no test run of DeepEval: there are no `testCases`")
    tally: Counter[str] = Counter()
    thresholds: dict[str, Object] = {}
    single = [as_dict(row) for row in as_list(run.get("testCases"))]
    talks = [as_dict(row) for row in as_list(run.get("conversationalTestCases"))]
    for row in [*single, *talks]:
        yield from _tested(row, tally, thresholds)
    for name, metric in thresholds.items():
        yield _metric_check(name, metric)
    yield Figures(values={"test cases": len(single), "conversations": len(talks), **tally})


def _tested(row: Object, tally: Counter[str], thresholds: dict[str, Object]) -> Iterator[Item]:
    given = first(row, "input", "scenario") if not row.get("turns") else {"messages": row["turns"]}
    case_id = content_id([row.get("name"), given])
    metadata = {key: row[key] for key in ("name", "context", "tags") if row.get(key) not in (None, "", [])}
    if row.get("expectedTools"):
        metadata["expected_tools"] = _expected_tools(row["expectedTools"])
    yield Case(id=case_id, input=given, expected=first(row, "expectedOutput", "expectedOutcome"), metadata=metadata)
    scores: Object = {}
    for metric in map(as_dict, as_list(row.get("metricsData"))):
        name = str(metric.get("name"))
        scores[name] = metric.get("score")
        thresholds.setdefault(name, metric)
        tally[f"{name}: {'passed' if metric.get('success') else 'failed'}"] += 1
    tally["successful" if row.get("success") else "failed"] += 1
    yield Answer(id=case_id, output=_output(row, "actualOutput", "retrievalContext", "toolsCalled"), scores=scores)


def _metric_check(name: str, metric: Object) -> Check:
    """A metric as a scorer; a G-Eval one by the criteria in its log, others that ask a model by what they mean."""
    plain = name.lower().removesuffix("metric").strip()
    model = as_text(metric.get("evaluationModel"))
    scorer = _METRICS.get(plain)
    key = plain.replace(" ", "_")
    if scorer is None:
        key = re.sub(r"\W+", "_", plain.replace("[geval]", "").replace("(geval)", "")).strip("_") or "geval"
        kind = f"metric {name}"
        found = geval(key, kind, as_text(metric.get("verboseLogs")), model=model) or fixed(key, kind, plain)
        if found is not None:
            return found
        threshold = number(metric.get("threshold"))
        return Check(name=key, kind=f"{kind} (threshold {threshold})", reason="asks a model; the file has no criteria")
    options: Object = {"expected": "metadata.expected_tools"} if scorer == "tool_calls" else {}
    return Check(name=key, kind=f"metric {name}", scorer=scorer, options=options, per_case=True, reason=_LEXICAL)

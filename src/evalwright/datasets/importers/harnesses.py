"""lm-evaluation-harness samples, Giskard test sets and autoevals cases."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from evalwright.core.case import BadRow, Case, Json
from evalwright.core.identity import content_id
from evalwright.core.output import Output
from evalwright.datasets.importers.items import Answer, Check, Figures, Item, Label
from evalwright.datasets.importers.judges import CORRECT, judged
from evalwright.datasets.importers.source import Source
from evalwright.datasets.importers.values import Object, as_dict, as_list, as_text, number

_LM_SCORERS: dict[str, tuple[str, Object]] = {
    "exact_match": ("exact_match", {}),
    "f1": ("token_f1", {}),
    "bleu": ("bleu", {}),
    "rouge1": ("rouge", {"variant": "rouge1"}),
    "rouge2": ("rouge", {"variant": "rouge2"}),
    "rougeL": ("rouge", {"variant": "rougeL"}),
}


def read_lm_eval(source: Source) -> Iterator[Item]:
    """Sample lines of lm-eval: the document is kept, the prompt is the input, filtered responses the answer."""
    seen: dict[str, None] = {}
    values: defaultdict[str, list[float]] = defaultdict(list)
    for row in source.rows():
        if isinstance(row, BadRow):
            yield row
            continue
        if row.get("doc_id") is None or "doc" not in row:
            yield source.bad("a sample needs `doc_id` and `doc`", row)
            continue
        name = str(row["doc_id"])
        if name not in seen:
            seen[name] = None
            yield Case(id=name, input=_prompt(row), expected=_target(row), metadata={"doc": row["doc"]})
        scores = {key: row[key] for key in as_list(row.get("metrics")) if isinstance(key, str) and key in row}
        for key, value in scores.items():
            if number(value) is not None:
                values[f"{key},{row.get('filter', 'none')}"].append(float(value))
        yield Answer(id=name, output=Output(text=_response(row)), variant=str(row.get("filter") or ""), scores=scores)
    for key in dict.fromkeys(key.partition(",")[0] for key in values):
        yield _lm_check(key)
    means = {key: sum(found) / len(found) for key, found in values.items()}
    yield Figures(values={"samples": len(seen), "means": means})


def _lm_check(metric: str) -> Check:
    found = _LM_SCORERS.get(metric)
    if found is None:
        reason = "compares likelihoods of choices" if metric.startswith("acc") else "there is no scorer of this kind"
        return Check(name=metric, kind=f"metric {metric}", reason=reason)
    return Check(name=metric, kind=f"metric {metric}", scorer=found[0], options=found[1], per_case=True)


def _prompt(row: Object) -> Json:
    arguments = as_dict(row.get("arguments"))
    first_request = as_dict(arguments.get("gen_args_0")) or as_dict(next(iter(arguments.values()), None))
    given = first_request.get("arg_0")
    if given is None and isinstance(row.get("arguments"), list) and row["arguments"]:
        inner = row["arguments"][0]
        given = inner[0] if isinstance(inner, list) and inner else inner
    return row["doc"] if given is None else given


def _target(row: Object) -> Json:
    return row.get("target") if row.get("target") not in ("", None) else None


def _response(row: Object) -> str:
    found: Json = row.get("filtered_resps") or row.get("resps")
    while isinstance(found, list) and found:
        found = found[0]
    return as_text(found)


def read_giskard(source: Source) -> Iterator[Item]:
    """A Giskard test set: question, reference answer and context, with the type of question as a tag."""
    kinds: Counter[str] = Counter()
    for row in source.rows():
        if isinstance(row, BadRow):
            yield row
            continue
        if not isinstance(row.get("question"), str):
            yield source.bad("a row needs a `question`", row)
            continue
        metadata = as_dict(row.get("metadata"))
        kind = str(metadata.get("question_type") or "")
        kinds[kind] += 1
        yield _giskard_case(row, metadata, kind)
    yield Figures(values={"questions": kinds.total(), "by type": dict(kinds)})
    yield judged("correctness", "Giskard correctness", {"criterion": CORRECT, "reference": True}, per_case=True)
    yield Check(
        name="completeness",
        kind="reference_answer",
        scorer="completeness",
        per_case=True,
        reason="a first measure without a model: which statements of the reference the answer makes",
    )


def _giskard_case(row: Object, metadata: Object, kind: str) -> Case:
    history = [turn for turn in as_list(row.get("conversation_history")) if isinstance(turn, dict)]
    question = row["question"]
    given: Json = [*history, {"role": "user", "content": question}] if history else question
    kept = dict(metadata)
    if row.get("reference_context"):
        kept["reference_context"] = row["reference_context"]
    document = metadata.get("seed_document_id")
    return Case(
        id=str(row.get("id") or content_id(given)),
        input=given,
        expected=row.get("reference_answer"),
        metadata=kept,
        cluster=None if document is None else str(document),
        tags=(kind,) if kind else (),
    )


def is_autoevals(value: Json) -> bool:
    """Whether a document is a list of autoevals cases: an answer within the input, its grade expected."""
    first = as_dict((as_list(value) or [None])[0])
    given = as_dict(first.get("input"))
    graded = "expected" in first and isinstance(first.get("metadata"), dict)
    return graded and not given.keys().isdisjoint({"input", "output"})


def read_autoevals(source: Source) -> Iterator[Item]:
    """Cases that test a grader: what was asked and answered, and the grade people expect."""
    trials: Counter[str] = Counter()
    rows = 0
    for number_, row in enumerate(as_list(source.document()), start=1):
        source.line = number_
        given = as_dict(as_dict(row).get("input"))
        if not given or "expected" not in row:
            yield source.bad("the row needs an `input` object and `expected`", row)
            continue
        rows += 1
        yield from _autoevals_row(row, given, trials)
    yield Figures(values={"cases": rows})


def _autoevals_row(row: Object, given: Object, trials: Counter[str]) -> Iterator[Item]:
    asked = {key: value for key, value in given.items() if key not in ("output", "expected")}
    only: Json = asked["input"] if set(asked) == {"input"} else asked
    metadata = as_dict(row.get("metadata"))
    whole = content_id([given, metadata, row.get("expected")])
    trials[whole] += 1
    name = whole if trials[whole] == 1 else f"{whole}-{trials[whole]}"
    story = metadata.get("story")
    yield Case(
        id=name,
        input=only,
        expected=given.get("expected"),
        metadata=metadata,
        cluster=None if story is None else content_id(story),
    )
    if "output" in given:
        yield Answer(id=name, output=Output(text=as_text(given["output"])))
    yield Label(id=name, name="grade", value=row["expected"])

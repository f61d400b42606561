"""OpenAI's hosted Evals: what the dashboard and the API export, and the definition of an eval."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator

from evalwright.core.case import BadRow, Case, Json
from evalwright.core.output import Output
from evalwright.datasets.importers.items import Answer, Check, Figures, Item, Note
from evalwright.datasets.importers.judges import hosted
from evalwright.datasets.importers.source import Source
from evalwright.datasets.importers.values import Object, as_dict, as_list, as_text, first, message_text, number, tokens

_ITEM = re.compile(r"^\s*\{\{\s*item\.([\w.]+)\s*\}\}\s*$")
_SAMPLE = re.compile(r"^\s*\{\{\s*sample\.output_text\s*\}\}\s*$")
_ANSWERS = ("correct_label", "correct_answer", "label", "expected_answer", "gold", "output", "completion")
_SIMILAR = {"bleu": "bleu", **{f"rouge_{n}": "rouge" for n in (1, 2, 3, "l")}, "fuzzy_match": "edit_similarity"}


def is_definition(value: Json) -> bool:
    """Whether a document is the definition of a hosted eval."""
    return isinstance(value, dict) and isinstance(value.get("testing_criteria"), list)


def read_items(source: Source) -> Iterator[Item]:
    """Items of a run: each a case, the sample its answer, grades its scores.

    Where a definition (`*.json` with `testing_criteria`) lies beside the file, its graders become scorers; else each
    grader is compared with simple scorers on all rows, and the one that agrees everywhere is taken.
    """
    guesses = _Guesses()
    tally: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    for row in _rows(source):
        if isinstance(row, BadRow):
            yield row
            continue
        item, sample, grades, passes = _parts(row)
        case = _case(source, item)
        if isinstance(case, BadRow):
            yield case
            continue
        if case.id not in seen:
            yield case
        if not sample:
            seen[case.id] += 1
            continue
        answer = _answer(case.id, sample, seen[case.id], {**grades, **passes})
        seen[case.id] += 1
        yield answer
        tally.update(results=1, errors=answer.error is not None)
        for name, passed in passes.items():
            tally[f"{name}: {'passed' if passed else 'failed'}"] += 1
            guesses.add(name, case, answer, passed=bool(passed))
    yield from _definition_checks(source, guesses)
    yield Figures(values={"cases": len(seen), **tally})


def _rows(source: Source) -> Iterator[Object | BadRow]:
    """Lines, or the items of one JSON document as the API lists them."""
    if source.path.suffix != ".json":
        yield from source.rows()
        return
    document = source.document()
    for item in as_list(document.get("data") if isinstance(document, dict) else document):
        yield item if isinstance(item, dict) else source.bad("an item must be an object", item)


def _parts(row: Object) -> tuple[Object, Object, Object, Object]:
    """Item, sample, grades and passes of a row, of the dashboard's export or the API's output items."""
    if "datasource_item" not in row:
        return (
            as_dict(row.get("item")),
            as_dict(row.get("sample")),
            as_dict(row.get("grades")),
            as_dict(row.get("passes")),
        )
    results = [as_dict(result) for result in as_list(row.get("results"))]
    grades = {str(result.get("name")): result.get("score") for result in results}
    passes = {str(result.get("name")): result.get("passed") for result in results}
    return as_dict(row["datasource_item"]), as_dict(row.get("sample")), grades, passes


def _case(source: Source, item: Object) -> Case | BadRow:
    if not item:
        return source.bad("the row has no `item`")
    found = source.case(item)
    if source.fields or isinstance(found, BadRow):
        if source.fields:
            return found
        answer = next((name for name in _ANSWERS if name in item), None)
        rest = {name: value for name, value in item.items() if name != answer}
        return source.case({"input": rest or item, "expected": None if answer is None else item[answer]})
    if found.expected is None:
        answer = next((name for name in _ANSWERS if name in found.metadata), None)
        if answer is not None:
            rest = {name: value for name, value in found.metadata.items() if name != answer}
            return Case(id=found.id, input=found.input, expected=found.metadata[answer], metadata=rest, tags=found.tags)
    return found


def _answer(case_id: str, sample: Object, trial: int, scores: Object) -> Answer:
    outputs = as_list(sample.get("outputs") or sample.get("output"))
    given = outputs[0] if outputs else sample.get("output_text")
    text = message_text(first(given, "content", "text", "output_text") if isinstance(given, dict) else given)
    error = sample.get("error")
    reason = as_dict(error).get("message") or as_text(error) if error else None
    output = Output(
        text=text,
        usage=tokens(as_dict(sample.get("token_usage") or sample.get("usage"))),
        finish_reason=sample.get("finish_reason") if isinstance(sample.get("finish_reason"), str) else None,
        model=sample.get("model") if isinstance(sample.get("model"), str) else None,
    )
    return Answer(id=case_id, output=output, trial=trial, scores=scores, error=reason if not text else None)


class _Guesses:
    """Which simple scorer gives each grader's verdicts, on every row."""

    CANDIDATES: tuple[tuple[str, Object, Callable[[str, str], bool]], ...] = (
        ("exact_match", {"strip": False}, lambda answer, wanted: answer == wanted),
        ("exact_match", {}, lambda answer, wanted: answer.strip() == wanted.strip()),
        (
            "exact_match",
            {"ignore_case": True},
            lambda answer, wanted: answer.strip().casefold() == wanted.strip().casefold(),
        ),
        ("contains", {}, lambda answer, wanted: wanted in answer),
        ("contains", {"ignore_case": True}, lambda answer, wanted: wanted.casefold() in answer.casefold()),
    )

    def __init__(self) -> None:
        self.rows: Counter[str] = Counter()
        self._left: dict[str, list[int]] = {}

    def add(self, name: str, case: Case, answer: Answer, *, passed: bool) -> None:
        """Drop the candidates that would have decided otherwise."""
        self.rows[name] += 1
        left = self._left.setdefault(name, list(range(len(self.CANDIDATES))))
        wanted = as_text(case.expected)
        self._left[name] = [n for n in left if wanted and self.CANDIDATES[n][2](answer.output.text, wanted) == passed]

    def checks(self) -> Iterator[Check]:
        """One check a grader."""
        for name, left in self._left.items():
            if left:
                scorer, options, _ = self.CANDIDATES[left[0]]
                reason = f"guessed: agrees with the grader on all {self.rows[name]:,} rows"
                yield Check(
                    name=_metric(name),
                    kind=f"grader {name}",
                    scorer=scorer,
                    options=options,
                    per_case=True,
                    reason=reason,
                )
            else:
                reason = "no simple scorer agrees with it on all rows; the eval's definition says what it does"
                yield Check(name=_metric(name), kind=f"grader {name}", reason=reason)


def _metric(name: str) -> str:
    return re.sub(r"\W+", "_", name).strip("_").lower()[:80] or "grader"


def _definition_checks(source: Source, guesses: _Guesses) -> Iterator[Item]:
    definition = _definition_beside(source)
    if definition is None:
        yield from guesses.checks()
        return
    yield Note(text=f"graders are taken from the definition {definition.path.name}")
    yield from read_definition(definition)


def _definition_beside(source: Source) -> Source | None:
    for path in sorted(source.path.parent.glob("*.json")):
        other = Source(path)
        small = path != source.path and path.is_file() and path.stat().st_size < 1 << 20
        if small and b"testing_criteria" in path.read_bytes() and is_definition(other.document()):
            return other
    return None


def read_definition(source: Source) -> Iterator[Item]:
    """The definition of an eval: its graders as checks; it holds no cases.

    Raises:
        ConfigError: It is none.
    """
    document = source.document()
    if not is_definition(document):
        raise source.error("no definition of an eval: there are no `testing_criteria`")
    for grader in document["testing_criteria"]:
        yield _grader(as_dict(grader))


def _grader(grader: Object) -> Check:
    kind = str(grader.get("type", ""))
    name = _metric(str(grader.get("name") or kind))
    label = f"{kind} {grader.get('name') or ''}".strip()
    maker = {"string_check": _string_check, "text_similarity": _similarity}.get(kind)
    found = maker(grader) if maker else None
    if kind in ("score_model", "label_model"):
        return hosted(name, label, grader)
    if found is None:
        reasons = {"python": "code in the file is not run; write it as a Python scorer: `scorers.py:name`"}
        return Check(name=name, kind=label, reason=reasons.get(kind, "has no equal among the scorers"))
    scorer, options = found
    return Check(name=name, kind=label, scorer=scorer, options=options, per_case=True)


def _string_check(grader: Object) -> tuple[str, Object] | None:
    reference = str(grader.get("reference", ""))
    if not _SAMPLE.match(str(grader.get("input", ""))):
        return None
    ignore: Object = {"ignore_case": True}
    fixed = "{{" not in reference
    operation = grader.get("operation")
    if operation in ("like", "ilike"):
        given: Object = {"values": [reference]} if fixed else {}
        return (
            ("contains", given | (ignore if operation == "ilike" else {})) if fixed or _ITEM.match(reference) else None
        )
    if operation in ("eq", "ne") and _ITEM.match(reference):
        return "exact_match", {"strip": False} | ({"not": True} if operation == "ne" else {})
    return None


def _similarity(grader: Object) -> tuple[str, Object] | None:
    metric = str(grader.get("evaluation_metric", ""))
    if metric not in _SIMILAR or not _ITEM.match(str(grader.get("reference", ""))):
        return None
    options: Object = {}
    if metric.startswith("rouge"):
        options["variant"] = {"rouge_l": "rougeL"}.get(metric, metric.replace("_", ""))
    threshold = number(grader.get("pass_threshold"))
    if threshold is not None:
        options["threshold"] = threshold * (100 if metric == "bleu" else 1)
    return _SIMILAR[metric], options

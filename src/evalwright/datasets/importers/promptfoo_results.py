"""promptfoo's results: JSON of every version, JSON Lines, and the CSV table of its early versions."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from evalwright.core.case import BadRow, Case, Json
from evalwright.core.identity import content_id
from evalwright.core.output import Output
from evalwright.datasets.importers.assertions import map_assertions
from evalwright.datasets.importers.items import Answer, Figures, Item, Note
from evalwright.datasets.importers.promptfoo import CaseMaker, rest_of_test
from evalwright.datasets.importers.source import Source
from evalwright.datasets.importers.values import number, tokens
from evalwright.datasets.jsonl import FileError
from evalwright.datasets.tables import read_csv

Row = dict[str, Json]


def read_results(source: Source) -> Iterator[Item]:
    """The rows of a results file: each test a case, each row an answer, assertions checks.

    Raises:
        ConfigError: The file holds no results.
    """
    document = source.document()
    rows, stats = _rows(document)
    if rows is None:
        raise source.error("no promptfoo results: there is no list of results in it")
    yield from _items(source, rows, stats)


def read_results_lines(source: Source) -> Iterator[Item]:
    """Results as JSON Lines, one row a line."""
    yield from _items(source, source.rows(), {})


def _rows(document: Json) -> tuple[list[Json] | None, Row]:
    inner = document.get("results") if isinstance(document, dict) else None
    if isinstance(inner, dict):
        found = inner.get("results")
        return (found if isinstance(found, list) else None), _dict(inner.get("stats"))
    return (inner, _dict(document.get("stats"))) if isinstance(inner, list) else (None, {})


def _items(source: Source, rows: Iterable[Json], stats: Row) -> Iterator[Item]:
    maker, tally, seen = CaseMaker(), _Tally(), set[str]()
    trials: Counter[tuple[str, str]] = Counter()
    for row in rows:
        if isinstance(row, BadRow):
            yield row
            continue
        if not isinstance(row, dict):
            yield source.bad("a result must be an object", row)
            continue
        case, checks = _case(row, maker)
        if case.id not in seen:
            seen.add(case.id)
            yield case
        yield from checks
        variant = _variant(row)
        yield _answer(row, case.id, variant, trials[case.id, variant])
        trials[case.id, variant] += 1
        tally.add(row)
    yield Figures(values=tally.figures(stats))


def _case(row: Row, maker: CaseMaker) -> tuple[Case, Iterable[Item]]:
    test = _dict(row.get("testCase"))
    variables = row.get("vars") or test.get("vars") or {"prompt": _prompt_text(row)}
    results = _list(_dict(row.get("gradingResult")).get("componentResults"))
    asserted = test.get("assert") or [_dict(_dict(item).get("assertion")) for item in results]
    mapped = map_assertions([item for item in _list(asserted) if item])
    metadata = {key: value for key, value in _dict(test.get("metadata")).items() if not key.startswith("_")}
    if test.get("description"):
        metadata["description"] = test["description"]
    whole = {**rest_of_test(test), "assert": [item for item in _list(asserted) if item]}
    return maker.case(variables, metadata, mapped.values, whole), mapped.checks


def _prompt_text(row: Row) -> str:
    prompt = row.get("prompt")
    return str(_dict(prompt).get("raw", "")) if isinstance(prompt, dict) else str(prompt or "")


def _variant(row: Row) -> str:
    provider = row.get("provider")
    name = provider.get("id") if isinstance(provider, dict) else provider
    label = _dict(row.get("prompt")).get("label") or _dict(row.get("prompt")).get("display") or ""
    number = f"prompt {content_id(label)[2:8]}" if label else ""
    return " / ".join(part for part in (str(name or ""), number) if part)


def _answer(row: Row, case_id: str, variant: str, trial: int) -> Answer:
    response = _dict(row.get("response"))
    given = response.get("output")
    latency = row.get("latencyMs", response.get("latencyMs"))
    cost = row.get("cost", response.get("cost"))
    output = Output(
        text=given if isinstance(given, str) else "",
        data=None if isinstance(given, str) else given,
        usage=tokens(_dict(response.get("tokenUsage") or row.get("tokenUsage"))),
        cost=float(cost) if isinstance(cost, (int, float)) else None,
        latency_s=latency / 1000 if isinstance(latency, (int, float)) else None,
        finish_reason=response.get("finishReason") if isinstance(response.get("finishReason"), str) else None,
    )
    failed = row.get("failureReason") == 2 or (given is None and row.get("error"))
    error = str(row.get("error") or "the other tool recorded an error") if failed else None
    return Answer(id=case_id, output=output, variant=variant, trial=trial, scores=_scores(row), error=error)


def _scores(row: Row) -> dict[str, Json]:
    found: dict[str, Json] = {"success": row.get("success"), "score": row.get("score")}
    for item in _list(_dict(row.get("gradingResult")).get("componentResults")):
        kind = str(_dict(_dict(item).get("assertion")).get("type", "assertion"))
        found[kind if kind not in found else f"{kind} {len(found)}"] = _dict(item).get("score", _dict(item).get("pass"))
    return {**found, **_dict(row.get("namedScores"))}


class _Tally:
    """Counts over the rows."""

    def __init__(self) -> None:
        names = ("results", "successes", "failures", "errors", "assertions passed", "assertions failed")
        self.count: Counter[str] = Counter(dict.fromkeys(names, 0))
        self.cost: defaultdict[str, float] = defaultdict(float)
        self.latency: defaultdict[str, float] = defaultdict(float)

    def add(self, row: Row) -> None:
        self.count["results"] += 1
        self.count["successes" if row.get("success") else "failures"] += 1
        self.count["errors"] += row.get("failureReason") == 2
        for item in _list(_dict(row.get("gradingResult")).get("componentResults")):
            self.count["assertions passed" if _dict(item).get("pass") else "assertions failed"] += 1
        provider = row.get("provider")
        name = str(provider.get("id") if isinstance(provider, dict) else provider or "")
        self.cost[name] += number(row.get("cost")) or 0.0
        self.latency[name] += number(row.get("latencyMs")) or 0.0

    def figures(self, stats: Row) -> dict[str, Json]:
        """What was counted, and what the file states itself."""
        return {
            **self.count,
            "cost": round(sum(self.cost.values()), 12),
            "cost by provider": {name: round(value, 12) for name, value in self.cost.items()},
            "latency ms by provider": dict(self.latency),
            **({"stated": stats} if stats else {}),
        }


_VERDICT = re.compile(r"^\[(PASS|FAIL|ERROR)\]\s*(.*)$", re.DOTALL)
_PROVIDER = re.compile(r"^\[([^\]\s]+)\]\s*(.*)$", re.DOTALL)


def read_table_csv(source: Source) -> Iterator[Item]:
    """The table early versions wrote: columns of variables, and one for each prompt with verdict and answer.

    Raises:
        ConfigError: The file as a whole can't be read.
    """
    maker = CaseMaker()
    try:
        for row in read_csv(source.path):
            source.line = row.line
            if row.reason is not None or not isinstance(row.value, dict):
                yield row.bad(row.reason or "no row", source.name)
            else:
                yield from _table_row(row.value, maker)
    except FileError as error:
        raise source.error(error.message, line=error.line, hint=error.hint) from None
    yield Note(text="the table keeps verdicts and answers, not the assertions; import the configuration for those")


def _table_row(row: Row, maker: CaseMaker) -> Iterator[Item]:
    answers = {name: _VERDICT.match(str(cell)) for name, cell in row.items()}
    variables = {name: cell for name, cell in row.items() if answers[name] is None and not _PROVIDER.match(name)}
    seen: set[str] = set()
    for name in row:
        if name in variables:
            continue
        provider = _PROVIDER.match(name)
        prompt = provider[2] if provider else name
        case = maker.case(variables or {"prompt": prompt}, {}, {})
        if case.id not in seen:
            seen.add(case.id)
            yield case
        yield _table_answer(case.id, str(row[name]), answers[name], provider[1] if provider else prompt)


def _table_answer(case_id: str, cell: str, found: re.Match[str] | None, variant: str) -> Answer:
    if found is None:
        return Answer(id=case_id, output=Output(text=cell), variant=variant)
    text = found[2]
    if found[1] == "FAIL" and "\n---\n" in text:
        text = text.partition("\n---\n")[2]
    return Answer(id=case_id, output=Output(text=text), variant=variant, scores={"success": found[1] == "PASS"})


def _dict(value: Json) -> Row:
    return value if isinstance(value, dict) else {}


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []

"""What could be reviewed: answers of runs, pairs of runs, cases of golden sets, rows, items people split on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from evalwright.core.case import Case, Json
from evalwright.core.errors import TargetError, UsageError
from evalwright.core.identity import content_id
from evalwright.core.output import Output
from evalwright.core.review import Content, Hidden, ItemState, Origin
from evalwright.core.rubric import Rubric
from evalwright.core.run import ScorerRecord, UnitRecord
from evalwright.core.score import Score, ScoreStatus
from evalwright.expressions import compile_expression, unit_view
from evalwright.review.blinding import answer_of, content_of
from evalwright.services.golden import Goldens
from evalwright.services.reviewing.requests import NewQueue, SourceSpec
from evalwright.store.results import RunStore
from evalwright.store.review_queues import find_queue, items
from evalwright.store.workspace import Workspace
from evalwright.targets.answers import as_output

SEVERITY = {"block": 4, "critical": 4, "high": 3, "medium": 2, "low": 1}
TIERS = {1: 3, 2: 2, 3: 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Something that could be an item.

    Attributes:
        key: Id of the case.
        content: What is shown.
        hidden: What is not.
        severity: How grave a failure of it is, 0 to 4.
        label: What the stratifying metric calls it.
        value: Its value.
        output: The (first) answer itself.
    """

    key: str
    content: Content
    hidden: Hidden
    severity: int = 0
    label: str | None = None
    value: float | None = None
    output: Output | None = None


def candidates(workspace: Workspace, asked: NewQueue) -> list[Found]:
    """Everything the source holds that fits its conditions.

    Raises:
        UsageError: There is no such source, or it does not fit the kind of queue.
    """
    source = asked.source
    kinds: dict[str, Callable[[], Iterator[Found]]] = {
        "run": lambda: _of_run(workspace, asked),
        "candidate": lambda: _of_pair(workspace, asked),
        "dataset": lambda: _of_dataset(workspace, asked),
        "queue": lambda: _of_queue(workspace, asked),
        "rows": lambda: _of_rows(asked),
    }
    named = [name for name in kinds if getattr(source, name) is not None]
    if len(named) != 1 or (source.baseline is not None) != (source.candidate is not None):
        hint = "name one of: a run; a baseline and a candidate; a dataset; a queue; rows"
        raise UsageError("a queue is made from exactly one source", hint=hint)
    pairs = named[0] == "candidate"
    if named[0] in ("run", "candidate", "dataset") and pairs != (asked.kind == "pairwise"):
        raise UsageError("a pairwise queue needs a baseline and a candidate run; a pointwise one has a single answer")
    return list(kinds[named[0]]())


# --- runs -----------------------------------------------------------------------------------------------------------


def _of_run(workspace: Workspace, asked: NewQueue) -> Iterator[Found]:
    source = asked.source
    with _opened(workspace, source.run or "") as run:
        manifest = run.manifest()
        records = {record.metric: record for record in run.scorers()}
        _check_metrics(source, records, run.run_id)
        for case, unit in _units(run, source):
            if unit.output is None:
                continue
            origin = _origin(run, unit, manifest.target_name)
            yield _found(asked, case, (unit,), (origin,), records)


def _opened(workspace: Workspace, reference: str) -> RunStore:
    return workspace.run(workspace.catalog.find(reference).run_id)


def _check_metrics(source: SourceSpec, records: Mapping[str, ScorerRecord], run_id: str) -> None:
    for metric in (*source.disagreements, *([source.metric] if source.metric else [])):
        if metric not in records:
            hint = f"there are: {', '.join(records) or 'none'}"
            raise UsageError(f"the run {run_id} has no metric `{metric}`", hint=hint)
    if source.metric is None and (source.min is not None or source.max is not None):
        raise UsageError("`min` and `max` limit a metric: name it with `metric`")


def _units(run: RunStore, source: SourceSpec) -> Iterator[tuple[Case, UnitRecord]]:
    expression = None if source.where is None else compile_expression(source.where, results=True)
    wanted = set(source.ids)
    cases = run.cases
    for index, unit in run.units():
        if unit.trial != source.trial or (wanted and unit.case_id not in wanted):
            continue
        case = cases[index]
        if expression is not None and not expression.truth(unit_view(case, unit)):
            continue
        if _fits(unit, source):
            yield case, unit


def _fits(unit: UnitRecord, source: SourceSpec) -> bool:
    if source.status != "all" and passed(unit) is not (source.status == "passed"):
        return False
    if source.metric is not None and (source.min is not None or source.max is not None):
        score = unit.scores.get(source.metric)
        if score is None or score.value is None:
            return False
        if (source.min is not None and score.value < source.min) or (
            source.max is not None and score.value > source.max
        ):
            return False
    return not source.disagreements or _contrary(unit, source.disagreements)


def passed(unit: UnitRecord) -> bool | None:
    """The row's verdict: False when a scorer says so or there is no answer; None when none says."""
    if unit.output is None:
        return False
    said = [score.passed for score in unit.scores.values() if score.passed is not None]
    return all(said) if said else None


def verdict_of(score: Score | None) -> bool | None:
    """A score as yes or no; None when it is neither."""
    if score is None or score.status is not ScoreStatus.SCORED:
        return None
    if score.passed is not None:
        return score.passed
    return bool(score.value) if score.value in (0.0, 1.0) else None


def _contrary(unit: UnitRecord, metrics: Sequence[str]) -> bool:
    first = verdict_of(unit.scores.get(metrics[0]))
    others = metrics[1:] or [name for name in unit.scores if name != metrics[0]]
    said = [verdict_of(unit.scores.get(name)) for name in others]
    if len(metrics) > 1:
        labels = {s.label for name in metrics if (s := unit.scores.get(name)) is not None and s.label is not None}
        if len(labels) > 1 and first is None:
            return True
    return first is not None and any(other is not None and other is not first for other in said)


def _found(
    asked: NewQueue,
    case: Case,
    units: Sequence[UnitRecord],
    origins: tuple[Origin, ...],
    records: Mapping[str, ScorerRecord],
) -> Found:
    unit = units[-1]
    outputs = tuple(answer_of(one.output) for one in units if one.output is not None)
    expected = case.expected if asked.show_expected else None
    scores = {name: score for name, score in unit.scores.items() if score.status is ScoreStatus.SCORED}
    metric = asked.source.metric or _named_like(asked.rubrics, records)
    chosen = scores.get(metric) if metric else None
    pairwise = len(units) > 1
    hidden = Hidden(
        case_id=case.id,
        origins=origins,
        prior={} if pairwise else _priors(asked, scores, metric),
        values={name: score.value for name, score in scores.items() if score.value is not None},
        cluster=case.cluster,
        metadata=case.metadata,
    )
    return Found(
        key=case.id,
        content=content_of(case.input, outputs, expected),
        hidden=hidden,
        severity=severity(case, unit, records) if asked.priority == "severity" else 0,
        label=_word(chosen),
        value=None if chosen is None else chosen.value,
        output=unit.output,
    )


def _word(score: Score | None) -> str | None:
    if score is None:
        return None
    said = verdict_of(score)
    return score.label or (None if said is None else "pass" if said else "fail")


def _named_like(rubrics: Sequence[Rubric], records: Mapping[str, ScorerRecord]) -> str | None:
    """The run's metric that measures the same as the queue's (only) rubric, by its name."""
    return rubrics[0].name if len(rubrics) == 1 and rubrics[0].name in records else None


def _priors(asked: NewQueue, scores: Mapping[str, Score], metric: str | None) -> dict[str, str]:
    found: dict[str, str] = {}
    for rubric in asked.rubrics:
        name = rubric.name if rubric.name in scores else metric if len(asked.rubrics) == 1 else None
        score = scores.get(name) if name else None
        word = prior_word(rubric, score)
        if word is not None:
            found[rubric.name] = word
    return found


def prior_word(rubric: Rubric, score: Score | None) -> str | None:
    """A stored score in the rubric's words: a level where it names or equals one, else `pass` or `fail`."""
    if score is None:
        return None
    if score.label in rubric.names:
        return score.label
    matching = [level.name for level in rubric.levels if level.value == score.value]
    if len(matching) == 1:
        return matching[0]
    said = verdict_of(score)
    return None if said is None else "pass" if said else "fail"


def severity(case: Case, unit: UnitRecord, records: Mapping[str, ScorerRecord]) -> int:
    """How grave: of the gravest scorer whose row failed, or what the case's own metadata say."""
    failed = [
        SEVERITY.get(records[name].severity or "medium", 2)
        for name, score in unit.scores.items()
        if score.passed is False and name in records
    ]
    own = str(case.metadata.get("severity", "")).lower()
    tier = case.metadata.get("tier")
    stated = max(SEVERITY.get(own, 0), TIERS.get(tier, 0) if isinstance(tier, int) else 0)
    return max([stated, *failed])


def _origin(run: RunStore, unit: UnitRecord, target: str) -> Origin:
    model = (unit.output.model or "") if unit.output is not None else ""
    return Origin(run_id=run.run_id, trial=unit.trial, model=model, target=target)


# --- pairs ----------------------------------------------------------------------------------------------------------


def _of_pair(workspace: Workspace, asked: NewQueue) -> Iterator[Found]:
    source = asked.source
    with _opened(workspace, source.baseline or "") as first, _opened(workspace, source.candidate or "") as second:
        names = first.manifest().target_name, second.manifest().target_name
        records = {record.metric: record for record in second.scorers()}
        _check_metrics(source, records, second.run_id)
        before = {unit.case_id: unit for _, unit in first.units() if unit.trial == source.trial}
        for case, unit in _units(second, source):
            old = before.get(case.id)
            if old is None or old.output is None or unit.output is None or old.output.text == unit.output.text:
                continue
            if source.flips and passed(old) is passed(unit):
                continue
            origins = (_origin(first, old, names[0]), _origin(second, unit, names[1]))
            yield _found(asked, case, (old, unit), origins, records)


# --- golden sets, rows, queues --------------------------------------------------------------------------------------


def _of_dataset(workspace: Workspace, asked: NewQueue) -> Iterator[Found]:
    goldens = Goldens(workspace)
    _, version = goldens.find(asked.source.dataset or "")
    expression = None if asked.source.where is None else compile_expression(asked.source.where)
    wanted = set(asked.source.ids)
    cases = goldens.open(version)
    try:
        for case in cases:
            from evalwright.expressions import case_view

            if (wanted and case.id not in wanted) or (expression and not expression.truth(case_view(case))):
                continue
            yield _of_case(asked, case)
    finally:
        cases.close()


def _of_case(asked: NewQueue, case: Case) -> Found:
    """A case of a set: what it expects (or an answer kept with it) is what is judged."""
    kept = case.metadata.get("output")
    judged = case.expected if kept is None else kept
    answer = answer_of(_output(judged, f"the case {case.id}"))
    expected = case.expected if kept is not None and asked.show_expected else None
    hidden = Hidden(case_id=case.id, cluster=case.cluster, metadata=case.metadata)
    content = content_of(case.input, (answer,), expected)
    graveness = severity(case, UnitRecord(case_id=case.id, case_hash=""), {}) if asked.priority == "severity" else 0
    return Found(key=case.id, content=content, hidden=hidden, severity=graveness)


def _output(value: Json, source: str) -> Output:
    if value is None:
        return Output()
    try:
        return as_output(value if isinstance(value, str | dict) else {"data": value}, source=source)
    except TargetError:
        return Output(data=value)


def _of_rows(asked: NewQueue) -> Iterator[Found]:
    for number, row in enumerate(asked.source.rows or (), start=1):
        yield of_row(asked, row, f"row {number}")


def of_row(asked: NewQueue, row: Mapping[str, Json], where: str) -> Found:
    """A plain row as an item.

    Raises:
        UsageError: It has no answer, or not as many as the kind of queue needs.
    """
    left = dict(row)
    given = _first(left, ("outputs",)) or [_first(left, ("output", "answer", "response", "completion"))]
    wanted = 2 if asked.kind == "pairwise" else 1
    if not isinstance(given, list) or len(given) != wanted or any(one is None for one in given):
        names = "`outputs`: a list of two answers" if wanted == 2 else "`output`: the answer"
        raise UsageError(f"{where} needs {names}")
    contexts = _first(left, ("contexts",))
    parts = [_with_contexts(one, contexts) for one in given]
    outputs = tuple(_output(one, where) for one in parts)
    asked_input = _first(left, ("input", "question", "prompt"))
    expected = _first(left, ("expected", "reference", "ideal"))
    name = _first(left, ("id", "case_id"))
    model = _first(left, ("model", "output_model", "system"))
    models = model if isinstance(model, list) else [model] * wanted
    key = str(name) if name is not None else content_id([asked_input, given])
    cluster = _first(left, ("cluster",))
    hidden = Hidden(
        case_id=key,
        origins=tuple(Origin(model="" if one is None else str(one)) for one in models[:wanted]),
        cluster=None if cluster is None else str(cluster),
        metadata={k: v for k, v in left.items() if k not in ("gold", "label", "labels", "reason")},
    )
    content = content_of(asked_input, tuple(map(answer_of, outputs)), expected if asked.show_expected else None)
    grave = SEVERITY.get(str(left.get("severity", "")).lower(), 0) if asked.priority == "severity" else 0
    return Found(key=key, content=content, hidden=hidden, severity=grave, output=outputs[0])


def _with_contexts(answer: Json, contexts: Json) -> Json:
    if contexts is None:
        return answer
    return {**answer, "contexts": contexts} if isinstance(answer, dict) else {"text": answer, "contexts": contexts}


def _first(row: dict[str, Json], names: tuple[str, ...]) -> Json:
    for name in names:
        if row.get(name) is not None:
            return row.pop(name)
    return None


def _of_queue(workspace: Workspace, asked: NewQueue) -> Iterator[Found]:
    """Items on which the reviewers of another queue disagreed."""
    engine = workspace.catalog.engine
    former = find_queue(engine, asked.source.queue or "")
    if former.kind != asked.kind:
        raise UsageError(f"the queue `{former.name}` is {former.kind}, this one is to be {asked.kind}")
    for item in items(engine, former.id, states=(ItemState.DISPUTED,)):
        yield Found(key=item.hidden.case_id, content=item.content, hidden=item.hidden, severity=item.priority // 10)

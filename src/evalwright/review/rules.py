"""What counts as a label: answers that fit the rubrics, spans that stand in the answer, reasons where they are due."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from evalwright.core.errors import UsageError
from evalwright.core.review import TIE, Answer, Entry, Hidden, Label, Queue, QueueKind, Span
from evalwright.core.rubric import Rubric, RubricScale

MAX_RATIONALE = 10_000
MAX_SPANS = 100


class Wrong(UsageError):
    """A label that can't be kept, with every field that is wrong."""

    def __init__(self, fields: Sequence[tuple[str, str]]) -> None:
        super().__init__("; ".join(message for _, message in fields))
        self.fields = tuple(fields)


def checked(queue: Queue, hidden: Hidden, outputs: Mapping[str, Answer], entry: Entry) -> Entry:
    """An entry as it may be kept: answers in the rubrics' own spelling.

    Args:
        queue: The queue.
        hidden: What is known of the item, for reasons that are due where a label contradicts a verdict.
        outputs: The answers by side, `first` and `second`.
        entry: What was handed in, of answers (see `blinding.kept_entry`).

    Raises:
        Wrong: Something is missing or does not fit; every problem at once.
    """
    answers, problems = _answers(queue, entry.answers)
    problems += list(_spans(outputs, entry.spans))
    problems += list(_numbers(entry))
    if not problems and not entry.rationale.strip() and (why := reason_due(queue, hidden, answers)):
        problems.append(("rationale", why))
    if len(entry.rationale) > MAX_RATIONALE:
        problems.append(("rationale", f"the reason has more than {MAX_RATIONALE:,} characters"))
    if problems:
        raise Wrong(problems)
    return Entry(
        answers=answers,
        rationale=entry.rationale.strip(),
        spans=entry.spans,
        seconds=entry.seconds,
        confidence=entry.confidence,
    )


def _answers(queue: Queue, given: Mapping[str, str]) -> tuple[dict[str, str], list[tuple[str, str]]]:
    answers: dict[str, str] = {}
    problems: list[tuple[str, str]] = []
    for rubric in queue.rubrics:
        if rubric.name not in given:
            problems.append((f"answers.{rubric.name}", f"`{rubric.name}` is not answered"))
            continue
        level = level_of(queue, rubric, given[rubric.name])
        if level is None:
            allowed = ", ".join(("A", "B", "tie") if queue.kind is QueueKind.PAIRWISE else rubric.names)
            message = f"`{given[rubric.name]}` is no answer to `{rubric.name}`; there are: {allowed}"
            problems.append((f"answers.{rubric.name}", message))
        else:
            answers[rubric.name] = level
    known = {rubric.name for rubric in queue.rubrics}
    problems += [(f"answers.{name}", f"this queue has no rubric `{name}`") for name in given if name not in known]
    return answers, problems


def level_of(queue: Queue, rubric: Rubric, text: str) -> str | None:
    """A level by its name in any spelling, or by its value where that names one; None when there is none."""
    wanted = text.strip().casefold()
    for name in queue.choices(rubric):
        if name.casefold() == wanted:
            return name
    if queue.kind is QueueKind.PAIRWISE:
        return None
    try:
        number = float(wanted)
    except ValueError:
        return None
    matching = [level.name for level in rubric.levels if level.value == number]
    return matching[0] if len(matching) == 1 else None


def _spans(outputs: Mapping[str, Answer], spans: Sequence[Span]) -> Iterator[tuple[str, str]]:
    if len(spans) > MAX_SPANS:
        yield "spans", f"more than {MAX_SPANS} places are marked"
    for number, span in enumerate(spans[:MAX_SPANS]):
        answer = outputs.get(span.side)
        if answer is None:
            yield f"spans.{number}.side", f"there is no side `{span.side}`"
        elif not 0 <= span.start < span.end <= len(answer.text):
            length = len(answer.text)
            yield f"spans.{number}", f"{span.start} to {span.end} is no place in an answer of {length} characters"
        elif span.text and span.text != answer.text[span.start : span.end]:
            yield f"spans.{number}.text", "the marked text does not stand at this place"


def _numbers(entry: Entry) -> Iterator[tuple[str, str]]:
    if entry.confidence is not None and not 0.0 <= entry.confidence <= 1.0:
        yield "confidence", f"confidence lies between 0 and 1, not {entry.confidence:g}"
    if entry.seconds is not None and not 0.0 <= entry.seconds < 1e7:
        yield "seconds", f"seconds can't be {entry.seconds:g}"


def reason_due(queue: Queue, hidden: Hidden, answers: Mapping[str, str]) -> str | None:
    """Why a reason is due; None when none is."""
    rule = queue.rationale
    if rule.always:
        return "say why: every label of this queue needs a reason"
    for rubric in queue.rubrics:
        answer = answers[rubric.name]
        if _low(queue, rubric, answer):
            return f"say why: `{answer}` for `{rubric.name}` needs a reason"
        if rule.differs_from_prior and contradicts(rubric, hidden.prior.get(rubric.name), answer):
            return f"say why: this answer to `{rubric.name}` differs from what was recorded before"
    return None


def _low(queue: Queue, rubric: Rubric, answer: str) -> bool:
    """Whether an answer is at or below the level that needs a reason; of pairs only a tie can be."""
    limit = queue.rationale.required_at_or_below.get(rubric.name)
    if queue.kind is QueueKind.PAIRWISE or limit not in rubric.names:
        return limit is not None and answer == limit
    return rubric.names.index(answer) <= rubric.names.index(limit)


def contradicts(rubric: Rubric, prior: str | None, answer: str) -> bool:
    """Whether a label says another thing than a stored verdict: another level, or another side of passing."""
    if prior is None or prior.casefold() == answer.casefold():
        return False
    if prior in rubric.names or answer not in rubric.names:
        return True
    return rubric.passes(answer) is not (prior == "pass") if rubric.pass_from is not None else False


# --- what labels of one item say together ---------------------------------------------------------------------------


def disputed(queue: Queue, answers: Sequence[Mapping[str, str]]) -> bool:
    """Whether labels of one item differ so that a lead has to decide."""
    return any(differing(queue, rubric, answers) for rubric in queue.rubrics)


def differing(queue: Queue, rubric: Rubric, answers: Sequence[Mapping[str, str]]) -> bool:
    """Whether labels by one rubric differ, by more steps than the queue tolerates where the scale is ordered."""
    given = {answer[rubric.name] for answer in answers if rubric.name in answer}
    if len(given) < 2:
        return False
    if rubric.scale is RubricScale.NOMINAL or queue.kind is QueueKind.PAIRWISE:
        return True
    places = [rubric.names.index(name) for name in given if name in rubric.names]
    return len(places) < len(given) or max(places) - min(places) > queue.tolerance


def consensus(queue: Queue, rubric: Rubric, labels: Sequence[Label]) -> tuple[str | None, str]:
    """What labels of one item say by one rubric, and on what that stands.

    Returns:
        The level, None where they are split; and `single`, `unanimous`, `tolerated` (within the steps the queue allows:
        the middle one), `majority` or `split`.
    """
    given = [label.answers[rubric.name] for label in labels if rubric.name in label.answers]
    if not given:
        return None, "none"
    if len(set(given)) == 1:
        return given[0], "single" if len(given) == 1 else "unanimous"
    top = max(given.count(name) for name in given)
    leading = sorted(name for name in set(given) if given.count(name) == top)
    if 2 * top > len(given):
        return leading[0], "majority"
    if queue.tolerance and not differing(queue, rubric, [label.answers for label in labels]):
        order = queue.choices(rubric)
        ranked = sorted(given, key=order.index)
        return ranked[(len(ranked) - 1) // 2], "tolerated"
    return None, "split"


def rationale_problem(queue: Queue) -> str | None:
    """What is wrong with a queue's rule for reasons."""
    for name, limit in queue.rationale.required_at_or_below.items():
        found = next((rubric for rubric in queue.rubrics if rubric.name == name), None)
        if found is None:
            return f"a reason is asked for by `{name}`, which is no rubric of this queue"
        choices = (TIE,) if queue.kind is QueueKind.PAIRWISE else found.names
        if limit not in choices:
            return f"`{limit}` is no level of `{name}`; there are: {', '.join(choices)}"
    return None

"""A case as reports show it: its status in a word, what failed and why, its conversation as turns."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

import msgspec

from evalwright.core.case import Case, Json
from evalwright.core.media import described, is_part
from evalwright.core.output import Output
from evalwright.core.result import CaseResult
from evalwright.core.run import Attempt, Failure, UnitRecord
from evalwright.core.score import Evidence, Score, ScoreStatus
from evalwright.reports.figures import brief, money, number, seconds
from evalwright.reports.text import as_text, one_line


class CaseStatus(StrEnum):
    """What a reader looks for first: did it fail, could it not be judged, was it fine."""

    FAIL = "fail"
    """A scorer's row verdict is False."""
    ERROR = "error"
    """A trial has no answer, or a scorer failed on it and nothing else is wrong."""
    PASS = "pass"
    UNJUDGED = "unjudged"
    """Answered, but no scorer gives a row verdict."""
    ABSENT = "absent"
    """The run stopped before it."""


_NO_CASE = Case(id="", input=None)

WORDS = {
    CaseStatus.FAIL: "failed",
    CaseStatus.ERROR: "error",
    CaseStatus.PASS: "passed",
    CaseStatus.UNJUDGED: "no row verdict",
    CaseStatus.ABSENT: "not run",
}


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """One message of a conversation: who spoke (`user`, `assistant`, `system`, `tool` …) and what."""

    role: str
    text: str
    name: str = ""


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """Why a case is not fine: the metric (or `target`), the kind (`fail` or `error`), the sentence, the trial."""

    metric: str
    kind: str
    text: str
    trial: int


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """Characters `start` to `end` of a text, marked because a scorer points at them."""

    start: int
    end: int
    note: str


def status_of(result: CaseResult) -> CaseStatus:
    """The case's status; a failed row verdict weighs more than an error, an error more than a pass."""
    if not result.trials:
        return CaseStatus.ABSENT
    if any(score.passed is False for unit in result.trials for score in unit.scores.values()):
        return CaseStatus.FAIL
    if any(unit.error is not None or _broken(unit) for unit in result.trials):
        return CaseStatus.ERROR
    if result.passed is None:
        return CaseStatus.UNJUDGED
    return CaseStatus.PASS if result.passed else CaseStatus.FAIL


def _broken(unit: UnitRecord) -> bool:
    return any(score.status is ScoreStatus.ERROR for score in unit.scores.values())


def needs_attention(status: CaseStatus) -> bool:
    """Whether the case is shown in full: it failed, or could not be judged because something broke."""
    return status in {CaseStatus.FAIL, CaseStatus.ERROR}


def reasons_of(result: CaseResult) -> list[Reason]:
    """Every failed row verdict and every error of the case, in order of trial; failures before errors."""
    found = [reason for unit in result.trials for reason in _unit_reasons(unit)]
    return sorted(found, key=lambda reason: reason.kind == "error")


def _unit_reasons(unit: UnitRecord) -> Iterator[Reason]:
    if unit.error is not None:
        text = f"{unit.error.kind}: {unit.error.message}".removesuffix(": ")
        yield Reason(metric="target", kind="error", text=text, trial=unit.trial)
    for metric, score in unit.scores.items():
        if score.status is ScoreStatus.ERROR:
            yield Reason(metric=metric, kind="error", text=score.reason or "the scorer failed", trial=unit.trial)
        elif score.passed is False:
            yield Reason(metric=metric, kind="fail", text=score.reason or _valued(score), trial=unit.trial)


def _valued(score: Score) -> str:
    return score.label or (f"value {score.value:.4g}" if score.value is not None else "row verdict: failed")


def score_word(score: Score) -> str:
    """`passed`, `failed`, `scored`, `skipped` or `error`."""
    if score.status is not ScoreStatus.SCORED:
        return str(score.status)
    return {True: "passed", False: "failed", None: "scored"}[score.passed]


def score_value(score: Score, unit: str = "") -> str:
    """The score's value with its unit; empty when there is none."""
    if score.value is None:
        return ""
    if not unit or unit in {"words", "characters", "tokens", "sentences"}:
        return f"{brief(score.value)} {unit}".rstrip()
    return number(score.value, unit)


def turns_of(value: Json) -> list[Turn] | None:
    """A value as a conversation when it is one: a list of `{"role", "content"}`, or a record that holds one only."""
    if isinstance(value, dict) and set(value) == {"messages"}:
        value = value["messages"]
    if not isinstance(value, list | tuple) or not value:
        return None
    if is_content(value):
        return [Turn(role="user", text=_content_text(list(value)))]
    if not all(isinstance(turn, dict) and isinstance(turn.get("role"), str) for turn in value):
        return None
    return [_turn(turn) for turn in value]


def _turn(message: dict[str, Any]) -> Turn:
    rest = {key: value for key, value in message.items() if key not in {"role", "content", "name"} and value}
    text = _content_text(message.get("content"))
    if rest:
        text = f"{text}\n{as_text(rest)}".lstrip("\n")
    return Turn(role=message["role"], text=text, name=as_text(message.get("name")))


def _content_text(content: Json) -> str:
    if isinstance(content, list) and all(isinstance(part, dict) for part in content):
        return "\n".join(_part_text(part) for part in content)
    return as_text(content)


def _part_text(part: dict[str, Json]) -> str:
    if is_part(part):
        return described(part)
    return part["text"] if isinstance(part.get("text"), str) else as_text(part)


def is_content(value: Json) -> bool:
    """Whether a value is the parts of one message, with a picture, sound or document among them."""
    if not isinstance(value, list | tuple) or not all(isinstance(part, dict) and "role" not in part for part in value):
        return False
    return any(is_part(part) for part in value)


def fields_of(value: Json) -> dict[str, Json] | None:
    """A record of at most twelve names with plain values, or lists of these, to be shown as fields; else None."""
    if not isinstance(value, dict) or not 0 < len(value) <= 12:
        return None
    if not is_part(value):
        value = {name: described(item) if is_part(item) else item for name, item in value.items()}
    return value if all(_plain(item) or _plain_list(item) for item in value.values()) else None


def _plain(value: Json) -> bool:
    return value is None or isinstance(value, str | int | float | bool)


def _plain_list(value: Json) -> bool:
    return isinstance(value, list | tuple) and 0 < len(value) <= 20 and all(_plain(item) for item in value)


def headline(result: CaseResult, width: int = 140) -> str:
    """What the case asks, on one line: the last user turn, the main text field, or the value as JSON."""
    value = result.case.input
    turns = turns_of(value)
    if turns is not None:
        asked = [turn for turn in turns if turn.role == "user"]
        return one_line((asked or turns)[-1].text, width)
    if isinstance(value, dict):
        texts = [item for item in value.values() if isinstance(item, str)]
        return one_line(max(texts, key=len) if texts else as_text(value), width)
    return one_line(as_text(value), width)


def anchor(case_id: str) -> str:
    """The id of a case's place in a page: readable, made of letters, digits, `.`, `_`, `-` only, unique per case id."""
    slug = re.sub(r"[^A-Za-z0-9._-]+", "-", case_id)[:60]
    if slug == case_id:
        return f"case-{slug}"
    return f"case-{slug.strip('-')}-{zlib.crc32(case_id.encode('utf-8', 'surrogatepass')):08x}"


def output_spans(unit: UnitRecord, text: str) -> list[Span]:
    """Spans of the answer that scorers point at, clamped to the text; a quote without a place is looked up."""
    return [
        span
        for metric, score in unit.scores.items()
        for item in score.evidence
        if item.where == "output" and (span := _span(item, text, metric))
    ]


def context_spans(unit: UnitRecord, index: int, text: str) -> list[Span]:
    """Spans of the context with this index that scorers point at."""
    return [
        span
        for metric, score in unit.scores.items()
        for item in score.evidence
        if item.where == "context" and item.index == index and (span := _span(item, text, metric))
    ]


def _span(item: Evidence, text: str, metric: str) -> Span | None:
    start, end = item.start, item.end
    if start is None and item.text:
        found = text.find(item.text)
        start, end = (found, found + len(item.text)) if found >= 0 else (None, None)
    if start is None or end is None or not 0 <= start < end:
        return None
    note = f"{metric}: {item.note}" if item.note else metric
    return Span(start=start, end=min(end, len(text)), note=note) if start < len(text) else None


def evidence_place(item: Evidence) -> str:
    """Where a piece of evidence stands, in words: `output, characters 12–40`, `context 2`."""
    place = item.where.replace("_", " ")
    if item.index is not None:
        place += f" {item.index + 1}"
    if item.start is not None and item.end is not None:
        place += f", characters {item.start:,}–{item.end:,}"
    return place


def evidence_text(item: Evidence, output: Output | None) -> str:
    """The text of a piece of evidence, taken from the output when only its place is given."""
    if item.text or output is None or item.start is None or item.end is None:
        return item.text
    if item.where == "output":
        return output.text[max(item.start, 0) : item.end]
    if item.where == "context" and item.index is not None and 0 <= item.index < len(output.contexts):
        return output.contexts[item.index].text[max(item.start, 0) : item.end]
    return ""


def failing_metrics(result: CaseResult) -> list[str]:
    """Metrics with a failed row verdict or an error on this case, `target` first when it gave no answer."""
    return list(dict.fromkeys(reason.metric for reason in reasons_of(result)))


def slice_labels(slices: Mapping[str, tuple[str, ...]]) -> list[str]:
    """The case's slices as estimates name them: `locale=de`."""
    return [f"{name}={value}" for name, values in slices.items() for value in values]


def meta_words(output: Output, unit: UnitRecord) -> list[tuple[str, str]]:
    """Facts about an answer as (name, value): model, latency, tokens, cost, and what is unusual."""
    facts = [("model", output.model or "")]
    if output.latency_s is not None:
        facts.append(("latency", seconds(output.latency_s)))
    if output.first_token_s is not None:
        facts.append(("first token", seconds(output.first_token_s)))
    if output.usage is not None:
        sure = "≈" if output.usage.estimated else ""
        facts.append(("tokens", f"{sure}{output.usage.input_tokens:,} in, {sure}{output.usage.output_tokens:,} out"))
    if output.cost is not None:
        facts.append(("cost", money(output.cost)))
    if output.finish_reason:
        facts.append(("finished", output.finish_reason))
    if unit.cached:
        facts.append(("cache", "answer from an earlier run"))
    return [(name, value) for name, value in facts if value]


def unit_failed(unit: UnitRecord) -> bool:
    """Whether a trial has no answer, a failed row verdict or a scorer that broke."""
    return unit.error is not None or _broken(unit) or any(score.passed is False for score in unit.scores.values())


def unit_word(unit: UnitRecord) -> CaseStatus:
    """The status of one trial, as of a case that has no other."""
    return status_of(CaseResult(case=_NO_CASE, trials=(unit,), passed=_passed(unit)))


def _passed(unit: UnitRecord) -> bool | None:
    verdicts = [score.passed for score in unit.scores.values() if score.passed is not None]
    return all(verdicts) if verdicts else None


def http_status(failure: Attempt | Failure) -> str:
    """` HTTP 503` where there was a status and the message does not say it; else nothing."""
    known = failure.status is None or str(failure.status) in failure.message
    return "" if known else f" HTTP {failure.status}"

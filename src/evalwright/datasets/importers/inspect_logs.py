"""Logs of Inspect: JSON documents and `.eval` archives."""

from __future__ import annotations

from collections.abc import Iterator

from evalwright.core.case import Case, Json
from evalwright.core.output import Output
from evalwright.datasets.importers.archive import MemberReader, ZipJson
from evalwright.datasets.importers.items import Answer, Check, Figures, Item
from evalwright.datasets.importers.judges import CORRECT, FACTS, judged
from evalwright.datasets.importers.source import Source
from evalwright.datasets.importers.values import (
    Object,
    as_dict,
    as_list,
    as_text,
    message_text,
    number,
    tokens,
    tool_calls,
)
from evalwright.datasets.rows import RowError

LETTERS = {"C": 1.0, "I": 0.0, "P": 0.5, "N": 0.0}
"""What Inspect's verdicts are worth."""

_SCORERS: dict[str, tuple[str, Object, str]] = {
    "match": (
        "contains",
        {"mode": "any", "ignore_case": True, "whole_words": True},
        "the original looks at the end of the answer only",
    ),
    "includes": ("contains", {"mode": "any", "ignore_case": True}, ""),
    "exact": ("exact_match", {"normalize": True}, ""),
    "f1": ("token_f1", {}, ""),
    "choice": ("exact_match", {}, "the original reads the letter out of the answer"),
    "answer": ("contains", {"mode": "any"}, "the original reads the answer after `ANSWER:`"),
}


def is_log(value: Json) -> bool:
    """Whether a document is a log."""
    return isinstance(value, dict) and "eval" in value and "status" in value


def read_json_log(source: Source) -> Iterator[Item]:
    """A log as JSON.

    Raises:
        ConfigError: The document is none.
    """
    log = source.document()
    if not is_log(log):
        raise source.error("no log of Inspect: `eval` and `status` are missing")
    collector = _Collector(source)
    for sample in as_list(log.get("samples")):
        yield from collector.sample(as_dict(sample))
    yield from _ending(log, collector)


def read_archive(source: Source) -> Iterator[Item]:
    """A `.eval` archive, one sample in memory at a time.

    Raises:
        ConfigError: No archive, unsafe, or its header can't be read.
    """
    archive = ZipJson(source.path, source.name)
    collector = _Collector(source)
    with archive.reader() as reader:
        header = _header(source, archive, reader)
        for name in _sample_names(archive):
            try:
                sample = as_dict(reader.json(name))
            except RowError as error:
                yield source.bad(str(error), name)
            else:
                yield from collector.sample(_whole(sample, name, archive, reader))
    yield from _ending(header, collector)


def _sample_names(archive: ZipJson) -> list[str]:
    """Samples in one document each, or in a folder of chunks."""
    plain = [n for n in archive.names if n.startswith("samples/") and n.count("/") == 1 and n.endswith(".json")]
    return plain + [n for n in archive.names if n.startswith("samples/") and n.endswith("/sample.json")]


def _whole(sample: Object, name: str, archive: ZipJson, reader: MemberReader) -> Object:
    """A sample with the messages that lie in documents of their own."""
    if not name.endswith("/sample.json") or sample.get("messages"):
        return sample
    folder = name.removesuffix("sample.json") + "messages/"
    messages: list[Json] = []
    for part in sorted((n for n in archive.names if n.startswith(folder)), key=_start):
        messages += as_list(reader.json(part))
    return {**sample, "messages": messages}


def _start(name: str) -> int:
    digits = name.rpartition("/")[2].removesuffix(".json")
    return int(digits) if digits.isdecimal() else 0


def _header(source: Source, archive: ZipJson, reader: MemberReader) -> Object:
    name = next((n for n in ("header.json", "_journal/start.json") if n in archive.names), None)
    if name is None:
        raise source.error("no log of Inspect: the archive has neither header.json nor _journal/start.json")
    try:
        return as_dict(reader.json(name))
    except RowError as error:
        raise source.error(str(error)) from None


class _Collector:
    """Makes cases and answers of samples; epochs of a sample are trials of one case."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._seen: set[str] = set()
        self.samples = 0
        self.scored: dict[str, list[float]] = {}

    def sample(self, sample: Object) -> Iterator[Item]:
        """The items of one sample."""
        name, given = sample.get("id"), sample.get("input")
        if given is None or not isinstance(name, (str, int)):
            yield self._source.bad("the sample has no id or no input", {"id": name})
            return
        self.samples += 1
        case_id = str(name)
        if case_id not in self._seen:
            self._seen.add(case_id)
            yield self._case(case_id, sample)
        yield self._answer(case_id, sample)

    def _case(self, case_id: str, sample: Object) -> Case:
        target = sample.get("target")
        only = target[0] if isinstance(target, list) and len(target) == 1 else target
        only = only.strip() if isinstance(only, str) else only
        metadata = dict(as_dict(sample.get("metadata")))
        if sample.get("choices"):
            metadata["choices"] = sample["choices"]
        return Case(
            id=case_id, input=_input(sample["input"]), expected=None if only in ("", []) else only, metadata=metadata
        )

    def _answer(self, case_id: str, sample: Object) -> Answer:
        output = as_dict(sample.get("output"))
        choice = as_dict((as_list(output.get("choices")) or [None])[0])
        message = as_dict(choice.get("message"))
        scores = {name: as_dict(score).get("value") for name, score in as_dict(sample.get("scores")).items()}
        for name, value in scores.items():
            worth = worth_of(value)
            if worth is not None:
                self.scored.setdefault(name, []).append(worth)
        error = sample.get("error")
        return Answer(
            id=case_id,
            output=Output(
                text=as_text(output.get("completion")) or message_text(message.get("content")),
                messages=tuple(_message(m) for m in as_list(sample.get("messages")) if isinstance(m, dict)),
                tool_calls=_calls(sample),
                usage=tokens(as_dict(output.get("usage"))),
                latency_s=number(sample.get("working_time") or sample.get("total_time")),
                model=output.get("model") if isinstance(output.get("model"), str) else None,
                finish_reason=as_text(choice.get("stop_reason")) or None,
            ),
            trial=max(int(number(sample.get("epoch")) or 1) - 1, 0),
            scores=scores,
            error=as_text(as_dict(error).get("message") or error) if error else None,
        )


def _calls(sample: Object) -> tuple[Json, ...]:
    found = [call for m in as_list(sample.get("messages")) for call in tool_calls(as_dict(m).get("tool_calls"))]
    return tuple(found)


def _input(value: Json) -> Json:
    if not isinstance(value, list):
        return value
    return [_message(message) for message in value if isinstance(message, dict)]


def _message(message: Object) -> Object:
    kept = {
        key: message[key] for key in ("role", "content", "tool_call_id", "function") if message.get(key) is not None
    }
    if isinstance(kept.get("content"), list):
        texts = [part for part in kept["content"] if as_dict(part).get("type") == "text"]
        if len(texts) == len(kept["content"]):
            kept["content"] = message_text(texts)
    return kept


def worth_of(value: Json) -> float | None:
    """A verdict as a number; None where it has no single one."""
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, str):
        return LETTERS.get(value.upper())
    return number(value)


def _ending(log: Object, collector: _Collector) -> Iterator[Item]:
    """Checks and figures, when all samples were read."""
    results = as_dict(log.get("results"))
    scores = [as_dict(score) for score in as_list(results.get("scores"))]
    for name in dict.fromkeys(str(score.get("scorer") or score.get("name")) for score in scores):
        yield _check(name)
    yield Figures(
        values={
            "status": log.get("status", "started"),
            "task": as_dict(log.get("eval")).get("task"),
            "model": as_dict(log.get("eval")).get("model"),
            "samples": collector.samples,
            "scores": {str(score.get("name")): _metrics(score) for score in scores},
            "usage": as_dict(as_dict(log.get("stats")).get("model_usage")),
            "mean of the samples": {name: sum(v) / len(v) for name, v in collector.scored.items()},
        }
    )


def _metrics(score: Object) -> Object:
    return {name: as_dict(metric).get("value") for name, metric in as_dict(score.get("metrics")).items()}


def _check(name: str) -> Check:
    plain = name.rpartition("/")[2]
    found = _SCORERS.get(plain)
    if found is None:
        if "graded" in plain:
            criterion = FACTS if "fact" in plain else CORRECT
            return judged(plain, f"scorer {name}", {"criterion": criterion, "reference": True}, per_case=True)
        return Check(name=plain, kind=f"scorer {name}", reason="there is no scorer of this kind")
    scorer, options, reason = found
    return Check(name=plain, kind=f"scorer {name}", scorer=scorer, options=options, per_case=True, reason=reason)

"""Langfuse and Phoenix exports, and OpenTelemetry GenAI traces as OTLP JSON."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator

import msgspec

from evalwright.core.case import BadRow, Case, Json
from evalwright.core.identity import content_id
from evalwright.core.output import Output, Passage, Step, ToolCall, Usage
from evalwright.datasets.importers.items import Answer, Figures, Item, Note
from evalwright.datasets.importers.observations import steps_of, tool_calls_of, usage_of
from evalwright.datasets.importers.source import Source
from evalwright.datasets.importers.values import Object, as_dict, as_list, as_text, first, message_text, number

_INPUTS = ("gen_ai.input.messages", "input.value", "langfuse.trace.input", "langfuse.observation.input",
           "traceloop.entity.input", "mlflow.spanInputs", "gen_ai.prompt", "ai.prompt")  # fmt: skip
_OUTPUTS = ("gen_ai.output.messages", "output.value", "langfuse.trace.output", "langfuse.observation.output",
            "traceloop.entity.output", "mlflow.spanOutputs", "gen_ai.completion", "ai.response.text")  # fmt: skip
_MODELS = ("gen_ai.response.model", "gen_ai.request.model", "llm.model_name", "ai.model.id")
_IN_TOKENS = ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "llm.token_count.prompt")
_OUT_TOKENS = ("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens", "llm.token_count.completion")
_CACHED = ("gen_ai.usage.cache_read.input_tokens", "llm.token_count.prompt_details.cache_read")


def is_otlp(value: Json) -> bool:
    """Whether a document is an OTLP JSON export of traces."""
    return isinstance(value, dict) and ("resourceSpans" in value or "resource_spans" in value)


def read_otlp(source: Source) -> Iterator[Item]:
    """Traces as OTLP JSON, one document or one a line: a trace a case, the root's answer the answer.

    Traces whose content was not recorded are bad rows: there is nothing to ask again.
    """
    spans: defaultdict[str, list[Object]] = defaultdict(list)
    for document in _documents(source):
        if isinstance(document, BadRow):
            yield document
        else:
            for span in _spans(document):
                spans[str(first(span, "traceId", "trace_id") or "")].append(span)
    tally: Counter[str] = Counter()
    for trace, found in spans.items():
        tally.update(traces=1, spans=len(found))
        for item in _trace(source, trace, found):
            if isinstance(item, Answer) and item.output.usage:
                tally.update(
                    {"input tokens": item.output.usage.input_tokens, "output tokens": item.output.usage.output_tokens}
                )
            yield item
    yield Figures(values=dict(tally))


def _documents(source: Source) -> Iterator[Object | BadRow]:
    if source.path.suffix == ".json":
        yield as_dict(source.document())
    else:
        yield from source.rows()


def _spans(document: Object) -> Iterator[Object]:
    for resource in map(as_dict, as_list(first(document, "resourceSpans", "resource_spans"))):
        scopes = first(resource, "scopeSpans", "scope_spans", "instrumentationLibrarySpans")
        for scope in map(as_dict, as_list(scopes)):
            for span in map(as_dict, as_list(scope.get("spans"))):
                yield {**span, **_ids(span), "attributes": attributes(span.get("attributes"))}


def _ids(span: Object) -> Object:
    """The names of a span and its parent as texts, under the names OTLP JSON has."""
    parent = first(span, "parentSpanId", "parent_span_id")
    return {
        "spanId": as_text(first(span, "spanId", "span_id")),
        "parentSpanId": None if parent in (None, "") else as_text(parent),
    }


def attributes(value: Json) -> Object:
    """Attributes as a plain object, from the list OTLP has or from an object."""
    if isinstance(value, dict):
        return value
    return {str(as_dict(pair).get("key")): _any(as_dict(as_dict(pair).get("value"))) for pair in as_list(value)}


def _any(value: Object) -> Json:
    """The value in OTLP's envelope; whole numbers come as texts."""
    for kind, given in value.items():
        if kind in ("intValue", "int_value"):
            return int(given) if re.fullmatch(r"-?\d{1,18}", str(given)) else None
        if kind in ("arrayValue", "array_value"):
            return [_any(as_dict(item)) for item in as_list(as_dict(given).get("values"))]
        if kind in ("kvlistValue", "kvlist_value"):
            return attributes(as_dict(given).get("values"))
        return given
    return None


def _trace(source: Source, trace: str, spans: list[Object]) -> Iterator[Item]:
    known = {span.get("spanId") for span in spans}
    ordered = sorted(spans, key=_start)
    roots = [span for span in ordered if span.get("parentSpanId") in (None, "") or span["parentSpanId"] not in known]
    asked = _search([*roots, *ordered], _INPUTS, "input")
    if asked is None:
        yield BadRow(line=0, reason=f"the trace {trace} records no input", source=source.name, text=trace)
        return
    answered = _search([*roots, *ordered[::-1]], _OUTPUTS, "output")
    output = Output(
        text=_answer_text(answered),
        usage=_usage(spans),
        model=next((str(m) for m in (first(s["attributes"], *_MODELS) for s in ordered) if m), None),
        latency_s=_duration(roots[0]) if roots else None,
        tool_calls=tuple(_tool(span) for span in ordered if _is_tool(span)),
        contexts=tuple(passage for span in ordered for passage in _documents_of(span["attributes"])),
        steps=tuple(Step(kind=_kind(s), name=str(s.get("name", "")), duration_s=_duration(s)) for s in ordered[:1000]),
    )
    name = trace or content_id(asked)
    session = next(
        (v for v in (first(s["attributes"], "gen_ai.conversation.id", "session.id") for s in spans) if v), None
    )
    yield Case(id=name, input=asked, cluster=None if session is None else str(session))
    failed = next((s for s in roots if as_dict(s.get("status")).get("code") in (2, "STATUS_CODE_ERROR")), None)
    yield Answer(id=name, output=output, error=_error(failed) if failed and not output.text else None)


def _error(span: Object) -> str:
    return str(as_dict(span.get("status")).get("message") or "the trace ended with an error")


def _search(spans: list[Object], names: tuple[str, ...], way: str) -> Json:
    for span in spans:
        given = first(span["attributes"], *names)
        found = _parsed(given) if given is not None else _indexed(span["attributes"], f"llm.{way}_messages")
        if found is None:
            found = _events(span, way)
        if found not in (None, "", []):
            return _messages(found)
    return None


def _events(span: Object, way: str) -> Json:
    """Messages that older instrumentations write as events."""
    found = []
    for event in map(as_dict, as_list(span.get("events"))):
        name = str(event.get("name", ""))
        body = attributes(event.get("attributes"))
        if way == "input" and re.fullmatch(r"gen_ai\.(system|user|assistant|tool)\.message", name):
            found.append({"role": name.split(".")[1], "content": as_text(body.get("content"))})
        elif way == "output" and name == "gen_ai.choice":
            message = _parsed(first(body, "message", "content"))
            found.append(message if isinstance(message, dict) else {"role": "assistant", "content": as_text(message)})
    return found or None


def _indexed(values: Object, prefix: str) -> Json:
    """Messages in OpenInference's flat form: `llm.input_messages.0.message.role`."""
    found: defaultdict[int, Object] = defaultdict(dict)
    for key, value in values.items():
        part = re.fullmatch(re.escape(prefix) + r"\.(\d{1,6})\.message\.(role|content)", key)
        if part:
            found[int(part[1])][part[2]] = value
    return [found[n] for n in sorted(found)] or None


def _parsed(value: Json) -> Json:
    """A value that was written as JSON text, perhaps several times over."""
    for _ in range(3):
        if not isinstance(value, str) or value[:1] not in '[{"':
            break
        try:
            value = msgspec.json.decode(value)
        except (msgspec.DecodeError, RecursionError):
            break
    return value


def _messages(value: Json) -> Json:
    """Chat messages in one shape, whichever dialect; other values as they are."""
    if isinstance(value, dict) and isinstance(value.get("messages"), list):
        value = value["messages"]
    if not isinstance(value, list) or not all(isinstance(m, dict) and "role" in m for m in value):
        return value
    return [{"role": m["role"], "content": _content(m)} for m in value]


def _content(message: Object) -> str:
    parts = message.get("parts")
    if not isinstance(parts, list):
        return message_text(message.get("content"))
    return "".join(as_text(first(as_dict(p), "content", "text", "response", "result")) for p in parts if _readable(p))


def _readable(part: Json) -> bool:
    return as_dict(part).get("type", "text") in ("text", "tool_call_response")


_ANSWER_KEYS = ("answer", "output_text", "text", "content", "output", "response", "message")
_LIST_KEYS = ("parts", "messages", "choices", "candidates")


def _answer_text(value: Json, depth: int = 0) -> str:
    """The text of an answer, dug out of the shapes frameworks wrap it in; what is none of them, as JSON."""
    value = _parsed(value)
    if depth < 6 and isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        texts = [item["text"] for item in value if isinstance(item.get("text"), str)]
        if len(texts) == len(value):
            return "".join(texts)
        return _answer_text(value[-1], depth + 1)
    if depth < 6 and isinstance(value, dict):
        found = first(value, *_ANSWER_KEYS, *_LIST_KEYS)
        if found not in (None, "", []):
            return _answer_text(found, depth + 1)
    return as_text(value)


def _usage(spans: list[Object]) -> Usage | None:
    """Tokens of the spans that have no child with tokens, so that an agent's total is not counted twice."""
    counted = [s for s in spans if first(s["attributes"], *_IN_TOKENS, *_OUT_TOKENS) is not None]
    parents = {s.get("parentSpanId") for s in counted}
    leaves = [s["attributes"] for s in counted if s.get("spanId") not in parents]
    if not leaves:
        return None

    def total(names: tuple[str, ...]) -> int:
        return sum(int(number(first(values, *names)) or 0) for values in leaves)

    return Usage(input_tokens=total(_IN_TOKENS), output_tokens=total(_OUT_TOKENS), cached_tokens=total(_CACHED))


def _start(span: Object) -> int:
    return _nanos(first(span, "startTimeUnixNano", "start_time_unix_nano"))


def _nanos(value: Json) -> int:
    return int(value) if str(value).isdecimal() and len(str(value)) < 20 else 0


def _duration(span: Object) -> float | None:
    start, end = _start(span), _nanos(first(span, "endTimeUnixNano", "end_time_unix_nano"))
    return (end - start) / 1e9 if start and end >= start else None


def _kind(span: Object) -> str:
    values = span["attributes"]
    return str(first(values, "gen_ai.operation.name", "openinference.span.kind", "ai.operationId") or "span").lower()


def _is_tool(span: Object) -> bool:
    return _kind(span) in ("execute_tool", "tool") or "gen_ai.tool.name" in span["attributes"]


def _tool(span: Object) -> ToolCall:
    values = span["attributes"]
    return ToolCall(
        name=str(first(values, "gen_ai.tool.name", "tool.name") or span.get("name") or "?"),
        arguments=_parsed(first(values, "gen_ai.tool.call.arguments", "tool.parameters", "input.value")),
        result=_parsed(first(values, "gen_ai.tool.call.result", "output.value")),
        id=str(values.get("gen_ai.tool.call.id") or ""),
    )


def _documents_of(values: Object) -> list[Passage]:
    found: defaultdict[int, Object] = defaultdict(dict)
    for key, value in values.items():
        part = re.fullmatch(r"retrieval\.documents\.(\d{1,6})\.document\.(id|content|score)", key)
        if part:
            found[int(part[1])][part[2]] = value
    return [
        Passage(id=str(d.get("id") or ""), text=as_text(d.get("content")), score=number(d.get("score")))
        for _, d in sorted(found.items())
    ]


def is_langfuse(value: Json) -> bool:
    """Whether a row is a dataset item of Langfuse or a trace with observations."""
    row = as_dict(value)
    return bool({"expectedOutput", "datasetName", "datasetId", "sourceTraceId"} & row.keys()) or (
        isinstance(row.get("observations"), list) and "input" in (as_dict(row.get("trace")) or row)
    )


def read_langfuse(source: Source) -> Iterator[Item]:
    """Dataset items, or traces with their observations, as lines, a list or one object."""
    count = archived = 0
    for row in _langfuse_rows(source):
        if isinstance(row, BadRow):
            yield row
            continue
        if row.get("status") == "ARCHIVED":
            archived += 1
            continue
        count += 1
        yield from _langfuse_trace(source, row) if "observations" in row else _langfuse_item(source, row)
    if archived:
        yield Note(text=f"{archived:,} archived items were left out")
    yield Figures(values={"items": count, "archived items left out": archived})


def _langfuse_rows(source: Source) -> Iterator[Object | BadRow]:
    if source.path.suffix == ".jsonl":
        yield from source.rows()
        return
    document = source.document()
    inner = document.get("data") if isinstance(document, dict) and isinstance(document.get("data"), list) else document
    for number_, row in enumerate(inner if isinstance(inner, list) else [inner], start=1):
        source.line = number_
        yield row if isinstance(row, dict) else source.bad("an item must be an object", row)


def _langfuse_item(source: Source, row: Object) -> Iterator[Item]:
    if row.get("input") is None:
        yield source.bad("the item has no input", row)
        return
    metadata = row.get("metadata")
    kept: Object = dict(metadata) if isinstance(metadata, dict) else {"metadata": metadata} if metadata else {}
    kept |= {k: row[k] for k in ("sourceTraceId", "sourceObservationId", "datasetName") if row.get(k)}
    expected = first(row, "expectedOutput", "expected_output")
    yield Case(
        id=str(row.get("id") or content_id(row["input"])),
        input=_messages(row["input"]),
        expected=expected,
        metadata=kept,
    )


def _langfuse_trace(source: Source, row: Object) -> Iterator[Item]:
    trace = as_dict(row.get("trace")) or row
    observations = [as_dict(o) for o in as_list(row["observations"])]
    asked = _parsed(trace.get("input"))
    if asked is None:
        asked = next((o["input"] for o in observations if o.get("input") is not None), None)
    if asked is None:
        yield source.bad("the trace records no input", {"id": trace.get("id")})
        return
    answered = _parsed(trace.get("output"))
    if answered is None:
        answered = next((o["output"] for o in observations[::-1] if o.get("output") is not None), None)
    name = str(trace.get("id") or content_id(asked))
    session = trace.get("sessionId")
    yield Case(id=name, input=_messages(asked), cluster=None if session is None else str(session))
    output = Output(
        text=_answer_text(_messages(answered)),
        usage=usage_of(observations),
        steps=steps_of(observations),
        tool_calls=tool_calls_of(observations),
    )
    scores = {
        str(s.get("name")): s.get("value") for s in map(as_dict, as_list(row.get("scores") or trace.get("scores")))
    }
    yield Answer(id=name, output=output, scores=scores)


def is_phoenix(value: Json) -> bool:
    """Whether a row is an example of a Phoenix dataset, or a line of its openai_evals export."""
    row = as_dict(value)
    example = isinstance(row.get("input"), dict) and "output" in row and ("metadata" in row or "id" in row)
    return example or ("messages" in row and "ideal" in row)


def read_phoenix(source: Source) -> Iterator[Item]:
    """Examples of a Phoenix dataset: `input`, `output` (the reference), `metadata`."""
    count = 0
    for row in _phoenix_rows(source):
        if isinstance(row, BadRow):
            yield row
            continue
        count += 1
        yield source.case(row) if "messages" in row else _phoenix_case(source, row)
    yield Figures(values={"examples": count})


def _phoenix_rows(source: Source) -> Iterator[Object | BadRow]:
    if source.path.suffix == ".jsonl":
        yield from source.rows()
        return
    document = source.document()
    data = document.get("data", document) if isinstance(document, dict) else document
    rows = data.get("examples") if isinstance(data, dict) else data
    for number_, row in enumerate(as_list(rows), start=1):
        source.line = number_
        yield row if isinstance(row, dict) else source.bad("an example must be an object", row)


def _phoenix_case(source: Source, row: Object) -> Case | BadRow:
    given, expected = row.get("input"), row.get("output")
    if given is None:
        return source.bad("the example has no input", row)
    if isinstance(expected, dict) and len(expected) == 1:
        expected = next(iter(expected.values()))
    name = first(row, "id", "example_id", "node_id")
    return Case(
        id=str(name or content_id(given)), input=given, expected=expected or None, metadata=as_dict(row.get("metadata"))
    )

"""What a reviewer sees of an item, on which side, in which order: nothing that tells a system from another."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping

from evalwright.core.case import Json
from evalwright.core.output import Output
from evalwright.core.review import FIRST, SECOND, TIE, Answer, Content, ContextPart, Entry, Queue, QueueKind, Span

PRIME = 2_147_483_647
SIDES = ("A", "B")
MAX_TEXT = 200_000
"""Characters of one text that are kept for review."""

_HIDDEN_KEYS = ("model", "system_fingerprint", "provider")


def new_id() -> str:
    """A random id that says nothing: 80 bits, so that it can't be guessed either."""
    return secrets.token_hex(10)


def rater_order(seed: int, rater: str) -> tuple[int, int]:
    """A reviewer's own order: a and b of `(shuffle · a + b) mod PRIME`, the same each time.

    Example:
        >>> rater_order(1, "ada") == rater_order(1, "ada"), rater_order(1, "ada") == rater_order(1, "bob")
        (True, False)
    """
    digest = hashlib.sha256(f"order\0{seed}\0{rater}".encode()).digest()
    a = int.from_bytes(digest[:8], "big") % (PRIME - 1) + 1
    return a, int.from_bytes(digest[8:16], "big") % PRIME


def flipped(seed: int, rater: str, item_id: str) -> bool:
    """Whether the second answer of a pair stands on side A for this reviewer: a coin that lands the same each time."""
    return hashlib.sha256(f"side\0{seed}\0{rater}\0{item_id}".encode()).digest()[0] % 2 == 1


def shown_outputs(content: Content, *, flip: bool) -> tuple[tuple[str, Answer], ...]:
    """The answers with their sides, in the order a reviewer sees them."""
    outputs = content.outputs[::-1] if flip else content.outputs
    return tuple(zip(SIDES, outputs, strict=False))


def kept_entry(queue: Queue, entry: Entry, *, flip: bool) -> Entry:
    """What a reviewer said of sides, as something said of answers."""
    spans = tuple(_of_side(span, _place(span.side, flip)) for span in entry.spans)
    answers = dict(entry.answers)
    if queue.kind is QueueKind.PAIRWISE:
        answers = {name: _place(choice, flip) for name, choice in answers.items()}
    return Entry(
        answers=answers,
        rationale=entry.rationale,
        spans=spans,
        seconds=entry.seconds,
        confidence=entry.confidence,
    )


def shown_entry(queue: Queue, entry: Entry, *, flip: bool) -> Entry:
    """What was kept of answers, as a reviewer sees it: of sides."""
    spans = tuple(_of_side(span, _side(span.side, flip)) for span in entry.spans)
    answers = dict(entry.answers)
    if queue.kind is QueueKind.PAIRWISE:
        answers = {name: _side(choice, flip) for name, choice in answers.items()}
    return Entry(
        answers=answers,
        rationale=entry.rationale,
        spans=spans,
        seconds=entry.seconds,
        confidence=entry.confidence,
    )


def _of_side(span: Span, side: str) -> Span:
    return Span(start=span.start, end=span.end, side=side, text=span.text, note=span.note)


def _place(choice: str, flip: bool) -> str:
    first, second = (SECOND, FIRST) if flip else (FIRST, SECOND)
    return {"a": first, "b": second, "tie": TIE}.get(choice.strip().lower(), choice)


def _side(choice: str, flip: bool) -> str:
    first, second = ("B", "A") if flip else ("A", "B")
    return {FIRST: first, SECOND: second}.get(choice, choice)


# --- from a target's output to what is shown ------------------------------------------------------------------------


def answer_of(output: Output) -> Answer:
    """An output as reviewers see it: text, passages and tool calls; no model, latency, cost, scores or metadata."""
    passages = tuple(
        ContextPart(kind="passage", text=_cut(passage.text), title=f"passage {number}")
        for number, passage in enumerate(output.contexts, start=1)
    )
    calls = tuple(
        ContextPart(kind="tool_call", title=call.name, text=_cut(_call_text(call.arguments, call.result, call.error)))
        for call in output.tool_calls
    )
    text = output.text or (_text(output.data) if output.data is not None else "")
    return Answer(text=_cut(text), context=(*passages, *_messages(output), *calls))


def _messages(output: Output) -> tuple[ContextPart, ...]:
    """The conversation without what names a model; the last message is the answer itself and is left out."""
    found = [
        ContextPart(kind="message", title=str(message.get("role", "")), text=_cut(_text(message.get("content"))))
        for message in output.messages
        if message.get("content")
    ]
    if found and found[-1].text.strip() == output.text.strip():
        found.pop()
    return tuple(found)


def _call_text(arguments: Json, result: Json, error: str | None) -> str:
    lines = [f"arguments: {_text(without_names(arguments))}"]
    if result is not None:
        lines.append(f"result: {_text(without_names(result))}")
    if error:
        lines.append(f"error: {error}")
    return "\n".join(lines)


def without_names(value: Json) -> Json:
    """A JSON value without the keys in which providers name themselves."""
    if isinstance(value, Mapping):
        return {key: without_names(item) for key, item in value.items() if key not in _HIDDEN_KEYS}
    return [without_names(item) for item in value] if isinstance(value, list) else value


def _text(value: Json) -> str:
    import json

    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2, default=repr)


def _cut(text: str) -> str:
    return text if len(text) <= MAX_TEXT else text[:MAX_TEXT] + f"\n… {len(text) - MAX_TEXT:,} more characters"


def content_of(given: Json, outputs: tuple[Answer, ...], expected: Json = None) -> Content:
    """What is shown of an item; context that all answers share stands once, above them."""
    shared = outputs[0].context if outputs and all(o.context == outputs[0].context for o in outputs) else ()
    rest = tuple(Answer(text=o.text, context=() if shared else o.context) for o in outputs)
    return Content(input=given, context=shared, expected=expected, outputs=rest)

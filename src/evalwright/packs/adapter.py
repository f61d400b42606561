"""A product's own form of input, so that a pack can be sent to it, turn by turn where it keeps a conversation."""

from __future__ import annotations

from typing import Any

import msgspec

from evalwright.core.case import Json
from evalwright.core.errors import UsageError
from evalwright.core.output import Output
from evalwright.core.target import Target, TargetCall
from evalwright.core.wrapped import WrappedTarget, turn_of

_TEXT_FIELDS = ("question", "prompt", "query", "message", "text", "input", "content", "user_input")
_HISTORY_FIELDS = ("conversation", "history", "messages", "chat_history")
_LANGUAGE_FIELDS = ("locale", "language", "lang")
_DOCUMENT_FIELDS = ("documents", "passages", "attachments")


class InputShape(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a target takes its input.

    Attributes:
        form: `text`, `messages` (a list of chat messages) or `object`.
        text: For an object: the field of the user's message.
        history: For an object: the field of earlier messages; empty where it keeps none.
        documents: For an object: the field of documents to be read beside the system's own.
        tool_results: For an object: the field of results of tools.
        system: For an object: the field of a system prompt.
        language: For an object: the field of the user's language; it is set to that of the attack.
        fixed: For an object: further fields, as an ordinary case has them.
    """

    form: str = "text"
    text: str = "question"
    history: str = ""
    documents: str = ""
    tool_results: str = ""
    system: str = ""
    language: str = ""
    fixed: dict[str, Json] = {}

    @property
    def capabilities(self) -> frozenset[str]:
        """What of `packs.model.CAPABILITIES` the target takes."""
        if self.form == "messages":
            return frozenset({"conversation", "system"})
        named = {"conversation": self.history, "documents": self.documents, "tool_results": self.tool_results}
        return frozenset(name for name, field in {**named, "system": self.system}.items() if field)


def infer_shape(example: Json, **given: str) -> InputShape:
    """The shape of a target's input, from one of its suite's cases.

    Args:
        example: The input of an ordinary case.
        given: Fields named by the user, over those guessed: `text`, `history`, `documents`, `tool_results`, `system`.

    Raises:
        UsageError: The input is an object and none of its fields can be taken for the user's message.
    """
    if isinstance(example, str):
        return InputShape(form="text")
    if isinstance(example, list):
        return InputShape(form="messages")
    if not isinstance(example, dict):
        raise UsageError("the suite's cases have no input a pack could be put into", hint="an object, text or messages")
    named = {name: value for name, value in given.items() if value}
    text = named.pop("text", "") or _text_field(example)
    guessed = {
        "history": _first(_HISTORY_FIELDS, example),
        "documents": _first(_DOCUMENT_FIELDS, example),
        "language": _first(_LANGUAGE_FIELDS, example),
        **named,
    }
    used = {text, *guessed.values()}
    fixed = {key: value for key, value in example.items() if key not in used}
    return InputShape(form="object", text=text, fixed=fixed, **guessed)


def _first(names: tuple[str, ...], example: dict[str, Json]) -> str:
    return next((name for name in names if name in example), "")


def _text_field(example: dict[str, Json]) -> str:
    texts = [key for key, value in example.items() if isinstance(value, str)]
    name = _first(_TEXT_FIELDS, dict.fromkeys(texts)) or (texts[0] if len(texts) == 1 else "")
    if not name:
        fields = ", ".join(map(str, example)) or "nothing"
        raise UsageError(f"the suite's input has {fields}; which is the user's message?", hint="--text-field NAME")
    return name


class AttackTarget(WrappedTarget):
    """A target that takes the input of pack cases and asks the product in its own form.

    Turns are sent one after another, with the product's real answers between them. The output is that of the last turn,
    with the whole conversation, all tool calls and the tokens of all turns.

    Args:
        inner: The product.
        shape: How it takes its input.
    """

    def __init__(self, inner: Target, shape: InputShape) -> None:
        super().__init__(inner)
        self.shape = shape

    def describe(self) -> dict[str, Json]:
        """The product's description, and the shape."""
        shape: dict[str, Json] = msgspec.to_builtins(self.shape)
        return {**self.inner.describe(), "attacked_as": shape}

    async def respond(self, call: TargetCall) -> Output:
        """Send every turn; the last answer counts.

        Raises:
            TargetError: A turn failed.
        """
        history: list[dict[str, Json]] = []
        outputs: list[Output] = []
        for number, turn in enumerate(call.input["turns"], start=1):
            value = self.product_input(call.input, str(turn), history)
            output = await self.inner.respond(turn_of(call, value, number))
            outputs.append(output)
            history += [{"role": "user", "content": str(turn)}, {"role": "assistant", "content": output.text}]
        return _together(outputs, history)

    def product_input(self, value: dict[str, Any], turn: str, history: list[dict[str, Json]]) -> Json:
        """The product's own input for one turn of a pack's case."""
        shape = self.shape
        if shape.form == "text":
            return turn
        system = value.get("system") or ""
        if shape.form == "messages":
            first = [{"role": "system", "content": system}] if system else []
            return [*first, *history, {"role": "user", "content": turn}]
        extra = {
            shape.history: list(history),
            shape.documents: value.get("documents"),
            shape.tool_results: value.get("tool_results"),
            shape.system: system,
            shape.language: value.get("language"),
        }
        given = {field: content for field, content in extra.items() if field and content}
        return {**shape.fixed, shape.text: turn, **given}


def _together(outputs: list[Output], history: list[dict[str, Json]]) -> Output:
    last = outputs[-1]
    if len(outputs) == 1:
        return last
    usages = [output.usage for output in outputs if output.usage is not None]
    costs = [output.cost for output in outputs if output.cost is not None]
    times = [output.latency_s for output in outputs if output.latency_s is not None]
    return msgspec.structs.replace(
        last,
        messages=last.messages or tuple(history),
        tool_calls=tuple(call for output in outputs for call in output.tool_calls),
        usage=sum(usages[1:], usages[0]) if usages else None,
        cost=sum(costs) if costs else None,
        latency_s=sum(times) if times else None,
        contexts=tuple(passage for output in outputs for passage in output.contexts),
    )

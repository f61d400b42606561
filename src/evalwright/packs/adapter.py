"""A product's own form of input, so that a pack can be sent to it, turn by turn where it keeps a conversation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Any, Protocol

import msgspec

from evalwright.core.case import Json
from evalwright.core.errors import UsageError
from evalwright.core.identity import short_hash
from evalwright.core.output import Output
from evalwright.core.target import Target, TargetCall
from evalwright.core.wrapped import WrappedTarget, turn_of
from evalwright.packs.planting import Planter
from evalwright.packs.reach import Reach, not_delivered

_TEXT_FIELDS = ("question", "prompt", "query", "message", "text", "input", "content", "user_input")
_HISTORY_FIELDS = ("conversation", "history", "messages", "chat_history")
_LANGUAGE_FIELDS = ("locale", "language", "lang")
_DOCUMENT_FIELDS = ("documents", "passages", "attachments")
_SESSION_FIELDS = ("session", "session_id", "conversation_id", "thread_id")
_USER_FIELDS = ("user", "user_id", "customer_id")
_TENANT_FIELDS = ("tenant", "tenant_id", "workspace", "organisation", "organization", "account")

PLANTED = ("documents", "tool_results", "tool_descriptions")
"""What is planted, as cases have it."""


class InputShape(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a target takes its input.

    Attributes:
        form: `text`, `messages` (a list of chat messages) or `object`.
        text: For an object: the field of the user's message.
        history: For an object: the field of earlier messages; empty where it keeps none.
        documents: For an object: the field of documents to be read beside the system's own.
        tool_results: For an object: the field of results of tools.
        tool_descriptions: For an object: the field of tools with their descriptions.
        system: For an object: the field of a system prompt.
        language: For an object: the field of the user's language; it is set to that of the attack.
        user: For an object: the field that says who asks, where the product remembers users.
        session: For an object: the field that tells conversations apart, where the product keeps them itself.
        tenant: For an object: the field of the customer on whose behalf it asks.
        fixed: For an object: further fields, as an ordinary case has them.
    """

    form: str = "text"
    text: str = "question"
    history: str = ""
    documents: str = ""
    tool_results: str = ""
    tool_descriptions: str = ""
    system: str = ""
    language: str = ""
    user: str = ""
    session: str = ""
    tenant: str = ""
    fixed: dict[str, Json] = {}

    @property
    def capabilities(self) -> frozenset[str]:
        """What of `packs.model.CAPABILITIES` the target takes."""
        if self.form == "messages":
            return frozenset({"conversation", "system"})
        named = {
            "conversation": self.history or self.session,
            "documents": self.documents,
            "tool_results": self.tool_results,
            "tool_descriptions": self.tool_descriptions,
            "system": self.system,
            "memory": self.user,
            "tenants": self.tenant,
        }
        return frozenset(name for name, field in named.items() if field)


def infer_shape(example: Json, **given: str) -> InputShape:
    """The shape of a target's input, from one of its suite's cases.

    Args:
        example: The input of an ordinary case.
        given: Fields named by the user, over those guessed: the names of the attributes of `InputShape`.

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
        "session": _first(_SESSION_FIELDS, example),
        "user": _first(_USER_FIELDS, example),
        "tenant": _first(_TENANT_FIELDS, example),
        **named,
    }
    used = {text, *guessed.values()} - {guessed["user"], guessed["session"], guessed["tenant"]}
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


class JudgeVictim(Protocol):
    """The judges of a suite, as something to be attacked."""

    async def open(self) -> None:
        """Open their connections."""

    async def close(self) -> None:
        """Close them."""

    async def respond(self, call: TargetCall) -> Output:
        """The verdicts on a bad answer as it stands and with the attack in it."""


class AttackTarget(WrappedTarget):
    """A target that takes the input of pack cases and asks the product in its own form.

    Turns are sent one after another, with the product's real answers between them. The output is that of the last turn,
    with the whole conversation, all tool calls and the tokens of all turns. What a case plants is there only while the
    case is asked, and is tried with a harmless text first: where that is not seen, the attack is not sent.

    Args:
        inner: The product.
        shape: How it takes its input.
        planters: How documents and results of tools get into it, where not by a field of its input.
        judge: The suite's judges, for attacks on them.
        ordinary: Ordinary inputs of the product, to tell the size of ordinary answers.
    """

    def __init__(
        self,
        inner: Target,
        shape: InputShape,
        *,
        planters: Mapping[str, Planter] | None = None,
        judge: JudgeVictim | None = None,
        ordinary: Sequence[Json] = (),
    ) -> None:
        super().__init__(inner)
        self.shape = shape
        self.planters = dict(planters or {})
        self.judge = judge
        self.reach = Reach(inner, ordinary)

    def describe(self) -> dict[str, Json]:
        """The product's description, and the shape."""
        shape: dict[str, Json] = msgspec.to_builtins(self.shape)
        ways: dict[str, Json] = {name: planter.describe() for name, planter in self.planters.items()}
        return {**self.inner.describe(), "attacked_as": shape, **({"planted_by": ways} if ways else {})}

    @property
    def max_concurrency(self) -> int:
        """One at a time where something is planted by a way that all questions share."""
        return 1 if any(planter.shared for planter in self.planters.values()) else super().max_concurrency

    async def open(self) -> None:
        """Open the product, the planters and the judges."""
        for planter in self.planters.values():
            await planter.open()
        await super().open()
        if self.judge is not None:
            await self.judge.open()

    async def close(self) -> None:
        """Close them; what was planted is gone."""
        if self.judge is not None:
            await self.judge.close()
        await super().close()
        for planter in self.planters.values():
            await planter.close()

    async def respond(self, call: TargetCall) -> Output:
        """Send every turn; the last answer counts.

        Raises:
            TargetError: A turn failed.
        """
        if "judged" in call.input and self.judge is not None:
            return await self.judge.respond(call)
        problem = await self.reach.problem(call, self._asked_once) if call.input.get("check") else ""
        if problem:
            return not_delivered(problem)
        output = await self._conversation(call)
        if call.input.get("measure") != "ordinary":
            return output
        size = await self.reach.ordinary_size()
        return msgspec.structs.replace(output, metadata={**output.metadata, "ordinary_size": size})

    async def _asked_once(self, call: TargetCall) -> Output:
        return await self._conversation(call)

    async def _conversation(self, call: TargetCall) -> Output:
        async with AsyncExitStack() as planted:
            for name in PLANTED:
                planter = self.planters.get(name)
                if planter is not None and call.input.get(name):
                    await planted.enter_async_context(planter.planted(call.input[name]))
            return await self._turns(call)

    async def _turns(self, call: TargetCall) -> Output:
        history: list[dict[str, Json]] = []
        outputs: list[Output] = []
        starts = call.input.get("session", {}).get("starts", -1)
        for number, turn in enumerate(call.input["turns"], start=1):
            if number - 1 == starts:
                history, outputs = [], []
            value = self.product_input(_at(call, later=0 <= starts < number), str(turn), history)
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
            shape.system: system,
            shape.language: value.get("language"),
            shape.user: value.get("user"),
            shape.session: value.get("session_id"),
            shape.tenant: value.get("tenant"),
            **{getattr(shape, name): value.get(name) for name in PLANTED if name not in self.planters},
        }
        given = {field: content for field, content in extra.items() if field and content}
        return {**shape.fixed, **value.get("fields", {}), shape.text: turn, **given}


def _at(call: TargetCall, *, later: bool) -> dict[str, Any]:
    """A case's input with who asks and in which conversation; every case, trial and session has its own."""
    value = call.input
    session = value.get("session", {})
    place = short_hash([call.case_id, call.trial])[:12]
    user = f"ew-{place}{'-b' if later and session.get('stranger') else ''}"
    return {"user": user, "session_id": f"ew-{place}-{2 if later else 1}", **value}


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

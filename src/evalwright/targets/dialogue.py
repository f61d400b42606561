"""Scripted users: a target asked turn by turn, with its own real answers between the turns."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Literal

import msgspec
from pydantic import Field, TypeAdapter, ValidationError, model_validator

from evalwright.core.case import Json
from evalwright.core.component import BindContext
from evalwright.core.errors import TargetError
from evalwright.core.output import Output, Step, Usage
from evalwright.core.target import Target, TargetCall, answers_exist
from evalwright.core.wrapped import WrappedTarget, turn_of
from evalwright.targets.catalog import TARGETS
from evalwright.targets.options import TargetOptions, config_error

MOST_TURNS = 200
"""User turns of one case at most."""


class DialogueTargetOptions(TargetOptions):
    """A scripted user in front of another target: the turns of a case are sent one after another.

    The case's input is a list of user turns, a list of chat messages, or an object with them under `turns`. A turn is a
    text or `{ content: text }`; with `new_session: true` the history sent begins anew, so that only what the target
    itself remembers is left. Messages of the roles `assistant` and `system` in the script are taken into the history as
    they stand. The output is the last answer, with the whole conversation, and the tools, tokens and cost of all turns.
    """

    target: dict[str, Any] = Field(description="The target that answers: its `type` and options.")
    turns: str = Field("turns", description="Field of the user's turns, for inputs that are objects.")
    form: Literal["messages", "text", "object"] = Field(
        "messages",
        description="What the target is sent at each turn: all messages so far; the turn's text alone, for targets "
        "that keep the conversation themselves (by case id); or an object with both.",
    )
    text: str = Field("question", description="For the form `object`: field of the turn's text.")
    history: str = Field("messages", description="For the form `object`: field of the messages before it.")

    @model_validator(mode="after")
    def _checked(self) -> DialogueTargetOptions:
        self._inner  # noqa: B018 - its problems are found when the options are checked
        return self

    @cached_property
    def _inner(self) -> Any:
        kind = self.target.get("type")
        known = sorted(set(TARGETS) - {"dialogue", "callable"})
        if kind not in TARGETS or kind == "dialogue":
            raise ValueError(f"`target` needs a `type`: one of {', '.join(known)}")
        module, _, name = TARGETS[kind].partition(":")
        options = {key: value for key, value in self.target.items() if key != "type"}
        try:
            return TypeAdapter(getattr(importlib.import_module(module), name)).validate_python(options)
        except ValidationError as error:
            wrong = (f"`{'.'.join(map(str, ('target', *item['loc'])))}`: {item['msg']}" for item in error.errors())
            raise ValueError("; ".join(wrong)) from error

    @property
    def imports_code(self) -> bool:
        """Whether making the target imports a module of the user's."""
        return self.target.get("type") in {"python", "callable"}

    def bind(self, context: BindContext) -> DialogueTarget:
        """Make the target behind the user.

        Raises:
            ConfigError: One of its options names something that does not exist, or its answers exist already.
        """
        inner: Target = self._inner.bind(context)
        if answers_exist(inner):
            raise config_error("answers that exist already can't be asked turn by turn", key="target")
        return DialogueTarget(inner, self)


class _Turn(msgspec.Struct, frozen=True, kw_only=True):
    """A message of a script."""

    role: str = "user"
    content: str
    new_session: bool = False


class DialogueTarget(WrappedTarget):
    """Plays a case's turns to a target.

    A failed turn fails the conversation, and another attempt begins it anew. The time limit of a case covers all its
    turns; a rate limit counts the case once.

    Args:
        inner: The target that answers.
        options: How it is sent the turns.
    """

    def __init__(self, inner: Target, options: DialogueTargetOptions) -> None:
        super().__init__(inner)
        self.options = options

    def describe(self) -> dict[str, Json]:
        """The target that answers, and how it is sent the turns."""
        how = {key: getattr(self.options, key) for key in ("turns", "form", "text", "history")}
        return {"type": "dialogue", "target": self.inner.describe(), **how}

    async def respond(self, call: TargetCall) -> Output:
        """Play the turns.

        Raises:
            TargetError: The script can't be played (kind `bad_input`), or a turn failed; the message says which.
        """
        script = list(self._script(call.input))
        asked = sum(turn.role == "user" for turn in script)
        if not 0 < asked <= MOST_TURNS:
            raise TargetError(f"the script has {asked} user turns, not 1 to {MOST_TURNS}", kind="bad_input")
        history: list[dict[str, Json]] = []
        said: list[dict[str, Json]] = []
        outputs: list[Output] = []
        for turn in script:
            message: dict[str, Json] = {"role": turn.role, "content": turn.content}
            if turn.new_session:
                history = [kept for kept in history if kept["role"] == "system"]
                message["new_session"] = True
            said.append(message)
            history.append({"role": turn.role, "content": turn.content})
            if turn.role == "user":
                output = await self._ask(call, history, len(outputs) + 1)
                outputs.append(output)
                answer: dict[str, Json] = {"role": "assistant", "content": output.text}
                history.append(answer)
                said.append(dict(answer))
        return _together(outputs, said)

    async def _ask(self, call: TargetCall, history: Sequence[dict[str, Json]], number: int) -> Output:
        try:
            return await self.inner.respond(turn_of(call, self._input(call.input, history), number))
        except TargetError as error:
            raise TargetError(
                f"user turn {number}: {error.message}",
                kind=error.kind,
                retryable=error.retryable,
                status=error.status,
                retry_after_s=error.retry_after_s,
                max_attempts=error.max_attempts,
            ) from error

    def _input(self, given: Json, history: Sequence[dict[str, Json]]) -> Json:
        form = self.options.form
        if form == "text":
            return history[-1]["content"]
        if form == "messages":
            return [dict(message) for message in history]
        fixed = {key: value for key, value in given.items() if key != self.options.turns} if _is_object(given) else {}
        before = [dict(message) for message in history[:-1]]
        return {**fixed, self.options.text: history[-1]["content"], self.options.history: before}

    def _script(self, given: Json) -> Iterator[_Turn]:
        turns = given.get(self.options.turns) if _is_object(given) else given
        if isinstance(turns, str):
            turns = [turns]
        if not isinstance(turns, list):
            raise TargetError(
                f"the input is no list of turns, nor an object with `{self.options.turns}`", kind="bad_input"
            )
        for number, turn in enumerate(turns, start=1):
            try:
                yield msgspec.convert({"content": turn} if isinstance(turn, str) else turn, _Turn)
            except msgspec.ValidationError as error:
                raise TargetError(f"turn {number} of the script: {error}", kind="bad_input") from error


def _is_object(value: Json) -> bool:
    return isinstance(value, Mapping)


def _together(outputs: Sequence[Output], said: Sequence[dict[str, Json]]) -> Output:
    """The last answer with what all turns did and took; a cost or count is unknown where one turn's is."""
    usages = [output.usage for output in outputs if output.usage is not None]
    costs = [output.cost for output in outputs if output.cost is not None]
    times = [output.latency_s for output in outputs if output.latency_s is not None]
    whole = len(outputs)
    return msgspec.structs.replace(
        outputs[-1],
        messages=tuple(said),
        tool_calls=tuple(call for output in outputs for call in output.tool_calls),
        contexts=tuple(passage for output in outputs for passage in output.contexts),
        usage=sum(usages, Usage()) if len(usages) == whole else None,
        cost=sum(costs) if len(costs) == whole else None,
        latency_s=sum(times) if len(times) == whole else None,
        first_token_s=outputs[0].first_token_s,
        steps=tuple(_step(number, output) for number, output in enumerate(outputs, start=1)),
    )


def _step(number: int, output: Output) -> Step:
    return Step(
        kind="turn", name=f"turn {number}", output=output.text, duration_s=output.latency_s, children=output.steps
    )

"""One conversation with a target: what it is sent at each turn, what it answers, and all of it together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from evalwright.core.case import Json
from evalwright.core.errors import TargetError
from evalwright.core.output import Output, Step, Usage
from evalwright.core.target import Target, TargetCall
from evalwright.core.wrapped import turn_of

Form = Literal["messages", "text", "object"]


class TurnForm(msgspec.Struct, frozen=True, kw_only=True):
    """What a target is sent at each turn.

    Attributes:
        form: All messages so far, the turn's text alone, or an object with both.
        text: For `object`: field of the turn's text.
        history: For `object`: field of the messages before it.
        hidden: Fields of the case's input the target must not see: they belong to the user's side.
    """

    form: Form = "messages"
    text: str = "question"
    history: str = "messages"
    hidden: frozenset[str] = frozenset()

    def input(self, given: Json, history: Sequence[Mapping[str, Json]]) -> Json:
        """The target's input for the last message of the history."""
        if self.form == "text":
            return history[-1]["content"]
        if self.form == "messages":
            return [dict(message) for message in history]
        fixed = {k: v for k, v in given.items() if k not in self.hidden} if isinstance(given, Mapping) else {}
        before = [dict(message) for message in history[:-1]]
        return {**fixed, self.text: history[-1]["content"], self.history: before}


class Talk:
    """A conversation as it grows.

    Args:
        target: Who answers.
        call: The call of the whole case.
        form: What the target is sent at each turn.

    Attributes:
        said: All messages, for the record.
        outputs: The target's answers, one for each user turn.
    """

    def __init__(self, target: Target, call: TargetCall, form: TurnForm) -> None:
        self._target = target
        self._call = call
        self._form = form
        self._history: list[dict[str, Json]] = []
        self.said: list[dict[str, Json]] = []
        self.outputs: list[Output] = []

    def put(self, role: str, content: Json, *, new_session: bool = False) -> None:
        """A message that is taken as it stands; with `new_session` what was said before is no longer sent."""
        message: dict[str, Json] = {"role": role, "content": content}
        self.said.append({**message, "new_session": True} if new_session else dict(message))
        if new_session:
            self._history = [kept for kept in self._history if kept["role"] == "system"]
        self._history.append(message)

    async def say(self, content: Json, *, new_session: bool = False) -> Output:
        """A user's turn, and the target's answer to it.

        Raises:
            TargetError: The target failed; the message says at which turn.
        """
        self.put("user", content, new_session=new_session)
        output = await self._ask(len(self.outputs) + 1)
        self.outputs.append(output)
        self.put("assistant", output.text)
        return output

    async def _ask(self, number: int) -> Output:
        try:
            sent = self._form.input(self._call.input, self._history)
            return await self._target.respond(turn_of(self._call, sent, number))
        except TargetError as error:
            raise TargetError(
                f"user turn {number}: {error.message}",
                kind=error.kind,
                retryable=error.retryable,
                status=error.status,
                retry_after_s=error.retry_after_s,
                max_attempts=error.max_attempts,
            ) from error

    def output(self, metadata: Mapping[str, Json] | None = None) -> Output:
        """The last answer with what all turns did and took; a cost or count is unknown where one turn's is."""
        outputs, whole = self.outputs, len(self.outputs)
        usages = [output.usage for output in outputs if output.usage is not None]
        costs = [output.cost for output in outputs if output.cost is not None]
        times = [output.latency_s for output in outputs if output.latency_s is not None]
        last = outputs[-1]
        return msgspec.structs.replace(
            last,
            messages=tuple(self.said),
            tool_calls=tuple(call for output in outputs for call in output.tool_calls),
            contexts=tuple(passage for output in outputs for passage in output.contexts),
            usage=sum(usages, Usage()) if len(usages) == whole else None,
            cost=sum(costs) if len(costs) == whole else None,
            latency_s=sum(times) if len(times) == whole else None,
            first_token_s=outputs[0].first_token_s,
            steps=tuple(_step(number, output) for number, output in enumerate(outputs, start=1)),
            metadata={**last.metadata, **(metadata or {})},
        )


def _step(number: int, output: Output) -> Step:
    return Step(
        kind="turn", name=f"turn {number}", output=output.text, duration_s=output.latency_s, children=output.steps
    )

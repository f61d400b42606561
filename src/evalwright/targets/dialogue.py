"""Conversations: a target asked turn by turn, by a script, by a simulated user, or by the record of one."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

import msgspec
from pydantic import Field, TypeAdapter, ValidationError, model_validator

from evalwright.core.case import Json
from evalwright.core.component import BindContext
from evalwright.core.errors import TargetError
from evalwright.core.output import Output
from evalwright.core.target import Target, TargetCall, answers_exist, needs_meter
from evalwright.core.wrapped import WrappedTarget
from evalwright.models.secrets import expand
from evalwright.targets.catalog import TARGETS
from evalwright.targets.options import TargetOptions, config_error
from evalwright.targets.replay import Transcripts
from evalwright.targets.simulated import USER_FIELDS, SimulatedUser, SimulatedUserOptions
from evalwright.targets.talk import Form, Talk, TurnForm

MOST_TURNS = 200
"""User turns of one case at most."""


class DialogueTargetOptions(TargetOptions):
    """A user in front of another target: scripted, played by a model, or played again from a record.

    The case's input is a list of user turns, a list of chat messages, or an object with them under `turns`. A turn is a
    text or `{ content: text }`; with `new_session: true` the history sent begins anew, so that only what the target
    itself remembers is left. Messages of the roles `assistant` and `system` in the script are taken into the history as
    they stand. With `user`, a case whose input is a text (the user's goal) or an object with `goal` is talked through
    by a model. The output is the last answer, with the whole conversation, and the tools, tokens and cost of all turns.
    """

    target: dict[str, Any] = Field(description="The target that answers: its `type` and options.")
    user: SimulatedUserOptions | None = Field(
        None, description="The model that plays the user, with `persona`, `goal` and `max_turns`."
    )
    replay: str | None = Field(
        None,
        description="File of recorded conversations (`evalwright export`): their user turns are said again, no user "
        "model is asked, and where the target answers otherwise is told.",
    )
    turns: str = Field("turns", description="Field of the user's turns, for inputs that are objects.")
    form: Form = Field(
        "messages",
        description="What the target is sent at each turn: all messages so far; the turn's text alone, for targets "
        "that keep the conversation themselves (by case id); or an object with both.",
    )
    text: str = Field("question", description="For the form `object`: field of the turn's text.")
    history: str = Field("messages", description="For the form `object`: field of the messages before it.")

    @model_validator(mode="after")
    def _checked(self) -> DialogueTargetOptions:
        self._inner  # noqa: B018 - its problems are found when the options are checked
        if self.user is not None and self.replay is not None:
            raise ValueError("`user` and `replay` are both given; a replay needs no user model")
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
        user = None if self.user is None else SimulatedUser.bind(self.user, context)
        return DialogueTarget(inner, self, user=user, transcripts=self._transcripts(context))

    def _transcripts(self, context: BindContext) -> Transcripts | None:
        if self.replay is None:
            return None
        path = context.base_dir / expand(self.replay, context.environment, key="replay")
        if not path.is_file():
            hint = "paths are relative to the suite file; `evalwright export RUN --output FILE` writes one"
            raise config_error(f"there is no file `{self.replay}`", key="replay", hint=hint)
        return Transcripts(path)


class _Turn(msgspec.Struct, frozen=True, kw_only=True):
    """A message of a script."""

    role: str = "user"
    content: str | list[Any]
    new_session: bool = False


class DialogueTarget(WrappedTarget):
    """Talks to a target as a user would.

    A failed turn fails the conversation, and another attempt begins it anew. The time limit of a case covers all its
    turns; a rate limit of the target counts the case once.

    Args:
        inner: The target that answers.
        options: How it is sent the turns.
        user: The simulated user; None when there is none.
        transcripts: Conversations to play again; None to make new ones.
    """

    def __init__(
        self,
        inner: Target,
        options: DialogueTargetOptions,
        *,
        user: SimulatedUser | None = None,
        transcripts: Transcripts | None = None,
    ) -> None:
        super().__init__(inner)
        self.options = options
        self.user = user
        self.transcripts = transcripts
        hidden = frozenset({options.turns, *(USER_FIELDS if user or transcripts else ())})
        self._form = TurnForm(form=options.form, text=options.text, history=options.history, hidden=hidden)

    @property
    def needs_meter(self) -> bool:
        """Whether a model of the evaluation's own is asked: the simulated user's, or one of the target behind."""
        return self.user is not None or needs_meter(self.inner)

    def describe(self) -> dict[str, Json]:
        """The target that answers, how it is sent the turns, and who the user is."""
        how = {key: getattr(self.options, key) for key in ("turns", "form", "text", "history")}
        described = {"type": "dialogue", "target": self.inner.describe(), **how}
        if self.user is not None:
            described["user"] = self.user.describe()
        if self.transcripts is not None:
            described["replay"] = self.transcripts.describe()
        return described

    def expected_spending(self, shown_tokens: float) -> tuple[float, float, float]:
        """Calls, tokens and money the simulated user will probably take in one conversation."""
        return (0.0, 0.0, 0.0) if self.user is None else self.user.expected_spending(shown_tokens)

    async def open(self) -> None:
        """Open the target that answers, and the user's connection."""
        await super().open()
        if self.user is not None:
            await self.user.client.open()

    async def close(self) -> None:
        """Close both."""
        await super().close()
        if self.user is not None:
            await self.user.client.close()

    async def respond(self, call: TargetCall) -> Output:
        """Have the conversation.

        Raises:
            TargetError: The case can't be played (kind `bad_input`), the user's model failed (`simulated_user`), or a
                turn failed; the message says which.
        """
        talk = Talk(self.inner, call, self._form)
        if self.transcripts is not None:
            return await self.transcripts.play(talk, call)
        if self.user is not None and not self._is_scripted(call.input):
            return await self.user.play(talk, call)
        return await self._play_script(talk, call)

    def _is_scripted(self, given: Json) -> bool:
        return isinstance(given, list) or (_is_object(given) and self.options.turns in given)

    async def _play_script(self, talk: Talk, call: TargetCall) -> Output:
        script = list(self._script(call.input))
        asked = sum(turn.role == "user" for turn in script)
        if not 0 < asked <= MOST_TURNS:
            raise TargetError(f"the script has {asked} user turns, not 1 to {MOST_TURNS}", kind="bad_input")
        for turn in script:
            if turn.role == "user":
                await talk.say(turn.content, new_session=turn.new_session)
            else:
                talk.put(turn.role, turn.content, new_session=turn.new_session)
        return talk.output()

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

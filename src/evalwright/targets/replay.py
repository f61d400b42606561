"""Conversations played again: the user's side from a record, without its model; the target answers anew."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from evalwright.core.case import Json
from evalwright.core.errors import TargetError
from evalwright.core.output import Output
from evalwright.core.target import TargetCall
from evalwright.targets.options import config_error
from evalwright.targets.rows import file_digest, format_of, read_rows
from evalwright.targets.talk import Talk

_SHOWN = 500
_ROLES = {"user", "assistant", "system"}


class Transcripts:
    """Recorded conversations by case and trial.

    A row has the id under `case_id` or `id`, the trial under `trial` (0 by default), and the messages under
    `output.messages` (rows of `evalwright export`) or `messages`.

    Args:
        path: JSONL, JSON, CSV or Parquet.

    Raises:
        ConfigError: The file can't be read, or holds no conversation.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._talks: dict[tuple[str, int], list[dict[str, Json]]] = {}
        for row in read_rows(path, format_of(path, None)):
            messages = _messages(row.values or {})
            identity = (row.values or {}).get("case_id", (row.values or {}).get("id"))
            if messages and identity is not None:
                self._talks[str(identity), _trial((row.values or {}).get("trial"))] = messages
        if not self._talks:
            hint = "export a run with conversations: `evalwright export RUN --output talks.jsonl`"
            raise config_error(f"`{path.name}` holds no conversation with a case's id", key="replay", hint=hint)

    def describe(self) -> dict[str, Json]:
        """The file by name and content."""
        return {"file": self.path.name, "sha256": file_digest(self.path), "conversations": len(self._talks)}

    async def play(self, talk: Talk, call: TargetCall) -> Output:
        """Say the user's recorded turns, whatever the target answers, and tell where it answers otherwise.

        Raises:
            TargetError: There is no record of the case (kind `missing`), or the target failed.
        """
        recorded = self._talks.get((call.case_id, call.trial), self._talks.get((call.case_id, 0)))
        if recorded is None:
            raise TargetError(f"{self.path.name} has no conversation of case `{call.case_id}`", kind="missing")
        found = _Comparison()
        for message, former in _turns(recorded):
            new_session = message.get("new_session") is True
            if message["role"] != "user":
                talk.put(message["role"], message["content"], new_session=new_session)
                continue
            output = await talk.say(message["content"], new_session=new_session)
            found.add(former, output)
        if not talk.outputs:
            raise TargetError(f"the recorded conversation of `{call.case_id}` has no user turn", kind="bad_input")
        return talk.output({"replay": msgspec.to_builtins(found.result())})


class Replayed(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How an answered conversation compares with its record.

    Attributes:
        turns: User turns played.
        same: How many were answered as recorded (but for spaces).
        diverged_at: First turn, from 1, that was answered otherwise; after it the user's words may not fit any more.
        recorded: The recorded answer there, as far as it is shown.
        answered: The new one.
    """

    turns: int = 0
    same: int = 0
    diverged_at: int | None = None
    recorded: str = ""
    answered: str = ""


class _Comparison:
    def __init__(self) -> None:
        self._result = Replayed()

    def add(self, recorded: str | None, output: Output) -> None:
        """One more turn; a record without an answer to it can't be compared and counts as the same."""
        before = self._result
        same = recorded is None or recorded.split() == output.text.split()
        made = msgspec.structs.replace(before, turns=before.turns + 1, same=before.same + same)
        if not same and before.diverged_at is None:
            made = msgspec.structs.replace(
                made, diverged_at=made.turns, recorded=(recorded or "")[:_SHOWN], answered=output.text[:_SHOWN]
            )
        self._result = made

    def result(self) -> Replayed:
        return self._result


def _turns(messages: list[dict[str, Json]]) -> Iterator[tuple[dict[str, Json], str | None]]:
    """The messages the user's side gives, each user turn with the answer recorded after it.

    An answer directly after a user turn is the target's; any other stood in the script and is taken as it stands.
    """
    answered = False
    for place, message in enumerate(messages):
        if message["role"] == "assistant" and answered:
            answered = False
            continue
        following = messages[place + 1] if place + 1 < len(messages) else None
        answered = message["role"] == "user" and following is not None and following["role"] == "assistant"
        yield message, str(following["content"]) if answered and following is not None else None


def _messages(row: Mapping[str, Json]) -> list[dict[str, Json]]:
    output = row.get("output")
    found = output.get("messages") if isinstance(output, Mapping) else row.get("messages")
    if not isinstance(found, list) or not all(isinstance(m, dict) and m.get("role") in _ROLES for m in found):
        return []
    return [m for m in found if isinstance(m.get("content"), str | list)]


def _trial(value: Json) -> int:
    try:
        return int(value or 0)
    except (TypeError, ValueError):
        return 0

"""What an importer finds, one thing at a time, so that a file of a million rows needs little memory."""

from __future__ import annotations

import msgspec

from evalwright.core.case import BadRow, Case, Json
from evalwright.core.output import Output


class Answer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a system answered to a case, as the other tool kept it.

    Attributes:
        id: Id of the case.
        output: The answer.
        trial: Number of the repetition, from 0.
        variant: Which system and prompt, where the file holds several; empty where it holds one.
        scores: The other tool's verdicts by name: numbers, true or false, or words.
        error: Why there is no answer; None when there is one.
    """

    id: str
    output: Output
    trial: int = 0
    variant: str = ""
    scores: dict[str, Json] = {}
    error: str | None = None


class Label(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a person said about a case or an answer.

    Attributes:
        id: Id of the case.
        name: What was asked: the control or the metric.
        value: What was said.
        reviewer: Who said it, as the other tool names people; empty when it does not.
        comment: The reason given.
    """

    id: str
    name: str
    value: Json
    reviewer: str = ""
    comment: str = ""


class Check(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A grader or assertion of the other tool, and the scorer that does the same here.

    Attributes:
        name: Name of the metric.
        kind: What the other tool calls it.
        scorer: Name of the scorer; None when there is none.
        options: Options of the scorer.
        per_case: Whether the expected value stands in the case, so that the scorer passes over cases without one. A
            check that is not applies to every case or can't be written in a suite.
        reason: Why there is no scorer, or in which way it differs.
    """

    name: str
    kind: str
    scorer: str | None = None
    options: dict[str, Json] = {}
    per_case: bool = False
    reason: str = ""


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """Figures the file itself states or that are counted from its rows, by name."""

    values: dict[str, Json]


class TargetHint(msgspec.Struct, frozen=True, kw_only=True):
    """The system under test as the other tool's file describes it, as a `target` of a suite file."""

    target: dict[str, Json]


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """Something a person should know: what was left out, guessed or not found."""

    text: str


class Mapping(msgspec.Struct, frozen=True, kw_only=True):
    """Which column feeds which field of a case, as it was asked for or guessed."""

    fields: dict[str, Json]


Item = Case | BadRow | Answer | Label | Check | Figures | TargetHint | Mapping | Note

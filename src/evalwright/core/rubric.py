"""A rubric: the written scale people and judges mark by, the same for both."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from evalwright.core.identity import content_hash


class RubricScale(StrEnum):
    """What the order of the levels means, and so which agreement coefficient fits."""

    NOMINAL = "nominal"
    """Names only."""
    ORDINAL = "ordinal"
    """From worst to best."""
    INTERVAL = "interval"
    """From worst to best, and the distances of the values mean something."""


class RubricLevel(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One level of the scale.

    Attributes:
        name: What a reviewer or a judge answers.
        value: The score it gives.
        anchor: When this level is right, in a sentence or two.
    """

    name: str
    value: float
    anchor: str = ""


class RubricExample(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A marked example.

    Attributes:
        input: The question.
        output: The answer.
        level: Name of the right level.
        reason: Why.
    """

    output: str
    level: str
    input: str = ""
    reason: str = ""


class Rubric(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is asked of an answer and how it is marked.

    Attributes:
        name: Name of the rubric; the metric's name unless a suite gives another.
        criterion: The question to answer about each answer.
        levels: The levels, worst first; at least two.
        version: Version as its author gives it.
        scale: What the order of the levels means.
        pass_from: Name of the lowest level with which a row passes; None when the rubric gives no row verdict.
        notes: Further guidance: what does not count, how to treat special cases.
        examples: Marked examples.
    """

    name: str
    criterion: str
    levels: tuple[RubricLevel, ...]
    version: str = "1"
    scale: RubricScale = RubricScale.ORDINAL
    pass_from: str | None = None
    notes: str = ""
    examples: tuple[RubricExample, ...] = ()

    @property
    def digest(self) -> str:
        """Content hash: changes with every word a judge or a reviewer sees."""
        return content_hash(self)

    @property
    def names(self) -> tuple[str, ...]:
        """The levels' names, worst first."""
        return tuple(level.name for level in self.levels)

    @property
    def low(self) -> float:
        """Smallest value of a level."""
        return min(level.value for level in self.levels)

    @property
    def high(self) -> float:
        """Largest value of a level."""
        return max(level.value for level in self.levels)

    def level(self, name: str) -> RubricLevel:
        """The level of a name.

        Raises:
            KeyError: There is none.
        """
        for level in self.levels:
            if level.name == name:
                return level
        raise KeyError(f"no level {name!r}; there are: {', '.join(self.names)}")

    def passes(self, name: str) -> bool | None:
        """Whether a row of this level passes; None when the rubric gives no row verdict.

        Example:
            >>> made = yes_no("polite", "Is the answer polite?")
            >>> made.passes("yes"), made.passes("no")
            (True, False)
        """
        if self.pass_from is None:
            return None
        return self.names.index(name) >= self.names.index(self.pass_from)


def yes_no(name: str, criterion: str) -> Rubric:
    """The smallest rubric: a question answered by yes (1, passes) or no (0)."""
    levels = (
        RubricLevel(name="no", value=0.0, anchor="The criterion is not met, or only in part."),
        RubricLevel(name="yes", value=1.0, anchor="The criterion is met."),
    )
    return Rubric(name=name, criterion=criterion, levels=levels, pass_from="yes")  # noqa: S106  a level, no password

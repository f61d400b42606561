"""Labels and scores brought to the same words, so that they can be compared."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from evalwright.core.errors import UsageError
from evalwright.core.rubric import Rubric, RubricScale
from evalwright.core.score import Score
from evalwright.services.labels import as_truth

PASS, FAIL = "pass", "fail"
PAIRWISE = ("loss", "tie", "win")


@dataclass(frozen=True, slots=True)
class Scale:
    """How labels and scores are brought to the same words.

    Attributes:
        names: Levels from worst to best; `fail` and `pass` where labels are row verdicts; empty for free categories.
        ordered: Whether the order means something.
        rubric: The rubric whose levels they are, where there is one.
    """

    names: tuple[str, ...]
    ordered: bool = False
    rubric: Rubric | None = None

    def label(self, text: str) -> tuple[str, bool | None]:
        """A label's level, and whether the row passes by it.

        Raises:
            UsageError: It is none of the levels.
        """
        if self.names == (FAIL, PASS) and (truth := _truth(text, self.rubric)) is not None:
            return (PASS if truth else FAIL), truth
        if not self.names:
            return text, None
        name = _level(text, self.names, self.rubric)
        if name is None:
            raise UsageError(
                f"the label `{text}` is none of {', '.join(self.names)}", hint="use a level's name, or pass and fail"
            )
        return name, self._passes(name)

    def value(self, name: str) -> float | None:
        """The value of a level; None where levels have none."""
        if self.names == (FAIL, PASS):
            return float(name == PASS)
        if self.rubric is not None and name in self.rubric.names:
            return self.rubric.level(name).value
        return {"loss": 0.0, "tie": 0.5, "win": 1.0}.get(name)

    def verdict(self, score: Score, metric: str) -> tuple[str, bool | None]:
        """A score's level, and whether the row passes by it.

        Raises:
            UsageError: The scorer gives neither a category nor a row verdict.
        """
        passed = score.passed if score.passed is not None else _as_passed(score.value)
        if self.names == (FAIL, PASS):
            if passed is None:
                hint = "set `threshold` for it in the suite, so that its rows pass or fail"
                raise UsageError(f"`{metric}` gives no row verdict to compare with labels", hint=hint)
            return (PASS if passed else FAIL), passed
        name = score.label if score.label is not None else str(score.value)
        return name, self._passes(name) if self.names else None

    def _passes(self, name: str) -> bool | None:
        if self.rubric is not None:
            return self.rubric.passes(name)
        return {"win": True, "loss": False}.get(name)


def scale_for(scorer: Any, labels: Iterable[str]) -> Scale:
    """The scale labels and scores are compared on: levels when all labels are levels, else pass and fail.

    Args:
        scorer: The scorer; a judge has a `rubric`.
        labels: The labels that occur.
    """
    given = set(labels)
    found = getattr(scorer, "rubric", None)
    rubric = found if isinstance(found, Rubric) else None
    if scorer is not None and scorer.describe().get("judge") == "pairwise":
        return Scale(PAIRWISE, ordered=True)
    if rubric is not None and all(_level(label, rubric.names, rubric) for label in given):
        return Scale(rubric.names, ordered=rubric.scale is not RubricScale.NOMINAL, rubric=rubric)
    if all(_truth(label, rubric) is not None for label in given):
        return Scale((FAIL, PASS), rubric=rubric)
    return Scale(rubric.names if rubric else (), rubric=rubric)


def _level(text: str, names: Sequence[str], rubric: Rubric | None) -> str | None:
    for name in names:
        if name.casefold() == text.casefold():
            return name
    if rubric is not None:
        matching = [level.name for level in rubric.levels if _number(text) == level.value]
        return matching[0] if len(matching) == 1 else None
    return None


def _truth(text: str, rubric: Rubric | None) -> bool | None:
    if rubric is not None and (name := _level(text, rubric.names, rubric)) is not None:
        return rubric.passes(name)
    return as_truth(text)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _as_passed(value: float | None) -> bool | None:
    return bool(value) if value in (0.0, 1.0) else None

"""Code that judges an output: one protocol, one context object, and a decorator for short ones."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

import msgspec

from evalwright.core.case import Case, Json
from evalwright.core.output import Output
from evalwright.core.score import Score


class ScoreKind(StrEnum):
    """How a metric is made from its rows, and so which interval is right."""

    PROPORTION = "proportion"
    """Each row is 0 or 1; the metric is their share."""
    MEAN = "mean"
    """Each row is a number; the metric is their mean."""
    QUANTITY = "quantity"
    """A measured amount such as seconds or dollars: mean and percentiles."""
    CORPUS = "corpus"
    """A function of statistics summed over rows (`Scorer.aggregate`), such as corpus BLEU."""


class ScoreInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What a reader must know about a scorer's numbers.

    Attributes:
        name: Name of the metric.
        version: Changes whenever the same output may score differently.
        kind: How rows become a metric.
        low: Smallest possible value, None when unbounded.
        high: Largest possible value, None when unbounded.
        higher_is_better: Direction; None when neither (length).
        unit: `""` for shares and scores, `s`, `USD`, `tokens`, …
    """

    name: str
    version: str = "1"
    kind: ScoreKind = ScoreKind.MEAN
    low: float | None = 0.0
    high: float | None = 1.0
    higher_is_better: bool | None = True
    unit: str = ""


class ScoreContext(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a scorer may look at: the case with what is expected, the output, and which trial it is.

    Attributes:
        case: The case, private metadata included.
        output: What the target answered.
        trial: Which repetition, from 0.
        services: Named helpers given by the run (e.g. a judge's model client); empty for rule scorers.
    """

    case: Case
    output: Output
    trial: int = 0
    services: dict[str, Any] = {}


@runtime_checkable
class Scorer(Protocol):
    """The protocol of a scorer. `score` may be a plain or an async function; it may raise, which is recorded.

    A scorer of kind `corpus` also has `aggregate(sums)`: it takes an array of shape (..., k), the sums of
    `Score.stats` over rows, and returns an array of shape (...), the metric.
    """

    @property
    def info(self) -> ScoreInfo:
        """Name, version, range and direction."""
        ...

    def score(self, ctx: ScoreContext) -> Score | Awaitable[Score]:
        """Judge one output."""
        ...

    def describe(self) -> dict[str, Json]:
        """Options that decide the scores, for the manifest and for hashes."""
        ...


ScoreFunction = Callable[[ScoreContext], Score | bool | float | Awaitable[Score | bool | float]]


class FunctionScorer:
    """A scorer made from a function by `@scorer`; a bool or a number it returns becomes a `Score`."""

    def __init__(self, function: ScoreFunction, info: ScoreInfo) -> None:
        self.function = function
        self.__doc__ = function.__doc__
        self.__name__ = info.name
        self._info = info
        self._source = _source_of(function)

    @property
    def info(self) -> ScoreInfo:
        """Name, version, range and direction as declared."""
        return self._info

    def score(self, ctx: ScoreContext) -> Score | Awaitable[Score]:
        """Call the function and take what it returns as a score."""
        result = self.function(ctx)
        if inspect.isawaitable(result):
            return _awaited(result)
        return as_score(result)

    def describe(self) -> dict[str, Json]:
        """The function's own source, so that a changed body changes the hash even if the version was forgotten."""
        return {"function": getattr(self.function, "__qualname__", self._info.name), "source": self._source}

    def __repr__(self) -> str:
        return f"scorer({self._info.name!r}, version={self._info.version!r})"


def _source_of(function: Any) -> str:
    try:
        return inspect.getsource(function)
    except (OSError, TypeError):
        return ""


async def _awaited(result: Awaitable[Any]) -> Score:
    return as_score(await result)


def as_score(result: object) -> Score:
    """Take a scorer's return value as a score.

    Raises:
        TypeError: It is neither a `Score`, a bool nor a number.
        ValueError: It is NaN or infinite.
    """
    if isinstance(result, Score):
        return result
    if isinstance(result, (bool, int, float)):
        return Score.of(result)
    raise TypeError(f"a scorer must return a Score, a bool or a number, not {type(result).__name__}")


def scorer(
    name: str,
    *,
    version: str = "1",
    kind: str = "auto",
    low: float | None = 0.0,
    high: float | None = 1.0,
    higher_is_better: bool | None = True,
    unit: str = "",
) -> Callable[[ScoreFunction], FunctionScorer]:
    """Make a scorer of a function that takes a `ScoreContext`.

    Args:
        name: Name of the metric.
        version: Change it whenever the same output may score differently.
        kind: `proportion`, `mean` or `quantity`; `auto` treats a metric whose rows are all 0 or 1 as a proportion.
        low: Smallest possible value, None when unbounded.
        high: Largest possible value, None when unbounded.
        higher_is_better: Direction of the metric; None when neither.
        unit: Unit of the value.

    Example:
        >>> @scorer("polite", version="1")
        ... def polite(ctx: ScoreContext) -> Score:
        ...     return Score.of("please" in ctx.output.text.lower(), reason="looked for 'please'")
        >>> polite.info.name
        'polite'
    """
    declared = ScoreKind.MEAN if kind == "auto" else ScoreKind(kind)
    info = ScoreInfo(
        name=name, version=version, kind=declared, low=low, high=high, higher_is_better=higher_is_better, unit=unit
    )
    return lambda function: FunctionScorer(function, info)


class BoundScorer(msgspec.Struct, frozen=True, kw_only=True):
    """A scorer as a suite uses it.

    Attributes:
        scorer: The scorer.
        metric: Name of its metric in this suite (unique).
        weight: Share in the metric `overall`; None when it has none.
        negate: Turn the verdict round: value v becomes low + high - v, passed becomes failed.
        severity: `block`, `high`, `medium`, `low` or None, for reports and gates.
        threshold: Value from which a row passes, where the scorer gives no row verdict itself.
    """

    scorer: Any
    metric: str
    weight: float | None = None
    negate: bool = False
    severity: str | None = None
    threshold: float | None = None

    @property
    def info(self) -> ScoreInfo:
        """The scorer's own information."""
        info: ScoreInfo = self.scorer.info
        return info

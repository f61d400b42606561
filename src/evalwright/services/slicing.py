"""Slices and filters of a run: from expressions in a suite to the values each case has."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from evalwright.analysis.figures import value_text
from evalwright.analysis.frame import Slicer
from evalwright.core.case import Case, Json
from evalwright.core.errors import UsageError
from evalwright.core.suite import SliceSpec
from evalwright.expressions import Expression, case_view, compile_expression

LONG_VALUE = 80
"""A slice value longer than this is cut in names."""


def slicers(specs: Mapping[str, SliceSpec]) -> dict[str, Slicer]:
    """A function per slice that tells the values a case has.

    Raises:
        ExpressionError: An expression can't be read.
        UsageError: A slice has neither `by` nor `when`.
    """
    return {name: _slicer(name, spec) for name, spec in specs.items()}


def _slicer(name: str, spec: SliceSpec) -> Slicer:
    if spec.when is not None:
        return _when(compile_expression(spec.when))
    if spec.by is None:
        raise UsageError(f"the slice `{name}` has neither `by` nor `when`")
    return _by(compile_expression(spec.by))


def _when(expression: Expression) -> Slicer:
    def values(case: Case, /) -> tuple[str, ...]:
        return ("true",) if expression.truth(case_view(case)) else ()

    return values


def _by(expression: Expression) -> Slicer:
    def values(case: Case, /) -> tuple[str, ...]:
        return slice_texts(expression.value(case_view(case)))

    return values


def slice_texts(value: Json) -> tuple[str, ...]:
    """Names of the subsets a value puts a case into: one for a scalar, several for a list, none for null."""
    if value is None or isinstance(value, dict):
        return ()
    if isinstance(value, list | tuple):
        return tuple(dict.fromkeys(text for item in value for text in slice_texts(item)))
    text = value_text(value)
    return (text if len(text) <= LONG_VALUE else text[: LONG_VALUE - 1] + "…",)


def case_slices(specs: Mapping[str, SliceSpec]) -> Callable[[Case], dict[str, tuple[str, ...]]]:
    """The function that tells which values of which slices a case has, for reports."""
    found = slicers(specs)

    def values(case: Case) -> dict[str, tuple[str, ...]]:
        return {name: texts for name, slicer in found.items() if (texts := slicer(case))}

    return values


def case_filter(text: str) -> Callable[[Case], bool]:
    """The function a filter expression stands for; a case it has no value for is left out.

    Raises:
        ExpressionError: The text is no expression.
    """
    expression = compile_expression(text)
    return lambda case: expression.truth(case_view(case))

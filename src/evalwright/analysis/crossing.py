"""Slices and their combinations as sets of cases."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from evalwright.analysis.frame import CaseFrame, IntArray
from evalwright.core.errors import UsageError

SIGN = "&"
"""What joins slice names in a combination: `locale & tier`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceCases:
    """The cases of one slice.

    Attributes:
        dimension: Name of the slice, or of the combination: `locale & tier`.
        label: Name of the value: `locale=de & tier=1`.
        members: Case indices, ascending.
    """

    dimension: str
    label: str
    members: IntArray


def slice_cases(frame: CaseFrame, combinations: Sequence[str] = ()) -> list[SliceCases]:
    """Every value of every slice, then those of the combinations asked for.

    Args:
        frame: The cases.
        combinations: Slice names joined by `&`.

    Raises:
        UsageError: A combination names a slice that does not exist.
    """
    found = [
        SliceCases(dimension=name, label=f"{name}={value}", members=members)
        for name, by in frame.slices.items()
        for value, members in by.items()
    ]
    for text in combinations:
        found.extend(crossed(frame, text))
    return found


def crossed(frame: CaseFrame, text: str) -> Iterator[SliceCases]:
    """The non-empty values of a combination such as `locale & tier`; one name alone is that slice.

    Raises:
        UsageError: It names a slice that does not exist.
    """
    names = dimension_names(text, frame)
    parts = [("", np.arange(frame.size, dtype=np.int64))]
    for name in names:
        parts = [
            (f"{label} {SIGN} {name}={value}" if label else f"{name}={value}", shared)
            for label, members in parts
            for value, others in frame.slices[name].items()
            if len(shared := np.intersect1d(members, others, assume_unique=True))
        ]
    dimension = f" {SIGN} ".join(names)
    return (SliceCases(dimension=dimension, label=label, members=members) for label, members in parts)


def dimension_names(text: str, frame: CaseFrame) -> list[str]:
    """The slice names of a combination.

    Raises:
        UsageError: One does not exist.
    """
    names = [name.strip() for name in text.split(SIGN) if name.strip()]
    for name in names or [text]:
        if name not in frame.slices:
            known = ", ".join(frame.slices) or "none; declare them in the suite: `slices: { locale: metadata.locale }`"
            raise UsageError(f"there is no slice `{name}`", hint=f"the slices are: {known}")
    return names

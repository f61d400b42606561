"""How many cases would decide a rule that is still open."""

from __future__ import annotations

import math

MOST = 10_000_000
"""Above so many cases the answer is of no use to anybody."""


def cases_needed(
    n: int, value: float | None, bounds: tuple[float | None, float | None], threshold: float
) -> int | None:
    """Cases in all at which the bounds, shrinking with 1/√n, would probably leave the threshold outside.

    Args:
        n: Cases so far.
        value: The figure so far.
        bounds: Its lower and upper confidence bound; None where there is none.
        threshold: What the figure is held against.

    Returns:
        The number, more than `n`; None when the figure sits on the threshold or the number is past all reason.

    >>> cases_needed(100, 0.93, (0.88, 0.97), 0.9)
    278
    """
    if value is None or value == threshold:
        return None
    side = bounds[0] if value > threshold else bounds[1]
    if side is None:
        return None
    ratio = (value - side) / (value - threshold)
    needed = math.ceil(n * ratio * ratio)
    return max(needed, n + 1) if needed < MOST else None

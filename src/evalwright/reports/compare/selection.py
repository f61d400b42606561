"""Which cases of a comparison a report shows."""

from __future__ import annotations

from collections.abc import Sequence

from evalwright.core.comparison import Flip, PairComparison
from evalwright.reports.compare.words import telling_flips

WORSE_SHARE = 2 / 3
"""Part of the room kept for cases that got worse."""


def shown_ids(pair: PairComparison, limit: int) -> list[str]:
    """Ids of the cases shown: got worse first, largest change first, then got better; at most `limit`."""
    flips = telling_flips(pair)
    worse = _ids([flip for one in flips for flip in one.broken])
    better = [case_id for case_id in _ids([flip for one in flips for flip in one.fixed]) if case_id not in set(worse)]
    room = max(limit - len(better), round(limit * WORSE_SHARE))
    kept = worse[:room]
    return [*kept, *better[: limit - len(kept)]]


def _ids(flips: Sequence[Flip]) -> list[str]:
    return list(dict.fromkeys(flip.case_id for flip in flips))


def flips_by_case(pair: PairComparison) -> dict[str, list[Flip]]:
    """What moved on each listed case; the row verdict first."""
    found: dict[str, list[Flip]] = {}
    for one in pair.flips:
        for flip in (*one.broken, *one.fixed):
            found.setdefault(flip.case_id, []).append(flip)
    return found


def changed_count(pair: PairComparison) -> int:
    """How many cases changed at all: by the row verdict where there is one, else on the metric with most changes."""
    flips = telling_flips(pair)
    if flips and flips[0].metric == "":
        return flips[0].fixed_count + flips[0].broken_count
    return max((one.fixed_count + one.broken_count for one in flips), default=0)

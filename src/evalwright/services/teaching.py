"""Which answers people should label next."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable

from evalwright.core.identity import short_hash

WANTED = 20
"""Cases named."""

Candidate = tuple[str, str, bool | None, bool]
"""Id, verdict, the truth of its row (None without a label), whether it has a label."""


def teach_most(candidates: Iterable[Candidate], *, wanted: int = WANTED) -> tuple[str, ...]:
    """Unlabelled cases whose labels would narrow the corrected figure most.

    Labels are shared out among the verdicts by Neyman's rule (share of the verdict times the standard deviation of
    the truth within it, smoothed by one label of each kind), less what each has already; within a verdict the cases
    are drawn at random by their hash, so that the labels remain a random sample of each verdict and the corrected
    figure stays unbiased.

    Args:
        candidates: Judged cases, labelled ones included.
        wanted: How many to name.

    Source: Neyman 1934, J. R. Stat. Soc. 97:558 (optimum allocation).

    Example:
        >>> seen = [("a", "pass", True, True), ("b", "pass", None, False), ("c", "fail", None, False)]
        >>> sorted(teach_most(seen, wanted=2))
        ['b', 'c']
    """
    strata: dict[str, list[Candidate]] = defaultdict(list)
    for candidate in candidates:
        if candidate[1]:
            strata[candidate[1]].append(candidate)
    open_ids = {name: [c[0] for c in group if not c[3]] for name, group in strata.items()}
    if not any(open_ids.values()):
        return ()
    need = {name: len(group) * _spread(group) for name, group in strata.items()}
    have = {name: sum(c[3] for c in group) for name, group in strata.items()}
    for ids in open_ids.values():
        ids.sort(key=lambda key: short_hash(["label next", key]))
    chosen: list[str] = []
    while len(chosen) < wanted:
        left = [name for name, ids in open_ids.items() if ids]
        if not left:
            break
        name = max(left, key=lambda n: (need[n] / (have[n] + 1), n))
        chosen.append(open_ids[name].pop(0))
        have[name] += 1
    return tuple(chosen)


def _spread(group: list[Candidate]) -> float:
    known = [c[2] for c in group if c[3] and c[2] is not None]
    rate = (sum(known) + 1.0) / (len(known) + 2.0)
    return math.sqrt(rate * (1.0 - rate))

"""Which cases of a dataset a run works on."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from evalwright.core.case import Case
from evalwright.core.errors import UsageError
from evalwright.core.run import RunSettings
from evalwright.store.cases import CaseFile, IndexArray

Predicate = Callable[[Case], bool]


def select(cases: CaseFile, settings: RunSettings, predicate: Predicate | None = None) -> IndexArray:
    """Indices of the cases to work on, ascending.

    First the tags (a case with one of them stays), then the predicate, then a random sample of `settings.limit` drawn
    with `settings.seed`: the same cases for the same seed and data.

    Args:
        cases: The dataset.
        settings: `tags`, `limit` and `seed` are looked at.
        predicate: What `settings.filter` says, as a function; None for no filter.

    Raises:
        UsageError: No case is left, or `limit` is below 1; what the predicate raises comes through.
    """
    if settings.limit is not None and settings.limit < 1:
        raise UsageError(f"the limit must be at least 1, not {settings.limit}")
    chosen = np.arange(len(cases), dtype=np.int64)
    if settings.tags or predicate is not None:
        wanted = frozenset(settings.tags)
        kept = (n for n, case in enumerate(cases) if _stays(case, wanted, predicate))
        chosen = np.fromiter(kept, dtype=np.int64)
    if not len(chosen):
        raise UsageError(_none_left(settings), hint=f"the dataset has {len(cases):,} cases")
    if settings.limit is not None and settings.limit < len(chosen):
        chosen = np.sort(np.random.default_rng(settings.seed).choice(chosen, size=settings.limit, replace=False))
    return chosen


def _stays(case: Case, tags: frozenset[str], predicate: Predicate | None) -> bool:
    return (not tags or not tags.isdisjoint(case.tags)) and (predicate is None or predicate(case))


def _none_left(settings: RunSettings) -> str:
    asked = []
    if settings.tags:
        asked.append(f"one of the tags {', '.join(settings.tags)}")
    if settings.filter:
        asked.append(f"`{settings.filter}` true")
    return f"no case has {' and '.join(asked) or 'what was asked for'}"

"""The cases of a run in pages, filtered and sorted by anything."""

from __future__ import annotations

import msgspec

from evalwright.services.browsing.browser import Browser
from evalwright.services.browsing.paging import Page, checked_limit, next_cursor, offset_of
from evalwright.store.browse_query import ListedUnit, UnitFilter, find_units


def list_cases(
    browser: Browser, run_id: str, wanted: UnitFilter, *, cursor: str | None = None, limit: int = 50
) -> Page[ListedUnit]:
    """Units of a run, one row a case and trial; those of a running run are at most some seconds old.

    Raises:
        UsageError: There is no such run; a condition, order or cursor can't be used.
        StoreError: The run can't be read.
    """
    run = browser.run(run_id)
    question = [run_id, msgspec.to_builtins(wanted)]
    offset = offset_of(cursor, question)
    found = find_units(browser.pool, run.index, wanted, offset=offset, limit=checked_limit(limit))
    return Page(items=found.items, total=found.total, next=next_cursor(offset, len(found.items), found.total, question))

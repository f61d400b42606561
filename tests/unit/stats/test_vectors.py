"""Every entry of the shared test vectors is checked, or named with the reason why not."""

from __future__ import annotations

import pytest

from .vector_checks import NOT_APPLICABLE, check_for, entries, measures, one_run, reason_to_skip, two_runs

ENTRIES = entries()
RUN = [(name, entry) for name, entry in ENTRIES if reason_to_skip(name) is None]


@pytest.mark.shared
@pytest.mark.skipif(not ENTRIES, reason="reference data not present: stats/vectors (set EVALWRIGHT_SHARED)")
def test_every_entry_is_accounted_for():
    assert {one_run, two_runs, measures}
    unknown = [name for name, _ in RUN if check_for(name) is None]
    assert unknown == []
    assert len(RUN) > 0.85 * len(ENTRIES)
    assert all(NOT_APPLICABLE.values())


@pytest.mark.shared
@pytest.mark.parametrize("entry", [pytest.param(entry, id=name) for name, entry in RUN])
def test_vector(entry, request):
    check = check_for(request.node.callspec.id)
    assert check is not None
    check(entry)

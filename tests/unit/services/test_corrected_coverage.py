"""Intervals of corrected figures hold the truth where those of raw figures do not."""

import pytest

from benchmarks.corrected import SCENARIOS, coverage


@pytest.mark.slow
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_coverage(scenario):
    found = coverage(scenario, 600)
    assert found.corrected >= 0.925
    assert found.raw < found.corrected - 0.2
    assert found.refused <= 12  # a judge little better than chance looks useless in some draws

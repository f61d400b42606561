"""Planning: the published sizes, clusters and trials, and what the planner says when nothing can be seen."""

import math

import numpy as np
import pytest

from evalwright.analysis.planning import PowerSettings, Variation, clustering, detectable, power_row, trial_variance
from evalwright.stats import mcnemar_cases, noninferiority_cases
from tests.unit.analysis.test_comparing import column


@pytest.mark.parametrize(("n", "changed", "seen"), [(200, 0.10, 0.062), (500, 0.10, 0.040), (1000, 0.20, 0.040)])
def test_verdicts_see_what_the_table_says(n, changed, seen):
    found = Variation(metric="m", n=n, changed=changed, variance=changed, share=True)
    assert detectable(found, PowerSettings()) == pytest.approx(seen, abs=6e-4)


def test_cases_for_a_difference_and_for_no_worse():
    row = power_row(Variation(metric="m", n=200, changed=0.1, share=True), PowerSettings(difference=0.03))
    assert row.needed == math.ceil(mcnemar_cases(0.1, 0.03)) == 870
    assert row.needed_no_worse == math.ceil(noninferiority_cases(0.1, 0.03))
    assert row.basis == "assumed"


def test_clusters_cost_cases():
    plain = power_row(Variation(metric="m", n=400, changed=0.1, share=True), PowerSettings(difference=0.03))
    shared = power_row(
        Variation(metric="m", n=400, changed=0.1, share=True, design_effect=2.0), PowerSettings(difference=0.03)
    )
    assert shared.needed == pytest.approx(2 * plain.needed, abs=1)
    assert shared.detectable > 1.3 * plain.detectable


def test_trials_help_as_far_as_the_systems_own_noise():
    noisy = Variation(metric="m", n=100, variance=0.10, within=0.08, share=True)
    row = power_row(noisy, PowerSettings())
    assert row.noise == pytest.approx(0.8)
    assert row.double_trials == pytest.approx(row.detectable * math.sqrt((0.02 + 0.04) / 0.10))
    assert row.double_cases == pytest.approx(row.detectable / math.sqrt(2))
    assert row.best_trials == pytest.approx(2.0)
    dear = power_row(noisy, PowerSettings(case_cost=9.0))
    assert dear.best_trials == pytest.approx(6.0)


def test_a_fixed_set_of_trials_has_no_noise_to_take_out():
    row = power_row(Variation(metric="m", n=100, variance=0.1, share=True), PowerSettings())
    assert (row.noise, row.double_trials, row.best_trials) == (None, None, None)


def test_too_few_cases_see_nothing():
    assert power_row(Variation(metric="m", n=5, changed=0.1), PowerSettings()).detectable is None
    assert power_row(Variation(metric="m", n=50, variance=0.0), PowerSettings()).detectable is None


def test_variance_between_trials_and_clusters_of_a_column():
    assert trial_variance(column([1, 0, 1])) is None
    repeated = column([1, 0, 1, 1], kind="mean")
    repeated = type(repeated)(
        record=repeated.record, case=np.array([0, 0, 1, 1]), value=repeated.value, error=repeated.error
    )
    assert trial_variance(repeated) == pytest.approx(0.25)
    values = np.repeat([0.0, 1.0] * 5, 4)
    assert clustering(values, np.repeat(np.arange(10), 4)) == pytest.approx(4.3, abs=0.5)
    assert clustering(values, None) == 1.0
    assert clustering(values, np.repeat([0, 1], 20)) == 1.0

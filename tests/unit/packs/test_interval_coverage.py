"""By simulation: intervals of the success rate hold what they promise when attacks are tried several times."""

import numpy as np
import pytest

from evalwright.stats import estimate_mean

RUNS = 1_500


@pytest.mark.slow
@pytest.mark.parametrize(
    ("attacks", "tries", "a", "b", "kin"),
    [(40, 5, 0.5, 4.5, 1), (40, 5, 1, 2, 1), (100, 3, 0.3, 5.7, 1), (60, 4, 1, 4, 3), (200, 1, 0.5, 4.5, 4)],
)
def test_intervals_of_the_attack_success_rate_cover_it(attacks, tries, a, b, kin):
    """Beta-binomial attacks, `kin` of them sharing one rate; nominal 95 %, allowed 93 to 97."""
    rng = np.random.default_rng(1)
    truth = a / (a + b)
    case = np.repeat(np.arange(attacks), tries)
    covered = pooled = 0
    for _ in range(RUNS):
        rate = rng.beta(a, b, size=attacks // kin).repeat(kin)
        rows = (rng.random((attacks, tries)) < rate[:, None]).astype(float).ravel()
        found = estimate_mean(rows, kind="proportion", units=case, clusters=case // kin if kin > 1 else None)
        naive = estimate_mean(rows, kind="proportion")
        covered += found.low <= truth <= found.high
        pooled += naive.low <= truth <= naive.high
    assert 0.93 <= covered / RUNS <= 0.97
    assert pooled < covered, "pooling the tries as if they were independent promises too much"

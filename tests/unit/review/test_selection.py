"""Active selection: where labels go, and that the estimate stays unbiased."""

from __future__ import annotations

import numpy as np

from evalwright.review.selection import Candidate, choose_active, choose_random, strata_of
from evalwright.stats import StratumSummary, post_stratify


def whole(rng, n=2_000):
    """A judge that passes most, and is less sure to be right where it fails."""
    said = rng.random(n) < 0.85
    truth = np.where(said, rng.random(n) < 0.97, rng.random(n) < 0.5).astype(float)
    return [("pass" if s else "fail") for s in said], truth


def test_labels_go_where_the_truth_varies_most():
    rng = np.random.default_rng(1)
    strata, truth = whole(rng)
    known = {int(i) for i in rng.choice(len(strata), 100, replace=False)}
    cases = [Candidate(str(i), s, float(truth[i]) if i in known else None) for i, s in enumerate(strata)]
    chosen = choose_active(cases, 200, rng=rng)
    share = np.mean([strata[int(key)] == "fail" for key in chosen.keys])
    assert 0.2 < share < 0.6, "more than their 15 % of the cases"
    assert chosen.before is not None
    assert chosen.after is not None
    assert chosen.after < chosen.before
    influence = [chosen.influence[key] for key in chosen.keys]
    assert influence == sorted(influence, reverse=True)
    assert not known & {int(key) for key in chosen.keys}


def test_the_estimate_is_unbiased_and_narrower_than_at_random():
    rng = np.random.default_rng(2)
    strata, truth = whole(rng, 1_000)
    keys = [str(i) for i in range(len(strata))]
    sizes = {name: strata.count(name) for name in set(strata)}
    active, plain = [], []
    for _ in range(300):
        pilot = {int(i) for i in rng.choice(len(strata), 30, replace=False)}
        known = {k: float(truth[int(k)]) for k in keys if int(k) in pilot}
        cases = [Candidate(k, s, known.get(k)) for k, s in zip(keys, strata, strict=True)]
        picked = [int(k) for k in choose_active(cases, 70, rng=rng).keys] + sorted(pilot)
        groups = {name: [truth[i] for i in picked if strata[i] == name] for name in sizes}
        active.append(post_stratify({n: StratumSummary.of(v) for n, v in groups.items()}, sizes).value)
        plain.append(float(np.mean([truth[int(k)] for k in choose_random(keys, 100, rng=rng)])))
    assert abs(np.mean(active) - truth.mean()) < 0.005
    assert np.std(active) < 0.9 * np.std(plain)


def test_graded_scores_fall_into_fifths():
    names = strata_of([x / 100 for x in range(100)], [None] * 100)
    assert sorted({name: names.count(name) for name in names}.values()) == [20] * 5
    assert strata_of([0.3, None], ["good", None]) == ["good", ""]


def test_a_sample_larger_than_the_whole_is_the_whole():
    rng = np.random.default_rng(1)
    assert choose_random(["a", "b"], 5, rng=rng) == ["a", "b"]
    assert sorted(choose_active([Candidate("a", "x"), Candidate("b", "x")], 5, rng=rng).keys) == ["a", "b"]
    assert choose_active([Candidate("a", "x", 1.0)], 5, rng=rng).keys == ()

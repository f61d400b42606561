"""Simulated coverage and error rates: truth is known, so the promise of a method can be checked.

`python -m tests.unit.stats.simulations 2000` prints the table of docs/statistics.md.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from evalwright.stats import (
    Interval,
    JudgeConfusion,
    PairedCounts,
    adjust_p,
    asymptotic_cs,
    bernoulli_cs,
    betting_cs,
    bootstrap_corpus,
    bootstrap_mean,
    clopper_pearson,
    cluster_mean,
    compare_paired,
    estimate_at_k,
    estimate_mean,
    finite_look_levels,
    hypergeometric_interval,
    korn_graubard,
    krippendorff_alpha,
    logit_t,
    mcnemar,
    mcnemar_e_value,
    mean_skewed,
    mean_t,
    mmd_test,
    noninferiority_score,
    pass_at_k,
    pearson,
    post_stratified_judge,
    post_stratify,
    ppi_mean,
    quantile_interval,
    rating_counts,
    roc_auc,
    rogan_gladen_estimated,
    sequential_plan,
    sign_flip,
    subset_estimate,
    summarise_strata,
    tango,
    wald_paired,
    wilson,
)

Rng = np.random.Generator
Trial = Callable[[Rng], bool]


@dataclass(frozen=True)
class Scenario:
    """One thing to simulate.

    Attributes:
        name: what it is.
        kind: "coverage" (at least `target`) or "error" (at most `target`).
        target: the promised rate.
        slack: known shortfall, granted beyond simulation noise.
        trial: one simulation; True when the interval covered, or when an error was made.
        weight: share of the simulations to run (expensive ones run fewer).
    """

    name: str
    kind: str
    target: float
    trial: Trial
    slack: float = 0.0
    weight: float = 1.0


SCENARIOS: list[Scenario] = []


def coverage(name: str, *, target: float = 0.95, slack: float = 0.0, weight: float = 1.0):
    def register(trial: Trial) -> Trial:
        SCENARIOS.append(Scenario(name, "coverage", target, trial, slack, weight))
        return trial

    return register


def error(name: str, *, target: float = 0.05, slack: float = 0.0, weight: float = 1.0):
    def register(trial: Trial) -> Trial:
        SCENARIOS.append(Scenario(name, "error", target, trial, slack, weight))
        return trial

    return register


@coverage("Wilson, pass rate .9, 50 cases", slack=0.03)
def wilson_50(rng):
    return wilson(int(rng.binomial(50, 0.9)), 50).contains(0.9)


@coverage("Clopper-Pearson lower bound, .97, 100 cases")
def exact_bound(rng):
    return clopper_pearson(int(rng.binomial(100, 0.97)), 100, side="lower").contains(0.97)


@coverage("Student t, uniform grades, 10 cases")
def student_10(rng):
    return mean_t(rng.random(10)).contains(0.5)


@coverage("Student t, exponential latency, 50 cases", slack=0.025)
def student_skewed(rng):
    return mean_t(rng.exponential(size=50)).contains(1.0)


@coverage("Skew-corrected, exponential latency, 50 cases", slack=0.015)
def skewed_50(rng):
    return mean_skewed(rng.exponential(size=50)).contains(1.0)


@coverage("Skew-corrected, log-normal cost, 300 cases", slack=0.02)
def skewed_300(rng):
    return mean_skewed(np.exp(rng.normal(size=300))).contains(math.exp(0.5))


def clustered(rng: Rng, groups: int) -> tuple[np.ndarray, np.ndarray]:
    """Clusters of 1 to 8 cases whose pass rates are Beta(2.8, 1.2), weighted by size: mean .7."""
    sizes = rng.integers(1, 9, groups)
    rates = np.repeat(rng.beta(2.8, 1.2, groups), sizes)
    return (rng.random(len(rates)) < rates).astype(float), np.repeat(np.arange(groups), sizes)


def cluster_scenario(groups: int, method: Callable[..., Interval]) -> Trial:
    def trial(rng: Rng) -> bool:
        y, g = clustered(rng, groups)
        return method(y, g).contains(0.7)

    return trial


for _groups, _slack in ((10, 0.03), (30, 0.015)):
    coverage(f"CR2, clustered verdicts, {_groups} clusters", slack=_slack)(cluster_scenario(_groups, cluster_mean))
    coverage(f"Korn-Graubard, clustered verdicts, {_groups} clusters")(cluster_scenario(_groups, korn_graubard))
    coverage(f"Logit-t, clustered verdicts, {_groups} clusters", slack=_slack)(cluster_scenario(_groups, logit_t))


@coverage("Wilson as if independent, clustered verdicts, 30 clusters (wrong on purpose)", slack=0.2)
def ignoring_clusters(rng):
    y, _ = clustered(rng, 30)
    return wilson(int(y.sum()), len(y)).contains(0.7)


@coverage("estimate_mean, 30 cases x 3 trials, verdicts")
def repeated(rng):
    rates = rng.beta(4, 1, 30)
    y = (rng.random((30, 3)) < rates[:, None]).astype(float)
    return estimate_mean(y.ravel(), kind="proportion", units=np.repeat(np.arange(30), 3)).contains(0.8)


@coverage("pass@3 from 5 tries, 60 cases", weight=0.5)
def within_three(rng):
    rates = rng.beta(0.8, 1.2, 60)
    return estimate_at_k(rng.binomial(5, rates), np.full(60, 5), 3).contains(TRUE_PASS_AT_3)


_grid = (np.arange(20_000) + 0.5) / 20_000
_density = _grid**-0.2 * (1 - _grid) ** 0.2
TRUE_PASS_AT_3 = float(((1 - (1 - _grid) ** 3) * _density).sum() / _density.sum())
assert pass_at_k(3, 1, 3) == 1.0


@coverage("Order statistics, p95 of 300 latencies")
def percentile_95(rng):
    return quantile_interval(rng.exponential(size=300), 0.95).contains(-math.log(0.05))


@coverage("Order statistics with clusters (Woodruff), p90, 40 clusters x 8", slack=0.02)
def percentile_clustered(rng):
    x = np.repeat(rng.normal(size=40), 8) + rng.normal(size=320)
    return quantile_interval(x, 0.9, clusters=np.arange(320) // 8).contains(1.2815515655446 * math.sqrt(2))


def f1(sums):
    return 2 * sums[..., 0] / np.maximum(2 * sums[..., 0] + sums[..., 1] + sums[..., 2], 1e-9)


@coverage("Bootstrap percentile, F1 of 200 cases", slack=0.02, weight=0.5)
def f1_bootstrap(rng):
    cell = rng.choice(4, 200, p=[0.3, 0.1, 0.08, 0.52])
    rows = np.eye(4)[cell][:, :3]
    return bootstrap_corpus(rows, f1, rng=rng, resamples=1000).contains(0.6 / 0.78)


@coverage("Bootstrap BCa, exponential latency, 50 cases", slack=0.035, weight=0.5)
def bca_50(rng):
    return bootstrap_mean(rng.exponential(size=50), rng=rng, resamples=1000, kind="bca").contains(1.0)


@coverage("Cluster bootstrap, clustered verdicts, 30 clusters", slack=0.03, weight=0.5)
def cluster_bootstrap(rng):
    y, g = clustered(rng, 30)
    return bootstrap_mean(y, rng=rng, clusters=g, resamples=1000).contains(0.7)


def pairs(rng: Rng, n: int, changed: float, difference: float) -> PairedCounts:
    gained, lost, same = rng.multinomial(
        n, [(changed + difference) / 2, (changed - difference) / 2, 1 - changed]
    ).tolist()
    return PairedCounts(both=same, gained=gained, lost=lost, neither=0)


@coverage("Tango, 10 % changed, difference .05, 100 pairs", slack=0.005)
def tango_100(rng):
    return tango(pairs(rng, 100, 0.1, 0.05)).contains(0.05)


@coverage("Tango, 6 % changed, difference -.04, 50 pairs")
def tango_50(rng):
    return tango(pairs(rng, 50, 0.06, -0.04)).contains(-0.04)


@coverage("Wald, 6 % changed, difference -.04, 20 pairs (wrong on purpose)", slack=0.4)
def wald_20(rng):
    return wald_paired(pairs(rng, 20, 0.06, -0.04)).contains(-0.04)


@error("McNemar mid-p, 10 % changed, 200 pairs")
def mid_p_size(rng):
    return mcnemar(pairs(rng, 200, 0.1, 0.0)).p_value <= 0.05


@error("Sign flips, graded differences, 40 pairs", weight=0.5)
def sign_flip_size(rng):
    return sign_flip(rng.integers(-3, 4, 40)).p_value <= 0.05


@error("Paired t with CR2, 15 clusters", slack=0.02)
def paired_cluster_size(rng):
    g = np.arange(90) // 6
    shared = rng.normal(size=15)[g]
    r = compare_paired(rng.normal(size=90), rng.normal(size=90) + shared, clusters=g)
    return r.p_value <= 0.05


@error("Non-inferiority score test at the margin, 500 pairs", target=0.025)
def margin_size(rng):
    return noninferiority_score(pairs(rng, 500, 0.1, -0.03), 0.03).p_value <= 0.025


def stops(rng: Rng, levels: list[float], sizes: list[int]) -> bool:
    """Whether any look declares a pass although the truth lies exactly at the margin."""
    draws = rng.choice([1, -1, 0], sizes[-1], p=[0.035, 0.065, 0.9])
    for size, level in zip(sizes, levels, strict=True):
        seen = draws[:size]
        up, down = int((seen == 1).sum()), int((seen == -1).sum())
        c = PairedCounts(both=size - up - down, gained=up, lost=down, neither=0)
        if tango(c, level=level).low > -0.03:
            return True
    return False


LOOKS = [500, 1000, 1500, 2000]


@error("4 group-sequential looks (Lan-DeMets), paired rule at the margin", target=0.025, slack=0.004)
def four_looks(rng):
    plan = sequential_plan([n / LOOKS[-1] for n in LOOKS])
    return stops(rng, [plan.look_level(k) for k in range(4)], LOOKS)


@error("4 looks at ordinary 95 % intervals, paired rule at the margin (wrong on purpose)", target=0.025, slack=0.06)
def four_naive_looks(rng):
    return stops(rng, [0.95] * 4, LOOKS)


@error("Asymptotic confidence sequence, look every 25 of 1,000", target=0.05, slack=0.01, weight=0.25)
def sequence_25(rng):
    x = (rng.random(1000) < 0.8).astype(float)
    return any(not asymptotic_cs(x[:t], best_at=500).contains(0.8) for t in range(100, 1001, 25))


@error("Betting confidence sequence, look every 20 of 400", weight=0.15)
def betting_20(rng):
    x = (rng.random(400) < 0.9).astype(float)
    return any(not betting_cs(x[:t]).contains(0.9) for t in range(20, 401, 20))


@error("Betting confidence sequence without replacement, look every 20 of 300", weight=0.15)
def betting_finite(rng):
    x = rng.permutation(np.repeat([0.0, 0.5, 1.0], [40, 60, 200]))
    return any(not betting_cs(x[:t], population=300).contains(x.mean()) for t in range(20, 301, 20))


@error("Bernoulli confidence sequence, look every 10 of 500", weight=0.25)
def bernoulli_10(rng):
    passed = np.cumsum(rng.random(500) < 0.9)
    return any(not bernoulli_cs(int(passed[t - 1]), t).contains(0.9) for t in range(10, 501, 10))


@error("McNemar e-value reaching 20 at any of 2,000 pairs")
def e_value(rng):
    draws = rng.choice([1, -1, 0], 2000, p=[0.05, 0.05, 0.9])
    up, down = np.cumsum(draws == 1), np.cumsum(draws == -1)
    looks = np.flatnonzero(draws)
    return any(
        mcnemar_e_value(PairedCounts(both=0, gained=int(up[i]), lost=int(down[i]), neither=0)) >= 20 for i in looks
    )


@error("Hypergeometric looks at 100, 200, 300 of a 400-case suite")
def finite_looks(rng):
    suite = rng.permutation(np.repeat([0, 1], [30, 370]))
    levels = finite_look_levels([0.25, 0.5, 0.75])
    return any(
        not hypergeometric_interval(int(suite[:n].sum()), n, 400, level=level).contains(370 / 400)
        for n, level in zip((100, 200, 300), levels, strict=True)
    )


@error("Holm over 20 unchanged slices: any false alarm")
def holm_20(rng):
    p = [mcnemar(pairs(rng, 150, 0.15, 0.0)).p_value for _ in range(20)]
    return bool((adjust_p(p, "holm") <= 0.05).any())


@coverage("Post-stratified mean, three strata", slack=0.01)
def stratified(rng):
    labels = np.repeat(["a", "b", "c"], [60, 30, 15])
    y = (rng.random(105) < np.repeat([0.9, 0.7, 0.5], [60, 30, 15])).astype(float)
    weights = {"a": 0.3, "b": 0.3, "c": 0.4}
    return post_stratify(summarise_strata(y, labels), weights).contains(0.27 + 0.21 + 0.2)


@coverage("Subset of 100 from 1,000 with historical rates", weight=0.5, slack=0.01)
def subset(rng):
    history = rng.beta(4, 1, 1000)
    y = (rng.random(1000) < history).astype(float)
    picked = rng.permutation(1000)[:100]
    return subset_estimate(y[picked], history[picked], history).contains(y.mean())


@coverage("Krippendorff's alpha, bootstrap of 60 units x 3 raters", slack=0.025, weight=0.25)
def alpha_60(rng):
    return krippendorff_alpha(rating_counts(raters(rng, 60)), rng=rng, resamples=500).contains(TRUE_ALPHA)


def raters(rng: Rng, units: int) -> list[list[int]]:
    truth = rng.choice(3, units, p=[0.5, 0.3, 0.2])
    said = np.where(rng.random((units, 3)) < 0.75, truth[:, None], rng.choice(3, (units, 3), p=[0.5, 0.3, 0.2]))
    return said.tolist()


TRUE_ALPHA = 0.75**2
"""Two raters agree beyond chance when both read the truth: each does so in three of four units."""


def judged(rng: Rng, labels: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """2,000 judged cases, 95 % truly good, sensitivity .95, specificity .6, some labelled."""
    truth = rng.random(2000) < 0.95
    verdict = np.where(truth, rng.random(2000) < 0.95, rng.random(2000) < 0.4)
    return truth, verdict, rng.permutation(2000)[:labels]


@coverage("Judge with 100 labels, post-stratified posterior", slack=0.01, weight=0.5)
def judge_posterior(rng):
    truth, verdict, picked = judged(rng, 100)
    cells = {
        v: (int(truth[picked][verdict[picked] == v].sum()), int((verdict[picked] == v).sum())) for v in (True, False)
    }
    verdicts = {True: int(verdict.sum()), False: int((~verdict).sum())}
    return post_stratified_judge(verdicts, cells, rng=rng, draws=2000).contains(0.95)


@coverage("Judge with 100 labels, PPI++ with t", slack=0.07, weight=0.5)
def judge_ppi(rng):
    truth, verdict, picked = judged(rng, 100)
    rest = np.setdiff1d(np.arange(2000), picked)
    return ppi_mean(truth[picked], verdict[picked], verdict[rest]).contains(0.95)


@coverage("Judge alone, no correction (wrong on purpose)", slack=0.96, weight=0.5)
def judge_alone(rng):
    _, verdict, _ = judged(rng, 100)
    return wilson(int(verdict.sum()), 2000).contains(0.95)


@coverage("Rogan-Gladen with 200 calibration cases elsewhere (Lang-Reiczigel)", slack=0.01, weight=0.5)
def judge_elsewhere(rng):
    positive, negative = rng.binomial(100, 0.9), rng.binomial(100, 0.75)
    j = JudgeConfusion(tp=int(positive), fn=int(100 - positive), fp=int(100 - negative), tn=int(negative))
    return rogan_gladen_estimated(int(rng.binomial(2000, 0.8 * 0.9 + 0.2 * 0.25)), 2000, j).contains(0.8)


@coverage("AUC, DeLong on the logit scale, 40 + 60 cases", slack=0.01)
def auc_100(rng):
    y = np.repeat([1, 0], [40, 60])
    return roc_auc(rng.normal(size=100) + 1.2 * y, y).contains(0.8019373)


@coverage("Pearson, Fisher z, 20 pairs")
def pearson_20(rng):
    x = rng.normal(size=20)
    return pearson(x, 0.6 * x + 0.8 * rng.normal(size=20)).contains(0.6)


@error("MMD permutation test, 30 against 30 rows", weight=0.2)
def mmd_size(rng):
    return mmd_test(rng.normal(size=(30, 4)), rng.normal(size=(30, 4)), rng=rng, permutations=99).p_value <= 0.05


def rate(scenario: Scenario, simulations: int, seed: int) -> tuple[float, int]:
    """Observed rate and the number of simulations behind it."""
    n = max(40, round(simulations * scenario.weight))
    rng = np.random.default_rng(seed)
    return sum(bool(scenario.trial(rng)) for _ in range(n)) / n, n


def table(simulations: int) -> str:
    lines = ["| what | promise | measured | ± | simulations |", "| --- | --- | --- | --- | --- |"]
    for seed, scenario in enumerate(SCENARIOS):
        observed, n = rate(scenario, simulations, seed)
        noise = 1.96 * math.sqrt(max(observed * (1 - observed), 0.25 / n) / n)
        sign = "≥" if scenario.kind == "coverage" else "≤"
        lines.append(f"| {scenario.name} | {sign} {scenario.target:g} | {observed:.3f} | {noise:.3f} | {n} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table(int(sys.argv[1]) if len(sys.argv) > 1 else 200))

"""Sign-flip permutation test of paired differences, without flipping signs one by one."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from evalwright.stats._arrays import Alternative, FloatArray, IntArray, as_vector
from evalwright.stats.records import TestResult
from evalwright.stats.resampling import chunk_sizes

MAX_LATTICE = 1 << 20
"""Most lattice points of the exact distribution."""
MAX_GRID_WORK = 60_000_000
"""Most lattice points times distinct sizes."""
MAX_SIZES = 2048
MAX_ENUMERATED = 20
MONTE_CARLO_BINS = 768


def sign_flip(
    differences: npt.ArrayLike,
    *,
    rng: np.random.Generator | None = None,
    draws: int = 9_999,
    alternative: Alternative = "two-sided",
) -> TestResult:
    """Permutation test that paired differences are symmetric about 0, on their mean.

    Differences on a grid (verdicts, grades, their averages) get the exact p from the lattice distribution
    Π((1 + w^v)/2)^count by one Fourier transform; up to 20 differences of any kind are enumerated. Others get
    p = (hits + 1)/(draws + 1) from random flips, with equal sizes flipped together by one binomial draw. Zeros
    carry no information. The smallest two-sided p with m non-zero differences is 2^(1-m): below 5 pairs the
    result is marked "too_few_pairs".

    Args:
        differences: candidate minus baseline per case.
        rng: source of randomness; only needed off the grid with more than 20 differences.
        draws: number of random flips.
        alternative: "greater" when the candidate should be better.

    Raises:
        ValueError: NaN, or differences off the grid without `rng`.

    Source: Fisher 1935, chapter 3; Phipson & Smyth 2010, SAGMB 9:39.

    >>> darwin = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]
    >>> round(sign_flip(darwin).p_value, 6)
    0.052673
    """
    d = as_vector(differences, "differences")
    observed = float(d.sum())
    sizes = np.abs(d[d != 0.0])
    notes = ("too_few_pairs",) if len(sizes) < 5 else ()
    if len(sizes) == 0:
        p, method = 1.0, "sign_flip_exact"
    else:
        p, method = _p_value(sizes, observed, alternative, rng, draws)
    statistic = observed / len(d) if len(d) else 0.0
    return TestResult(p_value=p, statistic=statistic, method=method, alternative=alternative, n=len(d), notes=notes)


def _p_value(
    sizes: FloatArray, observed: float, alternative: Alternative, rng: np.random.Generator | None, draws: int
) -> tuple[float, str]:
    step = grid_step(sizes)
    if step is not None:
        steps = np.rint(sizes / step).astype(np.int64)
        return _exact(steps, round(observed / step), alternative), "sign_flip_exact"
    if len(sizes) <= MAX_ENUMERATED:
        return _enumerated(sizes, observed, alternative), "sign_flip_exact"
    if rng is None:
        raise ValueError("these differences lie on no grid: pass rng for a Monte Carlo p-value")
    totals, method = _random_totals(sizes, draws, rng)
    hits = _extreme(totals, observed, alternative, sizes)
    return (int(np.count_nonzero(hits)) + 1) / (draws + 1), method


def grid_step(sizes: FloatArray) -> float | None:
    """Largest step of which all sizes are whole multiples, if the exact distribution on it is affordable."""
    distinct = np.unique(sizes)
    distinct = distinct[np.append(True, np.diff(distinct) > 1e-9 * distinct[-1])]
    if len(distinct) > MAX_SIZES:
        return None
    for divisor in (1, 2, 3, 4, 5, 6, 8, 10, 12, 20, 30, 60, 100, 120, 1000):
        step = float(distinct[0]) / divisor
        multiples = distinct / step
        if np.abs(multiples - np.rint(multiples)).max() < 1e-6:
            lattice = float(sizes.sum()) / step
            return step if lattice <= MAX_LATTICE and lattice * len(distinct) <= MAX_GRID_WORK else None
    return None


def _enumerated(sizes: FloatArray, observed: float, alternative: Alternative) -> float:
    totals = np.zeros(1)
    for size in sizes.tolist():
        totals = np.concatenate([totals - size, totals + size])
    return float(np.count_nonzero(_extreme(totals, observed, alternative, sizes))) / len(totals)


def _extreme(totals: FloatArray, observed: float, alternative: Alternative, sizes: FloatArray) -> npt.NDArray[np.bool_]:
    """Which totals are at least as extreme as the observed one."""
    slack = 1e-12 * float(sizes.sum())
    if alternative == "two-sided":
        return np.asarray(np.abs(totals) >= abs(observed) - slack, dtype=np.bool_)
    sign = 1.0 if alternative == "greater" else -1.0
    return np.asarray(sign * totals >= sign * observed - slack, dtype=np.bool_)


def _exact(steps: IntArray, observed: int, alternative: Alternative) -> float:
    """Tail of the sum of ±steps; S = sum of the steps that came out positive lies on 0..Σ."""
    total = int(steps.sum())
    pmf = _lattice(steps, total)
    needed = (total + abs(observed)) / 2.0
    if alternative == "two-sided":
        upper = float(pmf[math.ceil(needed) :].sum())
        p = 1.0 if observed == 0 else 2.0 * upper
        floor = 2.0 ** (1 - min(len(steps), 1000))
    else:
        signed = observed if alternative == "greater" else -observed
        p = float(pmf[math.ceil((total + signed) / 2.0) :].sum())
        floor = 2.0 ** -min(len(steps), 1000)
    return min(1.0, max(p, floor))


def _lattice(steps: IntArray, total: int) -> FloatArray:
    """Distribution of a sum of independent 0-or-step variables, by its Fourier transform."""
    values, counts = np.unique(steps, return_counts=True)
    size = total + 1
    half = np.arange(size // 2 + 1, dtype=np.int64)
    transform = np.ones(len(half), dtype=np.complex128)
    for value, count in zip(values.tolist(), counts.tolist(), strict=True):
        angle = np.pi * ((half * value) % (2 * size)) / size
        transform *= np.cos(angle) ** count * np.exp(-1j * ((count * angle) % (2.0 * np.pi)))
    return np.maximum(np.fft.irfft(transform, n=size), 0.0)


def _random_totals(sizes: FloatArray, draws: int, rng: np.random.Generator) -> tuple[FloatArray, str]:
    values, counts = np.unique(sizes, return_counts=True)
    method = "sign_flip_monte_carlo"
    if len(values) > MAX_SIZES and len(sizes) * draws > 20_000_000:
        values, counts = _grouped(sizes)
        method = "sign_flip_monte_carlo_binned"
    counts = counts.astype(np.int64)

    def draw(size: int) -> FloatArray:
        ups = rng.binomial(counts, 0.5, size=(size, len(counts)))
        return np.asarray((2.0 * ups - counts) @ values, dtype=np.float64)

    return np.concatenate([draw(size) for size in chunk_sizes(len(values), draws)]), method


def _grouped(sizes: FloatArray) -> tuple[FloatArray, IntArray]:
    """Neighbouring sizes grouped under their root mean square, the largest ones kept apart: same variance."""
    ordered = np.sort(sizes)
    apart = 256
    starts = np.linspace(0, len(ordered) - apart, MONTE_CARLO_BINS + 1).astype(np.int64)[:-1]
    edges = np.append(starts, len(ordered) - apart)
    counts = np.diff(edges)
    rms = np.sqrt(np.add.reduceat(ordered[: len(ordered) - apart] ** 2, starts) / counts)
    return np.concatenate([rms, ordered[-apart:]]), np.concatenate([counts, np.ones(apart, dtype=np.int64)])

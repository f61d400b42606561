"""Quantiles and tails of the common distributions from scipy.special (scipy.stats costs 0.7 s to import)."""

from __future__ import annotations

import math
from collections.abc import Callable

from scipy import special


def z_quantile(p: float) -> float:
    """Standard normal quantile."""
    return float(special.ndtri(p))


def z_cdf(z: float) -> float:
    """Standard normal distribution function."""
    return float(special.ndtr(z))


def z_two_sided(level: float) -> float:
    """The z with central probability `level`, such as 1.959964 for 0.95."""
    return z_quantile(0.5 + level / 2.0)


def t_quantile(p: float, df: float) -> float:
    """Student t quantile; the normal one when `df` is infinite."""
    return z_quantile(p) if math.isinf(df) else float(special.stdtrit(df, p))


def t_cdf(t: float, df: float) -> float:
    """Student t distribution function."""
    return z_cdf(t) if math.isinf(df) else float(special.stdtr(df, t))


def t_two_sided(level: float, df: float) -> float:
    """The t with central probability `level`."""
    return t_quantile(0.5 + level / 2.0, df)


def t_p_value(t: float, df: float, alternative: str) -> float:
    """Tail probability of a t statistic for "two-sided", "greater" or "less"."""
    if alternative == "greater":
        return t_cdf(-t, df)
    if alternative == "less":
        return t_cdf(t, df)
    return min(1.0, 2.0 * t_cdf(-abs(t), df))


def beta_quantile(p: float, a: float, b: float) -> float:
    """Beta quantile; 0 when `a` is 0 and 1 when `b` is 0 (the limits of the distribution)."""
    if a <= 0.0:
        return 0.0
    if b <= 0.0:
        return 1.0
    return float(special.betaincinv(a, b, p))


def chi2_tail(x: float, df: float) -> float:
    """P(chi-square with df degrees > x)."""
    return float(special.chdtrc(df, x)) if df > 0 else 1.0


def chi2_quantile(p: float, df: float) -> float:
    """Chi-square quantile."""
    return float(special.chdtri(df, 1.0 - p))


def f_tail(f: float, df1: float, df2: float) -> float:
    """P(F > f)."""
    return float(special.fdtrc(df1, df2, f))


def binom_cdf(k: int, n: int, p: float) -> float:
    """P(X <= k) for X binomial(n, p), with the obvious values outside 0..n."""
    if k < 0:
        return 0.0
    return 1.0 if k >= n else float(special.bdtr(k, n, p))


def binom_pmf(k: int, n: int, p: float) -> float:
    """P(X = k) for X binomial(n, p)."""
    if not 0 <= k <= n:
        return 0.0
    if p in (0.0, 1.0):
        return float(k == round(n * p))
    log = special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(n - k + 1)
    return math.exp(float(log) + k * math.log(p) + (n - k) * math.log1p(-p))


def find_root(f: Callable[[float], float], low: float, high: float, *, tol: float = 1e-13) -> float:
    """Root of a continuous function between `low` and `high` (ITP-like bisection with secant steps).

    Raises:
        ValueError: `f` has the same sign at both ends.
    """
    f_low, f_high = f(low), f(high)
    if f_low == 0.0 or f_high == 0.0:
        return low if f_low == 0.0 else high
    if (f_low > 0.0) == (f_high > 0.0):
        raise ValueError(f"no sign change between {low} and {high}")
    return _bracketed(f, (low, f_low), (high, f_high), tol)


def _bracketed(f: Callable[[float], float], a: tuple[float, float], b: tuple[float, float], tol: float) -> float:
    for step in range(400):
        width = b[0] - a[0]
        if width <= tol * max(1.0, abs(a[0]), abs(b[0])):
            break
        x = a[0] + width / 2.0
        if step % 2:
            guess = a[0] - a[1] * width / (b[1] - a[1])
            x = min(max(guess, a[0] + 1e-3 * tol), b[0] - 1e-3 * tol)
        fx = f(x)
        if fx == 0.0:
            return x
        if (fx > 0.0) == (a[1] > 0.0):
            a = (x, fx)
        else:
            b = (x, fx)
    return a[0] + (b[0] - a[0]) / 2.0

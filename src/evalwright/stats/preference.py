"""Pairwise preferences: win rates with ties, and Bradley-Terry strengths with their uncertainty."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import special

from evalwright.stats._arrays import FloatArray, IntArray, as_matrix, as_vector, check_level, group_codes
from evalwright.stats._dist import z_two_sided
from evalwright.stats.paired_binary import PairedCounts, mcnemar, tango
from evalwright.stats.records import Interval, TestResult

DEFAULT_RIDGE = 0.1
"""Penalty used when the record alone would give infinite strengths: a tenth of a prior battle."""


def win_rate(wins: int, losses: int, ties: int, *, level: float = 0.95) -> Interval:
    """Win rate with ties as half wins, (1 + net)/2, and Tango's interval of net = (wins - losses)/n.

    Args:
        wins: cases the first system won.
        losses: cases it lost.
        ties: cases without a winner.
        level: confidence level between 0 and 1.

    Raises:
        ValueError: negative counts.

    >>> ci = win_rate(46, 34, 20)
    >>> round(ci.value, 2), round(ci.low, 4), round(ci.high, 4)
    (0.56, 0.4724, 0.6437)
    """
    counts = PairedCounts(both=ties, gained=wins, lost=losses, neither=0)
    net = tango(counts, level=level).mapped(scale=0.5, offset=0.5)
    return Interval(
        value=net.value, low=net.low, high=net.high, level=level, method="win_rate_tango", n=net.n, se=net.se,
        notes=net.notes,
    )  # fmt: skip


def win_test(wins: int, losses: int) -> TestResult:
    """McNemar's mid-p (sign) test that wins and losses are equally likely; ties carry no information.

    >>> round(win_test(46, 34).p_value, 4)
    0.1821
    """
    return mcnemar(PairedCounts(both=0, gained=wins, lost=losses, neither=0))


@dataclass(frozen=True, slots=True, kw_only=True)
class BradleyTerry:
    """Fitted strengths: P(i beats j) = 1/(1 + exp(-(strength_i - strength_j) - effects·x)).

    Attributes:
        names: the items.
        strength: log-strengths that sum to 0.
        effects: coefficients of the covariates (order, length …), empty without any.
        covariance: covariance matrix of (strength, effects); singular, as strengths sum to 0.
        battles: number of comparisons.
        clusters: number of clusters the covariance is robust to, or None.
        notes: "regularised", "disconnected".
    """

    names: tuple[str, ...]
    strength: FloatArray
    effects: FloatArray
    covariance: FloatArray
    battles: int
    clusters: int | None = None
    notes: tuple[str, ...] = ()

    def difference(self, first: str, second: str, *, level: float = 0.95) -> Interval:
        """Strength of `first` minus that of `second`, with a normal interval from the joint covariance."""
        i, j = self.names.index(first), self.names.index(second)
        v = self.covariance
        se = math.sqrt(max(float(v[i, i] + v[j, j] - 2.0 * v[i, j]), 0.0))
        value = float(self.strength[i] - self.strength[j])
        half = z_two_sided(check_level(level)) * se
        return Interval(
            value=value, low=value - half, high=value + half, level=level, method="bradley_terry",
            n=self.clusters or self.battles, clusters=self.clusters, trials=self.battles, se=se, notes=self.notes,
        )  # fmt: skip

    def win_probability(self, first: str, second: str, *, level: float = 0.95) -> Interval:
        """Probability that `first` beats `second`, the logistic of their difference."""
        d = self.difference(first, second, level=level)
        value, low, high = (float(special.expit(x)) for x in (d.value or 0.0, d.low or 0.0, d.high or 0.0))
        return Interval(
            value=value, low=low, high=high, level=level, method="bradley_terry", n=d.n, clusters=d.clusters,
            trials=d.trials, notes=d.notes,
        )  # fmt: skip

    def effect(self, index: int, *, level: float = 0.95) -> Interval:
        """Coefficient of covariate `index` with its interval, such as the advantage of being shown first."""
        at = len(self.names) + index
        value, se = float(self.effects[index]), math.sqrt(max(float(self.covariance[at, at]), 0.0))
        half = z_two_sided(check_level(level)) * se
        return Interval(
            value=value, low=value - half, high=value + half, level=level, method="bradley_terry",
            n=self.clusters or self.battles, clusters=self.clusters, trials=self.battles, se=se, notes=self.notes,
        )  # fmt: skip

    def ranking(self) -> list[str]:
        """Names, strongest first."""
        return [self.names[i] for i in np.argsort(-self.strength, kind="stable")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Battles:
    """Comparisons, one per row (or aggregated, with weights).

    Attributes:
        first: index of the item shown first.
        second: index of the other item.
        outcome: 1 when the first won, 0 when it lost, 0.5 for a tie.
        weight: how many battles the row stands for.
        covariates: matrix (rows, p) of differences, such as 1 for "shown first" or a standardised length gap.
        clusters: case of each row when one case gave several battles, or None.
    """

    first: IntArray
    second: IntArray
    outcome: FloatArray
    weight: FloatArray
    covariates: FloatArray
    clusters: IntArray | None = None

    @classmethod
    def of(
        cls,
        first: npt.ArrayLike,
        second: npt.ArrayLike,
        outcome: npt.ArrayLike,
        *,
        covariates: npt.ArrayLike | None = None,
        clusters: Any | None = None,
    ) -> Battles:
        """Checked battles of weight 1.

        Raises:
            ValueError: lengths that differ, an outcome outside [0, 1], an item against itself.
        """
        y = as_vector(outcome, "outcome")
        i, j = np.asarray(first, dtype=np.int64), np.asarray(second, dtype=np.int64)
        x = np.zeros((len(y), 0)) if covariates is None else as_matrix(covariates, "covariates")
        if not len(i) == len(j) == len(y) == len(x):
            raise ValueError("first, second, outcome and covariates must have one length")
        if len(y) and (y.min() < 0.0 or y.max() > 1.0 or (i == j).any()):
            raise ValueError("an outcome lies outside [0, 1] or an item meets itself")
        codes = None if clusters is None else group_codes(clusters, len(y))[0]
        return cls(first=i, second=j, outcome=y, weight=np.ones(len(y)), covariates=x, clusters=codes)

    @classmethod
    def from_matrix(cls, wins: npt.ArrayLike) -> Battles:
        """Battles from a matrix of wins; wins[i, j] counts how often i beat j, ties as half a win each way.

        Raises:
            ValueError: not square, or a negative count.
        """
        w = as_matrix(wins, "wins")
        if w.shape[0] != w.shape[1] or (w < 0).any():
            raise ValueError(f"wins: expected a square matrix of counts of at least 0, got shape {w.shape}")
        i, j = np.nonzero(np.triu(w + w.T, 1))
        total = w[i, j] + w[j, i]
        x = np.zeros((len(i), 0))
        return cls(
            first=i.astype(np.int64), second=j.astype(np.int64), outcome=w[i, j] / total, weight=total, covariates=x
        )


def bradley_terry(
    wins: npt.ArrayLike, *, names: Sequence[str] | None = None, ridge: float | None = None
) -> BradleyTerry:
    """Bradley-Terry strengths from a matrix of wins.

    Fitted by Newton's method; intervals of differences come from the joint covariance. When somebody never lost
    (or never won), strengths would be infinite: a small ridge penalty keeps them finite and the note
    "regularised" says so. Elo is not offered: it depends on the order of the games.

    Args:
        wins: wins[i, j] counts how often i beat j; a tie is half a win for each.
        names: names of the items; "0", "1" … when None.
        ridge: penalty on squared strengths; None adds one only when needed.

    Raises:
        ValueError: not a square matrix of counts, or fewer than 2 items.

    Source: Bradley & Terry 1952, Biometrika 39:324.

    >>> fit = bradley_terry([[0, 8], [2, 0]], names=["new", "old"])
    >>> round(fit.difference("new", "old").value, 4)
    1.3863
    """
    battles = Battles.from_matrix(wins)
    count = len(as_matrix(wins, "wins"))
    return fit_battles(battles, names=names or [str(i) for i in range(count)], ridge=ridge)


def fit_battles(battles: Battles, *, names: Sequence[str], ridge: float | None = None) -> BradleyTerry:
    """Bradley-Terry with covariates and, when battles carry clusters, a cluster-robust (CR1) covariance.

    Args:
        battles: the comparisons.
        names: names of the items, by index.
        ridge: penalty on squared strengths; None adds one only when the record needs it.

    Raises:
        ValueError: fewer than 2 items, no battles, an index without a name.
    """
    k = len(names)
    if k < 2 or len(battles.outcome) == 0:
        raise ValueError("need at least 2 items and one battle")
    if max(int(battles.first.max()), int(battles.second.max())) >= k:
        raise ValueError(f"an item index lies beyond the {k} names")
    notes = _connection_notes(battles, k)
    penalty = ridge if ridge is not None else (DEFAULT_RIDGE if notes else 0.0)
    if penalty and "regularised" not in notes:
        notes = ("regularised", *notes)
    rows = _aggregated(battles, k)
    theta, hessian = _newton(rows, k, penalty)
    bread = _sum_zero_inverse(hessian, k)
    groups = None if battles.clusters is None else int(battles.clusters.max()) + 1
    covariance = bread if groups is None else _robust(battles, theta, bread, k)
    return BradleyTerry(
        names=tuple(names), strength=theta[:k], effects=theta[k:], covariance=covariance,
        battles=round(float(battles.weight.sum())), clusters=groups, notes=notes,
    )  # fmt: skip


def _aggregated(battles: Battles, k: int) -> Battles:
    """Rows with equal items merged when there are no covariates."""
    if battles.covariates.shape[1]:
        return battles
    cells = battles.first * k + battles.second
    weight = np.bincount(cells, weights=battles.weight, minlength=k * k).astype(np.float64)
    won = np.bincount(cells, weights=battles.weight * battles.outcome, minlength=k * k)
    used = np.flatnonzero(weight)
    return Battles(
        first=used // k, second=used % k, outcome=won[used] / weight[used], weight=weight[used],
        covariates=np.zeros((len(used), 0)),
    )  # fmt: skip


def _connection_notes(battles: Battles, k: int) -> tuple[str, ...]:
    """Ford's condition: finite strengths need a chain of wins from everybody to everybody."""
    beats = np.eye(k, dtype=bool)
    beats[battles.first[battles.outcome > 0], battles.second[battles.outcome > 0]] = True
    beats[battles.second[battles.outcome < 1], battles.first[battles.outcome < 1]] = True
    met = beats | beats.T
    if not _closure(met).all():
        return ("disconnected",)
    return () if _closure(beats).all() else ("regularised",)


def _closure(reach: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    steps = max(1, math.ceil(math.log2(len(reach))))
    for _ in range(steps):
        reach = (reach.astype(np.float32) @ reach.astype(np.float32)) > 0
    return reach


def _linear(battles: Battles, theta: FloatArray, k: int) -> FloatArray:
    eta = theta[battles.first] - theta[battles.second]
    return np.asarray(eta + battles.covariates @ theta[k:], dtype=np.float64)


def _newton(battles: Battles, k: int, ridge: float) -> tuple[FloatArray, FloatArray]:
    theta = np.zeros(k + battles.covariates.shape[1])
    penalty = np.append(np.full(k, ridge), np.zeros(len(theta) - k))
    hessian = np.eye(len(theta))
    for _ in range(100):
        p = special.expit(_linear(battles, theta, k))
        gradient = _scatter(battles, battles.weight * (battles.outcome - p), k) - penalty * theta
        hessian = _hessian(battles, battles.weight * p * (1.0 - p), k) + np.diag(penalty)
        step = _sum_zero_inverse(hessian, k) @ gradient
        theta = theta + step * min(1.0, 4.0 / max(float(np.abs(step).max()), 1e-300))
        if float(np.abs(step).max()) < 1e-11:
            break
    return theta, hessian


def _scatter(battles: Battles, values: FloatArray, k: int) -> FloatArray:
    """Gradient contributions summed per parameter."""
    items = np.bincount(battles.first, weights=values, minlength=k).astype(np.float64)
    items -= np.bincount(battles.second, weights=values, minlength=k)
    return np.concatenate([items, battles.covariates.T @ values])


def _hessian(battles: Battles, w: FloatArray, k: int) -> FloatArray:
    h = np.zeros((k + battles.covariates.shape[1],) * 2)
    cells = np.bincount(battles.first * k + battles.second, weights=w, minlength=k * k).reshape(k, k)
    both = cells + cells.T
    h[:k, :k] = np.diag(both.sum(axis=1)) - both
    for p in range(battles.covariates.shape[1]):
        column = w * battles.covariates[:, p]
        cross = np.bincount(battles.first, weights=column, minlength=k)
        cross -= np.bincount(battles.second, weights=column, minlength=k)
        h[:k, k + p] = h[k + p, :k] = cross
        h[k + p, k:] = battles.covariates.T @ column
    return h


def _sum_zero_inverse(hessian: FloatArray, k: int) -> FloatArray:
    """Inverse of the information on the space where the strengths sum to 0."""
    size = len(hessian)
    ones = np.append(np.ones(k), np.zeros(size - k)) / math.sqrt(k)
    lifted = hessian + np.outer(ones, ones) * max(float(np.trace(hessian)) / size, 1e-12)
    try:
        inverse = np.linalg.inv(lifted)
    except np.linalg.LinAlgError:
        inverse = np.linalg.pinv(lifted, hermitian=True)
    project = np.eye(size) - np.outer(ones, ones)
    return np.asarray(project @ inverse @ project, dtype=np.float64)


def _robust(battles: Battles, theta: FloatArray, bread: FloatArray, k: int) -> FloatArray:
    """CR1 sandwich over clusters of battles."""
    assert battles.clusters is not None
    groups = int(battles.clusters.max()) + 1
    residual = battles.weight * (battles.outcome - special.expit(_linear(battles, theta, k)))
    scores = np.zeros((groups, len(theta)))
    np.add.at(scores, (battles.clusters, battles.first), residual)
    np.add.at(scores, (battles.clusters, battles.second), -residual)
    for p in range(battles.covariates.shape[1]):
        scores[:, k + p] = np.bincount(battles.clusters, weights=residual * battles.covariates[:, p], minlength=groups)
    scale = groups / max(groups - 1, 1)
    return np.asarray(scale * bread @ (scores.T @ scores) @ bread, dtype=np.float64)

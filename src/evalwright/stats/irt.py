"""Item response theory: the two-parameter logistic model, for suites run on many systems."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from evalwright.stats._arrays import FloatArray, as_matrix, as_vector


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemResponseModel:
    """Fitted items: P(pass) = 1/(1 + exp(-a(θ - b))).

    Attributes:
        discrimination: a per case.
        difficulty: b per case.
        log_likelihood: marginal log-likelihood at the fit.
        iterations: EM steps taken.
        converged: whether the likelihood stopped moving.
    """

    discrimination: FloatArray
    difficulty: FloatArray
    log_likelihood: float
    iterations: int
    converged: bool

    def information(self, ability: npt.ArrayLike) -> FloatArray:
        """Fisher information a²P(1-P) of each case at each ability, shape (abilities, cases)."""
        return item_information(self.discrimination, self.difficulty, ability)


def item_information(discrimination: npt.ArrayLike, difficulty: npt.ArrayLike, ability: npt.ArrayLike) -> FloatArray:
    """Fisher information a²P(1-P) of 2PL items, shape (abilities, cases).

    Source: Lord 1980.

    >>> item_information([2.0], [0.0], [0.0]).tolist()
    [[1.0]]
    """
    a, b = as_vector(discrimination, "discrimination"), as_vector(difficulty, "difficulty")
    p = special.expit(a * (as_vector(ability, "ability")[:, None] - b))
    return np.asarray(a**2 * p * (1.0 - p), dtype=np.float64)


def fit_2pl(
    responses: npt.ArrayLike,
    *,
    weights: npt.ArrayLike | None = None,
    rasch: bool = False,
    nodes: int = 21,
    max_iterations: int = 500,
    tolerance: float = 1e-8,
) -> ItemResponseModel:
    """2PL (or Rasch: one common discrimination) by marginal maximum likelihood, abilities N(0, 1).

    EM over Gauss-Hermite nodes with Newton steps per item. It takes tens of systems; a team with few does better
    with the historical pass rate per case. A case that everybody passes or fails gets an extreme difficulty held
    finite by a weak prior.

    Args:
        responses: matrix (systems, cases) of 0 and 1.
        weights: how many systems each row stands for; 1 each when None.
        rasch: one discrimination for all cases.
        nodes: quadrature nodes.
        max_iterations: EM steps at most.
        tolerance: stop when the log-likelihood gains less than this per system.

    Raises:
        ValueError: a value that is neither 0 nor 1, no rows.

    Source: Bock & Aitkin 1981, Psychometrika 46:443; Rizopoulos 2006, JSS 17(5).

    >>> rng = np.random.default_rng(1)
    >>> theta = rng.normal(size=(500, 1))
    >>> data = rng.random((500, 3)) < 1 / (1 + np.exp(-(theta - np.array([-1.0, 0.0, 1.0]))))
    >>> bool(np.all(np.diff(fit_2pl(data).difficulty) > 0))
    True
    """
    x = as_matrix(responses, "responses")
    if not np.isin(x, (0.0, 1.0)).all() or len(x) == 0:
        raise ValueError("responses must be 0 or 1, with at least one row")
    w = np.ones(len(x)) if weights is None else as_vector(weights, "weights")
    points, mass = _nodes(nodes)
    items = _start(x, w)
    previous, converged, steps = -np.inf, False, 0
    while steps < max_iterations and not converged:
        steps += 1
        posterior, likelihood = _expect(x, w, items, (points, mass))
        converged = bool(likelihood - previous < tolerance * w.sum())
        previous = likelihood
        if not converged:
            items = _maximise(x, posterior, items, points, rasch=rasch)
    return ItemResponseModel(
        discrimination=items[0], difficulty=np.asarray(-items[1] / items[0], dtype=np.float64), log_likelihood=previous,
        iterations=steps, converged=converged,
    )  # fmt: skip


def _nodes(count: int) -> tuple[FloatArray, FloatArray]:
    points, mass = np.polynomial.hermite_e.hermegauss(count)
    return np.asarray(points, dtype=np.float64), np.asarray(mass / mass.sum(), dtype=np.float64)


_Items = tuple[FloatArray, FloatArray]


def _start(x: FloatArray, w: FloatArray) -> _Items:
    rates = np.clip((w @ x + 0.5) / (w.sum() + 1.0), 0.01, 0.99)
    return np.full(len(rates), 1.0), np.asarray(special.logit(rates), dtype=np.float64)


def _expect(
    x: FloatArray, w: FloatArray, items: _Items, grid: tuple[FloatArray, FloatArray]
) -> tuple[FloatArray, float]:
    """Weighted posterior over nodes per row, and the marginal log-likelihood."""
    slope, intercept = items
    eta = grid[0][:, None] * slope + intercept
    joint = x @ special.log_expit(eta).T + (1.0 - x) @ special.log_expit(-eta).T + np.log(grid[1])
    top = joint.max(axis=1, keepdims=True)
    scaled = np.exp(joint - top)
    total = scaled.sum(axis=1, keepdims=True)
    likelihood = float(w @ (top + np.log(total))[:, 0])
    return np.asarray(w[:, None] * scaled / total, dtype=np.float64), likelihood


def _maximise(x: FloatArray, posterior: FloatArray, items: _Items, points: FloatArray, *, rasch: bool) -> _Items:
    """Newton steps on expected counts, every case at once."""
    slope, intercept = items
    at_node = posterior.sum(axis=0)
    passed = posterior.T @ x
    for _ in range(8):
        p = special.expit(points[:, None] * slope + intercept)
        residual = passed - at_node[:, None] * p
        v = at_node[:, None] * p * (1.0 - p)
        g0, g1 = residual.sum(axis=0) - 1e-3 * intercept, points @ residual
        h00, h01, h11 = v.sum(axis=0) + 1e-3, points @ v, (points**2) @ v + 1e-9
        if rasch:
            slope, intercept = _rasch_step((slope, intercept), (g0, g1), (h00, h01, h11))
            continue
        determinant = h00 * h11 - h01**2
        intercept = intercept + np.clip((h11 * g0 - h01 * g1) / determinant, -2.0, 2.0)
        slope = np.clip(slope + np.clip((h00 * g1 - h01 * g0) / determinant, -1.0, 1.0), 0.01, 20.0)
    return slope, intercept


def _rasch_step(items: _Items, gradient: _Items, hessian: tuple[FloatArray, FloatArray, FloatArray]) -> _Items:
    """One Newton step for a common slope (Schur complement over the intercepts)."""
    slope, intercept = items
    (g0, g1), (h00, h01, h11) = gradient, hessian
    step = float((g1.sum() - (h01 * g0 / h00).sum()) / (h11.sum() - (h01**2 / h00).sum()))
    step = min(1.0, max(-1.0, step))
    intercept = intercept + np.clip((g0 - h01 * step) / h00, -2.0, 2.0)
    return np.full(len(slope), min(20.0, max(0.01, float(slope[0]) + step))), intercept

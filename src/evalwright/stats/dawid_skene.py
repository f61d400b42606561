"""True labels from several fallible raters: the Dawid-Skene model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evalwright.stats._arrays import FloatArray, IntArray


@dataclass(frozen=True, slots=True, kw_only=True)
class DawidSkene:
    """Fitted rater errors and label probabilities.

    Attributes:
        marginals: share of each true category, shape (q,).
        errors: errors[r, true, said]: what rater r says given the truth, shape (raters, q, q).
        posterior: probability of each true category per item, shape (items, q).
        labels: most probable category per item.
        log_likelihood: of the data at the fit.
        iterations: EM steps taken.
        converged: whether the log-likelihood stopped moving.
    """

    marginals: FloatArray
    errors: FloatArray
    posterior: FloatArray
    labels: IntArray
    log_likelihood: float
    iterations: int
    converged: bool


def dawid_skene(
    item: npt.ArrayLike,
    rater: npt.ArrayLike,
    label: npt.ArrayLike,
    *,
    categories: int | None = None,
    smoothing: float = 0.01,
    max_iterations: int = 200,
    tolerance: float = 1e-8,
) -> DawidSkene:
    """Fit by EM, starting from vote shares (so that categories keep their meaning).

    Take it for three or more raters per item; with two it is weakly identified.

    Args:
        item: item code 0.. of each rating.
        rater: rater code 0.. of each rating.
        label: category code 0.. of each rating.
        categories: number of categories; the largest code plus 1 when None.
        smoothing: added to every cell of the error tables; 0 for the original.
        max_iterations: EM steps at most.
        tolerance: stop when the log-likelihood gains less than this per rating.

    Raises:
        ValueError: no ratings, lengths that differ, negative codes.

    Source: Dawid & Skene 1979, JRSS-C 28:20.

    >>> fit = dawid_skene([0, 0, 0, 1, 1, 1], [0, 1, 2, 0, 1, 2], [0, 0, 1, 1, 1, 1])
    >>> fit.labels.tolist()
    [0, 1]
    """
    cells, sizes = _cells((item, rater, label), categories)
    state = _votes(cells, sizes)
    previous, converged, steps = -np.inf, False, 0
    while steps < max_iterations and not converged:
        steps += 1
        marginals, errors = _maximise(state, cells, sizes, smoothing)
        state, likelihood = _expect(marginals, errors, cells, sizes)
        converged = likelihood - previous < tolerance * len(cells[0])
        previous = likelihood
    marginals, errors = _maximise(state, cells, sizes, smoothing)
    state, likelihood = _expect(marginals, errors, cells, sizes)
    return DawidSkene(
        marginals=marginals, errors=errors, posterior=state, labels=state.argmax(axis=1).astype(np.int64),
        log_likelihood=likelihood, iterations=steps, converged=bool(converged),
    )  # fmt: skip


_Cells = tuple[IntArray, IntArray, IntArray]
_Sizes = tuple[int, int, int]


def _cells(codes: tuple[npt.ArrayLike, npt.ArrayLike, npt.ArrayLike], categories: int | None) -> tuple[_Cells, _Sizes]:
    item, rater, label = (np.asarray(c, dtype=np.int64) for c in codes)
    if not len(item) == len(rater) == len(label) or len(item) == 0:
        raise ValueError(f"need ratings of one length, got {len(item)}, {len(rater)} and {len(label)}")
    if min(item.min(), rater.min(), label.min()) < 0:
        raise ValueError("codes must be 0 or more; leave missing ratings out")
    q = int(label.max()) + 1 if categories is None else categories
    if label.max() >= q:
        raise ValueError(f"label {label.max()} lies beyond the {q} categories")
    return (item, rater, label), (int(item.max()) + 1, int(rater.max()) + 1, q)


def _votes(cells: _Cells, sizes: _Sizes) -> FloatArray:
    items, _, q = sizes
    votes = np.bincount(cells[0] * q + cells[2], minlength=items * q).reshape(items, q).astype(np.float64)
    total = votes.sum(axis=1, keepdims=True)
    return np.where(total > 0, votes / np.maximum(total, 1.0), 1.0 / q)


def _maximise(state: FloatArray, cells: _Cells, sizes: _Sizes, smoothing: float) -> tuple[FloatArray, FloatArray]:
    _, raters, q = sizes
    where = cells[1] * q + cells[2]
    tables = [np.bincount(where, weights=state[cells[0], c], minlength=raters * q) for c in range(q)]
    errors = np.stack([table.reshape(raters, q) for table in tables], axis=1) + smoothing
    total = errors.sum(axis=2, keepdims=True)
    errors = np.where(total > 0, errors / np.where(total > 0, total, 1.0), 1.0 / q)
    return np.asarray(state.mean(axis=0), dtype=np.float64), np.asarray(errors, dtype=np.float64)


def _expect(marginals: FloatArray, errors: FloatArray, cells: _Cells, sizes: _Sizes) -> tuple[FloatArray, float]:
    items, _, q = sizes
    with np.errstate(divide="ignore"):
        log_errors, log_prior = np.log(np.maximum(errors, 1e-300)), np.log(np.maximum(marginals, 1e-300))
    rows = log_errors[cells[1], :, cells[2]]
    joint = np.stack([np.bincount(cells[0], weights=rows[:, c], minlength=items) for c in range(q)], axis=1)
    joint += log_prior
    top = joint.max(axis=1, keepdims=True)
    unscaled = np.exp(joint - top)
    total = unscaled.sum(axis=1, keepdims=True)
    return unscaled / total, float((top + np.log(total)).sum())

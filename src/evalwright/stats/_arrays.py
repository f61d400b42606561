"""Checks every statistic starts with: shapes, finite values, group labels, levels."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Side = Literal["two-sided", "lower", "upper"]
Alternative = Literal["two-sided", "greater", "less"]


def as_vector(values: npt.ArrayLike, name: str = "values") -> FloatArray:
    """One-dimensional float64 copy-free view of `values`.

    Raises:
        ValueError: not one-dimensional, or holds NaN, None or infinity. Statistics never drop values
            silently: decide first what a missing score means, then pass the rest.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1:
        raise ValueError(f"{name}: expected a one-dimensional array, got shape {array.shape}")
    return _finite(array, name)


def as_matrix(values: npt.ArrayLike, name: str = "matrix") -> FloatArray:
    """Two-dimensional float64 array of finite values.

    Raises:
        ValueError: not two-dimensional, or holds NaN, None or infinity.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 2:
        raise ValueError(f"{name}: expected a two-dimensional array, got shape {array.shape}")
    return _finite(array, name)


def _finite(array: FloatArray, name: str) -> FloatArray:
    if array.size and not np.isfinite(array).all():
        bad = np.argwhere(~np.isfinite(array))[0].tolist()
        raise ValueError(f"{name}: NaN, None or infinity at index {bad}; leave unscored cases out, do not code them")
    return array


def same_length(first: npt.ArrayLike, second: npt.ArrayLike, names: tuple[str, str] = ("a", "b")) -> None:
    """Raise ValueError unless both arrays have the same number of rows."""
    left, right = np.shape(first), np.shape(second)
    if left[:1] != right[:1]:
        raise ValueError(f"{names[0]} has shape {left} but {names[1]} has shape {right}")


def check_level(level: float) -> float:
    """Return `level` if it lies strictly between 0 and 1, else raise ValueError."""
    if not 0.0 < level < 1.0:
        raise ValueError(f"level must lie strictly between 0 and 1 (such as 0.95), got {level}")
    return level


def check_count(successes: int, n: int) -> tuple[int, int]:
    """Return whole `(successes, n)` with 0 <= successes <= n, else raise ValueError."""
    x, total = int(successes), int(n)
    if x != successes or total != n:
        raise ValueError(f"counts must be whole numbers, got {successes} of {n}")
    if not 0 <= x <= total:
        raise ValueError(f"successes must lie between 0 and n, got {successes} of {n}")
    return x, total


def group_codes(labels: Any, n: int, name: str = "clusters") -> tuple[IntArray, int]:
    """Codes 0..G-1 for group labels of any hashable kind, and G.

    Raises:
        ValueError: the number of labels differs from `n`, or a float label is NaN.
    """
    ready = hasattr(labels, "dtype")
    given: list[Any] = [] if ready else list(labels)
    array: npt.NDArray[Any] | None = np.asarray(labels) if ready else _as_plain_array(given)
    count = len(given) if array is None else len(array)
    if count != n:
        raise ValueError(f"{name}: expected {n} labels, got {count}")
    if array is None or array.ndim != 1 or array.dtype.kind not in "biufUS":
        return _codes_by_dict(given if array is None else list(array))
    if array.dtype.kind == "f" and np.isnan(array).any():
        raise ValueError(f"{name}: a label is NaN; every row needs a group")
    distinct, codes = np.unique(array, return_inverse=True)
    return codes.astype(np.int64), len(distinct)


def _as_plain_array(labels: list[Any]) -> npt.NDArray[Any] | None:
    """An array of labels of one plain type, which sorts fast; None for anything else."""
    plain = any(all(type(label) is kind for label in labels) for kind in (int, str, float))
    return np.asarray(labels) if plain else None


def _codes_by_dict(labels: list[Any]) -> tuple[IntArray, int]:
    seen: dict[Any, int] = {}
    codes = np.fromiter((seen.setdefault(label, len(seen)) for label in labels), dtype=np.int64, count=len(labels))
    return codes, len(seen)


def ordered_labels(labels: Iterable[Any]) -> list[Any]:
    """Distinct labels in a stable order: numbers by value, anything else by kind and text."""
    distinct = list(dict.fromkeys(labels))
    if all(isinstance(label, (int, float, np.number)) for label in distinct):
        return sorted(distinct)
    return sorted(distinct, key=lambda label: (type(label).__name__, str(label)))


def seed_of(rng: np.random.Generator) -> int | None:
    """The seed a generator was made from, when it was made from one whole number (else None)."""
    entropy = getattr(getattr(rng.bit_generator, "seed_seq", None), "entropy", None)
    return entropy if isinstance(entropy, int) and entropy < 2**63 else None

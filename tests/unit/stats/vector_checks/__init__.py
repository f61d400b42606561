"""Registry of checks against the shared test vectors: entry id pattern -> function."""

from __future__ import annotations

import json
from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any

import numpy as np

from tests.shared_data import shared_root

Check = Callable[[dict[str, Any]], None]
CHECKS: list[tuple[str, Check]] = []
"""Patterns `file/entry id`; the first that matches wins."""

NOT_APPLICABLE: dict[str, str] = {
    "c02_means_clusters_repeats/coverage_clusters_sim": "simulated coverage; test_simulation.py runs our own",
    "c05b_paired_coverage/bootstrap_percentile": "exact coverage of a bootstrap; we offer Tango in its place",
    "c08_sequential/ni_gate_simulation": "simulated operating characteristics; test_simulation.py runs our own",
    "c10_judge_ppi/ppi_python_bug": "records a defect of the oracle",
    "c10_judge_ppi/judge_correction_simulation": "simulated coverage; test_simulation.py runs our own",
    "c10b_judge_poststrat_sim/sim": "simulated coverage; test_simulation.py runs our own",
    "c12_items/subset_prediction_simulation": "simulated errors of five ways to choose a subset",
    "c04_bayes/paired_probit_grid": "the bivariate probit model is not offered; the Dirichlet posterior is exact",
    "R_reference/ct_McNemar_exact_unconditional_test_paired_2x2": "the unconditional test is not offered",
    "R_reference/ct_BonettPrice_hybrid_Wilson_score_CI_paired_2x2": "an interval of a ratio, not of a difference",
    "R_reference/svyciprop_likelihood": "the likelihood interval is not offered; beta and logit are",
    "R_reference/light_diagnoses": "Light's kappa is not offered",
    "R_reference/kendallW_anxiety": "Kendall's W is not offered",
    "R_reference/irrCAC_conger.kappa.raw": "Conger's kappa is not offered",
    "R_reference/irrCAC_ac2_ordinal": "ordinal weights of AC2 are not offered; linear and quadratic are",
    "R_reference/epi_prev_blaker": "Blaker's interval is not offered",
    "R_reference/law_jack_accel": "R's boot does not centre the jackknife; ours is Efron and Tibshirani's",
    "R_reference/bt_citations_counts": "data",
    "R_reference/bt_baseball_data": "data",
    "R_reference/raw4raters_data": "data",
    "R_reference/lsat_patterns": "data",
    "R_reference/psych_cohen_anxiety": "checked by kappa_anxiety; psych's interval of the weighted kappa is [-1, 1]",
    "confseq_reference/hoeff_*": "the Hoeffding sequence is not offered; betting is tighter",
    "confseq_reference/ci_*": "betting intervals for a fixed size are not offered",
    "confseq_reference/bernoulli_ci": "another mixture than ours (Robbins's beta-binomial)",
    "confseq_reference/normal_mixture_v": "data",
    "confseq_reference/data": "data",
}
"""Entries that are not run, and why."""


def vector(*patterns: str) -> Callable[[Check], Check]:
    def register(check: Check) -> Check:
        CHECKS.extend((pattern, check) for pattern in patterns)
        return check

    return register


def entries() -> list[tuple[str, dict[str, Any]]]:
    """Every entry of every vector file as (`file/id`, entry); none when the shared data are absent."""
    found: list[tuple[str, dict[str, Any]]] = []
    for path in sorted((shared_root() / "stats" / "vectors").glob("*.json")):
        content = json.loads(path.read_text())
        if isinstance(content, dict):
            content = [_from_mapping(key, value) for key, value in content.items()]
        found.extend((f"{path.stem}/{entry['id']}", entry) for entry in content)
    return found


def _from_mapping(key: str, value: Any) -> dict[str, Any]:
    inner = value if isinstance(value, dict) and "value" in value else {"value": value, "inputs": None}
    return {"id": key, "inputs": inner["inputs"], "expected": inner["value"], "tol": 2e-7}


def by_id(name: str) -> dict[str, Any]:
    """One entry by its `file/id`."""
    return dict(entries())[name]


def reason_to_skip(name: str) -> str | None:
    return next((why for pattern, why in NOT_APPLICABLE.items() if fnmatchcase(name, pattern)), None)


def check_for(name: str) -> Check | None:
    return next((check for pattern, check in CHECKS if fnmatchcase(name, pattern)), None)


def close(actual: Any, expected: Any, tol: float) -> None:
    """Compare numbers, lists and mappings; None only equals None. The tolerance is relative above 1."""
    if expected is None:
        assert actual is None
        return
    if isinstance(expected, dict):
        for key, value in expected.items():
            close(actual[key], value, tol)
        return
    a, e = np.asarray(actual, dtype=float), np.asarray(expected, dtype=float)
    assert a.shape == e.shape, (a.shape, e.shape)
    gap = np.abs(a - e)
    limit = max(tol, 1e-12) * np.maximum(1.0, np.abs(e))
    assert (gap <= limit).all(), f"off by {gap.max():.3g}, allowed {limit.min():.3g}: {actual} != {expected}"


def ends(interval: Any) -> list[float]:
    return [interval.low, interval.high]

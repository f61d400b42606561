"""Smoke subsets on recorded verdicts: how well they foretell a system they were made without."""

import gzip
import json

import numpy as np
import pytest

from evalwright.datasets.choosing import anchors, held_out
from tests.shared_data import shared_data

pytestmark = pytest.mark.shared


def lines(name):
    with gzip.open(shared_data(f"data/{name}"), "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def test_gsm8k_each_of_four_systems_is_foretold_from_the_other_three():
    rows = lines("gsm8k_solutions/solutions.jsonl.gz")
    names = ["6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification"]
    outcomes = np.array([[float(row[name]["is_correct"]) for row in rows] for name in names])
    for size, worst in [(50, 0.07), (200, 0.03)]:
        tried = held_out(outcomes, names, size, seed=0, draws=100)
        assert max(one.error for one in tried) < worst
        assert max(abs(one.bias) for one in tried) < 0.02
        assert np.mean([one.error / one.plain for one in tried]) < 0.92


def test_bbh_chain_of_thought_is_foretold_from_direct_answers_without_bias():
    rows = lines("bbh_davinci/dev.jsonl.gz")
    outcomes = np.array([[float(_right(row, key)) for row in rows] for key in ("direct_prediction", "cot_prediction")])
    tried = held_out(outcomes, ["direct", "cot"], 100, seed=0, draws=100)
    assert max(abs(one.bias) for one in tried) < 0.02
    assert max(one.error for one in tried) < 0.055
    assert len(anchors(outcomes, 100, np.random.default_rng(0)).sizes) == 4


def _right(row, key):
    text = (row[key] or "").rpartition("answer is")[2]
    return row["target"].strip("() .").lower() == text.strip("() .\n").lower()

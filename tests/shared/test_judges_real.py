"""Recorded judgements of real judges: accuracy in both orders, position, and judges' own words read."""

import gzip
import json

import pytest
import re2

from evalwright.scorers.judge.reply import Unreadable, read_stated
from evalwright.services.orders import OrderedPair, order_report, winner_of
from tests.shared_data import shared_data

STATED = re2.compile(r"Output \((a|b)\) is better")


def rows(name):
    with gzip.open(shared_data(f"data/{name}"), "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def winner(value):
    return value if value in ("1", "2") else None


def test_llmbar_figures_of_every_judge_and_strategy_are_reproduced():
    expected = json.loads(shared_data("data/expected/llmbar.json").read_text())
    items = rows("llmbar/dev_items.jsonl.gz")
    compared = 0
    for run in rows("llmbar/dev_verdicts.jsonl.gz"):
        labels = [str(item["label"]) for item in items if item["subset"] == run["subset"]]
        verdicts = zip(labels, run["winner_original_order"], run["winner_swapped_order"], strict=True)
        pairs = [
            OrderedPair(id=str(n), label=label, straight=winner(first), swapped=winner(second))
            for n, (label, first, second) in enumerate(verdicts)
        ]
        report = order_report(pairs)
        # The published count takes two unreadable replies for agreement; ours are errors and agree with nothing.
        silent = sum(pair.errors == 2 for pair in pairs)
        wanted = expected[run["subset"]][f"{run['judge']}|{run['strategy']}"]
        shares = {
            "n": report.pairs,
            "invalid": report.errors,
            "acc_original": 100 * report.right_straight / report.pairs,
            "acc_swapped": 100 * report.right_swapped / report.pairs,
            "acc_average": 50 * (report.right_straight + report.right_swapped) / report.pairs,
            "acc_both": 100 * report.right_both / report.pairs,
            "positional_agreement": 100 * (report.same + silent) / report.pairs,
            "first_position_share": 100 * report.first / report.readable,
        }
        for name, value in shares.items():
            assert value == pytest.approx(wanted[name], abs=0.0051), (
                run["subset"],
                run["judge"],
                run["strategy"],
                name,
            )
        compared += 1
    assert compared == 195


def test_an_average_of_one_half_can_hide_a_judge_that_only_looks_at_the_place():
    first_only = [OrderedPair(id=str(n), label="12"[n % 2], straight="1", swapped="2") for n in range(100)]
    report = order_report(first_only)
    figures = {e.metric: e for e in report.estimates}
    assert figures["accuracy"].value == 0.5
    assert figures["order_agreement"].value == 0.0
    assert report.bias().estimate.value == 1.0
    assert report.bias().p_value < 1e-20


def test_llmbar_judges_own_words_are_read_and_what_states_no_verdict_is_an_error():
    """1,536 texts: 2 name no winner; a dozen name both, where only the order of looking decides."""
    unreadable, different = [], []
    for row in rows("llmbar/dev_raw_judge_text.jsonl.gz"):
        try:
            stated = read_stated(row["completion"], STATED, ("a", "b"), pick="last")
        except Unreadable:
            unreadable.append(row["parsed_winner_in_original_numbering"])
            continue
        if winner_of(stated.verdict, order=row["order"]) != row["parsed_winner_in_original_numbering"]:
            different.append(row)
    assert unreadable == [None, None]
    assert len(different) == 12
    for row in different:
        with pytest.raises(Unreadable, match="several"):
            read_stated(row["completion"], STATED, ("a", "b"), pick="only")

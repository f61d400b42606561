"""Recorded judgements of real judges: accuracy in both orders, position, and judges' own words read."""

import gzip
import json

import numpy as np
import pytest
import re2

from evalwright.scorers.judge.reply import Unreadable, read_stated
from evalwright.scorers.similarity.token_f1 import TokenF1
from evalwright.services.calibration import CalibrationPlan
from evalwright.services.corrections import correct_binary, correct_by_rates, correct_graded
from evalwright.services.labels import read_labels
from evalwright.services.orders import OrderedPair, order_report, winner_of
from evalwright.services.recorded_judgements import calibrate_recorded
from evalwright.stats import mean_t, wilson
from evalwright.store.cards import LabelledVerdict
from tests.shared_data import shared_data
from tests.unit.scorers.support import judged

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


# --- truthfulqa: 2,554 human verdicts -------------------------------------------------------------------------------


def truthful_rows(share):
    """Human verdicts with those of a judge that is right on a share of the answers, by a fixed draw."""
    rng = np.random.default_rng(3)
    for number, row in enumerate(rows("truthfulqa/human_truth_dev.jsonl.gz")):
        right = rng.random() < share
        yield {**row, "id": f"t{number}", "verdict": row["human_true"] if right else not row["human_true"]}


def card_of(tmp_path, made):
    path = tmp_path / "judged.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in made), encoding="utf-8")
    labels = read_labels(path, {"label": "human_true"})
    return calibrate_recorded(path, read_labels(path, {}), CalibrationPlan(labels=labels), created_at=0.0)


def test_truthfulqa_labels_calibrate_a_judge_of_known_accuracy(tmp_path):
    card = card_of(tmp_path, truthful_rows(0.945))
    assert (card.n, card.errors) == (2554, 0)
    assert card.figure("pass_rate_people").value == pytest.approx(0.4236, abs=0.0001)
    for name in ("agreement", "sensitivity", "specificity"):
        figure = card.figure(name)
        assert figure.low < 0.945 < figure.high
        assert figure.high - figure.low < 0.04
    assert sum(map(sum, card.confusion.counts)) == 2554


def nearer(row, references):
    """A verdict without a model: whether the answer is as near to a right reference as to any wrong one, by words."""
    known = references.get(row["question"])
    if known is None:
        return None
    right, wrong = (judged(TokenF1(tokens="words"), row["answer"], texts).value for texts in known)
    return right >= wrong


def test_a_word_overlap_judge_gets_a_card_that_shows_how_far_it_can_be_believed(tmp_path):
    with shared_data("data/truthfulqa/questions.jsonl").open(encoding="utf-8") as lines:
        questions = [json.loads(line) for line in lines]
    references = {
        q["question"]: (q["correct_answers"].split("; "), q["incorrect_answers"].split("; ")) for q in questions
    }
    made = [{**row, "id": f"t{n}", "verdict": nearer(row, references)} for n, row in enumerate(rows("truthfulqa/human_truth_dev.jsonl.gz"))]  # fmt: skip  # noqa: E501
    card = card_of(tmp_path, made)
    expected = json.loads(shared_data("data/expected/truthfulqa.json").read_text())
    floor = expected["floor: token-F1 nearer to a correct than to an incorrect reference"]
    assert (card.n, card.errors) == (floor["n"], 2554 - floor["n"])
    assert card.figure("agreement").value == pytest.approx(floor["accuracy"], abs=0.0001)
    assert 0.5 < card.figure("kappa").low < card.figure("kappa").high < 0.65
    assert {bias.name for bias in card.biases} >= {"length"}


# --- corrected figures against the truth ----------------------------------------------------------------------------


def test_figures_corrected_with_labels_of_the_same_answers_cover_the_truth():
    """A judge that passes a third of the bad answers, 100 labels among 2,554: intervals hold, the raw rate does not."""
    truth = np.array([row["human_true"] for row in rows("truthfulqa/human_truth_dev.jsonl.gz")], dtype=float)
    rng = np.random.default_rng(11)
    hits = raw_hits = 0
    repeats = 200
    for _ in range(repeats):
        said = np.where(truth == 1.0, rng.random(len(truth)) < 0.9, rng.random(len(truth)) < 0.33).astype(float)
        chosen = rng.choice(len(truth), 100, replace=False)
        entries = [LabelledVerdict(id=str(i), truth_value=truth[i], said_value=said[i]) for i in chosen]
        interval = correct_binary(entries, said.tolist(), level=0.95)
        hits += interval.contains(truth.mean())
        raw_hits += wilson(int(said.sum()), len(said)).contains(truth.mean())
    assert hits / repeats >= 0.92
    assert raw_hits == 0


def test_figures_corrected_by_the_rates_of_other_answers_cover_the_truth():
    rng = np.random.default_rng(12)
    hits = 0
    for _ in range(200):
        table = {"tp": rng.binomial(100, 0.9), "tn": rng.binomial(100, 0.75)}
        known = [(True, n < table["tp"]) for n in range(100)] + [(False, n >= table["tn"]) for n in range(100)]
        entries = tuple(LabelledVerdict(id=str(n), truth=t, said=s) for n, (t, s) in enumerate(known))
        positives = rng.binomial(2000, 0.8 * 0.9 + 0.2 * 0.25)
        interval = correct_by_rates(entries, [1.0] * positives + [0.0] * (2000 - positives), level=0.95)
        hits += interval.contains(0.8)
    assert hits / 200 >= 0.92


def test_graded_figures_corrected_with_labels_of_the_same_answers_cover_the_truth():
    """Levels 0, 0.5 and 1; a judge that is one level too kind one time in three."""
    rng = np.random.default_rng(13)
    truth = rng.choice([0.0, 0.5, 1.0], 2000, p=[0.3, 0.3, 0.4])
    hits = narrower = 0
    for _ in range(200):
        said = np.minimum(1.0, truth + 0.5 * (rng.random(2000) < 0.33))
        chosen = rng.choice(2000, 100, replace=False)
        entries = [LabelledVerdict(id=str(i), truth_value=truth[i], said_value=said[i]) for i in chosen]
        interval = correct_graded(entries, said.tolist(), level=0.95)
        hits += interval.contains(truth.mean())
        narrower += interval.width < mean_t(truth[chosen]).width
    assert hits / 200 >= 0.92
    assert narrower / 200 > 0.95


def test_recorded_verdicts_are_corrected_over_all_and_say_what_to_label_next(tmp_path):
    """A judge recorded on all 2,554 answers, every eighth with a label: the corrected rate is near the true one."""
    truth = rows("truthfulqa/human_truth_dev.jsonl.gz")
    rng = np.random.default_rng(5)
    said = [row["human_true"] or rng.random() < 0.3 for row in truth]
    verdicts = [
        {"id": str(n), "verdict": "pass" if one else "fail", "judge": "gpt-9", "confidence": 0.5 + rng.random() / 2}
        for n, one in enumerate(said)
    ]
    labels = [{"id": str(n), "label": bool(row["human_true"])} for n, row in enumerate(truth) if n % 8 == 0]
    for name, found in (("verdicts", verdicts), ("labels", labels)):
        (tmp_path / f"{name}.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in found))
    path = tmp_path / "verdicts.jsonl"
    plan = CalibrationPlan(labels=read_labels(tmp_path / "labels.jsonl", {}))
    card = calibrate_recorded(path, read_labels(path, {}), plan, created_at=1.0)
    raw, corrected = card.figure("pass_rate_all"), card.figure("pass_rate_corrected")
    real = np.mean([row["human_true"] for row in truth])
    assert raw.low > real
    assert corrected.low < real < corrected.high
    assert raw.n == 2_554
    assert len(card.next_labels) == 20
    assert {int(name) % 8 for name in card.next_labels} - {0} == {int(name) % 8 for name in card.next_labels}
    assert card.model == "gpt-9"
    assert {bias.name for bias in card.biases} >= {"confidence"}

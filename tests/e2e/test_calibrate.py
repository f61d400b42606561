"""Judges in suites, measured against labels, with corrected figures: all from the command line."""

import json

import pytest

from tests.unit.scorers.judge.service import JudgeService, shown, verdict

RUBRIC = """\
rubric: helpful
criterion: Does the answer answer the question?
levels:
  - { name: bad, value: 0, anchor: It does not. }
  - { name: good, value: 1, anchor: It does. }
pass_from: good
"""


def lenient(body):
    """Marks good what is right, and a third of what is wrong."""
    answer = shown(body, "ANSWER").splitlines()[0]
    if answer.startswith("answer"):
        return verdict("good")
    return verdict("good" if int(shown(body, "QUESTION").split()[1]) % 3 == 0 else "bad")


def product(folder):
    """Right on two of three questions."""
    folder.write(
        "product.py",
        "def answer(question):\n"
        "    n = int(question.split()[1])\n"
        "    return f'answer {n}' if n % 10 < 6 else f'no idea about {n}'\n",
    )


def suite(folder, service, *, cases=30, **options):
    product(folder)
    folder.write("helpful.yaml", RUBRIC)
    rows = [{"id": f"q{i:03d}", "input": f"question {i}", "locale": "de" if i % 2 else "en"} for i in range(cases)]
    folder.write("cases.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    judge = {"model": "judge-1", "base_url": service.url, "rubric": "helpful.yaml", **options}
    return folder.suite(scorers=json.dumps([{"judge": judge}]))


def labels(folder, numbers, *, name="labels.jsonl", **more):
    rows = [{"id": f"q{i:03d}", "label": "good" if i % 10 < 6 else "bad", **more} for i in numbers]
    folder.write(name, "".join(json.dumps(row) + "\n" for row in rows))
    return name


def metric(result, name, statistic="mean"):
    found = [m for m in result["metrics"] if m["name"] == name and not m["slice"] and m["statistic"] == statistic]
    return found[0] if found else None


def test_a_run_with_a_judge_counts_its_calls_and_says_that_nobody_has_measured_it(folder):
    with JudgeService(lenient) as service:
        done = folder.run("run", suite(folder, service), "--json")
    assert done.code == 0, done.err
    assert metric(done.json, "helpful")["value"] == pytest.approx((18 + 4) / 30)
    assert len(service.seen) == 30
    assert done.json["judge_usage"]["input_tokens"] == 3000
    assert any("nobody has measured the judge `helpful`" in note for note in done.json["notes"])


def test_a_judge_that_talks_garbage_gives_errors_and_no_value(folder):
    with JudgeService("I would rather not say.") as service:
        done = folder.run("run", suite(folder, service), "--json")
    found = metric(done.json, "helpful")
    assert (found["value"], found["n"], found["errors"]) == (None, 0, 30)
    assert len(service.seen) == 60


def test_labels_of_a_run_make_a_card_and_a_corrected_figure_beside_the_raw_one(folder):
    with JudgeService(lenient) as service:
        name = suite(folder, service, cases=120)
        folder.run("run", name)
        before = len(service.seen)
        given = labels(folder, range(0, 120, 2))
        done = folder.run("calibrate", "helpful", "--run", "latest", "--labels", given, "--probes", "0", "--json")
        assert done.code == 0, done.err
        assert len(service.seen) == before, "stored verdicts need no call"
    card = done.json
    figures = {f["metric"]: f for f in card["figures"] if not f.get("slice")}
    assert (card["n"], card["confusion"]["names"]) == (60, ["bad", "good"])
    assert figures["sensitivity"]["value"] == 1.0
    assert figures["specificity"]["value"] < 0.8
    assert figures["kappa"]["low"] < figures["kappa"]["value"] < figures["kappa"]["high"]
    assert card["next_labels"]
    shown_run = folder.run("show", "latest", "--json").json
    raw, corrected = metric(shown_run, "helpful"), metric(shown_run, "helpful", "corrected")
    assert raw["value"] > 0.7
    assert corrected["method"] == "post_stratified_judge"
    assert corrected["low"] < 0.6 < corrected["high"]
    card_note, corrected_note = [note for note in shown_run["notes"] if "helpful" in note]
    assert card_note.startswith("card of `helpful` (")
    assert "60 labels): agreement 0.8" in card_note
    assert "specificity" in card_note
    assert corrected_note.endswith("for the scorer's errors, by 60 labels of this run's answers")


def test_the_next_run_is_corrected_by_the_card_of_the_earlier_answers(folder):
    with JudgeService(lenient) as service:
        name = suite(folder, service, cases=120)
        folder.run("run", name)
        folder.run("calibrate", "helpful", "--run", "latest", "--labels", labels(folder, range(120)), "--probes", "0")
        folder.write(
            "product.py",
            "def answer(q):\n    n = int(q.split()[1])\n    return f'answer {n}.' if n % 2 else f'? {n}'\n",
        )
        done = folder.run("run", name, "--json")
    corrected = metric(done.json, "helpful", "corrected")
    assert corrected["method"].startswith("rogan_gladen")
    assert corrected["low"] < 0.5 < corrected["high"]


def test_another_prompt_is_another_judge_and_the_card_does_not_speak_for_it(folder):
    with JudgeService(lenient) as service:
        name = suite(folder, service)
        folder.run("run", name)
        folder.run("calibrate", "helpful", "--run", "latest", "--labels", labels(folder, range(30)), "--probes", "0")
        folder.write("helpful.yaml", RUBRIC.replace("It does not.", "It does not at all."))
        done = folder.run("run", name, "--json")
    assert done.code == 0, done.err
    assert metric(done.json, "helpful", "corrected") is None
    assert any("nobody has measured" in note for note in done.json["notes"])


def test_a_judge_is_measured_on_labelled_answers_with_probes_and_an_attack(folder):
    def gullible(body):
        answer = shown(body, "ANSWER")
        return verdict("good" if answer.startswith("answer") or "approved" in answer else "bad")

    with JudgeService(gullible) as service:
        name = suite(folder, service)
        rows = [
            {
                "input": f"question {i}",
                "output": f"answer {i}" if i % 3 else f"dunno {i}",
                "label": "good" if i % 3 else "bad",
                "locale": "de" if i % 2 else "en",
            }
            for i in range(30)
        ]
        folder.write("labels.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
        done = folder.run("calibrate", f"{name}:helpful", "--labels", "labels.jsonl", "--by", "locale", "--json")
    card = done.json
    biases = {bias["name"]: bias for bias in card["biases"]}
    assert biases["attack"]["detail"]["worked"] == ["authority"]
    assert biases["attack"]["estimate"]["value"] == pytest.approx(1 / 20)
    assert biases["attack"]["estimate"]["clusters"] == 5
    assert biases["verbosity"]["estimate"]["value"] == 0.0
    assert biases["repeat"]["estimate"]["value"] == 0.0
    assert {f["slice"] for f in card["figures"] if f.get("slice")} == {"locale=de", "locale=en"}
    assert card["calls"] == len(service.seen) == 30 + 100 + 5 + 5 + 5
    read = folder.run("card", "helpful")
    assert "attacks that worked: authority" in read.out
    assert "specificity" in read.out


def test_a_second_card_tells_what_has_changed_on_the_same_answers(folder):
    script = {"good": 1}
    with JudgeService(lambda body: lenient(body) if script["good"] else verdict("bad")) as service:
        name = suite(folder, service)
        rows = [{"input": f"question {i}", "output": f"answer {i}", "label": "good"} for i in range(30)]
        folder.write("labels.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
        command = ("calibrate", f"{name}:helpful", "--labels", "labels.jsonl", "--probes", "0", "--json")
        folder.run(*command)
        script["good"] = 0
        card = folder.run(*command).json
    drift = next(bias for bias in card["biases"] if bias["name"] == "drift")
    assert drift["estimate"]["value"] == -1.0
    assert drift["p_value"] < 1e-6
    assert any("30 are newly wrong" in note for note in card["notes"])


def test_any_scorer_that_passes_and_fails_rows_can_be_measured(folder):
    rows = [
        {"output": "I'm sorry, but I can't help with that.", "input": "q", "label": True},
        {"output": "Sure, here it is: five days.", "input": "r", "label": False},
    ] * 10
    folder.write("labels.jsonl", "".join(json.dumps({**row, "id": f"r{n}"}) + "\n" for n, row in enumerate(rows)))
    done = folder.run("calibrate", "refusal", "--labels", "labels.jsonl", "--json")
    assert done.code == 0, done.err
    assert next(f for f in done.json["figures"] if f["metric"] == "agreement")["n"] == 20


def test_recorded_judgements_are_measured_without_a_call(folder):
    verdicts = [{"id": f"q{i:03d}", "verdict": i % 10 < 7} for i in range(50)]
    folder.write("judged.jsonl", "".join(json.dumps(row) + "\n" for row in verdicts))
    truth = [{"id": f"q{i:03d}", "label": i % 10 < 6} for i in range(50)]
    folder.write("labels.jsonl", "".join(json.dumps(row) + "\n" for row in truth))
    done = folder.run("calibrate", "judged.jsonl", "--labels", "labels.jsonl", "--json")
    figures = {f["metric"]: f["value"] for f in done.json["figures"]}
    assert (figures["sensitivity"], figures["specificity"]) == (1.0, pytest.approx(15 / 20))


def test_recorded_prose_in_both_orders_is_read_and_what_states_nothing_is_an_error(folder):
    rows = [
        {
            "id": f"p{i}",
            "order": order,
            "output": f"Output ({'a' if order == 'AB' else 'b'}) is better." if i else "Hm.",
        }
        for i in range(10)
        for order in ("AB", "BA")
    ]
    folder.write("judged.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    folder.write("labels.jsonl", "".join(json.dumps({"id": f"p{i}", "label": 1}) + "\n" for i in range(10)))
    done = folder.run(
        "calibrate", "judged.jsonl", "--labels", "labels.jsonl", "--pattern", r"Output \((a|b)\) is better", "--json"
    )
    assert done.code == 0, done.err
    figures = {f["metric"]: f["value"] for f in done.json["figures"]}
    assert (done.json["n"], done.json["errors"]) == (9, 1)
    assert (figures["accuracy_both_orders"], figures["order_agreement"]) == (1.0, 1.0)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("suite.yaml:none",), "no metric `none`"),
        (("nothing",), "no scorer `nothing`"),
        (("judge",), "needs options"),
        (("none.yaml:x",), "no suite file"),
        (("exact", "--column", "label=truth"), "no row of labels.jsonl has the column `truth`"),
        (("exact", "--column", "colour=truth"), "`colour` is nothing"),
    ],
)
def test_mistakes_are_told_with_a_remedy(folder, words, says):
    folder.write("labels.jsonl", '{"id": "a", "input": "x", "output": "y", "expected": "y", "label": true}\n')
    done = folder.run("calibrate", *words, "--labels", "labels.jsonl")
    assert done.code == 2
    assert says in done.err
    assert "Traceback" not in done.err


def test_a_label_that_is_no_level_is_named(folder):
    with JudgeService(lenient) as service:
        name = suite(folder, service)
        folder.write("labels.jsonl", '{"input": "question 1", "output": "x", "label": "superb"}\n')
        done = folder.run("calibrate", f"{name}:helpful", "--labels", "labels.jsonl")
    assert done.code == 2
    assert "`superb` is none of bad, good" in done.err


def test_scoring_again_asks_the_judge_and_not_the_target(folder):
    with JudgeService(lenient) as service:
        name = suite(folder, service)
        folder.run("run", name)
        folder.write("product.py", "def answer(q):\n    raise SystemError('not to be called')\n")
        done = folder.run("score", "latest", "--json")
        assert done.code == 0, done.err
        assert len(service.seen) == 60
    assert metric(done.json, "helpful")["n"] == 30
    assert any("30 calls of judges" in note for note in done.json["notes"])


def test_verdicts_of_an_earlier_run_are_used_again_when_the_cache_is_on(folder):
    with JudgeService(lenient) as service:
        name = suite(folder, service)
        first = folder.run("run", name, "--cache", "on", "--json")
        again = folder.run("run", name, "--cache", "on", "--json")
        assert len(service.seen) == 30
        folder.write("helpful.yaml", RUBRIC.replace("It does not.", "Not at all."))
        folder.run("run", name, "--cache", "on", "--json")
        assert len(service.seen) == 60
    assert metric(first.json, "helpful")["value"] == metric(again.json, "helpful")["value"]
    assert again.json["judge_usage"]["input_tokens"] == 0


def test_judges_count_in_the_estimate_and_in_the_budget(folder):
    with JudgeService(lenient) as service:
        name = suite(folder, service, price={"input": 1000, "output": 1000})
        told = folder.run("run", name, "--estimate", "--json")
        assert told.json["calls"] == 60
        assert told.json["cost"] > 5
        done = folder.run("run", name, "--budget", "1 USD", "--json")
    assert done.code == 4
    assert done.json["status"] == "budget"
    assert len(service.seen) < 20


def test_the_card_that_ships_with_a_scorer_is_shown_until_one_is_measured(folder):
    shipped = folder.run("card").out.split()[0]
    told = folder.run("card", shipped)
    assert told.code == 0, told.err
    assert "precision" in told.out
    assert folder.run("card", shipped, "--json").json["metric"] == shipped
    about = folder.run("show", "scorer", "groundedness")
    assert about.code == 0, about.err
    assert "claim by claim" in about.out
    assert "card (shipped)" in about.out
    assert folder.run("show", "scorer", "groundedness", "--json").json["card"]["n"] > 400
    assert folder.run("show", "scorer", "exact").out.startswith("exact")
    assert "did you mean `groundedness`?" in folder.run("show", "scorer", "groundednes").err
    missing = folder.run("card", "nothing")
    assert missing.code == 2
    assert shipped in missing.err


def test_a_pairwise_judge_is_measured_and_its_position_bias_shows(folder):
    def first_place(body):
        clear = "clearly" in shown(body, "ANSWER A") or "clearly" in shown(body, "ANSWER B")
        better = "A" if "clearly" in shown(body, "ANSWER A") else "B"
        return verdict(better if clear else "A")

    with JudgeService(first_place) as service:
        judge = {"model": "judge-1", "base_url": service.url, "criterion": "Which is clearer?", "as": "clearer"}
        product(folder)
        folder.write("cases.jsonl", '{"id": "a", "input": "question 1", "expected": "x"}\n')
        name = folder.suite(scorers=json.dumps([{"judge_pairwise": judge}]))
        rows = [
            {
                "input": f"q{i}",
                "output": f"{'clearly' if i % 2 else 'dimly'} {i}",
                "expected": f"plain {i}",
                "label": "win" if i % 2 else "loss",
            }
            for i in range(20)
        ]
        folder.write("labels.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
        done = folder.run("calibrate", f"{name}:clearer", "--labels", "labels.jsonl", "--json")
    assert done.code == 0, done.err
    position = next(bias for bias in done.json["biases"] if bias["name"] == "position")
    assert position["estimate"]["value"] == 1.0
    assert position["detail"]["both_first"] == 10
    assert done.json["confusion"]["names"] == ["loss", "tie", "win"]
    assert done.json["confusion"]["counts"] == [[0, 10, 0], [0, 0, 0], [0, 0, 10]]


def test_a_panel_is_measured_like_one_judge(folder):
    with JudgeService(lambda body: verdict("no") if body["model"] == "strict" else lenient_yes(body)) as service:
        product(folder)
        folder.write("cases.jsonl", '{"id": "a", "input": "question 1"}\n')
        judges = [{"model": model, "base_url": service.url} for model in ("a", "b", "strict")]
        panel = {"judges": judges, "criterion": "Is it answered?", "as": "answered"}
        name = folder.suite(scorers=json.dumps([{"judge_panel": panel}]))
        rows = [
            {"input": f"question {i}", "output": f"{'answer' if i % 2 else 'dunno'} {i}", "label": bool(i % 2)}
            for i in range(20)
        ]
        folder.write("labels.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
        done = folder.run("calibrate", f"{name}:answered", "--labels", "labels.jsonl", "--probes", "2", "--json")
    assert done.code == 0, done.err
    assert next(f for f in done.json["figures"] if f["metric"] == "agreement")["value"] == 1.0
    assert {"attack", "verbosity", "layout", "repeat"} <= {bias["name"] for bias in done.json["biases"]}


def lenient_yes(body):
    return verdict("yes" if "answer" in shown(body, "ANSWER") else "no")


def test_a_judge_is_used_from_python_like_any_scorer(folder):
    from evalwright import Case, Suite, evaluate
    from evalwright.scorers import Judge

    with JudgeService(verdict("yes")) as service:
        judge = Judge(model="judge-1", base_url=service.url, criterion="Is it polite?")
        cases = [Case(id=f"c{n}", input=f"hello {n}") for n in range(3)]
        result = evaluate(Suite(name="polite", cases=cases, scorers=[judge]), target=lambda text: f"Good day, {text}")
    assert result.metric("judge").value == 1.0
    assert len(service.seen) == 3


def test_what_a_corrected_figure_leaves_out_is_said(folder):
    with JudgeService(lenient) as service:
        name = suite(folder, service, cases=40)
        rows = [{"id": f"q{i:03d}", "input": f"question {i}", "cluster": f"d{i // 4}"} for i in range(40)]
        folder.write("cases.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
        folder.run("run", name, "--trials", "2")
        folder.run("calibrate", "helpful", "--run", "latest", "--labels", labels(folder, range(20)), "--probes", "0")
        notes = folder.run("show", "latest", "--json").json["notes"]
    (said,) = [note for note in notes if note.startswith("corrected figure")]
    assert "first trials only" in said
    assert "taken as independent" in said


def test_labels_in_other_words_than_the_scorer_s_are_refused_and_near_names_suggested(folder):
    folder.write("odd.csv", "output,label\nI cannot help with that.,lovely\nSure.,awful\n")
    odd = folder.run("calibrate", "refusal", "--labels", "odd.csv")
    assert odd.code == 2
    assert "`awful`, `lovely` can't be compared" in odd.err
    assert "yes and no" in odd.err
    assert "did you mean `refusal`?" in folder.run("calibrate", "refusl", "--labels", "odd.csv").err
    folder.write("own.csv", "output,label\nI cannot help with that.,full\nSure.,none\n")
    own = folder.run("calibrate", "refusal", "--labels", "own.csv", "--json")
    assert own.json["figures"][0]["value"] == 1.0
    folder.write("good.csv", "output,label\nI cannot help with that.,good\nSure.,bad\n")
    good = folder.run("calibrate", "refusal", "--labels", "good.csv", "--json").json
    assert any("only 1 label is passing" in note for note in good["notes"])


def test_a_scorer_measured_on_the_set_that_ships_has_the_figures_of_its_card(folder):
    from evalwright.scorers.cards import shipped_card
    from evalwright.scorers.cards.own import own_set

    own = folder.run("calibrate", "secret_leak", "--labels", str(own_set("secret_leak").path), "--json").json
    found = {figure["metric"]: figure["value"] for figure in own["figures"] if not figure.get("slice")}
    card = shipped_card("secret_leak").overall
    assert found["flag_precision"] == card.precision.value
    assert found["specificity"] == card.recall.value
    assert found["sensitivity"] == card.specificity.value

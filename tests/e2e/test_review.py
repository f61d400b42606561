"""`evalwright review` as a person uses it: with keys through a pipe, and by single commands."""

from __future__ import annotations

import io
import json
import sys

import pytest

RUBRIC = """\
rubric: exact
criterion: Is the answer right?
pass_from: yes
levels:
  - { name: no, value: 0, anchor: "Something else." }
  - { name: yes, value: 1, anchor: "As expected." }
"""


@pytest.fixture
def review(folder, monkeypatch):
    """The small suite has run, a rubric lies beside it, and keys come from a pipe."""
    folder.write("exact.yaml", RUBRIC)
    assert folder.run("run", "suite.yaml").code == 0

    def call(*words, keys="", by="ada"):
        monkeypatch.setattr(sys, "stdin", io.StringIO(keys))
        monkeypatch.setenv("EVALWRIGHT_USER", by)
        return folder.run("review", *words)

    folder.review = call
    return folder


def test_from_a_run_to_a_corrected_judge(review):
    made = review.review("queue", "new", "q", "--run", "latest", "--rubric", "exact.yaml", "--size", "12", "--json")
    assert made.json["items"] == 12
    assert made.json["eligible"] == 30
    assert review.review("label", "q", keys="2\n" * 12).code == 0
    listed = review.review("queue", "list", "--json").json["queues"][0]
    assert listed["counts"]["done"] == 12
    wrote = review.review("export", "q", "labels.jsonl", "--what", "settled")
    assert wrote.code == 0, wrote.err
    card = review.run("calibrate", "exact", "--run", "latest", "--labels", "labels.jsonl", "--json")
    assert card.code == 0, card.err
    assert card.json["n"] == 12
    said = review.review("estimate", "q", "--json").json["estimates"][0]
    assert said["estimate"]["value"] == 1.0
    assert said["estimate"]["low"] < 0.95


def test_keys_skip_flag_undo_reason_and_quit(review):
    review.review("queue", "new", "q", "--run", "latest", "--rubric", "exact.yaml", "--reason-below", "exact=no")
    called = review.review("label", "q", keys="1\nwrong number\nu\n2\nf\nodd\nnto be sure\n2\ns\nno time\nq\n")
    assert called.code == 0
    assert "taken back" in called.err
    assert "2 labels" in called.err
    review.review("export", "q", "labels.csv")
    text = (review.path / "labels.csv").read_text(encoding="utf-8-sig")
    assert "to be sure" in text
    assert "wrong number" in text, "the label taken back came again, with its reason"
    flagged = review.review("adjudicate", "q", "--json").json["items"]
    assert [f["note"] for f in flagged[0]["flags"]] == ["odd"]


def test_one_item_by_commands(review):
    review.review("queue", "new", "q", "--run", "latest", "--rubric", "exact.yaml", "--id", "q10", "-n", "2")
    item = review.review("next", "q", "--json").json["item"]
    assert item["outputs"][0]["text"] == "no idea"
    assert "q10" not in json.dumps(item)
    wrong = review.review("submit", item["id"], "-a", "exact=perhaps")
    assert wrong.code == 2
    assert "there are: no, yes" in wrong.err
    done = review.review("submit", item["id"], "-a", "exact=no", "-m", "it is not", "--json")
    assert done.json["new"]
    assert review.review("undo", done.json["label_id"]).code == 0
    assert review.review("submit", item["id"], "-a", "exact=no").code == 0
    assert review.review("next", "q", by="bob", keys="").code == 0
    review.review("submit", item["id"], "-a", "exact=yes", by="bob")
    refused = review.review("adjudicate", "q", "--item", item["id"], "-a", "exact=no", "-m", "so it is", by="bob")
    assert refused.code == 2
    assert "labelled this item yourself" in refused.err
    decided = review.review("adjudicate", "q", keys="1\nread it again\n", by="lea")
    assert "1 decided, 0 left" in decided.out
    gold = review.review("gold", "q", "judged", "--expected", "--json", by="lea")
    assert gold.json["cases"] == 1
    shown = review.run("dataset", "show", "judged")
    assert shown.code == 0


@pytest.mark.parametrize("kind", ["csv", "jsonl", "json", "xlsx"])
def test_files_out_and_in_again(review, kind):
    review.review("queue", "new", "q", "--run", "latest", "--rubric", "exact.yaml", "--size", "5")
    review.review("label", "q", keys="2\n" * 5)
    name = f"labels.{kind}"
    assert review.review("export", "q", name).code == 0
    again = review.review("import", "q", name, "--json")
    assert again.code == 0, again.err
    assert again.json["added"] == 0
    assert review.review("queue", "list", "--json").json["queues"][0]["counts"]["labels"] == 5


def test_agreement_of_files_of_all_kinds(review):
    rows = [(n, rater, (n * 3 + k) % 2 + 1) for n in range(20) for k, rater in enumerate(("ann", "bob"))]
    review.write("long.csv", "item,rater,label\n" + "".join(f"{n},{r},{v}\n" for n, r, v in rows))
    wide = {n: [v for m, _, v in rows if m == n] for n in range(20)}
    review.write("wide.csv", "id,text,rater_1,rater_2\n" + "".join(f"{n},t,{a},{b}\n" for n, (a, b) in wide.items()))
    nested = [{"id": n, "ratings": {"ann": a, "bob": b}} for n, (a, b) in wide.items()]
    review.write("nested.jsonl", "".join(json.dumps(row) + "\n" for row in nested))
    review.write("bare.json", json.dumps(list(wide.values())))
    tasks = [
        {
            "id": n,
            "data": {"text": "t"},
            "annotations": [
                {"completed_by": who, "result": [{"from_name": "g", "type": "choices", "value": {"choices": [str(v)]}}]}
                for who, v in zip((1, 2), pair, strict=True)
            ],
        }
        for n, pair in wide.items()
    ]
    review.write("tasks.json", json.dumps(tasks))
    found = set()
    for name in ("long.csv", "wide.csv", "nested.jsonl", "tasks.json", "bare.json"):
        layout = "units-by-raters" if name == "bare.json" else "auto"
        told = review.review("agreement", "--labels", name, "--layout", layout, "--json")
        assert told.code == 0, told.err
        found.add(round(told.json["rubrics"][0]["alpha"]["value"], 9))
    assert len(found) == 1
    told = review.review("agreement", "--labels", "long.csv", "--scale", "ordinal")
    assert "Krippendorff's alpha, ordinal" in told.out
    lost = review.review("agreement", "--labels", "bare.json")
    assert lost.code == 2
    assert "--layout" in lost.err


def test_mistakes_name_the_remedy(review):
    assert "there is no review queue 'nope'" in review.review("label", "nope").err
    review.write("bad.yaml", "rubric: x\nlevels: []\n")
    wrong = review.review("queue", "new", "q", "--run", "latest", "--rubric", "bad.yaml")
    assert wrong.code == 2
    assert "criterion" in wrong.err
    both = review.review("queue", "new", "q", "--run", "latest", "--dataset", "d", "--rubric", "exact.yaml")
    assert "exactly one source" in both.err
    assert review.review("agreement").code == 2


def test_hostile_text_stays_harmless_on_the_terminal(review):
    nasty = ["\x1b[2J\x1b]0;owned\x07", "\u202egnp.exe", "a\x00\x08b", "[red]markup[/red]", "\u2028line"]
    rows = [{"input": text, "output": text, "contexts": [text]} for text in nasty]
    review.write("hostile.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    words = ("--file", "hostile.jsonl", "--rubric", "exact.yaml", "-n", "2", "--json")
    made = review.review("queue", "new", "\x1b[31mred", *words)
    queue = made.json["queue"]["id"]
    called = [review.review("label", queue, keys="1\n" * 6)]
    called += [review.review("label", queue, keys="2\n" * 6, by="bob\x1b[1m"), review.review("next", queue)]
    shown = "".join(one.out + one.err for one in called)
    shown += review.review("queue", "list").out + review.review("queue", "show", queue).out
    shown += review.review("adjudicate", queue, keys="q\n", by="lea").out
    shown += review.review("agreement", queue).out
    assert not [char for char in "\x1b\x07\x00\x08\u202e\u2028" if char in shown]
    assert "[red]markup[/red]" in shown
    assert "\\x1b[2J" in shown

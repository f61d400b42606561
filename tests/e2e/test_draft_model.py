"""Drafts written by a model: checked against the document, capped, counted, and waiting for a person."""

import json
from pathlib import Path

import pytest

from tests.loopback import chat_server

DOC = """# Handbook

## Opening

The desk is **open** from nine
to five. It is closed on Sundays. Keys are at the counter.

## Fees

A lost key costs 25 euros. Nothing else is charged.
"""

GOOD = {"question": "When does the desk open?", "facts": ["from nine"], "quote": "The desk is open from nine to five."}
MADE_UP = {"question": "Is there a café?", "facts": ["yes"], "quote": "There is a café on the second floor."}
WRONG_NUMBER = {"question": "What does a key cost?", "facts": ["250 euros"], "quote": "A lost key costs 25 euros."}


def replying(questions):
    def answer(body):
        section = json.loads(body["messages"][1]["content"])["section"]
        return json.dumps({"questions": questions if section.startswith("Opening") else []})

    return answer


@pytest.fixture
def handbook(folder):
    folder.write("handbook.md", DOC)
    folder.write("qa.jsonl", "".join(json.dumps(case) + "\n" for case in [
        {"id": "fee", "input": "What does a lost key cost after 3 days?", "expected": "25 euros"},
        {"id": "open", "input": {"question": "When do you open?"}, "expected": "nine"},
    ]))  # fmt: skip
    return folder


def model(folder, server):
    folder.write("drafter.yaml", f'model: writer-1\nbase_url: "{server.url}"\nprice: {{ input: 10, output: 10 }}\n')
    return "drafter.yaml"


def drafts(name="drafts.jsonl"):
    return [json.loads(line) for line in Path(name).read_text(encoding="utf-8").splitlines()]


def test_questions_whose_quote_stands_in_the_document_become_drafts(handbook):
    with chat_server(replying([GOOD, MADE_UP, WRONG_NUMBER])) as server:
        told = handbook.run("draft", "from-docs", "handbook.md", "--model", model(handbook, server))
    assert told.code == 0, told.err
    assert "1 questions left out: the quote does not stand in the document" in told.err
    assert "asking writer-1, at most 200 calls" in told.err
    assert "2 calls" in told.err
    assert "USD" in told.err
    kept = drafts()
    (draft,) = [one for one in kept if one["draft"]["input"] == GOOD["question"]]
    assert draft["state"] == "draft"
    assert draft["origin"]["model"] == "writer-1"
    assert len(draft["origin"]["prompt_hash"]) == 16
    assert draft["origin"]["line"] == 5
    assert draft["origin"]["quote"] == "The desk is **open** from nine\nto five."
    assert draft["draft"]["metadata"]["source"]["file"] == "handbook.md"
    assert {one["draft"]["input"] for one in kept} == {GOOD["question"]}  # 250 is not in the document either
    refused = handbook.run("draft", "release", "drafts.jsonl", "new.jsonl")
    assert refused.code == 2
    assert handbook.run("dataset", "add", "desk", "drafts.jsonl").code != 0  # a draft is no case
    assert "by writer-1" in handbook.run("draft", "list", "drafts.jsonl").out
    assert handbook.run("draft", "accept", "drafts.jsonl", draft["draft"]["id"], "--by", "ada").code == 0
    assert handbook.run("draft", "release", "drafts.jsonl", "new.jsonl").code == 0
    (case,) = drafts("new.jsonl")
    assert (case["metadata"]["accepted_by"], case["metadata"]["origin"]["model"]) == ("ada", "writer-1")


def test_replies_that_can_not_be_used_are_repaired_once_and_then_counted(handbook):
    def answer(body):
        again = body["messages"][-1]["content"].startswith("That reply can't be used")
        if "Opening" in body["messages"][1]["content"]:
            return json.dumps({"questions": [GOOD]}) if again else "no json"
        return "still not" if again else json.dumps({"questions": [MADE_UP]})

    with chat_server(answer) as server:
        told = handbook.run("draft", "from-docs", "handbook.md", "--model", model(handbook, server), "--json")
    asked = told.json["asked"]
    assert (told.json["new"], asked["calls"], asked["repaired"]) == (1, 4, 1)
    assert asked["failed"] == {"there is no JSON object in it": 1}


def test_the_budget_is_a_hard_cap(handbook):
    with chat_server(replying([GOOD])) as server:
        told = handbook.run(
            "draft", "from-docs", "handbook.md", "--model", model(handbook, server), "--budget", "1 calls"
        )
        assert len(server.seen) == 1
    assert "stopped after 1 of 2 requests: the budget of 1 calls is spent" in told.err
    wrong = handbook.run("draft", "from-docs", "handbook.md", "--model", "x", "--budget", "lots")
    assert "--budget" in wrong.err


def changing(body):
    system, text = body["messages"][0]["content"], json.loads(body["messages"][1]["content"])["text"]
    if "Translate it into German" in system:
        return json.dumps({"text": f"DE {text}", "note": "translated"})
    if "becomes another one" in system:
        return json.dumps({"text": text.replace("3", "30") if "3" in text else f"Not {text}", "note": "30 for 3"})
    return json.dumps({"text": text if "open" in text else f"Tell me: {text}", "note": "said otherwise"})


def test_changes_of_cases_by_a_model(handbook):
    with chat_server(changing) as server:
        told = handbook.run(
            "draft", "from-cases", "qa.jsonl", "--model", model(handbook, server), "--kind", "paraphrase", "--kind",
            "translation", "--language", "German", "--kind", "contrast", "--json",
        )  # fmt: skip
    made = {one["draft"]["id"]: one for one in drafts()}
    assert set(made) == {"fee~paraphrase", "fee~translation-german", "open~translation-german", "fee~contrast", "open~contrast"}  # fmt: skip  # noqa: E501
    assert made["fee~paraphrase"]["relation"] == "same"
    assert made["fee~paraphrase"]["draft"]["expected"] == "25 euros"
    contrast = made["fee~contrast"]
    assert (contrast["relation"], contrast["draft"].get("expected")) == ("changed", None)
    assert contrast["draft"]["metadata"]["not_expected"] == "25 euros"
    assert contrast["origin"]["detail"] == "30 for 3"
    assert made["open~translation-german"]["draft"]["input"] == {"question": "DE When do you open?"}
    assert told.json["asked"]["failed"] == {"the text is unchanged": 1}


def test_a_paraphrase_that_loses_a_number_is_no_paraphrase(handbook):
    with chat_server(lambda body: json.dumps({"text": "What does it cost?", "note": ""})) as server:
        told = handbook.run("draft", "from-cases", "qa.jsonl", "--model", model(handbook, server))
    assert "could not be used: the numbers differ from the text's" in told.err
    assert [one["draft"]["id"] for one in drafts()] == ["open~paraphrase"]


def test_mistakes_are_told(handbook):
    assert "is written by a model" in handbook.run("draft", "from-cases", "qa.jsonl", "--kind", "paraphrase").err
    assert "makes no `typos`" in handbook.run("draft", "from-cases", "qa.jsonl", "--model", "m", "--kind", "typos").err
    told = handbook.run("draft", "from-cases", "qa.jsonl", "--model", "m", "--kind", "translation")
    assert "needs a language" in told.err
    handbook.write("bad.yaml", "model: x\nmodell: y\n")
    told = handbook.run("draft", "from-docs", "handbook.md", "--model", "bad.yaml").err
    assert "modell" in told
    assert "bad.yaml:2:1" in told
    assert "no file none.yaml" in handbook.run("draft", "from-docs", "handbook.md", "--model", "none.yaml").err
    with chat_server(lambda body: (401, {"error": {"message": "no key"}})) as server:
        told = handbook.run("draft", "from-docs", "handbook.md", "--model", model(handbook, server))
    assert "can't be asked (auth)" in told.err

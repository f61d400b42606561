"""Users played by a model: as a suite, beside scripted ones, played again without the model, and with bad replies."""

import json
from pathlib import Path

import pytest

from benchmarks.mock_server import Missing, kit, running
from tests.loopback import chat_server

SUITE = """\
suite: talks
version: 1
target:
  type: dialogue
  target: { type: chat, model: product, base_url: "%(product)s", price: { input: 1, output: 2 } }
  user:
    model: user
    base_url: "%(user)s"
    persona: a busy freelancer
    max_turns: 3
    price: { input: 100, output: 200 }
dataset: { file: talks.jsonl }
scorers: [user_goal, { contains: { values: [refund], field: messages } }, { steps: { count: turns } }]
run: { retries: 0, timeout: 20s }
"""

CASES = [
    {"id": "refund", "input": {"goal": "get a refund", "facts": ["order 4711"], "opening": "Hi, about my money."}},
    {"id": "plain", "input": "learn the price"},
    {"id": "stubborn", "input": {"goal": "never happy", "persona": "a grumpy person", "max_turns": 2}},
    {"id": "script", "input": {"turns": ["refund please", "thanks"]}},
]


def said(body):
    """What the user's side has said and been told so far."""
    return body["messages"][1:]


def play(body):
    """The product answers; the user reaches its goal when the product speaks of money back."""
    if body["model"] == "product":
        last = body["messages"][-1]["content"]
        return f"Your refund is on its way ({len(body['messages'])})" if "4711" in last else "Which order?"
    system, told = body["messages"][0]["content"], body["messages"][-1]["content"]
    if "never happy" in system:
        return json.dumps({"message": "No!", "status": "continue", "reason": "not happy"})
    if "learn the price" in system:
        status = "gave_up" if "product says" in told else "continue"
        return "Sure: " + json.dumps({"message": "What is the price?", "status": status, "reason": "useless"})
    done = "on its way" in told
    return json.dumps({"message": "It is order 4711", "status": "goal_reached" if done else "continue", "reason": "r"})


def prepared(folder, **urls):
    folder.write("talks.jsonl", "".join(json.dumps(case) + "\n" for case in CASES))
    folder.write("talks.yaml", SUITE % urls)


def rows(folder, name):
    assert folder.run("export", "latest", "--output", name).code == 0
    return {row["case_id"]: row for row in map(json.loads, Path(name).read_text(encoding="utf-8").splitlines())}


def test_users_played_by_a_model_beside_a_script_and_again_without_it(folder):
    with chat_server(play) as server:
        prepared(folder, product=server.url, user=server.url)
        assert folder.run("validate", "talks.yaml").code == 0
        run = folder.run("run", "talks.yaml", "--json")
        assert run.code == 0, run.err
        found = rows(folder, "talks-recorded.jsonl")
        ends = {
            name: row["output"].get("metadata", {}).get("conversation", {}).get("ended") for name, row in found.items()
        }
        assert ends == {"refund": "goal_reached", "plain": "gave_up", "stubborn": "limit", "script": None}
        talk = found["refund"]["output"]
        assert [m["role"] for m in talk["messages"]] == ["user", "assistant"] * 2
        assert talk["messages"][0]["content"] == "Hi, about my money."
        assert talk["text"] == "Your refund is on its way (3)"
        spent = talk["metadata"]["helpers"]
        assert spent["calls"] == 2
        assert spent["cost"] > talk["cost"] * 10  # apart from the product's own
        values = {e["name"]: (e["value"], e["n"], e["skipped"]) for e in run.json["metrics"] if not e.get("slice")}
        assert values["user_goal"] == (pytest.approx(1 / 3), 3, 1)
        notes = " ".join(run.json["notes"])
        told = folder.run("show", "latest", "refund").out
        assert "Conversation (4 messages)" in told
        assert "It is order 4711" in told
        assert "1 reached their goal" in notes
        assert "7 calls" in notes
        shown = [m for body in server.asked("product") for m in body["messages"]]
        assert not any("get a refund" in m["content"] or "grumpy" in m["content"] for m in shown)

        asked = len(server.asked("user"))
        replay = (SUITE % {"product": server.url, "user": ""}).split("  user:")[0]
        tail = "  replay: talks-recorded.jsonl\ndataset: { file: talks.jsonl }\nscorers: [replay_same]\n"
        folder.write("replay.yaml", replay + tail)
        again = folder.run("run", "replay.yaml", "--json")
        assert again.code == 0, again.err
        assert len(server.asked("user")) == asked
        assert "0 were answered otherwise" in " ".join(again.json["notes"])
        assert {k: v["output"]["messages"] for k, v in rows(folder, "again.jsonl").items()} == {
            k: v["output"]["messages"] for k, v in found.items()
        }


def test_a_replay_tells_where_the_product_answers_otherwise(folder):
    with chat_server(play) as server:
        prepared(folder, product=server.url, user=server.url)
        assert folder.run("run", "talks.yaml").code == 0
        rows(folder, "recorded.jsonl")

    def changed(body):
        answer = play(body)
        return "No refunds any more" if "on its way" in answer else answer

    with chat_server(changed) as server:
        folder.write(
            "replay.yaml",
            (SUITE % {"product": server.url, "user": ""}).split("  user:")[0]
            + "  replay: recorded.jsonl\ndataset: { file: talks.jsonl }\nscorers: [replay_same]\n",
        )
        run = folder.run("run", "replay.yaml", "--json")
        assert "1 were answered otherwise than recorded, first `refund` at user turn 2" in " ".join(run.json["notes"])
        found = rows(folder, "new.jsonl")["refund"]["output"]["metadata"]["replay"]
        assert (found["turns"], found["same"], found["diverged_at"]) == (2, 1, 2)
        assert found["answered"] == "No refunds any more"


def test_what_the_user_s_model_costs_counts_against_the_budget(folder):
    with chat_server(play) as server:
        prepared(folder, product=server.url, user=server.url)
        run = folder.run("run", "talks.yaml", "--json", "--budget", "3 calls", "--concurrency", "1")
        assert run.json["status"] == "budget"
        assert len(server.seen) <= 8


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        ("I am an assistant.", "no JSON object"),
        ('{"message": "x", "status": "happy", "reason": ""}', "`status` must be"),
        ('{"message": "", "status": "continue", "reason": ""}', "`message` must be a text"),
        ('{"message": "x", "status": "goal_reached", "reason": "at once"}', "before its first word"),
    ],
)
def test_a_user_that_gives_no_usable_reply_is_an_error_of_the_row_never_of_the_product(folder, reply, message):
    with chat_server(lambda body: "ok" if body["model"] == "product" else reply) as server:
        prepared(folder, product=server.url, user=server.url)
        folder.write("talks.jsonl", json.dumps(CASES[1]) + "\n")
        run = folder.run("run", "talks.yaml", "--json")
        assert run.json["cases"]["errored"] == 1
        row = rows(folder, "r.jsonl")["plain"]
        assert row["error"]["kind"] == "simulated_user"
        assert message in row["error"]["message"]


def test_wrong_options_are_told(folder):
    prepared(folder, product="http://127.0.0.1:9/v1", user="http://127.0.0.1:9/v1")
    text = Path("talks.yaml").read_text(encoding="utf-8")
    folder.write("bad.yaml", text.replace("persona: a busy", "personna: a busy"))
    told = folder.run("validate", "bad.yaml")
    assert told.code == 2
    assert "personna" in told.err + told.out
    folder.write("both.yaml", text.replace("  user:", "  replay: x.jsonl\n  user:"))
    assert "a replay needs no user model" in folder.run("validate", "both.yaml").err
    folder.write("none.yaml", text.split("  user:")[0] + "  replay: x.jsonl\ndataset: { file: talks.jsonl }\n")
    assert "there is no file `x.jsonl`" in folder.run("run", "none.yaml").err


@pytest.mark.shared
@pytest.mark.slow
def test_the_mock_server_as_product_with_faults(folder):
    try:
        with running(kit()) as mock, chat_server(play) as server:
            mock.configure(ms=1, p429=0.3, retry_after=0.05)
            prepared(folder, product=f"{mock.url}/v1", user=server.url)
            folder.write(
                "talks.yaml", Path("talks.yaml").read_text(encoding="utf-8").replace("retries: 0", "retries: 9")
            )
            run = folder.run("run", "talks.yaml", "--json")
            assert run.json["cases"]["answered"] == 4, run.err
            talk = rows(folder, "mock.jsonl")["stubborn"]["output"]
            assert [m["role"] for m in talk["messages"]] == ["user", "assistant"] * 2
            assert mock.counts()["r429"] > 0
    except Missing as missing:
        pytest.skip(str(missing))

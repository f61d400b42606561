"""A product talked to by scripted users, with checks of what it remembers and forgets, as a suite."""

import json

BOT = '''\
"""A bot that remembers names and codes of a conversation, and forgets codes on demand."""


def talk(messages):
    told = {}
    for message in messages:
        if message["role"] == "user":
            words = message["content"].rstrip(".?").split()
            if "forget" in words:
                told.pop("code", None)
            elif words[0] == "My":
                told[words[1]] = words[-1]
    asked = messages[-1]["content"].rstrip("?").split()[-1]
    return told.get(asked, "noted")
'''

CASES = [
    {"id": "name", "input": ["My name is Ada.", "My code is 4711.", "What is my name?"],
     "expected": {"remembers": ["Ada"]}},
    {"id": "code", "input": ["My code is 4711.", "Please forget my code 4711.", "What is my code?"],
     "expected": {"forgets": ["4711"]}},
    {"id": "new", "input": ["My name is Ada.", {"content": "What is my name?", "new_session": True}],
     "expected": {"remembers": ["Ada"]}},
]  # fmt: skip

SUITE = """\
suite: memory
version: 1
target: { type: dialogue, target: { type: python, callable: "bot:talk" } }
dataset: { file: talks.jsonl }
scorers: [remembers, forgets, { steps: { count: turns } }]
"""


def test_a_suite_of_conversations_runs_and_shows_them(folder):
    folder.write("bot.py", BOT)
    folder.write("talks.jsonl", "".join(json.dumps(case) + "\n" for case in CASES))
    folder.write("memory.yaml", SUITE)
    assert folder.run("validate", "memory.yaml").code == 0
    run = folder.run("run", "memory.yaml", "--json")
    values = {e["name"]: (e["value"], e["n"]) for e in run.json["metrics"] if not e.get("slice")}
    assert values["remembers"] == (0.5, 2)
    assert values["forgets"] == (1.0, 1)
    shown = folder.run("show", "latest", "new")
    assert "not remembered" in shown.out
    assert "What is my name?" in shown.out


def test_a_mistake_in_the_target_behind_is_told(folder):
    folder.write("memory.yaml", SUITE.replace("callable", "callabel"))
    told = folder.run("validate", "memory.yaml")
    assert told.code == 2
    assert "callabel" in told.err + told.out

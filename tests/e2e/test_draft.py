"""Drafts from the command line: made, kept apart, decided on by a person, released as cases a suite runs on."""

import json

FORGETFUL = '''\
"""A reader that forgets the second half of all it reads."""
import re


def answer(text):
    words = text.split()
    found = re.search(r"code word for .* is (\\S+?)\\.", " ".join(words[: len(words) // 2]))
    return found.group(1) if found else "unknown"
'''

DOC = "# Opening\n\n## When is the desk open?\n\nThe desk is open from nine. It closes at 17:00 on all days.\n"


def test_drafts_wait_for_a_person_and_then_become_cases(folder):
    folder.write("doc.md", DOC)
    made = folder.run("draft", "from-docs", "doc.md", "--json").json
    assert (made["new"], made["kinds"]) == (1, {"faq": 1})
    (draft,) = made["drafts"]
    assert draft["origin"]["file"] == "doc.md"
    again = folder.run("draft", "from-docs", "doc.md")
    assert again.out.startswith("0 new drafts")
    refused = folder.run("draft", "release", "drafts.jsonl", "new.jsonl")
    assert refused.code == 2
    assert "is accepted" in refused.err
    ident = draft["draft"]["id"]
    assert folder.run("draft", "accept", "drafts.jsonl", ident, "--by", "ada", "--note", "right").code == 0
    listed = folder.run("draft", "list", "drafts.jsonl", "--state", "accepted")
    assert "When is the desk open?" in listed.out
    assert folder.run("draft", "release", "drafts.jsonl", "new.jsonl").code == 0
    (case,) = [json.loads(line) for line in (folder.path / "new.jsonl").read_text(encoding="utf-8").splitlines()]
    assert case["metadata"]["accepted_by"] == "ada"
    assert case["expected"] == ["The desk is open from nine.", "It closes at 17:00 on all days."]


def test_changed_cases_are_drafted_and_rejected(folder):
    told = folder.run("draft", "from-cases", "cases.jsonl", "--kind", "numbers", "--kind", "accents", "-o", "d.jsonl")
    assert told.out.startswith("30 new drafts in d.jsonl (30 numbers made)")
    assert "30 changes did not apply" in told.err
    assert folder.run("draft", "reject", "d.jsonl", "q01~numbers", "q02~numbers").out == "2 drafts rejected\n"
    listed = folder.run("draft", "list", "d.jsonl", "--state", "draft", "--json").json["drafts"]
    assert len(listed) == 28
    assert "another answer than q03" in folder.run("draft", "list", "d.jsonl").out


def test_mistakes_are_told(folder):
    folder.write("doc.md", DOC)
    for words, text in (
        (["draft", "from-cases", "cases.jsonl", "--kind", "poetry"], "unknown kind `poetry`"),
        (["draft", "from-docs", "nowhere"], "does not exist"),
        (["draft", "needles", "doc.md", "--lengths", "many"], "--lengths is a list of numbers"),
        (["draft", "needles", "doc.md", "--fact", "x"], "a fact, a question and an answer"),
        (["draft", "needles", "doc.md", "--fact", "x", "--question", "q", "--answer", "y"], "does not stand in"),
        (["draft", "list", "suite.yaml"], "this line is no draft"),
        (["draft", "accept", "missing.jsonl", "a"], "can't be read"),
    ):
        called = folder.run(*words)
        assert called.code == 2
        assert text in called.err


def test_needles_are_drafted_as_a_grid(folder):
    folder.write("doc.md", DOC)
    words = ["draft", "needles", "doc.md", "--lengths", "60,120", "--depths", "0,100", "--json"]
    made = folder.run(*words).json
    assert made["kinds"] == {"needle": 4}
    assert {(d["draft"]["metadata"]["length"], d["draft"]["metadata"]["depth"]) for d in made["drafts"]} == {
        (60, 0), (60, 100), (120, 0), (120, 100),
    }  # fmt: skip


def test_a_grid_of_needles_runs_by_length_and_depth(folder):
    sentences = " ".join(f"Sentence number {n} is about the weather in town {n % 7}." for n in range(200))
    folder.write("hay.md", f"# Hay\n\n{sentences}\n")
    made = folder.run("draft", "needles", "hay.md", "--lengths", "100,400", "--depths", "0,50,100", "--repeats", "2")
    assert made.out.startswith("12 new drafts")
    assert "name drafts by id" in folder.run("draft", "accept", "drafts.jsonl").err
    assert (
        folder.run("draft", "accept", "drafts.jsonl", "--kind", "needle", "--by", "ada").out == "12 drafts accepted\n"
    )
    assert "waits" in folder.run("draft", "accept", "drafts.jsonl", "--kind", "needle").err
    folder.run("draft", "release", "drafts.jsonl", "needles.jsonl")
    folder.write("product.py", FORGETFUL)
    folder.suite("grid.yaml", dataset="{ file: needles.jsonl }", scorers="[contains]",
                 slices="{ length: metadata.length, depth: metadata.depth, cell: metadata.cell }")  # fmt: skip
    run = folder.run("run", "grid.yaml", "--json")
    values = {m["slice"]: (m["value"], m["n"]) for m in run.json["metrics"] if m["name"] == "contains" and m["slice"]}
    assert values["depth=0"] == (1.0, 4)
    assert values["depth=100"] == (0.0, 4)
    assert values["cell=400/0"] == (1.0, 2)
    assert {name for name in values if name.startswith("length=")} == {"length=100", "length=400"}

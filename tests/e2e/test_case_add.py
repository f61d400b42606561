"""A case from a ticket, an incident or a run: redacted, expected behaviour by options or questions, as a draft."""

import json
import os
import pty
import subprocess
import sys

from tests.e2e.conftest import folder  # noqa: F401 - the fixture

LINK = "https://tickets.acme.io/4711"
TICKET = "My card 4539 1488 0343 6467 was charged twice, write to ann@corp.io please. When do I get my money back?"


def cases_of(place, reference):
    place.run("dataset", "checkout", reference, "--output", "out.jsonl")
    return [json.loads(line) for line in (place.path / "out.jsonl").read_text().splitlines()]


def test_a_ticket_becomes_a_draft_version_without_personal_data_and_with_a_link_back(folder):  # noqa: F811
    folder.write("ticket.txt", TICKET)
    folder.run("dataset", "create", "q", "--from", "cases.jsonl", "--by", "ann")
    folder.run("dataset", "state", "q", "approve", "--by", "bob")
    words = ["--link", LINK, "--expect", "In five days", "--contains", "five", "--into", "q", "--tag", "refund"]
    made = folder.run("case", "add", "--from", "ticket.txt", *words, "--by", "eve", "--json").json
    assert made["redacted"]["replaced"] == {"card": 1, "email": 1}
    assert made["version"]["number"] == 2
    assert folder.run("dataset", "show", "q@approved", "--json").json["version"]["number"] == 1
    case = cases_of(folder, "q@v2")[-1]
    assert "4539" not in json.dumps(case)
    assert "corp.io" not in json.dumps(case)
    assert (case["expected"], case["metadata"]["link"], case["tags"]) == ("In five days", LINK, ["refund"])
    assert case["metadata"]["origin"]["added_by"] == "eve"
    again = folder.run("case", "add", "--from", "ticket.txt", *words, "--id", case["id"])
    assert "has the case" in again.err
    assert folder.run("proposal", "new", "q@v2", "--by", "eve").code == 0


def test_a_failing_case_of_a_run_keeps_the_answer_that_was_seen(folder):  # noqa: F811
    folder.run("run", "suite.yaml", "--report", "none")
    called = folder.run("case", "add", "--from-run", "latest", "q10", "--contains", "answer", "--lacks", "idea")
    assert called.code == 0, called.err
    assert "not_contains" in called.out
    draft = json.loads((folder.path / "drafts.jsonl").read_text())
    assert draft["state"] == "draft"
    assert draft["draft"]["metadata"]["observed"] == "no idea"
    assert draft["draft"]["expected"] == "answer 10"
    assert draft["origin"]["file"].endswith(" q10")
    case_id = draft["draft"]["id"]
    assert "has the draft" in folder.run("case", "add", "--from-run", "latest", "q10", "--contains", "answer").err
    folder.run("draft", "accept", "drafts.jsonl", case_id, "--by", "bob")
    assert "1 cases" in folder.run("draft", "release", "drafts.jsonl", "new.jsonl").out
    assert "1 added" in folder.run("dataset", "create", "made", "--from", "new.jsonl").out


def test_the_checks_of_an_added_case_are_scored(folder):  # noqa: F811
    folder.write("t.txt", "question 3")
    added = folder.run("case", "add", "--from", "t.txt", "--contains", "answer", "--lacks", "idea", "--into", "m")
    lines = [line.partition("with  ")[2] for line in added.out.splitlines() if "with  " in line]
    suite = "suite: s\ntarget: { type: python, callable: 'product:answer' }\n"
    suite += "dataset: { golden: m, version: v1 }\nscorers:\n" + "".join(f"  {line}\n" for line in lines)
    folder.write("s.yaml", suite)
    called = folder.run("run", "s.yaml", "--json", "--report", "none")
    assert called.code == 0, called.err
    assert [(m["name"], m["value"]) for m in called.json["metrics"]] == [("contains", 1.0), ("not_contains", 1.0)]


def test_mail_and_json_tickets(folder):  # noqa: F811
    folder.write("a.eml", "From: a@b.io\nTo: c@d.io\nSubject: Refund\nContent-Type: text/plain\n\nWhen?\n")
    found = folder.run("case", "add", "--from", "a.eml", "--refuse", "--json").json["case"]
    assert (found["input"], found["metadata"]["should_refuse"]) == ("Refund\n\nWhen?", True)
    folder.write("t.json", json.dumps({"body": "Where is it?", "url": LINK, "answer": "On its way"}))
    found = folder.run("case", "add", "--from", "t.json", "--json").json["case"]
    assert (found["input"], found["expected"], found["metadata"]["link"]) == ("Where is it?", "On its way", LINK)
    found = folder.run("case", "add", "--link", LINK, "--input", "Why?", "--no-refuse", "--json").json["case"]
    assert (found["input"], found["metadata"]["origin"]["detail"]) == ("Why?", LINK)


def test_mistakes_get_a_message_and_a_remedy(folder, monkeypatch):  # noqa: F811
    folder.write("t.txt", "Hi")
    folder.write("empty.txt", " \n")
    folder.write("two.jsonl", '{"input": 1}\n{"input": 2}\n')
    for args, said in [
        ([], "say where the case comes from"),
        (["--from", "t.txt"], "nothing says what the right answer is"),
        (["--from", "gone.txt", "--expect", "x"], "there is no file"),
        (["--from", "empty.txt", "--expect", "x"], "holds no text"),
        (["--from", "two.jsonl", "--expect", "x"], "holds no single case"),
        (["--link", "ftp://x", "--expect", "x"], "is no link"),
        (["--link", LINK, "--expect", "x"], "nothing says what was asked"),
        (["--from-run", "latest", "q1", "--expect", "x"], "no run"),
    ]:
        called = folder.run("case", "add", *args)
        assert (called.code, said in called.err) == (2, True), (args, called.err)


def test_on_a_terminal_it_asks(folder):  # noqa: F811
    folder.write("t.txt", "When do you open?")
    code = "import sys; from evalwright.cli.main import run; sys.argv[1:] = ['case', 'add', '--from', 't.txt']; run()"
    master, slave = pty.openpty()
    worker = subprocess.Popen(
        [sys.executable, "-c", code], cwd=folder.path, stdin=slave, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    os.write(master, b"At nine\nnine; Monday\n\nno\n")
    out, err = worker.communicate(timeout=60)
    os.close(master)
    os.close(slave)
    assert worker.returncode == 0, err
    case = json.loads((folder.path / "drafts.jsonl").read_text())["draft"]
    assert case["expected"] == "At nine"
    assert case["metadata"]["checks"] == {"contains": ["nine", "Monday"]}
    assert case["metadata"]["should_refuse"] is False
    assert b"drafts.jsonl" in out

"""Proposals from the command line: difference, impact, approval by somebody else, at once and killed midway."""

import json
import os
import signal
import subprocess
import sys

import pytest

from tests.e2e.conftest import CASES, folder  # noqa: F401 - the fixture

GATE = "gate:\n  - { metric: exact, at_least: 0.5 }\n"


def rows(cases):
    return "".join(json.dumps(case) + "\n" for case in cases)


@pytest.fixture
def sets(folder):  # noqa: F811
    """Ann's set `q` with an approved version, a run on it, and a draft without every tenth case."""
    folder.run("dataset", "create", "q", "--from", "cases.jsonl", "--by", "ann", "--owner", "support")
    folder.run("dataset", "state", "q", "approve", "--by", "bob")
    folder.suite(dataset="{ golden: q, version: approved }", extra=GATE)
    assert folder.run("run", "suite.yaml", "--report", "none").code == 0
    folder.write(
        "less.jsonl", rows([*(c for n, c in enumerate(CASES) if n % 10), {"id": "new", "input": "question 7"}])
    )
    folder.run("dataset", "add", "q", "less.jsonl", "--replace", "--by", "ann")
    return folder


def propose(place, subject="q@v2", by="ann"):
    called = place.run("proposal", "new", subject, "--by", by, "--json")
    assert called.code == 0, called.err
    return called.json


def test_a_proposal_says_what_changes_and_what_it_would_do(sets):
    made = propose(sets)
    assert made["diff"][0] == "1 added, 0 changed, 3 removed"
    impact = made["impact"]
    assert (impact["touched"][0]["suite"], impact["touched"][0]["rules"]) == ("small", ["exact at_least 0.5"])
    move = impact["runs"][0]["moves"][0]
    assert (move["metric"], move["before"]["value"], move["before"]["n"]) == ("exact", 0.9, 30)
    assert (move["after"]["value"], move["after"]["n"]) == (1.0, 27)
    assert impact["comparable"] == "in part"
    assert "27 of 30 cases stay" in impact["meaning"]
    shown = sets.run("proposal", "show", made["id"]).out
    assert "exact: 0.9 [" in shown
    assert "- q00  question 0" in shown


def test_approval_takes_somebody_else_and_moves_what_suites_use(sets):
    made = propose(sets)
    for by, said in [("ann", "ann made"), ("ann", "can't decide")]:
        called = sets.run("proposal", "approve", made["id"], "--by", by)
        assert (called.code, said in called.err) == (2, True)
    assert sets.run("dataset", "show", "q@approved", "--json").json["version"]["number"] == 1
    assert "is approved" in sets.run("proposal", "approve", made["id"], "--by", "bob", "--comment", "fine").out
    assert sets.run("dataset", "show", "q@approved", "--json").json["version"]["number"] == 2
    listed = sets.run("proposal", "list", "--json").json
    assert [(p["state"], p["decided_by"], p["comment"]) for p in listed] == [("approved", "bob", "fine")]
    assert "approved already" in sets.run("proposal", "reject", made["id"], "--by", "carl").err


def test_trends_show_where_comparability_ended(sets):
    sets.run("proposal", "approve", propose(sets)["id"], "--by", "bob")
    sets.run("run", "suite.yaml", "--report", "none")
    sets.suite(dataset="{ golden: q, version: approved }", scorers="[{ exact: { ignore_case: true } }]")
    sets.run("run", "suite.yaml", "--report", "none")
    found = sets.run("proposal", "breaks", "small", "--json").json
    assert [(b["what"], b["comparable"]) for b in found] == [("cases", "in part"), ("scorer", "no")]
    assert (found[0]["common"], found[1]["metrics"]) == (27, ["exact"])
    assert "ignore_case" in found[1]["meaning"]


def test_a_version_may_be_rejected_withdrawn_and_proposed_again(sets):
    first = propose(sets)
    assert "open proposal" in sets.run("proposal", "new", "q@v2", "--by", "carl").err
    assert "only ann" in sets.run("proposal", "withdraw", first["id"], "--by", "bob").err
    sets.run("proposal", "withdraw", first["id"], "--by", "ann")
    second = propose(sets)
    sets.run("proposal", "reject", second["id"], "--by", "bob")
    states = [p["state"] for p in sets.run("proposal", "list", "--json").json]
    assert states == ["withdrawn", "rejected"]
    assert "draft" in sets.run("dataset", "show", "q@v2").out


def test_another_gate_is_tried_on_past_runs(sets):
    text = (sets.path / "suite.yaml").read_text()
    sets.write("before.yaml", text)
    sets.write("suite.yaml", text.replace("0.5", "0.99") + "tier: 1\n")
    made = sets.run("proposal", "new", "suite.yaml", "--base", "before.yaml", "--by", "ann", "--json").json
    assert (made["kind"], made["action"]) == ("gate", "change_tier1_threshold")
    run = made["impact"]["runs"][0]
    assert (run["decision"], run["would_be"]) == ("pass", "fail")
    assert sets.run("proposal", "check", "suite.yaml").code == 1
    sets.run("proposal", "approve", made["id"], "--by", "bob")
    assert sets.run("proposal", "check", "suite.yaml").code == 0
    sets.write("suite.yaml", text.replace("0.5", "0.8"))
    assert sets.run("proposal", "check", "suite.yaml").code == 1


def test_a_policy_file_and_a_rubric(sets):
    sets.write("policy.yaml", "gate:\n  - { metric: exact, at_least: 0.99 }\n")
    made = propose(sets, "policy.yaml")
    assert (made["kind"], made["impact"]["runs"][0]["would_be"]) == ("gate", "fail")
    rubric = (
        "rubric: tone\ncriterion: Is it polite?\nlevels:\n  - { name: no, value: 0 }\n  - { name: yes, value: 1 }\n"
    )
    sets.write("tone.yaml", rubric)
    sets.suite("judged.yaml", extra="# rubrics: tone.yaml\n", suite="judged")
    made = propose(sets, "tone.yaml")
    assert (made["kind"], made["action"], made["impact"]["comparable"]) == ("rubric", "change_rubric", "no")
    assert [suite["suite"] for suite in made["impact"]["touched"]] == ["judged"]


def test_roles_decide_who_may(sets):
    for name, role in [("ann", "admin"), ("bob", "engineer"), ("lea", "lead"), ("vic", "viewer")]:
        assert sets.run("proposal", "member", name, role, "--by", "ann").code == 0
    assert "takes the role reviewer" in sets.run("proposal", "new", "q@v2", "--by", "vic").err
    made = propose(sets)
    assert "takes the role lead, not engineer" in sets.run("proposal", "approve", made["id"], "--by", "bob").err
    assert "takes the role lead" in sets.run("dataset", "state", "q@v2", "approve", "--by", "bob").err
    assert "no member" in sets.run("proposal", "approve", made["id"], "--by", "stranger").err
    assert sets.run("proposal", "approve", made["id"], "--by", "lea").code == 0


def test_how_long_a_set_is_kept_takes_the_role_for_it(sets):
    sets.run("proposal", "member", "ann", "admin", "--by", "ann")
    sets.run("proposal", "member", "eve", "engineer", "--by", "ann")
    assert "takes the role lead" in sets.run("dataset", "create", "q", "--retention-days", "9", "--by", "eve").err
    assert sets.run("dataset", "create", "q", "--retention-days", "9", "--by", "ann").code == 0
    about = sets.run("dataset", "show", "q", "--json").json
    assert (about["retention_days"], about["owner"]) == (9, "support")


def test_an_engineer_agrees_to_new_cases_of_their_teams_set(sets):
    sets.write("more.jsonl", rows([*CASES, {"id": "z", "input": "question 99"}]))
    sets.run("dataset", "add", "q", "more.jsonl", "--replace", "--by", "ann")
    sets.run("proposal", "member", "ann", "admin", "--by", "ann")
    sets.run("proposal", "member", "eve", "engineer", "--team", "support", "--by", "ann")
    made = propose(sets, "q@v3")
    assert made["action"] == "add_cases"
    assert sets.run("proposal", "approve", made["id"], "--by", "eve").code == 0


def test_mistakes_get_a_message_and_a_remedy(sets):
    sets.write("other.yaml", "a: 1\n")
    for args, said in [
        (["new", "nothing"], "neither a golden set nor a file"),
        (["new", "q@v9"], "no version 'v9'"),
        (["new", "q@v1"], "is approved already"),
        (["new", "product.py", "--base", "product.py"], "is as it was"),
        (["new", "other.yaml"], "is no rubric, policy, suite or scorer"),
        (["show", "p-none"], "there is no proposal"),
        (["breaks", "none"], "there is no run of the suite"),
        (["member", "bob", "lead"], "somebody must be admin"),
    ]:
        called = sets.run("proposal", *args)
        assert (called.code, said in called.err) == (2, True), (args, called.err)


def start(place, *words):
    code = f"import sys; from evalwright.cli.main import run; sys.argv[1:] = {list(words)!r}; run()"
    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, "-c", code], cwd=place.path, env={**os.environ}, stdout=pipe, stderr=pipe)


def ends(workers):
    codes = []
    for worker in workers:
        worker.communicate(timeout=60)
        codes.append(worker.returncode)
    return sorted(codes)


def test_of_two_who_propose_or_decide_at_once_one_succeeds(sets):
    assert ends([start(sets, "proposal", "new", "q@v2", "--by", by) for by in ("ann", "carl")]) == [0, 2]
    listed = sets.run("proposal", "list", "--json").json
    assert len(listed) == 1
    words = [("approve", "bob"), ("reject", "dora")]
    assert ends([start(sets, "proposal", word, listed[0]["id"], "--by", by) for word, by in words]) == [0, 2]
    state = sets.run("proposal", "list", "--json").json[0]["state"]
    approved = sets.run("dataset", "show", "q@approved", "--json").json["version"]["number"]
    assert (state, approved) in [("approved", 2), ("rejected", 1)]


@pytest.mark.slow
def test_a_process_killed_at_any_moment_leaves_a_whole_state(sets):
    for wait in (0.2, 0.3, 0.4, 0.5, 0.6, 0.7):
        worker = start(sets, "proposal", "new", "q@v2", "--by", "ann")
        kill_after(worker, wait)
        listed = sets.run("proposal", "list", "--json").json
        assert sets.run("dataset", "show", "q@v2").code == 0
        if not [p for p in listed if p["state"] == "open"]:
            continue
        worker = start(sets, "proposal", "approve", listed[-1]["id"], "--by", "bob")
        kill_after(worker, wait)
        state = sets.run("proposal", "list", "--json").json[-1]["state"]
        number = sets.run("dataset", "show", "q@approved", "--json").json["version"]["number"]
        assert (state, number) in [("open", 1), ("approved", 2)]
        break


def kill_after(worker, seconds):
    try:
        worker.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        worker.send_signal(signal.SIGKILL)
        worker.communicate()

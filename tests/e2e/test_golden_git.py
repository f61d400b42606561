"""A set that follows a plain file in git: commits are versions, dates and commits name them, pull requests approve."""

import json
import os
import subprocess

import pytest

from tests.e2e.conftest import CASES, folder  # noqa: F401 - the fixture


@pytest.fixture
def repository(folder, monkeypatch):  # noqa: F811
    for key, value in {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}.items():
        monkeypatch.setenv(key, value)
    git(folder, "init", "-q")
    commit(folder, CASES[:3], "first cases", date="2026-08-01T12:00:00Z")
    return folder


def git(place, *words, **environment):
    done = subprocess.run(
        ["git", *words], cwd=place.path, env={**os.environ, **environment}, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def commit(place, cases, message, *, date, author="Ann"):
    place.write("cases.jsonl", "".join(json.dumps(case) + "\n" for case in cases))
    people = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in
              {"NAME": author, "EMAIL": f"{author}@acme.io", "DATE": date}.items()}  # fmt: skip
    git(place, "add", "cases.jsonl")
    git(place, "commit", "-q", "-m", message, **people)
    return git(place, "rev-parse", "HEAD")


def shown(place, reference):
    called = place.run("dataset", "show", reference, "--json")
    assert called.code == 0, called.err
    return called.json["version"]


def test_commits_are_versions_by_name_date_and_commit(repository):
    first = git(repository, "rev-parse", "HEAD")
    assert "1 versions" in repository.run("dataset", "track", "q", "cases.jsonl").out
    changed = {**CASES[0], "expected": "another answer"}
    second = commit(repository, [changed, *CASES[1:5]], "answers mended", date="2026-09-10T12:00:00Z", author="Bob")
    assert shown(repository, "q")["number"] == 2
    assert shown(repository, "q@2026-08")["number"] == 1
    assert shown(repository, f"q@{first[:10]}")["cases"] == 3
    found = shown(repository, f"q@{second[:10]}")
    assert (found["by"], found["message"], found["source"]["commit"]) == ("Bob", "answers mended", second)
    assert "2 added, 1 changed, 0 removed" in repository.run("dataset", "diff", "q@2026-08", "q").out
    history = repository.run("dataset", "log", "q", "--case", "q00").out
    assert "Ann  added  first cases" in history
    assert "Bob  changed  answers mended" in history


def test_what_is_not_committed_is_no_version_and_the_file_is_the_truth(repository):
    repository.run("dataset", "track", "q", "cases.jsonl")
    repository.write("cases.jsonl", json.dumps(CASES[5]) + "\n")
    assert shown(repository, "q")["cases"] == 3
    for words in (["add", "q", "cases.jsonl"], ["add", "q", "--remove", "q00"]):
        assert "edit the file and commit it" in repository.run("dataset", *words).err


def test_a_reviewed_commit_is_approved_and_its_authors_own_word_does_not_count(repository):
    repository.run("dataset", "track", "q", "cases.jsonl")
    commit(repository, CASES[:4], "four\n\nReviewed-by: Ann <ann@acme.io>", date="2026-09-01T12:00:00Z")
    assert repository.run("dataset", "show", "q@approved").code == 2
    commit(repository, CASES[:5], "five\n\nReviewed-by: Bob <bob@acme.io>", date="2026-09-02T12:00:00Z")
    assert shown(repository, "q@approved")["cases"] == 5


def test_a_suite_uses_the_file_as_it_was_pinned(repository):
    repository.run("dataset", "track", "q", "cases.jsonl")
    repository.suite(dataset="{ golden: q, version: 2026-08 }")
    commit(repository, CASES, "all", date="2026-09-01T12:00:00Z")
    called = repository.run("run", "suite.yaml", "--json", "--report", "none")
    assert called.json["metrics"][0]["n"] == 3


def test_a_broken_commit_makes_no_version_and_bad_rows_are_counted(repository):
    repository.run("dataset", "track", "q", "cases.jsonl")
    repository.write("cases.jsonl", "broken\n")
    git(repository, "commit", "-qam", "broken", GIT_AUTHOR_NAME="A", GIT_AUTHOR_EMAIL="a", GIT_COMMITTER_NAME="A",
        GIT_COMMITTER_EMAIL="a")  # fmt: skip
    assert shown(repository, "q")["number"] == 1
    good = json.dumps(CASES[0]) + "\nbroken\n"
    repository.write("cases.jsonl", good)
    git(repository, "commit", "-qam", "half", GIT_AUTHOR_NAME="A", GIT_AUTHOR_EMAIL="a", GIT_COMMITTER_NAME="A",
        GIT_COMMITTER_EMAIL="a")  # fmt: skip
    found = shown(repository, "q")
    assert (found["number"], found["cases"], found["source"]["bad_rows"]) == (2, 1, 1)


def test_mistakes(repository, tmp_path_factory):
    repository.run("dataset", "create", "own", "--from", "cases.jsonl")
    assert "choose another name" in repository.run("dataset", "track", "own", "cases.jsonl").err
    outside = tmp_path_factory.mktemp("outside") / "x.jsonl"
    outside.write_text('{"input": 1}\n')
    assert "no history in git" in repository.run("dataset", "track", "z", str(outside)).err


def test_an_index_without_its_repository_still_answers(repository):
    repository.run("dataset", "track", "q", "cases.jsonl")
    repository.run("dataset", "create", "q", "--owner", "support")
    (repository.path / ".git").rename(repository.path / "gone")
    assert shown(repository, "q")["cases"] == 3

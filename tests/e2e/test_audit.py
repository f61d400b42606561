"""`evalwright audit` on what the command line itself decided."""

import sqlite3


def decided(folder, monkeypatch):
    folder.suite(extra="gate:\n  - { metric: exact, at_least: 0.99 }\n")
    folder.run("run", "suite.yaml", "--report", "none", "-q")
    monkeypatch.setenv("EVALWRIGHT_USER", "ada")
    asked = folder.run("waive", "request", "latest", "1", "--reason", "known")
    monkeypatch.setenv("EVALWRIGHT_USER", "grace")
    assert folder.run("waive", "approve", asked.out.strip()).code == 0


def test_waivers_of_the_command_line_are_in_the_log(folder, monkeypatch):
    decided(folder, monkeypatch)
    rows = folder.run("audit", "list", "--json").json
    assert [(row["actor"], row["action"]) for row in rows] == [("grace", "waiver.approve"), ("ada", "waiver.request")]
    assert "waiver.approve" in folder.run("audit", "list").out
    assert folder.run("audit", "list", "--action", "token.").err == "nothing was done yet that fits\n"


def test_verify_tells_the_first_broken_row_and_fails(folder, monkeypatch):
    decided(folder, monkeypatch)
    good = folder.run("audit", "verify")
    assert (good.code, good.out.split(":")[0]) == (0, "whole")
    assert "no checkpoint yet" in good.err
    assert folder.run("audit", "checkpoint").code == 0
    with sqlite3.connect(folder.path / ".evalwright" / "catalog.db") as database:
        database.execute("UPDATE audit SET actor = 'ada' WHERE seq = 2")
    database.close()
    bad = folder.run("audit", "verify")
    assert (bad.code, bad.out) == (1, "broken at row 2: row 2 was changed after it was written\n")
    assert folder.run("audit", "verify", "--json").json["whole"] is False


def test_the_log_is_exported(folder, monkeypatch):
    decided(folder, monkeypatch)
    assert folder.run("audit", "export", "-o", "log.csv").err == "log.csv: 2 rows\n"
    assert (folder.path / "log.csv").read_text().startswith("seq,at,actor,action,")
    assert folder.run("audit", "verify", "--public-key", "none.pem").code == 2

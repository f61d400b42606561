"""A workbook walks in: rows become cases, a formula without a value and an empty question are set aside."""

import json

import openpyxl


def test_a_workbook_is_imported_and_what_is_no_case_is_set_aside(folder):
    book = openpyxl.Workbook()
    for row in (["id", "question", "expected"], ["a", "What?", "this"], ["b", "=1+1", "that"], ["c", None, "x"]):
        book.active.append(row)
    book.save(folder.path / "tickets.xlsx")
    book.close()
    done = folder.run("import", "tickets.xlsx", "--output", "out")
    assert (done.code, "2 rows set aside" in done.out) == (0, True)
    cases = [json.loads(line) for line in (folder.path / "out" / "cases.jsonl").read_text().splitlines()]
    assert [(case["id"], case["input"], case["expected"]) for case in cases] == [("a", "What?", "this")]
    quarantine = (folder.path / "out" / "quarantine.jsonl").read_text()
    assert [json.loads(line)["line"] for line in quarantine.splitlines()] == [3, 4]

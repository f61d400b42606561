"""Labels and answers as Label Studio has them, workbooks without formulas, edited checks."""

import json

import openpyxl
import pytest

from evalwright.core.case import Case
from evalwright.core.errors import ConfigError, UsageError
from evalwright.datasets import prepare
from evalwright.datasets.exporters import export_cases
from evalwright.datasets.exporters.excel import write_excel
from evalwright.datasets.exporters.promptfoo import promptfoo_test
from evalwright.datasets.importers import Label, Source, read_import
from evalwright.services.exporting import export_annotated
from evalwright.services.importing import ImportPlan, import_file
from evalwright.store.blobs import Blobs


def stored(tmp_path, *cases):
    return prepare(cases, Blobs(tmp_path / "blobs")).case_file


def test_labels_and_answers_become_annotations_and_predictions_and_come_back(tmp_path):
    labels = [
        {"id": "1", "name": "tone", "value": "kind", "reviewer": "ann@acme.io", "comment": "warm"},
        {"id": "1", "name": "stars", "value": 4, "reviewer": "ann@acme.io"},
        {"id": "1", "name": "tone", "value": "rude", "reviewer": "bob@acme.io"},
    ]
    outputs = [{"id": "1", "text": "Hello!", "variant": "gpt", "trial": 1}]
    (tmp_path / "labels.jsonl").write_text("".join(json.dumps(row) + "\n" for row in labels))
    (tmp_path / "outputs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in outputs))
    cases = stored(tmp_path, Case(id="1", input="Hi"), Case(id="2", input="Ho"))
    out = tmp_path / "tasks.json"
    export_annotated(cases, out, labels=tmp_path / "labels.jsonl", outputs=tmp_path / "outputs.jsonl")
    tasks = json.loads(out.read_text())
    assert tasks[0]["predictions"][0]["model_version"] == "gpt trial 1"
    assert "annotations" not in tasks[1]
    found = [item for item in read_import(Source(out), "label-studio") if isinstance(item, Label)]
    assert [(label.reviewer, label.name, label.value) for label in found] == [
        ("ann@acme.io", "tone", "kind"),
        ("ann@acme.io", "stars", 4),
        ("bob@acme.io", "tone", "rude"),
    ]


def test_a_file_that_holds_no_rows_is_named(tmp_path):
    (tmp_path / "labels.jsonl").write_text("no\n")
    with pytest.raises(ConfigError, match=r"labels\.jsonl"):
        export_annotated(
            stored(tmp_path, Case(id="1", input="x")), tmp_path / "o", labels=tmp_path / "labels.jsonl", outputs=None
        )


def test_a_workbook_holds_texts_only_and_can_be_imported(tmp_path):
    cases = [Case(id="=1+1", input="=HYPERLINK(A1)", expected="+x", metadata={"n": 1}), Case(id="b", input="\x07beep")]
    path = tmp_path / "out.xlsx"
    export_cases(stored(tmp_path, *cases), "excel", path)
    sheet = openpyxl.load_workbook(path).active
    assert [[cell.data_type for cell in row[:3]] for row in sheet.iter_rows(min_row=2)] == [["s"] * 3, ["s", "s", "n"]]
    with import_file(ImportPlan(path=path)) as found:
        assert [(case.id, case.input, case.expected) for case in found.cases] == [
            ("=1+1", "=HYPERLINK(A1)", "+x"),
            ("b", "\ufffdbeep", None),
        ]


def test_a_text_too_long_for_a_cell_leaves_no_file(tmp_path):
    with pytest.raises(UsageError, match="row 2 has a text of 40,000 characters"):
        write_excel(tmp_path / "out.xlsx", ["a"], [["x" * 40_000]])
    assert not (tmp_path / "out.xlsx").exists()


def test_edited_checks_count_and_options_stay(tmp_path):
    config = {
        "prompts": ["{{q}}"],
        "tests": [
            {
                "vars": {"q": "Why?"},
                "threshold": 0.5,
                "assert": [{"type": "contains", "value": "a", "weight": 2}, {"type": "latency", "threshold": 900}],
            }
        ],
    }
    path = tmp_path / "promptfooconfig.json"
    path.write_text(json.dumps(config))
    case = next(item for item in read_import(Source(path), "promptfoo") if isinstance(item, Case))
    assert promptfoo_test(case) == config["tests"][0]
    case.metadata["checks"] = {"contains": ["b"]}
    edited = {"vars": {"q": "Why?"}, "threshold": 0.5, "assert": [{"type": "contains", "value": "b"}]}
    assert promptfoo_test(case) == edited

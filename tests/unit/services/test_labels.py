"""Label files in the shapes people have them."""

import json

import pytest

from evalwright.core.errors import ConfigError, UsageError
from evalwright.services.labels import as_label, as_truth, read_labels


def written(tmp_path, rows, name="labels.jsonl"):
    path = tmp_path / name
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_usual_columns_are_found_and_the_rest_is_metadata(tmp_path):
    path = written(tmp_path, [{"case_id": "a", "question": "q", "answer": "x", "human": True, "locale": "de"}])
    (row,) = read_labels(path, {}).rows
    assert (row.case.id, row.case.input, row.output.text, row.label) == ("a", "q", "x", "true")
    assert row.case.metadata == {"locale": "de"}


def test_other_columns_are_named(tmp_path):
    path = written(tmp_path, [{"q": "q", "said": "x", "ok": 1}])
    (row,) = read_labels(path, {"input": "q", "output": "said", "label": "ok"}).rows
    assert (row.case.input, row.output.text, row.label) == ("q", "x", "1")


def test_two_answers_to_one_question_are_two_rows_without_ids(tmp_path):
    path = written(tmp_path, [{"input": "q", "output": "x", "label": 1}, {"input": "q", "output": "y", "label": 0}])
    first, second = read_labels(path, {}).rows
    assert first.case.id != second.case.id


def test_csv_is_read_too_and_an_empty_label_is_none_yet(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("id,output,label\na,x,good\nb,y,\n", encoding="utf-8")
    assert [row.label for row in read_labels(path, {}).rows] == ["good", None]


def test_rows_that_are_no_objects_are_set_aside_and_named(tmp_path):
    path = tmp_path / "labels.jsonl"
    path.write_text('{"id": "a", "label": 1}\n[1]\nnot json\n', encoding="utf-8")
    found = read_labels(path, {})
    assert len(found.rows) == 1
    assert len(found.bad) == 2
    assert "labels.jsonl:2" in found.bad[0]


def test_a_missing_or_empty_file_is_a_message(tmp_path):
    with pytest.raises(ConfigError):
        read_labels(tmp_path / "none.jsonl", {})
    with pytest.raises(ConfigError, match="no rows"):
        read_labels(written(tmp_path, []), {})
    with pytest.raises(UsageError, match="no row of"):
        read_labels(written(tmp_path, [{"id": "a"}]), {"label": "human"})


@pytest.mark.parametrize(
    ("value", "label", "truth"),
    [(True, "true", True), (0, "0", False), (1.0, "1", True), ("Pass ", "Pass", True), ("wrong", "wrong", False)],
)
def test_words_for_pass_and_fail(value, label, truth):
    assert (as_label(value), as_truth(label)) == (label, truth)


@pytest.mark.parametrize("value", [None, "", "  "])
def test_nothing_is_no_label(value):
    assert as_label(value) is None

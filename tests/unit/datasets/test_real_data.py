"""Real files of several kinds, where they are present."""

from __future__ import annotations

from pathlib import Path

import pytest

from evalwright.core.suite import DatasetSpec
from evalwright.datasets import Prepared, prepare, read_rows
from evalwright.store.blobs import Blobs
from tests.shared_data import shared_data

pytestmark = pytest.mark.shared


def load(tmp_path: Path, name: str, file: str, **fields: object) -> Prepared:
    folder = shared_data(f"data/{name}")
    return prepare(read_rows(DatasetSpec(file=file, fields=fields), folder), Blobs(tmp_path), source=file)


def test_gsm8k(tmp_path: Path) -> None:
    found = load(tmp_path, "gsm8k_solutions", "solutions.jsonl.gz", input="question", expected="ground_truth")
    assert (found.count, found.bad_count) == (1319, 0)
    case = found.case_file[0]
    assert case.input.startswith("Janet")
    assert case.expected.endswith("A: 18")
    assert case.metadata["6b_finetuning"]["is_correct"] is False


def test_mtrag_multi_turn_tasks(tmp_path: Path) -> None:
    found = load(tmp_path, "mtrag_human", "dev_tasks.jsonl.gz", id="task_id", input="conversation")
    assert (found.count, found.bad_count) == (80, 0)
    case = found.case_file[0]
    assert found.case_file.find(case.id) == 0
    assert case.input[0]["speaker"] == "user"
    assert case.metadata["domain"] == "govt"


def test_banking77_keeps_unicode_line_ends(tmp_path: Path) -> None:
    found = load(tmp_path, "banking77", "train.jsonl.gz", input="text", expected="intent")
    assert found.count + found.bad_count == 10_003
    assert all("same input" in row.reason for row in found.bad_rows)

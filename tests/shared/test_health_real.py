"""Leaks of rewritten questions into a real set: how many are found, and how many alarms are false."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import pytest

from evalwright.core.case import Case
from evalwright.datasets import prepare
from evalwright.datasets.health import Health, HealthQuestion, examine
from evalwright.store.blobs import Blobs
from evalwright.store.cases import CaseFile
from tests.shared_data import shared_data

pytestmark = pytest.mark.shared

WORDS = [
    ("How many", "What is the number of"), ("each", "every"), ("buys", "purchases"), ("has", "owns"),
    ("gets", "receives"), ("total", "sum"), ("makes", "earns"), ("went", "traveled"), ("wants", "would like"),
    ("gives", "hands"), ("week", "seven days"),
]  # fmt: skip


def questions() -> list[str]:
    with gzip.open(shared_data("data/gsm8k_solutions/solutions.jsonl.gz"), "rt", encoding="utf-8") as file:
        return [json.loads(line)["question"] for line in file]


def rewritten(text: str) -> str:
    for word, other in WORDS:
        text = re.sub(rf"\b{word}\b", other, text)
    return text


def stored(folder: Path, texts: list[str]) -> CaseFile:
    return prepare([Case(id=str(n), input=text) for n, text in enumerate(texts)], Blobs(folder)).case_file


def leaks(health: Health) -> int:
    found = next((f for f in health.findings if f.kind == "leakage"), None)
    return 0 if found is None else int(found.message.split()[0].replace(",", ""))


def test_rewritten_questions_are_found_and_others_are_not(tmp_path: Path) -> None:
    texts = questions()
    train, test = stored(tmp_path / "a", texts[:700]), stored(tmp_path / "b", texts[700:])
    copies = stored(tmp_path / "c", [rewritten(text) for text in texts[:200]])
    assert leaks(examine(train, HealthQuestion(), others={"copies": copies})) >= 190
    assert leaks(examine(train, HealthQuestion(), others={"test": test})) <= 7

"""The detectors on real texts: per kind on annotated ones, and alarms on answers that hold nothing private."""

from __future__ import annotations

import gzip
import json
from collections import Counter

import pytest

from evalwright.detect import Confidence, Detector
from tests.shared_data import shared_data

pytestmark = pytest.mark.shared

KINDS = {
    "email": "EMAIL_ADDRESS", "card": "CREDIT_CARD", "iban": "IBAN_CODE", "national_id": "US_SSN", "ip": "IP_ADDRESS",
    "phone": "PHONE_NUMBER",
}  # fmt: skip


def test_precision_and_recall_of_each_kind() -> None:
    detector, hit, gold, told = Detector(), Counter[str](), Counter[str](), Counter[str]()
    with gzip.open(shared_data("data/presidio_pii/dev.jsonl.gz"), "rt", encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            found = [f for f in detector.find(row["text"]) if f.confidence != Confidence.POSSIBLE]
            for kind, name in KINDS.items():
                spans = [(s["start"], s["end"]) for s in row["spans"] if s["type"] == name]
                mine = [(f.start, f.end) for f in found if f.kind == kind]
                gold[kind] += len(spans)
                told[kind] += len(mine)
                hit[kind] += sum(any(a < end and start < b for a, b in mine) for start, end in spans)
    for kind in ("email", "card", "iban", "national_id", "ip"):
        assert hit[kind] == gold[kind] == told[kind], kind
    assert told["phone"] == hit["phone"]
    assert hit["phone"] / gold["phone"] >= 0.96


def test_few_alarms_on_answers_without_private_data() -> None:
    detector, texts, flagged = Detector(), 0, 0
    for path in shared_data("data/xstest").glob("*.jsonl"):
        for line in path.read_text(encoding="utf-8").split("\n"):
            if line:
                texts += 1
                found = detector.find(json.loads(line)["completion"])
                flagged += any(f.confidence != Confidence.POSSIBLE for f in found)
    assert texts == 1350
    assert flagged / texts <= 0.005

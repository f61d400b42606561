from __future__ import annotations

import pytest

from evalwright.core.case import Case
from evalwright.core.output import Output, Passage
from evalwright.core.result import CaseResult
from evalwright.core.run import Failure
from evalwright.core.score import Evidence, Score
from evalwright.reports import caseview
from evalwright.reports.caseview import CaseStatus, Turn
from tests.unit.reports import sample

RIGHT = Score.of(True)
WRONG = Score.of(False, reason="wrong year")
BROKEN = Score.failure("model file missing")
PLAIN = Score.of(0.4)


def result(*trials, passed=None):
    return CaseResult(case=Case(id="c", input="q"), trials=trials, passed=passed)


def answered(**scores):
    return sample.unit("c", output=Output(text="a"), scores=scores)


@pytest.mark.parametrize(
    ("given", "status"),
    [
        (result(), CaseStatus.ABSENT),
        (result(answered(a=RIGHT), passed=True), CaseStatus.PASS),
        (result(answered(a=PLAIN)), CaseStatus.UNJUDGED),
        (result(answered(a=WRONG), passed=False), CaseStatus.FAIL),
        (result(answered(a=WRONG, b=BROKEN), passed=False), CaseStatus.FAIL),
        (result(answered(a=RIGHT, b=BROKEN), passed=True), CaseStatus.ERROR),
        (result(sample.unit("c", error=Failure(kind="timeout")), passed=False), CaseStatus.ERROR),
        (result(answered(a=RIGHT), sample.unit("c", 1, error=Failure(kind="timeout")), passed=False), CaseStatus.ERROR),
        (result(answered(a=PLAIN), passed=False), CaseStatus.FAIL),
    ],
)
def test_an_error_is_never_a_wrong_answer(given, status):
    assert caseview.status_of(given) is status


def test_reasons_name_metric_trial_and_sentence_failures_first():
    given = result(answered(b=BROKEN, a=WRONG), sample.unit("c", 1, error=Failure(kind="timeout", message="30 s")))
    assert [(r.metric, r.kind, r.text, r.trial) for r in caseview.reasons_of(given)] == [
        ("a", "fail", "wrong year", 0),
        ("b", "error", "model file missing", 0),
        ("target", "error", "timeout: 30 s", 1),
    ]
    assert caseview.failing_metrics(given) == ["a", "b", "target"]


def test_a_failed_score_without_a_reason_shows_its_value_or_label():
    given = result(answered(a=Score.of(0.25, passed=False), b=Score.of(False, label="rude")))
    assert [reason.text for reason in caseview.reasons_of(given)] == ["value 0.25", "rude"]


@pytest.mark.parametrize(
    ("value", "turns"),
    [
        ([{"role": "user", "content": "hi"}], [Turn(role="user", text="hi")]),
        ({"messages": [{"role": "user", "content": None}]}, [Turn(role="user", text="")]),
        (
            [{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}],
            [Turn(role="user", text="a\nb")],
        ),
        ([{"role": "tool", "name": "search", "content": "x"}], [Turn(role="tool", text="x", name="search")]),
        ([{"role": 3, "content": "x"}], None),
        ([], None),
        ("text", None),
        ({"messages": [{"role": "user", "content": "x"}], "locale": "de"}, None),
        ([1, 2], None),
    ],
)
def test_conversations_are_recognised(value, turns):
    assert caseview.turns_of(value) == turns


def test_what_a_message_holds_besides_its_text_is_kept():
    turns = caseview.turns_of([{"role": "assistant", "content": "", "tool_calls": [{"name": "f"}]}])
    assert turns is not None
    assert '"tool_calls"' in turns[0].text


def test_flat_records_are_fields():
    assert caseview.fields_of({"a": 1, "b": ["x", "y"]}) == {"a": 1, "b": ["x", "y"]}
    assert caseview.fields_of({"a": {"nested": 1}}) is None
    assert caseview.fields_of({}) is None
    assert caseview.fields_of({str(n): n for n in range(13)}) is None


def test_the_headline_is_the_last_question():
    asked = [
        {"role": "user", "content": "first"},
        {"role": "assistant", "content": "x"},
        {"role": "user", "content": "2nd"},
    ]
    assert caseview.headline(CaseResult(case=Case(id="c", input=asked))) == "2nd"
    assert caseview.headline(CaseResult(case=Case(id="c", input={"k": "a", "q": "long question"}))) == "long question"
    assert caseview.headline(CaseResult(case=Case(id="c", input={"n": 3}))) == '{ "n": 3 }'


def test_anchors_are_plain_readable_and_unique():
    ids = ["refund-017", "refund/017", "refund 017", "ä", "", 'x"><script>', "\ud800", "a" * 200]
    anchors = [caseview.anchor(case_id) for case_id in ids]
    assert anchors[0] == "case-refund-017"
    assert len(set(anchors)) == len(ids)
    assert all(char.isascii() and (char.isalnum() or char in "-._") for anchor in anchors for char in anchor)


@pytest.mark.parametrize(
    ("evidence", "span"),
    [
        (Evidence(start=2, end=5), (2, 5)),
        (Evidence(start=2, end=500), (2, 11)),
        (Evidence(text="world"), (6, 11)),
        (Evidence(text="absent"), None),
        (Evidence(start=-3, end=2), None),
        (Evidence(start=5, end=5), None),
        (Evidence(start=90, end=95), None),
        (Evidence(where="context", index=0, start=0, end=2), None),
    ],
)
def test_evidence_is_found_in_the_output_or_left_out(evidence, span):
    unit = sample.unit("c", output=Output(text="hello world"), scores={"m": Score.of(False, evidence=(evidence,))})
    spans = caseview.output_spans(unit, "hello world")
    assert [(one.start, one.end) for one in spans] == ([span] if span else [])


def test_evidence_in_a_context_belongs_to_that_context():
    item = Evidence(where="context", index=1, start=0, end=3, note="source")
    output = Output(text="a", contexts=(Passage(text="one"), Passage(text="two")))
    unit = sample.unit("c", output=output, scores={"m": Score.of(False, evidence=(item,))})
    assert caseview.context_spans(unit, 0, "one") == []
    assert [(s.start, s.end, s.note) for s in caseview.context_spans(unit, 1, "two")] == [(0, 3, "m: source")]
    assert caseview.evidence_place(item) == "context 2, characters 0–3"
    assert caseview.evidence_text(item, output) == "two"
    assert caseview.evidence_text(Evidence(where="context", index=9, start=0, end=1), output) == ""


def test_a_status_code_is_not_said_twice():
    assert caseview.http_status(Failure(kind="server", message="bad gateway", status=502)) == " HTTP 502"
    assert caseview.http_status(Failure(kind="server", message="HTTP 502", status=502)) == ""

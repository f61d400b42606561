"""Queues out and labels in again: pairs, places, formulas, hostile text; what is settled feeds calibration and gold."""

from __future__ import annotations

import csv
import io
import json

import pytest

from evalwright.core.case import Case
from evalwright.core.errors import NotAllowed, UsageError
from evalwright.core.review import Entry, Span
from evalwright.services.golden import Goldens
from evalwright.services.labels import read_labels
from evalwright.services.reviewing.adjudicating import Verdict, adjudicate, to_decide, to_gold
from evalwright.services.reviewing.agreement import queue_agreement
from evalwright.services.reviewing.desk import Shown
from evalwright.services.reviewing.estimates import queue_estimates
from evalwright.services.reviewing.exchange import export, import_labels, read_incoming
from evalwright.services.reviewing.label_studio import interface
from evalwright.services.reviewing.requests import SourceSpec
from evalwright.services.reviewing.settling import settled
from evalwright.store import review_work
from tests.review_kit import HELPFUL, MODEL, POLITE, a_run, desks, queue_of, workspace_at

FORMATS = ("labelstudio", "csv", "xlsx", "jsonl")
GOOD, BAD = Entry(answers={"helpful": "good"}), Entry(answers={"helpful": "bad"}, rationale="no use")
HOSTILE = (
    "=HYPERLINK(\"http://x.test\")", "+1+1", "-2", "@SUM(A1)", "\t=1", "\x1b]0;owned\x07", "\u202eevil", "a\x00b",
    "<img src=x onerror=alert(1)>", "]]></Text><Evil/>", "$input", "line\r\n=2", "\ud800 lone", "\u200bzero width",
)  # fmt: skip


@pytest.fixture
def workspace(tmp_path):
    made = workspace_at(tmp_path, None)
    yield made
    made.catalog.close()


@pytest.fixture
def pairs(workspace):
    """A queue of pairs: the second answer of each says `new`."""
    a_run(workspace, "r1", dict.fromkeys("abcdefgh", True), text="old")
    a_run(workspace, "r2", dict.fromkeys("abcdefgh", True), text="new")
    return queue_of(workspace, source=SourceSpec(baseline="r1", candidate="r2"), kind="pairwise").queue


def prefer_new(desk, queue):
    while isinstance(shown := desk.next(queue), Shown):
        side = next(one.side for one in shown.outputs if one.text.startswith("new"))
        span = Span(side=side, start=0, end=3, text="new", note="here")
        desk.submit(shown.id, Entry(answers={"helpful": side}, spans=(span,)))


@pytest.mark.parametrize("kind", FORMATS)
def test_labels_of_pairs_survive_a_round_trip_whatever_side_they_were_on(workspace, pairs, kind):
    prefer_new(desks(workspace, "ada")[0], pairs)
    data = export(workspace, pairs, kind, "labels")
    other = queue_of(workspace, source=SourceSpec(baseline="r1", candidate="r2"), kind="pairwise", name="again").queue
    assert import_labels(workspace, pairs, read_incoming(pairs, data, kind), by="lea").known == 8
    lost = import_labels(workspace, other, read_incoming(other, data, kind), by="lea")
    assert lost.added == 0
    assert "is no item of the queue" in lost.problems[0]["message"]
    labels = review_work.labels(workspace.catalog.engine, pairs.id)
    assert {label.answers["helpful"] for label in labels} == {"second"}
    assert {(span.side, span.text) for label in labels for span in label.spans} == {("second", "new")}


@pytest.mark.parametrize("kind", ["csv", "labelstudio"])
def test_tasks_of_pairs_are_labelled_elsewhere_on_random_sides(workspace, pairs, kind):
    data = export(workspace, pairs, kind, "tasks")
    assert MODEL.encode() not in data
    sides = set()
    if kind == "csv":
        rows = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))
        for row in rows:
            row["helpful"] = "A" if row["output_a"].startswith("new") else "B"
            row["rater"] = "eve"
            sides.add(row["helpful"])
        buffer = io.StringIO()
        writer = csv.DictWriter(buffer, rows[0])
        writer.writeheader()
        writer.writerows(rows)
        back = buffer.getvalue().encode()
    else:
        tasks = json.loads(data)
        for task in tasks:
            side = "A" if task["data"]["output_a"].startswith("new") else "B"
            sides.add(side)
            choice = {"from_name": "helpful", "to_name": "output_a", "type": "choices", "value": {"choices": [side]}}
            task["annotations"] = [{"id": task["id"], "completed_by": "eve", "result": [choice]}]
        back = json.dumps(tasks).encode()
    assert sides == {"A", "B"}
    assert import_labels(workspace, pairs, read_incoming(pairs, back, kind), by="lea").added == 8
    assert {one.levels["helpful"] for one in settled(workspace, pairs)} == {"second"}


def test_settled_pairs_are_wins_of_the_second_for_the_pairwise_judge(workspace, pairs, tmp_path):
    prefer_new(desks(workspace, "ada")[0], pairs)
    path = tmp_path / "labels.jsonl"
    path.write_bytes(export(workspace, pairs, "jsonl", "settled"))
    rows = read_labels(path, {}).rows
    assert {row.label for row in rows} == {"win"}
    assert all(row.output.text.startswith("new") and row.case.expected.startswith("old") for row in rows)
    assert {row.model for row in rows} == {MODEL}


@pytest.mark.parametrize("kind", FORMATS)
def test_hostile_texts_go_out_harmless_and_their_labels_come_back(workspace, kind):
    rows = tuple({"id": f"h{n}", "input": text, "output": text} for n, text in enumerate(HOSTILE))
    queue = queue_of(workspace, source=SourceSpec(rows=rows), rubrics=(HELPFUL, POLITE)).queue
    (ada,) = desks(workspace, "ada")
    while isinstance(shown := ada.next(queue), Shown):
        ada.submit(shown.id, Entry(answers={"helpful": "good", "polite": "no"}, rationale=shown.outputs[0].text))
    for what in ("tasks", "labels"):
        data = export(workspace, queue, kind, what)
        check_harmless(data, kind)
    back = read_incoming(queue, export(workspace, queue, kind, "labels"), kind)
    report = import_labels(workspace, queue, back, by="lea")
    assert (report.added, report.known, report.problems) == (0, len(HOSTILE), ())


def check_harmless(data, kind):
    if kind in ("labelstudio", "jsonl"):
        text = data.decode()
        assert "\x1b" not in text
        assert "\x00" not in text
        return
    if kind == "csv":
        cells = [cell for row in csv.reader(io.StringIO(data.decode("utf-8-sig"))) for cell in row]
    else:
        from openpyxl import load_workbook

        book = load_workbook(io.BytesIO(data))
        assert all(cell.data_type != "f" for row in book.active.iter_rows() for cell in row)
        cells = [str(cell.value) for row in book.active.iter_rows() for cell in row if cell.value is not None]
    assert not [cell for cell in cells if cell.startswith(tuple("=+-@\t\r\n"))]
    assert not [cell for cell in cells if "\x1b" in cell or "\x00" in cell or "\u202e" in cell]


def test_the_interface_is_well_formed_whatever_a_rubric_says(workspace):
    import xml.etree.ElementTree as ET

    import msgspec

    rubric = msgspec.structs.replace(HELPFUL, criterion='"]]><Evil a="1"/> & <b>')
    queue = queue_of(workspace, rubrics=(rubric, POLITE)).queue
    root = ET.fromstring(interface(queue))
    assert [tag.get("name") for tag in root.iter("Choices")] == ["helpful", "polite"]
    assert not list(root.iter("Evil"))


@pytest.mark.parametrize(
    ("data", "kind", "words"),
    [
        (b"{", "labelstudio", "no JSON"),
        (b"\xff\xfe", "csv", "UTF-8"),
        (b"PK", "xlsx", "Excel"),
        (b"not json\n", "jsonl", "JSON Lines"),
    ],
)
def test_files_that_are_none(workspace, data, kind, words):
    queue = queue_of(workspace).queue
    with pytest.raises(UsageError, match=words):
        list(read_incoming(queue, data, kind))


def test_rows_that_do_not_fit_are_told_and_the_others_kept(workspace):
    queue = queue_of(workspace, 3, raters=("ada", "bob")).queue
    items = [one.item.id for one in settled(workspace, queue)]
    text = (
        "item,rater,helpful,seconds\n"
        f"{items[0]},ada,good,3\n{items[1]},ada,great,\n{items[1]},eve,good,\n,ada,good,\nnope,ada,good,\n"
        f"{items[2]},,good,\n{items[2]},ada,,\n{items[1]},bob,1.0,x\n{items[0]},ada,bad,\n"
    )
    report = import_labels(workspace, queue, read_incoming(queue, text.encode(), "csv"), by="lea")
    assert report.added == 1
    told = {problem["where"]: problem["message"] for problem in report.problems}
    assert len(told) == 7
    assert "no answer to" in told["row 3"]
    assert "none of the reviewers" in told["row 4"]
    assert "names no `item`" in told["row 5"]
    assert "seconds" in told["row 9"]
    assert "already" in told["row 10"]


# --- settling -------------------------------------------------------------------------------------------------------


def disputed_queue(workspace, **settings):
    queue = queue_of(workspace, 2, raters_per_item=2, **settings).queue
    for desk, entry in zip(desks(workspace, "ada", "bob"), (GOOD, BAD), strict=True):
        while isinstance(shown := desk.next(queue), Shown):
            desk.submit(shown.id, entry)
    return queue


def test_a_decision_needs_a_reason_a_level_and_somebody_else(workspace):
    queue = disputed_queue(workspace)
    waiting = to_decide(workspace, queue, by="ada")
    assert [one.may for one in waiting] == [False, False]
    item = waiting[0].item.id
    with pytest.raises(NotAllowed):
        adjudicate(workspace, item, Verdict(answers={"helpful": "good"}, reason="mine", by="ada"))
    with pytest.raises(UsageError) as caught:
        adjudicate(workspace, item, Verdict(answers={"helpful": "great", "kind": "yes"}, reason=" ", by="lea"))
    assert {name for name, _ in caught.value.fields} == {"reason", "answers.helpful", "answers.kind"}
    made = adjudicate(workspace, item, Verdict(answers={"helpful": "fair"}, reason="half", by="lea"))
    assert not made.own
    again = adjudicate(workspace, item, Verdict(answers={"helpful": "good"}, reason="read again", by="lea"))
    alone = adjudicate(
        workspace, waiting[1].item.id, Verdict(answers={"helpful": "bad"}, reason="x", by="ada", others_may=False)
    )
    assert alone.own
    assert to_decide(workspace, queue, by="lea") == []
    decided = {one.item.id: one for one in settled(workspace, queue)}
    assert decided[item].levels == {"helpful": "good"}
    assert decided[item].decision == again
    assert [one.decision is not None for one in to_decide(workspace, queue, by="lea", decided=True)] == [True, True]


def test_gold_keeps_what_the_set_knows_of_a_case_and_is_a_draft(workspace):
    goldens = Goldens(workspace, by="ann")
    goldens.add("judged", [Case(id="c0", input="question 0", expected="right", metadata={"locale": "de"})])
    queue = disputed_queue(workspace)
    for one in to_decide(workspace, queue, by="lea"):
        adjudicate(workspace, one.item.id, Verdict(answers={"helpful": "bad"}, reason="no", by="lea"))
    made = to_gold(workspace, queue, "judged", by="lea")
    assert (made.version, made.cases, made.left_out) == (2, 2, 0)
    golden, version = goldens.find("judged")
    assert golden.state(version) == "draft"
    cases = {case.id: case for case in goldens.open(version)}
    assert cases["c0"].expected == "right"
    assert cases["c0"].metadata["locale"] == "de"
    assert cases["c0"].metadata["labels"] == {"helpful": "bad"}
    assert cases["c1"].metadata["adjudicated_by"] == "lea"
    assert to_gold(workspace, queue, "judged", by="lea").version is None


def test_gold_becomes_the_known_items_of_the_next_queue(workspace):
    queue = disputed_queue(workspace)
    for one in to_decide(workspace, queue, by="lea"):
        adjudicate(workspace, one.item.id, Verdict(answers={"helpful": "fair"}, reason="so", by="lea"))
    to_gold(workspace, queue, "judged", by="lea")
    made = queue_of(workspace, 4, name="next", calibration_set="judged")
    assert (made.items, made.calibration) == (4, 2)
    (ada,) = desks(workspace, "ada")
    while isinstance(shown := ada.next(made.queue), Shown):
        ada.submit(shown.id, Entry(answers={"helpful": "fair" if shown.input == "question 0" else "good"}))
    (figures,) = queue_agreement(workspace, made.queue).rubrics
    (rater,) = figures.raters
    assert rater.n == 4, "known items count for nothing else"
    assert (rater.calibration_accuracy.value, rater.calibration_accuracy.n) == (0.5, 2)
    Goldens(workspace, by="ann").add("plain", [Case(id="x", input="y")])
    with pytest.raises(UsageError, match="has labels"):
        queue_of(workspace, 1, calibration_set="plain")


def test_labels_within_the_tolerated_steps_are_settled_in_the_middle(workspace):
    queue = queue_of(workspace, 1, raters_per_item=2, tolerance=1).queue
    for desk, level in zip(desks(workspace, "ada", "bob"), ("good", "fair"), strict=True):
        desk.submit(desk.next(queue).id, Entry(answers={"helpful": level}))
    (one,) = settled(workspace, queue)
    assert one.item.state == "agreed"
    assert (one.levels, one.basis) == ({"helpful": "fair"}, {"helpful": "tolerated"})


def test_the_whole_is_estimated_from_strata_of_the_judges_verdict(workspace):
    a_run(workspace, "r1", {f"n{i:02d}": i >= 10 for i in range(50)})
    queue = queue_of(workspace, source=SourceSpec(run="r1", metric="helpful")).queue
    (first,) = queue_estimates(workspace, queue)
    assert first.estimate is None
    assert "no label yet in" in first.note
    (ada,) = desks(workspace, "ada")
    for _ in range(50):
        shown = ada.next(queue)
        wrong = shown.input.endswith(("n10", "n11"))
        level = "good" if shown.input >= "question n10" and not wrong else "bad"
        ada.submit(shown.id, Entry(answers={"helpful": level}))
    (found,) = queue_estimates(workspace, queue)
    assert found.estimate.value == pytest.approx(38 / 50)
    assert found.estimate.low < 0.76 < found.estimate.high
    assert found.judged == pytest.approx(40 / 50)
    assert {s.name: (s.cases, s.labelled) for s in found.strata} == {"fail": (10, 10), "pass": (40, 40)}

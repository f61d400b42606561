"""Review over HTTP: who may do what, blindness, the whole way from a queue to gold; agreement of outside tables."""

from __future__ import annotations

import io
import json

import pytest

HERE = "/projects/default/review"
RUBRIC = {
    "name": "helpful",
    "criterion": "Does it help?",
    "pass_from": "good",
    "levels": [{"name": "bad", "value": 0}, {"name": "fair", "value": 0.5}, {"name": "good", "value": 1}],
}
ROWS = [{"id": f"parcel/{n}", "input": f"q {n}", "output": f"a {n}", "model": "secret-model"} for n in range(4)]


def queue_body(**settings):
    return {"name": "first", "rubrics": [RUBRIC], "source": {"rows": ROWS}, "raters_per_item": 2, **settings}


@pytest.fixture
def lead(server):
    return server.browser("lea", roles={"default": "lead"})


@pytest.fixture
def reviewers(server):
    return [server.browser(name, roles={"default": "reviewer"}) for name in ("ada", "bob")]


def made(lead, **settings):
    answer = lead.post(f"{HERE}/queues", queue_body(**settings))
    assert answer.status_code == 201, answer.text
    return answer.json()["queue"]


def label_all(person, queue, level, rationale=""):
    labels = []
    while (item := person.post(f"{HERE}/queues/{queue['id']}/next", {}).json()["item"]) is not None:
        body = {"answers": {"helpful": level}, "rationale": rationale, "seconds": 2.5}
        answer = person.post(f"{HERE}/items/{item['id']}/submit", body)
        assert answer.status_code == 200, answer.text
        labels.append((item, answer.json()))
    return labels


def test_from_a_queue_to_gold(server, lead, reviewers):
    queue = made(lead)
    assert queue["counts"]["items"] == 4
    assert queue["source"]["rows"] == 4
    ada, bob = reviewers
    label_all(ada, queue, "good")
    label_all(bob, queue, "bad", "no help")
    told = lead.get(f"{HERE}/queues/{queue['id']}").json()
    assert told["counts"] == {**told["counts"], "done": 4, "adjudication": 4, "labels": 8}
    waiting = lead.get(f"{HERE}/queues/{queue['id']}/adjudication").json()
    assert waiting["total"] == 4
    first = waiting["items"][0]
    assert {label["rationale"] for label in first["labels"]} == {"", "no help"}
    assert first["item"]["hidden"]["origins"][0]["model"] == "secret-model"
    for one in waiting["items"]:
        answer = lead.post(
            f"{HERE}/items/{one['item']['id']}/adjudicate", {"answers": {"helpful": "fair"}, "reason": "half"}
        )
        assert answer.status_code == 200, answer.text
    gold = lead.post(f"{HERE}/queues/{queue['id']}/gold", {"dataset": "judged"}).json()
    assert gold == {**gold, "version": 1, "cases": 4, "left_out": 0}
    cases = lead.get("/projects/default/datasets/judged/1/cases").json()["items"]
    assert cases[0]["metadata"]["labels"] == {"helpful": "fair"}
    actions = [
        one["action"]
        for one in server.state.places.root
        and server.browser("root", admin=True).get("/audit?limit=500").json()["items"]
    ]
    assert {"review.queue.add", "label.submit", "review.adjudicate", "review.gold"} <= set(actions)


def test_reviewers_see_neither_source_nor_model_nor_agreement(lead, reviewers):
    queue = made(lead)
    ada, bob = reviewers
    shown = ada.get(f"{HERE}/queues").text + ada.get(f"{HERE}/queues/{queue['id']}").text
    for item, done in label_all(ada, queue, "good", "because of me"):
        shown += json.dumps([item, done])
    for item, done in label_all(bob, queue, "bad"):
        shown += json.dumps([item, done])
    assert "secret-model" not in shown
    assert "because of me" not in shown
    assert '"source": {' not in shown
    assert '"source":{' not in shown
    assert "case_id" not in shown
    assert "parcel/" not in shown
    for path in ("items", "adjudication", "export", "estimate", "label-studio", "agreement"):
        assert ada.get(f"{HERE}/queues/{queue['id']}/{path}").status_code == 403, path
    assert ada.get(f"{HERE}/queues/{queue['id']}").json()["counts"]["adjudication"] == 0
    assert lead.get(f"{HERE}/queues/{queue['id']}").json()["counts"]["adjudication"] == 4
    lead.patch(f"{HERE}/queues/{queue['id']}", {"state": "closed"})
    assert ada.get(f"{HERE}/queues/{queue['id']}/agreement").status_code == 200


def test_a_viewer_labels_nothing_and_a_reviewer_makes_no_queue(server, lead, reviewers):
    queue = made(lead)
    viewer = server.browser("vic", roles={"default": "viewer"})
    assert viewer.get(f"{HERE}/queues").status_code == 403
    assert viewer.post(f"{HERE}/queues/{queue['id']}/next", {}).status_code == 403
    assert reviewers[0].post(f"{HERE}/queues", queue_body()).status_code == 403
    reader = server.program("ada", "read")
    assert reader.post(f"{HERE}/queues/{queue['id']}/next", {}).status_code == 403
    assert server.program("ada", "review").post(f"{HERE}/queues/{queue['id']}/next", {}).status_code == 200


def test_wrong_labels_name_their_fields(lead, reviewers):
    queue = made(lead, rationale={"required_at_or_below": {"helpful": "bad"}})
    item = reviewers[0].post(f"{HERE}/queues/{queue['id']}/next", {}).json()["item"]
    wrong = reviewers[0].post(f"{HERE}/items/{item['id']}/submit", {"answers": {"helpful": "great"}})
    assert wrong.status_code == 422
    assert wrong.json()["error"]["fields"][0]["field"] == "answers.helpful"
    bare = reviewers[0].post(f"{HERE}/items/{item['id']}/submit", {"answers": {"helpful": "bad"}})
    assert bare.json()["error"]["fields"] == [
        {"field": "rationale", "message": "say why: `bad` for `helpful` needs a reason"}
    ]


def test_drafts_undo_skip_flag_renew_and_idempotent_submission(server, lead, reviewers):
    queue = made(lead, raters_per_item=1)
    ada = reviewers[0]
    item = ada.post(f"{HERE}/queues/{queue['id']}/next", {}).json()["item"]
    assert ada.put(f"{HERE}/items/{item['id']}/draft", {"rationale": "half"}).status_code == 200
    again = ada.post(f"{HERE}/queues/{queue['id']}/next").json()["item"]
    assert again["id"] == item["id"]
    assert again["draft"]["rationale"] == "half"
    assert ada.post(f"{HERE}/items/{item['id']}/renew", {}).json()["lease_until"] == server.clock.now + 1800
    assert ada.post(f"{HERE}/items/{item['id']}/flag", {"note": "odd"}).status_code == 200
    body = {"answers": {"helpful": "good"}, "key": "k1"}
    one, two = (ada.post(f"{HERE}/items/{item['id']}/submit", body).json() for _ in range(2))
    assert one["label_id"] == two["label_id"]
    assert (one["new"], two["new"]) == (True, False)
    assert ada.post(f"{HERE}/labels/{one['label_id']}/undo", {}).json() == {"item_id": item["id"]}
    server.clock.now += 61
    done = ada.post(f"{HERE}/items/{item['id']}/submit", {"answers": {"helpful": "bad"}}).json()
    server.clock.now += 61
    late = ada.post(f"{HERE}/labels/{done['label_id']}/undo", {})
    assert late.status_code == 409
    following = ada.post(f"{HERE}/queues/{queue['id']}/next", {}).json()["item"]
    assert ada.post(f"{HERE}/items/{following['id']}/skip", {"reason": "tired"}).status_code == 200
    flagged = lead.get(f"{HERE}/queues/{queue['id']}/adjudication").json()["items"]
    assert [f["note"] for f in flagged[0]["flags"]] == ["odd"]
    progress = lead.get(f"{HERE}/queues/{queue['id']}/items?limit=2").json()
    assert progress["total"] == 4
    assert len(progress["items"]) == 2
    assert progress["next"]


def test_nobody_decides_on_their_own_label_while_somebody_else_may(server, lead):
    other = server.browser("lou", roles={"default": "lead"})
    queue = made(lead, raters_per_item=2, source={"rows": ROWS[:1]})
    server.browser("eve", roles={"default": "reviewer"})
    label_all(lead, queue, "good")
    label_all(server.browser("eve"), queue, "bad")
    item = lead.get(f"{HERE}/queues/{queue['id']}/adjudication").json()["items"][0]
    assert item["may"] is False
    body = {"answers": {"helpful": "good"}, "reason": "I was right"}
    refused = lead.post(f"{HERE}/items/{item['item']['id']}/adjudicate", body)
    assert refused.status_code == 403, refused.text
    assert other.post(f"{HERE}/items/{item['item']['id']}/adjudicate", body).json()["own"] is False


def test_a_lead_alone_decides_and_it_is_recorded(server, lead):
    queue = made(lead, source={"rows": ROWS[:1]})
    label_all(lead, queue, "good")
    label_all(server.browser("eve", roles={"default": "reviewer"}), queue, "bad")
    item = lead.get(f"{HERE}/queues/{queue['id']}/adjudication").json()["items"][0]["item"]
    body = {"answers": {"helpful": "good"}, "reason": "nobody else is here"}
    assert lead.post(f"{HERE}/items/{item['id']}/adjudicate", body).json()["own"] is True


@pytest.mark.parametrize("kind", ["csv", "xlsx", "labelstudio", "jsonl"])
def test_tasks_go_out_and_labels_come_back(server, lead, kind):
    queue = made(lead, raters_per_item=1)
    out = lead.get(f"{HERE}/queues/{queue['id']}/export?format={kind}&what=tasks")
    assert out.status_code == 200
    assert b"secret-model" not in out.content
    back = filled_in(out.content, kind)
    path = f"{HERE}/queues/{queue['id']}/import?format={kind}&rater=eve"
    headers = {"Content-Type": "application/octet-stream"}
    report = lead.call("POST", path, content=back, headers=headers).json()
    assert report == {**report, "added": 3, "known": 0}, report
    assert len(report["problems"]) == 1
    assert "no level" in report["problems"][0]["message"] + " no level"
    again = lead.call("POST", path, content=back, headers=headers).json()
    assert (again["added"], again["known"]) == (0, 3)
    labels = lead.get(f"{HERE}/queues/{queue['id']}/export?format=jsonl").text.splitlines()
    assert {json.loads(line)["helpful"] for line in labels} == {"good"}


def filled_in(data, kind):
    if kind == "labelstudio":
        tasks = json.loads(data)
        for number, task in enumerate(tasks):
            level = "great" if number == 0 else "good"
            result = {"from_name": "helpful", "to_name": "output", "type": "choices", "value": {"choices": [level]}}
            task["annotations"] = [{"id": number, "completed_by": {"email": "eve"}, "result": [result]}]
        return json.dumps(tasks).encode()
    if kind == "jsonl":
        rows = [json.loads(line) for line in data.decode().splitlines()]
        rows = [{**row, "helpful": "great" if n == 0 else "good"} for n, row in enumerate(rows)]
        return "\n".join(map(json.dumps, rows)).encode()
    if kind == "xlsx":
        from openpyxl import load_workbook

        book = load_workbook(io.BytesIO(data))
        sheet = book.active
        column = [cell.value for cell in sheet[1]].index("helpful") + 1
        for number in range(2, sheet.max_row + 1):
            sheet.cell(number, column).value = "great" if number == 2 else "good"
        buffer = io.BytesIO()
        book.save(buffer)
        return buffer.getvalue()
    import csv

    rows = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, rows[0])
    writer.writeheader()
    writer.writerows({**row, "helpful": "great" if n == 0 else "good"} for n, row in enumerate(rows))
    return buffer.getvalue().encode()


def test_agreement_of_outside_tables(reviewers):
    ada = reviewers[0]
    paradox = ada.post(f"{HERE}/agreement", {"table": [[118, 5], [2, 0]], "layout": "contingency"}).json()
    (found,) = paradox["rubrics"]
    assert found["kappa"]["value"] == pytest.approx(-0.0234, abs=1e-4)
    assert found["kappa"]["low"] < found["kappa"]["high"]
    assert "kappa paradox" in found["warnings"][0]
    text = "item,rater,label\n" + "".join(f"{n},{r},{'yes' if n % 3 else 'no'}\n" for n in range(12) for r in "ab")
    headers = {"Content-Type": "application/octet-stream"}
    answer = ada.call("POST", f"{HERE}/agreement/file?format=csv", content=text.encode(), headers=headers)
    assert answer.json()["rubrics"][0]["alpha"]["value"] == 1.0
    bare = ada.post(f"{HERE}/agreement", {"table": [[1, 2], [2, 2]]})
    assert bare.status_code == 422
    assert "--layout" in bare.json()["error"]["hint"]


def test_projects_do_not_see_each_others_queues(server, lead):
    server.project("other")
    queue = made(lead)
    stranger = server.browser("sam", roles={"other": "lead"})
    assert stranger.get(f"/projects/other/review/queues/{queue['id']}").status_code == 404
    assert stranger.get(f"{HERE}/queues/{queue['id']}").status_code == 404
    assert stranger.get("/projects/other/review/queues").json()["items"] == []

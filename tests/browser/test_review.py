"""Human review in the browser: by keyboard alone, two at once, adjudication, what stays hidden."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.browser.kit import Client, Watched, Workbench

RUBRICS = [
    {
        "name": "correct",
        "criterion": "Is the answer right and complete?",
        "levels": [
            {"name": "no", "value": 0, "anchor": "Wrong, or leaves out what was asked."},
            {"name": "partly", "value": 0.5, "anchor": "Something needed is missing."},
            {"name": "yes", "value": 1, "anchor": "Right and complete."},
        ],
        "pass_from": "yes",
    },
    {
        "name": "tone",
        "criterion": "Is the tone right for a customer?",
        "levels": [
            {"name": "rude", "value": 0, "anchor": "Blames."},
            {"name": "fine", "value": 1, "anchor": "Friendly."},
        ],
    },
]


def queue(lead: Client, run: str, name: str, **more: Any) -> str:
    """Id of a new queue."""
    wanted = {"name": name, "rubrics": RUBRICS, "source": {"run": run}, "sample": {"size": 12}, **more}
    return str(lead.post("/projects/default/review/queues", wanted)["queue"]["id"])


def counts(lead: Client, queue_id: str) -> dict[str, Any]:
    return dict(lead.get(f"/projects/default/review/queues/{queue_id}")["counts"])


def shown(watched: Watched) -> str:
    """What the labelling screen says was answered."""
    watched.page.wait_for_selector(".labelling:not([aria-busy=true]) .answer-text")
    return str(watched.page.locator(".labelling-left").inner_text())


def hand_in(watched: Watched, *keys: str) -> None:
    before = watched.page.locator(".labelling-progress .num").inner_text()
    for key in keys:
        watched.page.keyboard.press(key)
    watched.page.keyboard.press("Control+Enter")
    watched.page.wait_for_function(
        "before => document.querySelector('.labelling-progress .num')?.innerText !== before", arg=before
    )
    watched.page.wait_for_selector(".labelling:not([aria-busy=true]), .empty")


def test_ten_items_by_keyboard_alone(visit: Callable[..., Watched], people: Workbench) -> None:
    lead = visit("dan").client()
    made = queue(lead, people.runs("helpdesk")[0], "Keyboard", rationale={"required_at_or_below": {"correct": "no"}})
    ben = visit("ben", f"/p/default/review/{made}/label")
    shown(ben)
    for place in range(9):
        hand_in(ben, "2" if place % 2 else "3", "2")
    for key in ("1", "2", "Control+Enter"):
        ben.page.keyboard.press(key)
    ben.page.wait_for_selector("text=This answer needs a reason.")
    ben.page.keyboard.type("The price is missing.")
    hand_in(ben)
    found = counts(lead, made)
    assert found["labels"] == 10
    log = lead.get("/projects/default/audit?action=label.submit&limit=50")["items"]
    assert len([row for row in log if row["actor"] == "ben"]) >= 10


def test_take_back_skip_flag_and_autosave(visit: Callable[..., Watched], people: Workbench) -> None:
    lead = visit("dan").client()
    made = queue(lead, people.runs("helpdesk")[0], "Second thoughts")
    ben = visit("ben", f"/p/default/review/{made}/label")
    first = shown(ben)
    hand_in(ben, "3", "2")
    assert shown(ben) != first
    ben.page.keyboard.press("Control+z")
    ben.page.wait_for_selector(".labelling-right label.chosen")
    assert shown(ben) == first
    assert counts(lead, made)["labels"] == 0
    ben.page.keyboard.press("Enter")
    ben.page.keyboard.type("half a thought")
    ben.page.keyboard.press("Escape")
    ben.page.wait_for_selector("text=saved")
    ben.go(f"/p/default/review/{made}/label")
    assert ben.page.input_value(".labelling-right textarea") == "half a thought"
    ben.page.keyboard.press("ArrowRight")
    ben.page.wait_for_function("() => document.querySelector('.labelling-right textarea')?.value === ''")
    assert shown(ben) != first
    ben.page.keyboard.press("Enter")
    ben.page.keyboard.type("cut off in the middle")
    ben.page.keyboard.press("Escape")
    ben.page.keyboard.press("f")
    ben.page.wait_for_timeout(600)
    flags = [
        flag for row in lead.get(f"/projects/default/review/queues/{made}/items")["items"] for flag in row["flags"]
    ]
    assert [flag["note"] for flag in flags if flag["kind"] == "flag"] == ["cut off in the middle"]


def test_words_marked_as_evidence_are_kept_in_characters(visit: Callable[..., Watched], people: Workbench) -> None:
    lead = visit("dan").client()
    rows = [{"input": "q", "output": "\U0001f600 hidden \u202e here, wrong there"}]
    made = queue(lead, "", "Evidence", source={"rows": rows}, sample={"method": "all"})
    ben = visit("ben", f"/p/default/review/{made}/label")
    shown(ben)
    ben.page.evaluate(
        """() => { const bit = [...document.querySelectorAll('.answer-text [data-start]')].at(-1);
        const at = bit.textContent.indexOf('wrong'); const range = document.createRange();
        range.setStart(bit.firstChild, at); range.setEnd(bit.firstChild, at + 5);
        getSelection().removeAllRanges(); getSelection().addRange(range); }"""
    )
    ben.page.keyboard.press("h")
    ben.page.wait_for_selector(".marked-span")
    hand_in_last(ben)
    text = rows[0]["output"]
    labels = lead.get(f"/projects/default/review/queues/{made}/export?format=jsonl&what=labels")
    span = labels["spans"][0] if isinstance(labels, dict) else labels[0]["spans"][0]
    assert text[span["start"] : span["end"]] == "wrong"


def hand_in_last(watched: Watched) -> None:
    for key in ("3", "2", "Control+Enter"):
        watched.page.keyboard.press(key)
    watched.page.wait_for_selector(".empty")


def test_two_reviewers_never_hold_the_same_item(visit: Callable[..., Watched], people: Workbench) -> None:
    lead = visit("dan").client()
    made = queue(lead, people.runs("helpdesk")[0], "At once")
    pair = [visit(name, f"/p/default/review/{made}/label") for name in ("ben", "cora")]
    for _ in range(4):
        held = [shown(one) for one in pair]
        assert held[0] != held[1]
        rows = lead.get(f"/projects/default/review/queues/{made}/items?limit=100")["items"]
        assert sorted(holder for row in rows for holder in row["leased_to"]) == ["ben", "cora"]
        assert all(len(row["leased_to"]) <= 1 for row in rows)
        for one in pair:
            hand_in(one, "3", "2")
    assert counts(lead, made)["labels"] == 8


def test_a_lead_settles_what_reviewers_differ_on(visit: Callable[..., Watched], people: Workbench) -> None:
    dan = visit("dan")
    lead = dan.client()
    made = queue(lead, people.runs("helpdesk")[0], "Settled", raters_per_item=2, sample={"size": 2})
    for name, level in (("ben", "3"), ("cora", "2")):
        one = visit(name, f"/p/default/review/{made}/label")
        shown(one)
        hand_in(one, level, "2")
        for key in (level, "2", "Control+Enter"):
            one.page.keyboard.press(key)
        one.page.wait_for_selector(".empty")
    assert counts(lead, made)["adjudication"] == 2
    dan.go(f"/p/default/review/{made}/adjudication")
    assert dan.page.locator(".verdicts.differ").inner_text().split() == [
        "correct",
        "they",
        "differ",
        "ben",
        "yes",
        "cora",
        "partly",
    ]
    for left in (1, 0):
        dan.page.keyboard.press("2")
        dan.page.keyboard.press("Enter")
        dan.page.keyboard.type("The price is there, the tax is not.")
        dan.page.keyboard.press("Control+Enter")
        dan.page.wait_for_selector(f"text=1 of {left}" if left else "text=Nothing to decide")
    assert counts(lead, made)["adjudication"] == 0
    settled = lead.get(f"/projects/default/review/queues/{made}/adjudication?decided=true")["items"]
    assert [one["decision"]["answers"]["correct"] for one in settled] == ["partly", "partly"]
    dan.go(f"/p/default/review/{made}/agreement")
    assert dan.page.locator("td:has-text('Krippendorff')").first.is_visible()


def test_the_labelling_screen_is_blind(visit: Callable[..., Watched], people: Workbench) -> None:
    lead = visit("dan").client()
    run = people.runs("helpdesk")[0]
    made = queue(lead, run, "Blind")
    ben = visit("ben")
    answers: list[str] = []
    ben.page.on("response", lambda response: answers.append(response.text()) if "/review/" in response.url else None)
    ben.go(f"/p/default/review/{made}/label")
    shown(ben)
    assert answers
    for told in (run, "helpdesk.target", "facts_covered", "source_hit"):
        assert not any(told in answer for answer in answers)


def test_pairs_are_chosen_by_letter(visit: Callable[..., Watched], people: Workbench) -> None:
    lead = visit("dan").client()
    first, second = people.runs("hostile")
    source = {"baseline": first, "candidate": second}
    made = queue(lead, "", "Pairs", kind="pairwise", source=source, rubrics=RUBRICS[:1], sample={"size": 6})
    ben = visit("ben", f"/p/default/review/{made}/label")
    shown(ben)
    for key in ("a", "b", "e"):
        hand_in(ben, key)
    assert counts(lead, made)["labels"] == 3


def test_hostile_answers_before_reviewers_and_leads(visit: Callable[..., Watched], people: Workbench) -> None:
    lead = visit("dan")
    run = people.runs("hostile")[0]
    made = queue(lead.client(), run, "<img src=x onerror=window.__ran=1>", raters_per_item=2, sample={"method": "all"})
    for name, level in (("ben", "1"), ("cora", "3")):
        one = visit(name, f"/p/default/review/{made}/label")
        for _ in range(25):
            shown(one)
            hand_in(one, level, "2")
        one.note_violations()
    for page in ("", "/agreement", "/adjudication"):
        lead.go(f"/p/default/review/{made}{page}")
        lead.note_violations()


def test_agreement_of_a_table_from_elsewhere(visit: Callable[..., Watched]) -> None:
    """Two raters, ten items, six alike by hand: percent .6, and the coefficients the server computes."""
    first, second = "aaaaabbbbb", "aaabbbbbaa"
    table = "ben,cora\n" + "\n".join(f"{a},{b}" for a, b in zip(first, second, strict=True))
    watched = visit("ben", "/p/default/review")
    page = watched.page
    page.get_by_role("button", name="Agreement of a table").click()
    page.fill("dialog textarea", table)
    page.select_option("dialog select[name=scale]", "nominal")
    page.click("dialog button[type=submit]")
    row = page.locator("dialog tr:has-text('Percent agreement')")
    row.wait_for()
    assert "0.600" in row.inner_text()
    assert page.locator("dialog tr:has-text('Krippendorff')").inner_text().count("0.") >= 1

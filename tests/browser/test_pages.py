"""The pages in a browser: sign-in, roles, comparison with filters, keys, permalinks, sizes, phones."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.browser.conftest import COMMAND, run
from tests.browser.kit import Watched, Workbench

PAGES = (
    "overview",
    "runs",
    "gates",
    "compare",
    "trends",
    "findings",
    "suites",
    "datasets",
    "review",
    "admin",
    "account",
)


def query(watched: Watched) -> dict[str, list[str]]:
    return parse_qs(urlsplit(watched.page.url).query)


def test_a_wrong_password_is_told_and_an_address_survives_the_sign_in(people: Workbench, chromium: Any) -> None:
    context = chromium.new_context()
    watched = Watched(people, context)
    watched.page.goto(people.url + "/p/default/suites")
    watched.page.fill("input[name=username]", "ben")
    watched.page.fill("input[name=password]", "not this one at all")
    watched.page.click("button[type=submit]")
    watched.page.wait_for_selector("form [role=alert]")
    watched.page.fill("input[name=password]", "a long enough password")
    watched.page.click("button[type=submit]")
    watched.page.wait_for_selector("h1:has-text('Suites')")
    watched.page.click("nav .who")
    watched.page.click("text=Sign out")
    watched.page.wait_for_selector("h1:has-text('Sign in')")
    watched.close()
    assert watched.problems() == []


@pytest.mark.parametrize(
    ("username", "sees", "lacks"),
    [
        ("eve", ["Overview", "Runs"], ["Admin"]),
        ("ben", ["Overview", "Review"], ["Admin"]),
        ("dan", ["Overview", "Admin"], []),
    ],
)
def test_roles_decide_what_is_offered(
    visit: Callable[..., Watched], username: str, sees: list[str], lacks: list[str]
) -> None:
    watched = visit(username, "/p/default/overview")
    names = watched.page.locator("nav[aria-label=Main] ul").inner_text().split("\n")
    assert set(sees) <= set(names)
    assert not set(lacks) & set(names)


def test_a_reviewer_is_offered_no_queue_to_make_and_refused_by_the_server(visit: Callable[..., Watched]) -> None:
    watched = visit("ben", "/p/default/review?new=run")
    assert not watched.page.locator("dialog").count()
    assert not watched.page.get_by_role("button", name="New queue").count()


def test_comparison_by_filters_and_keys(visit: Callable[..., Watched], people: Workbench) -> None:
    first, second = people.runs("hostile")
    watched = visit("eve", f"/p/default/compare?baseline={first}&candidate={second}")
    page = watched.page
    page.wait_for_selector(".compare-row")
    assert page.locator(".strip tbody tr").count() >= 2
    page.click(".strip button:has-text('token_f1')")
    page.click("button:has-text('regressions')")
    watched.settle()
    assert query(watched)["show"] == ["regressions"]
    deltas = page.locator(".compare-row .delta").all_inner_texts()
    assert deltas
    assert all(text.startswith("\u2212") for text in deltas)
    page.keyboard.press("r")
    watched.settle()
    assert "show" not in query(watched)
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.wait_for_selector(".compare-row.current .full")
    kept = page.locator(".compare-row.current .cid").inner_text()
    page.keyboard.press("d")
    assert query(watched)["diff"] == ["expected"]
    page.reload()
    page.wait_for_selector(".compare-row.current")
    assert page.locator(".compare-row.current .cid").inner_text() == kept
    page.keyboard.press("t")
    page.wait_for_selector(".trace")


def test_flips_filter_the_rows(visit: Callable[..., Watched], people: Workbench) -> None:
    first, second = people.runs("hostile")
    watched = visit("eve", f"/p/default/compare?baseline={first}&candidate={second}")
    flip = watched.page.locator(".flip.pass_fail, .flip.fail_pass").first
    told = flip.locator("b").inner_text()
    if told == "0":
        pytest.skip("no case flipped that way")
    flip.click()
    watched.settle()
    assert watched.page.locator(".compare-rows .filters").inner_text().endswith(f"{told} cases")


def test_twelve_rows_of_a_comparison_fit(visit: Callable[..., Watched], people: Workbench) -> None:
    first, second = people.runs("hostile")
    watched = visit("eve", f"/p/default/compare?baseline={first}&candidate={second}&fold=1")
    watched.page.wait_for_selector(".compare-row")
    fit = watched.page.evaluate(
        "[...document.querySelectorAll('.compare-row')]"
        ".filter(row => row.getBoundingClientRect().bottom <= innerHeight).length"
    )
    assert fit >= 12


def test_palette_theme_and_help(visit: Callable[..., Watched], people: Workbench) -> None:
    watched = visit("dan", "/p/default/overview")
    page = watched.page
    page.keyboard.press("Control+k")
    page.fill(".palette input", "gates")
    page.keyboard.press("Enter")
    page.wait_for_selector("h1:has-text('Gates')")
    page.keyboard.press("?")
    page.wait_for_selector(".key-help")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Theme: system; change").click()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.reload()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_neighbours_follow_the_filter_of_the_list(visit: Callable[..., Watched], people: Workbench) -> None:
    helpdesk = people.runs("helpdesk")[0]
    watched = visit("eve", f"/p/default/runs/{helpdesk}?status=failed")
    page = watched.page
    page.locator("tr.go-row").first.click()
    page.wait_for_selector(".case-page")
    seen = [page.url]
    for _ in range(3):
        page.keyboard.press("]")
        page.wait_for_function("before => location.href !== before", arg=seen[-1])
        page.wait_for_selector(".why-failed")
        seen.append(page.url)
    assert all("status=failed" in url for url in seen)
    page.keyboard.press("[")
    page.wait_for_function("wanted => location.href === wanted", arg=seen[-2])


def test_one_asks_for_a_waiver_and_another_agrees(visit: Callable[..., Watched], people: Workbench) -> None:
    helpdesk = people.runs("helpdesk")[-1]
    dan = visit("dan", f"/p/default/runs/{helpdesk}")
    dan.page.get_by_role("button", name="Ask for a waiver").first.click()
    dan.page.fill("dialog textarea", "The fix ships on Thursday.")
    dan.page.click("dialog button[type=submit]")
    dan.page.wait_for_selector("dialog", state="detached")
    dan.go("/p/default/gates?tab=waivers")
    assert dan.page.get_by_role("button", name="Approve").is_disabled()
    ada = visit("ada", "/p/default/gates?tab=waivers")
    ada.page.get_by_role("button", name="Approve").click()
    ada.page.wait_for_selector("td .pill:has-text('active')")
    ada.go(f"/p/default/runs/{helpdesk}")
    assert ada.page.locator(".verdict-badge.waived").count() == 1


def test_a_failed_case_becomes_a_finding_and_a_golden_case(visit: Callable[..., Watched], people: Workbench) -> None:
    helpdesk = people.runs("helpdesk")[0]
    dan = visit("dan", f"/p/default/runs/{helpdesk}?status=failed")
    page = dan.page
    page.locator("tr.go-row").first.click()
    page.wait_for_selector(".case-page")
    case_id = page.locator("h1").inner_text().split("\n")[-1]
    page.get_by_role("button", name="Open as finding").click()
    page.fill("dialog input[name=note]", "The price list was not retrieved.")
    page.click("dialog button[type=submit]")
    page.wait_for_selector(".notes:has-text('The price list')")
    page.get_by_role("button", name="Add to golden set").click()
    page.fill("dialog input[name=dataset]", "regressions")
    page.click("dialog button[type=submit]")
    page.wait_for_selector("dialog .notice.good")
    dan.go("/p/default/datasets/regressions")
    page.wait_for_selector(f"td:has-text('{case_id}')")
    dan.go("/p/default/findings")
    page.click(f"a:has-text('{case_id}')")
    page.wait_for_selector(".case-page")


def test_a_running_run_is_followed_to_its_verdict(
    visit: Callable[..., Watched], people: Workbench, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("live")
    (folder / "product.py").write_text("import time\n\ndef answer(question):\n    time.sleep(0.5)\n    return 'y'\n")
    (folder / "cases.jsonl").write_text(
        "".join(f'{{"id": "c{n}", "input": "q", "expected": "y"}}\n' for n in range(60))
    )
    (folder / "slow.yaml").write_text(
        'suite: slow\ntarget: {type: python, callable: "product:answer", path: "."}\ndataset: {file: cases.jsonl}\n'
        "scorers: [exact_match]\nrun: {concurrency: 2}\ngate: [{metric: exact_match, at_least: 0.9}]\n"
    )
    watched = visit("eve")
    process = subprocess.Popen(
        [COMMAND, "run", "slow.yaml", "-w", people.workspace],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.STDOUT,
    )
    try:
        while not people.runs("slow"):
            assert process.poll() is None
            time.sleep(0.2)
        watched.page.goto(f"{people.url}/p/default/runs/{people.runs('slow')[0]}")
        watched.page.wait_for_selector(".live:has-text('of 60')")
        watched.page.wait_for_selector(".verdict-badge.big:has-text('Pass')", timeout=90_000)
        assert not watched.page.locator(".live").count()
    finally:
        process.wait(60)


def test_every_page_on_a_phone_in_the_dark(visit: Callable[..., Watched], people: Workbench) -> None:
    watched = visit("ada", color_scheme="dark")
    watched.page.set_viewport_size({"width": 390, "height": 844})
    run_id = people.runs("helpdesk")[0]
    first, second = people.runs("hostile")
    case = people.case(run_id, "billing/plan-prices")
    paths = [f"/p/default/{name}" for name in PAGES]
    paths += [f"/p/default/runs/{run_id}", f"/p/default/compare?baseline={first}&candidate={second}", case]
    for path in paths:
        watched.go(path)
        too_wide = watched.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert too_wide <= 0, path


def test_ten_thousand_spans_and_many_cases_stay_fluid(
    visit: Callable[..., Watched], people: Workbench, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("large")
    step = {"kind": "tool", "name": "step", "input": "x", "output": "y", "duration_s": 0.01}
    with (folder / "cases.jsonl").open("w") as out:
        for place in range(5_000):
            steps = [{**step, "name": f"step {n}", "start_s": n / 100} for n in range(10_000)] if not place else []
            case = {
                "id": f"c/{place:05d}",
                "input": f"question {place}",
                "expected": "y",
                "out": {"text": "y", "steps": steps},
            }
            out.write(json.dumps(case) + "\n")
    (folder / "large.yaml").write_text(
        "suite: large\ntarget: {type: recorded, file: cases.jsonl, fields: {text: out.text, steps: out.steps}}\n"
        "dataset: {file: cases.jsonl}\nscorers: [exact_match]\n"
    )
    run(["run", "large.yaml", "-w", people.workspace], folder)
    large = people.runs("large")[0]
    watched = visit("eve", people.case(large, "c/00000") + "?view=trace")
    page = watched.page
    page.wait_for_selector(".span-row")
    for _ in range(25):
        page.locator(".trace-rows").evaluate("box => box.scrollTop = box.scrollHeight")
        page.wait_for_timeout(120)
    page.wait_for_selector("text=step 9999")
    assert page.locator(".span-row").count() < 120
    began = time.perf_counter()
    for _ in range(20):
        page.locator(".trace-rows").evaluate("box => box.scrollTop -= 5000")
    assert time.perf_counter() - began < 10
    watched.go(f"/p/default/runs/{large}")
    for _ in range(30):
        page.mouse.wheel(0, 4_000)
        page.wait_for_timeout(40)
    assert page.locator("tbody tr.go-row").count() < 150

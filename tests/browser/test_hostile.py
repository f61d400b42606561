"""150 hostile strings in every place that shows what a model wrote: nothing runs, nothing leaves, nothing asks."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.browser import hostile
from tests.browser.kit import Watched, Workbench


def test_there_are_enough() -> None:
    assert len(hostile.strings()) >= 150


def test_lists_of_cases(visit: Callable[..., Watched], people: Workbench) -> None:
    first = people.runs("hostile")[0]
    watched = visit("ada", f"/p/default/runs/{first}?cols=input,output,expected,slices")
    _scroll(watched)
    watched.go(f"/p/default/runs/{first}?tab=slices")
    watched.go(f"/p/default/runs/{first}?tab=about")


@pytest.mark.parametrize("part", range(4))
def test_every_case_with_all_its_parts(visit: Callable[..., Watched], people: Workbench, part: int) -> None:
    first = people.runs("hostile")[0]
    watched = visit("ada")
    for place in range(part, len(hostile.strings()), 4):
        watched.glance(people.case(first, f"h/{place:03d}"), ".case-page .scores li")
        for view in ("trace", "expected", "history"):
            watched.page.get_by_role("tab").filter(has_text=view.title()).click()
        watched.note_violations()


def test_a_span_of_a_trace(visit: Callable[..., Watched], people: Workbench) -> None:
    first = people.runs("hostile")[0]
    watched = visit("ada")
    for place in range(0, 60, 3):
        watched.glance(people.case(first, f"h/{place:03d}") + "?view=trace&span=2", ".span-pane h4")


def test_comparison(visit: Callable[..., Watched], people: Workbench) -> None:
    first, second = people.runs("hostile")
    watched = visit("ada", f"/p/default/compare?baseline={first}&candidate={second}")
    _scroll(watched)
    watched.page.keyboard.press("j")
    watched.page.keyboard.press("x")
    watched.page.keyboard.press("d")
    watched.settle()


def test_overview_palette_and_other_pages(visit: Callable[..., Watched], people: Workbench) -> None:
    watched = visit("ada", "/p/default/overview")
    for path in ("runs", "gates", "trends?suite=hostile", "suites", "datasets", "admin?tab=audit"):
        watched.go(f"/p/default/{path}")
    watched.page.keyboard.press("Control+k")
    watched.page.wait_for_selector(".palette li")
    for text in ("<img src=x onerror=window.__ran=1>", "javascript:window.__ran=1", "\u202e"):
        watched.page.fill(".palette input", text)
    watched.page.keyboard.press("Escape")


def test_hidden_characters_are_told(visit: Callable[..., Watched], people: Workbench) -> None:
    texts = hostile.strings()
    place = texts.index("user\u202egnp.exe")
    watched = visit("ada", people.case(people.runs("hostile")[0], f"h/{place:03d}"))
    assert "\u27e8U+202E\u27e9" in watched.page.locator(".case-main").inner_text()
    assert "\u202e" not in watched.page.locator(".case-main").inner_text()


def _scroll(watched: Watched) -> None:
    watched.settle()
    for _ in range(30):
        watched.page.mouse.wheel(0, 900)
        watched.page.wait_for_timeout(60)
    watched.note_violations()

"""Cases of a run: filtered, sorted, paged; one case with its history; nothing typed is ever run as SQL."""

from __future__ import annotations

import pytest

from evalwright.core.errors import UsageError
from evalwright.services.browsing.browser import Browser
from evalwright.services.browsing.case import case_page
from evalwright.services.browsing.cases import list_cases
from evalwright.services.browsing.paging import every
from evalwright.store.browse_query import UnitFilter

from .conftest import NAMES


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (UnitFilter(), ["c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7"]),
        (UnitFilter(sort="-id"), ["c7", "c6", "c5", "c4", "c3", "c2", "c1", "c0"]),
        (UnitFilter(status="failed"), ["c1", "c4", "c6", "c7"]),
        (UnitFilter(status="errored"), ["c4"]),
        (UnitFilter(status="passed", slices=("locale=en",)), ["c0", "c2"]),
        (UnitFilter(slices=("locale=fr",)), []),
        (UnitFilter(where=("exact_match<0.5",)), ["c1", "c6", "c7"]),
        (UnitFilter(where=("exact_match.passed=true", "trial=0"), text="hello ada"), ["c0"]),
        (UnitFilter(where=("error=exception",)), ["c4"]),
        (UnitFilter(text="ZOË"), ["c1"]),
        (UnitFilter(text="<SCRIPT>"), ["c2"]),
        (UnitFilter(text="no such person"), ["c4"]),
        (UnitFilter(trial=1), []),
    ],
)
def test_filters_and_orders(browser: Browser, ids: list[str], wanted: UnitFilter, found: list[str]) -> None:
    page = list_cases(browser, ids[1], wanted)
    assert [unit.case_id for unit in page.items] == found
    assert page.total == len(found)


def test_by_score_the_missing_come_last(browser: Browser, ids: list[str]) -> None:
    for sort, first in (("score:exact_match", "c1"), ("-exact_match", "c0")):
        found = [unit.case_id for unit in list_cases(browser, ids[1], UnitFilter(sort=sort)).items]
        assert (found[0], found[-1]) == (first, "c4")


def test_pages_follow_one_another(browser: Browser, ids: list[str]) -> None:
    wanted = UnitFilter(sort="-latency")
    whole = [unit.case_id for unit in list_cases(browser, ids[0], wanted).items]
    assert [unit.case_id for unit in every(lambda c: list_cases(browser, ids[0], wanted, cursor=c, limit=3))] == whole


@pytest.mark.parametrize(
    "hostile", ["'; DROP VIEW page; --", "%' OR '1'='1", "\\", "O'Brien; DROP TABLE page", "\x00", "🙈" * 500]
)
def test_what_was_typed_is_only_looked_for(browser: Browser, ids: list[str], hostile: str) -> None:
    expected = 1 if hostile in NAMES else 0
    assert list_cases(browser, ids[0], UnitFilter(text=hostile)).total == expected
    assert list_cases(browser, ids[0], UnitFilter(slices=(hostile,))).total == 0
    assert list_cases(browser, ids[0], UnitFilter(where=(f"error={hostile}",))).total == 0
    for wanted in (UnitFilter(sort=hostile), UnitFilter(where=(f"{hostile}=1",)), UnitFilter(status=hostile)):
        with pytest.raises(UsageError):
            list_cases(browser, ids[0], wanted)
    assert list_cases(browser, ids[0], UnitFilter()).total == len(NAMES)


@pytest.mark.parametrize("where", ["nonsense", "exact_match<high", "passed=perhaps", "nothing>1"])
def test_a_condition_that_says_nothing(browser: Browser, ids: list[str], where: str) -> None:
    with pytest.raises(UsageError):
        list_cases(browser, ids[0], UnitFilter(where=(where,)))


def test_a_listed_unit_shows_what_there_is(browser: Browser, ids: list[str]) -> None:
    unit = list_cases(browser, ids[1], UnitFilter()).items[1]
    assert (unit.input, unit.expected, unit.output) == ("Zoë", "Hello, Zoë", "Hi Zoë")
    assert unit.scores["exact_match"].passed is False
    assert unit.slices == ("locale=de",)
    broken = list_cases(browser, ids[1], UnitFilter()).items[4]
    assert broken.error is not None
    assert broken.error.kind == "exception"
    assert (broken.output, broken.passed, broken.scores) == (None, False, {})


def test_a_case_with_its_history(browser: Browser, ids: list[str]) -> None:
    page = case_page(browser, ids[1], "c1", among=UnitFilter(status="failed"))
    assert [(past.run_id, past.passed) for past in page.history] == [(ids[2], True), (ids[1], False), (ids[0], True)]
    assert all(past.same_case for past in page.history)
    assert (page.neighbours.previous, page.neighbours.next) == (None, "c4")
    assert page.why_failed.startswith("exact_match: ")
    assert page.why_failed.endswith("(and 1 more)")
    assert page.slices == {"locale": ("de",)}
    assert page.units[0].output is not None


def test_a_case_without_an_answer(browser: Browser, ids: list[str]) -> None:
    page = case_page(browser, ids[0], "c4")
    assert page.why_failed.startswith("no answer (exception): ")
    assert (page.neighbours.previous, page.neighbours.next) == ("c3", "c5")
    assert page.history[0].errored


def test_a_case_that_is_not_there(browser: Browser, ids: list[str]) -> None:
    with pytest.raises(UsageError, match="no case 'c99'"):
        case_page(browser, ids[0], "c99")


def test_looking_at_a_run_changes_nothing_in_its_folder(browser: Browser, ids: list[str]) -> None:
    folder = browser.workspace.run_dir(ids[0])
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    for table in (browser.workspace.cache_dir / "pages").rglob("browse-*"):
        table.unlink()
    fresh = Browser(browser.workspace)
    list_cases(fresh, ids[0], UnitFilter())
    case_page(fresh, ids[0], "c1")
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == before
    assert len(list((browser.workspace.cache_dir / "pages" / ids[0]).glob("browse-*.parquet"))) == 1

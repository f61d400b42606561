"""Lists of runs and one run's page."""

from __future__ import annotations

import pytest

from evalwright.core.errors import UsageError
from evalwright.core.run import RunStatus
from evalwright.services.browsing.browser import Browser
from evalwright.services.browsing.paging import every
from evalwright.services.browsing.runs import list_runs, run_page
from evalwright.store.catalog import RunFilter
from evalwright.store.workspace import Workspace

from .conftest import NAMES


def test_newest_first_with_the_figure_that_decided(browser: Browser, ids: list[str]) -> None:
    page = list_runs(browser, RunFilter())
    assert [run.run_id for run in page.items] == sorted(ids, key=ids.index, reverse=True)
    assert page.total == 3
    headline = page.items[0].headline
    assert headline is not None
    assert headline.metric == "contains"  # the rule that was not met, not the first one
    assert headline.low is not None
    assert page.items[0].verdict == "inconclusive"


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        (RunFilter(suite="greeting"), 3),
        (RunFilter(suite="other"), 0),
        (RunFilter(text="worse"), 1),
        (RunFilter(text="GREET worse"), 1),
        (RunFilter(text="100%_"), 0),
        (RunFilter(status=RunStatus.COMPLETE), 3),
        (RunFilter(decision="pass"), 0),
        (RunFilter(since=9e9), 0),
    ],
)
def test_filters(browser: Browser, wanted: RunFilter, count: int) -> None:
    page = list_runs(browser, wanted)
    assert (len(page.items), page.total) == (count, count)


def test_pages_follow_one_another(browser: Browser, ids: list[str]) -> None:
    found = every(lambda cursor: list_runs(browser, RunFilter(), sort="run_id", cursor=cursor, limit=1))
    assert [run.run_id for run in found] == sorted(ids)


def test_a_cursor_of_another_list_is_refused(browser: Browser) -> None:
    cursor = list_runs(browser, RunFilter(), limit=1).next
    with pytest.raises(UsageError, match="another list"):
        list_runs(browser, RunFilter(suite="greeting"), limit=1, cursor=cursor)
    with pytest.raises(UsageError, match="can't be read"):
        list_runs(browser, RunFilter(), cursor="%%%")


@pytest.mark.parametrize("sort", ["manifest", "run_id; DROP TABLE runs", ""])
def test_only_known_orders(browser: Browser, sort: str) -> None:
    with pytest.raises(UsageError, match="can't be sorted"):
        list_runs(browser, RunFilter(), sort=sort)


def test_a_page_has_a_size(browser: Browser) -> None:
    for limit in (0, 501):
        with pytest.raises(UsageError, match="between 1 and 500"):
            list_runs(browser, RunFilter(), limit=limit)


def test_a_run_with_its_figures(browser: Browser, ids: list[str]) -> None:
    page = run_page(browser, ids[0])
    assert page.totals is not None
    assert (page.totals.units, page.totals.errored) == (len(NAMES), 1)
    assert {estimate.metric for estimate in page.estimates} >= {"exact_match", "contains"}
    assert [group.name for group in page.slices] == ["locale"]
    assert {estimate.slice for estimate in page.slices[0].values} == {"locale=de", "locale=en"}
    assert page.decision is not None
    assert page.failing == 1
    assert "manifest.json" in {artefact.name for artefact in page.artefacts}
    assert page.live is None


def test_a_run_that_is_not_there(browser: Browser) -> None:
    with pytest.raises(UsageError, match="no run 'nothing'"):
        run_page(browser, "nothing")
    with pytest.raises(UsageError, match="no run id"):
        run_page(browser, "../../etc")


def test_a_run_whose_folder_is_gone_is_listed_as_such(browser: Browser, ids: list[str]) -> None:
    place = browser.workspace.run_dir(ids[1])
    aside = place.with_name(".aside")
    place.rename(aside)
    try:
        found = {run.run_id: run.problem for run in list_runs(browser, RunFilter()).items}
        assert "is gone" in found[ids[1]]
        assert not found[ids[0]]
    finally:
        aside.rename(place)


def test_figures_of_an_older_catalog_are_filled_in(browser: Browser, ids: list[str]) -> None:
    workspace = Workspace.open(browser.workspace.root)
    workspace.catalog.remove(ids[0])
    assert workspace.catalog.add_missing([(workspace.run(ids[0]).manifest(), workspace.run(ids[0]).summary())]) == 1
    assert workspace.catalog.headlines([ids[0]])[ids[0]].estimate.metric == "contains"

"""Golden sets: versions, cases, differences, health; and cases added from runs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import islice

import msgspec

from evalwright.core.case import Case, Json
from evalwright.core.errors import EvalwrightError, UsageError
from evalwright.datasets.comparing import CaseDiff
from evalwright.datasets.health import Health
from evalwright.datasets.versions import LATEST, GoldenSet, SetInfo, StateChange, Version
from evalwright.services.browsing.browser import Browser
from evalwright.services.browsing.case import index_of
from evalwright.services.browsing.overview import DAY_S
from evalwright.services.browsing.paging import Page, checked_limit, next_cursor, offset_of
from evalwright.services.golden import Goldens
from evalwright.services.set_health import set_health
from evalwright.store.cases import CaseFile

SHOWN_CHANGES = 500


class VersionView(msgspec.Struct, frozen=True, kw_only=True):
    """A version of a golden set with where it stands."""

    number: int
    digest: str
    cases: int
    at: float
    by: str
    message: str
    added: int
    changed: int
    removed: int
    state: str
    tags: tuple[str, ...]
    source: dict[str, Json]
    changes: tuple[StateChange, ...]


class SetView(msgspec.Struct, frozen=True, kw_only=True):
    """A golden set.

    Attributes:
        name: Name.
        info: What it is for and who looks after it.
        latest: Its latest version; None when there is none.
        versions: How many versions there are.
        approved: Number of the latest approved version; None when there is none.
        age_days: Of the latest version.
        stale: Whether it is older than its owner wants; None when nobody said how old it may be.
        problem: Why it can't be read; empty when it can.
    """

    name: str
    info: SetInfo | None = None
    latest: VersionView | None = None
    versions: int = 0
    approved: int | None = None
    age_days: float | None = None
    stale: bool | None = None
    problem: str = ""


class SetPage(msgspec.Struct, frozen=True, kw_only=True):
    """A golden set with all its versions, latest first."""

    summary: SetView
    versions: tuple[VersionView, ...]
    tags: dict[str, int]


class ChangedCase(msgspec.Struct, frozen=True, kw_only=True):
    """A case that is in both versions: by dotted path, the value before and after."""

    id: str
    fields: dict[str, tuple[Json, Json]]


class SetDiff(msgspec.Struct, frozen=True, kw_only=True):
    """Two versions of a set: counts of all differences, and at most 500 cases of each kind."""

    name: str
    before: int
    after: int
    added_count: int
    removed_count: int
    changed_count: int
    added: tuple[Case, ...]
    removed: tuple[Case, ...]
    changed: tuple[ChangedCase, ...]


def list_sets(browser: Browser, *, now: float | None = None) -> list[SetView]:
    """Every golden set of the workspace."""
    goldens = Goldens(browser.workspace)
    at = time.time() if now is None else now
    return [_set(goldens, name, at) for name in goldens.logs.names()]


def _set(goldens: Goldens, name: str, now: float) -> SetView:
    try:
        return _view(goldens.get(name), now)
    except EvalwrightError as error:
        return SetView(name=name, problem=error.message)


def _view(golden: GoldenSet, now: float) -> SetView:
    versions, info = golden.versions, golden.info
    latest = versions[-1] if versions else None
    approved = next((v.number for v in reversed(versions) if golden.state(v) == "approved"), None)
    age = None if latest is None else max(0.0, now - latest.at) / DAY_S
    return SetView(
        name=golden.name,
        info=info,
        latest=None if latest is None else _version(golden, latest),
        versions=len(versions),
        approved=approved,
        age_days=age,
        stale=None if age is None or info.cadence_days is None else age > info.cadence_days,
    )


def _version(golden: GoldenSet, version: Version) -> VersionView:
    return VersionView(
        number=version.number,
        digest=version.digest,
        cases=version.cases,
        at=version.at,
        by=version.by,
        message=version.message,
        added=version.added,
        changed=version.changed,
        removed=version.removed,
        state=golden.state(version),
        tags=tuple(name for name, number in golden.tags.items() if number == version.number),
        source=version.source,
        changes=tuple(golden.changes(version)),
    )


def set_page(browser: Browser, name: str, *, now: float | None = None) -> SetPage:
    """A golden set with its versions.

    Raises:
        UsageError: There is no such set.
    """
    golden = Goldens(browser.workspace).get(name)
    return SetPage(
        summary=_view(golden, time.time() if now is None else now),
        versions=tuple(_version(golden, version) for version in reversed(golden.versions)),
        tags=golden.tags,
    )


def _cases(browser: Browser, name: str, version: str) -> tuple[Version, CaseFile]:
    found = Goldens(browser.workspace).get(name).find(version)
    return found, browser.cases(found.digest)


def set_cases(
    browser: Browser, name: str, version: str = LATEST, *, text: str = "", cursor: str | None = None, limit: int = 50
) -> Page[Case]:
    """Cases of a version in their order; with `text`, those in whose JSON every word of it stands.

    Raises:
        UsageError: There is no such set or version.
    """
    found, cases = _cases(browser, name, version)
    words = [word.lower() for word in text.split()]
    question = [found.digest, words]
    offset = offset_of(cursor, question)
    chosen = range(len(cases)) if not words else _matching(browser, cases, words)
    items = tuple(cases[index] for index in chosen[offset : offset + checked_limit(limit)])
    return Page(items=items, total=len(chosen), next=next_cursor(offset, len(items), len(chosen), question))


def _matching(browser: Browser, cases: CaseFile, words: list[str]) -> list[int]:
    def search() -> list[int]:
        texts = ((index, cases.raw(index).decode().lower()) for index in range(len(cases)))
        return [index for index, text in texts if all(word in text for word in words)]

    return browser.kept.get(("search", cases.digest, *words), search)


def set_diff(browser: Browser, name: str, before: str, after: str) -> SetDiff:
    """What two versions do not share.

    Raises:
        UsageError: There is no such set or version.
    """
    first, old = _cases(browser, name, before)
    second, new = _cases(browser, name, after)
    diff = CaseDiff(old, new)
    counts = diff.counts
    return SetDiff(
        name=name,
        before=first.number,
        after=second.number,
        added_count=counts[0],
        removed_count=counts[1],
        changed_count=counts[2],
        added=_first(diff.added_cases()),
        removed=_first(diff.removed_cases()),
        changed=tuple(
            ChangedCase(id=change.id, fields=change.fields) for change in islice(diff.changes(), SHOWN_CHANGES)
        ),
    )


def _first(cases: Iterator[Case]) -> tuple[Case, ...]:
    return tuple(islice(cases, SHOWN_CHANGES))


def health(browser: Browser, name: str, version: str = LATEST) -> Health:
    """Doubles, contradictions, leaks, age and cases that tell nothing; kept until the set or the runs change.

    Raises:
        UsageError: There is no such set or version.
    """
    found = Goldens(browser.workspace).get(name).find(version)
    newest = browser.workspace.catalog.page(limit=1).items
    key = ("health", name, found.digest, newest[0].run_id if newest else "")
    return browser.kept.get(key, lambda: set_health(browser.workspace, f"{name}@v{found.number}"))


class NewCase(msgspec.Struct, frozen=True, kw_only=True):
    """A case to be added to a golden set: one of a run, or one written out.

    Attributes:
        run: The run it is taken from.
        case_id: Its id there; the id it gets, where it is written out.
        expected: What is right, instead of what the run's case says; absent to keep that.
        input: The input, where it is written out.
        metadata: Further labels.
        message: Why.
    """

    case_id: str
    run: str | None = None
    input: Json = None
    expected: Json | msgspec.UnsetType = msgspec.UNSET
    metadata: dict[str, Json] = {}
    message: str = ""


def add_case(browser: Browser, name: str, wanted: NewCase, *, user: str) -> Version | None:
    """Add a case to a set as a new draft version; None when the set had just this case already.

    Raises:
        UsageError: There is no such run or case, or neither a run nor an input is given.
    """
    case = _new_case(browser, wanted)
    source: dict[str, Json] = {"run": wanted.run} if wanted.run else {"by": "hand"}
    version, _ = Goldens(browser.workspace, by=user).add(name, [case], message=wanted.message, source=source)
    return version


def _new_case(browser: Browser, wanted: NewCase) -> Case:
    if wanted.run is None:
        if wanted.input is None:
            raise UsageError("a case needs an input, or the run it is taken from")
        given = Case(id=wanted.case_id, input=wanted.input)
    else:
        run = browser.run(wanted.run)
        given = run.cases[index_of(run, wanted.case_id)]
    expected = given.expected if wanted.expected is msgspec.UNSET else wanted.expected
    return msgspec.structs.replace(given, expected=expected, metadata={**given.metadata, **wanted.metadata})

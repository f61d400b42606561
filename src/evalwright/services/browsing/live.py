"""What a running run says of itself, as it happens."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import msgspec

from evalwright.core.run import RunStatus
from evalwright.services.browsing.browser import Browser
from evalwright.services.browsing.runs import Live, live_state
from evalwright.store.catalog import RunEntry

EVERY_S = 1.0
QUIET_S = 15.0
SUMMARISED_S = 600.0
"""Seconds after its last unit within which a run's figures are there; later its process must have been killed."""


class LiveEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One message of a running run: `progress`, `finished`, or `quiet` to keep the line open."""

    type: str
    run_id: str
    live: Live | None = None
    verdict: str | None = None


def look(browser: Browser, run_id: str) -> LiveEvent:
    """Where a run stands now.

    Raises:
        UsageError: There is no such run.
    """
    entry: RunEntry = browser.entry(run_id)
    live = live_state(browser, entry)
    kind = "finished" if live is None or _cut_off(live, time.time()) else "progress"
    return LiveEvent(type=kind, run_id=run_id, live=live, verdict=entry.decision)


def _cut_off(live: Live, now: float) -> bool:
    """Whether nobody works on a run that has not ended; one that is being summarised is not cut off."""
    return not live.alive and (live.status is RunStatus.RUNNING or now - live.updated_at > SUMMARISED_S)


async def follow(browser: Browser, run_id: str, *, every_s: float = EVERY_S) -> AsyncIterator[LiveEvent]:
    """Say where a run stands, whenever that changes, until it has ended or was cut off."""
    last: LiveEvent | None = None
    quiet_s = 0.0
    while True:
        event = await asyncio.to_thread(look, browser, run_id)
        if event != last:
            last, quiet_s = event, 0.0
            yield event
        elif quiet_s >= QUIET_S:
            quiet_s = 0.0
            yield LiveEvent(type="quiet", run_id=run_id)
        if event.type == "finished":
            return
        await asyncio.sleep(every_s)
        quiet_s += every_s

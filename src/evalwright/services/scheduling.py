"""Schedules: which slots are due, which were missed, and who runs them."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from evalwright.core.errors import NotFound, UsageError
from evalwright.core.extras import optional
from evalwright.store.schedules import Schedule, ScheduleStore, Slot

GRACE_S = 900.0
"""How late a slot may still be run, after the server was away."""

ALIVE_S = 180.0
"""A run whose server has not been heard of for so long is lost."""

TOLD = 20
"""Missed slots that are noted one by one; of more only the latest."""

OPTIONS: dict[str, type] = {
    "limit": int,
    "trials": int,
    "concurrency": int,
    "seed": int,
    "tags": str,
    "filter": str,
    "budget": str,
    "baseline": str,
    "cache": str,
}
"""Options of `evalwright run` that a schedule may give."""


class ScheduleWish(msgspec.Struct, frozen=True, kw_only=True):
    """What a schedule should be."""

    name: str
    suite: str
    cron: str
    timezone: str = "UTC"
    options: dict[str, Any] = {}
    enabled: bool = True


def made(project: str, wish: ScheduleWish, suites: Path, *, by: str, now: float) -> Schedule:
    """A new schedule.

    Raises:
        UsageError: The times, the zone, an option or the suite's path won't do.
        NotFound: There is no such suite file.
    """
    bare = Schedule(id=f"s-{secrets.token_hex(5)}", project=project, created_by=by, created_at=now, **_asdict(wish))
    return checked(bare, suites, now=now)


def changed(schedule: Schedule, wish: ScheduleWish, suites: Path, *, now: float) -> Schedule:
    """A schedule after a change; see `made` for what is refused."""
    return checked(msgspec.structs.replace(schedule, **_asdict(wish)), suites, now=now)


def _asdict(wish: ScheduleWish) -> dict[str, Any]:
    return msgspec.structs.asdict(wish)


def checked(schedule: Schedule, suites: Path, *, now: float) -> Schedule:
    """A schedule that can be, with its next slot."""
    if not schedule.name.strip():
        raise UsageError("a schedule needs a name")
    suite_path(suites, schedule.suite)
    for name, value in schedule.options.items():
        kind = OPTIONS.get(name)
        if kind is None or type(value) is not kind:
            raise UsageError(f"a schedule can't have {name}={value!r}", hint=f"there is {', '.join(OPTIONS)}")
        if isinstance(value, str) and not 0 < len(value) <= 1000:
            raise UsageError(f"{name} can't be empty, or longer than 1000 characters")
    next_at = next(slots_after(schedule.cron, schedule.timezone, now))
    return msgspec.structs.replace(schedule, next_at=next_at if schedule.enabled else None)


def suite_path(suites: Path, name: str) -> Path:
    """The file of a suite, which must lie in the folder of suites.

    Raises:
        UsageError: The path leads elsewhere.
        NotFound: There is no such file.
    """
    pure = PurePosixPath(name)
    if pure.is_absolute() or ".." in pure.parts or "\0" in name or pure.suffix not in {".yaml", ".yml"}:
        raise UsageError(f"{name!r} is no suite file of the project", hint="a path like `support/suite.yaml`")
    path = (suites / pure).resolve()
    if not path.is_relative_to(suites.resolve()):
        raise UsageError(f"{name!r} leads out of the folder of suites")
    if not path.is_file():
        raise NotFound(f"there is no suite file {name!r}", hint=f"looked in {suites}")
    return path


def suite_files(folder: Path, *, folders: int = 2000) -> Iterator[str]:
    """Suite files below a folder, hidden folders left out; no more than so many folders are looked into."""
    for number, (place, below, files) in enumerate(os.walk(folder)):
        below[:] = sorted(name for name in below if not name.startswith((".", "node_modules", "__pycache__")))
        if number >= folders:
            return
        for name in sorted(files):
            path = Path(place) / name
            if path.suffix in {".yaml", ".yml"} and _is_suite(path):
                yield path.relative_to(folder).as_posix()


def _is_suite(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return any(line.startswith(b"suite:") for line in file.read(8192).splitlines())
    except OSError:
        return False


def slots_after(cron: str, timezone: str, after: float) -> Iterator[float]:
    """Times of a cron expression after a time, in a time zone; daylight saving is heeded.

    Args:
        cron: Five fields: minute, hour, day of month, month, day of week.
        timezone: An IANA name, e.g. `Europe/Berlin`.
        after: Seconds since the epoch.

    Raises:
        UsageError: They are none, or never come.

    Example:
        >>> next(slots_after("30 6 * * 1-5", "Europe/Berlin", 1_800_000_000.0))
        1800250200.0
    """
    module = optional("cronsim", extra="server")
    try:
        zone = ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UsageError(f"there is no time zone {timezone!r}", hint="such as UTC or Europe/Berlin") from None
    if len(cron.split()) != 5:
        raise UsageError(f"{cron!r} has not five fields", hint="minute hour day month weekday: `30 6 * * 1-5`")
    try:
        times = module.CronSim(cron, datetime.fromtimestamp(after, UTC).astimezone(zone))
    except module.CronSimError as error:
        raise UsageError(f"{cron!r} is no cron expression: {error}", hint="such as `30 6 * * 1-5`") from None
    found = next(times, None)
    if found is None:
        raise UsageError(f"{cron!r} never comes")
    return _seconds(found, times)


def _seconds(first: datetime, rest: Iterator[datetime]) -> Iterator[float]:
    yield first.timestamp()
    for time in rest:
        yield time.timestamp()


def passed(schedule: Schedule, now: float, *, most: int = 10_000) -> list[float]:
    """Slots of a schedule that have come since it was last looked at, oldest first; only the newest of very many."""
    if schedule.next_at is None or schedule.next_at > now:
        return []
    found = [schedule.next_at]
    for time in slots_after(schedule.cron, schedule.timezone, schedule.next_at):
        if time > now:
            break
        found.append(time)
        if len(found) >= most:
            return [next(slots_after(schedule.cron, schedule.timezone, now - GRACE_S))] if most else found
    return found


def take_due(store: ScheduleStore, *, server: str, now: float) -> list[tuple[Schedule, Slot]]:
    """Slots this server has to run now; each slot is given to one server only.

    Of several slots that have come, the newest is run when it is not older than `GRACE_S`; the others are noted as
    missed. While the run before is still going, a slot is noted as skipped.
    """
    store.lose(now - ALIVE_S, now)
    taken = []
    for schedule in store.due(now):
        try:
            slots = _fates(store, schedule, server=server, now=now)
            next_at: float | None = next(slots_after(schedule.cron, schedule.timezone, now))
        except UsageError:
            slots, next_at = [], None
        if store.take(schedule, next_at, slots):
            taken += [(schedule, slot) for slot in slots if slot.state == "waiting"]
    return taken


def _fates(store: ScheduleStore, schedule: Schedule, *, server: str, now: float) -> Sequence[Slot]:
    times = passed(schedule, now)
    late = [time for time in times[:-1] if time > now - 366 * 86_400.0][-TOLD:]
    missed = f"no server was there; {len(times) - 1} in a row" if len(times) > 2 else "no server was there"
    slots = [Slot(schedule_id=schedule.id, slot_at=time, state="missed", note=missed) for time in late]
    newest = times[-1]
    if now - newest > GRACE_S:
        return [*slots, Slot(schedule_id=schedule.id, slot_at=newest, state="missed", note=missed)]
    if store.running(schedule.id, now - ALIVE_S):
        note = "the run before was still going"
        return [*slots, Slot(schedule_id=schedule.id, slot_at=newest, state="skipped", note=note)]
    return [*slots, Slot(schedule_id=schedule.id, slot_at=newest, state="waiting", server=server, alive_at=now)]


def run_words(schedule: Schedule, suite: Path) -> list[str]:
    """Words of the `evalwright run` of a schedule, the workspace aside."""
    words = ["run", str(suite), "--json", "--report", "html"]
    for name, value in schedule.options.items():
        words.append(f"--{name}={value}")
    return words

"""Schedules of a project's suites, and what became of each time."""

from __future__ import annotations

from itertools import islice
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import PlainTextResponse
from pydantic import Field

from evalwright.core.errors import Conflict, NotFound
from evalwright.governance.roles import Action
from evalwright.server.deps import EngineerProject, ProjectContext, ViewerProject
from evalwright.server.wire import Body, Page, PageSize, model_of
from evalwright.server.workers import log_path
from evalwright.services.scheduling import ALIVE_S, ScheduleWish, changed, made, suite_files
from evalwright.store.schedules import Schedule, Slot

router = APIRouter(prefix="/schedules", tags=["schedules"])
SHOWN_LOG = 200_000


class ScheduleBody(Body):
    """A schedule as it should be."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    suite: Annotated[str, Field(max_length=500, description="Suite file below the project's folder of suites.")]
    cron: Annotated[str, Field(max_length=100, description="Minute, hour, day, month, weekday.")]
    timezone: Annotated[str, Field(max_length=64)] = "UTC"
    options: dict[str, str | int] = {}
    enabled: bool = True


class ScheduleChange(Body):
    """What is to change; what is left out stays."""

    name: Annotated[str | None, Field(min_length=1, max_length=200)] = None
    suite: Annotated[str | None, Field(max_length=500)] = None
    cron: Annotated[str | None, Field(max_length=100)] = None
    timezone: Annotated[str | None, Field(max_length=64)] = None
    options: dict[str, str | int] | None = None
    enabled: bool | None = None


@router.get("", response_model=Page[model_of(Schedule)])  # type: ignore[misc]
def list_schedules(project: ViewerProject) -> Any:
    """Schedules by name."""
    found = project.state.schedules.of_project(project.name)
    return {"items": found, "total": len(found)}


@router.get("/suites")
def list_suite_files(project: EngineerProject) -> Page[str]:
    """Suite files that can be scheduled."""
    suites = list(islice(suite_files(project.state.places.suites(project.name)), 500))
    return Page[str](items=sorted(suites), total=len(suites))


@router.post("", status_code=201, response_model=model_of(Schedule))
def add_schedule(body: ScheduleBody, project: EngineerProject) -> Any:
    """Schedule a suite."""
    project.require(Action.MANAGE_SCHEDULES, owned=True)
    wish = ScheduleWish(**body.model_dump())
    suites = project.state.places.suites(project.name)
    schedule = made(project.name, wish, suites, by=project.username, now=project.state.now())
    project.state.schedules.add(schedule)
    project.audit("schedule.add", schedule.id, suite=schedule.suite, cron=schedule.cron, timezone=schedule.timezone)
    return schedule


@router.patch("/{schedule_id}", response_model=model_of(Schedule))
def change_schedule(schedule_id: str, body: ScheduleChange, project: EngineerProject) -> Any:
    """Change a schedule; one's own, or as a lead any."""
    before = _mine(project, schedule_id)
    values = {name: getattr(before, name) for name in ScheduleWish.__struct_fields__}
    values |= {name: value for name, value in body.model_dump().items() if value is not None}
    suites = project.state.places.suites(project.name)
    schedule = changed(before, ScheduleWish(**values), suites, now=project.state.now())
    project.state.schedules.change(schedule)
    project.audit("schedule.change", schedule.id, **body.model_dump(exclude_none=True))
    return schedule


@router.delete("/{schedule_id}", status_code=204)
def remove_schedule(schedule_id: str, project: EngineerProject) -> None:
    """Forget a schedule; its runs stay."""
    _mine(project, schedule_id)
    project.state.schedules.remove(project.name, schedule_id)
    project.audit("schedule.remove", schedule_id)


@router.post("/{schedule_id}/run", status_code=202, response_model=model_of(Slot))
def run_schedule(schedule_id: str, project: EngineerProject) -> Any:
    """Run a schedule's suite now."""
    project.require(Action.RUN)
    state = project.state
    schedule = state.schedules.get(project.name, schedule_id)
    if state.background is None:
        raise Conflict("this server runs no schedules")
    now = round(state.now(), 3)
    if state.schedules.running(schedule.id, now - ALIVE_S):
        raise Conflict("it is running already", hint="wait for its end")
    slot = Slot(
        schedule_id=schedule.id, slot_at=now, state="waiting", server=state.background.name, alive_at=now,
        note=f"asked for by {project.username}",
    )  # fmt: skip
    state.schedules.add_slot(slot)
    project.audit("schedule.run_now", schedule.id)
    state.background.workers.run(schedule, slot, state.places.suites(project.name))
    return slot


@router.get("/{schedule_id}/slots", response_model=Page[model_of(Slot)])  # type: ignore[misc]
def list_slots(schedule_id: str, project: ViewerProject, limit: PageSize = 50) -> Any:
    """Times that have come, newest first, and what became of each."""
    schedule = project.state.schedules.get(project.name, schedule_id)
    return {"items": project.state.schedules.slots(schedule.id, limit=limit)}


@router.get("/{schedule_id}/log", response_class=PlainTextResponse)
def slot_log(
    schedule_id: str, project: EngineerProject, slot_at: Annotated[float, Query(ge=0, le=4e12)]
) -> PlainTextResponse:
    """The log of one time: what the run wrote to its standard error."""
    schedule = project.state.schedules.get(project.name, schedule_id)
    path = log_path(project.workspace, Slot(schedule_id=schedule.id, slot_at=slot_at, state=""))
    if not path.is_file():
        raise NotFound("there is no log of this time")
    return PlainTextResponse(path.read_bytes()[-SHOWN_LOG:].decode("utf-8", "replace"))


def _mine(project: ProjectContext, schedule_id: str) -> Schedule:
    schedule = project.state.schedules.get(project.name, schedule_id)
    project.require(Action.MANAGE_SCHEDULES, owned=schedule.created_by == project.username)
    return schedule

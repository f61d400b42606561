"""Schedules: which slot is run by whom, what is missed or skipped, and a real run at the end."""

import threading
import time

import pytest

from evalwright.core.errors import EvalwrightError
from evalwright.server.background import Background
from evalwright.services.scheduling import GRACE_S, ScheduleWish, made, passed, slots_after, take_due
from evalwright.store.schedules import Slot

HOURLY = {"name": "hourly", "suite": "suite.yaml", "cron": "0 * * * *"}
SUITE = """\
suite: small
version: 1
target: { type: python, callable: "product:answer" }
dataset: { file: cases.jsonl }
scorers: [exact]
gate:
  - { metric: exact, at_least: 0.5 }
"""


@pytest.fixture
def suites(server):
    """The folder of suites of a server, with one in it."""
    folder = server.state.places.suites("default")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "suite.yaml").write_text(SUITE)
    (folder / "product.py").write_text("def answer(question):\n    return question\n")
    (folder / "cases.jsonl").write_text(
        "".join(f'{{"id": "c{n}", "input": "q{n}", "expected": "q{n}"}}\n' for n in range(30))
    )
    return folder


def schedule(server, suites, **changes):
    found = made("default", ScheduleWish(**{**HOURLY, **changes}), suites, by="ada", now=server.clock())
    server.state.schedules.add(found)
    return found


def states(server, found):
    return [(slot.state, slot.slot_at) for slot in reversed(server.state.schedules.slots(found.id, limit=100))]


def test_a_slot_goes_to_one_of_several_servers(server, suites):
    found = schedule(server, suites)
    server.clock.now = found.next_at + 1
    taken = []

    def take(name):
        taken.extend(take_due(server.state.schedules, server=name, now=server.clock()))

    threads = [threading.Thread(target=take, args=(f"server{n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 1
    assert states(server, found) == [("waiting", found.next_at)]
    assert take_due(server.state.schedules, server="again", now=server.clock()) == []


def test_missed_slots_are_told_and_only_the_newest_is_run(server, suites):
    found = schedule(server, suites)
    server.clock.now = found.next_at + 3 * 3600 + 5
    taken = take_due(server.state.schedules, server="a", now=server.clock())
    assert [slot.slot_at for _, slot in taken] == [found.next_at + 3 * 3600]
    assert [state for state, _ in states(server, found)] == ["missed"] * 3 + ["waiting"]


def test_a_slot_too_long_ago_is_missed(server, suites):
    found = schedule(server, suites)
    server.clock.now = found.next_at + GRACE_S + 1
    assert take_due(server.state.schedules, server="a", now=server.clock()) == []
    assert states(server, found) == [("missed", found.next_at)]
    assert server.state.schedules.get("default", found.id).next_at == found.next_at + 3600


def test_a_slot_is_skipped_while_the_run_before_goes_on(server, suites):
    found = schedule(server, suites)
    server.clock.now = found.next_at
    take_due(server.state.schedules, server="a", now=server.clock())
    server.clock.now = found.next_at + 3600
    server.state.schedules.update(found.id, found.next_at, state="running", alive_at=server.clock() - 10)
    assert take_due(server.state.schedules, server="a", now=server.clock()) == []
    assert [state for state, _ in states(server, found)] == ["running", "skipped"]


def test_a_run_whose_server_died_is_lost_and_holds_nothing_up(server, suites):
    found = schedule(server, suites)
    server.clock.now = found.next_at
    take_due(server.state.schedules, server="a", now=server.clock())
    server.clock.now = found.next_at + 3600
    assert len(take_due(server.state.schedules, server="b", now=server.clock())) == 1
    assert [state for state, _ in states(server, found)] == ["lost", "waiting"]


def test_a_slot_that_waits_for_a_free_process_is_not_lost(server, suites):
    found = schedule(server, suites)
    server.clock.now = found.next_at
    take_due(server.state.schedules, server="a", now=server.clock())
    server.clock.now += 600
    server.state.schedules.alive("a", server.clock())
    take_due(server.state.schedules, server="b", now=server.clock())
    assert [state for state, _ in states(server, found)] == ["waiting"]


def test_times_are_those_of_the_zone_also_when_clocks_change():
    berlin = slots_after("30 2 * * *", "Europe/Berlin", 1_774_652_400.0)  # 2026-03-28 00:00 CET
    first, second, third = (next(berlin) for _ in range(3))
    assert first == 1_774_661_400.0  # 02:30 CET
    assert second - first in {23 * 3600, 23.5 * 3600, 24 * 3600}  # the night that has no 02:30
    assert third - first == 47 * 3600  # 02:30 CEST


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"cron": "61 * * * *"}, "no cron expression"),
        ({"cron": "* * * *"}, "five fields"),
        ({"cron": "* * * * * *"}, "five fields"),
        ({"cron": "0 0 30 2 *"}, "no cron expression"),
        ({"timezone": "Mars/Olympus"}, "no time zone"),
        ({"timezone": "../../etc/passwd"}, "no time zone"),
        ({"suite": "../suite.yaml"}, "no suite file"),
        ({"suite": "/etc/suite.yaml"}, "no suite file"),
        ({"suite": "none.yaml"}, "no suite file"),
        ({"suite": "product.py"}, "no suite file"),
        ({"options": {"workspace": "/"}}, "can't have workspace"),
        ({"options": {"limit": "5"}}, "can't have limit"),
        ({"name": " "}, "needs a name"),
    ],
)
def test_what_cant_be_is_refused(local, changes, says):
    folder = local.state.places.suites("default")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "suite.yaml").write_text(SUITE)
    with pytest.raises(EvalwrightError, match=says):
        schedule(local, folder, **changes)


def test_a_schedule_of_every_minute_for_years_is_looked_at_quickly(local):
    folder = local.state.places.suites("default")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "suite.yaml").write_text(SUITE)
    found = schedule(local, folder, cron="* * * * *")
    now = local.clock() + 3 * 366 * 86_400
    assert 1 <= len(passed(found, now)) <= 10_000
    local.clock.now = now
    assert len(take_due(local.state.schedules, server="a", now=now)) == 1


def test_people_manage_their_own_schedules_and_leads_all(server, suites):
    eva = server.browser("eva", roles={"default": "engineer"})
    eli = server.browser("eli", roles={"default": "engineer"})
    lea = server.browser("lea", roles={"default": "lead"})
    made_one = eva.post("/projects/default/schedules", {**HOURLY, "options": {"limit": 5}})
    assert made_one.status_code == 201, made_one.text
    place = f"/projects/default/schedules/{made_one.json()['id']}"
    assert eva.get("/projects/default/schedules/suites").json()["items"] == ["suite.yaml"]
    assert eli.patch(place, {"enabled": False}).status_code == 403
    assert lea.patch(place, {"enabled": False}).json()["next_at"] is None
    assert eva.patch(place, {"cron": "nonsense"}).status_code == 422
    assert eva.patch(place, {"cron": "5 * * * *", "enabled": True}).json()["next_at"] is not None
    assert eva.post(f"{place}/run").json()["error"]["message"] == "this server runs no schedules"
    assert eva.delete(place).status_code == 204
    assert lea.get("/projects/default/schedules").json()["items"] == []


def until(check, timeout_s=120.0):
    end = time.monotonic() + timeout_s
    while not check():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.1)


def test_a_due_suite_is_really_run_and_its_log_kept(server, suites):
    eva = server.browser("eva", roles={"default": "engineer"})
    found = schedule(server, suites)
    server.state.background = Background(server.state, every_s=3600)
    server.clock.now = found.next_at
    server.state.background.once()
    until(lambda: states(server, found)[0][0] in {"done", "failed"})
    slot = eva.get(f"/projects/default/schedules/{found.id}/slots").json()["items"][0]
    log = eva.get(f"/projects/default/schedules/{found.id}/log", params={"slot_at": slot["slot_at"]})
    assert (slot["state"], slot["exit_code"]) == ("done", 0), log.text
    run = eva.get(f"/projects/default/runs/{slot['run_id']}")
    assert run.status_code == 200
    actions = [row["action"] for row in server.browser("ada", admin=True).get("/audit").json()["items"]]
    assert "schedule.run" in actions


def test_a_suite_that_is_broken_fails_with_its_reason(local):
    folder = local.state.places.suites("default")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "suite.yaml").write_text(SUITE.replace("exact", "exakt"))
    found = schedule(local, folder)
    local.state.background = Background(local.state, every_s=3600)
    local.clock.now = found.next_at
    local.state.background.once()
    until(lambda: states(local, found)[0][0] in {"done", "failed"})
    slot: Slot = local.state.schedules.slots(found.id, limit=1)[0]
    assert (slot.state, slot.exit_code) == ("failed", 2)
    assert "exakt" in slot.note

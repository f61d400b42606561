"""Steering a run while it runs."""

import asyncio

import pytest

from evalwright.core.errors import UsageError
from evalwright.core.run import RunStatus
from evalwright.engine import Action, Command, read_state, run, run_async, send_command
from evalwright.engine.control import COMMANDS_NAME

from .kit import FunctionTarget, echo, job, records, slow


async def until(condition, seconds=5.0):
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - the condition is in a file
            await asyncio.sleep(0.02)


async def test_pause_resume_concurrency_and_cancel(tmp_path):
    target = FunctionTarget(slow(0.05))
    running = asyncio.ensure_future(run_async(job(tmp_path, target, 10_000, settings={"concurrency": 4})))
    await until(lambda: len(target.calls) > 8)
    state = read_state(tmp_path)
    assert (state.status, state.alive, state.concurrency, state.paused) == (RunStatus.RUNNING, True, 4, False)

    send_command(tmp_path, Command(action=Action.PAUSE))
    await until(lambda: read_state(tmp_path).paused)
    await asyncio.sleep(0.15)
    begun = len(target.calls)
    await asyncio.sleep(0.3)
    assert len(target.calls) == begun

    send_command(tmp_path, Command(action=Action.CONCURRENCY, value=40))
    send_command(tmp_path, Command(action=Action.RESUME))
    await until(lambda: not read_state(tmp_path).paused and read_state(tmp_path).progress.in_flight > 30)
    assert read_state(tmp_path).concurrency == 40

    send_command(tmp_path, Command(action=Action.CONCURRENCY, value=2))
    await until(lambda: read_state(tmp_path).concurrency == 2 and read_state(tmp_path).progress.in_flight == 2)

    send_command(tmp_path, Command(action=Action.CANCEL))
    outcome = await running
    assert (outcome.status, outcome.reason) == (RunStatus.INTERRUPTED, "cancelled")
    assert outcome.recorded == len(target.calls) == len(records(tmp_path))
    state = read_state(tmp_path)
    assert (state.status, state.alive, state.reason) == (RunStatus.INTERRUPTED, False, "cancelled")
    assert state.progress.done == outcome.recorded


async def test_cancelled_twice_it_ends_at_once(tmp_path):
    target = FunctionTarget(slow(60))
    running = asyncio.ensure_future(run_async(job(tmp_path, target, 100, settings={"concurrency": 4})))
    await until(lambda: len(target.calls) == 4)
    send_command(tmp_path, Command(action=Action.CANCEL))
    send_command(tmp_path, Command(action=Action.CANCEL))
    async with asyncio.timeout(3):
        outcome = await running
    assert (outcome.status, outcome.recorded) == (RunStatus.INTERRUPTED, 0)
    again = await run_async(job(tmp_path, FunctionTarget(echo), 100))
    assert again.recorded == 100


def test_a_run_that_is_not_running_takes_no_commands(tmp_path):
    with pytest.raises(UsageError, match="is not running"):
        send_command(tmp_path, Command(action=Action.PAUSE))
    with pytest.raises(UsageError, match="concurrency must be 1 or more, not 0"):
        send_command(tmp_path, Command(action=Action.CONCURRENCY, value=0))


def test_old_and_broken_commands_are_passed_over(tmp_path):
    (tmp_path / COMMANDS_NAME).write_bytes(b'{"action":"cancel"}\nnonsense\n')
    assert run(job(tmp_path, FunctionTarget(slow(0.3)), 4)).status is RunStatus.COMPLETE


def test_the_state_of_a_finished_run_stays_readable(tmp_path):
    assert read_state(tmp_path) is None
    run(job(tmp_path, FunctionTarget(echo), 30))
    state = read_state(tmp_path)
    assert (state.status, state.alive, state.progress.done) == (RunStatus.COMPLETE, False, 30)
    assert set(state.progress.running) == {"exact"}

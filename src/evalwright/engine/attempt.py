"""One attempt at a unit: the call under its timeout, and every way it can go wrong as a `TargetError`."""

from __future__ import annotations

import asyncio
import math
import time

import msgspec

from evalwright.core.errors import TargetError
from evalwright.core.output import Output
from evalwright.core.target import Target, TargetCall, answers_exist
from evalwright.store.journal import Unstorable, check_output

MAX_MESSAGE = 2000


async def answer(target: Target, call: TargetCall, timeout_s: float) -> Output:
    """Ask the target once; an answer without its own latency gets the wall time, unless it existed already.

    Raises:
        TargetError: The target failed, took longer than `timeout_s`, or returned something that is no `Output`.
    """
    start = time.perf_counter()
    try:
        async with asyncio.timeout(timeout_s) as timer:
            output = await target.respond(call)
    except TargetError:
        raise
    except (Exception, SystemExit) as error:
        if timer.expired() and isinstance(error, TimeoutError):
            raise TargetError(f"no answer within {timeout_s:g} s", kind="timeout", retryable=True) from error
        raise as_target_error(error) from error
    except asyncio.CancelledError as error:
        if _cancelled():
            raise
        raise TargetError("the target cancelled itself", kind="exception") from error
    checked = _checked(output)
    if checked.latency_s is not None or answers_exist(target):
        return checked
    return msgspec.structs.replace(checked, latency_s=round(time.perf_counter() - start, 6))


def _checked(output: object) -> Output:
    """The answer, without a cost that is no number.

    Raises:
        TargetError: It is no `Output`, or one that can't be kept.
    """
    if not isinstance(output, Output):
        raise TargetError(f"the target returned {type(output).__name__}, not an Output", kind="malformed")
    text: object = output.text
    if not isinstance(text, str):
        kind = type(text).__name__
        raise TargetError(f"the target returned an Output whose text is {kind}, not a string", kind="malformed")
    try:
        check_output(output)
    except Unstorable as error:
        raise TargetError(f"the answer can't be stored: {error}", kind="malformed") from error
    if output.cost is not None and not math.isfinite(output.cost):
        output = msgspec.structs.replace(output, cost=None)
    return output


def _cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def as_target_error(error: BaseException) -> TargetError:
    """What foreign code raised, as a `TargetError`; timeouts and lost connections may succeed next time."""
    message = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    if isinstance(error, TimeoutError):
        return TargetError(message, kind="timeout", retryable=True)
    if isinstance(error, ConnectionError):
        return TargetError(message, kind="connection", retryable=True)
    return TargetError(message, kind="exception")


def clipped(message: str) -> str:
    """A message as a record keeps it: at most 2,000 characters."""
    return message if len(message) <= MAX_MESSAGE else message[: MAX_MESSAGE - 1] + "…"

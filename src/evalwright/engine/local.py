"""The executor of one process."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from evalwright.core.run import RunStatus
from evalwright.engine.sitting import Sitting

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stop_signals(on_signal: Callable[[signal.Signals], None]) -> Iterator[None]:
    """Have the loop call a function for each SIGINT and SIGTERM; does nothing outside the main thread."""
    loop = asyncio.get_running_loop()
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, on_signal, number)
    try:
        yield
    finally:
        for number in STOP_SIGNALS:
            loop.remove_signal_handler(number)


async def run_local(sitting: Sitting) -> None:
    """Run a sitting in this process: the first signal drains it, the second ends it at once."""
    seen: list[signal.Signals] = []

    def on_signal(number: signal.Signals) -> None:
        seen.append(number)
        if len(seen) == 1:
            sitting.stop(RunStatus.INTERRUPTED, f"stopped by {signal.Signals(number).name}")
        else:
            sitting.halt()

    with stop_signals(on_signal):
        await sitting.run()

"""Progress on standard error: a live line on a terminal, a plain line every few seconds elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TextIO

from rich.console import Console
from rich.live import Live
from rich.text import Text

from evalwright.core.ports import Progress
from evalwright.core.run import UnitRecord

PLAIN_EVERY_S = 5.0
BAR_WIDTH = 24


def progress_line(progress: Progress) -> str:
    """Where a run stands in one line: done, errors, running score, cost, time left."""
    parts = [f"{progress.done:,}/{progress.units:,} done"]
    if progress.errored:
        parts.append(f"{progress.errored:,} errors")
    if progress.cached:
        parts.append(f"{progress.cached:,} cached")
    parts.extend(f"{name} {value:.3f}" for name, value in list(progress.running.items())[:2])
    if progress.cost is not None:
        parts.append(f"${progress.cost:,.4f}")
    if progress.rate:
        parts.append(f"{progress.rate:,.1f}/s")
    parts.append(_time_left(progress))
    return " · ".join(part for part in parts if part)


def _time_left(progress: Progress) -> str:
    if progress.done >= progress.units:
        return f"took {duration(progress.elapsed_s)}"
    return f"{duration(progress.eta_s)} left" if progress.eta_s is not None else ""


def duration(seconds: float) -> str:
    """Seconds in words: `0.8 s`, `12 s`, `3 min 05 s`, `1 h 02 min`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min"


class ProgressPrinter:
    """A run listener that shows progress; use it as a context manager around the run.

    Args:
        stream: Where to write; standard error by default, so that standard output stays free for `--json`.
        quiet: Show nothing.
    """

    def __init__(self, stream: TextIO | None = None, *, quiet: bool = False) -> None:
        self._stream = stream or sys.stderr
        self._console = Console(file=self._stream, highlight=False)
        self._quiet = quiet
        self._live: Live | None = None
        self._last_plain = time.monotonic()

    def __enter__(self) -> ProgressPrinter:
        if not self._quiet and self._console.is_terminal:
            self._live = Live(console=self._console, refresh_per_second=8, transient=True)
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def on_unit(self, record: UnitRecord) -> None:
        """Nothing to do: progress arrives four times a second."""

    def on_progress(self, progress: Progress) -> None:
        """Redraw the live line, or print a plain one now and then."""
        if self._quiet:
            return
        if self._live is not None:
            self._live.update(_live_line(progress))
            return
        now = time.monotonic()
        if now - self._last_plain >= PLAIN_EVERY_S:
            self._last_plain = now
            print(progress_line(progress), file=self._stream, flush=True)


def _live_line(progress: Progress) -> Text:
    share = progress.done / progress.units if progress.units else 1.0
    filled = round(share * BAR_WIDTH)
    bar = Text("━" * filled, style="green") + Text("━" * (BAR_WIDTH - filled), style="dim")
    return Text.assemble(bar, " ", progress_line(progress))

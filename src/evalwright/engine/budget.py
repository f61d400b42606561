"""Hard caps: what a unit is expected to spend is set aside before its first call, and corrected as answers come in."""

from __future__ import annotations

import asyncio

from evalwright.core.run import Budget as Caps
from evalwright.engine.board import Board
from evalwright.engine.job import UnitEstimate
from evalwright.engine.monitor import Tally

Amount = tuple[float, float, float]
"""Calls, tokens, money."""

_UNITS = ("calls", "tokens", "")
_LOOK_S = 0.02


class Budget:
    """What may still be spent. Its numbers are on the board, so that all processes of a run spend from one purse.

    Attributes:
        exhausted: Which cap is reached, as a sentence; empty while none is.
        closed: Nothing is set aside any more because the run ends.
    """

    def __init__(self, caps: Caps, board: Board, estimate: UnitEstimate) -> None:
        """Watch over the caps; `estimate` is what a unit is expected to spend as long as none was seen."""
        block = board.block("budget")
        self._caps = (caps.calls, caps.tokens, caps.cost)
        self._lock = board.lock
        self._estimate: Amount = (estimate.calls, estimate.tokens, estimate.cost)
        self._spent, self._held, self._seen, self._units = block[0:3], block[3:6], block[6:9], block[9:10]
        self.exhausted = ""
        self.closed = False

    def start(self, earlier: Tally) -> None:
        """Count what earlier sittings spent; called once, before any worker starts."""
        self.spend((earlier.calls, earlier.tokens, earlier.cost or 0.0))

    async def hold(self) -> Amount | None:
        """Set aside what one unit is expected to spend; None when a cap does not allow it any more or the run ends.

        While units in flight may turn out cheaper than expected, it waits for them.
        """
        while not self.closed:
            with self._lock:
                expected = self._expected()
                short = self._short(expected)
                if short is None:
                    _add(self._held, expected)
                    return expected
                others = self._held[0] > 1e-9
            if not others:
                self.exhausted = self._sentence(short)
                return None
            await asyncio.sleep(_LOOK_S)
        return None

    def _expected(self) -> Amount:
        units = self._units[0]
        return (self._seen[0] / units, self._seen[1] / units, self._seen[2] / units) if units else self._estimate

    def _short(self, expected: Amount) -> int | None:
        """Which cap would be broken by the expected amount, or is reached already."""
        for index, cap in enumerate(self._caps):
            if cap is None:
                continue
            taken = self._spent[index] + self._held[index]
            if taken + expected[index] > cap * (1 + 1e-9) or taken >= cap:
                return index
        return None

    def _sentence(self, index: int) -> str:
        cap, spent, unit = self._caps[index], self._spent[index], _UNITS[index]
        return f"the budget of {cap:g} {unit or 'in money'} is spent ({spent:.6g} so far)"

    def spend(self, amount: Amount) -> None:
        """A call was sent and cost this much."""
        with self._lock:
            _add(self._spent, amount)

    def release(self, held: Amount) -> None:
        """Give back what was set aside for a unit that failed."""
        with self._lock:
            _add(self._held, (-held[0], -held[1], -held[2]))

    def settle(self, held: Amount, spent: Amount) -> None:
        """Give back what was set aside for a unit, and learn from what it spent in all."""
        with self._lock:
            _add(self._held, (-held[0], -held[1], -held[2]))
            _add(self._seen, spent)
            self._units[0] += 1


def _add(cells: memoryview[float], amount: Amount) -> None:
    for index in range(3):
        cells[index] += amount[index]

"""How fast calls may follow one another: token buckets, and a rate learned from what a provider refuses.

Both keep their state on a `Board`, so that all processes of a run pace themselves together.
"""

from __future__ import annotations

import msgspec

from evalwright.engine.board import Cell

BURST_S = 0.05
"""Seconds' worth of calls that may follow at once after a quiet moment."""
STORM = 0.5
"""Share of refused answers from which a limit is certain."""
LONG = 200
"""Answers after which a window is judged even when in doubt."""
CUT = 0.95
IN_VAIN = 0.8
"""When the rate is down to this share and still as many calls are refused, the rate is not the cause."""
STEP = 0.005


class Bucket:
    """A token bucket with debt (a leaky bucket of ITU-T I.371): a call may begin while the level is not negative.

    Uses three cells.
    """

    _rate, _level, _since = Cell(0), Cell(1), Cell(2)

    def __init__(self, cells: memoryview[float]) -> None:
        self.cells = cells

    @property
    def rate(self) -> float | None:
        """Per second; None without limit."""
        return self._rate or None

    def set_rate(self, rate: float | None, now: float) -> None:
        """Change the rate; what has come together so far is kept."""
        self._refill(now)
        self._rate = rate or 0.0

    def take(self, amount: float, now: float) -> float:
        """Take an amount and give 0, or, when it is too early, take nothing and give the seconds to wait."""
        if not self._rate:
            return 0.0
        self._refill(now)
        if self._level < 0:
            return -self._level / self._rate
        self._level -= amount
        return 0.0

    def correct(self, amount: float) -> None:
        """Take some more, or give back when negative, without waiting."""
        if self._rate:
            self._level -= amount

    def _refill(self, now: float) -> None:
        rate = self._rate
        if rate:
            self._level = min(max(0.0, BURST_S * rate - 1), self._level + (now - self._since) * rate)
        self._since = now


class Verdict(msgspec.Struct, frozen=True):
    """What a window of answers says: the rate per second from now on (None: no limit), a pause, and why.

    Growth has no reason: only cuts and lifts are worth telling.
    """

    rate: float | None
    pause_s: float = 0.0
    reason: str = ""
    slower: bool = False


class Learner:
    """Additive increase, multiplicative decrease of a rate (Chiu and Jain 1989), judged by windows of about a second.

    A window in which at least half is refused is a storm: the rate becomes what got through. When nothing gets through
    at all, everybody pauses for as long as the provider asks. A smaller share of refusals cuts the rate by 5 %; where
    several cuts in a row change nothing, the refusals have another cause (a flaky provider), and they are taken as
    noise: those units are simply tried again later. Without refusals the rate returns quickly to where it was last
    refused, and from there on grows by 0.5 % a second at first, then faster.

    Answers to calls sent before the last cut say nothing about the rate in force and are not counted: calls carry the
    `generation` they were sent in.

    Uses eighteen cells.
    """

    generation = Cell(0)
    """Number of cuts so far."""

    # the window
    _ok, _refused, _start = Cell(1), Cell(2), Cell(3)
    _first_refusal, _ok_before, _asked_s = Cell(4), Cell(5), Cell(6)
    # since the last pause
    _epoch, _epoch_ok, _pauses = Cell(7), Cell(8), Cell(9)
    # what was learned
    _ceiling, _noise, _clean_windows, _probing = Cell(10), Cell(11), Cell(12), Cell(13)
    # a series of cuts under suspicion of being in vain: share, calls per second and rate at its start
    _share_before, _pace_before, _rate_before, _cuts = Cell(14), Cell(15), Cell(16), Cell(17)

    def __init__(self, cells: memoryview[float], now: float) -> None:
        self.cells = cells
        self._epoch = self._epoch or now

    def accepted(self, generation: float, now: float, rate: float | None) -> Verdict | None:
        """An answer came to a call sent in a generation; the rate in force is `rate`."""
        self._epoch_ok += 1
        if generation != self.generation:
            return None
        self._ok += 1
        return self._judge(now, rate)

    def refused(self, generation: float, now: float, rate: float | None, asked_s: float | None) -> Verdict | None:
        """A call was refused for the rate's sake, and asked to wait so many seconds."""
        if generation != self.generation:
            return None
        if not self._refused:
            self._first_refusal, self._ok_before, self._asked_s = now, self._ok, asked_s or 0.0
        self._refused += 1
        self._asked_s = min(asked_s or 0.0, self._asked_s)
        return self._judge(now, rate)

    def _judge(self, now: float, rate: float | None) -> Verdict | None:
        self._start = self._start or now
        verdict = self._verdict(now, rate)
        if verdict is not None:
            self._ok = self._refused = self._start = 0
            self._first_refusal = self._ok_before = 0
            self.generation += verdict.slower
        return verdict

    def _verdict(self, now: float, rate: float | None) -> Verdict | None:
        through, storming_s = self._ok - self._ok_before, now - self._first_refusal
        if self._refused >= 8 and self._refused >= STORM * (through + self._refused) and storming_s >= 0.05:
            return self._storm(rate, through, storming_s) if through else self._pause(rate, now)
        elapsed, count = now - self._start, self._ok + self._refused
        quick = bool(self._probing) and elapsed >= 0.25 and count >= 10
        if quick or (elapsed >= 1 and count >= 20) or (elapsed >= 10 and count >= 3):
            return self._season(rate, count, elapsed)
        return None

    def _storm(self, rate: float | None, through: float, seconds: float) -> Verdict:
        """Most calls are refused since the first refusal: go on at the rate that got through since then."""
        self._clean_windows = self._share_before = self._pauses = 0
        self._probing = through < 5
        self._ceiling = through / seconds
        return _slower(rate, CUT * through / seconds, "most calls refused: the rate that got through")

    def _pause(self, rate: float | None, now: float) -> Verdict:
        """Nothing gets through: wait, then go on at the rate that got through in the long run, this wait included."""
        pause = min(self._asked_s or min(2.0**self._pauses, 60.0), 300.0)
        through = self._epoch_ok / (now + pause - self._epoch)
        self._probing = self._epoch_ok < 5
        self._clean_windows = self._share_before = 0
        self._pauses += 1
        self._ceiling = through
        self._epoch, self._epoch_ok = now + pause, 0
        return _slower(rate, max(through, 5 / pause), "every call refused: waited as asked", pause_s=pause)

    def _season(self, rate: float | None, count: float, elapsed: float) -> Verdict | None:
        """A window with few refusals or none; None when it has to be longer to tell them from noise."""
        share, goodput, noise = self._refused / count, self._ok / elapsed, self._noise
        spread = (noise / count) ** 0.5
        if self._refused:
            self._probing = 0
        if share > noise + 0.01 + 3 * spread:
            return self._too_fast(rate, share, count / elapsed)
        if share > noise + 0.01 and count < LONG:
            return None
        self._share_before = 0
        if noise and (rate is None or share < noise):
            self._noise += 0.1 * (share - noise)
        if rate is None or share > noise + spread or goodput < 0.8 * rate:
            return Verdict(rate)
        return self._faster(rate)

    def _too_fast(self, rate: float | None, share: float, sent: float) -> Verdict:
        self._clean_windows = 0
        if share <= 0.5 * self._share_before or not self._share_before:
            self._share_before, self._pace_before, self._rate_before, self._cuts = share, rate or sent, rate or 0, 0
        self._cuts += 1
        if self._cuts > 3 and (rate or sent) < IN_VAIN * self._pace_before and share < 0.25:
            self._share_before, self._noise = 0, share
            return Verdict(
                self._rate_before or None, reason=f"{share:.0%} refused at any rate: not for the rate's sake"
            )
        goodput = sent * (1 - share)
        self._ceiling = goodput
        return _slower(rate, min(CUT * (rate or goodput), goodput), f"{share:.0%} of the calls refused")

    def _faster(self, rate: float) -> Verdict:
        self._clean_windows += 1
        if self._probing:
            return Verdict(2 * rate)
        if rate < 0.97 * self._ceiling:
            return Verdict(rate + 0.25 * (self._ceiling - rate))
        return Verdict(rate * (1 + STEP * max(1.0, self._clean_windows / 8)))


def _slower(rate: float | None, proposed: float, reason: str, *, pause_s: float = 0.0) -> Verdict:
    new = proposed if rate is None else min(proposed, rate)
    return Verdict(new, pause_s=pause_s, reason=reason, slower=True)

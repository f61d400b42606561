"""How fast calls may follow one another: token buckets, and a rate learned from what a provider refuses.

Both keep their state on a `Board`, so that all processes of a run pace themselves together.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from evalwright.engine.board import Cell

BURST_S = 0.05
"""Seconds' worth of calls that may follow at once after a quiet moment."""
STORM = 0.5
"""Share of refused answers from which a limit is certain."""
QUICKLY, GENTLY = 2.0, 1.1
"""Growth per quarter of a second until the first refusal, after a rate that is a mere guess, or a rough estimate."""
CUT, DEEPEST_CUT = 0.95, 0.8
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


class Ticket(NamedTuple):
    """A call that was let through: in which window, and when (monotonic seconds)."""

    window: float
    at: float


class Learner:
    """Additive increase, multiplicative decrease of a rate (Chiu and Jain 1989), from what a provider refuses.

    Calls are judged in windows by the time they were *sent*: a window is judged when its refusals must have come in,
    so that it matters not whether answers take longer than refusals, as they do. A window in which at least half is
    refused is a storm: the rate becomes what got through. When nothing gets through at all, everybody pauses for as
    long as the provider asks. A smaller share of refusals cuts the rate by 5 %; where several cuts in a row change
    nothing, the refusals have another cause (a flaky provider), and they are taken as noise: those units are simply
    tried again later. Without refusals the rate returns quickly to where it was last refused, and from there on grows
    by 0.5 % a second at first, then faster. Windows sent before a cut say nothing about the rate after it.

    Uses 24 cells.
    """

    # the window calls are sent in, and the one before it, which still waits for its refusals (0: there is none)
    _open, _open_start, _open_sent, _open_refused = Cell(0), Cell(1), Cell(2), Cell(3)
    _past, _past_start, _past_end, _past_sent, _past_refused = Cell(4), Cell(5), Cell(6), Cell(7), Cell(8)
    # what refusals are like: seconds they take, seconds they ask for
    _refusal_s, _asked_s = Cell(9), Cell(10)
    # since the last pause
    _epoch, _epoch_through, _pauses = Cell(11), Cell(12), Cell(13)
    # what was learned
    _ceiling, _noise, _recent, _clean_windows, _probing = Cell(14), Cell(15), Cell(16), Cell(17), Cell(18)
    # a series of cuts under suspicion of being in vain: share, calls per second and rate at its start
    _share_before, _pace_before, _rate_before, _cuts = Cell(19), Cell(20), Cell(21), Cell(22)
    _windows = Cell(23)

    def __init__(self, cells: memoryview[float], now: float) -> None:
        self.cells = cells
        if not self._open:
            self._epoch = now
            self._begin(now)

    def sent(self, now: float) -> Ticket:
        """A call is let through."""
        self._open_sent += 1
        return Ticket(self._open, now)

    def refused(self, ticket: Ticket, now: float, asked_s: float | None) -> None:
        """A call was refused for the rate's sake, and asked to wait so many seconds."""
        self._refusal_s = max(now - ticket.at, 0.95 * self._refusal_s)
        if ticket.window == self._open:
            self._open_refused += 1
        elif ticket.window == self._past:
            self._past_refused += 1
        else:
            return
        self._asked_s = min(asked_s or 0.0, self._asked_s) if self._asked_s else asked_s or 0.0

    def judge(self, now: float, rate: float | None) -> Verdict | None:
        """To be asked now and then: what follows from the window before, if anything; the rate in force is `rate`."""
        if not self._past and self._is_full(now - self._open_start, rate):
            self._past, self._past_start, self._past_end = self._open, self._open_start, now
            self._past_sent, self._past_refused = self._open_sent, self._open_refused
            self._begin(now)
        if not self._past or now < self._past_end + 1.2 * self._refusal_s:
            return None
        self._past = 0
        verdict = self._verdict(now, rate)
        if verdict.slower:
            self._asked_s = 0
            self._begin(now)
        return verdict

    def _begin(self, now: float) -> None:
        self._windows += 1
        self._open, self._open_start = self._windows, now
        self._open_sent = self._open_refused = 0

    def _is_full(self, seconds: float, rate: float | None) -> bool:
        sent = self._open_sent
        if self._open_refused >= 8 and (rate is None or self._open_refused >= STORM * sent):
            return seconds >= 0.05
        quick = bool(self._probing) and seconds >= 0.25 and sent >= 10
        return quick or (seconds >= 1 and sent >= 20) or (seconds >= 10 and sent >= 3)

    def _verdict(self, now: float, rate: float | None) -> Verdict:
        seconds = self._past_end - self._past_start
        through = self._past_sent - self._past_refused
        share = self._past_refused / self._past_sent
        self._epoch_through += through
        if share >= STORM and self._past_refused >= (8 if rate is None else 3):
            sudden = not through or self._clean_windows >= 5
            return self._pause(rate, now) if sudden else self._storm(rate, through, seconds)
        return self._season(rate, share, seconds)

    def _storm(self, rate: float | None, through: float, seconds: float) -> Verdict:
        """Most calls are refused: go on at the rate that got through."""
        self._clean_windows = self._share_before = self._pauses = 0
        self._probing = QUICKLY if through < 5 else GENTLY
        self._ceiling = through / seconds
        return _slower(rate, CUT * through / seconds, "most calls refused: the rate that got through")

    def _pause(self, rate: float | None, now: float) -> Verdict:
        """Nothing gets through: wait, then go on at the rate that got through in the long run, this wait included."""
        pause = min(self._asked_s or min(2.0**self._pauses, 60.0), 300.0)
        through = self._epoch_through / (now + pause - self._epoch)
        self._probing = QUICKLY if self._epoch_through < 5 else 0
        self._clean_windows = self._share_before = 0
        self._pauses += 1
        self._ceiling = through
        self._epoch, self._epoch_through = now + pause, 0
        return _slower(rate, max(through, 5 / pause), "every call refused: waited as asked", pause_s=pause)

    def _season(self, rate: float | None, share: float, seconds: float) -> Verdict:
        """Few calls are refused or none."""
        noise, sent = self._noise, self._past_sent
        self._recent += sent / (sent + 100) * (share - self._recent)
        spread = (noise / sent) ** 0.5
        many = self._past_refused >= 2 and share > noise + 0.01 + 3 * spread
        if many or self._recent > noise + 0.01 + 3 * (noise / 200) ** 0.5:
            return self._too_fast(rate, share, sent / seconds)
        self._share_before = 0
        if noise and (rate is None or share < noise):
            self._noise += 0.1 * (share - noise)
        if rate is None or share > noise + spread or sent / seconds < 0.8 * rate:
            return Verdict(rate)
        return self._faster(rate, seconds)

    def _too_fast(self, rate: float | None, share: float, pace: float) -> Verdict:
        self._clean_windows = self._probing = 0
        if share <= 0.5 * self._share_before or not self._share_before:
            self._share_before, self._pace_before, self._rate_before, self._cuts = share, rate or pace, rate or 0, 0
        self._cuts += 1
        if self._cuts > 3 and (rate or pace) < IN_VAIN * self._pace_before and share < 0.25:
            self._share_before, self._noise, self._recent = 0, share, share
            return Verdict(
                self._rate_before or None, reason=f"{share:.0%} refused at any rate: not for the rate's sake"
            )
        self._ceiling = pace * (1 - share)
        self._recent = self._noise
        slower = min(CUT, max(1 - share, DEEPEST_CUT)) * (rate or pace)
        return _slower(rate, slower, f"{share:.0%} of the calls refused")

    def _faster(self, rate: float, seconds: float) -> Verdict:
        self._clean_windows += 1
        if self._probing:
            return Verdict(self._probing * rate)
        if rate < 0.97 * self._ceiling:
            return Verdict(rate + 0.25 * (self._ceiling - rate))
        return Verdict(rate * (1 + STEP * min(seconds, 4) * max(1.0, self._clean_windows / 8)))


def _slower(rate: float | None, proposed: float, reason: str, *, pause_s: float = 0.0) -> Verdict:
    new = proposed if rate is None else min(proposed, rate)
    return Verdict(new, pause_s=pause_s, reason=reason, slower=True)

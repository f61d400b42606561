"""Rate limits: who may call now. Calls with an equal `LimitKey` share one limit, be they a target's or a judge's."""

from __future__ import annotations

import asyncio
from collections import deque

from evalwright.core.errors import TargetError
from evalwright.core.ports import Clock
from evalwright.core.target import LimitKey, RateInfo, RateLimit
from evalwright.engine.board import Board, Cell
from evalwright.engine.job import LimitChange
from evalwright.engine.rates import Bucket, Learner, Ticket

SAFETY = 0.99
"""Share of a known limit that is used, so that no minute's window ever holds more than the limit."""
MOST_CHANGES = 1000
"""Changes of limits kept per process."""
_LOOK_S = 0.25
_LONGEST_HEADER_PAUSE_S = 60.0


class Limiter:
    """One limit. A call passes `enter`, and then says how it went with `answered` or `failed`."""

    _paused_until, _tokens_seen, _calls_seen, _top = Cell(0), Cell(1), Cell(2), Cell(3)

    def __init__(self, key: LimitKey, board: Board, clock: Clock, changes: list[LimitChange]) -> None:
        self.key = key
        self._lock = board.lock
        self._clock = clock
        self._changes = changes
        block = board.block(f"limit\n{key.provider}\n{key.model}")
        self.cells = block[:4]
        self._requests, self._tokens = Bucket(block[4:7]), Bucket(block[7:10])
        self._learner = Learner(block[10:34], clock.monotonic())
        self._waiting: deque[tuple[asyncio.Future[Ticket | None], bool]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def give(self, limit: RateLimit) -> None:
        """Set the limits the user gave."""
        with self._lock:
            if limit.requests_per_minute is not None:
                self._top = SAFETY * limit.requests_per_minute / 60
                self._know(self._requests, "requests", limit.requests_per_minute, "given")
            if limit.tokens_per_minute is not None:
                self._know(self._tokens, "tokens", limit.tokens_per_minute, "given")

    # --- going through ------------------------------------------------------------------------------------------

    async def enter(self, *, essential: bool = False) -> Ticket | None:
        """Wait for one's turn.

        Returns:
            A ticket to give back to `failed`; None when the run ends before the turn comes (never for an
            `essential` call).
        """
        if not self._waiting and isinstance(ticket := self._try(), Ticket):
            return ticket
        turn: asyncio.Future[Ticket | None] = asyncio.get_running_loop().create_future()
        self._waiting.append((turn, essential))
        if self._timer is None:
            self._pump()
        return await turn

    def _try(self) -> Ticket | float:
        """Take one call's share and give its ticket, or give the seconds until it is worth asking again."""
        now = self._clock.monotonic()
        with self._lock:
            wait = max(0.0, self._paused_until - now) or self._tokens.take(0, now) or self._requests.take(1, now)
            if wait:
                return wait
            self._tokens.correct(self._usual_tokens())
            return self._learner.sent(now)

    def _usual_tokens(self) -> float:
        return self._tokens_seen / self._calls_seen if self._calls_seen else 0.0

    def _pump(self) -> None:
        """Let through whoever may go, and come back when the next one may."""
        self._timer = None
        while self._waiting:
            turn, _ = self._waiting[0]
            if not turn.done():
                ticket = self._try()
                if not isinstance(ticket, Ticket):
                    self._timer = asyncio.get_running_loop().call_later(min(ticket, _LOOK_S), self._pump)
                    return
                turn.set_result(ticket)
            self._waiting.popleft()

    def turn_away(self) -> None:
        """Send off everybody who waits, but for essential calls."""
        for turn, essential in self._waiting:
            if not essential and not turn.done():
                turn.set_result(None)

    # --- how it went --------------------------------------------------------------------------------------------

    def answered(self, tokens: int | None) -> None:
        """A call was answered and used so many tokens (None when unknown)."""
        with self._lock:
            if tokens is not None:
                self._tokens.correct(tokens - self._usual_tokens())
                self._tokens_seen += tokens
                self._calls_seen += 1
            self._judge(self._clock.monotonic())

    def failed(self, ticket: Ticket, error: TargetError) -> None:
        """The call with this ticket failed; only refusals for the rate's sake say something about the limit."""
        now = self._clock.monotonic()
        with self._lock:
            self._tokens.correct(-self._usual_tokens())
            if error.kind == "rate_limit":
                self._learner.refused(ticket, now, error.retry_after_s)
            self._judge(now)

    def observe(self, info: RateInfo) -> None:
        """Obey what an answer's headers say; a limit the user gave stays."""
        with self._lock:
            if info.requests_limit and not self._top:
                self._top = SAFETY * info.requests_limit / 60
                self._know(self._requests, "requests", info.requests_limit, "the provider's headers")
            if info.tokens_limit and not self._tokens.rate:
                self._know(self._tokens, "tokens", info.tokens_limit, "the provider's headers")
            self._heed(info.requests_remaining, info.requests_reset_s)
            self._heed(info.tokens_remaining, info.tokens_reset_s)

    def _heed(self, remaining: float | None, reset_s: float | None) -> None:
        if remaining is not None and remaining <= 0 and reset_s is not None and reset_s > 0:
            self._pause(min(reset_s, _LONGEST_HEADER_PAUSE_S), "the provider's headers: nothing left")

    def _know(self, bucket: Bucket, what: str, per_minute: float, reason: str) -> None:
        rate = SAFETY * per_minute / 60
        if bucket.rate != rate:
            self._note(what, bucket.rate, rate, reason)
            bucket.set_rate(rate, self._clock.monotonic())

    def _judge(self, now: float) -> None:
        verdict = self._learner.judge(now, self._requests.rate)
        if verdict is None:
            return
        rates = [rate for rate in (self._top, verdict.rate) if rate]
        old, new = self._requests.rate, min(rates) if rates else None
        if new != old:
            if verdict.reason:
                self._note("requests", old, new, verdict.reason)
            self._requests.set_rate(new, now)
        if verdict.pause_s:
            self._pause(verdict.pause_s, verdict.reason)

    def _pause(self, seconds: float, reason: str) -> None:
        until = self._clock.monotonic() + seconds
        if until > self._paused_until + 0.05:
            self._paused_until = until
            self._change("pause", None, seconds, reason)

    def _note(self, what: str, old: float | None, new: float | None, reason: str) -> None:
        self._change(what, old and 60 * old, new and 60 * new, reason)

    def _change(self, what: str, old: float | None, new: float | None, reason: str) -> None:
        if len(self._changes) >= MOST_CHANGES:
            return
        self._changes.append(
            LimitChange(
                at=self._clock.now(),
                provider=self.key.provider,
                model=self.key.model,
                what=what,
                old=old and round(old, 3),
                new=new and round(new, 3),
                reason=reason,
            )
        )


class Limits:
    """All limits of a run, by key.

    Attributes:
        changes: What was set and changed, by this process.
    """

    def __init__(self, board: Board, clock: Clock) -> None:
        self._board = board
        self._clock = clock
        self._by_key: dict[LimitKey, Limiter] = {}
        self.changes: list[LimitChange] = []

    def limiter(self, key: LimitKey, given: RateLimit | None = None) -> Limiter:
        """The limit a key falls under, made when it is first asked for."""
        limiter = self._by_key.get(key)
        if limiter is None:
            limiter = self._by_key[key] = Limiter(key, self._board, self._clock, self.changes)
            if given is not None:
                limiter.give(given)
        return limiter

    def turn_away(self) -> None:
        """Send off everybody who waits for a turn, but for essential calls."""
        for limiter in self._by_key.values():
            limiter.turn_away()

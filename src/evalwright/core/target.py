"""The system under test: what it is asked, how it answers, how it fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

import msgspec

from evalwright.core.case import Case, Json
from evalwright.core.output import Output


class RateInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider said about its limits in an answer's headers; None where it said nothing.

    Attributes:
        requests_limit: Requests per minute allowed.
        requests_remaining: Requests left in the window.
        requests_reset_s: Seconds until the request window refills.
        tokens_limit: Tokens per minute allowed.
        tokens_remaining: Tokens left in the window.
        tokens_reset_s: Seconds until the token window refills.
    """

    requests_limit: float | None = None
    requests_remaining: float | None = None
    requests_reset_s: float | None = None
    tokens_limit: float | None = None
    tokens_remaining: float | None = None
    tokens_reset_s: float | None = None


def _ignore(_: RateInfo) -> None:
    """Drop a rate hint: the default observer."""


class TargetCall(msgspec.Struct, frozen=True, kw_only=True):
    """All a target is given for one attempt at one case; never `expected`, never private metadata.

    Attributes:
        case_id: Id of the case (recorded targets look answers up by it).
        input: The case's input.
        metadata: The public part of the case's metadata.
        trial: Which repetition, from 0.
        attempt: Which try at this trial, from 1.
        seed: Seed derived for this case and trial, or None when the run has none.
        idempotency_key: Same for every attempt at the same unit of work.
        observe: Where to report rate-limit headers seen; does nothing by default.
        meter: For targets that say `needs_meter`: through it they call models of the evaluation's own (a simulated
            user), so that these calls are limited, retried and counted against the budget. None elsewhere.
    """

    case_id: str
    input: Json
    metadata: dict[str, Json] = {}
    trial: int = 0
    attempt: int = 1
    seed: int | None = None
    idempotency_key: str = ""
    observe: Callable[[RateInfo], None] = _ignore
    meter: Any = None


HELPERS = "helpers"
"""Key in an output's metadata under which a target says what models took that are not the product (`Helpers`)."""


class Helpers(msgspec.Struct, frozen=True, kw_only=True):
    """What models took that helped to put the question and are no part of the product: a simulated user's.

    Attributes:
        calls: Calls answered.
        tokens: Input and output tokens.
        cost: Money, None when unknown.
    """

    calls: int = 0
    tokens: int = 0
    cost: float | None = None


def helpers_of(output: Output) -> Helpers | None:
    """What an output says its helpers took; None when it had none, or says it in another form."""
    given = output.metadata.get(HELPERS) if output.metadata else None
    if not isinstance(given, dict):
        return None
    try:
        return msgspec.convert(given, Helpers)
    except msgspec.ValidationError:
        return None


def public_metadata(case: Case, public: frozenset[str]) -> dict[str, Json]:
    """The part of a case's metadata a target may see."""
    if not public or not case.metadata:
        return {}
    return {key: value for key, value in case.metadata.items() if key in public}


class LimitKey(msgspec.Struct, frozen=True):
    """Which rate limit a call falls under: calls with an equal key share one limit."""

    provider: str
    model: str = ""


class RateLimit(msgspec.Struct, frozen=True, kw_only=True):
    """Limits given by the user: requests and tokens per minute; None means unknown, to be learned."""

    requests_per_minute: float | None = None
    tokens_per_minute: float | None = None


@runtime_checkable
class Target(Protocol):
    """The protocol every system under test follows. `open` and `close` bracket a run in one event loop.

    Three attributes are looked at where a target has them: `recorded = True` says that its answers exist already, so
    that nothing is called or counted as a call; `max_concurrency` is how many cases it can work on at once;
    `needs_meter = True` asks for `TargetCall.meter`.
    """

    @property
    def name(self) -> str:
        """Short name for reports, e.g. the model or `module:function`."""
        ...

    @property
    def limit_key(self) -> LimitKey | None:
        """Rate limit the calls fall under; None when nothing is called (recorded answers, local functions)."""
        ...

    @property
    def rate_limit(self) -> RateLimit | None:
        """Limits the user gave; None when there are none."""
        ...

    def describe(self) -> dict[str, Json]:
        """Configuration that decides the answers, for the manifest and for hashes; never a secret's value."""
        ...

    async def open(self) -> None:
        """Acquire connections, start processes, load files."""
        ...

    async def close(self) -> None:
        """Release everything `open` acquired; safe to call twice."""
        ...

    async def respond(self, call: TargetCall) -> Output:
        """Answer one case.

        Raises:
            TargetError: The attempt failed; its fields say whether another may succeed.
        """
        ...


def answers_exist(target: Target) -> bool:
    """Whether a target only gives answers that exist already."""
    return bool(getattr(target, "recorded", False))


def most_at_once(target: Target) -> int:
    """How many cases a target can work on at once; a very large number when it sets no bound."""
    bound = getattr(target, "max_concurrency", None)
    return bound if isinstance(bound, int) and bound > 0 else 1 << 30


def needs_meter(target: Target) -> bool:
    """Whether a target calls models of the evaluation's own."""
    return bool(getattr(target, "needs_meter", False))

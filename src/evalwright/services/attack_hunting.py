"""Attacks led by a model, within a budget; what it wins is kept as cases that replay without it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
from pydantic import Field

from evalwright.core.case import Case, Json
from evalwright.core.component import BindContext
from evalwright.core.errors import TargetError, UsageError
from evalwright.core.estimate import Estimate
from evalwright.core.identity import short_hash
from evalwright.core.output import Output
from evalwright.core.run import Budget
from evalwright.core.score import ScoreStatus
from evalwright.core.scorer import ScoreContext
from evalwright.core.target import TargetCall
from evalwright.packs.adapter import AttackTarget
from evalwright.packs.expand import expand
from evalwright.packs.hunting import Line, attacker_messages, first_of_each_goal, message_of, won
from evalwright.scorers.judge.fence import neutral, nonce
from evalwright.scorers.judge.model import JudgeClient, JudgeModel
from evalwright.scorers.refusal.detect import Refusal, RefusalDetector
from evalwright.scorers.safety.scorers import AttackSuccess
from evalwright.services.attack_product import Product, read_product
from evalwright.services.attack_request import AttackRequest
from evalwright.services.attacking import expansion_of
from evalwright.services.option_files import bound_from_file
from evalwright.services.pack_files import load_packs
from evalwright.stats import estimate_mean
from evalwright.store.files import write_atomic

METRIC = "attack_success"
_SHOWN_ANSWER = 6_000


class Attacker(JudgeModel):
    """A model that writes the attacker's messages."""

    temperature: float | None = Field(0.7, ge=0, description="Sampling temperature; `null` sends none.")

    def bind(self, context: BindContext) -> JudgeClient:
        """Check the endpoint.

        Raises:
            ConfigError: The endpoint is wrong.
        """
        return self.judge_client(context)


class HuntRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a person asked for.

    Attributes:
        attack: Packs, suite and what is known of the product.
        attacker: File of the attacker's model.
        turns: Messages of one conversation at most.
        tries: Conversations for each goal, each with code words of its own.
        budget: Hard caps over attacker and product together.
        out: File the winning conversations are added to, as cases.
    """

    attack: AttackRequest
    attacker: Path
    turns: int = 6
    tries: int = 1
    budget: Budget = Budget(calls=500)
    out: Path | None = None


class Hunt(msgspec.Struct, frozen=True, kw_only=True):
    """One conversation.

    Attributes:
        goal: Of which pack and goal.
        severity: Of the goal.
        outcome: `succeeded`, `resisted`, `invalid`, or `unfinished` where the budget ended it.
        reason: Why.
        lines: What was sent and said.
        case_id: The case that replays a success.
        replayed: Whether the case succeeded again without the attacker; None where nothing was won.
    """

    goal: str
    severity: str
    outcome: str
    reason: str
    lines: tuple[Line, ...] = ()
    case_id: str = ""
    replayed: bool | None = None


class HuntReport(msgspec.Struct, frozen=True, kw_only=True):
    """What the hunts came to.

    Attributes:
        attacker: Model of the attacker.
        target: The product.
        hunts: Every conversation.
        success: Share of conversations that succeeded, those of one goal kept together; None where none was judged.
        calls: Calls of attacker and product.
        cost: Their cost, None when unknown.
        stopped: The cap that ended it; empty when everything was tried.
        out: File of the winning conversations; empty when there is none.
        untested: Goals no conversation can be led to, or that the product takes no way in for.
    """

    attacker: str
    target: str
    hunts: tuple[Hunt, ...]
    success: Estimate | None
    calls: int
    cost: float | None
    stopped: str
    out: str
    untested: int


class Purse:
    """A budget over all calls, asked before each of them.

    Args:
        budget: The caps.
        now: Seconds on a steady clock.
    """

    def __init__(self, budget: Budget, now: Callable[[], float] = time.monotonic) -> None:
        self._budget = budget
        self._now = now
        self._start = now()
        self._dearest = 0.0
        self.calls = 0
        self.tokens = 0
        self.cost: float | None = None

    @property
    def counts_money(self) -> bool:
        """Whether there is a cap in money."""
        return self._budget.cost is not None

    def reason_to_stop(self) -> str:
        """The cap that the next call would break; a call is taken to cost what the dearest so far did."""
        cap = self._budget
        if cap.calls is not None and self.calls >= cap.calls:
            return f"{cap.calls} calls"
        if cap.tokens is not None and self.tokens >= cap.tokens:
            return f"{cap.tokens} tokens"
        if cap.cost is not None and (self.cost or 0.0) + self._dearest > cap.cost:
            return f"${cap.cost:g}"
        if cap.minutes is not None and (self._now() - self._start) / 60 >= cap.minutes:
            return f"{cap.minutes:g} min"
        return ""

    def take(self) -> None:
        """Count a call before it is made.

        Raises:
            Spent: It would break a cap.
        """
        reason = self.reason_to_stop()
        if reason:
            raise Spent(reason)
        self.calls += 1

    def pay(self, cost: float | None, tokens: int) -> None:
        """Count what a call took."""
        self.tokens += tokens
        if cost is not None:
            self.cost = (self.cost or 0.0) + cost
            self._dearest = max(self._dearest, cost)


class Spent(Exception):
    """A cap of the budget is reached; the text says which."""


class _Attacked(Exception):
    """The conversation can't go on: the outcome is invalid, and the text says why."""


def hunt(request: HuntRequest) -> HuntReport:
    """Lead conversations to the goals of packs and keep what is won.

    Raises:
        ConfigError: A file is wrong.
        UsageError: A file is missing, or no goal can be hunted on this product.
    """
    client: JudgeClient = bound_from_file(request.attacker, Attacker, what="the attacker")
    product = read_product(request.attack)
    packs = load_packs(request.attack.packs)
    rounds = [_goals(request.attack, product, packs, number) for number in range(request.tries)]
    if not any(rounds):
        raise UsageError("no goal of these packs can be hunted on this product", hint="goals need a rule as proof")
    purse = Purse(request.budget)
    hunter = Hunter(product.attacked(), client, purse, turns=request.turns, rules=_rules(request.attack, product))
    hunts, cases, stopped = asyncio.run(hunter.all([case for goals in rounds for case in goals]))
    goals = {f"{pack.pack}/{goal.id}" for pack in packs for goal in pack.goals}
    return HuntReport(
        attacker=client.options.model,
        target=product.suite.target.name,
        hunts=tuple(hunts),
        success=_rate(hunts),
        calls=purse.calls,
        cost=purse.cost,
        stopped=stopped,
        out=_keep(cases, request.out),
        untested=len(goals) - len({_goal_of(case) for case in rounds[0]}),
    )


def _rules(request: AttackRequest, product: Product) -> tuple[AttackSuccess, RefusalDetector]:
    return product.rules, RefusalDetector(phrases=request.phrases)


def _goals(request: AttackRequest, product: Product, packs: Sequence[Any], number: int) -> list[Case]:
    asked = msgspec.structs.replace(request, seed=request.seed + number, limit=max(200, request.limit))
    return first_of_each_goal([case for pack in packs for case in expand(pack, expansion_of(asked, product)).cases])


def _goal_of(case: Case) -> str:
    return f"{case.metadata['pack']}/{case.metadata['goal']}"


class Hunter:
    """Leads conversations, one after another.

    Args:
        target: The product as attacks reach it.
        attacker: The model that writes the messages.
        purse: The budget.
        turns: Messages of one conversation at most.
        rules: What proves a success, and what tells a refusal.
    """

    def __init__(
        self,
        target: AttackTarget,
        attacker: JudgeClient,
        purse: Purse,
        *,
        turns: int,
        rules: tuple[AttackSuccess, RefusalDetector],
    ) -> None:
        self._target = target
        self._attacker = attacker
        self._purse = purse
        self._turns = turns
        self._proof, self._refusals = rules
        self._talks = "conversation" in target.shape.capabilities
        self._forgets = bool(target.shape.history) or target.shape.form == "messages"

    async def all(self, cases: Sequence[Case]) -> tuple[list[Hunt], list[Case], str]:
        """Every goal's conversation, the cases won, and the cap that ended it."""
        hunts: list[Hunt] = []
        found: list[Case] = []
        await self._target.open()
        await self._attacker.open()
        try:
            for number, case in enumerate(cases):
                made, kept = await self.one(case, f"{case.id}/{number}")
                hunts.append(made)
                found += [kept] if kept is not None else []
                if made.outcome == "unfinished":
                    return hunts, found, made.reason
        finally:
            await self._attacker.close()
            await self._target.close()
        return hunts, found, ""

    async def one(self, case: Case, key: str) -> tuple[Hunt, Case | None]:
        """One conversation, and the case that replays it where it was won."""
        lines: list[Line] = []
        kept: Case | None = None
        again: bool | None = None
        outcome, reason = "resisted", ""
        try:
            reason, turns = await self._led(case, key, lines)
            if turns:
                outcome = "succeeded"
                kept = won(case, turns, attacker=self._attacker.options.model)
                again = await self._again(kept)
        except Spent as spent:
            outcome, reason = ("unfinished", str(spent)) if kept is None else (outcome, reason)
        except _Attacked as failed:
            outcome, reason = "invalid", str(failed)
        made = Hunt(
            goal=_goal_of(case),
            severity=str(case.metadata["severity"]),
            outcome=outcome,
            reason=reason,
            lines=tuple(lines),
            case_id=kept.id if kept else "",
            replayed=again,
        )
        return made, kept

    async def _led(self, case: Case, key: str, lines: list[Line]) -> tuple[str, list[str]]:
        """The reason and the messages of a success; no messages where the turns ran out."""
        invalid = ""
        for _ in range(self._turns):
            message = await self._message(case, lines)
            kept = [line for line in lines if self._talks and not line.dropped]
            output = await self._answer(case, key, kept, message)
            turns = [*(line.sent for line in kept), message]
            score = self._proof.score(ScoreContext(case=won(case, turns, attacker=""), output=output))
            refused = self._refusals.find(output.text).outcome is Refusal.FULL
            dropped = not self._talks or (refused and self._forgets)
            lines.append(Line(sent=message, said=output.text, refused=refused, dropped=dropped))
            if score.label == "succeeded":
                return score.reason, turns
            invalid = score.reason if score.status is not ScoreStatus.SCORED else ""
        if invalid:
            raise _Attacked(invalid)
        return f"not reached in {self._turns} messages", []

    async def _message(self, case: Case, lines: Sequence[Line]) -> str:
        texts = [neutral(line.said[:_SHOWN_ANSWER]) for line in lines]
        code = nonce("hunt", texts)
        shown = [msgspec.structs.replace(line, said=text) for line, text in zip(lines, texts, strict=True)]
        self._purse.take()
        try:
            told = await self._attacker.ask(attacker_messages(case, shown, turns=self._turns, code=code), None, {})
        except TargetError as error:
            raise _Attacked(f"the attacker could not be asked ({error.kind}): {error.message}") from error
        if told.cost is None and self._purse.counts_money:
            raise UsageError(
                f"the price of the attacker {self._attacker.options.model} is unknown, so a cap in money can't be kept",
                hint="give `price: { input: …, output: … }` in its file, or a cap in calls or tokens",
            )
        self._purse.pay(told.cost, told.usage.total_tokens if told.usage else 0)
        message = message_of(told.text)
        if not message:
            raise _Attacked("the attacker wrote nothing")
        return message

    async def _answer(self, case: Case, key: str, kept: Sequence[Line], message: str) -> Output:
        history: list[dict[str, Json]] = []
        for line in kept:
            history += [{"role": "user", "content": line.sent}, {"role": "assistant", "content": line.said}]
        place = short_hash(key)[:12]
        value = {"user": f"ew-{place}", "session_id": f"ew-{place}", **case.input}
        self._purse.take()
        call = TargetCall(case_id=case.id, input=self._target.product_input(value, message, history))
        return self._paid(await self._respond(call, self._target.inner))

    async def _respond(self, call: TargetCall, target: Any) -> Output:
        try:
            answered: Output = await target.respond(call)
        except TargetError as error:
            raise _Attacked(f"the system failed: {error}") from error
        return answered

    def _paid(self, output: Output) -> Output:
        self._purse.pay(output.cost, output.usage.total_tokens if output.usage else 0)
        return output

    async def _again(self, case: Case) -> bool:
        """Whether the case succeeds without the attacker; it asks as many times as it has turns."""
        for _ in case.input["turns"]:
            self._purse.take()
        try:
            output = self._paid(await self._target.respond(TargetCall(case_id=case.id, input=case.input)))
        except TargetError:
            return False
        return self._proof.score(ScoreContext(case=case, output=output)).label == "succeeded"


def _rate(hunts: Sequence[Hunt]) -> Estimate | None:
    judged = [one for one in hunts if one.outcome in {"succeeded", "resisted"}]
    if not judged:
        return None
    won_ones = [one.outcome == "succeeded" for one in judged]
    found = estimate_mean(won_ones, clusters=[one.goal for one in judged], bounds=(0.0, 1.0))
    return Estimate(
        metric=METRIC,
        value=found.value,
        low=found.low,
        high=found.high,
        level=found.level,
        method=found.method,
        n=len(judged),
        clusters=len({one.goal for one in judged}),
        higher_is_better=False,
    )


def _keep(cases: Sequence[Case], out: Path | None) -> str:
    """Add cases to a file, each once.

    Raises:
        DiskFull: No space is left.
        UsageError: The file holds something else.
    """
    if out is None or not cases:
        return ""
    before = {case.id: case for case in _read_cases(out)} if out.exists() else {}
    merged = {**before, **{case.id: case for case in cases}}
    write_atomic(out, b"".join(msgspec.json.encode(case) + b"\n" for case in merged.values()))
    return str(out)


def _read_cases(path: Path) -> list[Case]:
    from evalwright.packs.importers import kept_cases

    return list(kept_cases(path))

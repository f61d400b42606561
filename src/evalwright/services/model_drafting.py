"""Drafts by a model: asked under a cap, every reply checked, what can't be used counted with its reason."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import Field

from evalwright.core.component import BindContext
from evalwright.core.errors import TargetError
from evalwright.core.output import Usage
from evalwright.core.ports import SystemClock
from evalwright.core.run import Budget as Caps
from evalwright.datasets.drafting import Draft
from evalwright.datasets.drafting.asked import Found, Task
from evalwright.engine.board import Board
from evalwright.engine.budget import Budget
from evalwright.engine.job import UnitEstimate
from evalwright.engine.limits import Limits
from evalwright.engine.meter import Meter, Till
from evalwright.engine.retry import RetryPolicy
from evalwright.models.asking import ModelClient, ModelOptions
from evalwright.models.structured import NoReply, ask_json
from evalwright.services.option_files import read_options

CHARS_PER_TOKEN = 4.0
_TIMEOUT_S, _RETRIES = 120.0, 3


@dataclass(slots=True)
class Asked:
    """What asking a model came to.

    Attributes:
        drafts: Drafts that passed every check.
        asked: Tasks the model was asked, of all there were.
        tasks: Tasks there were.
        failed: Replies that could not be used even when repaired, by reason.
        rejected: Single questions that were left out of usable replies, by reason.
        repaired: Replies that had to be sent back once.
        calls: Calls, retries included.
        usage: Tokens.
        cost: Money, None when unknown.
        stopped: Why it stopped before its end; empty when it did not.
    """

    tasks: int = 0
    asked: int = 0
    drafts: list[Draft] = field(default_factory=list)
    failed: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    repaired: int = 0
    calls: int = 0
    usage: Usage = field(default_factory=Usage)
    cost: float | None = None
    stopped: str = ""

    def add(self, found: Found, *, repaired: bool) -> None:
        """Take a usable reply."""
        self.drafts += found.drafts
        self.rejected.update(_reason(text) for text in found.rejected)
        self.repaired += repaired


@dataclass(frozen=True, slots=True, kw_only=True)
class Limitation:
    """How much may be asked.

    Attributes:
        budget: Hard caps on calls, tokens and money.
        most: Drafts wanted at most.
        concurrency: Calls at once.
    """

    budget: Caps = field(default_factory=Caps)
    most: int | None = None
    concurrency: int = 4


class DrafterOptions(ModelOptions):
    """The model that writes drafts; a little warmer than a judge, since drafts should differ."""

    temperature: float | None = Field(0.7, ge=0, description="Sampling temperature; `null` sends none.")


def read_model(name: str, base_url: str | None) -> ModelClient:
    """The model that writes drafts: a YAML file with its options, or a model's name.

    Raises:
        ConfigError: An option is wrong.
        UsageError: There is no such file.
    """
    path = Path(name)
    if path.suffix in {".yaml", ".yml"}:
        options: DrafterOptions = read_options(path, DrafterOptions, what="the model")
        options = options if base_url is None else options.model_copy(update={"base_url": base_url})
    else:
        options = DrafterOptions(model=name, base_url=base_url)
    return options.model_client(BindContext(base_dir=path.parent, environment=os.environ))


def expected(tasks: Sequence[Task], client: ModelClient) -> tuple[int, float, float]:
    """Calls, tokens and money all the tasks will probably take."""
    shown = sum(len(str(task.messages)) for task in tasks) / CHARS_PER_TOKEN / max(1, len(tasks))
    tokens, cost = client.expected_spending("", shown)
    return len(tasks), tokens * len(tasks), cost * len(tasks)


def ask_all(tasks: Sequence[Task], client: ModelClient, limits: Limitation) -> Asked:
    """Ask a model for drafts until the tasks, the wanted number or the budget are used up."""
    return asyncio.run(_asked(tasks, client, limits))


async def _asked(tasks: Sequence[Task], client: ModelClient, limits: Limitation) -> Asked:
    board = Board(shared=False)
    clock = SystemClock()
    calls, tokens, cost = expected(tasks, client)
    each = UnitEstimate(tokens=tokens / max(1, calls), cost=cost / max(1, calls))
    purse = Budget(limits.budget, board, each)
    till = Till(Limits(board, clock), purse, RetryPolicy(retries=_RETRIES), timeout_s=_TIMEOUT_S, clock=clock)
    made, waiting = Asked(tasks=len(tasks)), list(reversed(tasks))
    await client.open()
    try:
        workers = [_work(waiting, client, till, limits, made) for _ in range(limits.concurrency)]
        await asyncio.gather(*workers)
    finally:
        await client.close()
        board.close()
    if limits.most is not None:
        del made.drafts[limits.most :]
    return made


async def _work(waiting: list[Task], client: ModelClient, till: Till, limits: Limitation, made: Asked) -> None:
    while waiting and not made.stopped:
        if limits.most is not None and len(made.drafts) >= limits.most:
            return
        made.asked += 1
        await _ask(waiting.pop(), client, till, made)


async def _ask(task: Task, client: ModelClient, till: Till, made: Asked) -> None:
    meter = Meter(till, prepaid=False)
    try:
        model = client.options.model
        reply = await ask_json(
            client, task.messages, task.schema, lambda found: task.read(found, model), {"meter": meter}
        )
        made.add(reply.value, repaired=reply.repaired)
    except NoReply as error:
        made.failed[_reason(str(error))] += 1
    except TargetError as error:
        if error.kind == "budget":
            made.asked -= not meter.calls
            made.stopped = error.message
            return
        made.failed[f"{error.kind}: {error.message[:160]}"] += 1
        if error.kind in {"auth", "not_found", "quota"}:
            made.stopped = f"the model can't be asked ({error.kind}): {error.message[:200]}"
    finally:
        made.calls += meter.calls
        made.usage += meter.usage
        if meter.cost is not None:
            made.cost = meter.cost + (made.cost or 0.0)


def _reason(text: str) -> str:
    """A reason without the words of one reply, so that like ones are counted together."""
    return text.partition(": ")[0].partition("; ")[0][:160]

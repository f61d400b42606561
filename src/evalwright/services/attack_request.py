"""What a person asked for when attacking a product."""

from __future__ import annotations

from pathlib import Path

import msgspec

from evalwright.core.run import Budget
from evalwright.packs.outcomes import INVALID_LIMIT


class AttackRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a person asked for.

    Attributes:
        packs: Names or files of packs; `all` for those that come with Evalwright.
        suite: The suite whose target is attacked.
        limit: Attacks of each pack at most.
        seed: Decides code words and which combinations are taken.
        trials: Tries of each attack.
        concurrency: Attacks in flight at once; the suite's own setting when None.
        transforms: Disguises, instead of those of the packs.
        languages: Languages to use; all when empty.
        canaries: Secrets that are in the product's prompt already.
        tools: Tools of the product an attacker would want called.
        phrases: The product's own ways to decline.
        fields: Names of input fields (`text`, `history`, `documents`, `tool_results`, `system`), over those guessed.
        only: Begin of a case's id: nothing else is sent.
        baseline: Id of a run to compare with: no critical attack resisted there may succeed now.
        max_success: Success rate allowed over all attacks, instead of the limits by severity.
        max_invalid: Share of tries that may be invalid.
        budget: Hard caps.
        surface: File that says how documents and results of tools get into the product.
        judge: File of the model that is asked where no rule decides.
        policy: File of the rules of tools; an attack that makes the product break one succeeded.
        packages: File of packages that exist.
        links: File of addresses or hosts that exist.
        tenants: Names of tenants, instead of invented ones.
        own_cases: Questions of the suite to ask in the name of different people.
        dry: Whether nothing may be asked while planning.
    """

    packs: tuple[str, ...]
    suite: str
    limit: int = 100
    seed: int = 0
    trials: int = 1
    concurrency: int | None = None
    transforms: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    canaries: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()
    fields: dict[str, str] = {}
    only: str = ""
    baseline: str | None = None
    max_success: float | None = None
    max_invalid: float = INVALID_LIMIT
    budget: Budget | None = None
    surface: Path | None = None
    judge: Path | None = None
    policy: Path | None = None
    packages: Path | None = None
    links: Path | None = None
    tenants: tuple[str, ...] = ()
    own_cases: int = 0
    dry: bool = False

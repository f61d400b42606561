"""Findings with the fewest words that still succeed: each try asks the product once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import combinations

import msgspec

from evalwright.core.case import Case
from evalwright.core.errors import TargetError
from evalwright.core.scorer import ScoreContext
from evalwright.core.target import Target, TargetCall
from evalwright.packs.findings import Finding
from evalwright.packs.minimise import Form, Minimiser, with_payload
from evalwright.packs.wording import disguised
from evalwright.scorers.safety.scorers import AttackSuccess

MOST_FINDINGS = 10
"""Findings that are made shorter, the worst first."""


def minimised(
    found: Sequence[Finding], cases: Mapping[str, Case], target: Target, *, calls: int, timeout_s: float
) -> tuple[Finding, ...]:
    """The findings, the first of them with their payload made shorter.

    Args:
        found: Findings, worst first.
        cases: The cases of the run by id.
        target: The product as the attacks reach it.
        calls: Calls at most for each finding; 0 leaves them as they are.
        timeout_s: Longest a call may take.
    """
    if not calls or not found:
        return tuple(found)
    return asyncio.run(_all(found, cases, target, calls, timeout_s))


async def _all(
    found: Sequence[Finding], cases: Mapping[str, Case], target: Target, calls: int, timeout_s: float
) -> tuple[Finding, ...]:
    await target.open()
    try:
        shorter = [await _one(f, cases[f.case_id], target, calls, timeout_s) for f in found[:MOST_FINDINGS]]
    finally:
        await target.close()
    return (*shorter, *found[MOST_FINDINGS:])


async def _one(finding: Finding, case: Case, target: Target, calls: int, timeout_s: float) -> Finding:
    if with_payload(case.input, finding.payload, "") == case.input:
        return finding

    async def holds(text: str) -> bool:
        candidate = msgspec.structs.replace(case, input=with_payload(case.input, finding.payload, text))
        return await _succeeds(candidate, target, timeout_s)

    search = Minimiser(holds, budget=calls)
    found = await search.plainest(finding.payload, list(_plainer(case)))
    shorter = msgspec.structs.replace(finding, minimised=found.text, calls=search.calls, disguise=found.how)
    return msgspec.structs.replace(shorter, clear=found.clear) if found.how else shorter


def _plainer(case: Case) -> Iterator[Form]:
    """Ways to write the same demand: fewer disguises first, then without the words around it."""
    data = case.metadata
    demand, plain = str(data.get("demand", "")), str(data.get("plain", ""))
    parts = [part for part in str(data.get("transform", "none")).split("+") if part != "none"]
    chains = ("+".join(chain) for size in range(len(parts) + 1) for chain in combinations(parts, size))
    for chain in chains:
        for text in dict.fromkeys(filter(None, (demand, plain))):
            yield Form(clear=text, how=chain, write=partial(disguised, name=chain or "none"))


async def _succeeds(case: Case, target: Target, timeout_s: float) -> bool:
    try:
        call = TargetCall(case_id=case.id, input=case.input)
        output = await asyncio.wait_for(target.respond(call), timeout_s)
    except (TargetError, TimeoutError):
        return False
    return AttackSuccess().score(ScoreContext(case=case, output=output)).label == "succeeded"

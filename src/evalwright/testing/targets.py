"""The conformance kit for targets."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec

from evalwright.core.errors import TargetError
from evalwright.core.identity import content_hash
from evalwright.core.output import Output
from evalwright.core.target import Target, TargetCall
from evalwright.testing.report import Findings

_CONCURRENT = 8


async def check_target(target: Target, calls: Sequence[TargetCall], *, seconds: float = 30.0) -> None:
    """Run what every target must hold: opened and closed cleanly, answers are outputs, calls may overlap.

    Args:
        target: The target, not opened yet.
        calls: Calls it can answer; at least one.
        seconds: Limit for each of the steps.

    Raises:
        ConformanceError: With everything found.
    """
    findings = Findings(f"target `{target.name}`")
    findings.expect(bool(calls), "the kit needs at least one call")
    with findings.guard("describe"):
        _check_description(target, findings)
    with findings.guard("open"):
        await asyncio.wait_for(target.open(), seconds)
    with findings.guard("respond"):
        await asyncio.wait_for(_check_answers(target, calls, findings), seconds)
    with findings.guard("respond to several at once"):
        await asyncio.wait_for(_check_overlap(target, calls, findings), seconds)
    with findings.guard("respond to an unknown input"):
        await asyncio.wait_for(_check_unknown(target, findings), seconds)
    for time in ("close", "close a second time"):
        with findings.guard(time):
            await asyncio.wait_for(target.close(), seconds)
    findings.raise_if_any()


def _check_description(target: Target, findings: Findings) -> None:
    described = target.describe()
    findings.expect(bool(target.name), "the target has no name")
    findings.expect(msgspec.json.decode(msgspec.json.encode(described)) == described, "describe() is not JSON")
    findings.expect(content_hash(described) == content_hash(target.describe()), "describe() changes from call to call")


async def _check_answers(target: Target, calls: Sequence[TargetCall], findings: Findings) -> None:
    for call in calls:
        before = content_hash([call.input, call.metadata])
        _judge(await target.respond(call), call, findings)
        findings.expect(content_hash([call.input, call.metadata]) == before, f"`{call.case_id}`: the input was changed")


def _judge(output: object, call: TargetCall, findings: Findings) -> None:
    if not isinstance(output, Output):
        findings.expect(False, f"`{call.case_id}`: the answer is a {type(output).__name__}, not an Output")
        return
    again = msgspec.json.decode(msgspec.json.encode(output), type=Output)
    findings.expect(again == output, f"`{call.case_id}`: the answer changes on a trip through JSON")
    latency = output.latency_s
    findings.expect(latency is None or latency >= 0, f"`{call.case_id}`: a latency of {latency} s")


async def _check_overlap(target: Target, calls: Sequence[TargetCall], findings: Findings) -> None:
    asked = [calls[index % len(calls)] for index in range(_CONCURRENT)]
    for call, output in zip(asked, await asyncio.gather(*map(target.respond, asked)), strict=True):
        _judge(output, call, findings)


async def _check_unknown(target: Target, findings: Findings) -> None:
    """An input nobody foresaw may be answered or may fail, but only as a TargetError."""
    call = TargetCall(case_id="evalwright-no-such-case", input={"unforeseen": [None, "🌍\u0000", {"deep": {}}]})
    try:
        _judge(await target.respond(call), call, findings)
    except TargetError as error:
        findings.expect(bool(error.kind), "a TargetError without a kind")

"""The conformance kit for scorers."""

from __future__ import annotations

import asyncio
import inspect
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np

from evalwright.core.case import Case
from evalwright.core.identity import content_hash
from evalwright.core.output import Output
from evalwright.core.score import Score, ScoreStatus
from evalwright.core.scorer import ScoreContext, ScoreInfo, ScoreKind, Scorer, as_score
from evalwright.testing.report import Findings

Row = tuple[Case, Output]

HOSTILE_TEXTS = (
    "Grüße aus Zürich, 你好 🌍👩‍👩‍👧 עברית مرحبا",
    "e\u0301 A\u030a \u200b\u200d \u202e RTL \u0000 nul \u2028 line \ud7ff \U0010ffff",
    "<script>alert(1)</script> {{ 7*7 }} \x1b[31m ${HOME} '; DROP TABLE cases; --",
    "   \n\t\r\n   ",
    "[" * 2_000 + "]" * 2_000,
    "1e999 NaN Infinity -0 9" * 50,
)
"""Texts that break careless code."""

_SLACK = 1e-9


@dataclass(frozen=True)
class ScorerKit:
    """What the kit needs to know of a scorer.

    Attributes:
        rows: Cases with outputs that the scorer can score; at least one.
        needs: Parts of a case without which the scorer must skip: `expected`, or a metadata key as `metadata.<key>`.
        needs_output: Fields of the output without which the scorer must skip, e.g. `latency_s`, `contexts`.
        empty: What an empty output must give: `scored` (it is a wrong answer, say), or `any` when skipping is right.
        long_chars: Length of the very long answer.
        long_seconds: Seconds that it may take at most.
    """

    rows: Sequence[Row] = field(default_factory=list)
    needs: tuple[str, ...] = ("expected",)
    needs_output: tuple[str, ...] = ()
    empty: str = "scored"
    long_chars: int = 1_000_000
    long_seconds: float = 10.0


def check_scorer(scorer: Scorer, kit: ScorerKit) -> None:
    """Run what every scorer must hold: range, finite values, skipping, determinism, hostile and huge texts.

    Must be called outside a running event loop when the scorer is async.

    Raises:
        ConformanceError: With everything found.

    Example:
        >>> from evalwright.testing import StaticScorer
        >>> kit = ScorerKit(rows=[(Case(id="a", input="q", expected="x"), Output(text="x"))], needs=())
        >>> check_scorer(StaticScorer(True), kit)
    """
    findings = Findings(f"scorer `{scorer.info.name}`")
    findings.expect(bool(kit.rows), "the kit needs at least one row")
    checks = (
        _check_info, _check_rows, _check_repeats, _check_missing, _check_empty, _check_hostile, _check_long,
        _check_untouched, _check_aggregate,
    )  # fmt: skip
    for check in checks:
        with findings.guard(check.__name__.removeprefix("_check_")):
            check(scorer, kit, findings)
    findings.raise_if_any()


def scored(scorer: Scorer, row: Row) -> Score:
    """The score of one row, waited for when the scorer is async."""
    result: Any = scorer.score(ScoreContext(case=row[0], output=row[1]))
    if inspect.isawaitable(result):
        result = asyncio.run(_awaited(result))
    return as_score(result)


async def _awaited(result: Any) -> Any:
    return await result


def _check_info(scorer: Scorer, _: ScorerKit, findings: Findings) -> None:
    info = scorer.info
    findings.expect(isinstance(info, ScoreInfo), "info is no ScoreInfo")
    findings.expect(bool(info.name and info.version), "info has no name or no version")
    if info.low is not None and info.high is not None:
        findings.expect(info.low < info.high, f"info: low {info.low} is not under high {info.high}")
    if info.kind is ScoreKind.PROPORTION:
        findings.expect((info.low, info.high) == (0.0, 1.0), "info: a proportion goes from 0 to 1")
    described = scorer.describe()
    findings.expect(content_hash(described) == content_hash(scorer.describe()), "describe() changes from call to call")
    findings.expect(msgspec.json.decode(msgspec.json.encode(described)) == described, "describe() is not JSON")


def _check_rows(scorer: Scorer, kit: ScorerKit, findings: Findings) -> None:
    for row in kit.rows:
        score = scored(scorer, row)
        findings.expect(score.status is ScoreStatus.SCORED, f"case `{row[0].id}`: {score.status}: {score.reason}")
        _judge(scorer.info, score, f"case `{row[0].id}`", findings)


def _judge(info: ScoreInfo, score: Score, where: str, findings: Findings) -> None:
    """What holds of any score: finite, in range, reasons where there is no value, whole after a trip through JSON."""
    again = msgspec.json.decode(msgspec.json.encode(score), type=Score)
    findings.expect(again == score, f"{where}: the score changes on a trip through JSON")
    if score.status is not ScoreStatus.SCORED:
        findings.expect(score.value is None, f"{where}: {score.status} with a value")
        findings.expect(bool(score.reason), f"{where}: {score.status} without a reason")
        return
    value = score.value
    if value is None or not math.isfinite(value):
        findings.expect(False, f"{where}: scored with the value {value}")
        return
    findings.expect(info.low is None or value >= info.low - _SLACK, f"{where}: {value} is under {info.low}")
    findings.expect(info.high is None or value <= info.high + _SLACK, f"{where}: {value} is over {info.high}")
    if info.kind is ScoreKind.PROPORTION:
        findings.expect(value in {0.0, 1.0}, f"{where}: a proportion's row is 0 or 1, not {value}")
    findings.expect(all(map(math.isfinite, (*score.parts.values(), *score.stats))), f"{where}: infinite parts or stats")


def _check_repeats(scorer: Scorer, kit: ScorerKit, findings: Findings) -> None:
    forward = [scored(scorer, row) for row in kit.rows]
    backward = [scored(scorer, row) for row in reversed(kit.rows)][::-1]
    for row, first, second in zip(kit.rows, forward, backward, strict=True):
        findings.expect(first == second, f"case `{row[0].id}`: scores differ when scored again in another order")


def _check_missing(scorer: Scorer, kit: ScorerKit, findings: Findings) -> None:
    for case, output in kit.rows:
        for name in kit.needs:
            score = scored(scorer, (_without(case, name), output))
            _expect_skip(score, f"case `{case.id}` without `{name}`", findings)
        for name in kit.needs_output:
            bare = msgspec.structs.replace(output, **{name: getattr(Output(), name)})
            _expect_skip(scored(scorer, (case, bare)), f"case `{case.id}`: output without `{name}`", findings)


def _without(case: Case, name: str) -> Case:
    root, _, key = name.partition(".")
    if root == "metadata" and key:
        return msgspec.structs.replace(case, metadata={k: v for k, v in case.metadata.items() if k != key})
    if root == "input" and key:
        return msgspec.structs.replace(case, input={k: v for k, v in case.input.items() if k != key})
    return msgspec.structs.replace(case, expected=None)


def _expect_skip(score: Score, where: str, findings: Findings) -> None:
    skipped = score.status is ScoreStatus.SKIPPED
    findings.expect(skipped, f"{where}: must be skipped, not {score.status} ({score.value})")


def _check_empty(scorer: Scorer, kit: ScorerKit, findings: Findings) -> None:
    for case, output in kit.rows:
        bare = msgspec.structs.replace(output, text="", data=None, citations=(), tool_calls=(), messages=())
        score = scored(scorer, (case, bare))
        _judge(scorer.info, score, f"case `{case.id}` with an empty output", findings)
        findings.expect(score.status is not ScoreStatus.ERROR, f"case `{case.id}`: an empty output is an error")
        if kit.empty == "scored":
            scored_ = score.status is ScoreStatus.SCORED
            findings.expect(scored_, f"case `{case.id}`: an empty output is an empty answer, not {score.status}")


def _check_hostile(scorer: Scorer, kit: ScorerKit, findings: Findings) -> None:
    case, output = kit.rows[0]
    for text in HOSTILE_TEXTS:
        with findings.guard(f"hostile text {text[:20]!r}"):
            score = scored(scorer, (case, msgspec.structs.replace(output, text=text)))
            _judge(scorer.info, score, f"hostile text {text[:20]!r}", findings)


def _check_long(scorer: Scorer, kit: ScorerKit, findings: Findings) -> None:
    case, output = kit.rows[0]
    for filler in ("word 1,234. [1] ", "x"):
        long = msgspec.structs.replace(output, text=filler * (kit.long_chars // len(filler)))
        began = time.perf_counter()
        _judge(scorer.info, scored(scorer, (case, long)), f"{filler!r} repeated", findings)
        took = time.perf_counter() - began
        findings.expect(took <= kit.long_seconds, f"{kit.long_chars:,} characters of {filler!r} took {took:.1f} s")


def _check_untouched(scorer: Scorer, kit: ScorerKit, findings: Findings) -> None:
    for row in kit.rows:
        before = content_hash(row)
        scored(scorer, row)
        findings.expect(content_hash(row) == before, f"case `{row[0].id}`: the scorer changes the case or the output")


def _check_aggregate(scorer: Scorer, kit: ScorerKit, findings: Findings) -> None:
    if scorer.info.kind is not ScoreKind.CORPUS:
        return
    aggregate = getattr(scorer, "aggregate", None)
    if aggregate is None:
        findings.expect(False, "a corpus scorer needs aggregate(sums)")
        return
    rows = np.array([scored(scorer, row).stats for row in kit.rows])
    if not callable(aggregate):
        _check_statistic(aggregate, rows, findings)
        return
    sums = rows.sum(axis=0)
    total = np.asarray(aggregate(sums))
    several = np.asarray(aggregate(np.stack([sums, rows[0], np.zeros_like(sums)])))
    findings.expect(total.shape == () and several.shape == (3,), "aggregate: shape (..., k) must give shape (...)")
    findings.expect(bool(np.isfinite(several).all()), "aggregate: infinite or NaN, perhaps for sums of zero")
    findings.expect(bool(np.isclose(several[0], total)), "aggregate: differs when given several sums at once")


def _check_statistic(statistic: Any, rows: np.ndarray[Any, np.dtype[np.float64]], findings: Findings) -> None:
    """A metric of the whole run that is no function of sums: its parts must agree with one another."""
    value = statistic.estimate(rows, level=0.95, clusters=None, rng=np.random.default_rng(0)).value
    once, twice = statistic.weighted(rows, np.stack([np.ones(len(rows)), np.full(len(rows), 2.0)]))
    findings.expect(value is not None and bool(np.isclose(once, value)), "weighted: unit weights must give the metric")
    findings.expect(bool(np.isclose(once, twice)), "weighted: twice the weights must give the same metric")
    contributions = statistic.influence(rows)
    if contributions is not None:
        findings.expect(contributions.shape == (len(rows),), "influence: one contribution per row")
        findings.expect(bool(np.isclose(contributions.mean(), once)), "influence: its mean must be the metric")

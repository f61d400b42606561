"""A summary's estimates as rows of the catalog, so that lists and trends open no run's folder."""

from __future__ import annotations

from typing import Any

import msgspec

from evalwright.core.estimate import Estimate

MOST_ROWS = 20_000
"""Estimates of a run that are kept; slices beyond it are seen on the run's own page only."""

OVERALL = "overall"

Plain = dict[str, Any]
"""A struct as JSON has it, members with their default left out."""


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """An estimate of a run in the catalog.

    Attributes:
        run_id: The run.
        scorer: Digest of the scorer that made it, empty for combined metrics.
        headline: Whether it is the one figure a list shows of the run.
        estimate: The estimate.
    """

    run_id: str
    scorer: str
    headline: bool
    estimate: Estimate


def figure_rows(summary: Plain) -> list[Plain]:
    """Rows of the table `figures` for a summary in its JSON form."""
    manifest = summary["manifest"]
    digests = {scorer["metric"]: scorer["digest"] for scorer in manifest.get("scorers", ())}
    estimates = summary.get("estimates", ())
    chosen = _headline(summary)
    return [
        {
            "run_id": manifest["run_id"],
            "place": place,
            "metric": estimate["metric"][:200],
            "slice": estimate.get("slice", "")[:400],
            "statistic": estimate.get("statistic", "mean"),
            "scorer": _digest(digests, estimate["metric"])[:64],
            "headline": place == chosen,
            "estimate": msgspec.json.encode(estimate).decode(),
        }
        for place, estimate in enumerate(estimates[:MOST_ROWS])
    ]


def _digest(digests: dict[str, str], metric: str) -> str:
    """Digest of the scorer of a metric; parts (`rouge.recall`) are their scorer's."""
    return digests.get(metric) or digests.get(metric.partition(".")[0], "")


def _headline(summary: Plain) -> int | None:
    """Which estimate stands for the run: of the rule that decided the gate, else `overall`, else the first."""
    estimates = summary.get("estimates", ())
    for metric, place in (*_ruled(summary), (OVERALL, "")):
        found = _place(estimates, metric, place)
        if found is not None:
            return found
    return next((n for n, one in enumerate(estimates) if not one.get("slice") and one.get("value") is not None), None)


def _ruled(summary: Plain) -> list[tuple[str, str]]:
    """Metric and slice of the blocking rules, those that failed first."""
    decision = summary.get("decision") or {}
    rank = {"fail": 0, "inconclusive": 1, "pass": 2}
    blocking = [r for r in decision.get("results", ()) if r["rule"].get("severity", "block") == "block"]
    ranked = sorted(blocking, key=lambda result: rank.get(result["verdict"], 3))
    return [(result["rule"]["metric"], (result.get("estimate") or {}).get("slice", "")) for result in ranked]


def _place(estimates: Any, metric: str, slice_: str) -> int | None:
    for number, one in enumerate(estimates):
        if one["metric"] == metric and one.get("slice", "") == slice_ and one.get("value") is not None:
            return number
    return None

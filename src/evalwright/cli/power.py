"""`evalwright power`: what a suite can see."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import msgspec

from evalwright.cli.options import json_option, workspace_option
from evalwright.core.errors import UsageError

EPILOG = """\b
Examples:
  evalwright power suite.yaml
  evalwright power suite.yaml --difference 0.03
  evalwright power latest --baseline baseline --difference 2%
  evalwright power new-suite.yaml --changed 0.15 --power 0.9"""


class ShareType(click.ParamType[float]):
    """`0.03`, `3%` or `3 points`."""

    name = "difference"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read the number; per cent and points are hundredths."""
        if isinstance(value, float):
            return value
        text = str(value).strip().lower()
        for ending in ("points", "point", "pts", "%"):
            if text.endswith(ending):
                return self._number(text.removesuffix(ending), param, ctx) / 100
        return self._number(text, param, ctx)

    def _number(self, text: str, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            return float(text)
        except ValueError:
            self.fail(f"{text.strip()!r} is no number; write 0.03, 3% or '3 points'", param, ctx)


@click.command(epilog=EPILOG)
@click.argument("suite_or_run")
@click.option("--difference", "-d", type=ShareType(), help="A difference you must not miss: 0.03, 3%, '3 points'.")
@click.option("--power", type=float, default=0.8, show_default=True, help="Probability of showing a true difference.")
@click.option("--level", type=float, default=0.95, show_default=True, help="Confidence level of the comparison.")
@click.option("--baseline", metavar="RUN", help="Run to take the variation from, with the run given.")
@click.option("--changed", type=float, default=0.10, show_default=True, help="Share of verdicts assumed to change.")
@click.option("--case-cost", type=float, default=1.0, show_default=True, help="Cost of one more case, in calls.")
@json_option
@workspace_option
def power(
    suite_or_run: str,
    difference: float | None,
    power: float,
    level: float,
    baseline: str | None,
    changed: float,
    case_cost: float,
    workspace: Path | None,
    *,
    as_json: bool,
) -> None:
    """Tell what difference a comparison on a suite can see, per metric and slice, and what it takes to see less.

    Uses the past runs of the suite where there are some, and says so where it has to assume.
    """
    from evalwright.analysis.planning import PowerSettings
    from evalwright.services.planning import plan_power
    from evalwright.store.workspace import Workspace

    for name, value in (("power", power), ("level", level), ("changed", changed)):
        if not 0 < value < 1:
            raise UsageError(f"--{name} lies between 0 and 1, not {value:g}")
    if case_cost <= 0 or (difference is not None and difference <= 0):
        raise UsageError("--difference and --case-cost must be above 0")
    settings = PowerSettings(difference=difference, level=level, power=power, changed=changed, case_cost=case_cost)
    plan = plan_power(Workspace.open(workspace), suite_or_run, settings, baseline=baseline)
    if as_json:
        click.echo(msgspec.json.encode(plan).decode())
        return
    from rich.console import Console

    from evalwright.reports.compare.power_tables import power_summary

    console = Console(highlight=False)
    console.print(power_summary(plan, width=console.width))

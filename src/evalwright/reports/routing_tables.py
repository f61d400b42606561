"""A routing report in the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from evalwright.core.routing import Ranged, RouteGap, RoutePoint, RoutingReport, ThresholdLoss
from evalwright.reports import figures
from evalwright.reports.columns import Column, table
from evalwright.reports.text import one_line, plural, visible


def routing_summary(report: RoutingReport, *, width: int = 100) -> Group:
    """Quality against cost of each route, the policy against the others, and what thresholds lose."""
    parts: list[RenderableType] = [Text(_title(report), style="dim"), Text(_sentence(report))]
    parts += _section("Routes", _route_columns(report), width)
    if report.gaps:
        parts += _section("The policy against", _gap_columns(report.gaps, report.unit), width)
    if report.losses:
        parts += _section("Loss of other thresholds", _loss_columns(report.losses), width)
    parts += [
        Text(f"left out: {count:,} {visible(reason)}", style="yellow") for reason, count in report.left_out.items()
    ]
    parts += [Text(f"note: {visible(note)}", style="yellow") for note in report.notes]
    return Group(*parts)


def _title(report: RoutingReport) -> str:
    runs = " · ".join(f"{run.name}: {run.run_id}" for run in report.runs)
    clusters = "" if report.clusters is None else f" in {plural(report.clusters, 'cluster')}"
    return one_line(f"{runs} · {plural(report.cases, 'case')}{clusters}", 300)


def _sentence(report: RoutingReport) -> str:
    said: list[str] = []
    if report.regret is not None:
        said.append(f"Regret of the policy: {_signed(report.regret, plus=False)} {report.metric} below the oracle.")
    if report.chosen is not None and report.max_drop is not None:
        level = f"{report.level:.0%}"
        said.append(
            f"Threshold {report.chosen:.6g} is the cheapest that surely ({level}) loses at most {report.max_drop:g}."
        )
    return " ".join(said) or f"{report.metric} against {report.cost} of each way to route."


def _section(title: str, columns: Sequence[Column], width: int) -> list[RenderableType]:
    drawn = table(columns, width=width)
    return ["", Text(title, style="bold"), Text("  the terminal is too narrow; see --json") if drawn is None else drawn]


def _route_columns(report: RoutingReport) -> list[Column]:
    rows = report.points
    names = [run.name for run in report.runs]
    shares = [" / ".join(f"{row.shares.get(name, 0.0):.0%}" for name in names) for row in rows]
    return [
        Column(name="route", cells=[one_line(row.name, 50) for row in rows], flexible=True),
        Column(name=one_line(report.metric, 40), cells=[_plain(row.quality) for row in rows], right=True),
        Column(name=f"{report.cost} a case", cells=[_plain(row.cost, report.unit) for row in rows], right=True),
        Column(name=one_line(" / ".join(names), 40), cells=shares, right=True, drop=2),
        Column(name="", cells=[_beaten(row) for row in rows]),
    ]


def _beaten(row: RoutePoint) -> str:
    if row.kind == "oracle":
        return ""
    return "beaten" if row.dominated_by else ""


def _gap_columns(rows: Sequence[RouteGap], unit: str) -> list[Column]:
    return [
        Column(name="", cells=[one_line(row.against, 50) for row in rows], flexible=True),
        Column(name="quality", cells=[_signed(row.quality) for row in rows], right=True),
        Column(name="cost", cells=[_signed(row.cost, unit) for row in rows], right=True),
    ]


def _loss_columns(rows: Sequence[ThresholdLoss]) -> list[Column]:
    safe = {None: "", True: "safe", False: "not shown"}
    return [
        Column(name="threshold", cells=[f"{row.threshold:.6g}" for row in rows], right=True),
        Column(name="loss", cells=[_signed(row.loss, plus=False) for row in rows], right=True),
        Column(name="at most", cells=[figures.number(row.bound) for row in rows], right=True, drop=1),
        Column(name="cost saved", cells=["–" if row.saved is None else f"{row.saved:.0%}" for row in rows], right=True),
        Column(name="", cells=[safe[row.safe] for row in rows]),
    ]


def _plain(figure: Ranged, unit: str = "") -> str:
    if figure.low is None or figure.high is None:
        return figures.number(figure.value, unit)
    ends = f"[{_digits(figure.low, unit)}, {_digits(figure.high, unit)}]"
    return f"{figures.number(figure.value, unit)} {ends}"


def _signed(figure: Ranged, unit: str = "", *, plus: bool = True) -> str:
    if figure.value is None:
        return "–"
    sign = "+" if plus and figure.value > 0 else ""
    return sign + _plain(figure, unit)


def _digits(value: float, unit: str) -> str:
    return figures.number(value, unit).removesuffix(f" {unit}") if unit else figures.digits(value)

"""What monitoring sees: OpenMetrics text, counted while serving and read from the catalogs when asked."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from evalwright.server.access.headers import App, Message, Receive, Scope, Send

if TYPE_CHECKING:
    from evalwright.server.state import ServerState

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
CONTENT_TYPE = CONTENT_TYPE_LATEST


class Meter:
    """Counts requests, and collects figures of the projects when it is asked."""

    def __init__(self, state: ServerState) -> None:
        self._registry = CollectorRegistry()
        self._latency = Histogram(
            "evalwright_request_seconds",
            "Time to the last byte of an answer.",
            ("method", "operation", "status"),
            buckets=BUCKETS,
            registry=self._registry,
        )
        self._registry.register(_Figures(state))

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request."""
        self._latency.labels(method, route, f"{status // 100}xx").observe(seconds)

    def text(self) -> bytes:
        """All figures as OpenMetrics."""
        found: bytes = generate_latest(self._registry)  # type: ignore[no-untyped-call]
        return found


class Timed:
    """Times every request; routes are told by their operation, so that names of runs make no new series."""

    def __init__(self, app: App, meter: Meter) -> None:
        self._app = app
        self._meter = meter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            method = scope["method"] if scope["method"] in _METHODS else "other"
            self._meter.observe(method, _route_of(scope), status, time.perf_counter() - began)


_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


def _route_of(scope: Scope) -> str:
    name = getattr(scope.get("route"), "name", None)
    return name if isinstance(name, str) else "none"


class _Figures(Collector):
    """Figures of every project, read from the catalogs at the moment."""

    def __init__(self, state: ServerState) -> None:
        self._state = state

    def collect(self) -> Iterator[Metric]:
        """All families."""
        from evalwright.services.metering import newest_runs, run_counts, waiting

        place = self._state.places.workspace
        projects = [(one.name, place(one.name)) for one in self._state.accounts.projects()]
        labels = ("project", "suite")
        runs = GaugeMetricFamily("evalwright_runs", "Runs.", labels=(*labels, "status", "verdict"))
        spend = GaugeMetricFamily("evalwright_spend", "Cost of a suite's runs.", labels=labels)
        value = GaugeMetricFamily("evalwright_metric", "Metric of a suite's newest run.", labels=(*labels, "metric"))
        low = GaugeMetricFamily("evalwright_metric_low", "Lower end of its interval.", labels=(*labels, "metric"))
        high = GaugeMetricFamily("evalwright_metric_high", "Upper end of its interval.", labels=(*labels, "metric"))
        ended = GaugeMetricFamily("evalwright_last_run_timestamp_seconds", "End of its newest run.", labels=labels)
        items = GaugeMetricFamily("evalwright_review_items", "Review items that wait.", labels=("project", "state"))
        for name, workspace in projects:
            costs: dict[str, float] = {}
            for count in run_counts(workspace):
                runs.add_metric((name, count.suite, count.status, count.verdict), count.runs)
                costs[count.suite] = costs.get(count.suite, 0.0) + count.cost
            for suite, cost in costs.items():
                spend.add_metric((name, suite), cost)
            for newest in newest_runs(workspace):
                ended.add_metric((name, newest.suite), newest.finished_at)
                for estimate in newest.estimates:
                    if estimate.value is None:
                        continue
                    named = (name, newest.suite, _metric_name(estimate.metric, estimate.statistic))
                    value.add_metric(named, estimate.value)
                    if estimate.low is not None and estimate.high is not None:
                        low.add_metric(named, estimate.low)
                        high.add_metric(named, estimate.high)
            wait = waiting(workspace)
            for state in ("open", "in_progress", "adjudication"):
                items.add_metric((name, state), getattr(wait, state))
        yield from (runs, spend, value, low, high, ended, items)
        yield from self._deliveries()

    def _deliveries(self) -> Iterator[Metric]:
        family = CounterMetricFamily("evalwright_deliveries", "Webhook deliveries by state.", labels=("state",))
        for state, count in sorted(self._state.webhooks.counts().items()):
            family.add_metric((state,), count)
        yield family


def _metric_name(metric: str, statistic: str) -> str:
    return metric if statistic in {"mean", ""} else f"{metric}:{statistic}"

"""What Prometheus is told, at `/metrics` and at TensorFlow Serving's own path."""

from __future__ import annotations

from functools import cache

from prometheus_client import (
    CollectorRegistry,
    Counter,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from grokkeras.serving.repository import Repository

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096, 10_000)


class Metrics:
    """All metrics of one server; a registry of its own, so that tests may have many servers."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)
        requests = Counter(
            "grokkeras_requests",
            "Requests answered, by model, route and HTTP status.",
            ("model", "route", "status"),
            registry=self.registry,
        )
        seconds = Histogram(
            "grokkeras_request_seconds",
            "From a request's headers to its answer.",
            ("route",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        batches = Histogram(
            "grokkeras_batch_rows",
            "Rows that shared one inference.",
            ("model",),
            buckets=_ROWS,
            registry=self.registry,
        )
        # Looking a child up takes a lock and builds a key; these are asked for at every request.
        self._requests = cache(requests.labels)
        self._seconds = cache(seconds.labels)
        self._batches = cache(batches.labels)

    def watch(self, repository: Repository) -> None:
        """Adds what is read off the repository at each scrape."""
        self.registry.register(_RepositoryCollector(repository))

    def request(self, model: str, route: str, status: int, seconds: float) -> None:
        """One request was answered."""
        self._requests(model, route, str(status)).inc()
        self._seconds(route).observe(seconds)

    def batch(self, model: str, rows: int) -> None:
        """One inference is about to be made."""
        self._batches(model).observe(rows)

    def text(self) -> bytes:
        """In Prometheus' text format."""
        return generate_latest(self.registry)


class _RepositoryCollector(Collector):
    def __init__(self, repository: Repository) -> None:
        self._repository = repository

    def collect(self) -> list[GaugeMetricFamily]:
        """The gauges, as they stand."""
        waiting = GaugeMetricFamily("grokkeras_queued_rows", "Rows that wait for their inference.")
        waiting.add_metric([], self._repository.queue.rows)
        versions = GaugeMetricFamily(
            "grokkeras_version_state",
            "1 for the state that a version is in.",
            labels=("model", "version", "state"),
        )
        for name, model in sorted(self._repository.models.items()):
            for state, numbers in (
                ("available", model.versions),
                ("unloading", model.draining),
                ("skipped", model.skipped),
            ):
                for number in sorted(numbers):
                    versions.add_metric([name, str(number), state], 1)
        return [waiting, versions]

"""How central does, for Prometheus: ``GET /metrics`` on a listener of its own, for this machine alone.

It is no route of the main listener: a TLS proxy stands before that one, and whatever comes through a proxy
comes from the loopback. No label names a member, a node or a shop.
"""

from __future__ import annotations

import asyncio
from collections import Counter as Counted
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from tapledger.errors import TapledgerError
from tapledger.wire.news import ExposureNews
from tapledger_central import outstanding
from tapledger_central.store import differences, inbox, nodes
from tapledger_central.web.asking import Answered, Asked
from tapledger_central.web.handlers import template_of
from tapledger_central.web.server import listen

if TYPE_CHECKING:
    from tapledger_central.app import Central

HOST = "127.0.0.1"
HOSTS = frozenset({HOST, "localhost"})
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
LEASES_EVERY_S = 60.0
"""Counting leases reads the members who have any, so it is done once in so long at most."""
EVENTS = "/v1/nodes/{node}/events"
METHODS = frozenset({"GET", "POST"})
BATCH_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


@dataclass(frozen=True, slots=True)
class Figures:
    """What the database says at one moment."""

    filed: int
    behind: int
    nodes: dict[str, int]
    worst: ExposureNews
    differences: dict[str, int]
    leases: int


class Metrics:
    """Counts what one process does; what the database knows is read when somebody asks."""

    def __init__(self, central: Central) -> None:
        self._central = central
        self._figures: Figures | None = None
        self._leases: tuple[float, int] | None = None
        self._turn = asyncio.Lock()
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "tapledger_central_requests",
            "Requests answered",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self._batches = Histogram(
            "tapledger_central_batch_seconds",
            "From a batch's first byte to its answer",
            buckets=BATCH_BUCKETS_S,
            registry=self._registry,
        )
        self._registry.register(self)

    def observe(self, asked: Asked, answered: Answered, seconds: float) -> None:
        """Count a request that was answered."""
        route = template_of(asked.target.partition("?")[0]) or "other"
        method = asked.method if asked.method in METHODS else "other"
        self._requests.labels(method, route, str(answered.status)).inc()
        if (method, route) == ("POST", EVENTS):
            self._batches.observe(seconds)

    async def text(self) -> bytes:
        """Return everything as Prometheus reads it; without what the database knows while it is away."""
        async with self._turn:
            try:
                self._figures = await self._read()
            except TapledgerError:
                self._figures = None
            return generate_latest(self._registry)

    async def _read(self) -> Figures:
        store = self._central.store
        filed, behind = await store.transact(inbox.totals)
        known = Counted(one.status for one in await store.transact(nodes.everyone))
        statuses = {name: known[name] for name in (nodes.ACTIVE, nodes.QUARANTINED, nodes.REVOKED)}
        worst = await self._central.leases.exposure()
        found = await store.transact(differences.counts)
        return Figures(filed, behind, statuses, worst, found, await self._count_leases())

    async def _count_leases(self) -> int:
        now_s = self._central.clock.monotonic_s()
        if self._leases is None or now_s - self._leases[0] >= LEASES_EVERY_S:
            self._leases = now_s, len(await outstanding.find(self._central.store))
        return self._leases[1]

    def collect(self) -> Iterable[Metric]:
        """Give what is not counted here (``prometheus_client``'s collector)."""
        yield _gauge("waiting_polls", "Questions for news that are kept open", self._central.watch.waiting)
        faults = CounterMetricFamily(
            "tapledger_central_database_errors", "Transactions that the database failed", labels=["code"]
        )
        for code, count in sorted(self._central.store.faults.items()):
            faults.add_metric([code], count)
        yield faults
        found = self._figures
        yield _gauge("database_reachable", "Whether the figures of the database are here", found is not None)
        if found is None:
            return
        yield CounterMetricFamily("tapledger_central_events_filed", "Events on record", value=found.filed)
        yield _gauge("events_behind", "Events on record that are not applied yet", found.behind)
        yield _labelled("nodes", "Computers that were enrolled", "status", found.nodes)
        yield _gauge(
            "nodes_offline", "Active computers that were not heard lately", found.worst.nodes_offline
        )
        yield _gauge("worst_case_points", "What can be lost at most now", found.worst.points)
        yield _gauge("leases_outstanding", "Leases that were not given back", found.leases)
        yield _labelled("differences", "What was recorded and does not fit", "code", found.differences)


def _gauge(name: str, about: str, value: float) -> Metric:
    return GaugeMetricFamily(f"tapledger_central_{name}", about, value=value)


def _labelled(name: str, about: str, label: str, values: dict[str, int]) -> Metric:
    family = GaugeMetricFamily(f"tapledger_central_{name}", about, labels=[label])
    for key, value in sorted(values.items()):
        family.add_metric([key], value)
    return family


@asynccontextmanager
async def metrics_served(metrics: Metrics, port: int) -> AsyncIterator[str]:
    """Serve ``/metrics`` on the loopback while the context is open; gives its address. 0 is any free port."""

    async def answer(request: web.Request) -> web.Response:
        if request.url.host not in HOSTS:  # a page of another site that a browser here has open
            raise web.HTTPForbidden
        return web.Response(body=await metrics.text(), headers={"Content-Type": CONTENT_TYPE})

    page = web.Application()
    page.router.add_get("/metrics", answer)
    runner = web.AppRunner(page, access_log=None)
    listener = listen(HOST, port)
    try:
        await runner.setup()
        await web.SockSite(runner, listener).start()
        yield f"http://{HOST}:{listener.getsockname()[1]}/metrics"
    finally:
        await runner.cleanup()
        listener.close()

"""Composition root: central's store, keys and routes, put together and served."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import structlog
from aiohttp import web

from tapledger import interpreter
from tapledger.clock import Clock, SystemClock
from tapledger.errors import Conflict, TapledgerError
from tapledger.identifiers import Randomness
from tapledger.wire.asking import LeaseAnswer, LeaseAsked
from tapledger.wire.messages import VERSION, Batch, BatchAnswer
from tapledger_central import enrol, feed, intake, rounds
from tapledger_central.allotting import Allotting
from tapledger_central.applier import CATCH_UP_S, Applier
from tapledger_central.keys import CentralKeys, load_or_make
from tapledger_central.leases import Leases
from tapledger_central.notary import Notary
from tapledger_central.settings import CentralSettings
from tapledger_central.store import CentralStore, Executor, open_store
from tapledger_central.store.counted import CountedStore
from tapledger_central.store.nodes import Node
from tapledger_central.web.handlers import Handlers
from tapledger_central.web.metrics import Metrics, metrics_served
from tapledger_central.web.server import build_app, listen

SHUTDOWN_S = 5.0
CLEAN_UP_S = 3600.0
FILING_GAP_S, MANY_EVENTS = 0.1, 100
"""So soon comes the next batch of a node that had so many events to send."""

_log = structlog.get_logger("central")


class Central:
    """One tenant's central. Use ``open_central``, and ``working`` for what it does by itself."""

    def __init__(self, store: CentralStore, keys: CentralKeys, clock: Clock, randomness: Randomness) -> None:
        self.store = store = CountedStore(store)
        self.keys = keys
        self.clock = clock
        self.randomness = randomness
        self.watch = feed.Watch(store)
        self._filing, self._filed_s = 0, -FILING_GAP_S
        self.applier = Applier(store, clock, self.watch.tell, self._is_filing)
        self.notary = Notary(store, keys, clock, self.watch.tell, self._is_filing)
        self.leases = Leases(store, keys, clock, randomness, self.watch.tell)
        self.stock = Allotting(store, keys, clock, randomness, self.watch.tell)

    async def enrolment_code(self, shop: str) -> str:
        """Return a one-time code with which one computer of a shop can enrol."""
        now = self.clock.now()
        return await self.store.transact(lambda tx: enrol.new_code(tx, self.keys, shop, now, self.randomness))

    def _is_filing(self) -> bool:
        return self._filing > 0 or self.clock.monotonic_s() - self._filed_s < FILING_GAP_S

    async def take(self, node: Node, batch: Batch) -> BatchAnswer:
        """File a node's batch (``intake.take``); it is applied right afterwards."""
        now = self.clock.now()
        self._filing += 1
        try:
            answer = await intake.take(self.store, node, batch, now)
        except Conflict:
            self.watch.tell()  # a fork is news for everybody
            raise
        finally:
            self._filing -= 1
            if len(batch.raws) >= MANY_EVENTS:
                self._filed_s = self.clock.monotonic_s()
        self.applier.wake()
        return answer

    async def caught_up(self, timeout_s: float = CATCH_UP_S, node: str = "") -> bool:
        """Wait until what was filed before the call, by one node or by all, is applied; False when that takes
        longer."""
        return await self.applier.caught_up(timeout_s, node)

    async def lease(self, node: Node, asked: LeaseAsked) -> LeaseAnswer:
        """Set aside what a node is about to spend (``Leases.ask``), knowing all that it has pushed; somebody
        waits, so not for what others have."""
        await self.caught_up(node=node.node)
        return await self.leases.ask(node, asked)

    async def news(self, node: Node, cursor: int, wait_s: float, v: int = VERSION) -> None:
        """Wait until there is something after a version for a node, or for so long."""
        await self.caught_up()
        begun_s = self.clock.monotonic_s()
        while True:
            come = self.watch.next()
            left_s = wait_s - (self.clock.monotonic_s() - begun_s)
            if left_s <= 0 or self.watch.draining or await feed.has_news(self.store, node, cursor, v):
                return
            await self.watch.wait(come, left_s)

    async def page(self, node: Node, cursor: int, limit: int, v: int = VERSION) -> feed.Page:
        """Return what changed after a version (``feed.page``)."""
        return await feed.page(self.store, node, cursor, limit, self.clock.now(), v)

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Apply, watch, sign and clean up while the context is open."""
        works = (self.applier.run(), self.watch.run(), self.notary.run(), self._clean_up())
        jobs = [asyncio.create_task(work) for work in works]
        try:
            yield
        finally:
            for job in jobs:
                job.cancel()
            await asyncio.gather(*jobs, return_exceptions=True)

    async def share_out(self) -> None:
        """Set aside for ever what shops may give out by themselves: members' points and value, and stock."""
        await rounds.for_ever(self.leases.share_out, self.leases.tell_exposure, self.stock.share_out)

    async def _clean_up(self) -> None:
        while True:
            try:
                await feed.purge(self.store, self.clock.now())
            except TapledgerError as error:
                _log.warning("cleaning up waits", code=error.code, **error.data)
            await asyncio.sleep(CLEAN_UP_S)

    async def close(self) -> None:
        await self.store.close()


async def open_central(
    folder: Path,
    clock: Clock | None = None,
    randomness: Randomness = os.urandom,
    executor: Executor | None = None,
    database_url: str = "",
) -> Central:
    """Open central's data, made first when there is none; with an address, the rows are in PostgreSQL."""
    keys = load_or_make(folder, randomness)
    store = await open_store(folder, keys.tenant, database_url, executor)
    return Central(store, keys, clock or SystemClock(), randomness)


@asynccontextmanager
async def serving(
    central: Central, settings: CentralSettings, metrics: Metrics | None = None
) -> AsyncIterator[str]:
    """Serve central while the context is open; gives its address. ``metrics`` counts what is asked."""
    listener = listen(settings.listen_host, settings.listen_port)
    port = listener.getsockname()[1]
    host = f"[{settings.listen_host}]" if ":" in settings.listen_host else settings.listen_host
    address = f"http://{host}:{port}"
    origins = settings.origins or [address, f"http://localhost:{port}"]
    app = build_app([Handlers(central, origins)], None if metrics is None else metrics.observe)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_S)
    central.watch.draining = False
    try:
        async with central.working():
            await runner.setup()
            await web.SockSite(runner, listener).start()
            yield address
    finally:
        central.watch.drain()
        await runner.cleanup()
        listener.close()


async def run(settings: CentralSettings, announce: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM; ``announce`` is told the address once central answers there."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    central = await open_central(settings.data_folder, database_url=settings.database_url)
    try:
        async with AsyncExitStack() as stack:
            metrics = Metrics(central) if settings.metrics_port else None
            address = await stack.enter_async_context(serving(central, settings, metrics))
            if metrics is not None:
                await stack.enter_async_context(metrics_served(metrics, settings.metrics_port))
            interpreter.settle()
            sharing = asyncio.create_task(central.share_out())
            try:
                announce(address)
                await stop.wait()
            finally:
                sharing.cancel()
                await asyncio.gather(sharing, return_exceptions=True)
    finally:
        await central.close()

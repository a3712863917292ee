"""Composition root: central's store, keys and routes, put together and served."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

from tapledger.clock import Clock, SystemClock
from tapledger.errors import Unavailable
from tapledger.identifiers import Randomness
from tapledger_central import enrol
from tapledger_central.keys import CentralKeys, load_or_make
from tapledger_central.settings import CentralSettings
from tapledger_central.store import Database, Executor, open_store
from tapledger_central.web.handlers import Handlers
from tapledger_central.web.server import build_app

SHUTDOWN_S = 5.0


class Central:
    """One tenant's central on its data folder. Use ``open_central``."""

    def __init__(self, store: Database, keys: CentralKeys, clock: Clock, randomness: Randomness) -> None:
        self.store = store
        self.keys = keys
        self.clock = clock
        self.randomness = randomness

    async def enrolment_code(self, shop: str) -> str:
        """Return a one-time code with which one computer of a shop can enrol."""
        now = self.clock.now()
        return await self.store.transact(lambda tx: enrol.new_code(tx, self.keys, shop, now, self.randomness))

    async def close(self) -> None:
        await self.store.close()


async def open_central(
    folder: Path,
    clock: Clock | None = None,
    randomness: Randomness = os.urandom,
    executor: Executor | None = None,
) -> Central:
    """Open central's data, made first when there is none."""
    keys = load_or_make(folder, randomness)
    store = await open_store(folder, executor)
    return Central(store, keys, clock or SystemClock(), randomness)


@asynccontextmanager
async def serving(central: Central, settings: CentralSettings) -> AsyncIterator[str]:
    """Serve central while the context is open; gives its address."""
    listener = _listen(settings.listen_host, settings.listen_port)
    port = listener.getsockname()[1]
    host = f"[{settings.listen_host}]" if ":" in settings.listen_host else settings.listen_host
    address = f"http://{host}:{port}"
    origins = settings.origins or [address, f"http://localhost:{port}"]
    runner = web.AppRunner(
        build_app([Handlers(central, origins)]), access_log=None, shutdown_timeout=SHUTDOWN_S
    )
    try:
        await runner.setup()
        await web.SockSite(runner, listener).start()
        yield address
    finally:
        await runner.cleanup()
        listener.close()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise Unavailable("PORT_TAKEN", host=host, port=port) from error
    return listener


async def run(settings: CentralSettings, announce: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM; ``announce`` is told the address once central answers there."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    central = await open_central(settings.data_folder)
    try:
        async with serving(central, settings) as address:
            announce(address)
            await stop.wait()
    finally:
        await central.close()

"""Runs one daemon as a process: opens the shop, stops on signals, closes in order."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable

from tapledger.app import Daemon, open_shop
from tapledger.clock import SystemClock
from tapledger.settings import Settings


async def serve(
    settings: Settings, started: Callable[[int], None], run: Callable[[Daemon], Awaitable[None]] | None = None
) -> None:
    """Serve a shop until SIGTERM or SIGINT. ``run`` may run the daemon with something beside it."""
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    shop = await open_shop(settings, SystemClock(), os.urandom)
    try:
        daemon = Daemon(shop, settings)
        await (daemon.run(started) if run is None else run(daemon))
    except asyncio.CancelledError:
        task.uncancel()
    finally:
        await shop.store.close()

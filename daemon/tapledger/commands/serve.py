"""Runs one daemon as a process: opens the shop, stops on signals, closes in order."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable

from tapledger import interpreter, logs
from tapledger.app import open_shop
from tapledger.clock import SystemClock
from tapledger.floor import told_devices
from tapledger.membership.shop import Shop
from tapledger.settings import Settings


async def serve(settings: Settings, run: Callable[[Shop, Settings], Awaitable[None]]) -> None:
    """Open a shop and ``run`` it, with what head office has told of its devices, until SIGTERM or SIGINT."""
    logs.to_stderr()
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    shop = await open_shop(settings, SystemClock(), os.urandom)
    interpreter.settle()
    try:
        await run(shop, await told_devices.fitted(settings, shop.store))
    except asyncio.CancelledError:
        task.uncancel()
    finally:
        await shop.store.close()

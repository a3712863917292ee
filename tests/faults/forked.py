"""Central and shops as processes that start in milliseconds, to be killed thousands of times.

They are forked from a server that has everything imported. A shop here is the shipped store, use cases and
sync, without devices and faces; it sells as fast as it can and tells of each sale once it is recorded.
"""

from __future__ import annotations

import asyncio
import itertools
import multiprocessing
import os
import secrets
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from tapledger import settings
from tapledger.app import open_shop
from tapledger.clock import SystemClock
from tapledger.database import Transaction
from tapledger.lab.seed import CASHIER, TOWEL
from tapledger.loyalty.facts import Tender
from tapledger.membership.identity import Presented
from tapledger.membership.sale import SaleCommand, record_sale
from tapledger.membership.shop import Shop
from tapledger.store.journal import Recorded
from tapledger.sync.loop import SyncLoop
from tapledger_central import app
from tapledger_central import settings as central_settings
from tests.faults.books import Entry

PAUSE_S = 0.002
"""Between two sales, so that sync and the store have their turns."""
HASTE_S = 0.01
"""Between telling and committing, in the shop that is broken."""

_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload([__name__])


class Forked:
    """One process; ``work`` is called there with its arguments and the channel to here."""

    def __init__(self, work: Callable[..., None], *arguments: Any) -> None:
        self._work = work
        self._arguments = arguments
        self._process: Any = None
        self._channel: Connection

    async def start(self) -> None:
        self._channel, its = _forks.Pipe()
        self._process = _forks.Process(target=self._work, args=(*self._arguments, its), daemon=True)
        await asyncio.to_thread(self._process.start)
        its.close()

    async def heard(self) -> bytes:
        """Wait for the next that it tells."""
        return await asyncio.to_thread(self._channel.recv_bytes)

    async def kill(self) -> list[bytes]:
        """End it as a power cut would; return what it had told."""
        if self._process is None:
            return []
        self._process.kill()
        await asyncio.to_thread(self._process.join)
        self._process = None
        told = []
        try:
            while True:
                told.append(self._channel.recv_bytes())
        except (EOFError, ConnectionResetError):
            self._channel.close()
        return told


def central(config: Path, channel: Connection) -> None:
    """Be central; tell when it answers."""
    _log_to(config.with_suffix(".log"))

    async def serve() -> None:
        _end_with(channel)
        await app.run(central_settings.load(config), lambda address: channel.send_bytes(address.encode()))

    asyncio.run(serve())


def shop(config: Path, members: list[str], channel: Connection) -> None:
    """Be a shop that sells to members; tell of each sale that is recorded."""
    _log_to(config.with_suffix(".log"))
    asyncio.run(_serve(config, members, channel, lambda opened: channel.send_bytes))


def hasty_shop(config: Path, members: list[str], channel: Connection) -> None:
    """Be a broken shop: it tells of a sale, then commits it."""
    _log_to(config.with_suffix(".log"))

    def told_already(opened: Shop) -> Callable[[bytes], None]:
        transact = opened.store.transact

        async def hasty(work: Callable[[Transaction], Any]) -> Any:
            def told_first(tx: Transaction) -> Any:
                result = work(tx)
                if isinstance(result, Recorded):
                    channel.send_bytes(as_told(result))
                    time.sleep(HASTE_S)
                return result

            return await transact(told_first)

        setattr(opened.store, "transact", hasty)  # noqa: B010 - a method is replaced
        return lambda told: None

    asyncio.run(_serve(config, members, channel, told_already))


async def _serve(
    config: Path, members: list[str], channel: Connection, teller: Callable[[Shop], Callable[[bytes], None]]
) -> None:
    _end_with(channel)
    configured = settings.read(config)
    opened = await open_shop(configured, SystemClock(), os.urandom)
    tell = teller(opened)
    sync = sync_of(opened, configured)
    async with asyncio.TaskGroup() as group:
        group.create_task(sync.run())
        for member in itertools.cycle(members):
            tell(as_told(await sell(opened, member)))
            sync.poke()
            await asyncio.sleep(PAUSE_S)


def sync_of(opened: Shop, configured: settings.Settings) -> SyncLoop:
    return SyncLoop(opened.store, opened.store.keyring, configured.central, opened.clock, opened.randomness)


async def sell(opened: Shop, member: str) -> Recorded:
    """One towel, paid with a card."""
    line = opened.catalogue.find(TOWEL).line(1000, "zh-Hans")
    tender = Tender("card", line.unit_minor)
    shown = Presented("barcode", "", 0, "test")
    command = SaleCommand(secrets.token_hex(8), "till", (line,), (tender,), CASHIER, "zh-Hans", member, shown)
    return await record_sale(opened, command)


def as_told(recorded: Recorded) -> bytes:
    event = recorded.event
    return f"{event.node} {event.epoch} {event.seq} {recorded.hash.hex()}".encode()


def understood(told: bytes) -> Entry:
    node, epoch, seq, event_hash = told.decode().split()
    return (node, int(epoch), int(seq), bytes.fromhex(event_hash))


def _log_to(path: Path) -> None:
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(log, stream)


def _end_with(channel: Connection) -> None:
    """End when whoever started this process is gone: nothing is ever said in this direction."""
    asyncio.get_running_loop().add_reader(channel.fileno(), os._exit, 1)

"""A month's backlog of one kiosk beside a hundred others: first come, first served, batch by batch."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
from yarl import URL

from tapledger.store import keyring as keyrings
from tapledger.sync.client import CentralClient
from tapledger.sync.transport import Received
from tapledger_central.app import Central, open_central
from tapledger_central.store import nodes
from tapledger_central.web.asking import Asked
from tapledger_central.web.guard import Admission
from tapledger_central.web.handlers import Handlers
from tests.central.chains import Chain, earn, join
from tests.central.world import HandClock

OTHERS, DAYS, EVENTS_A_DAY = 100, 30, 10
PLACES = 4
ORIGIN = "http://127.0.0.1:7400"


class InProcess:
    """Asks central without a socket."""

    def __init__(self, handlers: Handlers) -> None:
        self._handlers = handlers

    async def exchange(
        self, method: str, url: URL, headers: Mapping[str, str], body: bytes, timeout_s: float
    ) -> Received:
        async def read(limit: int) -> bytes:
            return body

        asked = Asked(method, url.host_port_subcomponent or "", url.raw_path_qs, headers, read)
        answered = await self._handlers.answer(asked)
        named = {name.lower(): value for name, value in answered.headers.items()}
        return Received(answered.status, named, answered.body)


class LastFirst:
    """What must not be: whoever came last goes first."""

    def __init__(self) -> None:
        self._free = PLACES
        self._waiting: list[asyncio.Future[None]] = []

    async def acquire(self) -> bool:
        if self._free:
            self._free -= 1
            return True
        self._waiting.append(asyncio.get_running_loop().create_future())
        await self._waiting[-1]
        return True

    def release(self) -> None:
        if self._waiting:
            self._waiting.pop().set_result(None)
        else:
            self._free += 1


class Crowd:
    """Kiosks that have come back all at once."""

    def __init__(self, central: Central, admission: Admission) -> None:
        self.central = central
        self.handlers = Handlers(central, [ORIGIN])
        self.handlers.admission = admission
        self.days_taken = 0

    async def kiosk(self, days: int) -> tuple[CentralClient, Chain]:
        keyring = msgspec.structs.replace(
            keyrings.make(os.urandom(96)), central_public_key=self.central.keys.public_key
        )
        key = keyring.signing_key.public_key().public_bytes_raw()
        await self.central.store.transact(lambda tx: nodes.add(tx, keyring.node, "shop", "till", key, 0))
        chain = Chain(keyring)
        chain.add(join(f"m-{keyring.node}"))
        for _ in range(days * EVENTS_A_DAY - 1):
            chain.add(earn(f"m-{keyring.node}", 1))
        return CentralClient(InProcess(self.handlers), ORIGIN, keyring, HandClock(), os.urandom), chain

    async def backlog(self, client: CentralClient, chain: Chain) -> None:
        for day in range(DAYS):
            first = day * EVENTS_A_DAY + 1
            assert (await client.send(chain.batch(first, first + EVENTS_A_DAY - 1))).ack == first + 9
            self.days_taken += 1

    async def taken_when_the_others_are_done(self) -> int:
        """Let all come at once; return how many days of the backlog were taken when all others were done."""
        away, *others = [await self.kiosk(DAYS), *[await self.kiosk(1) for _ in range(OTHERS)]]
        one = asyncio.create_task(self.backlog(*away))
        answers = await asyncio.gather(*[client.send(chain.batch()) for client, chain in others])
        taken = self.days_taken
        assert {answer.ack for answer in answers} == {EVENTS_A_DAY}
        await one
        assert self.days_taken == DAYS
        return taken


@pytest.fixture
async def central(tmp_path: Path) -> AsyncIterator[Central]:
    made = await open_central(tmp_path, HandClock())
    try:
        yield made
    finally:
        await made.close()


async def test_a_months_backlog_waits_behind_everybody_after_each_batch(central: Central) -> None:
    assert await Crowd(central, Admission(at_once=PLACES)).taken_when_the_others_are_done() <= 1 + PLACES


async def test_a_central_that_serves_the_last_first_is_caught(central: Central) -> None:
    unfair = Admission(at_once=PLACES)
    unfair._slots = cast(Any, LastFirst())
    assert await Crowd(central, unfair).taken_when_the_others_are_done() > DAYS / 2

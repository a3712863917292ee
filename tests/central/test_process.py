"""Central as a process of its own: started by its command, killed without warning, started again."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from tapledger.clock import SystemClock
from tapledger.errors import Unavailable
from tapledger.store import keyring as keyrings
from tapledger.store.keyring import Keyring
from tapledger.sync.client import CentralClient
from tapledger.sync.enrol import enrol
from tapledger.sync.transport import http
from tapledger.wire.messages import FeedRow
from tests.central.chains import Chain, earn, join

COMMAND = [sys.executable, "-c", "from tapledger_central.cli import central; central()"]
PATIENCE_S = 30.0
EVENTS = 120
KILLS = 3


class Office:
    """The process of one central, on a data folder that outlives it."""

    def __init__(self, folder: Path) -> None:
        self.config = folder / "central.toml"
        self.port = 0
        self.process: Process

    async def start(self) -> str:
        self.config.write_text(f'data_folder = "data"\nlisten_port = {self.port}\n')
        arguments = ("run", "--config", str(self.config), "--json")
        self.process = await asyncio.create_subprocess_exec(*COMMAND, *arguments, stdout=PIPE, stderr=PIPE)
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            line = await self.process.stdout.readline()
        if not line:
            _, why = await self.process.communicate()
            pytest.fail(f"central did not start: {why.decode()}")
        address = str(json.loads(line)["address"])
        self.port = int(address.rpartition(":")[2])
        return address

    async def kill(self) -> None:
        if self.process.returncode is None:
            self.process.kill()
        await self.process.communicate()

    async def enrol_code(self, shop: str) -> dict[str, Any]:
        arguments = ("enrol-code", "--shop", shop, "--config", str(self.config), "--json")
        process = await asyncio.create_subprocess_exec(*COMMAND, *arguments, stdout=PIPE, stderr=PIPE)
        out, _ = await process.communicate()
        assert process.returncode in (0, 2)
        answer: dict[str, Any] = json.loads(out)
        return answer


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    made = Office(tmp_path)
    await made.start()
    try:
        yield made
    finally:
        await made.kill()


async def enrolled(office: Office, stack: AsyncExitStack) -> tuple[CentralClient, Keyring]:
    session = await stack.enter_async_context(http())
    code = (await office.enrol_code("North"))["code"]
    keyring = keyrings.make(os.urandom(96))
    address = f"http://127.0.0.1:{office.port}"
    keyring = keyring.with_enrolment(await enrol(session, address, code, keyring.signing_key, "till"))
    return CentralClient(session, address, keyring, SystemClock(), os.urandom), keyring


async def member_told(client: CentralClient) -> FeedRow:
    """Return the row of the one member; what else is told comes when it comes."""
    (row,) = [row for row in (await client.feed(0)).rows if row.state is not None]
    return row


async def test_kill_9_loses_nothing_that_was_acknowledged(office: Office) -> None:
    async with AsyncExitStack() as stack:
        client, keyring = await enrolled(office, stack)
        chain = Chain(keyring)
        chain.add(join("m-1", "card-1"))
        for number in range(EVENTS - 1):
            chain.add(earn("m-1", 1, number))
        acked, kills = 0, 0
        while acked < EVENTS:
            if kills < KILLS and acked >= (kills + 1) * EVENTS // (KILLS + 2):
                kills += 1
                in_flight = asyncio.create_task(client.send(chain.batch(acked + 1, acked + 4)))
                await asyncio.sleep(0)
                await office.kill()
                answer = (await asyncio.gather(in_flight, return_exceptions=True))[0]
                assert isinstance(answer, Unavailable) or answer.ack == acked + 4  # type: ignore[union-attr]
                await office.start()
                row = await member_told(client)
                (seq,) = row.settled.values()
                assert acked <= seq <= acked + 4
                assert row.state is not None
                assert len(row.state.lots) == seq - 1
            acked = (await client.send(chain.batch(acked + 1, min(acked + 4, EVENTS)))).ack
        row = await member_told(client)
        assert kills == KILLS
        assert row.state is not None
        assert sum(lot.remaining for lot in row.state.lots) == EVENTS - 1


async def test_it_stops_when_told_and_leaves_its_secrets_to_its_user(office: Office) -> None:
    await office.enrol_code("North")
    office.process.terminate()
    out, _ = await office.process.communicate()
    assert (office.process.returncode, out) == (0, b"")
    data = office.config.parent / "data"
    assert {path.name for path in data.iterdir()} >= {"central.db", "central.keys"}
    for path in data.iterdir():
        assert path.stat().st_mode & 0o077 == 0, path.name


async def test_a_port_that_is_taken_is_said(office: Office) -> None:
    arguments = ("run", "--config", str(office.config), "--json")
    office.config.write_text(f'data_folder = "other"\nlisten_port = {office.port}\n')
    process = await asyncio.create_subprocess_exec(*COMMAND, *arguments, stdout=PIPE, stderr=PIPE)
    out, _ = await process.communicate()
    assert process.returncode == 2
    assert json.loads(out)["code"] == "PORT_TAKEN"

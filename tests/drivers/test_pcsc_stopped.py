"""pcscd is stopped, not dead: its socket takes every question and answers none."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tapledger_drivers.cards import pcsc, reader_session
from tapledger_drivers.cards.pcsc import PcscCardReader
from tapledger_drivers.device import HealthLevel
from tapledger_drivers.emulators.reader_station import ReaderStation
from tapledger_drivers.errors import DeviceAbsent, DeviceLost
from tapledger_drivers.ports import CardPresented
from tests.drivers.cards import UID, member_card
from tests.drivers.readers import DEADLINE_S, made


async def test_a_service_that_stands_still_holds_nobody(
    reader_station: ReaderStation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pcsc, "CALL_TIMEOUT_S", 0.5)
    monkeypatch.setattr(pcsc, "OPEN_TIMEOUT_S", 0.5)
    async with made(reader_station.reader_names[0]) as driver:
        await driver.open()
        async with _stopped(reader_station):
            begun_s = time.monotonic()
            assert not (await driver.health(HealthLevel.INTERNAL)).ok
            await driver.close()
            assert time.monotonic() - begun_s < 1.0
            with pytest.raises(DeviceAbsent, match="pcscd_silent"):
                await driver.open()
        await _reads_a_card(driver, reader_station)


async def test_whoever_waits_for_cards_hears_of_a_service_that_stands_still(
    reader_station: ReaderStation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader_session, "WAIT_S", 0.2)
    monkeypatch.setattr(pcsc, "WAITING_MAX_S", 1.0)
    async with made(reader_station.reader_names[0]) as driver, asyncio.timeout(DEADLINE_S):
        await driver.open()
        waiting = asyncio.ensure_future(anext(driver.taps()))
        async with _stopped(reader_station):
            with pytest.raises(DeviceLost, match="hung"):
                await waiting
        await _reads_a_card(driver, reader_station)


@asynccontextmanager
async def _stopped(station: ReaderStation) -> AsyncIterator[None]:
    pid = _pcscd_of(station)
    os.kill(pid, signal.SIGSTOP)
    try:
        await asyncio.to_thread(_wait_until_stopped, pid)
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def _wait_until_stopped(pid: int) -> None:
    deadline_s = time.monotonic() + DEADLINE_S
    tasks = list(Path(f"/proc/{pid}/task").iterdir())
    while any("(stopped)" not in (task / "status").read_text() for task in tasks):
        assert time.monotonic() < deadline_s, "pcscd goes on"
        time.sleep(0.001)


def _pcscd_of(station: ReaderStation) -> int:
    pid = station.pid
    while "pcscd" not in Path(f"/proc/{pid}/comm").read_text():
        pid = int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])
    return pid


async def _reads_a_card(driver: PcscCardReader, station: ReaderStation) -> None:
    await driver.open()
    await station.insert(0, member_card())
    async with asyncio.timeout(DEADLINE_S):
        event = await anext(driver.taps())
    assert isinstance(event, CardPresented) and event.uid == UID

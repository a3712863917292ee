"""From a code or a card to what the shop may act on, beside the least that any program would need for it."""

from __future__ import annotations

import asyncio
import os
import time
import tty
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlcipher3.dbapi2 as sqlcipher

from benchmarks.device_bench import PATIENCE_S, PRINTER, READER, SCANNER, plugged, running
from benchmarks.seeded_shop import SeededShop
from tapledger.database import PRAGMAS
from tapledger.membership.shop import Shop
from tapledger_drivers.device import DeviceConfig
from tapledger_drivers.emulators.faults import Verb
from tapledger_drivers.emulators.reader_station import ReaderStation
from tapledger_drivers.emulators.virtual_card import CardKind
from tapledger_drivers.ports import CardPresented, CardRemoved
from tapledger_drivers.traffic import Direction

WARM_UP = 10
BARE_EVERY = 5
"""Each tap takes pcscd's own 0.8 s to come and go; the bare program makes one for so many of ours."""
CODE = "69012345678{:02}"


@dataclass(frozen=True, slots=True)
class InputTimes:
    """Milliseconds."""

    scan_ms: list[float] = field(default_factory=list)
    """From the scanner's first byte to the code's commit."""
    scan_floor_ms: list[float] = field(default_factory=list)
    """A bare read from a pty and one durable commit of such a row."""
    scan_beside_hung_ms: list[float] = field(default_factory=list)
    """The same scans while the printer hangs."""
    card_ms: list[float] = field(default_factory=list)
    """From pcscd's event to the card's data."""
    card_delivered_ms: list[float] = field(default_factory=list)
    """To the listener of the driver: one thread further, and the token's signature checked."""
    card_floor_ms: list[float] = field(default_factory=list)
    """The same by a bare program: ``scard`` in a thread that waits for the card."""


async def measure(seeded: SeededShop, station: ReaderStation, scans: int, taps: int) -> InputTimes:
    times = InputTimes()
    folder = seeded.settings.store.folder
    async with seeded.open() as shop, plugged() as (scanner, printer, configs):
        async with running(shop, configs) as watched:
            await watched.until(lambda: watched.is_up(SCANNER) and watched.is_up(PRINTER))

            async def scan(number: int, kept: list[float]) -> None:
                began_s = time.perf_counter()
                await scanner.scan(CODE.format(number % 100))
                await asyncio.wait_for(anext(watched.scans), PATIENCE_S)
                if number >= WARM_UP:
                    kept.append((time.perf_counter() - began_s) * 1000)

            with_floor = _ScanFloor(folder / "twin.db")
            for number in range(WARM_UP + scans):
                await scan(number, times.scan_ms)
                times.scan_floor_ms.append(await with_floor.once(number))
            await with_floor.close()
            await printer.pull(Verb.GO_AWOL)
            for number in range(WARM_UP + scans):
                await scan(number, times.scan_beside_hung_ms)
        await _cards(seeded, station, shop, times, taps)
    return times


class _ScanFloor:
    """A pty that is read by the loop itself, and a file with one table."""

    def __init__(self, path: Path) -> None:
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._slave, False)
        self._file: Any = sqlcipher.connect(path, isolation_level=None)
        for pragma in PRAGMAS:
            self._file.execute(f"PRAGMA {pragma}").fetchall()
        self._file.execute("CREATE TABLE code (seq INTEGER PRIMARY KEY, text TEXT, box BLOB)")

    async def once(self, number: int) -> float:
        loop = asyncio.get_running_loop()
        read: asyncio.Future[bytes] = loop.create_future()
        began_s = time.perf_counter()
        loop.add_reader(self._slave, lambda: read.set_result(os.read(self._slave, 100)))
        os.write(self._master, CODE.format(number % 100).encode() + b"\r")
        code = await read
        loop.remove_reader(self._slave)
        self._file.execute("BEGIN IMMEDIATE")
        self._file.execute("INSERT INTO code (text, box) VALUES (?, ?)", ("data", code * 5))
        self._file.execute("COMMIT")
        return (time.perf_counter() - began_s) * 1000

    async def close(self) -> None:
        self._file.close()
        os.close(self._master)
        os.close(self._slave)


async def _cards(
    seeded: SeededShop, station: ReaderStation, shop: Shop, times: InputTimes, taps: int
) -> None:
    """Two readers, two like cards: one is read by the driver, the other by a bare program."""
    ours, bare = station.reader_names[:2]
    card, other = seeded.virtual_card(0, CardKind.TYPE4), seeded.virtual_card(1, CardKind.TYPE4)
    async with running(shop, [DeviceConfig(READER, "pcsc", {"reader_name": ours})]) as watched:
        await watched.until(lambda: watched.is_up(READER))
        apdus: list[bytes] = []
        for number in range(taps):
            await station.insert(0, card)
            event = (await asyncio.wait_for(anext(watched.taps), PATIENCE_S)).event
            assert isinstance(event, CardPresented), event
            traffic = watched.devices.traffic[READER]
            times.card_ms.append((event.read_at_s - event.seen_at_s) * 1000)
            times.card_delivered_ms.append(traffic.observed()["tap_to_card"][-1] * 1000)
            frames = [one for one in traffic.frames() if one.at_s >= event.seen_at_s]
            apdus = [f.data for f in frames if (f.channel, f.direction) == ("apdu", Direction.TO_DEVICE)]
            await station.remove(0)
            gone = (await asyncio.wait_for(anext(watched.taps), PATIENCE_S)).event
            assert isinstance(gone, CardRemoved), gone
            if number % BARE_EVERY:
                continue
            waiting = asyncio.create_task(asyncio.to_thread(_bare_tap, bare, apdus))
            await station.insert(1, other)
            times.card_floor_ms.append(await waiting)
            await station.remove(1)


def _bare_tap(name: str, apdus: list[bytes]) -> float:
    """Wait for a card, connect, send the APDUs, disconnect: libpcsclite's calls and nothing around them."""
    from smartcard import scard

    _, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
    protocols = scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1
    known = [(name, scard.SCARD_STATE_UNAWARE)]
    try:
        while True:
            result, states = scard.SCardGetStatusChange(context, int(PATIENCE_S * 1000), known)
            assert result == scard.SCARD_S_SUCCESS, result
            if states[0][1] & scard.SCARD_STATE_PRESENT:
                break
            known = [(name, states[0][1])]
        began_s = time.perf_counter()
        result, card, protocol = scard.SCardConnect(context, name, scard.SCARD_SHARE_SHARED, protocols)
        assert result == scard.SCARD_S_SUCCESS, result
        for apdu in apdus:
            result, _ = scard.SCardTransmit(card, protocol, list(apdu))
            assert result == scard.SCARD_S_SUCCESS, result
        ended_s = time.perf_counter()
        scard.SCardDisconnect(card, scard.SCARD_LEAVE_CARD)
        return (ended_s - began_s) * 1000
    finally:
        scard.SCardReleaseContext(context)

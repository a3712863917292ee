"""An emulated PN532 on a pseudo-terminal, cards to lay on it, and the driver that reads them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from tapledger_drivers.cards.nfcpy import NfcpyCardReader
from tapledger_drivers.emulators.nfc_cards import FelicaLite, IsoDepCard, MifareClassic, NfcCard, Ntag
from tapledger_drivers.emulators.on_a_wire import OnAWire
from tapledger_drivers.emulators.pn532 import Pn532Emulator
from tapledger_drivers.ports import CardPresented
from tapledger_drivers.traffic import Traffic
from tapledger_drivers.transports.live import LiveIo
from tests.drivers.cards import TRUST, UID, token

DEADLINE_S = 20.0
IDM = bytes.fromhex("012E4CD2F1A09B33")


@pytest.fixture
async def board() -> AsyncIterator[Pn532Emulator]:
    emulator = Pn532Emulator()
    await emulator.start()
    yield emulator
    await emulator.close()


@pytest.fixture
async def io() -> AsyncIterator[LiveIo]:
    live = LiveIo("kiosk-reader", Traffic(time.monotonic))
    yield live
    await live.close()


@pytest.fixture
async def reader(board: Pn532Emulator, io: LiveIo) -> AsyncIterator[NfcpyCardReader]:
    driver = driver_of(board, io)
    await driver.open()
    async with asyncio.timeout(DEADLINE_S):
        yield driver
    await driver.close()


def driver_of(board: OnAWire, io: LiveIo) -> NfcpyCardReader:
    return NfcpyCardReader(board.address, TRUST, io)


def card_of(kind: str) -> NfcCard:
    match kind:
        case "type2":
            return Ntag(UID, token())
        case "iso14443-4":
            return IsoDepCard(UID, token())
        case "type3":
            return FelicaLite(IDM, token(IDM))
        case _:
            return MifareClassic(UID[:4])


KINDS = ("type2", "iso14443-4", "type3", "storage")


async def presented(reader: NfcpyCardReader) -> CardPresented:
    event = await anext(reader.taps())
    assert isinstance(event, CardPresented), event
    return event

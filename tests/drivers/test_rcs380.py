"""nfcpy's RC-S380 driver over our USB port, with libusb and the device replaced (port100.py)."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator

import pytest

import tapledger_drivers.cards.nfc_chips  # noqa: F401 - loads nfcpy with the real libusb first
from tapledger_drivers.cards.nfcpy import NfcpyCardReader
from tapledger_drivers.cassettes.pseudonyms import Pseudonyms
from tapledger_drivers.device import HealthLevel
from tapledger_drivers.emulators.nfc_cards import FelicaLite, IsoDepCard, MifareClassic, NfcCard, Ntag
from tapledger_drivers.errors import DeviceAbsent, DeviceBlocked, DeviceLost
from tapledger_drivers.ports import CardPresented, CardRemoved, CardTorn, UidKind
from tapledger_drivers.traffic import Traffic
from tapledger_drivers.transports.live import LiveIo
from tests.drivers.cards import TRUST, UID, token
from tests.drivers.port100 import Port100, Usb, UsbAccess, UsbBusy, UsbError

DEADLINE_S = 10.0
IDM = bytes.fromhex("012E4CD2F1A09B33")


@pytest.fixture
def usb(monkeypatch: pytest.MonkeyPatch) -> Usb:
    replaced = Usb(Port100())
    monkeypatch.setitem(sys.modules, "usb1", replaced)
    return replaced


@pytest.fixture
async def io() -> AsyncIterator[LiveIo]:
    live = LiveIo("kiosk-reader", Traffic(time.monotonic))
    yield live
    await live.close()


@pytest.fixture
async def reader(usb: Usb, io: LiveIo) -> AsyncIterator[NfcpyCardReader]:
    driver = NfcpyCardReader("usb:054c:06c3", TRUST, io)
    async with asyncio.timeout(DEADLINE_S):
        yield driver
    await driver.close()
    assert usb.opened == 0


@pytest.mark.parametrize(
    ("card", "tech", "ndef"),
    [
        (Ntag(UID, token()), "type2", token()),
        (IsoDepCard(UID, token()), "iso14443-4", token()),
        (IsoDepCard(UID, b"x" * 700), "iso14443-4", b"x" * 700),
        (FelicaLite(IDM, token(IDM)), "type3", token(IDM)),
        (FelicaLite(IDM), "type3", None),
        (MifareClassic(UID[:4]), "storage", None),
        (MifareClassic(bytes(range(1, 11))), "storage", None),
    ],
)
async def test_each_kind_of_card(
    usb: Usb, reader: NfcpyCardReader, io: LiveIo, card: NfcCard, tech: str, ndef: bytes | None
) -> None:
    info = await reader.open()
    assert (info.model, info.firmware, info.usb_id) == ("Sony RC-S380", "1.11", "054C:06C3")
    assert usb.chip is not None
    taps = reader.taps()
    usb.chip.field = [card]
    event = await anext(taps)
    assert isinstance(event, CardPresented)
    assert (event.uid, event.tech, event.ndef) == (card.uid, tech, ndef)
    assert event.uid_kind is UidKind.FIXED
    usb.chip.field = []
    assert isinstance(await anext(taps), CardRemoved)
    assert (await reader.health(HealthLevel.INTERNAL)).ok
    assert io.traffic.counters["BytesSent"] > 0 and io.traffic.counters["BytesReceived"] > 0


async def test_the_pieces_of_a_number_are_secret_too(usb: Usb, reader: NfcpyCardReader, io: LiveIo) -> None:
    await reader.open()
    assert usb.chip is not None
    usb.chip.field = [Ntag(UID)]
    await anext(reader.taps())
    exported = Pseudonyms(bytes(16), io.traffic.secrets())
    passed = b"".join(frame.data for frame in io.traffic.frames())
    shown = b"".join(exported.in_bytes(frame.data) for frame in io.traffic.frames())
    for piece in (UID[:3], UID[3:]):
        assert piece in passed and piece not in shown


async def test_a_phone(usb: Usb, reader: NfcpyCardReader) -> None:
    await reader.open()
    assert usb.chip is not None
    usb.chip.field = [IsoDepCard(None)]
    event = await anext(reader.taps())
    assert isinstance(event, CardPresented) and event.uid_kind is UidKind.RANDOM


async def test_a_card_torn_away(usb: Usb, reader: NfcpyCardReader) -> None:
    class Leaving(Ntag):
        def exchange(self, frame: bytes) -> bytes | None:
            assert usb.chip is not None
            usb.chip.field = []
            return None

    await reader.open()
    assert usb.chip is not None
    usb.chip.field = [Leaving(UID, token())]
    taps = reader.taps()
    event = await anext(taps)
    assert isinstance(event, CardTorn) and event.reason == "removed"
    assert isinstance(await anext(taps), CardRemoved)


async def test_unplugged_while_it_waits(usb: Usb, reader: NfcpyCardReader) -> None:
    await reader.open()
    waiting = asyncio.ensure_future(anext(reader.taps()))
    await asyncio.sleep(0)
    usb.chip = None
    with pytest.raises(DeviceLost) as lost:
        await waiting
    assert lost.value.reason == "unplugged" and lost.value.__cause__ is not None
    await reader.close()
    with pytest.raises(DeviceAbsent):
        await reader.open()
    usb.chip = Port100()
    await reader.open()


@pytest.mark.parametrize(
    ("refusal", "error", "reason"),
    [
        (UsbAccess(), DeviceBlocked, "not_permitted"),
        (UsbBusy(), DeviceBlocked, "in_use"),
        (UsbError("?"), DeviceAbsent, "port_absent"),
    ],
)
async def test_a_device_that_may_not_be_opened(
    usb: Usb, reader: NfcpyCardReader, refusal: UsbError, error: type[DeviceBlocked], reason: str
) -> None:
    usb.refusal = refusal
    with pytest.raises(error) as failed:
        await reader.open()
    assert failed.value.reason == reason


async def test_a_device_of_another_kind(usb: Usb, reader: NfcpyCardReader) -> None:
    usb.endpoints = [0x81]
    with pytest.raises(DeviceBlocked) as blocked:
        await reader.open()
    assert blocked.value.reason == "wrong_device"


async def test_close_ends_a_read_that_waits(usb: Usb, io: LiveIo) -> None:
    port = io.port("usb:054c:06c3")
    waiting = asyncio.create_task(io.run(DEADLINE_S, port.read, 300, DEADLINE_S))
    await asyncio.sleep(0)
    port.close()
    port.close()
    with pytest.raises(OSError, match="closed"):
        await waiting
    with pytest.raises(OSError, match="closed"):
        port.write(b"")
    assert usb.opened == 0


async def test_a_frame_of_full_packets_is_ended(usb: Usb, reader: NfcpyCardReader) -> None:
    await reader.open()
    assert usb.chip is not None
    usb.chip.field = [IsoDepCard(UID)]
    assert isinstance(await anext(reader.taps()), CardPresented)
    # Eight bytes of head, two of tail, two of command, two of time, one of protocol: 64 with the APDU.
    answers = await reader.transceive([bytes.fromhex("00A404002C") + bytes(44)])
    assert answers == [b"\x6a\x82"]


async def test_nothing_there(usb: Usb, reader: NfcpyCardReader) -> None:
    usb.chip = None
    with pytest.raises(DeviceAbsent) as absent:
        await reader.open()
    assert absent.value.reason == "port_absent"

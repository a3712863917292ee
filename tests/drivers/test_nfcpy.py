"""nfcpy's PN532 driver over a real serial port library and pseudo-terminals, the chip emulated."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator

import pytest

from tapledger_drivers.cards.nfcpy import NfcpyCardReader
from tapledger_drivers.device import DeviceConfig, HealthLevel
from tapledger_drivers.emulators.faults import Verb
from tapledger_drivers.emulators.nfc_cards import FelicaLite, IsoDepCard, MifareClassic, NfcCard, Ntag
from tapledger_drivers.emulators.on_a_wire import OnAWire
from tapledger_drivers.emulators.pn532 import Pn532Emulator
from tapledger_drivers.errors import CardGone, DeviceAbsent, DeviceBlocked
from tapledger_drivers.ports import CardPresented, CardRemoved, CardTorn, Feedback, UidKind
from tapledger_drivers.registry import create_driver
from tapledger_drivers.testing import DriverContract, DriverLab
from tapledger_drivers.transports.live import LiveIo
from tests.drivers.cards import TRUST, UID, token
from tests.drivers.nfc_board import (
    IDM,
    KINDS,
    card_of,
    driver_of,
    presented,
)
from tests.drivers.nfc_board import (
    board as board,
)
from tests.drivers.nfc_board import (
    io as io,
)
from tests.drivers.nfc_board import (
    reader as reader,
)

SELECT_NDEF = bytes.fromhex("00A4040007D276000085010100")


class TestContract(DriverContract):
    @pytest.fixture
    async def lab(self, board: Pn532Emulator, io: LiveIo) -> AsyncIterator[DriverLab]:
        options: dict[str, object] = {"port": board.address}
        driver = create_driver(DeviceConfig("kiosk-reader", "nfcpy", options), TRUST, io)
        absent = NfcpyCardReader("tty:/dev/no-such-port", TRUST, io)

        yield DriverLab(
            driver,
            absent,
            unplug=lambda: board.pull(Verb.UNPLUG),
            replug=lambda: board.pull(Verb.REPLUG),
            hang=lambda: board.pull(Verb.GO_AWOL),
            traffic=io.traffic,
        )
        await driver.close()


# ---- reading -------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("kind", "atr"),
    [("type2", "440000"), ("iso14443-4", "067577810280"), ("type3", IDM.hex() + "00f1000000014300")],
)
async def test_a_card_with_a_message(
    board: Pn532Emulator, reader: NfcpyCardReader, io: LiveIo, kind: str, atr: str
) -> None:
    card = card_of(kind)
    board.insert(card)
    taps = reader.taps()
    event = await anext(taps)
    assert isinstance(event, CardPresented)
    assert (event.uid, event.uid_kind, event.tech) == (card.uid, UidKind.FIXED, kind)
    assert event.ndef == token(card.uid)
    assert event.trust.credential == "card-1001"
    assert event.atr.hex() == atr
    assert event.seen_at_s < event.read_at_s
    assert io.traffic.counters["GoodReadCount"] == 1
    assert {name: len(times) for name, times in io.traffic.observed().items()} == {
        "card_read": 1,
        "tap_to_card": 1,
    }
    assert card.uid in io.traffic.secrets()
    board.remove()
    assert isinstance(await anext(taps), CardRemoved)


async def test_a_mifare_classic_card_is_its_number_and_no_more(
    board: Pn532Emulator, reader: NfcpyCardReader
) -> None:
    board.insert(MifareClassic(bytes.fromhex("DEADBEEF")))
    event = await presented(reader)
    assert (event.uid.hex(), event.tech, event.ndef) == ("deadbeef", "storage", None)
    assert event.atr.hex() == "040008"


async def test_a_felica_card_without_ndef(board: Pn532Emulator, reader: NfcpyCardReader) -> None:
    board.insert(FelicaLite(IDM))
    event = await presented(reader)
    assert (event.uid, event.tech, event.ndef) == (IDM, "type3", None)


@pytest.mark.parametrize("length", [1, 254, 255, 256, 700])
@pytest.mark.parametrize("kind", [Ntag, IsoDepCard, FelicaLite])
async def test_messages_of_all_lengths(
    board: Pn532Emulator, reader: NfcpyCardReader, kind: type[Ntag | IsoDepCard | FelicaLite], length: int
) -> None:
    message = bytes(n * 7 & 0xFF for n in range(length))
    board.insert(kind(IDM if kind is FelicaLite else UID, message))
    assert (await presented(reader)).ndef == message


@pytest.mark.parametrize(
    "card",
    [
        Ntag(UID, memory=b"\xff" * 16),
        Ntag(UID, memory=bytes.fromhex("E1106D0003FFFFFF")),
        FelicaLite(IDM, b"", attributes=bytes(16)),
        FelicaLite(IDM, b"", attributes=bytes.fromhex("10040100FF000000000000FFFFFF0411")),
    ],
)
async def test_nonsense_in_the_memory_is_a_card_without_a_message(
    board: Pn532Emulator, reader: NfcpyCardReader, card: NfcCard
) -> None:
    board.insert(card)
    assert (await presented(reader)).ndef is None


@pytest.mark.parametrize("ats", ["0278", "057533F102", "032080", "0208", "01"])
async def test_an_ats_may_leave_things_out(board: Pn532Emulator, reader: NfcpyCardReader, ats: str) -> None:
    said = bytes.fromhex(ats)
    board.insert(IsoDepCard(UID, token(), ats=said))
    event = await anext(reader.taps())
    if said == b"\x02\x78":  # it promises three bytes and has none
        assert isinstance(event, CardTorn) and event.reason == "bad_answer"
    else:
        assert isinstance(event, CardPresented) and event.ndef == token()


async def test_a_card_that_stays_is_presented_once(board: Pn532Emulator, reader: NfcpyCardReader) -> None:
    for kind in KINDS:
        board.insert(card_of(kind))
        taps = reader.taps()
        assert isinstance(await anext(taps), CardPresented)
        next_event = asyncio.ensure_future(anext(taps))
        board.chip.commands.clear()
        while len(board.chip.commands) < 6:  # noqa: ASYNC110 - until it has been looked after
            await asyncio.sleep(0.01)
        assert not next_event.done(), kind
        board.remove()
        assert isinstance(await next_event, CardRemoved), kind


async def test_a_card_laid_on_before_open_is_the_first_event(board: Pn532Emulator, io: LiveIo) -> None:
    board.insert(card_of("type2"))
    driver = driver_of(board, io)
    await driver.open()
    assert (await presented(driver)).uid == UID
    await driver.close()


# ---- APDUs, health, feedback ---------------------------------------------------------------------------
async def test_apdus_reach_the_card_that_lies_there(board: Pn532Emulator, reader: NfcpyCardReader) -> None:
    board.insert(card_of("iso14443-4"))
    await presented(reader)
    unknown = bytes.fromhex("00B2010000")
    assert await reader.transceive([SELECT_NDEF, unknown]) == [b"\x90\x00", b"\x6d\x00"]


async def test_a_type_2_card_answers_what_a_pcsc_reader_answers_for_it(
    board: Pn532Emulator, reader: NfcpyCardReader
) -> None:
    board.insert(card_of("type2"))
    await presented(reader)
    get_uid, read_page_3 = bytes.fromhex("FFCA000000"), bytes.fromhex("FFB0000304")
    assert await reader.transceive([get_uid, read_page_3]) == [
        UID + b"\x90\x00",
        bytes.fromhex("E1106D009000"),
    ]


async def test_apdus_without_a_card(board: Pn532Emulator, reader: NfcpyCardReader) -> None:
    with pytest.raises(CardGone):
        await reader.transceive([SELECT_NDEF])
    board.insert(card_of("iso14443-4"))
    await presented(reader)
    board.remove()
    with pytest.raises(CardGone) as gone:
        await reader.transceive([SELECT_NDEF])
    assert gone.value.reason == "removed"


async def test_health_asks_the_chip_while_a_card_is_waited_for(reader: NfcpyCardReader) -> None:
    taps = asyncio.ensure_future(anext(reader.taps()))
    report = await reader.health(HealthLevel.INTERACTIVE)
    assert report.ok and report.level is HealthLevel.INTERNAL
    assert report.findings[0].detail == "32010607"
    await reader.close()
    with pytest.raises(StopAsyncIteration):
        await taps


async def test_it_has_no_light(reader: NfcpyCardReader) -> None:
    assert await reader.feedback(Feedback.ACCEPTED) is False


# ---- opening -------------------------------------------------------------------------------------------
class Silence:
    def attached(self) -> None: ...
    def received(self, data: bytes) -> None: ...
    def detached(self) -> None: ...


async def test_a_port_with_something_else_on_it(io: LiveIo) -> None:
    other = OnAWire(Silence(), "modem")
    await other.start()
    with pytest.raises(DeviceAbsent) as absent:
        await driver_of(other, io).open()
    assert absent.value.reason == "not_answering"
    await other.close()


@pytest.mark.parametrize(
    ("port", "opened"),
    [
        ("", "?baud=115200"),
        ("?parity=N", "?parity=N&baud=115200"),
        ("?baud=9600", "?baud=9600"),
    ],
)
async def test_the_chips_own_speed_unless_another_is_said(
    board: Pn532Emulator, io: LiveIo, port: str, opened: str
) -> None:
    driver = NfcpyCardReader(board.address + port, TRUST, io)
    assert (await driver.open()).address == board.address + opened
    await driver.close()


async def test_a_port_that_another_driver_has(
    board: Pn532Emulator, reader: NfcpyCardReader, io: LiveIo
) -> None:
    with pytest.raises(DeviceBlocked) as blocked:
        await driver_of(board, io).open()
    assert blocked.value.reason == "in_use"


@pytest.mark.parametrize("port", ["usb:072f:2200", "usb:054c", "tcp:127.0.0.1:1", "/dev/ttyUSB0", "udp:"])
async def test_an_address_that_no_chip_has(io: LiveIo, port: str) -> None:
    with pytest.raises(DeviceBlocked) as blocked:
        NfcpyCardReader(port, TRUST, io)
    assert blocked.value.reason == "bad_address"


async def test_no_rcs380_is_plugged_in(io: LiveIo) -> None:
    with pytest.raises(DeviceAbsent) as absent:
        await NfcpyCardReader("usb:054c:06c3", TRUST, io).open()
    assert absent.value.reason == "port_absent"


async def test_without_nfcpy_only_this_device_is_blocked(
    board: Pn532Emulator, io: LiveIo, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in [name for name in sys.modules if name.split(".")[-1] in ("nfc_chips", "nfc_watch")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "nfc", None)
    monkeypatch.setitem(sys.modules, "nfc.clf", None)
    with pytest.raises(DeviceBlocked) as blocked:
        await driver_of(board, io).open()
    assert blocked.value.reason == "nfcpy_missing"

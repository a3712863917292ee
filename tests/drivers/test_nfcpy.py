"""nfcpy's PN532 driver over a real serial port library and pseudo-terminals, the chip emulated."""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections.abc import AsyncIterator

import pytest

from tapledger_drivers.cards.nfcpy import NfcpyCardReader
from tapledger_drivers.device import DeviceConfig, HealthLevel
from tapledger_drivers.emulators.faults import Verb
from tapledger_drivers.emulators.nfc_cards import FelicaLite, IsoDepCard, MifareClassic, NfcCard, Ntag
from tapledger_drivers.emulators.on_a_wire import OnAWire
from tapledger_drivers.emulators.pn532 import Pn532Emulator
from tapledger_drivers.errors import CardGone, DeviceAbsent, DeviceBlocked, DeviceError, DeviceLost
from tapledger_drivers.ports import CardEvent, CardPresented, CardRemoved, CardTorn, Feedback, UidKind
from tapledger_drivers.registry import create_driver
from tapledger_drivers.testing import DriverContract, DriverLab
from tapledger_drivers.traffic import Traffic
from tapledger_drivers.transports.live import LiveIo
from tests.drivers.cards import TRUST, UID, token

DEADLINE_S = 20.0
IDM = bytes.fromhex("012E4CD2F1A09B33")
SELECT_NDEF = bytes.fromhex("00A4040007D276000085010100")


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


# ---- faults of cards -----------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", KINDS[:3])
async def test_a_card_torn_away_and_the_next_one_whole(
    board: Pn532Emulator, reader: NfcpyCardReader, io: LiveIo, kind: str
) -> None:
    await board.pull(Verb.TORN_CARD)
    board.insert(card_of(kind))
    taps = reader.taps()
    event = await anext(taps)
    assert isinstance(event, CardTorn) and event.reason == "removed"
    assert isinstance(await anext(taps), CardRemoved)
    assert io.traffic.counters["UnreadableCardCount"] == 1
    board.insert(card_of(kind))
    assert isinstance(await anext(taps), CardPresented)


async def test_two_cards_are_nobody_until_one_is_taken_away(
    board: Pn532Emulator, reader: NfcpyCardReader
) -> None:
    await board.pull(Verb.TWO_CARDS)
    board.insert(card_of("type2"))
    taps = reader.taps()
    event = await anext(taps)
    assert isinstance(event, CardTorn) and event.reason == "collision"
    del board.chip.field[1]
    again = await anext(taps)
    assert isinstance(again, CardPresented) and again.uid == UID


async def test_a_phone_has_another_number_each_time(board: Pn532Emulator, reader: NfcpyCardReader) -> None:
    await board.pull(Verb.RANDOM_UID)
    taps, seen = reader.taps(), set()
    for _ in range(3):
        board.insert(card_of("type2"))
        event = await anext(taps)
        assert isinstance(event, CardPresented)
        assert event.uid_kind is UidKind.RANDOM and event.uid[0] == 0x08
        seen.add(event.uid)
        board.remove()
        assert isinstance(await anext(taps), CardRemoved)
    assert len(seen) == 3


@pytest.mark.parametrize("kind", KINDS)
async def test_a_card_that_says_nonsense_of_itself(
    board: Pn532Emulator, reader: NfcpyCardReader, kind: str
) -> None:
    await board.pull(Verb.WRONG_ATR)
    board.insert(card_of(kind))
    taps = reader.taps()
    event = await anext(taps)
    assert isinstance(event, CardTorn) and event.reason == "bad_answer"
    await board.pull(Verb.WRONG_ATR, on=False)
    board.remove()
    assert isinstance(await anext(taps), CardRemoved)
    board.insert(card_of(kind))
    assert isinstance(await anext(taps), CardPresented)


class WaitingCard(IsoDepCard):
    """Asks for more time, for ever."""

    def exchange(self, frame: bytes) -> bytes | None:
        answer = super().exchange(frame)
        return b"\xf2\x01" if frame[:1] != b"\xe0" else answer


async def test_no_card_holds_the_reader_for_longer_than_three_seconds(
    board: Pn532Emulator, reader: NfcpyCardReader
) -> None:
    board.insert(WaitingCard(UID))
    started_s = time.monotonic()
    event = await anext(reader.taps())
    assert isinstance(event, CardTorn) and event.reason == "too_slow"
    assert time.monotonic() - started_s < 5


async def test_a_card_left_in_its_protocol_is_found_again(
    board: Pn532Emulator, reader: NfcpyCardReader
) -> None:
    card = IsoDepCard(UID, token())
    card.exchange(b"\xe0\x80")  # somebody talked to it, and it heard nothing of the end
    board.chip.field = [card]
    assert (await presented(reader)).uid == UID


# ---- faults of the line --------------------------------------------------------------------------------
async def test_unplugged_seen_in_a_second_and_used_two_seconds_after_it_is_back(
    board: Pn532Emulator, reader: NfcpyCardReader
) -> None:
    waiting = asyncio.ensure_future(anext(reader.taps()))
    await asyncio.sleep(0)
    started_s = time.monotonic()
    await board.pull(Verb.UNPLUG)
    with pytest.raises(DeviceLost) as lost:
        await waiting
    assert lost.value.reason == "unplugged"
    assert time.monotonic() - started_s < 1
    await reader.close()
    with pytest.raises(DeviceAbsent):
        await reader.open()
    started_s = time.monotonic()
    await board.pull(Verb.REPLUG)
    board.insert(card_of("type2"))
    await reader.open()
    assert (await presented(reader)).uid == UID
    assert time.monotonic() - started_s < 2


async def outcome(driver: NfcpyCardReader) -> CardEvent | DeviceError:
    try:
        await driver.open()
        return await anext(driver.taps())
    except DeviceError as error:
        return error
    finally:
        await driver.close()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("verb", "amount"),
    [(Verb.NOISE, 200), (Verb.NOISE, 5), (Verb.NOISE, 1), (Verb.HALF_WRITE, 0), (Verb.DROP_AFTER, 300)],
)
async def test_a_bad_line_is_never_a_wrong_card(
    board: Pn532Emulator, io: LiveIo, kind: str, verb: Verb, amount: int
) -> None:
    card = card_of(kind)
    board.insert(card)
    await board.pull(verb, amount=amount)
    async with asyncio.timeout(DEADLINE_S):
        for _ in range(3):
            result = await outcome(driver_of(board, io))
            if isinstance(result, CardPresented):
                assert result.uid == card.uid
                assert result.ndef in (None, token(card.uid))
            else:
                assert isinstance(result, CardTorn | DeviceLost | DeviceAbsent), result


@pytest.mark.parametrize("verb", [Verb.HALF_WRITE, Verb.GO_AWOL, Verb.DROP_AFTER, Verb.NOISE])
async def test_a_line_that_goes_bad_under_a_waiting_reader_is_lost(
    board: Pn532Emulator, reader: NfcpyCardReader, verb: Verb
) -> None:
    waiting = asyncio.ensure_future(anext(reader.taps()))
    await board.pull(verb)
    with pytest.raises(DeviceLost) as lost:
        await waiting
    assert lost.value.reason in ("hung", "unplugged", "noise")
    assert lost.value.__cause__ is not None
    await reader.close()
    await board.pull(verb, on=False)
    await board.pull(Verb.REPLUG)
    await reader.open()
    board.insert(card_of("type2"))
    assert (await presented(reader)).uid == UID


async def test_a_slow_line_is_only_slow(board: Pn532Emulator, reader: NfcpyCardReader) -> None:
    await board.pull(Verb.SLOW, amount=30)
    board.insert(card_of("type3"))
    assert (await presented(reader)).ndef == token(IDM)


async def test_taps_and_faults_by_the_hundred(
    board: Pn532Emulator, reader: NfcpyCardReader, io: LiveIo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tapledger_drivers.cards.nfcpy.LOOK_EVERY_S", 0.0005)
    rng, read = random.Random(9), 0
    for _ in range(300):
        card = card_of(rng.choice(KINDS))
        if rng.random() < 0.05:
            await board.pull(Verb.TORN_CARD)
        if rng.random() < 0.05:
            await board.pull(Verb.DROP_AFTER, amount=rng.randrange(400))
        board.insert(card)
        waiting_for: type[CardEvent] = CardPresented
        while True:
            try:
                event = await anext(reader.taps())
            except DeviceLost:
                await reader.close()
                await board.pull(Verb.REPLUG)
                board.insert(card)
                await reader.open()
                waiting_for = CardPresented
                continue
            if isinstance(event, CardPresented):
                assert waiting_for is CardPresented and event.uid == card.uid
                read, waiting_for = read + 1, CardRemoved
                board.remove()
            elif isinstance(event, CardRemoved) and waiting_for is CardRemoved:
                break
            elif isinstance(event, CardRemoved):
                board.insert(card)
    assert read >= 300
    assert io.traffic.counters["GoodReadCount"] == read
    assert io.traffic.counters["CommunicationErrorCount"] > 0


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

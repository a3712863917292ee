"""Every fault of a card reader, on the real pcscd."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable

import pytest

from tapledger_drivers.cards.exchange import READ_TIME_MAX_S
from tapledger_drivers.cards.pcsc import READING_MAX_S, PcscCardReader
from tapledger_drivers.device import HealthLevel, Source
from tapledger_drivers.emulators.faults import Verb
from tapledger_drivers.emulators.reader_station import ReaderStation
from tapledger_drivers.emulators.virtual_card import CardKind, VirtualCard
from tapledger_drivers.errors import CardGone, DeviceAbsent, DeviceBlocked, DeviceLost
from tapledger_drivers.ports import CardPresented, CardRemoved, CardTorn, Feedback, UidKind
from tapledger_drivers.traffic import Direction, Traffic
from tests.drivers.cards import OTHER_UID, UID, UNREADABLE, member_card, token
from tests.drivers.readers import DEADLINE_S, made, watching

IDM = bytes.fromhex("0101060112345678")
SERIAL_NUMBER = bytes.fromhex("89860012345678901234")
GET_UID = bytes.fromhex("FFCA000000")
UNKNOWN = bytes.fromhex("00FE0000")


@pytest.mark.parametrize(("verb", "reason"), UNREADABLE)
async def test_a_card_that_cannot_be_read_is_torn_and_the_next_is_read(
    reader_station: ReaderStation, verb: Verb, reason: str
) -> None:
    reader = reader_station.readers[0]
    async with watching(reader_station) as taps:
        await reader.pull(verb)
        await reader.insert(member_card())
        event = await anext(taps)
        assert isinstance(event, CardTorn), event
        assert event.reason == reason
        await reader.remove()
        assert isinstance(await anext(taps), CardRemoved)
        await reader.pull(verb, on=False)
        await reader.insert(member_card())
        assert isinstance(await anext(taps), CardPresented)


async def test_a_phone_is_presented_with_a_number_that_is_none(reader_station: ReaderStation) -> None:
    reader = reader_station.readers[0]
    await reader.pull(Verb.RANDOM_UID)
    uids = set()
    async with watching(reader_station) as taps:
        for _ in range(2):
            await reader.insert(member_card())
            event = await anext(taps)
            assert isinstance(event, CardPresented)
            assert (event.uid_kind, event.uid[0], event.ndef) == (UidKind.RANDOM, 0x08, None)
            uids.add(event.uid)
            await reader.remove()
            assert isinstance(await anext(taps), CardRemoved)
    assert len(uids) == 2


async def test_noise_never_makes_another_member_of_somebody(reader_station: ReaderStation) -> None:
    reader = reader_station.readers[0]
    await reader.pull(Verb.NOISE, amount=30)
    async with watching(reader_station) as taps:
        for _ in range(4):
            await reader.insert(member_card())
            event = await anext(taps)
            if isinstance(event, CardPresented):
                assert (event.uid, event.trust.credential) == (UID, "card-1001")
            else:
                assert isinstance(event, CardTorn)
            await reader.remove()
            assert isinstance(await anext(taps), CardRemoved)


async def test_a_slow_card_is_read_all_the_same(reader_station: ReaderStation) -> None:
    reader = reader_station.readers[0]
    await reader.pull(Verb.SLOW, amount=100)
    async with watching(reader_station) as taps:
        await reader.insert(member_card())
        event = await anext(taps)
        assert isinstance(event, CardPresented)
        assert event.read_at_s - event.seen_at_s >= 0.6


async def test_a_card_that_keeps_its_member_waiting_is_told_of_before_it_is_read(
    reader_station: ReaderStation,
) -> None:
    reader = reader_station.readers[0]
    await reader.pull(Verb.SLOW, amount=300)
    async with watching(reader_station) as taps:
        await reader.insert(member_card())
        event = await anext(taps)
        assert isinstance(event, CardTorn) and event.reason == "too_slow"
        assert isinstance(await anext(taps), CardPresented)


async def test_a_card_that_hangs_is_told_of_while_it_may_still_answer(reader_station: ReaderStation) -> None:
    reader = reader_station.readers[0]
    async with watching(reader_station) as taps:
        await reader.pull(Verb.GO_AWOL)
        await reader.insert(member_card())
        event = await anext(taps)
        assert isinstance(event, CardTorn) and event.reason == "too_slow"
        assert time.monotonic() - event.seen_at_s < READ_TIME_MAX_S
        await reader.pull(Verb.GO_AWOL, on=False)
        assert isinstance(await anext(taps), CardPresented)


async def test_a_card_that_answers_nothing_ends_at_the_deadline_and_holds_no_other_reader(
    reader_station: ReaderStation,
) -> None:
    hung, well = reader_station.readers[0], reader_station.readers[1]
    traffic = Traffic(time.monotonic)
    async with (
        made(hung.name, traffic) as driver,
        watching(reader_station, 1) as taps,
    ):
        await driver.open()
        await hung.pull(Verb.GO_AWOL)
        lost = asyncio.ensure_future(_until_lost(driver))
        await hung.insert(member_card())
        asked_at_s = await _first_apdu(traffic)
        await well.insert(VirtualCard(CardKind.UID_ONLY, OTHER_UID))
        event = await anext(taps)
        assert isinstance(event, CardPresented)
        assert event.read_at_s - event.seen_at_s < 0.1
        error = await lost
        assert (type(error), error.reason) == (DeviceLost, "hung")
        assert time.monotonic() - asked_at_s < READING_MAX_S + 1.0
        await driver.close()
        await hung.pull(Verb.GO_AWOL, on=False)
        again = await _presented_after_reopening(driver)
        assert again.uid == UID


async def _first_apdu(traffic: Traffic) -> float:
    async with asyncio.timeout(DEADLINE_S):
        while True:
            for frame in traffic.frames():
                if frame.channel == "apdu":
                    return frame.at_s
            await asyncio.sleep(0.01)


async def _until_lost(driver: PcscCardReader) -> DeviceLost:
    with pytest.raises(DeviceLost) as caught:
        async for _ in driver.taps():
            pass
    return caught.value


async def _presented_after_reopening(
    driver: PcscCardReader, then: Awaitable[None] | None = None
) -> CardPresented:
    await driver.open()
    if then is not None:
        await then
    async with asyncio.timeout(DEADLINE_S):
        async for event in driver.taps():
            if isinstance(event, CardPresented):
                return event
    raise AssertionError("no card came")


async def test_a_reader_that_is_unplugged_is_absent_and_comes_back_with_its_card(
    reader_station: ReaderStation,
) -> None:
    reader = reader_station.readers[0]
    await reader.insert(member_card())
    async with made(reader.name) as driver:
        await driver.open()
        lost = asyncio.ensure_future(_until_lost(driver))
        await reader.pull(Verb.UNPLUG)
        assert (await lost).reason in ("pcscd_lost", "reader_gone")
        with pytest.raises(DeviceAbsent, match="reader_absent"):
            await driver.open()
        await reader.pull(Verb.REPLUG)
        replugged_at_s = time.monotonic()
        event = await _presented_after_reopening(driver)
        assert event.uid == UID
        assert time.monotonic() - replugged_at_s <= 3.0


async def test_a_reader_set_that_changed_while_pcscd_was_away_is_searched_anew(
    reader_station: ReaderStation,
) -> None:
    first, second = reader_station.readers[0], reader_station.readers[1]
    async with made(second.name) as driver:
        await driver.open()
        lost = asyncio.ensure_future(_until_lost(driver))
        await first.pull(Verb.PCSCD_KILL)
        assert (await lost).reason == "pcscd_lost"
        with pytest.raises(DeviceAbsent, match="pcscd_absent"):
            await driver.open()
        await first.pull(Verb.UNPLUG)
        await first.pull(Verb.PCSCD_KILL, on=False)
        started_at_s = time.monotonic()
        event = await _presented_after_reopening(driver, second.insert(member_card()))
        assert event.uid == UID
        assert time.monotonic() - started_at_s <= 3.0


async def test_a_name_that_means_two_readers_asks_for_a_person(reader_station: ReaderStation) -> None:
    async with made("tapledger virtual") as driver:
        with pytest.raises(DeviceBlocked, match="two_readers") as caught:
            await driver.open()
        assert all(name in caught.value.detail for name in reader_station.reader_names)


async def test_a_felica_card_is_known_by_its_idm(reader_station: ReaderStation) -> None:
    async with watching(reader_station) as taps:
        await reader_station.insert(0, VirtualCard(CardKind.FELICA, IDM))
        event = await anext(taps)
        assert isinstance(event, CardPresented)
        assert (event.uid, event.uid_kind, event.tech) == (IDM, UidKind.FIXED, "type3")


async def test_a_contact_card_is_known_by_its_serial_number(reader_station: ReaderStation) -> None:
    reader = reader_station.readers[0]
    ndef = token(SERIAL_NUMBER)
    async with watching(reader_station, 0, contact=True) as taps:
        await reader.insert(VirtualCard(CardKind.CONTACT, SERIAL_NUMBER, ndef))
        event = await anext(taps)
        assert isinstance(event, CardPresented)
        assert (event.uid, event.uid_kind, event.tech) == (SERIAL_NUMBER, UidKind.FIXED, "iso7816")
        assert event.trust.credential == "card-1001"
        await reader.remove()
        assert isinstance(await anext(taps), CardRemoved)
        nameless = VirtualCard(CardKind.CONTACT, b"")
        await reader.insert(nameless)
        event = await anext(taps)
        assert isinstance(event, CardPresented)
        assert (event.uid, event.uid_kind) == (nameless.atr, UidKind.FORBIDDEN)


# ---- APDUs, light, health ------------------------------------------------------------------------------
@pytest.fixture
async def open_reader(reader_station: ReaderStation) -> AsyncIterator[PcscCardReader]:
    async with made(reader_station.reader_names[0]) as driver:
        await driver.open()
        yield driver


async def test_apdus_reach_the_card_that_lies_there_and_no_tap_is_lost(
    reader_station: ReaderStation, open_reader: PcscCardReader
) -> None:
    with pytest.raises(CardGone, match="removed"):
        await open_reader.transceive([GET_UID])
    taps = open_reader.taps()
    async with asyncio.timeout(DEADLINE_S):
        await reader_station.insert(0, member_card())
        assert isinstance(await anext(taps), CardPresented)
        begun_s = time.monotonic()
        for _ in range(20):
            assert await open_reader.transceive([GET_UID, UNKNOWN]) == [UID + b"\x90\x00", b"\x6d\x00"]
        assert time.monotonic() - begun_s < 2.0, "each exchange ends the wait for cards, none waits for it"
        await reader_station.remove(0)
        assert isinstance(await anext(taps), CardRemoved)
    with pytest.raises(CardGone):
        await open_reader.transceive([GET_UID])
    with pytest.raises(ValueError, match="APDU"):
        await open_reader.transceive([b"\x00"])


async def test_a_card_that_hangs_during_an_exchange_loses_the_reader(
    reader_station: ReaderStation, open_reader: PcscCardReader
) -> None:
    taps = open_reader.taps()
    async with asyncio.timeout(DEADLINE_S):
        await reader_station.insert(0, member_card())
        assert isinstance(await anext(taps), CardPresented)
        await reader_station.readers[0].pull(Verb.GO_AWOL)
        with pytest.raises(DeviceLost, match="hung"):
            await open_reader.transceive([GET_UID])
        with pytest.raises(DeviceLost, match="hung"):
            await anext(taps)


async def test_a_closed_reader_exchanges_nothing(open_reader: PcscCardReader) -> None:
    await open_reader.close()
    with pytest.raises(DeviceLost, match="closed"):
        await open_reader.transceive([GET_UID])


async def test_a_reader_without_light_says_so(open_reader: PcscCardReader) -> None:
    assert [await open_reader.feedback(pattern) for pattern in Feedback] == [False] * len(Feedback)


async def test_a_reader_whose_service_died_is_not_well(
    reader_station: ReaderStation, open_reader: PcscCardReader
) -> None:
    assert (await open_reader.health(HealthLevel.INTERNAL)).ok
    await reader_station.kill_pcscd()
    assert not (await open_reader.health(HealthLevel.INTERNAL)).ok


async def test_pcscd_refusing_escape_commands_leaves_the_reader_working(
    reader_station: ReaderStation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """vpcd knows no escape command, so pcscd refuses them as it does where libccid forbids them."""
    from tapledger_drivers import quirks

    model = quirks.Quirk("ACR122U", "reader", names=("Tapledger",), capabilities={"signals": "acr122"})
    monkeypatch.setattr(quirks, "QUIRKS", (model,))
    traffic = Traffic(time.monotonic)
    async with made(reader_station.reader_names[0], traffic) as driver:
        info = await driver.open()
        assert any(frame.channel == "control" for frame in traffic.frames()), "it was tried"
        escape = info.capabilities["escape"]
        assert (escape.value, escape.source) == (False, Source.DETECTED)
        assert not await driver.feedback(Feedback.ACCEPTED)
        event = await _presented_after_reopening(driver, reader_station.insert(0, member_card()))
        assert event.uid == UID


# ---- what is counted and hidden ------------------------------------------------------------------------
async def test_reads_are_counted_and_cards_hidden(reader_station: ReaderStation) -> None:
    reader, traffic = reader_station.readers[0], Traffic(time.monotonic)
    async with made(reader.name, traffic) as driver, asyncio.timeout(DEADLINE_S):
        await driver.open()
        taps = driver.taps()
        await reader.insert(member_card(CardKind.TYPE2))
        assert isinstance(await anext(taps), CardPresented)
        await reader.remove()
        assert isinstance(await anext(taps), CardRemoved)
        await reader.insert(VirtualCard(CardKind.TYPE4, OTHER_UID, token(OTHER_UID), torn_after=3))
        assert isinstance(await anext(taps), CardTorn)
        lost = asyncio.ensure_future(_until_lost(driver))
        await reader_station.kill_pcscd()
        await lost
    counted = {name: traffic.counters[name] for name in ("GoodReadCount", "UnreadableCardCount")}
    assert counted == {"GoodReadCount": 1, "UnreadableCardCount": 1}
    assert traffic.counters["CommunicationErrorCount"] == 1
    assert len(traffic.observed()["tap_to_card"]) == 2
    heard = b"".join(frame.data for frame in traffic.frames() if frame.direction is Direction.FROM_DEVICE)
    assert UID in heard and OTHER_UID in heard
    for secret in traffic.secrets():
        heard = heard.replace(secret, b"")
    assert UID not in heard and OTHER_UID not in heard
    assert not any(token()[at : at + 8] in heard for at in range(len(token()) - 8))

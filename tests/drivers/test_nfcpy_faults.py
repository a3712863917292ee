"""Cards that are torn, two or strange, and lines that break, under nfcpy's PN532 driver."""

from __future__ import annotations

import asyncio
import random
import time

import pytest

from tapledger_drivers.cards.exchange import READ_TIME_MAX_S
from tapledger_drivers.cards.nfcpy import NfcpyCardReader
from tapledger_drivers.emulators.faults import Verb
from tapledger_drivers.emulators.nfc_cards import IsoDepCard
from tapledger_drivers.emulators.pn532 import Pn532Emulator
from tapledger_drivers.errors import DeviceAbsent, DeviceError, DeviceLost
from tapledger_drivers.ports import CardEvent, CardPresented, CardRemoved, CardTorn, UidKind
from tapledger_drivers.transports.live import LiveIo
from tests.drivers.cards import UID, token
from tests.drivers.nfc_board import (
    DEADLINE_S,
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
    board: Pn532Emulator, reader: NfcpyCardReader, io: LiveIo
) -> None:
    await board.pull(Verb.TWO_CARDS)
    board.insert(card_of("type2"))
    taps = reader.taps()
    event = await anext(taps)
    assert isinstance(event, CardTorn) and event.reason == "collision"
    assert {card.uid for card in board.chip.field} <= set(io.traffic.secrets())
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


async def test_a_line_too_slow_for_a_card_is_told_once_and_the_card_read_when_it_is_not(
    board: Pn532Emulator, reader: NfcpyCardReader
) -> None:
    await board.pull(Verb.SLOW)
    board.insert(card_of("iso14443-4"))
    taps = reader.taps()
    async with asyncio.timeout(DEADLINE_S):
        event = await anext(taps)
        assert isinstance(event, CardTorn) and event.reason == "too_slow"
        assert time.monotonic() - event.seen_at_s < READ_TIME_MAX_S
        await board.pull(Verb.SLOW, on=False)
        assert isinstance(await anext(taps), CardPresented)


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

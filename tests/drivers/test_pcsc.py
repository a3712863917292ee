"""The card reader on the real pcscd, with virtual cards on vpcd's readers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from functools import partial

import pytest

from tapledger_drivers.emulators.faults import Verb
from tapledger_drivers.emulators.reader_station import ReaderStation
from tapledger_drivers.emulators.virtual_card import CardKind, VirtualCard
from tapledger_drivers.errors import DeviceAbsent, DeviceLost
from tapledger_drivers.ports import (
    CardPresented,
    CardReader,
    CardRemoved,
    CardTorn,
    TrustLevel,
)
from tapledger_drivers.testing import DriverContract, DriverLab
from tapledger_drivers.traffic import Direction, Frame, Traffic
from tests.drivers.cards import CREDENTIAL, OTHER_UID, UID, member_card, token
from tests.drivers.readers import made, watching

DEADLINE_S = 10.0


class TestContract(DriverContract):
    @pytest.fixture
    async def lab(self, reader_station: ReaderStation) -> AsyncIterator[DriverLab]:
        reader, traffic = reader_station.readers[0], Traffic(time.monotonic)
        await reader.insert(member_card())
        exchanges = asyncio.Event()
        loop = asyncio.get_running_loop()

        def passed(frame: Frame) -> None:
            del frame
            loop.call_soon_threadsafe(exchanges.set)

        async def hang() -> None:
            await reader.pull(Verb.GO_AWOL)
            await reader.remove()
            traffic.listeners.append(passed)
            await reader.insert(member_card())
            while not _waits_for_an_answer(traffic):
                exchanges.clear()
                await exchanges.wait()

        async with made(reader.name, traffic) as driver, made("No Such Reader") as absent:
            yield DriverLab(
                driver,
                absent,
                unplug=partial(reader.pull, Verb.UNPLUG),
                replug=partial(reader.pull, Verb.REPLUG),
                hang=hang,
                traffic=traffic,
            )


def _waits_for_an_answer(traffic: Traffic) -> bool:
    frames = traffic.frames()
    return (frames[-1].channel, frames[-1].direction) == ("apdu", Direction.TO_DEVICE)


@pytest.mark.parametrize("kind", [CardKind.TYPE4, CardKind.TYPE2])
async def test_a_members_card_is_presented_with_its_token(
    reader_station: ReaderStation, kind: CardKind
) -> None:
    async with watching(reader_station) as taps:
        await reader_station.insert(0, member_card(kind))
        event = await anext(taps)
        assert isinstance(event, CardPresented)
        assert (event.uid, event.ndef) == (UID, token())
        assert (event.trust.level, event.trust.credential) == (TrustLevel.L1, CREDENTIAL)
        assert event.trust.evidence == "token:key=demo-1"
        assert event.atr == member_card(kind).atr
        assert event.seen_at_s <= event.read_at_s <= time.monotonic()
        await reader_station.remove(0)
        assert isinstance(await anext(taps), CardRemoved)


async def test_a_bare_card_and_a_copied_token_are_l0(reader_station: ReaderStation) -> None:
    bare = VirtualCard(CardKind.UID_ONLY, UID)
    copy = VirtualCard(CardKind.TYPE4, OTHER_UID, token(UID))
    async with watching(reader_station) as taps:
        for card, evidence in ((bare, "uid-only"), (copy, "token:uid-mismatch")):
            await reader_station.insert(0, card)
            event = await anext(taps)
            assert isinstance(event, CardPresented)
            assert (event.trust.level, event.trust.evidence) == (TrustLevel.L0, evidence)
            assert event.trust.credential is None
            await reader_station.remove(0)
            assert isinstance(await anext(taps), CardRemoved)


@pytest.mark.parametrize("left_after", [0, 1, 5])
async def test_a_card_that_leaves_early_is_torn_then_removed(
    reader_station: ReaderStation, left_after: int
) -> None:
    async with watching(reader_station) as taps:
        await reader_station.insert(0, member_card(torn_after=left_after))
        event = await anext(taps)
        assert isinstance(event, CardTorn)
        assert event.reason == "removed"
        assert isinstance(await anext(taps), CardRemoved)


async def test_a_card_that_answers_wrongly_is_torn(reader_station: ReaderStation) -> None:
    async with watching(reader_station) as taps:
        await reader_station.insert(0, VirtualCard(CardKind.TYPE4, UID, token(), wrong_answers=True))
        event = await anext(taps)
        assert isinstance(event, CardTorn)
        assert event.reason == "bad_answer"


async def test_a_card_already_there_at_open_is_presented(reader_station: ReaderStation) -> None:
    async with watching(reader_station) as taps:
        await reader_station.insert(0, member_card())
        assert isinstance(await anext(taps), CardPresented)
    async with watching(reader_station) as taps:
        assert isinstance(await anext(taps), CardPresented)


async def test_two_readers_do_not_mix(reader_station: ReaderStation) -> None:
    async with watching(reader_station, 0) as kiosk, watching(reader_station, 2) as till:
        await reader_station.insert(2, VirtualCard(CardKind.UID_ONLY, OTHER_UID))
        event = await anext(till)
        assert isinstance(event, CardPresented)
        assert event.uid == OTHER_UID
        await reader_station.insert(0, member_card())
        event = await anext(kiosk)
        assert isinstance(event, CardPresented)
        assert event.uid == UID


async def test_a_card_is_seen_within_3_s_of_pcscds_restart(reader_station: ReaderStation) -> None:
    async with made(reader_station.reader_names[0]) as reader:
        await _see_a_card_after_a_restart(reader, reader_station)


async def _see_a_card_after_a_restart(reader: CardReader, reader_station: ReaderStation) -> None:
    await reader.open()
    waiting = asyncio.ensure_future(anext(reader.taps()))
    await reader_station.kill_pcscd()
    with pytest.raises(DeviceLost):
        await waiting
    seen = asyncio.ensure_future(_reopen_and_tap(reader))
    try:
        await asyncio.wait([seen], timeout=1.0)  # down for a while, so that the back-off has grown
        assert not seen.done()
        await reader_station.start_pcscd()
        restarted_at_s = time.monotonic()
        await reader_station.insert(0, member_card())
        event = await asyncio.wait_for(seen, DEADLINE_S)
        assert event.uid == UID
        assert time.monotonic() - restarted_at_s <= 3.0
    finally:
        seen.cancel()


async def _reopen_and_tap(reader: CardReader) -> CardPresented:
    """Do as the supervisor does: back off 0.2 * 1.8^n seconds, at most 2."""
    back_off_s = 0.2
    while True:
        try:
            await reader.open()
            async for event in reader.taps():
                if isinstance(event, CardPresented):
                    return event
        except (DeviceAbsent, DeviceLost):
            await asyncio.sleep(back_off_s)
            back_off_s = min(back_off_s * 1.8, 2.0)

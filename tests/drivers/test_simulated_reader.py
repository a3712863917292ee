from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial

import pytest

from tapledger_drivers.cards.exchange import GET_UID
from tapledger_drivers.emulators import simulated_reader
from tapledger_drivers.emulators.faults import Verb
from tapledger_drivers.emulators.simulated_reader import SimulatedCardReader
from tapledger_drivers.emulators.virtual_card import CardKind, VirtualCard
from tapledger_drivers.errors import CardGone, DeviceAbsent, DeviceLost
from tapledger_drivers.ports import (
    CardPresented,
    CardRemoved,
    CardTorn,
    Feedback,
    TrustLevel,
    UidKind,
)
from tapledger_drivers.testing import DriverContract, DriverLab
from tests.drivers.cards import TRUST, UID, UNREADABLE, member_card

TAPS = 300
DEADLINE_S = 10.0


@pytest.fixture
async def reader() -> AsyncIterator[SimulatedCardReader]:
    simulated = SimulatedCardReader("kiosk", TRUST)
    assert (await simulated.open()).virtual
    yield simulated
    await simulated.close()


async def test_it_reads_as_the_real_one_does(reader: SimulatedCardReader) -> None:
    taps = reader.taps()
    reader.insert(member_card())
    presented = await anext(taps)
    assert isinstance(presented, CardPresented)
    assert presented.trust.level is TrustLevel.L1
    reader.remove()
    assert isinstance(await anext(taps), CardRemoved)
    reader.insert(member_card(torn_after=3))
    assert isinstance(await anext(taps), CardTorn)
    assert isinstance(await anext(taps), CardRemoved)
    reader.insert(VirtualCard(CardKind.UID_ONLY, UID))
    bare = await anext(taps)
    assert isinstance(bare, CardPresented)
    assert bare.trust.level is TrustLevel.L0
    await reader.close()
    assert [event async for event in taps] == []


async def test_a_card_that_hangs_is_told_of_before_the_reader_is_lost(
    reader: SimulatedCardReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(simulated_reader, "SLOW_S", 0.01)
    monkeypatch.setattr(simulated_reader, "HANG_S", 0.02)
    taps = reader.taps()
    await reader.pull(Verb.GO_AWOL)
    reader.insert(member_card())
    told = await anext(taps)
    assert isinstance(told, CardTorn) and told.reason == "too_slow"
    with pytest.raises(DeviceLost, match="hung"):
        await anext(taps)


async def test_a_hung_card_that_is_taken_away_is_removed(
    reader: SimulatedCardReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(simulated_reader, "SLOW_S", 0.01)
    taps = reader.taps()
    await reader.pull(Verb.GO_AWOL)
    reader.insert(member_card())
    async with asyncio.timeout(DEADLINE_S):
        assert isinstance(await anext(taps), CardTorn)
        reader.remove()
        assert isinstance(await anext(taps), CardRemoved)


@pytest.mark.parametrize("card", [VirtualCard(CardKind.UID_ONLY, UID), member_card()], ids=["uid", "token"])
async def test_noise_makes_no_stranger_of_a_member(reader: SimulatedCardReader, card: VirtualCard) -> None:
    taps = reader.taps()
    await reader.pull(Verb.NOISE, amount=5)
    read = 0
    for _ in range(TAPS):
        reader.insert(card)
        event = await anext(taps)
        if isinstance(event, CardPresented):
            read += 1
            assert event.uid == UID
            assert card.kind is CardKind.UID_ONLY or event.trust.level is TrustLevel.L1
        else:
            assert isinstance(event, CardTorn)
        reader.remove()
        assert isinstance(await anext(taps), CardRemoved)
    assert 0 < read < TAPS


@pytest.mark.parametrize(("verb", "reason"), UNREADABLE)
async def test_its_faults_are_those_of_the_real_one(
    reader: SimulatedCardReader, verb: Verb, reason: str
) -> None:
    taps = reader.taps()
    await reader.pull(verb)
    assert [fault.verb for fault in reader.faults()] == [verb]
    reader.insert(member_card())
    torn = await anext(taps)
    assert isinstance(torn, CardTorn) and torn.reason == reason
    reader.remove()
    assert isinstance(await anext(taps), CardRemoved)
    await reader.pull(verb, on=False)
    assert reader.faults() == ()
    reader.insert(member_card())
    assert isinstance(await anext(taps), CardPresented)


async def test_a_phone_and_a_slow_card(reader: SimulatedCardReader) -> None:
    taps = reader.taps()
    await reader.pull(Verb.RANDOM_UID)
    await reader.pull(Verb.SLOW, amount=20)
    reader.insert(member_card())
    event = await anext(taps)
    assert isinstance(event, CardPresented)
    assert event.uid_kind is UidKind.RANDOM
    assert event.read_at_s - event.seen_at_s >= 0.02


async def test_unplugged_it_is_lost_and_comes_back_with_its_card(reader: SimulatedCardReader) -> None:
    taps = reader.taps()
    reader.insert(member_card())
    assert isinstance(await anext(taps), CardPresented)
    await reader.pull(Verb.UNPLUG)
    with pytest.raises(DeviceLost, match="reader_gone"):
        await anext(taps)
    with pytest.raises(DeviceAbsent, match="reader_absent"):
        await reader.open()
    await reader.pull(Verb.REPLUG)
    await reader.open()
    assert isinstance(await anext(reader.taps()), CardPresented)


async def test_apdus_and_light(reader: SimulatedCardReader) -> None:
    with pytest.raises(CardGone):
        await reader.transceive([GET_UID])
    reader.insert(member_card())
    assert await reader.transceive([GET_UID]) == [UID + b"\x90\x00"]
    assert await reader.feedback(Feedback.ACCEPTED)
    assert reader.shown is Feedback.ACCEPTED
    with pytest.raises(ValueError, match="paper_out"):
        await reader.pull(Verb.PAPER_OUT)


class TestContract(DriverContract):
    @pytest.fixture
    async def lab(self) -> AsyncIterator[DriverLab]:
        driver, absent = SimulatedCardReader("kiosk", TRUST), SimulatedCardReader("none", TRUST)
        await absent.pull(Verb.UNPLUG)
        yield DriverLab(
            driver,
            absent,
            unplug=partial(driver.pull, Verb.UNPLUG),
            replug=partial(driver.pull, Verb.REPLUG),
        )
        await driver.close()

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tapledger_drivers.emulators.simulated_reader import SimulatedCardReader
from tapledger_drivers.emulators.virtual_card import CardKind, VirtualCard
from tapledger_drivers.ports import CardPresented, CardRemoved, CardTorn, TrustLevel
from tests.drivers.cards import TRUST, UID, member_card


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

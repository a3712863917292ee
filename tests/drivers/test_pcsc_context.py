"""Contexts of one process beside each other: libpcsclite has a lock for all of them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from tapledger_drivers.cards.exchange import GET_UID
from tapledger_drivers.emulators.faults import Verb
from tapledger_drivers.emulators.reader_station import ReaderStation
from tapledger_drivers.io import Pcsc, PcscCard, PcscFailed, ReaderState
from tapledger_drivers.traffic import Traffic
from tapledger_drivers.transports.live import LiveIo
from tests.drivers.cards import UID, member_card

DEADLINE_S = 10.0
CALL_S = 3.0
PRESENT = 0x20


@pytest.fixture
async def ios() -> AsyncIterator[list[LiveIo]]:
    ios = [LiveIo(name, Traffic(time.monotonic)) for name in ("first", "second")]
    yield ios
    for io in ios:
        await io.close()


def _connected(context: Pcsc, reader: str) -> PcscCard:
    state = ReaderState(reader, 0, 0, b"")
    deadline_s = time.monotonic() + DEADLINE_S
    while not state.flags & PRESENT:
        assert time.monotonic() < deadline_s, "no card came"
        (state,) = context.wait([state], 1.0) or [state]
    return context.connect(reader)


async def test_a_context_that_hangs_holds_no_other_when_it_is_given_back(
    reader_station: ReaderStation, ios: list[LiveIo]
) -> None:
    reader, (first, second) = reader_station.readers[0], ios
    await reader.insert(member_card())
    context = await first.run(DEADLINE_S, first.pcsc)
    card = await first.run(None, _connected, context, reader.name)
    await reader.pull(Verb.GO_AWOL)
    asking = asyncio.ensure_future(first.run(DEADLINE_S, card.transmit, GET_UID))
    while not any(frame.channel == "apdu" for frame in first.traffic.frames()):  # noqa: ASYNC110 - a thread's
        await asyncio.sleep(0.001)
    await second.run(CALL_S, context.release)
    other = await second.run(CALL_S, second.pcsc)
    assert set(reader_station.reader_names) <= set(await second.run(CALL_S, other.readers))
    await second.run(CALL_S, other.release)
    await reader.pull(Verb.GO_AWOL, on=False)
    assert await asking == UID + b"\x90\x00"
    with pytest.raises(PcscFailed):  # the call that was in it has given it back
        await first.run(CALL_S, context.readers)


def test_a_wait_that_told_of_readers_is_not_ended_by_the_same_news_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Newer pcsc-lite counts every coming and going, here four of two readers, and compares that count."""
    from smartcard import scard

    from tapledger_drivers.transports.pcsc import PcscContext

    happened = 4

    def status_change(
        context: int, timeout_ms: int, asked: list[tuple[str, int]]
    ) -> tuple[int, list[tuple[str, int, list[int]]]]:
        del context, timeout_ms
        ((name, known),) = asked
        if known >> 16 in (0, happened):
            return scard.SCARD_E_TIMEOUT, [(name, known, [])]
        return scard.SCARD_S_SUCCESS, [(name, happened << 16 | scard.SCARD_STATE_CHANGED, [])]

    monkeypatch.setattr(scard, "SCardEstablishContext", lambda scope: (scard.SCARD_S_SUCCESS, 7))
    monkeypatch.setattr(scard, "SCardListReaders", lambda *_: (scard.SCARD_S_SUCCESS, ["First", "Second"]))
    monkeypatch.setattr(scard, "SCardGetStatusChange", status_change)
    context = PcscContext(Traffic(time.monotonic))
    waits = []
    for _ in range(3):
        context.readers()
        waits.append(context.wait((), 1.0))
    assert waits == [[], None, None]

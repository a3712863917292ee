"""Light and buzzer: the bytes that reach a reader, and what happens when it refuses them."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from tapledger_drivers.cards import pcsc
from tapledger_drivers.cards.pcsc import PcscCardReader
from tapledger_drivers.cards.pcsc_codes import ESCAPE
from tapledger_drivers.device import HealthLevel, Source
from tapledger_drivers.errors import DeviceLost
from tapledger_drivers.io import PcscCard, PcscFailed, ReaderState
from tapledger_drivers.ports import CardRemoved, CardTorn, Feedback
from tapledger_drivers.traffic import Traffic
from tapledger_drivers.transports.live import LiveIo
from tests.drivers.readers import driver_for

ACR122U = "ACS ACR122U PICC Interface 00 00"
ACR1252U = "ACS ACR1252 Dual Reader [ACR1252 Dual Reader PICC] 00 00"
ACR1252U_SAM = "ACS ACR1252 Dual Reader [ACR1252 Dual Reader SAM] 01 00"
NOT_SUPPORTED = 0x8010001F


class FakeReader:
    """pcscd with empty readers, one of which obeys escape commands as its model does."""

    def __init__(self, names: Sequence[str], refuses: bool = False) -> None:
        self.names = list(names)
        self.refuses = refuses
        self.controls: list[bytes] = []
        self.connected_to: list[tuple[str, bool]] = []
        self.released = 0
        self.answers = threading.Event()
        """Clear it, and commands are answered only once it is set again."""
        self.answers.set()
        self._woken = threading.Event()

    # ---- io.Pcsc ---------------------------------------------------------------------------------------
    def readers(self) -> list[str]:
        return self.names

    def wait(self, known: Sequence[ReaderState], timeout_s: float) -> list[ReaderState] | None:
        if known[0].flags == 0:
            return [ReaderState(known[0].name, 0x12, 0, b"")]
        self._woken.wait(timeout_s)
        self._woken.clear()
        return None

    def connect(self, reader: str, *, direct: bool = False) -> PcscCard:
        self.connected_to.append((reader, direct))
        return self

    def cancel(self) -> None:
        self._woken.set()

    def release(self) -> None:
        self.released += 1

    # ---- io.PcscCard -----------------------------------------------------------------------------------
    def transmit(self, apdu: bytes) -> bytes:
        raise AssertionError(f"no card lies there for {apdu.hex()}")

    def control(self, code: int, data: bytes) -> bytes:
        assert code == ESCAPE
        self.answers.wait()
        if self.refuses:
            raise PcscFailed("SCardControl", NOT_SUPPORTED)
        self.controls.append(data)
        if data == bytes.fromhex("FF00480000"):
            return b"ACR122U215"
        if data == bytes.fromhex("E000001800"):
            return bytes.fromhex("E1000000") + b"\x0fACR1252U_V100.0"
        if data == bytes.fromhex("E000002100"):
            return bytes.fromhex("E1000000017F")
        return bytes.fromhex("E1000000") + data[4:] if data[0] == 0xE0 else b"\x90\x02"

    def disconnect(self) -> None:
        return


class FakeIo(LiveIo):
    def __init__(self, reader: FakeReader) -> None:
        super().__init__("kiosk-reader", Traffic(time.monotonic))
        self._reader = reader

    def pcsc(self) -> FakeReader:
        return self._reader


@asynccontextmanager
async def driving(fake: FakeReader, name: str, **options: object) -> AsyncIterator[PcscCardReader]:
    io = FakeIo(fake)
    driver = driver_for(name, io, **options)
    try:
        yield driver
    finally:
        await driver.close()
        await io.close()


@pytest.mark.parametrize(
    ("pattern", "shown"),
    [
        (Feedback.READY, "FF 00 40 0E 04 00 00 00 00"),
        (Feedback.READING, "FF 00 40 0F 04 00 00 00 00"),
        (Feedback.ACCEPTED, "FF 00 40 AE 04 01 01 01 01"),
        (Feedback.REFUSED, "FF 00 40 5D 04 01 01 02 01"),
        (Feedback.OFF, "FF 00 40 0C 04 00 00 00 00"),
    ],
)
async def test_an_acr122u_shows_each_pattern(pattern: Feedback, shown: str) -> None:
    fake = FakeReader([ACR122U])
    async with driving(fake, "acr122") as driver:
        info = await driver.open()
        assert fake.controls == [bytes.fromhex("FF00480000"), bytes.fromhex("FF00520000")]
        assert info.firmware == "ACR122U215"
        assert info.capabilities["escape"].value is True
        assert info.capabilities["led"].source is Source.QUIRK
        fake.controls.clear()
        assert await driver.feedback(pattern)
        assert fake.controls == [bytes.fromhex(shown)]
        assert set(fake.connected_to) == {(ACR122U, True)}, "no card is needed"


async def test_the_readers_own_beep_is_ended_at_each_open() -> None:
    fake = FakeReader([ACR122U])
    async with driving(fake, "acr122") as driver:
        for _ in range(2):
            await driver.open()
    assert fake.controls.count(bytes.fromhex("FF00520000")) == 2


@pytest.mark.parametrize(
    ("pattern", "shown"),
    [
        (Feedback.READY, ["E0 00 00 29 01 02"]),
        (Feedback.READING, ["E0 00 00 29 01 03"]),
        (Feedback.ACCEPTED, ["E0 00 00 29 01 02", "E0 00 00 28 01 0A"]),
        (Feedback.REFUSED, ["E0 00 00 29 01 01", "E0 00 00 28 01 28"]),
        (Feedback.OFF, ["E0 00 00 29 01 00"]),
    ],
)
async def test_an_acr1252u_shows_each_pattern_on_its_contactless_slot(
    pattern: Feedback, shown: list[str]
) -> None:
    fake = FakeReader([ACR1252U_SAM, ACR1252U])
    async with driving(fake, "ACR1252") as driver:
        info = await driver.open()
        assert info.model == ACR1252U
        # Its behaviour is read first: 7F beeps at each card, 77 does not, and what is written stays for good.
        behaviour = [bytes.fromhex("E000002100"), bytes.fromhex("E00000210177")]
        assert fake.controls == [bytes.fromhex("E000001800"), *behaviour]
        fake.controls.clear()
        assert await driver.feedback(pattern)
        assert fake.controls == [bytes.fromhex(command) for command in shown]


async def test_a_silent_reader_blinks_only() -> None:
    fake = FakeReader([ACR122U])
    async with driving(fake, "acr122", buzzer=False) as driver:
        info = await driver.open()
        assert info.capabilities["buzzer"].source is Source.OPERATOR
        await driver.feedback(Feedback.REFUSED)
    assert fake.controls[-1] == bytes.fromhex("FF00405D0401010200")


async def test_an_operator_who_forbids_escape_is_obeyed() -> None:
    fake = FakeReader([ACR122U])
    async with driving(fake, "acr122", escape=False) as driver:
        info = await driver.open()
        assert (info.capabilities["escape"].value, info.capabilities["escape"].source) == (
            False,
            Source.OPERATOR,
        )
        assert not await driver.feedback(Feedback.ACCEPTED)
    assert fake.controls == [] and fake.connected_to == []


async def test_a_refusal_is_remembered_and_not_asked_again() -> None:
    fake = FakeReader([ACR122U], refuses=True)
    async with driving(fake, "acr122") as driver:
        info = await driver.open()
        assert (info.capabilities["escape"].value, info.capabilities["escape"].source) == (
            False,
            Source.DETECTED,
        )
        tried = len(fake.connected_to)
        assert not await driver.feedback(Feedback.ACCEPTED)
        assert len(fake.connected_to) == tried


async def test_health_beeps_only_when_it_may_be_heard() -> None:
    fake = FakeReader([ACR122U])
    async with driving(fake, "acr122") as driver:
        await driver.open()
        fake.controls.clear()
        assert (await driver.health(HealthLevel.INTERNAL)).level is HealthLevel.INTERNAL
        assert fake.controls == []
        report = await driver.health(HealthLevel.EXTERNAL)
        assert report.level is HealthLevel.EXTERNAL and report.ok
        assert fake.controls == [bytes.fromhex("FF0040AE0401010101")]


async def test_a_light_that_hangs_is_noticed_also_when_nobody_waits_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pcsc, "CALL_TIMEOUT_S", 0.2)
    fake = FakeReader([ACR122U])
    async with driving(fake, "acr122") as driver:
        await driver.open()
        fake.answers.clear()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(driver.feedback(Feedback.ACCEPTED), 0.05)
        with pytest.raises(DeviceLost, match="hung"):
            await anext(driver.taps())
        fake.answers.set()
        await driver.open()
        assert await driver.feedback(Feedback.READY)


async def test_a_reader_that_pcscd_lets_go_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeReader([ACR122U])
    async with driving(fake, "acr122") as driver:
        gone = ReaderState(ACR122U, 0x000E, 0, b"")  # changed, unknown, unavailable
        monkeypatch.setattr(fake, "wait", lambda known, timeout_s: [gone])
        await driver.open()
        with pytest.raises(DeviceLost, match="reader_gone") as caught:
            await anext(driver.taps())
        assert isinstance(caught.value.__cause__, PcscFailed)


@pytest.mark.parametrize(
    ("moves", "events"),
    [(0, []), (2, [CardTorn, CardRemoved]), (0x10000, []), (-0xFFFE, [CardTorn, CardRemoved])],
)
async def test_a_card_between_two_looks_is_torn(
    monkeypatch: pytest.MonkeyPatch, moves: int, events: list[type]
) -> None:
    """pcscd counts movements in 16 bits: two more and no card there means that one came and went."""
    fake = FakeReader([ACR122U])
    states = [ReaderState(ACR122U, 0x12, count & 0xFFFF, b"") for count in (0xFFFE, 0xFFFE + moves)]
    states.append(ReaderState(ACR122U, 0x222, 0xFFFF, b""))

    def wait(known: Sequence[ReaderState], timeout_s: float) -> list[ReaderState] | None:
        return [states.pop(0)] if states else None

    monkeypatch.setattr(fake, "wait", wait)
    async with driving(fake, "acr122") as driver:
        await driver.open()
        taps = driver.taps()
        seen = [type(await anext(taps)) for _ in range(len(events) + 1)]
    assert seen == [*events, CardTorn], "the last one lies there and is mute"


async def test_a_fault_of_ours_reaches_whoever_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeReader([ACR122U])
    async with driving(fake, "acr122") as driver:
        monkeypatch.setattr(fake, "wait", lambda known, timeout_s: known[1])
        await driver.open()
        with pytest.raises(IndexError):
            await anext(driver.taps())
        await driver.close()
    assert fake.released == 1

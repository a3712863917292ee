"""The supervisor: every device is kept open, and none delays another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tapledger.devices import supervisor
from tapledger.devices.supervisor import DeviceSupervisor
from tapledger_drivers.errors import DeviceAbsent, DeviceBlocked, DeviceLost
from tapledger_drivers.ports import CardRemoved, Driver, Scan
from tests.devices.fakes import PAPER_OUT, PATIENCE_S, READY, FakePrinter, FakeReader, FakeScanner, Room

TAPS = 1000


@asynccontextmanager
async def running(**drivers: Driver) -> AsyncIterator[Room]:
    room = Room({role.replace("_", "-"): driver for role, driver in drivers.items()})
    task = asyncio.create_task(room.devices.run())
    try:
        yield room
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let waits be short: what is tested is their order, not their length."""
    for name in ("FIRST_WAIT_S", "LONGEST_WAIT_S", "PRINTER_POLL_S"):
        monkeypatch.setattr(supervisor, name, 0.01)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let waits be endless: only a wake ends one."""
    for name in ("FIRST_WAIT_S", "LONGEST_WAIT_S", "BLOCKED_WAIT_S", "PRINTER_POLL_S"):
        monkeypatch.setattr(supervisor, name, 1e6)


async def test_a_driver_that_hangs_delays_no_other() -> None:
    stuck, scanner = FakeReader(), FakeScanner()
    stuck.hangs = True
    async with running(kiosk_reader=stuck, till_scanner=scanner) as room:
        await room.until(lambda: room.link("till-scanner") == "online")
        await scanner.events.put(Scan(b"1", "1", 0.0))
        async for scan in room.devices.scans():
            assert (scan.role, scan.event) == ("till-scanner", Scan(b"1", "1", 0.0))
            break
        assert room.link("kiosk-reader") == "opening"


async def test_taps_keep_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "QUEUE_LENGTH", 8)  # they wait their turn when nobody takes them
    reader = FakeReader()
    for number in range(TAPS):
        reader.events.put_nowait(CardRemoved(float(number)))
    async with running(kiosk_reader=reader) as room:
        seen: list[float] = []
        async for tap in room.devices.taps():
            seen.append(tap.event.seen_at_s)
            if len(seen) == TAPS:
                break
        assert seen == [float(number) for number in range(TAPS)]


async def test_an_absent_device_is_tried_until_it_is_there(hurried: None) -> None:
    reader = FakeReader()
    reader.openings = [*(DeviceAbsent("reader_absent") for _ in range(5)), None]
    async with running(kiosk_reader=reader) as room:
        await room.until(lambda: room.link("kiosk-reader") == "absent")
        assert room.devices.states["kiosk-reader"].reason == "reader_absent"
        await room.until(lambda: room.link("kiosk-reader") == "online")
        state = room.devices.states["kiosk-reader"]
        assert (reader.tries, reader.closed, state.opened, state.reason) == (6, 5, 1, "")


async def test_waits_grow_to_their_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    enough = asyncio.Event()

    async def note_wait(self: DeviceSupervisor, role: str, seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 8:
            enough.set()
            await asyncio.Event().wait()

    monkeypatch.setattr(DeviceSupervisor, "_wait", note_wait)
    reader = FakeReader()
    reader.openings = [DeviceAbsent("reader_absent")]
    async with running(kiosk_reader=reader), asyncio.timeout(PATIENCE_S):
        await enough.wait()
    jitter = 1.1 / 0.9
    for count, wait in enumerate(waits):
        planned = min(supervisor.FIRST_WAIT_S * supervisor.WAIT_GROWTH**count, supervisor.LONGEST_WAIT_S)
        assert planned / jitter < wait < planned * jitter
    assert waits[-1] > waits[0] * 5


async def test_a_wake_cuts_the_wait_short(patient: None) -> None:
    reader = FakeReader()
    reader.openings = [DeviceAbsent("reader_absent"), None]
    async with running(kiosk_reader=reader) as room:
        await room.until(lambda: room.link("kiosk-reader") == "absent")
        room.devices.wake("nobody")
        room.devices.wake("kiosk-reader")
        await room.until(lambda: room.link("kiosk-reader") == "online")


async def test_a_blocked_device_says_why_and_waits_for_a_person(patient: None) -> None:
    reader = FakeReader()
    reader.openings = [DeviceBlocked("not_permitted", "usermod -aG dialout"), None]
    async with running(kiosk_reader=reader) as room:
        await room.until(lambda: room.link("kiosk-reader") == "blocked")
        state = room.devices.states["kiosk-reader"]
        assert (state.reason, state.detail) == ("not_permitted", "usermod -aG dialout")
        room.devices.wake("kiosk-reader")
        await room.until(lambda: room.link("kiosk-reader") == "online")


async def test_a_device_that_is_lost_is_closed_and_opened_again(hurried: None) -> None:
    reader = FakeReader()
    async with running(kiosk_reader=reader) as room:
        for times in (1, 2, 3):
            await room.until(lambda: room.devices.states["kiosk-reader"].opened == times)  # noqa: B023
            reader.events.put_nowait(CardRemoved(float(times)))
            reader.events.put_nowait(DeviceLost("reader_gone"))
            await room.until(lambda: reader.closed == times)  # noqa: B023
        seen = []
        async for tap in room.devices.taps():
            seen.append(tap.event.seen_at_s)
            if len(seen) == 3:
                break
        assert seen == [1.0, 2.0, 3.0]


@pytest.mark.parametrize("fault", [ZeroDivisionError("a mistake in a driver"), None], ids=["raises", "ends"])
async def test_a_faulty_driver_takes_nobody_down(patient: None, fault: Exception | None) -> None:
    """A driver that breaks the port's promises is a device in trouble, not the end of the shop."""
    faulty, scanner = FakeReader(), FakeScanner()
    async with running(kiosk_reader=faulty, till_scanner=scanner) as room:
        await room.until(lambda: room.link("kiosk-reader") == "online")
        faulty.events.put_nowait(fault)
        await room.until(lambda: room.link("kiosk-reader") == "backing_off")
        assert (faulty.tries, faulty.closed) == (1, 1), "it is not opened again without a wait"
        assert room.devices.states["kiosk-reader"].reason == "driver_fault"
        await scanner.events.put(Scan(b"1", "1", 0.0))
        async for _ in room.devices.scans():
            break
        room.devices.wake("kiosk-reader")
        await room.until(lambda: room.link("kiosk-reader") == "online")


async def test_a_driver_that_cannot_be_made_is_blocked(patient: None) -> None:
    room = Room({"kiosk-reader": DeviceBlocked("unknown_driver", "did you mean pcsc?")})  # type: ignore[dict-item]
    task = asyncio.create_task(room.devices.run())
    await room.until(lambda: room.link("kiosk-reader") == "blocked")
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_an_idle_printer_is_asked_how_it_is(patient: None) -> None:
    printer = FakePrinter()
    async with running(receipt_printer=printer) as room:
        await room.until(lambda: room.link("receipt-printer") == "online")
        assert room.devices.printer_ready.is_set()
        for state, link, ready in ((PAPER_OUT, "degraded", False), (READY, "online", True)):
            printer.state = state
            room.devices.wake("receipt-printer")
            await room.until(lambda: room.link("receipt-printer") == link)  # noqa: B023
            assert room.devices.printer_ready.is_set() is ready
        assert room.devices.printer("receipt-printer") is not None
        assert room.devices.printer("other") is None


async def test_stopping_closes_what_is_open() -> None:
    drivers = FakeReader(), FakeScanner(), FakePrinter()
    async with running(kiosk_reader=drivers[0], till_scanner=drivers[1], receipt_printer=drivers[2]) as room:
        await room.until(lambda: all(state.link == "online" for state in room.devices.states.values()))
    assert [driver.closed for driver in drivers] == [1, 1, 1]

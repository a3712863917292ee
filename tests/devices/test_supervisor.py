"""The supervisor: every device is kept open, and none delays another."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tapledger.clock import SystemClock
from tapledger.devices import keeper, supervisor, waiting
from tapledger.devices.supervisor import DeviceSupervisor
from tapledger.errors import NotFound, Unavailable
from tapledger_drivers.device import DeviceConfig, DeviceInfo, Finding, HealthLevel, HealthReport
from tapledger_drivers.errors import DeviceAbsent, DeviceBlocked, DeviceLost
from tapledger_drivers.io import Io
from tapledger_drivers.ports import CardRemoved, Driver, PrinterStatus, Scan
from tapledger_drivers.transports.live import LiveIo
from tests.devices.fakes import (
    INFO,
    PAPER_OUT,
    PATIENCE_S,
    READY,
    FakePrinter,
    FakeReader,
    FakeScanner,
    HangsOn,
    MemoryEvents,
    Room,
)

TAPS = 1000
OTHERS_DELAY_S = 0.1
"""A hung device may add so much to any other."""
READER, SCANNER, PRINTER = "kiosk-reader", "till-scanner", "receipt-printer"


@asynccontextmanager
async def running(**drivers: Driver | HangsOn) -> AsyncIterator[Room]:
    room = Room({role.replace("_", "-"): driver for role, driver in drivers.items()})
    async with run(room.devices):
        yield room


@asynccontextmanager
async def run(devices: DeviceSupervisor) -> AsyncIterator[None]:
    task = asyncio.create_task(devices.run())
    try:
        yield
    finally:
        task.cancel()
        ended = await asyncio.gather(task, return_exceptions=True)
        assert isinstance(ended[0], asyncio.CancelledError), repr(ended[0])


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let waits be short: what is tested is their order, not their length."""
    for name in ("FIRST_S", "LONGEST_S", "LOOK_S"):
        monkeypatch.setattr(waiting, name, 0.01)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let waits be endless: only a wake ends one."""
    for name in ("FIRST_S", "LONGEST_S", "LOOK_S"):
        monkeypatch.setattr(waiting, name, 1e6)
    monkeypatch.setattr(keeper, "HEALTH_EVERY_S", 1e6)


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let health be asked all the time."""
    monkeypatch.setattr(keeper, "HEALTH_EVERY_S", 0.01)
    monkeypatch.setattr(keeper, "HEALTH_DEADLINE_S", 0.05)


async def test_a_driver_that_hangs_delays_no_other() -> None:
    stuck, scanner = FakeReader(), FakeScanner()
    stuck.hangs = True
    async with running(kiosk_reader=stuck, till_scanner=scanner) as room:
        await room.until(lambda: room.link(SCANNER) == "online")
        await scanner.events.put(Scan(b"1", "1", 0.0))
        async for scan in room.devices.scans():
            assert (scan.role, scan.event) == (SCANNER, Scan(b"1", "1", 0.0))
            break
        assert room.link(READER) == "opening"


async def test_a_driver_that_blocks_its_thread_delays_no_other() -> None:
    """Every device has a thread of its own, and a hung call is given up with it."""
    let_go = threading.Event()

    class Blocking(FakeReader):
        def __init__(self, io: Io) -> None:
            super().__init__()
            self._io = io

        async def open(self) -> DeviceInfo:
            await self._io.run(60.0, let_go.wait)
            return INFO

    scanner, clock = FakeScanner(), SystemClock()

    def build(config: DeviceConfig, io: Io, sibling: object) -> Driver:
        return Blocking(io) if config.role == READER else scanner

    configs = [DeviceConfig(READER, "fake"), DeviceConfig(SCANNER, "fake")]
    devices = DeviceSupervisor(configs, build, clock, lambda: None, MemoryEvents(clock))
    took: list[float] = []
    try:
        async with run(devices), asyncio.timeout(PATIENCE_S):
            await scanner.opened.wait()
            for number in range(20):
                began_s = clock.monotonic_s()
                await scanner.events.put(Scan(b"1", str(number), 0.0))
                async for _ in devices.scans():
                    break
                took.append(clock.monotonic_s() - began_s)
            assert devices.states[READER].link == "opening"
    finally:
        let_go.set()
    assert sorted(took)[-2] < OTHERS_DELAY_S


async def test_a_driver_that_swallows_its_cancellation_is_left_behind(
    monkeypatch: pytest.MonkeyPatch, hurried: None
) -> None:
    monkeypatch.setattr(keeper, "OPEN_DEADLINE_S", 0.02)
    let_go = asyncio.Event()

    class Stubborn(FakeReader):
        async def open(self) -> DeviceInfo:
            while not let_go.is_set():
                try:
                    await let_go.wait()
                except asyncio.CancelledError:
                    self.tries += 1
            return INFO

    stubborn = Stubborn()
    async with running(kiosk_reader=stubborn) as room:
        await room.until(lambda: room.devices.states[READER].reason == "hung")
        await room.until(lambda: room.link(READER) == "backing_off")
        let_go.set()
    assert stubborn.tries >= 1


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
        assert max(room.events.batches) > 1, "what waits is written at once"


async def test_an_absent_device_is_looked_for_until_it_is_there(hurried: None) -> None:
    reader = FakeReader()
    reader.openings = [*(DeviceAbsent("reader_absent") for _ in range(5)), None]
    async with running(kiosk_reader=reader) as room:
        await room.until(lambda: room.link(READER) == "absent")
        assert room.devices.states[READER].reason == "reader_absent"
        changes = room.changes
        await room.until(lambda: room.link(READER) == "online")
        state = room.devices.states[READER]
        assert (reader.tries, reader.closed, state.opened, state.reason) == (6, 5, 1, "")
        assert room.changes == changes + 1, "a look that finds nothing is no news"


async def test_a_wake_cuts_the_wait_short(patient: None) -> None:
    reader = FakeReader()
    reader.openings = [DeviceAbsent("reader_absent"), None]
    async with running(kiosk_reader=reader) as room:
        await room.until(lambda: room.link(READER) == "absent")
        room.devices.wake(READER)
        assert room.link(READER) == "discovered"
        assert room.devices.states[READER].reason == "reader_absent", "it stands while it is tried"
        await room.until(lambda: room.link(READER) == "online")
        assert room.devices.states[READER].reason == ""


async def test_a_blocked_device_says_why_and_waits_for_a_person(patient: None) -> None:
    reader = FakeReader()
    reader.openings = [DeviceBlocked("not_permitted", "usermod -aG dialout"), None]
    async with running(kiosk_reader=reader) as room:
        await room.until(lambda: room.link(READER) == "blocked")
        state = room.devices.states[READER]
        assert (state.reason, state.detail) == ("not_permitted", "usermod -aG dialout")
        room.devices.wake(READER)
        await room.until(lambda: room.link(READER) == "online")


async def test_a_device_that_is_lost_is_closed_and_opened_again(hurried: None) -> None:
    reader = FakeReader()
    async with running(kiosk_reader=reader) as room:
        for times in (1, 2, 3):
            await room.until(lambda: room.devices.states[READER].opened == times)  # noqa: B023
            reader.events.put_nowait(CardRemoved(float(times)))
            reader.events.put_nowait(DeviceLost("reader_gone"))
            await room.until(lambda: reader.closed == times)  # noqa: B023
        seen = []
        async for tap in room.devices.taps():
            seen.append(tap.event.seen_at_s)
            if len(seen) == 3:
                break
        assert seen == [1.0, 2.0, 3.0]
        assert room.devices.statistics(READER).lost == 3
        assert room.devices.statistics(READER).counters["CommunicationErrorCount"] == 3


@pytest.mark.parametrize(
    "fault",
    [ZeroDivisionError("a mistake in a driver"), asyncio.CancelledError(), None],
    ids=["raises", "cancels", "ends"],
)
async def test_a_faulty_driver_takes_nobody_down(patient: None, fault: BaseException | None) -> None:
    """A driver that breaks the port's promises is a device in trouble, not the end of the shop."""
    faulty, scanner = FakeReader(), FakeScanner()
    async with running(kiosk_reader=faulty, till_scanner=scanner) as room:
        await room.until(lambda: room.link(READER) == "online")
        faulty.events.put_nowait(fault)
        await room.until(lambda: room.link(READER) == "backing_off")
        assert (faulty.tries, faulty.closed) == (1, 1), "it is not opened again without a wait"
        assert room.devices.states[READER].reason == "driver_fault"
        await scanner.events.put(Scan(b"1", "1", 0.0))
        async for _ in room.devices.scans():
            break
        room.devices.wake(READER)
        await room.until(lambda: room.link(READER) == "online")


async def test_a_driver_whose_opening_cancels_itself_is_tried_again(patient: None) -> None:
    reader = FakeReader()
    reader.openings = [asyncio.CancelledError(), None]
    async with running(kiosk_reader=reader) as room:
        await room.until(lambda: room.devices.states[READER].reason == "driver_fault")
        room.devices.wake(READER)
        await room.until(lambda: room.link(READER) == "online")


async def test_a_driver_that_cannot_be_made_is_blocked(patient: None) -> None:
    room = Room({READER: DeviceBlocked("unknown_driver", "did you mean pcsc?")})  # type: ignore[dict-item]
    async with run(room.devices):
        await room.until(lambda: room.link(READER) == "blocked")


async def test_a_printer_says_by_itself_how_it_is(patient: None) -> None:
    printer = FakePrinter()
    async with running(receipt_printer=printer) as room:
        await room.until(lambda: room.devices.states[PRINTER].ready)
        near_end = PrinterStatus(True, "ok", "16 12", near_end=True)
        for state, link, ready in (
            (PAPER_OUT, "degraded", False),
            (READY, "online", True),
            (near_end, "degraded", True),
        ):
            printer.state = state
            await room.until(lambda: room.link(PRINTER) == link)  # noqa: B023
            assert room.devices.states[PRINTER].ready is ready
        assert room.devices.states[PRINTER].reason == "near_end"
        assert room.devices.printer(PRINTER) is not None
        assert room.devices.printer("other") is None


async def test_an_answer_that_is_older_than_the_printers_last_word_is_not_shown(patient: None) -> None:
    """Somebody wakes it while its paper is out; before the answer arrives, paper is in and that was told."""
    answering, may_answer = asyncio.Event(), asyncio.Event()

    class Slow(FakePrinter):
        async def status(self) -> PrinterStatus:
            was = self.state
            answering.set()
            await may_answer.wait()
            return was

        async def health(self, level: HealthLevel) -> HealthReport:
            status = await self.status()
            self.checks += 1
            return HealthReport(level, (Finding(status.reason, status.ready),))

    printer = Slow()
    async with running(receipt_printer=printer) as room, asyncio.timeout(PATIENCE_S):
        await room.until(lambda: room.devices.states[PRINTER].ready)
        printer.state = PAPER_OUT
        await room.until(lambda: room.link(PRINTER) == "degraded")
        room.devices.wake(PRINTER)
        await answering.wait()
        printer.state = READY
        await room.until(lambda: room.link(PRINTER) == "online")
        answering.clear()
        may_answer.set()
        room.devices.wake(PRINTER)
        await answering.wait()  # so the first answer has been dealt with
        assert (room.link(PRINTER), room.devices.states[PRINTER].ready) == ("online", True)


async def test_a_device_that_answers_no_check_is_opened_again(watched: None, hurried: None) -> None:
    reader = FakeReader()
    reader.healthy = DeviceLost("hung", "no answer")
    async with running(kiosk_reader=reader) as room:
        await room.until(lambda: room.devices.states[READER].opened >= 2)
        assert reader.checks >= keeper.MISSES_MAX


async def test_what_a_check_finds_is_shown_and_passes_by_itself(watched: None) -> None:
    scanner = FakeScanner()
    async with running(till_scanner=scanner) as room:
        scanner.healthy = HealthReport(HealthLevel.INTERNAL, (Finding("noise", False, "40 % of bytes"),))
        await room.until(lambda: room.link(SCANNER) == "degraded")
        assert room.devices.states[SCANNER].reason == "noise"
        scanner.healthy = HealthReport(HealthLevel.INTERNAL, (Finding("aim_id_sent", False),))
        await room.until(lambda: room.link(SCANNER) == "online")  # advice is no trouble


async def test_a_check_is_for_an_open_device(patient: None) -> None:
    reader = FakeReader()
    reader.openings = [DeviceAbsent("reader_absent")]
    async with running(kiosk_reader=reader) as room:
        await room.until(lambda: room.link(READER) == "absent")
        with pytest.raises(Unavailable, match="DEVICE_NOT_OPEN"):
            await room.devices.check(READER, HealthLevel.EXTERNAL)
        with pytest.raises(NotFound, match="DEVICE_UNKNOWN"):
            await room.devices.check("nobody", HealthLevel.EXTERNAL)


async def test_a_disabled_device_is_left_alone_until_it_is_enabled(patient: None) -> None:
    reader = FakeReader()
    async with running(kiosk_reader=reader) as room:
        await room.until(lambda: room.link(READER) == "online")
        room.devices.enable(READER, False)
        await room.until(lambda: room.link(READER) == "disabled")
        assert reader.closed == 1
        room.devices.wake(READER)
        assert room.link(READER) == "disabled"
        room.devices.enable(READER, True)
        await room.until(lambda: room.link(READER) == "online")
        await room.until(lambda: len(room.events.kept) >= 4)
        written = [event.shown["link"] for event in room.events.kept]
        assert written == ["online", "lost", "disabled", "online"], "nobody has found that it is not there"


async def test_a_device_that_is_on_is_not_closed_to_be_switched_on(patient: None) -> None:
    reader = FakeReader()
    async with running(kiosk_reader=reader) as room:
        await room.until(lambda: room.link(READER) == "online")
        reader.healthy = HealthReport(HealthLevel.INTERNAL, (Finding("noise", False),))
        room.devices.enable(READER, True)
        room.devices.wake(READER)
        await room.until(lambda: room.link(READER) == "degraded")
        assert room.devices.states[READER].opened == 1


async def test_stopping_closes_what_is_open() -> None:
    drivers = FakeReader(), FakeScanner(), FakePrinter()
    async with running(kiosk_reader=drivers[0], till_scanner=drivers[1], receipt_printer=drivers[2]) as room:
        await room.until(lambda: all(state.link == "online" for state in room.devices.states.values()))
    assert [driver.closed for driver in drivers] == [1, 1, 1]


async def test_stopping_while_a_driver_closes_lets_its_line_go() -> None:
    closing, closed = asyncio.Event(), asyncio.Event()

    class Slow(FakeReader):
        async def close(self) -> None:
            closing.set()
            await asyncio.Event().wait()

    class Line(LiveIo):
        async def close(self) -> None:
            await super().close()
            closed.set()

    reader, clock = Slow(), SystemClock()
    configs = [DeviceConfig(READER, "fake")]
    devices = DeviceSupervisor(
        configs, lambda *_: reader, clock, lambda: None, MemoryEvents(clock), make_io=Line
    )
    async with run(devices), asyncio.timeout(PATIENCE_S):
        await reader.opened.wait()
        devices.reopen(READER)
        await closing.wait()
    assert closed.is_set()


async def test_trouble_is_written_down_once_and_its_end_once(hurried: None) -> None:
    reader = FakeReader()
    reader.openings = [*(DeviceAbsent("reader_absent") for _ in range(5)), None]
    async with running(kiosk_reader=reader) as room:
        await room.until(lambda: room.link(READER) == "online")
        await room.until(lambda: len(room.events.kept) >= 2)
        assert [event.shown["link"] for event in room.events.kept] == ["absent", "online"]

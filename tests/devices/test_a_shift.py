"""A shift of a shop in virtual time, over drivers that do as they are told: how often an absent device is
looked for and an open one asked, and what is written down of it. ``test_day.py`` lives with random faults."""

from __future__ import annotations

import asyncio
import datetime as dt

from tapledger.devices import waiting
from tapledger_drivers.cassettes.virtual_time import VirtualTimeLoop
from tapledger_drivers.errors import DeviceAbsent, DeviceLost
from tapledger_drivers.ports import CardRemoved
from tests.devices.fakes import FakePrinter, FakeReader, FakeScanner, Room
from tests.store.shops import START

SHIFT_S = 6 * 3600.0
LOSSES = 200


class LoopClock:
    """The loop's own time."""

    def monotonic_s(self) -> float:
        return asyncio.get_running_loop().time()

    def now(self) -> dt.datetime:
        return START + dt.timedelta(seconds=self.monotonic_s())


async def pass_by(seconds: float) -> None:
    """Let time pass; it costs none."""
    over = asyncio.Event()
    asyncio.get_running_loop().call_later(seconds, over.set)
    await over.wait()


def test_a_shift_with_an_absent_reader_a_shaky_one_and_a_printer() -> None:
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(a_shift())


async def a_shift() -> None:
    gone, shaky, printer = FakeReader(), FakeReader(), FakePrinter()
    gone.openings = [DeviceAbsent("reader_absent")]
    scanner = FakeScanner()
    room = Room(
        {"kiosk-reader": gone, "till-reader": shaky, "receipt-printer": printer, "till-scanner": scanner},
        LoopClock(),
    )
    seen: list[float] = []

    async def listen() -> None:
        async for tap in room.devices.taps():
            seen.append(tap.event.seen_at_s)

    async with asyncio.TaskGroup() as group:
        running = [group.create_task(room.devices.run()), group.create_task(listen())]
        for number in range(LOSSES):
            await pass_by(SHIFT_S / LOSSES)
            shaky.events.put_nowait(CardRemoved(float(number)))
            shaky.events.put_nowait(DeviceLost("reader_gone"))
        await pass_by(60)
        for task in running:
            task.cancel()
    assert seen == [float(number) for number in range(LOSSES)], "no event is lost, none is doubled"
    assert room.devices.states["till-reader"].opened == LOSSES + 1
    assert SHIFT_S / waiting.LOOK_S * 0.9 < gone.tries < SHIFT_S / waiting.LOOK_S * 1.2
    assert printer.checks > SHIFT_S / 25, "an open device is asked all the time whether it is there"
    assert len(room.events.kept) == 1 + 3 + LOSSES * 3, "absent once; each open once; tap, loss, return"

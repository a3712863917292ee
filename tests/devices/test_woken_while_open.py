"""A device that is open is woken to be looked at, not to be tried again once it is lost."""

from __future__ import annotations

import asyncio

from tapledger_drivers.device import HealthLevel, HealthReport
from tapledger_drivers.errors import DeviceLost
from tests.devices.fakes import FakeReader
from tests.devices.test_hanging_on import MANY_TURNS
from tests.devices.test_supervisor import READER, running
from tests.devices.test_supervisor import patient as patient


class Silent(FakeReader):
    """A reader that never says how it is."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = asyncio.Event()

    async def health(self, level: HealthLevel) -> HealthReport:
        self.asked.set()
        await asyncio.Event().wait()
        raise AssertionError


async def test_a_reader_that_hangs_is_not_tried_again_at_once(patient: None) -> None:
    """Any change at the machine wakes every device. One that came while this reader was being looked at let
    it be hung for six milliseconds, which no face could show."""
    reader = Silent()
    async with running(kiosk_reader=reader) as room:
        await room.until(lambda: room.link(READER) == "online")
        room.devices.wake(READER)
        await reader.asked.wait()
        room.devices.wake(READER)
        reader.events.put_nowait(DeviceLost("hung"))
        await room.until(lambda: room.devices.states[READER].reason == "hung")
        for _ in range(MANY_TURNS):
            await asyncio.sleep(0)
        assert (reader.tries, room.devices.states[READER].reason) == (1, "hung")
        room.devices.wake(READER)
        await room.until(lambda: room.link(READER) == "online")

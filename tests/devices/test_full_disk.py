"""What devices report while the disk takes nothing."""

from __future__ import annotations

import asyncio

from tapledger.clock import SystemClock
from tapledger.devices.supervisor import DeviceSupervisor
from tapledger.errors import Unavailable
from tapledger_drivers.device import DeviceConfig
from tapledger_drivers.ports import Scan
from tests.devices.fakes import PATIENCE_S, FakeScanner, MemoryEvents
from tests.devices.test_supervisor import SCANNER, run


class FullDisk(MemoryEvents):
    """Refuses all that is to be stored; ``refused`` once that was a code."""

    def __init__(self) -> None:
        super().__init__(SystemClock())
        self.refused = asyncio.Event()

    async def _write(self, batch: list[object]) -> None:  # type: ignore[override]
        for one in batch:
            one.stored.set_exception(Unavailable("STORE_FAULT", why="disk full"))  # type: ignore[attr-defined]
            if one.draft.type == "data":  # type: ignore[attr-defined]
                self.refused.set()


async def test_a_code_that_could_not_be_stored_still_goes_to_whose_it_is() -> None:
    """The till says what is wrong at its own try to store it; what a page was testing is not for the till."""
    scanner, events, holder = FakeScanner(), FullDisk(), "page-one-session"
    devices = DeviceSupervisor(
        [DeviceConfig(SCANNER, "fake")],
        lambda *_: scanner,
        SystemClock(),
        lambda: None,
        events,
        holder=lambda role: holder,
    )
    async with run(devices), asyncio.timeout(PATIENCE_S):
        scanner.events.put_nowait(Scan(b"tested", "tested", 0.0))
        await events.refused.wait()
        holder = "till"
        scanner.events.put_nowait(Scan(b"sold", "sold", 0.0))
        scan = await anext(devices.scans())
        assert (scan.event, scan.seq) == (Scan(b"sold", "sold", 0.0), None)

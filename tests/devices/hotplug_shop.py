"""A shop's scanner on a mock bus, in a process of its own under ``umockdev-wrapper``: the real supervisor,
discovery and driver; behind every device file is one scanner on a pseudo-terminal.

A line of its input is ``["plug", port, tty]``, ``["pull", port, tty]``, ``["scan", text]`` or ``["reopen"]``;
how the device is, and each code, comes out as a line of JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys

import structlog

from tapledger.clock import SystemClock
from tapledger.devices.discovery.udev import UdevSource
from tapledger.devices.discovery.watch import Discovery
from tapledger.devices.supervisor import DeviceSupervisor
from tapledger_drivers.cards.trust.signed_token import SignedTokenPolicy
from tapledger_drivers.device import DeviceConfig
from tapledger_drivers.emulators.faults import Verb
from tapledger_drivers.emulators.serial_scanner import SerialScannerEmulator
from tapledger_drivers.io import Stream
from tapledger_drivers.registry import create_driver
from tapledger_drivers.traffic import Traffic
from tapledger_drivers.transports.live import LiveIo
from tests.devices import mock_bus
from tests.devices.fakes import MemoryEvents

ROLE, MODEL = "till-scanner", "0C2E:0B61"
CONFIG = DeviceConfig(ROLE, "serial_line", {"match": {"usb_id": MODEL}})


class Behind(LiveIo):
    """umockdev refuses the ioctls of its device files, so another one is opened in their place."""

    def __init__(self, role: str, traffic: Traffic, path: str) -> None:
        super().__init__(role, traffic)
        self._path = path

    async def stream(self, address: str) -> Stream:
        stream = await super().stream(f"tty:{self._path}")
        stream.address = address
        return stream


class Shop:
    def __init__(self) -> None:
        self._bus = mock_bus.MockBus()
        self._scanner = SerialScannerEmulator()
        self._plugged = 0
        clock = SystemClock()
        trust = SignedTokenPolicy({})
        self.discovery = Discovery([UdevSource()], [CONFIG], lambda candidates: self.devices.wake(ROLE))
        self.devices = DeviceSupervisor(
            [CONFIG],
            lambda config, io, sibling: create_driver(self.discovery.resolve(config), trust, io, sibling),
            clock,
            self._say,
            MemoryEvents(clock),
            make_io=lambda role, traffic: Behind(role, traffic, self._scanner.path),
        )

    async def obey(self, command: str, *arguments: str) -> None:
        if command == "scan":
            await self._scanner.scan(*arguments)
            return
        if command == "reopen":
            self.devices.reopen(ROLE)
            return
        port, tty = arguments
        if command == "plug":
            self._plugged += 1
            await self._scanner.start()
            self._bus.plug(mock_bus.usb_device(port, MODEL) + mock_bus.serial_port(port, tty))
        else:
            self._plugged -= 1
            if self._plugged == 0:
                await self._scanner.pull(Verb.UNPLUG)
            self._bus.pull(mock_bus.tty_path(port, tty), *mock_bus.usb_paths(port))

    async def tell_scans(self) -> None:
        async for scan in self.devices.scans():
            print(json.dumps({"scan": getattr(scan.event, "text", "")}), flush=True)

    def _say(self) -> None:
        state = self.devices.states[ROLE]
        address = "" if state.info is None else state.info.address
        said = {"link": state.link, "reason": state.reason, "detail": state.detail, "address": address}
        print(json.dumps(said), flush=True)


async def main() -> None:
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    shop = Shop()
    commands = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(commands), sys.stdin
    )
    running = [
        asyncio.create_task(work) for work in (shop.discovery.run(), shop.devices.run(), shop.tell_scans())
    ]
    while line := await commands.readline():
        await shop.obey(*json.loads(line))
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)


if __name__ == "__main__":
    asyncio.run(main())

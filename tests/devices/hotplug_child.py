"""Discovery over a mock bus, in a process of its own under ``umockdev-wrapper``.

Each line of its input is ``[method of MockBus, argument, …]`` or ``["list"]``; what is plugged in comes out
as one line of JSON after every change.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import sys

import structlog

from tapledger.devices.discovery.identity import Candidate
from tapledger.devices.discovery.udev import UdevSource
from tapledger.devices.discovery.watch import Discovery
from tests.devices.mock_bus import MockBus


async def main() -> None:
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    bus = MockBus()
    bus.plug("P: /devices/pci0/usb1\nE: SUBSYSTEM=usb\nE: DEVTYPE=usb_device\nA: bDeviceClass=09\n\n")
    rescan_s = float(sys.argv[1])
    discovery = Discovery([UdevSource(rescan_s)], [], _say)
    commands = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(commands), sys.stdin
    )
    following = asyncio.create_task(discovery.run())
    _say(discovery.candidates)
    while line := await commands.readline():
        method, *arguments = json.loads(line)
        getattr(bus, method)(*arguments)
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)


def _say(candidates: tuple[Candidate, ...]) -> None:
    print(json.dumps([dataclasses.asdict(one) for one in candidates]), flush=True)


if __name__ == "__main__":
    asyncio.run(main())

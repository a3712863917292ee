"""Hot-plug as udev tells it: real libudev, netlink and sysfs code over umockdev's bus."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tapledger.devices.discovery.identity import Candidate, Match, guess, resolve
from tapledger_drivers.errors import DeviceAbsent, DeviceBlocked
from tests.devices import mock_bus

ROOT = Path(__file__).parents[2]
PATIENCE_S = 10.0
SCANNER, PRINTER = "0C2E:0B61", "04B8:0E15"


class Bus:
    """The child's bus, and what its discovery says is plugged in."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.seen: list[Candidate] = []

    def do(self, method: str, *arguments: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([method, *arguments]).encode() + b"\n")

    async def until(self, holds: Callable[[list[Candidate]], bool]) -> list[Candidate]:
        assert self._process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            while not holds(self.seen):
                line = await self._process.stdout.readline()
                assert line, "discovery ended"
                self.seen = [Candidate(**one) for one in json.loads(line)]
        return self.seen

    async def until_paths(self, *paths: str) -> list[Candidate]:
        """Wait until exactly these device files are there, USB devices themselves left out."""
        seen = await self.until(lambda all_: files(all_) == sorted(paths))
        return [one for one in seen if one.subsystem != "usb"]


def files(candidates: list[Candidate]) -> list[str]:
    return sorted(one.path for one in candidates if one.subsystem != "usb")


async def _start(rescan_s: float) -> asyncio.subprocess.Process:
    assert shutil.which("umockdev-wrapper"), "apt-get install umockdev"
    command = ("umockdev-wrapper", sys.executable, "-m", "tests.devices.hotplug_child", str(rescan_s))
    return await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )


@pytest.fixture
async def bus() -> AsyncIterator[Bus]:
    """Yield a bus whose rescan comes too late for any test: what is seen, netlink said."""
    async for made in _bus(3600.0):
        yield made


@pytest.fixture
async def quick_bus() -> AsyncIterator[Bus]:
    """Yield a bus that is looked at again every tenth of a second."""
    async for made in _bus(0.1):
        yield made


async def _bus(rescan_s: float) -> AsyncIterator[Bus]:
    process = await _start(rescan_s)
    try:
        yield Bus(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await asyncio.wait_for(process.wait(), PATIENCE_S)


async def test_a_scanner_is_seen_when_it_is_plugged_in_and_when_it_is_pulled(bus: Bus) -> None:
    place, link = "pci-0000:00:14.0-usb-0:1.2:1.0", "usb-Acme_Scanner_SN1-if00"
    bus.do("plug", mock_bus.usb_device("1-1.2", SCANNER, "SN1"))
    bus.do(
        "plug",
        mock_bus.serial_port("1-1.2", "ttyACM0", links=f"/dev/serial/by-id/{link}", place=place),
    )
    (seen,) = await bus.until_paths("/dev/ttyACM0")
    assert seen == Candidate("tty", "/dev/ttyACM0", SCANNER, "SN1", link, place, "1-1.2", "Acme Scanner")
    bus.do("pull", mock_bus.tty_path("1-1.2", "ttyACM0"), *mock_bus.usb_paths("1-1.2"))
    assert await bus.until_paths() == []


async def test_another_number_is_the_same_device(bus: Bus) -> None:
    """ttyACM0 is pulled and comes back as ttyACM5: the serial number says who it is."""
    bus.do("plug", mock_bus.usb_device("1-1.2", SCANNER, "SN1"))
    bus.do("plug", mock_bus.serial_port("1-1.2", "ttyACM0"))
    wanted = Match(usb_serial="SN1")
    seen = await bus.until_paths("/dev/ttyACM0")
    assert resolve("till-scanner", wanted, seen).path == "/dev/ttyACM0"
    bus.do("pull", mock_bus.tty_path("1-1.2", "ttyACM0"), *mock_bus.usb_paths("1-1.2"))
    with pytest.raises(DeviceAbsent, match="not_plugged_in"):
        resolve("till-scanner", wanted, await bus.until_paths())
    bus.do("plug", mock_bus.usb_device("1-1.3", SCANNER, "SN1"))
    bus.do("plug", mock_bus.serial_port("1-1.3", "ttyACM5"))
    seen = await bus.until_paths("/dev/ttyACM5")
    assert resolve("till-scanner", wanted, seen).path == "/dev/ttyACM5"


async def test_two_devices_alike_are_told_apart_by_their_ports(bus: Bus) -> None:
    for port, tty in (("1-1.2", "ttyACM0"), ("1-1.3", "ttyACM1")):
        bus.do("plug", mock_bus.usb_device(port, SCANNER))
        bus.do("plug", mock_bus.serial_port(port, tty))
    seen = await bus.until_paths("/dev/ttyACM0", "/dev/ttyACM1")
    with pytest.raises(DeviceBlocked) as refused:
        resolve("till-scanner", Match(usb_id=SCANNER), seen)
    assert refused.value.reason == "two_devices"
    for port, tty in (("1-1.2", "ttyACM0"), ("1-1.3", "ttyACM1")):
        place = f"usb-{port}:1.0"
        assert f'(/dev/{tty} at USB port {port}): match = {{ by_path = "{place}" }}' in refused.value.detail
        assert resolve("till-scanner", Match(by_path=place), seen).path == f"/dev/{tty}"


async def test_what_no_message_tells_the_next_look_finds(quick_bus: Bus) -> None:
    """The messages of udev get lost when the host is busy, and there are none without udev."""
    quick_bus.do("plug", mock_bus.usb_device("1-1.2", SCANNER))
    quick_bus.do("plug", mock_bus.serial_port("1-1.2", "ttyACM0"))
    await quick_bus.until_paths("/dev/ttyACM0")
    quick_bus.do("hide", "tty", "ttyACM0")
    await quick_bus.until_paths()
    quick_bus.do("unhide", "tty", "ttyACM0")
    await quick_bus.until_paths("/dev/ttyACM0")


async def test_printers_and_keyboards_are_told_from_the_rest(bus: Bus) -> None:
    bus.do("plug", mock_bus.usb_device("1-1.1", PRINTER, name="TM-T20III"))
    bus.do("plug", mock_bus.printer_port("1-1.1", 0))
    bus.do("plug", mock_bus.usb_device("1-1.2", SCANNER))
    bus.do("plug", mock_bus.keyboard("1-1.2", "event5"))
    bus.do("plug", mock_bus.usb_device("1-1.3", "046D:C077", name="Mouse"))
    bus.do("plug", mock_bus.keyboard("1-1.3", "event6", keys="1f0000 0"))
    everything = await bus.until(lambda all_: len(all_) == 6)
    seen = {one.path: one for one in everything}
    assert guess(seen["/dev/usb/lp0"]) == "printer"
    assert guess(seen["/dev/input/event5"]) in ("keyboard", "scanner")
    assert guess(seen["/dev/input/event6"]) == "other"
    # A hub is nobody's device; every other USB device is there itself too.
    assert {one.port for one in everything if one.subsystem == "usb"} == {"1-1.1", "1-1.2", "1-1.3"}

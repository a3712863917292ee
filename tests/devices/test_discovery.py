"""The list of what is plugged in: who is woken, what a role opens, what is offered for a broken device."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import ParamSpec, TypeVar

import pytest

from tapledger.devices.discovery import readers
from tapledger.devices.discovery.identity import Candidate
from tapledger.devices.discovery.readers import PcscSource
from tapledger.devices.discovery.source import Change, HotplugEvent, HotplugSource
from tapledger.devices.discovery.static import StaticSource, paths_of
from tapledger.devices.discovery.watch import Discovery
from tapledger_drivers.device import DeviceConfig
from tapledger_drivers.emulators.memory import MemoryIo
from tapledger_drivers.emulators.reader_station import ReaderStation
from tapledger_drivers.errors import DeviceAbsent, DeviceBlocked, DeviceLost
from tapledger_drivers.io import Pcsc, PcscCard, PcscFailed, ReaderState
from tapledger_drivers.traffic import Traffic
from tapledger_drivers.transports.live import LiveIo
from tests.drivers.station import reader_station as reader_station
from tests.drivers.station import started_station as started_station

A = ParamSpec("A")
T = TypeVar("T")

PATIENCE_S = 10.0
SCANNER, PRINTER = "0c2e:0b61", "04b8:0e15"


def plugged(path: str, usb_id: str, serial: str, port: str, subsystem: str = "tty") -> HotplugEvent:
    vendor, product = usb_id.split(":")
    said = {
        "ID_VENDOR_ID": vendor,
        "ID_MODEL_ID": product,
        "ID_SERIAL_SHORT": serial,
        "ID_PATH": f"pci-usb-{port}:1.0",
        "USB_PORT": port,
    }
    return HotplugEvent(Change.ADDED, subsystem, path, said)


def pulled(path: str, subsystem: str = "tty") -> HotplugEvent:
    return HotplugEvent(Change.REMOVED, subsystem, path)


class HandSource:
    """Reports what a test says. ``fails`` are raised one by one before anything else."""

    def __init__(self, *there: HotplugEvent) -> None:
        self.name = "hand"
        self.fails: list[Exception] = []
        self.queue: asyncio.Queue[HotplugEvent] = asyncio.Queue()
        self._there = list(there)

    def scan(self) -> list[HotplugEvent]:
        there, self._there = self._there, []
        return there

    async def events(self) -> AsyncIterator[HotplugEvent]:
        if self.fails:
            raise self.fails.pop(0)
        for event in self.scan():
            yield event
        while True:
            yield await self.queue.get()


class Watching:
    """A running discovery and the changes it told."""

    def __init__(self, *sources: HotplugSource, configs: tuple[DeviceConfig, ...] = ()) -> None:
        self.discovery = Discovery(sources, configs, self._told)
        self._changed = asyncio.Event()
        self.paths: list[list[str]] = []

    def _told(self, candidates: tuple[Candidate, ...]) -> None:
        self.paths.append([one.path for one in candidates])
        self._changed.set()

    async def __aenter__(self) -> Watching:
        self._running = asyncio.create_task(self.discovery.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._running.cancel()
        await asyncio.gather(self._running, return_exceptions=True)

    async def until(self, holds: Callable[[list[list[str]]], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not holds(self.paths):
                self._changed.clear()
                await self._changed.wait()


def scanner(**match: str) -> DeviceConfig:
    return DeviceConfig("till-scanner", "serial_line", {"match": dict(match)})


async def test_every_change_is_told_once() -> None:
    source = HandSource()
    async with Watching(source) as watching:
        plug = plugged("/dev/ttyACM0", SCANNER, "A1", "1-1")
        for event in (plug, plug, pulled("/dev/ttyACM0"), pulled("/dev/ttyACM0"), plug):
            source.queue.put_nowait(event)
        await watching.until(lambda told: len(told) >= 3)
        assert watching.paths == [["/dev/ttyACM0"], [], ["/dev/ttyACM0"]]


def test_a_full_list_takes_nothing_new_and_still_follows_what_is_on_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tapledger.devices.discovery.watch.CANDIDATES_MAX", 1)
    first, moved = (plugged("/dev/ttyACM0", SCANNER, "A1", port) for port in ("1-1", "1-2"))
    there = HandSource(first, plugged("/dev/ttyACM1", SCANNER, "B2", "1-3"), moved)
    assert [(one.path, one.port) for one in Discovery([there], []).candidates] == [("/dev/ttyACM0", "1-2")]


async def test_a_source_that_fails_takes_no_other_along_and_is_asked_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tapledger.devices.discovery.watch.SOURCE_RETRY_S", 0.01)
    broken, whole = HandSource(), HandSource()
    broken.fails = [OSError("no netlink"), OSError("no netlink")]
    async with Watching(broken, whole) as watching:
        whole.queue.put_nowait(plugged("/dev/ttyACM0", SCANNER, "A1", "1-1"))
        await watching.until(lambda told: told[-1:] == [["/dev/ttyACM0"]])
        broken.queue.put_nowait(plugged("/dev/ttyACM1", SCANNER, "A2", "1-2"))
        await watching.until(lambda told: told[-1:] == [["/dev/ttyACM0", "/dev/ttyACM1"]])


def test_a_match_becomes_what_the_driver_opens_and_line_settings_stay() -> None:
    there = HandSource(
        plugged("/dev/ttyACM4", SCANNER, "A1", "1-1"),
        plugged("/dev/usb/lp1", PRINTER, "P1", "1-2", "usbmisc"),
        plugged("/dev/ttyUSB0", "1a86:7523", "", "1-3"),
    )
    discovery = Discovery([there], [])
    assert discovery.resolve(scanner(usb_serial="A1")).options == {"path": "/dev/ttyACM4"}
    by_port = DeviceConfig(
        "receipt-printer",
        "escpos",
        {"port": "tty:?baud=38400", "match": {"by_path": "pci-usb-1-3:1.0"}, "columns": 42},
    )
    assert discovery.resolve(by_port).options == {"port": "tty:/dev/ttyUSB0?baud=38400", "columns": 42}
    usb = DeviceConfig("receipt-printer", "escpos", {"match": {"usb_id": "04B8:0E15"}})
    assert discovery.resolve(usb).options == {"port": "usblp:/dev/usb/lp1"}
    plain = DeviceConfig("till-reader", "pcsc", {"reader_name": "ACR122U"})
    assert discovery.resolve(plain) is plain


def test_a_match_looks_only_at_what_the_driver_can_open() -> None:
    """A scanner with two functions has one serial number: the keyboard's file is not a serial port."""
    keyboard = plugged("/dev/input/event5", SCANNER, "A1", "1-1", "input")
    discovery = Discovery([HandSource(keyboard)], [])
    with pytest.raises(DeviceAbsent, match='usb_serial = "A1"'):
        discovery.resolve(scanner(usb_serial="A1"))
    wrong = DeviceConfig("till-reader", "pcsc", {"match": {"usb_serial": "A1"}})
    with pytest.raises(DeviceBlocked, match="serial_line"):
        discovery.resolve(wrong)


def test_what_a_role_uses_by_any_name_is_not_offered() -> None:
    """A scanner is away: neither a serial port that another role names nor a known reader may be it."""
    link = "usb-Acme_Light-if00"
    by_link = plugged("/dev/ttyACM0", "1a86:7523", "L1", "1-1")
    by_link = HotplugEvent(
        by_link.kind, "tty", by_link.path, {**by_link.properties, "DEVLINKS": f"/dev/serial/by-id/{link}"}
    )
    away = scanner(usb_serial="A1")
    configs = [
        away,
        DeviceConfig("till-light", "serial_light", {"port": f"tty:/dev/serial/by-id/{link}?baud=9600"}),
        DeviceConfig("customer-display", "serial_line_display", {"port": "tty:/dev/ttyUSB3"}),
    ]
    by_path = plugged("/dev/ttyUSB3", "1a86:7523", "", "1-2")
    reader = plugged("/dev/ttyACM5", "072f:2200", "R1", "1-3")
    with pytest.raises(DeviceAbsent) as nobody:
        Discovery([HandSource(by_link, by_path, reader)], configs).resolve(away)
    assert nobody.value.detail == 'nothing that is plugged in has match = { usb_serial = "A1" }'
    free = plugged("/dev/ttyACM2", SCANNER, "B2", "1-4")
    with pytest.raises(DeviceAbsent) as somebody:
        Discovery([HandSource(by_link, by_path, reader, free)], configs).resolve(away)
    assert somebody.value.detail.count("/dev/") == 1
    assert '(/dev/ttyACM2 at USB port 1-4): match = { usb_serial = "B2" }' in somebody.value.detail


async def test_a_broken_scanner_has_its_successors_named_with_what_to_write() -> None:
    """First what is in its port, then the same model."""
    source = HandSource(plugged("/dev/ttyACM0", SCANNER, "A1", "1-1"))
    config = scanner(usb_serial="A1")
    async with Watching(source, configs=(config,)) as watching:
        assert watching.discovery.resolve(config).options["path"] == "/dev/ttyACM0"
        for event in (
            pulled("/dev/ttyACM0"),
            plugged("/dev/ttyACM1", SCANNER, "C3", "1-7"),
            plugged("/dev/ttyACM2", SCANNER, "B2", "1-1"),
        ):
            source.queue.put_nowait(event)
        await watching.until(lambda told: told[-1:] == [["/dev/ttyACM1", "/dev/ttyACM2"]])
        with pytest.raises(DeviceAbsent, match="not_plugged_in") as absent:
            watching.discovery.resolve(config)
    model = SCANNER.upper()
    assert absent.value.detail == (
        'nothing that is plugged in has match = { usb_serial = "A1" }. '
        f'Write for {model} (/dev/ttyACM2 at USB port 1-1): match = {{ usb_serial = "B2" }}; '
        f'for {model} (/dev/ttyACM1 at USB port 1-7): match = {{ usb_serial = "C3" }}'
    )


async def test_a_path_of_the_configuration_that_appears_is_told_within_its_time(tmp_path: Path) -> None:
    """The link to a terminal that comes back leads to another terminal: it has gone and come."""
    link, first, second = (tmp_path / name for name in ("tty", "first", "second"))
    first.touch()
    second.touch()
    config = DeviceConfig("till-light", "serial_light", {"port": f"tty:{link}?baud=9600"})
    source = StaticSource(paths_of([config]), look_s=0.005)
    async with Watching(source) as watching:
        link.symlink_to(first)
        await watching.until(lambda told: told == [[str(link)]])
        link.unlink()
        await watching.until(lambda told: told[1:] == [[]])
        link.symlink_to(first)
        await watching.until(lambda told: told[2:] == [[str(link)]])
        other = tmp_path / "other"
        other.symlink_to(second)
        other.replace(link)
        await watching.until(lambda told: told[3:] == [[], [str(link)]])


def test_only_device_files_of_the_configuration_are_looked_at() -> None:
    configs = [
        DeviceConfig("till-scanner", "serial_line", {"path": "/dev/ttyACM0", "baud": 9600}),
        DeviceConfig("receipt-printer", "escpos", {"port": "usblp:/dev/usb/lp0"}),
        DeviceConfig("customer-display", "serial_line_display", {"port": "tty:/dev/ttyS0?baud=9600"}),
        DeviceConfig("till-reader", "star_raster", {"port": "tcp:10.0.0.5:9100"}),
    ]
    assert paths_of(configs) == {"/dev/ttyACM0", "/dev/usb/lp0", "/dev/ttyS0"}


async def test_readers_come_and_go_with_pcscd(reader_station: ReaderStation) -> None:
    """pcscd is killed and started again: its readers are taken back and reported anew."""
    io = LiveIo("discovery", Traffic(time.monotonic))
    names = set(reader_station.reader_names)
    try:
        async with Watching(PcscSource(io)) as watching:
            await watching.until(lambda told: bool(told) and names <= set(told[-1]))
            await reader_station.kill_pcscd()
            await watching.until(lambda told: told[-1:] == [[]])
            await reader_station.start_pcscd()
            await watching.until(lambda told: names <= set(told[-1]))
    finally:
        await io.close()


class _DyingPcsc:
    """A context whose pcscd goes while it is waited for: nothing of it can be released."""

    def readers(self) -> list[str]:
        return ["Reader"]

    def wait(self, known: Sequence[ReaderState], timeout_s: float) -> list[ReaderState] | None:
        del known, timeout_s
        raise AssertionError("waits in the test's own way")

    def connect(self, reader: str, *, direct: bool = False) -> PcscCard:
        raise AssertionError((reader, direct))

    def cancel(self) -> None: ...

    def release(self) -> None:
        raise PcscFailed("SCardReleaseContext", 0x80100003)


class _PcscIo(MemoryIo):
    """Waits for readers on the loop, as long as it takes."""

    def __init__(self) -> None:
        super().__init__({}, Traffic(lambda: 0.0))
        self.waits = asyncio.Event()

    def pcsc(self) -> Pcsc:
        return _DyingPcsc()

    async def run(
        self, deadline_s: float | None, call: Callable[A, T], *args: A.args, **kwargs: A.kwargs
    ) -> T:
        if call.__name__ == "wait":
            self.waits.set()
            await asyncio.Event().wait()
        return await super().run(deadline_s, call, *args, **kwargs)


async def test_a_pcscd_that_goes_does_not_keep_discovery_from_ending() -> None:
    io = _PcscIo()
    discovery = Discovery([PcscSource(io)], [])
    running = asyncio.create_task(discovery.run())
    async with asyncio.timeout(PATIENCE_S):
        await io.waits.wait()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert running.cancelled()


class _LatePcsc(_DyingPcsc):
    def __init__(self) -> None:
        self.given_back = threading.Event()

    def release(self) -> None:
        self.given_back.set()


class _LateIo(LiveIo):
    """pcscd stands still while a context is made, and goes on later."""

    def __init__(self) -> None:
        super().__init__("discovery", Traffic(time.monotonic))
        self.goes_on = threading.Event()
        self.context = _LatePcsc()

    def pcsc(self) -> Pcsc:
        self.goes_on.wait()
        return self.context


async def test_a_context_that_came_too_late_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "CALL_S", 0.05)
    io = _LateIo()
    with pytest.raises(DeviceLost, match="hung"):
        await anext(PcscSource(io).events())
    io.goes_on.set()
    assert await asyncio.to_thread(io.context.given_back.wait, PATIENCE_S)
    await io.close()

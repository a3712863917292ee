"""Emulated devices within the process: no kernel between driver and device, so virtual time can rule both."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from tapledger_drivers.emulators.wire import Machine, Wire
from tapledger_drivers.errors import DeviceAbsent, DeviceBlocked, DeviceLost
from tapledger_drivers.io import READ_BYTES_MAX, Keys, Pcsc, Port, Stream, WriteStalled
from tapledger_drivers.traffic import Traffic

A = ParamSpec("A")
T = TypeVar("T")


class MemoryWire(Wire):
    """A wire that ``MemoryIo`` opens by its name: ``sim:NAME``."""

    def __init__(self, machine: Machine, name: str, seed: int = 0) -> None:
        super().__init__(machine, seed)
        self._name = name
        self._host: MemoryStream | None = None

    @property
    def address(self) -> str:
        return f"sim:{self._name}"

    def connect(self, traffic: Traffic) -> MemoryStream:
        """Open the line; raise ``DeviceAbsent`` while it is unplugged, ``DeviceBlocked`` while it is open."""
        if not self.plugged:
            raise DeviceAbsent("port_absent", self.address)
        if self._host is not None:
            raise DeviceBlocked("in_use", self.address)
        self._host = MemoryStream(self, traffic)
        self._machine.attached()
        return self._host

    async def deliver(self, data: bytes) -> None:
        """Carry bytes from the host; returns when the device has taken them."""
        await self._hears.wait()
        await self._slowness()
        if not self._arrived(data):
            self._cut()

    def let_go(self, host: MemoryStream) -> None:
        if self._host is host:
            self._host = None
            self._machine.detached()

    async def _plug(self) -> None:
        pass

    async def _pull_out(self) -> None:
        self._cut()

    def _has_host(self) -> bool:
        return self._host is not None

    def _write(self, data: bytes) -> None:
        if self._host is not None:
            self._host.arrived(data)

    def _cut(self) -> None:
        host, self._host = self._host, None
        if host is not None:
            host.lost()
            self._machine.detached()


class MemoryStream:
    """The host's end of a ``MemoryWire``; an ``io.Stream``."""

    def __init__(self, wire: MemoryWire, traffic: Traffic) -> None:
        self._wire = wire
        self._traffic = traffic
        self._data = bytearray()
        self._changed = asyncio.Event()
        self._end: DeviceLost | None = None
        self.address = wire.address
        self.virtual = True

    def arrived(self, data: bytes) -> None:
        self._data += data
        self._changed.set()

    def lost(self) -> None:
        self._end = self._end or DeviceLost("unplugged", self.address)
        self._changed.set()

    async def read(self, timeout_s: float | None, limit: int = READ_BYTES_MAX) -> bytes:
        async with asyncio.timeout(timeout_s):
            while not self._data:
                if self._end is not None:
                    raise self._end from EOFError(self.address)
                self._changed.clear()
                await self._changed.wait()
        data = bytes(self._data[:limit])
        del self._data[:limit]
        self._traffic.received("stream", data)
        return data

    async def write(self, data: bytes, timeout_s: float) -> None:
        if self._end is not None:
            raise self._end
        try:
            async with asyncio.timeout(timeout_s):
                await self._wire.deliver(data)
        except TimeoutError as error:
            raise WriteStalled(0, len(data)) from error
        self._traffic.sent("stream", data)
        if self._end is not None:
            raise self._end

    async def close(self) -> None:
        self._end = self._end or DeviceLost("closed", self.address)
        self._changed.set()
        self._wire.let_go(self)


class MemoryIo:
    """An ``Io`` whose streams are memory wires; it has no thread: blocking calls are run where they are."""

    def __init__(self, wires: dict[str, MemoryWire], traffic: Traffic) -> None:
        self._wires = wires
        self._opened: list[MemoryStream] = []
        self.traffic = traffic

    async def stream(self, address: str) -> Stream:
        wire = self._wires.get(address)
        if wire is None:
            raise DeviceAbsent("port_absent", f"{address}: known are {', '.join(self._wires)}")
        stream = wire.connect(self.traffic)
        self._opened.append(stream)
        return stream

    async def keys(self, path: str) -> Keys:
        raise DeviceAbsent("port_absent", path)

    def port(self, address: str) -> Port:
        raise DeviceAbsent("port_absent", address)

    def pcsc(self) -> Pcsc:
        raise DeviceAbsent("pcscd_absent", "no PC/SC in memory")

    async def run(
        self, deadline_s: float | None, call: Callable[A, T], *args: A.args, **kwargs: A.kwargs
    ) -> T:
        del deadline_s
        return call(*args, **kwargs)

    async def close(self) -> None:
        opened, self._opened = self._opened, []
        for stream in opened:
            await stream.close()

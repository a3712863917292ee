"""The cable between an emulated device and its host, and everything that goes wrong with cables.

A device is a ``Machine``; a wire carries its bytes over TCP (``TcpWire``), a pseudo-terminal (``PtyWire``)
or within the process (memory.py), and can break in the same seven ways whatever it is made of.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import random
from abc import ABC, abstractmethod
from typing import Protocol

from tapledger_drivers.emulators.faults import AMOUNTS, Fault, Verb

WIRE_VERBS = (
    Verb.UNPLUG,
    Verb.REPLUG,
    Verb.GO_AWOL,
    Verb.SLOW,
    Verb.NOISE,
    Verb.HALF_WRITE,
    Verb.DROP_AFTER,
)
QUEUE_BYTES_MAX = 1024 * 1024
_SWITCHED = (Verb.GO_AWOL, Verb.SLOW, Verb.NOISE, Verb.HALF_WRITE)


class Machine(Protocol):
    """The device behind the wire. Its methods are called on the event loop and return at once."""

    def attached(self) -> None:
        """A host has opened the line."""
        ...

    def received(self, data: bytes) -> None: ...

    def detached(self) -> None:
        """The host has gone, or the line was cut."""
        ...


class Wire(ABC):
    """Carries bytes between one machine and one host at a time."""

    def __init__(self, machine: Machine, seed: int = 0) -> None:
        self._machine = machine
        self._random = random.Random(seed)  # noqa: S311 - noise, reproducible
        self._faults: dict[Verb, int] = {}
        self._drop_after: int | None = None
        self._out: asyncio.Queue[bytes] = asyncio.Queue()
        self._out_bytes = 0
        self._sender: asyncio.Task[None] | None = None
        self._pace_changed = asyncio.Event()
        self._hears = asyncio.Event()
        self._hears.set()
        self._held = False
        self.plugged = False
        self.bytes_in = 0
        self.bytes_out = 0

    @property
    @abstractmethod
    def address(self) -> str:
        """Where a driver finds it, as in io.py; the same after ``replug``."""

    async def start(self) -> None:
        """Plug it in."""
        if not self.plugged:
            await self._plug()
            self.plugged = True

    async def close(self) -> None:
        """End everything; twice is once."""
        await self._unplug()

    def send(self, data: bytes) -> bool:
        """Send from the device to the host; False when it was lost: no host, unplugged, hung or flooded."""
        if not self.plugged or Verb.GO_AWOL in self._faults or not self._has_host():
            return False
        if Verb.HALF_WRITE in self._faults:
            data = data[: len(data) // 2]
        if Verb.NOISE in self._faults:
            data = self._with_noise(data, self._faults[Verb.NOISE])
        if self._out_bytes + len(data) > QUEUE_BYTES_MAX:
            return False
        if self._sender is None and Verb.SLOW not in self._faults:
            self._carry_out(data)
            return True
        self._out.put_nowait(data)
        self._out_bytes += len(data)
        if self._sender is None:
            self._sender = asyncio.create_task(self._send_slowly())
        return True

    def hold(self, on: bool) -> None:
        """Take no more bytes from the host for now, as a device whose buffer is full."""
        self._held = on
        self._hear()

    def cut(self) -> None:
        """Break the line now, as the device's own doing."""
        if self.plugged and self._has_host():
            self._cut()

    def _hear(self) -> None:
        if self._held or Verb.GO_AWOL in self._faults:
            self._hears.clear()
        else:
            self._hears.set()

    # ---- faults ----------------------------------------------------------------------------------------
    def faults(self) -> tuple[Fault, ...]:
        unplugged = () if self.plugged else (Fault(Verb.UNPLUG),)
        dropping = () if self._drop_after is None else (Fault(Verb.DROP_AFTER, self._drop_after),)
        return (*unplugged, *dropping, *(Fault(verb, amount) for verb, amount in self._faults.items()))

    async def pull(self, verb: Verb, *, on: bool = True, amount: int | None = None) -> None:
        """Begin or end one of ``WIRE_VERBS``; raise ``ValueError`` for any other."""
        value = AMOUNTS.get(verb, 0) if amount is None else amount
        if value < 0:
            raise ValueError(f"{verb}: the amount cannot be negative")
        if verb is Verb.REPLUG or (verb is Verb.UNPLUG and not on):
            await self._unplug()
            await self.start()
        elif verb is Verb.UNPLUG:
            await self._unplug()
        elif verb is Verb.DROP_AFTER:
            self._drop_after = value if on else None
        elif verb in _SWITCHED:
            if on:
                self._faults[verb] = value
            else:
                self._faults.pop(verb, None)
            self._pace_changed.set()
            self._hear()
        else:
            raise ValueError(f"a wire does not know {verb}")

    def _with_noise(self, data: bytes, per_mille: int) -> bytes:
        return bytes(
            self._random.randrange(256) if self._random.randrange(1000) < per_mille else byte for byte in data
        )

    # ---- what the kinds of wire share ------------------------------------------------------------------
    def _arrived(self, data: bytes) -> bool:
        """Hand what the host sent to the machine; False when the line is to be cut now."""
        data, keep = self._counted(data)
        self.bytes_in += len(data)
        if data:
            self._machine.received(data)
        return keep

    def _carry_out(self, data: bytes) -> None:
        data, keep = self._counted(data)
        self.bytes_out += len(data)
        if data:
            self._write(data)
        if not keep:
            self._cut()

    def _counted(self, data: bytes) -> tuple[bytes, bool]:
        """Count down to a cut that was ordered; return what still passes, and whether the line stays."""
        if self._drop_after is None:
            return data, True
        data = data[: self._drop_after]
        self._drop_after -= len(data)
        if self._drop_after > 0:
            return data, True
        self._drop_after = None
        return data, False

    async def _send_slowly(self) -> None:
        try:
            while not self._out.empty():
                await self._slowness()
                data = self._out.get_nowait()
                self._out_bytes -= len(data)
                self._carry_out(data)
        finally:
            self._sender = None

    async def _slowness(self) -> None:
        """Wait as long as bytes take longer now, and no longer than the fault lasts."""
        self._pace_changed.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._faults.get(Verb.SLOW, 0) / 1000):
                while Verb.SLOW in self._faults:
                    await self._pace_changed.wait()
                    self._pace_changed.clear()

    async def _unplug(self) -> None:
        if not self.plugged:
            return
        self.plugged = False
        if self._sender is not None:
            self._sender.cancel()
            await asyncio.gather(self._sender, return_exceptions=True)
            self._sender = None
        while not self._out.empty():
            self._out.get_nowait()
        self._out_bytes = 0
        await self._pull_out()

    @abstractmethod
    def _has_host(self) -> bool: ...

    @abstractmethod
    def _write(self, data: bytes) -> None: ...

    @abstractmethod
    def _cut(self) -> None:
        """Break the connection of the host that is there; another may be made."""

    @abstractmethod
    async def _plug(self) -> None: ...

    @abstractmethod
    async def _pull_out(self) -> None: ...


class TcpWire(Wire):
    """Listens on loopback; serves one host at a time, as network printers do. Others wait for their turn."""

    def __init__(self, machine: Machine, seed: int = 0) -> None:
        super().__init__(machine, seed)
        self._server: asyncio.Server | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._hosts: set[asyncio.Task[None]] = set()
        self._one_host = asyncio.Lock()
        self._plugged_times = 0
        self.port = 0
        self.connections = 0

    @property
    def address(self) -> str:
        return f"tcp:127.0.0.1:{self.port}"

    async def _plug(self) -> None:
        self._plugged_times += 1
        accept = functools.partial(self._accept, self._plugged_times)
        self._server = await asyncio.start_server(accept, "127.0.0.1", self.port, limit=64 * 1024)
        self.port = int(self._server.sockets[0].getsockname()[1])

    async def _pull_out(self) -> None:
        assert self._server is not None
        self._server.close()
        tasks = list(self._hosts)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def _accept(
        self, plugged_times: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if not self.plugged or plugged_times != self._plugged_times:
            writer.transport.abort()  # it was on its way when the wire was pulled out
            return
        task = asyncio.current_task()
        assert task is not None
        self._hosts.add(task)
        try:
            async with self._one_host:
                await self._serve(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass  # the host is gone, or the wire was pulled out
        finally:
            self._hosts.discard(task)
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writer = writer
        self._machine.attached()
        try:
            while await self._hears.wait() and (data := await reader.read(4096)):
                await self._hears.wait()
                await self._slowness()
                if not self._arrived(data) or self._writer is None:
                    return
                await writer.drain()
        finally:
            self._writer = None
            self._machine.detached()

    def _has_host(self) -> bool:
        return self._writer is not None

    def _write(self, data: bytes) -> None:
        if self._writer is not None:
            self._writer.write(data)

    def _cut(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            # What was sent before the cut still arrives: close, and let the reading end by itself.
            with contextlib.suppress(OSError):
                writer.close()

"""Any file descriptor that can be waited for, such as a socket, a terminal or a device file, as a stream."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable

from tapledger_drivers.errors import DeviceLost
from tapledger_drivers.io import READ_BYTES_MAX, WriteStalled
from tapledger_drivers.traffic import Traffic

WRITE_BYTES_MAX = 64 * 1024
"""What is handed over at once, and is one line of a recording: those have a longest length."""
_CHANNEL = "stream"


class FdStream:
    """``release`` gives the descriptor back; it is called once, by ``close``."""

    def __init__(
        self, fd: int, address: str, traffic: Traffic, release: Callable[[], None], *, virtual: bool = False
    ) -> None:
        os.set_blocking(fd, False)
        self._fd: int | None = fd
        self._traffic = traffic
        self._release = release
        self._waiters: set[asyncio.Future[None]] = set()
        self.address = address
        self.virtual = virtual

    async def read(self, timeout_s: float | None, limit: int = READ_BYTES_MAX) -> bytes:
        # Where there is always more, reading never waits: everybody else has a turn before each read, and
        # outside the deadline, so that nothing that was read is lost with it.
        await asyncio.sleep(0)
        async with asyncio.timeout(timeout_s):
            while True:
                fd = self._open_fd()
                try:
                    data = os.read(fd, limit)
                except BlockingIOError:
                    await self._wait(fd, writing=False)
                    continue
                except OSError as error:
                    raise self._lost(str(error)) from error
                if not data:
                    raise self._lost("end of data") from EOFError(self.address)
                self._traffic.received(_CHANNEL, data)
                return data

    async def write(self, data: bytes, timeout_s: float) -> None:
        taken = 0
        try:
            async with asyncio.timeout(timeout_s):
                while taken < len(data):
                    fd = self._open_fd()
                    try:
                        count = os.write(fd, data[taken : taken + WRITE_BYTES_MAX])
                    except BlockingIOError:
                        await self._wait(fd, writing=True)
                        continue
                    except OSError as error:
                        raise self._lost(str(error)) from error
                    self._traffic.sent(_CHANNEL, data[taken : taken + count])
                    taken += count
        except TimeoutError as error:
            self._traffic.note(_CHANNEL, f"stalled after {taken} of {len(data)} bytes")
            raise WriteStalled(taken, len(data)) from error

    async def close(self) -> None:
        fd, self._fd = self._fd, None
        if fd is None:
            return
        loop = asyncio.get_running_loop()
        loop.remove_reader(fd)
        loop.remove_writer(fd)
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)
        with contextlib.suppress(OSError):  # a device that has gone cannot be set back
            self._release()

    async def _wait(self, fd: int, *, writing: bool) -> None:
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[None] = loop.create_future()
        add, remove = (
            (loop.add_writer, loop.remove_writer) if writing else (loop.add_reader, loop.remove_reader)
        )
        self._waiters.add(waiter)
        add(fd, _settle, waiter)
        try:
            await waiter
        finally:
            self._waiters.discard(waiter)
            if self._fd is not None:  # a closed number may be somebody else's by now
                remove(fd)

    def _open_fd(self) -> int:
        if self._fd is None:
            raise DeviceLost("closed", self.address)
        return self._fd

    def _lost(self, why: str) -> DeviceLost:
        self._traffic.note(_CHANNEL, f"lost: {why}")
        return DeviceLost("unplugged", f"{self.address}: {why}")


def _settle(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)

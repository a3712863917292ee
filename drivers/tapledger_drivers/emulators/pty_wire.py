"""A wire made of a pseudo-terminal, found under a name that stays the same when the terminal does not."""

from __future__ import annotations

import asyncio
import contextlib
import os
import tempfile
import tty
from pathlib import Path

from tapledger_drivers.emulators.wire import Machine, Wire

BITS_PER_BYTE = 10
"""8N1: a start bit, eight of data, a stop bit."""
_PACED_PIECE_S = 0.01
_READ_BYTES = 4096
UNREAD_BYTES_MAX = 1024 * 1024
"""What a host that does not read may leave waiting, as with flow control; beyond it bytes are lost."""


class PtyWire(Wire):
    """``path`` is a symbolic link to the terminal, as udev's by-id names are. ``baud`` paces what the host
    sends as a serial line would; without it bytes travel as fast as the kernel carries them."""

    def __init__(
        self, machine: Machine, name: str = "device", seed: int = 0, baud: int | None = None
    ) -> None:
        super().__init__(machine, seed)
        self._folder = Path(tempfile.mkdtemp(prefix="tapledger-tty-"))
        self._baud = baud
        self._fd: int | None = None
        self._slave: int | None = None
        self._reading: asyncio.Task[None] | None = None
        self._unread = bytearray()
        self._free_at_s = 0.0
        self.path = str(self._folder / name)

    @property
    def address(self) -> str:
        return f"tty:{self.path}"

    async def close(self) -> None:
        await super().close()
        with contextlib.suppress(FileNotFoundError):
            self._folder.rmdir()

    async def _plug(self) -> None:
        # The slave stays open here, so that the host may close the port and open it again.
        self._fd, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._fd, False)
        self._appear(os.ttyname(self._slave))
        self._reading = asyncio.create_task(self._read())
        self._machine.attached()

    async def _pull_out(self) -> None:
        assert self._reading is not None
        self._vanish()
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)
        self._close_terminal()
        self._machine.detached()

    def _appear(self, terminal: str) -> None:
        self._folder.mkdir(exist_ok=True)
        Path(self.path).symlink_to(terminal)

    def _vanish(self) -> None:
        Path(self.path).unlink(missing_ok=True)

    def _close_terminal(self) -> None:
        if self._fd is not None:
            asyncio.get_running_loop().remove_writer(self._fd)
        self._unread.clear()
        fds, self._fd, self._slave = (self._slave, self._fd), None, None
        for fd in fds:
            if fd is not None:
                os.close(fd)

    async def _read(self) -> None:
        was_idle = True
        while True:
            await self._hears.wait()
            fd = self._fd
            if fd is None:
                return  # the machine's own answer was the one to be cut off
            try:
                data = os.read(fd, self._piece())
            except BlockingIOError:
                was_idle = True
                await _readable(fd)
                continue
            await self._line_time(len(data), was_idle)
            was_idle = False
            await self._hears.wait()
            await self._slowness()
            if not self._arrived(data):
                self._cut()
                return

    def _piece(self) -> int:
        if self._baud is None:
            return _READ_BYTES
        return max(1, int(self._baud / BITS_PER_BYTE * _PACED_PIECE_S))

    async def _line_time(self, count: int, was_idle: bool) -> None:
        """Wait until a serial line would have carried these bytes, which came when it was idle or right
        behind others."""
        if self._baud is None:
            return
        now_s = asyncio.get_running_loop().time()
        begins_s = max(self._free_at_s, now_s) if was_idle else self._free_at_s
        self._free_at_s = begins_s + count * BITS_PER_BYTE / self._baud
        await asyncio.sleep(self._free_at_s - now_s)

    def _has_host(self) -> bool:
        return self._fd is not None

    def _write(self, data: bytes) -> None:
        if self._fd is None or len(self._unread) + len(data) > UNREAD_BYTES_MAX:
            return
        self._unread += data
        self._flush()

    def _flush(self) -> None:
        """Write what the terminal takes now, and the rest once the host has read some."""
        if self._fd is None:
            return
        loop = asyncio.get_running_loop()
        try:
            while self._unread:
                del self._unread[: os.write(self._fd, self._unread)]
        except BlockingIOError:
            loop.add_writer(self._fd, self._flush)
        else:
            loop.remove_writer(self._fd)

    def _cut(self) -> None:
        """Hang up: the device is gone from the bus until ``replug``."""
        self.plugged = False
        self._vanish()
        if self._reading is not None and self._reading is not asyncio.current_task():
            self._reading.cancel()
        self._close_terminal()
        self._machine.detached()


async def _readable(fd: int) -> None:
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()

    def settle() -> None:
        if not ready.done():
            ready.set_result(None)

    loop.add_reader(fd, settle)
    try:
        await ready
    finally:
        loop.remove_reader(fd)

"""A serial port for libraries that block: every wait has its own timeout, and ``close`` ends it."""

from __future__ import annotations

import contextlib
import errno
import os
import select
import termios
from typing import TYPE_CHECKING

from tapledger_drivers.traffic import Traffic
from tapledger_drivers.transports.live import is_pty

if TYPE_CHECKING:
    from serial import Serial

WRITE_TIMEOUT_S = 2.0
_CHANNEL = "stream"


class BlockingPort:
    """Implements ``io.Port`` over an open pyserial port."""

    def __init__(self, serial: Serial, address: str, traffic: Traffic) -> None:
        self._serial = serial
        self._traffic = traffic
        self._wake_reader, self._wake_writer = os.pipe()
        self._closed = False
        self.address = address
        self.virtual = is_pty(str(serial.port))

    def read(self, limit: int, timeout_s: float) -> bytes:
        if not self._wait(reading=True, timeout_s=timeout_s):
            self._traffic.note(_CHANNEL, "nothing came")
            return b""
        try:
            data = os.read(self._fd(), limit)
            if not data:
                raise OSError(errno.EIO, "hung up", self.address)
        except OSError as error:
            self._traffic.note(_CHANNEL, f"lost: {error}")
            raise
        self._traffic.received(_CHANNEL, data)
        return data

    def write(self, data: bytes) -> None:
        left = data
        while left:
            if not self._wait(reading=False, timeout_s=WRITE_TIMEOUT_S):
                raise TimeoutError(f"{self.address} took no bytes for {WRITE_TIMEOUT_S} s")
            with contextlib.suppress(BlockingIOError):
                left = left[os.write(self._fd(), left) :]
        self._traffic.sent(_CHANNEL, data)

    def set_baud(self, baud: int) -> None:
        try:
            self._serial.baudrate = baud
        except termios.error as error:
            raise OSError(*error.args) from error

    def flush_input(self) -> None:
        while self.read(4096, 0.0):
            pass

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        os.close(self._wake_writer)
        # A port that has gone cannot be set back; termios says so with an error that is no OSError.
        with contextlib.suppress(OSError, termios.error):
            self._serial.close()
        os.close(self._wake_reader)

    def _fd(self) -> int:
        if self._closed:
            raise OSError(f"{self.address} is closed")
        return int(self._serial.fileno())

    def _wait(self, *, reading: bool, timeout_s: float) -> bool:
        fd = self._fd()
        wanted = [fd] if reading else []
        ready, writable, _ = select.select(
            [*wanted, self._wake_reader], [] if reading else [fd], [], timeout_s
        )
        if self._closed or self._wake_reader in ready:
            raise OSError(f"{self.address} is closed")
        return bool(ready or writable)

"""A barcode scanner on a pseudo-terminal: the driver opens ``path`` as it would a real port."""

from __future__ import annotations

import asyncio
import os
import tty


class SerialScannerEmulator:
    def __init__(self) -> None:
        self._fd, other = os.openpty()
        tty.setraw(other)
        self.path = os.ttyname(other)
        self._other: int | None = other
        """Kept open so that the driver may close the port and open it again."""

    async def scan(self, text: str, suffix: str = "\r") -> None:
        """Send one code as a scanner does after reading it."""
        await self.send_raw((text + suffix).encode())

    async def send_raw(self, data: bytes) -> None:
        """Send any bytes; waits while nobody reads, as a scanner with flow control would."""
        await asyncio.to_thread(self._write, data)

    def _write(self, data: bytes) -> None:
        while data:
            data = data[os.write(self._fd, data) :]

    def unplug(self) -> None:
        """Pull the cable; does nothing the second time."""
        if self._other is not None:
            os.close(self._other)
            os.close(self._fd)
            self._other = None

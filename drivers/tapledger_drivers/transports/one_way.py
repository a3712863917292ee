"""The line to a device that is told things and never says any: a light, a display."""

from __future__ import annotations

import contextlib

from tapledger_drivers.errors import DeviceLost
from tapledger_drivers.io import Io, Stream, WriteStalled

WRITE_TIMEOUT_S = 1.0


class OneWay:
    def __init__(self, address: str, io: Io) -> None:
        self.address = address
        self._io = io
        self._stream: Stream | None = None

    async def open(self) -> bool:
        """Open the line anew and return whether the transport is a virtual one."""
        await self.close()
        self._stream = await self._io.stream(self.address)
        return self._stream.virtual

    async def close(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            await stream.close()

    async def check(self) -> None:
        """Raise ``DeviceLost`` when the port has gone; whether the device listens cannot be known."""
        with contextlib.suppress(TimeoutError):
            await self._opened().read(0.0)

    async def write(self, data: bytes) -> None:
        try:
            await self._opened().write(data, WRITE_TIMEOUT_S)
        except WriteStalled as error:
            raise DeviceLost("stalled", f"{self.address}: {error}") from error

    def _opened(self) -> Stream:
        if self._stream is None:
            raise DeviceLost("closed", self.address)
        return self._stream

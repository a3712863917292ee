"""An open line to a printer: one task reads whatever comes, for printers talk without being asked."""

from __future__ import annotations

import abc
import asyncio
from collections.abc import Callable

from tapledger_drivers.errors import DeviceLost
from tapledger_drivers.io import Stream


class OpenLine(abc.ABC):
    """Owns ``stream``; whoever waits for something that the printer says is told."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()
        self.lost: DeviceLost | None = None
        self._reading = asyncio.create_task(self._read())

    @property
    def virtual(self) -> bool:
        return self._stream.virtual

    async def close(self) -> None:
        await self._stream.close()
        await asyncio.gather(self._reading, return_exceptions=True)

    def check(self) -> None:
        """Raise ``DeviceLost`` when the line is gone."""
        if self.lost is not None:
            raise DeviceLost(self.lost.reason, self.lost.detail) from self.lost

    @abc.abstractmethod
    def _heard(self, data: bytes) -> None:
        """Take in what the printer has said."""

    async def _wait_until(self, satisfied: Callable[[], bool], deadline_s: float) -> bool:
        """Wait for what the printer says until ``satisfied``; False when it is not in time. Raises
        ``DeviceLost``."""
        try:
            async with asyncio.timeout_at(deadline_s):
                while not satisfied():
                    self.check()
                    await self._news.wait()
        except TimeoutError:
            return False
        return True

    async def _read(self) -> None:
        try:
            while True:
                self._heard(await self._stream.read(None))
                self._tell()
                await asyncio.sleep(0)  # where there is always more, reading never waits
        except DeviceLost as error:
            self.lost = error
            self._tell()

    def _tell(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()

"""Two real readers in one role: pcscd looks at a virtual reader every 0.4 s only, so they take turns."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

from tapledger_drivers.device import DeviceInfo, HealthLevel, HealthReport
from tapledger_drivers.ports import CardEvent, CardPresented, CardReader, CardRemoved, Feedback


class ReaderPair:
    """A card reader for the daemon; tells the benchmark what was read last and which reader is empty."""

    def __init__(self, readers: list[CardReader]) -> None:
        self._readers = readers
        self._events: asyncio.Queue[CardEvent] = asyncio.Queue()
        self._following: list[asyncio.Task[None]] = []
        self.empty = [asyncio.Event() for _ in readers]
        self.read: CardPresented | None = None
        for empty in self.empty:
            empty.set()

    async def open(self) -> DeviceInfo:
        devices = [await reader.open() for reader in self._readers]
        self._following = [asyncio.create_task(self._follow(place)) for place in range(len(self._readers))]
        return devices[0]

    async def taps(self) -> AsyncIterator[CardEvent]:
        while True:
            yield await self._events.get()

    async def close(self) -> None:
        for reader in self._readers:
            await reader.close()
        await asyncio.gather(*self._following)

    async def health(self, level: HealthLevel) -> HealthReport:
        return await self._readers[0].health(level)

    async def feedback(self, pattern: Feedback) -> bool:
        return False

    async def transceive(self, apdus: Sequence[bytes]) -> list[bytes]:
        return await self._readers[0].transceive(apdus)

    async def _follow(self, place: int) -> None:
        async for event in self._readers[place].taps():
            if isinstance(event, CardPresented):
                self.read = event
            elif isinstance(event, CardRemoved):
                self.empty[place].set()
            self._events.put_nowait(event)

"""An open line to a Star printer: what it says is read all the time, for it talks without being asked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from tapledger_drivers.errors import DeviceLost
from tapledger_drivers.io import Stream, WriteStalled
from tapledger_drivers.printers.star_raster import FLUSH
from tapledger_drivers.printers.star_status import ASK_MODEL, ASK_STATUS, StarStatus, StatusParser

ASKS_MAX = 3
"""So often a question is put when its answer is garbled; silence is believed at once."""
REST_S = 0.2
"""After junk, what may still be an answer is waited for so long before the question is put again."""
POLL_INTERVAL_S = 0.5
"""So often a printer at work is asked, should it not say by itself that it has done or stopped."""


class StarLine:
    """Owns ``stream``. One caller at a time may ask or send: the driver sees to that."""

    def __init__(self, stream: Stream, answer_timeout_s: float, send_timeout_s: float) -> None:
        self._stream = stream
        self._answer_timeout_s = answer_timeout_s
        self._send_timeout_s = send_timeout_s
        self._parser = StatusParser()
        self._news = asyncio.Event()
        self._half_a_command = True
        self.status: StarStatus | None = None
        """What the printer last said."""
        self.count = 0
        """Statuses so far."""
        self.lost: DeviceLost | None = None
        self._asked_at_s: float | None = None
        self._reading = asyncio.create_task(self._read())

    @property
    def virtual(self) -> bool:
        return self._stream.virtual

    @property
    def junk(self) -> int:
        """Bytes that made no sense so far."""
        return self._parser.junk

    @property
    def silence(self) -> str:
        return f"no answer to ESC ACK SOH in {self._answer_timeout_s} s"

    @property
    def unanswered_s(self) -> float:
        """How long the oldest question has been waiting for a word, whoever put it; 0 when none has."""
        return 0.0 if self._asked_at_s is None else asyncio.get_running_loop().time() - self._asked_at_s

    def said_more_than(self, count: int) -> Callable[[], bool]:
        return lambda: self.count > count

    async def close(self) -> None:
        await self._stream.close()
        await asyncio.gather(self._reading, return_exceptions=True)

    def check(self) -> None:
        """Raise ``DeviceLost`` when the line is gone."""
        if self.lost is not None:
            raise DeviceLost(self.lost.reason, self.lost.detail) from self.lost

    async def send(self, data: bytes, give_up: Callable[[], bool] = lambda: False) -> None:
        """Hand over ``data``; raise ``WriteStalled`` when the printer takes none of it for too long, or
        takes no more and ``give_up`` says so. Raises ``DeviceLost``.

        On a new line, and after a stall, half a command may wait in the printer for its other half: the
        next bytes would be taken for its length. So zeros go before them.
        """
        loop = asyncio.get_running_loop()
        taken, moved_at_s = 0, loop.time()
        if self._half_a_command:
            data = FLUSH + data
        self._half_a_command = True
        while taken < len(data):
            self.check()
            try:
                await self._stream.write(data[taken:], min(POLL_INTERVAL_S, self._send_timeout_s))
                self._half_a_command = False
                return
            except WriteStalled as stalled:
                taken += stalled.taken
                moved_at_s = loop.time() if stalled.taken else moved_at_s
            if give_up() or loop.time() - moved_at_s >= self._send_timeout_s:
                raise WriteStalled(taken, len(data))

    async def ask(self, before: bytes = b"") -> StarStatus | None:
        """Return what the printer says now, None when it says nothing; ``before`` is sent first.

        Raises ``DeviceLost``, or ``WriteStalled`` when it does not take the question.
        """
        for _ in range(ASKS_MAX):
            count, junk = self.count, self.junk
            await self.send(before + ASK_STATUS)
            if self._asked_at_s is None:
                self._asked_at_s = asyncio.get_running_loop().time()
            await self.wait_for(partial(self._said_anything, count, junk), self._answer_timeout_s)
            # The rest of an answer that began as junk is on its way.
            if await self.wait_for(self.said_more_than(count), 0.0 if self.junk == junk else REST_S):
                return self.status
            if self.junk == junk:
                return None
            before = b""
        return None

    def _said_anything(self, count: int, junk: int) -> bool:
        return self.count > count or self.junk > junk

    async def ask_model(self, timeout_s: float) -> str:
        """Return the model's name, empty for one that does not know the question."""
        await self.send(ASK_MODEL)
        await self.wait_for(lambda: bool(self._parser.model), timeout_s)
        return self._parser.model

    async def wait_for(self, satisfied: Callable[[], bool], timeout_s: float) -> bool:
        """Wait for what the printer says until ``satisfied``; False when it is not in time. Raises
        ``DeviceLost``."""
        try:
            async with asyncio.timeout(timeout_s):
                while not satisfied():
                    self.check()
                    await self._news.wait()
        except TimeoutError:
            return False
        return True

    async def _read(self) -> None:
        try:
            while True:
                for status in self._parser.feed(await self._stream.read(None)):
                    self.status = status
                    self.count += 1
                    self._asked_at_s = None
                self._tell()
        except DeviceLost as error:
            self.lost = error
            self._tell()

    def _tell(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()

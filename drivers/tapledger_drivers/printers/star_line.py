"""Questions to a Star printer and what it says, on one open line."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from tapledger_drivers.io import Stream, WriteStalled
from tapledger_drivers.printers.open_line import OpenLine
from tapledger_drivers.printers.star_raster import FLUSH
from tapledger_drivers.printers.star_status import ASK_MODEL, ASK_STATUS, StarStatus, StatusParser

ASKS_MAX = 3
"""So often a question is put when its answer is garbled; silence is believed at once."""
REST_S = 0.2
"""After junk, what may still be an answer is waited for so long before the question is put again."""
POLL_INTERVAL_S = 0.5
"""So often a printer at work is asked, should it not say by itself that it has done or stopped."""


class StarLine(OpenLine):
    """Owns ``stream``. One caller at a time may ask or send: the driver sees to that."""

    def __init__(self, stream: Stream, answer_timeout_s: float, send_timeout_s: float) -> None:
        super().__init__(stream)
        self._answer_timeout_s = answer_timeout_s
        self._send_timeout_s = send_timeout_s
        self._parser = StatusParser()
        self._half_a_command = True
        self.status: StarStatus | None = None
        """What the printer last said; None when it has not answered a question since."""
        self.count = 0
        """Statuses so far."""

    @property
    def junk(self) -> int:
        """Bytes that made no sense so far."""
        return self._parser.junk

    @property
    def silence(self) -> str:
        return f"no answer to ESC ACK SOH in {self._answer_timeout_s} s"

    def said_more_than(self, count: int) -> Callable[[], bool]:
        return lambda: self.count > count

    async def send(self, data: bytes, give_up: Callable[[], bool] = lambda: False) -> None:
        """Hand over ``data``; raise ``WriteStalled`` when the printer takes none of it for too long, or
        takes no more and ``give_up`` says so. Raises ``DeviceLost``.

        On a new line, and after a stall, half a command may wait in the printer for its other half: the
        next bytes would be taken for its length. So zeros go before them.
        """
        taken, moved_at_s = 0, self._loop.time()
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
                moved_at_s = self._loop.time() if stalled.taken else moved_at_s
            if give_up() or self._loop.time() - moved_at_s >= self._send_timeout_s:
                raise WriteStalled(taken, len(data))

    async def ask(self, before: bytes = b"") -> StarStatus | None:
        """Return what the printer says now, None when it says nothing; ``before`` is sent first.

        Raises ``DeviceLost``, or ``WriteStalled`` when it does not take the question.
        """
        try:
            answered = await self._ask_until_heard(before)
        except WriteStalled:
            self.status = None
            raise
        if not answered:
            self.status = None
        return self.status

    async def _ask_until_heard(self, before: bytes) -> bool:
        for _ in range(ASKS_MAX):
            count, junk = self.count, self.junk
            await self.send(before + ASK_STATUS)
            await self.wait_for(partial(self._said_anything, count, junk), self._answer_timeout_s)
            # The rest of an answer that began as junk is on its way.
            if await self.wait_for(self.said_more_than(count), 0.0 if self.junk == junk else REST_S):
                return True
            if self.junk == junk:
                return False
            before = b""
        return False

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
        return await self._wait_until(satisfied, self._loop.time() + timeout_s)

    def _heard(self, data: bytes) -> None:
        for status in self._parser.feed(data):
            self.status = status
            self.count += 1

"""Where a replay stands on its recording, and who may take the next line of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from tapledger_drivers.cassettes.tape import OUTCOMES, Cassette
from tapledger_drivers.errors import DeviceLost
from tapledger_drivers.traffic import Direction, Frame

SEARCH_FRAMES = 2000
"""How far a lenient replay looks ahead for a command that came out of order."""
RESOLUTION_S = 1e-4
"""Virtual time does not move by less."""
_SKIPPED = frozenset({"judged"})


class ReplayMismatch(Exception):
    """The driver did something else than when it was recorded."""

    def __init__(self, line: int, expected: str, got: str) -> None:
        super().__init__(f"line {line}: expected {expected}, the driver {got}")


class Reel:
    """Hands out a recording's frames in their order, no sooner after each other than they were recorded.

    Frames of the transports are taken by the driver, calls by whoever replays. What the driver says moves
    the reel over the outcome that stands there; whether it is the same is compared at the end.
    """

    def __init__(self, cassette: Cassette, *, strict: bool) -> None:
        self._frames = cassette.frames
        self._at = 0
        self._ahead = 0
        self._taken_at_s = 0.0
        self._taken_frame_s = self._frames[0].at_s if self._frames else 0.0
        self._moved = asyncio.Event()
        self.strict = strict
        self.mismatch: ReplayMismatch | None = None
        self._skip()

    @property
    def head(self) -> Frame | None:
        return self._frames[self._at] if self._at < len(self._frames) and self.mismatch is None else None

    def due_s(self) -> float:
        """Return the loop time at which the head happens: as long after the last frame as it was then."""
        return self._taken_at_s + self._frames[self._at].at_s - self._taken_frame_s

    def take(self) -> Frame:
        frame = self._frames[self._at]
        self._taken_frame_s = frame.at_s
        self._move_to(self._at + 1)
        return frame

    def told(self) -> None:
        """The driver has said something to its caller."""
        self._ahead += 1
        self._skip()
        self._moved.set()

    def fail(self, got: str) -> ReplayMismatch:
        """Stop: the driver does not do what it did. Returns the mismatch, for raising."""
        head = self.head
        expected = (
            "the end" if head is None else f"{head.direction} {head.channel} {head.data.hex()} {head.note}"
        )
        if self.mismatch is None:
            self.mismatch = ReplayMismatch(self._at + 2, expected.rstrip(), got)
        self._moved.set()
        return self.mismatch

    def seek(self, channel: str, data: bytes) -> bool:
        """Lenient: go to the next time that these bytes were sent; False when they were not."""
        for at in range(self._at, min(self._at + SEARCH_FRAMES, len(self._frames))):
            frame = self._frames[at]
            if (frame.direction, frame.channel) == (Direction.TO_DEVICE, channel) and frame.data == data:
                self._move_to(at)
                return True
        return False

    async def until(self, wanted: Callable[[Frame], bool], timeout_s: float | None) -> Frame:
        """Return the head once it is wanted and due; raise ``TimeoutError`` when that is not so in time,
        ``DeviceLost`` when the recording has ended, ``ReplayMismatch`` when the driver has left it."""
        async with asyncio.timeout(timeout_s):
            while True:
                frame = self.head
                if frame is None:
                    raise self.mismatch or DeviceLost("recording_ended")
                if wanted(frame):
                    wait_s = self.due_s() - asyncio.get_running_loop().time()
                    if wait_s <= RESOLUTION_S:
                        return frame
                    await asyncio.sleep(wait_s)
                    continue
                self._moved.clear()
                await self._moved.wait()

    def wake(self) -> None:
        """Let everybody who waits look again: something was closed or cancelled."""
        self._moved.set()

    async def moved(self) -> None:
        """Return once the reel has moved, or the head has come due."""
        self._moved.clear()
        await self._moved.wait()

    def _move_to(self, at: int) -> None:
        self._taken_at_s = asyncio.get_running_loop().time()
        self._at = at
        self._skip()
        self._moved.set()

    def _skip(self) -> None:
        """Go over what nobody takes, and over outcomes that the driver has told already."""
        while self._at < len(self._frames):
            channel = self._frames[self._at].channel
            if channel in OUTCOMES and self._ahead:
                self._ahead -= 1
            elif channel not in _SKIPPED:
                return
            self._at += 1

"""An event loop whose clock jumps: whoever waits for time waits for nothing.

For replays and for long lives of emulated devices in memory. There must be no other thread and no file or
socket that the loop has to wait for: time would have jumped before they answer.
"""

from __future__ import annotations

import asyncio
import selectors


class NothingLeft(RuntimeError):
    """Everybody waits for somebody else: no timer is set and no data can come. Names the tasks."""


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._now_s = 0.0
        super().__init__(_Impatient(self))

    def time(self) -> float:
        return self._now_s

    def advance(self, seconds: float) -> None:
        self._now_s += seconds


class _Impatient(selectors.SelectSelector):
    def __init__(self, loop: VirtualTimeLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout is None:
            raise NothingLeft(", ".join(sorted(task.get_name() for task in asyncio.all_tasks(self._loop))))
        if not ready and timeout is not None:
            self._loop.advance(max(timeout, 0.0))
        return ready

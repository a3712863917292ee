"""A computer of the world: its clock, what runs on it, and its power, which can fail at any wait."""

from __future__ import annotations

import asyncio
import datetime as dt
import random
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

LONGEST_PAUSE_S = 0.004
"""Before a piece of work with the disk: long enough for others to come between."""
PAUSES = 0.2
"""Of all pieces of work with the disk."""


class WorldClock:
    """The true time of the world: virtual seconds since a beginning."""

    def __init__(self, begin: dt.datetime) -> None:
        self._begin = begin

    def now(self) -> dt.datetime:
        return self._begin + dt.timedelta(seconds=self.monotonic_s())

    def monotonic_s(self) -> float:
        return asyncio.get_running_loop().time()


class MachineClock:
    """A computer's own clock: wrong by ``off``."""

    def __init__(self, true: WorldClock) -> None:
        self._true = true
        self.off = dt.timedelta()

    def now(self) -> dt.datetime:
        return self._true.now() + self.off

    def monotonic_s(self) -> float:
        return self._true.monotonic_s()


class Machine:
    """Runs tasks until its power fails. Every use of its disk and of its line is a ``point`` where it may.

    It is also the ``Executor`` of the store on its disk: work runs in line, so that nothing but a point lies
    between two transactions, and a transaction is whole or was never begun.
    """

    def __init__(self, name: str, chance: random.Random, points_left: int | None) -> None:
        self.name = name
        self.alive = True
        self.crashed = False
        self.points_left = points_left
        """Until the power fails; None: it does not."""
        self.on_crash: Callable[[], None] = lambda: None
        self.on_failure: Callable[[BaseException], None] = lambda error: None
        """Told what ended a task that nothing should end."""
        self._chance = chance
        self._tasks: dict[asyncio.Task[Any], None] = {}
        self._undisturbed = False

    def run_task(self, work: Coroutine[Any, Any, T], name: str) -> asyncio.Task[T]:
        """Run something until it ends or the power does."""
        task = asyncio.get_running_loop().create_task(work, name=f"{self.name}/{name}")
        self._tasks[task] = None
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.pop(task, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.on_failure(error)

    async def point(self) -> None:
        """Come by a place where the power may fail; from then on nothing goes past any such place."""
        if self.points_left is not None and self.alive:
            self.points_left -= 1
            if self.points_left <= 0:
                self.crash()
        if not self.alive:
            raise asyncio.CancelledError

    def crash(self) -> None:
        """Cut the power."""
        if self.alive:
            self.crashed = True
            self._end()
            self.on_crash()

    def _end(self) -> None:
        self.alive = False
        for task in list(self._tasks):
            asyncio.get_running_loop().call_soon(task.cancel)

    async def off(self) -> None:
        """Be off: whatever ran has ended."""
        if self.alive:
            self._end()
        while tasks := list(self._tasks):
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    # Executor of the store.
    async def run(self, work: Callable[[], T]) -> T:
        if self._undisturbed:
            return work()
        await self.point()
        if self._chance.random() < PAUSES:
            await asyncio.sleep(self._chance.random() * LONGEST_PAUSE_S)
            await self.point()
        result = work()
        await self.point()
        return result

    def close(self) -> None:
        return None

    async def undisturbed(self, work: Coroutine[Any, Any, T]) -> T:
        """Use the disk from outside of the world: it neither takes time nor counts as a point."""
        before, self._undisturbed = self._undisturbed, True
        try:
            return await work
        finally:
            self._undisturbed = before

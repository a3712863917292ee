"""One thread for the blocking calls of one device, given up when a call hangs."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from tapledger_drivers.errors import DeviceBlocked, DeviceLost

A = ParamSpec("A")
T = TypeVar("T")

HUNG_MAX = 8
"""Threads of one device that may hang at once: each holds some memory until its call comes back."""


class DeviceThread:
    """Runs calls one after the other, off the event loop. Daemon threads: a hung one never stops an exit."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._worker: _Worker | None = None
        self._hung: list[_Worker] = []

    async def run(
        self, deadline_s: float | None, call: Callable[A, T], *args: A.args, **kwargs: A.kwargs
    ) -> T:
        """Run ``call``; raise ``DeviceLost("hung")`` when it is not done ``deadline_s`` later."""
        if self._worker is None:
            self._hung = [worker for worker in self._hung if worker.is_alive()]
            if len(self._hung) >= HUNG_MAX:
                raise DeviceBlocked("hung", f"{len(self._hung)} calls to the device never came back")
            worker = _Worker(self._name)
            worker.start()
            self._worker = worker
        worker = self._worker
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()

        def work() -> None:
            try:
                result = call(*args, **kwargs)
            except BaseException as error:
                _tell(loop, done, None, error)
            else:
                _tell(loop, done, result, None)

        worker.work.put(work)
        try:
            # Not wait_for: before Python 3.12 it forgets a cancellation that comes together with the result.
            async with asyncio.timeout(deadline_s):
                return await done
        except TimeoutError as error:
            if done.done() and not done.cancelled():
                # Its own TimeoutError, or a loop that was late: the deadline is not what ended it.
                return done.result()
            self._give_up(worker)
            raise DeviceLost("hung", f"no answer in {deadline_s} s") from error
        except asyncio.CancelledError:
            self._give_up(worker)
            raise

    def close(self) -> None:
        """Let the thread end once its call comes back."""
        if self._worker is not None:
            self._give_up(self._worker)

    def _give_up(self, worker: _Worker) -> None:
        worker.work.put(None)
        if self._worker is worker:
            self._worker = None
            self._hung.append(worker)


class _Worker(threading.Thread):
    def __init__(self, name: str) -> None:
        super().__init__(name=name, daemon=True)
        self.work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()

    def run(self) -> None:
        while (work := self.work.get()) is not None:
            work()


def _tell(
    loop: asyncio.AbstractEventLoop, done: asyncio.Future[T], result: T | None, error: BaseException | None
) -> None:
    def settle() -> None:
        if done.done():
            return  # nobody waits any more
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)  # type: ignore[arg-type]  # T may be None itself

    try:
        loop.call_soon_threadsafe(settle)
    except RuntimeError:
        return  # the loop has ended, and with it everybody who could wait

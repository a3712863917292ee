"""A deadline that holds whatever the driver does with its cancellation."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from tapledger_drivers.errors import DeviceLost

T = TypeVar("T")

_given_up: set[asyncio.Task[Any]] = set()
"""Calls that did not even end when they were cancelled; kept so that nothing destroys them as they run."""


async def in_time(call: Coroutine[Any, Any, T], deadline_s: float) -> T:
    """Await a driver's call; raise ``DeviceLost("hung")`` when it is not done by then.

    ``asyncio.timeout`` would wait for a call that swallows its cancellation.
    """
    task = asyncio.create_task(call)
    try:
        done, _ = await asyncio.wait([task], timeout=deadline_s)
    except asyncio.CancelledError:
        give_up(task)
        raise
    if done:
        return result_of(task)
    give_up(task)
    raise DeviceLost("hung", f"no answer in {deadline_s:g} s")


def result_of(task: asyncio.Task[T]) -> T:
    """Return what a task came to that nobody has cancelled; raise ``RuntimeError`` when it is cancelled
    nevertheless: taken for a cancellation of whoever waits, a driver's own would end that silently."""
    if task.cancelled():
        raise RuntimeError("the driver raised a cancellation of its own")
    return task.result()


def give_up(task: asyncio.Task[Any]) -> None:
    """Cancel a task and never wait for it."""
    task.cancel()
    _given_up.add(task)
    task.add_done_callback(_ended)


def _ended(task: asyncio.Task[Any]) -> None:
    _given_up.discard(task)
    if not task.cancelled():
        task.exception()  # whatever it was, nobody waits for it any more


async def end_all(tasks: list[asyncio.Task[Any]], deadline_s: float) -> None:
    """Cancel tasks and wait for them, but no longer than the deadline."""
    for task in tasks:
        task.cancel()
    if tasks:
        _, left = await asyncio.wait(tasks, timeout=deadline_s)
        for task in left:
            give_up(task)
        for task in tasks:
            if task.done() and not task.cancelled():
                task.exception()

"""Many people at the same instant: each in a thread of its own with its own event loop, one store for all."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tapledger.errors import TapledgerError

THREADS = 64


async def outcomes(
    attempt: Callable[[int], Coroutine[Any, Any, object]], count: int = THREADS
) -> Counter[str]:
    """Let ``count`` threads try at once; return how many were ``done``, and the refusals."""
    together = threading.Barrier(count)

    def one(number: int) -> str:
        together.wait(timeout=30)
        try:
            asyncio.run(attempt(number))
        except TapledgerError as error:
            return error.code
        return "done"

    def all_of_them() -> Counter[str]:
        with ThreadPoolExecutor(count) as pool:
            return Counter(pool.map(one, range(count)))

    return await asyncio.to_thread(all_of_them)

"""A shop on a disk that fails: it asks for each sale until it is done, and tells what was done and refused.

``python -m tests.faults.stubborn FOLDER SALES [told-too-early]``, under strace that lets system calls fail;
the folder holds a shop with a member. It prints one JSON object: ``told``, each (seq, hash) that somebody was
told of, and ``refused``, how often by code.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from tapledger.database import InlineExecutor, Transaction
from tapledger.errors import Corrupt, Unavailable
from tapledger.membership.sale import record_sale
from tapledger.store import history
from tapledger.store.journal import Journal, Recorded
from tests.store.shops import Bench, HandClock

T = TypeVar("T")

TRIES = 20
REOPENED_EVERY = 12

told: list[tuple[int, str]] = []
refused: Counter[str] = Counter()


async def stubbornly(work: Callable[[], Awaitable[T]]) -> T:
    """Do something until it is done; any other error than a refusal ends the program."""
    for _ in range(TRIES):
        try:
            return await work()
        except (Unavailable, Corrupt) as error:
            refused[error.code] += 1
    raise AssertionError("the shop does not recover")


def tell(recorded: Recorded) -> None:
    told.append((recorded.event.seq, recorded.hash.hex()))


def tell_too_early() -> None:
    """Break it on purpose: what is told is not on the disk yet."""
    append = Journal.append

    def telling(*values: object) -> Recorded:
        recorded: Recorded = append(*values)  # type: ignore[arg-type]
        tell(recorded)
        return recorded

    Journal.append = telling  # type: ignore[method-assign, assignment]


def everybody(tx: Transaction) -> list[str]:
    return list(history.members_after(tx, "", 10))


async def sell(folder: Path, sales: int) -> None:
    bench = Bench(folder, HandClock())

    async def reopen() -> None:
        await bench.close()
        await bench.open(InlineExecutor())

    await stubbornly(reopen)
    (member,) = await stubbornly(lambda: bench.shop.store.transact(everybody))
    for number in range(sales):
        command = bench.sale(member)
        tell(await stubbornly(lambda: record_sale(bench.shop, command)))  # noqa: B023
        if number % REOPENED_EVERY == REOPENED_EVERY - 1:
            await stubbornly(reopen)
    await bench.close()


if __name__ == "__main__":
    if sys.argv[3:] == ["told-too-early"]:
        tell_too_early()
    asyncio.run(sell(Path(sys.argv[1]), int(sys.argv[2])))
    print(json.dumps({"told": told, "refused": refused}))

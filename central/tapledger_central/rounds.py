"""What central does again and again beside what it is asked: in rounds, and through all that was applied."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

import structlog

from tapledger.errors import TapledgerError
from tapledger_central.store import CentralStore, Transaction
from tapledger_central.store.following import Seen, Unseen

ROUND_S = 5.0
"""Between two rounds."""
CHAINS_AT_ONCE = 50
MAX_PASSES = 1000
"""Over all chains, before something else has its turn."""
FILING_SHARE = 19.0
"""How many times as long as a piece of other work took filing has the machine before the next piece. Applying
and the log both give way so: together they leave nine tenths."""

T = TypeVar("T")

_log = structlog.get_logger("central")


async def for_ever(*works: Callable[[], Awaitable[object]]) -> None:
    """Do each work once a round; what fails is logged, tried again, and keeps no other from its turn."""
    while True:
        for work in works:
            try:
                await work()
            except TapledgerError as error:
                _log.warning("a round waits", code=error.code, **error.data)
            except Exception as error:
                _log.exception("a round waits", why=type(error).__name__)
        await asyncio.sleep(ROUND_S)


async def give_way(is_filing: Callable[[], bool], took_s: float) -> None:
    """Called between two pieces of work that can wait: while batches come in, filing has most of the time."""
    if is_filing():
        await asyncio.sleep(FILING_SHARE * took_s)


async def through(
    store: CentralStore, seen: Seen, but: str, look: Callable[[Unseen, Transaction], T]
) -> list[T]:
    """Look at all applied events of all nodes but one that ``seen`` has not, and return what was found.

    ``look`` is called with some of a chain, in a transaction, and says by ``seen.set`` how far it came.
    """
    found: list[T] = []
    for _ in range(MAX_PASSES):
        chains = await store.transact(lambda tx: seen.unseen(tx, but, CHAINS_AT_ONCE))
        for chain in chains:
            found.append(await store.transact(partial(look, chain)))
        if not chains:
            break
    return found

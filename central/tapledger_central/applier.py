"""The background job of stage two: applies what is filed, every chain in turn, in any number of processes.

Several centrals may share one PostgreSQL: whoever holds the lock applies, the others find nothing to do.
"""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable

import structlog

from tapledger.clock import Clock
from tapledger.errors import Corrupt, TapledgerError, Unavailable
from tapledger_central import rounds
from tapledger_central.apply import MAX_EVENTS, apply_next, condemn_next, pass_over_next
from tapledger_central.store import CentralStore, Transaction, inbox, news
from tapledger_central.store.inbox import Behind

CHAINS_AT_ONCE = 100
FEW_EVENTS = 100
"""In one transaction while batches come in: who sends one waits beside it."""
MAX_CHAINS = 100_000
SCAN_S = 1.0
"""How often it is looked for what another process has filed."""
CATCH_UP_S = 5.0
MAX_FAILED = 3
"""Chains in a row that the store fails at before it is given a rest."""
OTHERS_S = 0.02
"""Wait between looks while another process applies."""
FIRST = ("", 0)

_log = structlog.get_logger("central")


class Applier:
    """Applies filed events in order, chain by chain. ``told`` is called after each transaction that did;
    ``busy`` says whether a batch is being filed now."""

    def __init__(
        self,
        store: CentralStore,
        clock: Clock,
        told: Callable[[], None] = lambda: None,
        busy: Callable[[], bool] = lambda: False,
    ) -> None:
        self._store = store
        self._clock = clock
        self._told = told
        self._busy = busy
        self._turn = asyncio.Lock()
        self._woken = asyncio.Event()
        self._after = FIRST

    def wake(self) -> None:
        """Something was filed."""
        self._woken.set()

    async def run(self) -> None:
        """Apply for ever: at once when woken, else when it is time to look."""
        while True:
            self._woken.clear()
            try:
                idle = not await self._round()
            except TapledgerError as error:
                _log.warning("applying waits", code=error.code, **error.data)
                idle = True
            except Exception as error:
                _log.error("applying waits", **_said(error))
                idle = True
            if idle:
                try:
                    async with asyncio.timeout(SCAN_S):
                        await self._woken.wait()
                except TimeoutError:
                    continue

    async def caught_up(self, timeout_s: float = CATCH_UP_S, node: str = "") -> bool:
        """Apply or wait until what was filed before the call, by one node or by all, is applied; False when
        that takes too long. The backlog of others delays one node by a turn at most."""
        if node:
            waiting = await self._store.transact(lambda tx: inbox.behind_of(tx, node))
        else:
            waiting = await self._behind(FIRST, MAX_CHAINS)
        try:
            async with asyncio.timeout(timeout_s):
                while waiting:
                    if not [chain for chain in waiting if await self._one_turn(chain)]:
                        await asyncio.sleep(OTHERS_S)
                    waiting = await self._left(waiting)
        except TimeoutError:
            return False
        return True

    async def _left(self, waiting: list[Behind]) -> list[Behind]:
        def work(tx: Transaction) -> list[Behind]:
            for place, one in enumerate(waiting):  # the first that waits is enough to wait on
                if inbox.is_behind(tx, one):
                    return waiting[place:]
            return []

        return await self._store.transact(work)

    async def _behind(self, after: tuple[str, int], limit: int = CHAINS_AT_ONCE) -> list[Behind]:
        return await self._store.transact(lambda tx: inbox.behind(tx, after, limit))

    async def _round(self) -> int:
        """Give every chain that is behind one turn; return how many turns did something.

        While batches come in, filing them has most of the time. What is filed is safe; shops that come back
        after a day have waited for that, and nobody waits for the rest. A chain that the store fails at keeps
        no other from its turn; with too many of them in a row it is the store that needs a rest.
        """
        chains = await self._behind(self._after) or await self._behind(FIRST)
        done = failed = 0
        for chain in chains:
            began_s = self._clock.monotonic_s()
            try:
                done += await self._one_turn(chain)
                failed = 0
            except (Unavailable, Corrupt) as error:
                _log.warning(
                    "a chain waits", node=chain.node, epoch=chain.epoch, code=error.code, **error.data
                )
                failed += 1
                if failed == MAX_FAILED:
                    self._after = (chain.node, chain.epoch)  # the next round begins behind them
                    return done
            await rounds.give_way(self._busy, self._clock.monotonic_s() - began_s)
        self._after = (chains[-1].node, chains[-1].epoch) if len(chains) == CHAINS_AT_ONCE else FIRST
        return done

    async def _one_turn(self, chain: Behind) -> bool:
        async with self._turn:
            return await self._apply(chain)

    async def _apply(self, chain: Behind) -> bool:
        try:
            done = await self._once(chain, FEW_EVENTS if self._busy() else MAX_EVENTS)
        except (Unavailable, Corrupt):
            raise
        except Exception as error:
            _log.error("events cannot be applied at once", node=chain.node, epoch=chain.epoch, **_said(error))
            done = await self._one_by_one(chain)
        if done:
            self._told()
        return done

    async def _once(self, chain: Behind, limit: int) -> bool:
        """Apply the next events of a chain; return False when there are none, or another process applies."""
        now_ms = int(self._clock.now().timestamp() * 1000)

        def work(tx: Transaction) -> bool:
            if not news.try_lock(tx):
                return False
            return apply_next(tx, chain.node, chain.epoch, now_ms, limit) > 0

        return await self._store.transact(work)

    async def _one_by_one(self, chain: Behind) -> bool:
        """Apply the next events each for itself, and pass over the first that cannot be."""
        done = False
        for _ in range(MAX_EVENTS):
            try:
                if not await self._once(chain, 1):
                    return done
                done = True
            except (Unavailable, Corrupt):
                raise
            except Exception as error:
                _log.error("an event cannot be applied", node=chain.node, epoch=chain.epoch, **_said(error))
                await self._condemn(chain)
                return True
        return done

    async def _condemn(self, chain: Behind) -> None:
        now_ms = int(self._clock.now().timestamp() * 1000)

        def work(tx: Transaction, how: Callable[[Transaction, str, int, int], None]) -> None:
            news.lock(tx)
            how(tx, chain.node, chain.epoch, now_ms)

        try:
            await self._store.transact(lambda tx: work(tx, condemn_next))
        except (Unavailable, Corrupt):
            raise
        except Exception as error:
            _log.error("a member cannot be folded", node=chain.node, epoch=chain.epoch, **_said(error))
            await self._store.transact(lambda tx: work(tx, pass_over_next))


def _said(error: Exception) -> dict[str, str]:
    """Return what a log may hold of an error: what it is and where, nothing of what rows hold."""
    return {"why": type(error).__name__, "where": traceback.format_tb(error.__traceback__)[-1].strip()}

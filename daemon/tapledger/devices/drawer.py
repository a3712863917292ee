"""The cash drawer opens for a paid cash sale, once, and for nothing else.

The sale's own transaction says that it is due; that it is being kicked is on disk before it is, so neither a
crash nor a repeat opens it twice. No page can ask for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from tapledger.devices.roles import CASH_DRAWER
from tapledger.membership.shop import Shop
from tapledger.membership.slips import SLIP_LIFE
from tapledger.store import drawers
from tapledger_drivers.errors import DeviceError

log = structlog.get_logger()

KICK_LIFE_S = 5.0
"""Later than this after the sale nobody expects it to fly open any more."""

Kick = Callable[[], Awaitable[bool]]


class DrawerLoop:
    """Opens the drawer of each cash sale. ``way`` gives the one way to it now, None when there is none;
    ``on_settled`` tells the faces of a slip whose drawer has another state than before."""

    def __init__(
        self, shop: Shop, way: Callable[[], Kick | None], on_settled: Callable[[str], Awaitable[None]]
    ) -> None:
        self._shop = shop
        self._way = way
        self._on_settled = on_settled
        self._poked = asyncio.Event()

    def poke(self) -> None:
        self._poked.set()

    async def run(self) -> None:
        if not self._shop.has_drawer:
            return
        while True:
            self._poked.clear()
            while await self._kick_one():
                pass
            await self._poked.wait()

    async def _kick_one(self) -> bool:
        kick = await self._shop.store.insist(drawers.take_next)
        if kick is None:
            return False
        sold_s = kick.due_ms / 1000 - SLIP_LIFE.total_seconds()
        late = self._shop.clock.now().timestamp() - sold_s > KICK_LIFE_S
        state = "opened" if not late and await self._opened() else "failed"
        await self._shop.store.insist(lambda tx: drawers.settle(tx, kick.job, state))
        log.info("drawer", job=kick.job, state=state)
        await self._on_settled(kick.job)
        return True

    async def _opened(self) -> bool:
        way = self._way()
        if way is None:
            return False
        try:
            async with asyncio.timeout(KICK_LIFE_S):
                return await way()
        except (DeviceError, TimeoutError) as error:
            log.warning("drawer did not open", reason=str(error))
        except Exception:
            log.exception("driver fault", role=CASH_DRAWER)
        return False

"""An enrolled shop by the machine's own clock, as a process: it does what it is told line by line.

``python -m tests.faults.by_the_clock FOLDER BOOT [believing]``, under libfaketime. Each line on its input is
a word; it answers each with one JSON object: how things stand after it, and what it was refused for. The one
that believes its clock is broken on purpose.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import msgspec

from tapledger.clock import SystemClock
from tapledger.errors import Refused
from tapledger.loyalty import program as programs
from tapledger.loyalty.effects import POINTS
from tapledger.loyalty.lots import taken_amount
from tapledger.membership import night, permits, timekeeping
from tapledger.membership.rights import rights_of
from tapledger.store import history
from tapledger.store import keyring as keyrings
from tests.membership.leasing import Office, state_of
from tests.store.shops import EARPHONES, PROGRAM, Bench, card

LEASE, QUOTA = 200, 100
RULES = {**PROGRAM, "expiry": {"mode": "months", "count": 3}, "unsettled_points": QUOTA}


class ByTheClock:
    def __init__(self, folder: Path, boot: str) -> None:
        self._bench = Bench(folder, SystemClock())  # type: ignore[arg-type]
        self._boot = boot

    async def open(self) -> None:
        folder = self._bench.folder
        if not (folder / keyrings.FILE_NAME).exists():
            keys = keyrings.make(os.urandom(keyrings.RANDOMNESS))
            keyrings.create(folder, msgspec.structs.replace(keys, central_public_key=b"c" * 32))
        await self._bench.open()
        self._shop = self._bench.shop
        self._shop.program = programs.load(RULES)
        self._shop.boot = self._boot
        self._office = Office(self._shop)

    async def found(self) -> None:
        """A member with points and a lease of them, while central answers."""
        await self.hear()
        member = await self._bench.join("Lin", card("a"))
        await self._bench.buy(member, EARPHONES, 2)
        await self._office.hear()
        await self._office.grant(member, POINTS, LEASE)

    async def hear(self) -> None:
        """Central answers, and says what time it is."""
        await self._office.hear()
        self._shop.reachable = True
        await self._shop.store.transact(lambda tx: rights_of(tx, self._shop))

    async def away(self) -> None:
        self._shop.reachable = False

    async def sell(self) -> None:
        await self._bench.buy(None)

    async def redeem(self) -> None:
        await self._bench.redeem(await self._member())

    async def night(self) -> None:
        await night.run(self._shop)
        await permits.close_due(self._shop)

    async def close(self) -> None:
        await self._bench.close()

    async def _member(self) -> str:
        (member,) = await self._shop.store.transact(lambda tx: list(history.members_after(tx, "", 9)))
        return member

    async def stand(self) -> dict[str, Any]:
        member = await self._member()
        state = (await state_of(self._shop, member)).member
        leased = sum(taken_amount(one.taken) for one in state.leases)
        points = sum(lot.remaining for lot in state.lots) + leased
        may = await self._shop.store.transact(lambda tx: rights_of(tx, self._shop, member))
        hlc = await self._shop.store.transact(lambda tx: self._shop.store.journal.head(tx).hlc)
        kinds = [kind for (kind,) in self._bench.rows("SELECT kind FROM event ORDER BY epoch, seq")]
        return {"points": points, "suspect": may.clock_suspect, "hlc": hlc, "kinds": kinds}


async def main(shop: ByTheClock) -> None:
    await shop.open()
    loop = asyncio.get_running_loop()
    while word := (await loop.run_in_executor(None, sys.stdin.readline)).strip():
        try:
            await getattr(shop, word)()
            refused = ""
        except Refused as error:
            refused = error.code
        if word != "close":
            print(json.dumps({"refused": refused, **await shop.stand()}), flush=True)


if __name__ == "__main__":
    if sys.argv[3:] == ["believing"]:
        timekeeping.is_suspect = lambda tx, shop: False
    asyncio.run(main(ByTheClock(Path(sys.argv[1]), sys.argv[2])))

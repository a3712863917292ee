"""The counter of a real shop: its till and kiosk, its paper, its files, and the switch of its power."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import aiohttp
import sqlcipher3.dbapi2 as sqlcipher

from tapledger.lab.chain import Chain
from tapledger.lab.processes import Child
from tapledger.lab.seed import CASHIER, CASHIER_PIN, MEMBERS, TOWEL
from tapledger.lab.visitor import Visitor
from tapledger.wire.codec import decode_event
from tapledger_drivers.emulators.paper import PaperSlip

WANG = MEMBERS[0]
COFFEE_POINTS = 80
PATIENCE_S = 20.0
LOOK_AGAIN_S = 0.005
ON_ITS_WAY = frozenset({"queued", "sending", "waiting_device"})
"""States of a slip that has not met its fate: a printer opens some time after its daemon is up."""
ASK_AGAIN_S = 0.1
BACK_S = 40.0
"""A shop whose line was bad tries again after pauses that grow."""


class Counter:
    """One shop of a chain. Use as an async context manager."""

    def __init__(self, chain: Chain, shop: str) -> None:
        self._chain = chain
        self.child: Child = chain.shops[shop]
        self.bench = chain.benches[shop]
        self.config = chain.config(shop)
        self.till = Visitor(chain.ports[shop], "till")
        self.kiosk = Visitor(chain.ports[shop], "kiosk")

    async def __aenter__(self) -> Counter:
        await self.till.__aenter__()
        await self.kiosk.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        for reader in ("kiosk-reader", "till-reader"):
            await self.bench.remove(reader)
        await self.till.__aexit__()
        await self.kiosk.__aexit__()

    # ---- people ------------------------------------------------------------------------------------------
    async def sign_in(self) -> None:
        assert await self.till.do("sign-in", staff=CASHIER, pin=CASHIER_PIN) == {}
        await self.till.until(lambda s: s["staff"] is not None, "nobody is signed in")

    async def fill_basket(self) -> None:
        """One towel for Wang."""
        await self.till.do("enter", text=TOWEL)
        await self.till.do("enter", text=WANG.number)
        await self.till.until(lambda s: len(s["lines"]) == 1 and s["member"] is not None, "no basket")

    async def pay(self) -> str:
        """Pay what is in the basket; return the receipt's number."""
        assert await self.till.do("pay", tender="cash") == {}
        sold = await self.till.until(lambda s: not s["lines"] and s["last_sale"] is not None, "no sale")
        return str(sold["last_sale"]["receipt"])

    async def points(self) -> int:
        """Ask the till for Wang's points."""
        await self.till.do("member-off")
        await self.till.until(lambda s: s["member"] is None, "a member stays")
        await self.till.do("enter", text=WANG.number)
        seen = await self.till.until(lambda s: s["member"] is not None, "Wang is not known")
        await self.till.do("member-off")
        return int(seen["member"]["points"])

    async def until_offered(self) -> dict[str, Any]:
        """Wait for a balance with a reward that can be had, and return it: no points are given out before
        central was heard (decisions R7), nor after a start before it was asked what it knows (R23)."""
        seen = await self.kiosk.until(
            lambda s: any(one["available"] for one in s["screen"].get("rewards", [])), "no reward can be had"
        )
        return dict(seen["screen"])

    async def redeem(self) -> None:
        """Let Wang have a coffee at the kiosk."""
        await self.bench.insert("kiosk-reader", "wang")
        await self.until_offered()
        assert await self.kiosk.do("choose", reward="coffee") == {}
        await self.kiosk.until_screen("confirm")
        assert await self.kiosk.do("confirm", reward="coffee") == {}
        await self.kiosk.until_screen("done")
        await self.bench.remove("kiosk-reader")

    async def until_in_step(self, points: int) -> None:
        """Wait until all is told and Wang has so many points; there must never be more of them."""
        async with asyncio.timeout(BACK_S):
            while True:
                seen, till = await self.points(), self.till.snapshot
                assert seen <= points, f"{seen} points are more than {points}"
                if seen == points and till["unsynced"] == 0 and till["online"]:
                    return
                await asyncio.sleep(ASK_AGAIN_S)

    # ---- power -------------------------------------------------------------------------------------------
    def cut_power(self) -> None:
        """Kill the daemon; the lab starts it again."""
        self.child.kill()

    async def power_back(self) -> None:
        """Wait until the daemon is up again and somebody is signed in."""
        self.till.snapshot, self.kiosk.snapshot = {}, {}
        await self.child.ready()
        await self.till.until(lambda s: s["staff"] is None, "the till is not back")
        await self.sign_in()

    # ---- evidence ----------------------------------------------------------------------------------------
    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Read the shop's file beside the daemon, without touching it."""
        store: Path = self.config.parent / "shop.db"
        with closing(sqlcipher.connect(f"file:{store}?mode=ro", uri=True)) as connection:
            found: list[tuple[Any, ...]] = connection.execute(query).fetchall()
            return found

    def head(self) -> int:
        ((seq,),) = self.rows("SELECT max(seq) FROM event")
        return int(seq)

    def earned(self, after: int) -> list[int]:
        """Return what each sale after an event earned; a member's tier decides how much."""
        raws = self.rows(f"SELECT raw FROM event WHERE kind = 'sale' AND seq > {after} ORDER BY seq")
        sales = (decode_event(raw).body.sale for (raw,) in raws)
        return [sale.earned for sale in sales if sale is not None]

    def count(self, kind: str) -> int:
        ((count,),) = self.rows(f"SELECT count(*) FROM event WHERE kind = '{kind}'")
        return int(count)

    def fates(self) -> dict[str, str]:
        """Return the state of every slip by its receipt."""
        jobs = self.rows("SELECT id, state FROM print_job")
        return {job.removeprefix("slip-"): state for job, state in jobs}

    def paper(self, receipt: str) -> int:
        """Count the pieces of paper on which a receipt's number stands."""
        return sum(receipt in _stripped(slip) for slip in self.bench.printer.slips)

    async def until(self, holds: Callable[[], bool], what: str) -> None:
        """Look at an outside process until something holds."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + PATIENCE_S
        while not holds():
            assert loop.time() < deadline, what
            await asyncio.sleep(LOOK_AGAIN_S)

    async def settled(self) -> None:
        """Wait until every slip has met its fate."""
        await self.until(lambda: not ON_ITS_WAY & set(self.fates().values()), "a slip is still on its way")

    async def verify(self) -> dict[str, Any]:
        program = "from tapledger.cli import main; main()"
        command = [sys.executable, "-c", program, "verify-ledger", "--config", str(self.config), "--json"]
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        answer, _ = await process.communicate()
        return {"exit": process.returncode, **json.loads(answer)}

    def copies(self, receipt: str) -> int:
        """Count the pieces of paper that say that they are a copy of a receipt."""
        slips = self.bench.printer.slips
        return sum(
            any(line.startswith("补打") and receipt in line for line in _stripped(slip)) for slip in slips
        )

    def check_paper(self, receipts: set[str]) -> None:
        """Every receipt is on paper, and what came out after its first piece says that it is a copy."""
        fates = self.fates()
        for receipt in receipts:
            pieces, copies = self.paper(receipt), self.copies(receipt)
            assert fates[receipt] == "printed", (receipt, fates[receipt])
            assert pieces >= 1 and pieces - copies <= 1, (receipt, pieces, copies)


def _stripped(slip: PaperSlip) -> list[str]:
    return [line.strip() for line in slip.lines()]


async def quietly(work: Awaitable[object]) -> None:
    """Do what may be cut off by the end of the other side."""
    with suppress(aiohttp.ClientError, OSError):
        await work

"""One shop as a daemon of its own, without central and devices, on a disk and by a clock of its own."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

import tomlkit

from tapledger import assets, settings
from tapledger.app import open_shop
from tapledger.clock import SystemClock
from tapledger.commands.found import Founding, found
from tapledger.lab.visitor import Visitor
from tapledger.membership import sign_in
from tapledger.membership.identity import Presented
from tapledger.membership.registration import Joining, register_member

CASHIER, PIN = "s-demo", "246802"
NUMBER = "9100000017"
TOWEL = "6901234567908"
START_S = 30.0
TAPLEDGER = (sys.executable, "-c", "from tapledger.cli import main; main()")


async def found_shop(folder: Path, **store: int) -> None:
    """Make a shop's folder: a cashier, one member, the demo's articles; ``store`` are settings of its own."""
    founded = await found(
        Founding(folder, "Tea Hill", "CNY", "Asia/Shanghai", "en", port=0), SystemClock(), os.urandom
    )
    for file in ("program.toml", "catalogue.csv"):
        (folder / file).write_bytes((assets.config_folder() / file).read_bytes())
    document = tomlkit.parse(founded.config.read_text(encoding="utf-8"))
    document["store"] = {"folder": ".", **store}
    founded.config.write_text(tomlkit.dumps(document), encoding="utf-8")
    shop = await open_shop(settings.read(founded.config), SystemClock(), os.urandom)
    try:
        await sign_in.add_person(shop, CASHIER, "Demo cashier", "cashier", PIN)
        number = Presented("barcode", NUMBER, 0, "seed")
        await register_member(shop, Joining("join-1", "Wang", "", (number,), CASHIER))
    finally:
        await shop.store.close()


class LoneShop:
    """The daemon of a folder and somebody at its till. Use as an async context manager.

    ``around`` are words in front of the command, ``environment`` is added to ours.
    """

    def __init__(
        self, folder: Path, around: Sequence[str] = (), environment: dict[str, str] | None = None
    ) -> None:
        self.folder = folder
        self._command = [*around, *TAPLEDGER, "run", "--config", str(folder / "daemon.toml"), "--json"]
        self._environment = environment or {}
        self._stack = AsyncExitStack()
        self.process: asyncio.subprocess.Process
        self.till: Visitor

    async def __aenter__(self) -> LoneShop:
        with (self.folder.parent / "daemon.log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *self._command,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                env={**os.environ, **self._environment},
            )
        assert self.process.stdout is not None
        async with asyncio.timeout(START_S):
            faces = json.loads(await self.process.stdout.readline())
        port = int(faces["till"].split(":")[2].partition("/")[0])
        self.till = await self._stack.enter_async_context(Visitor(port, "till"))
        assert await self.till.do("sign-in", staff=CASHIER, pin=PIN) == {}
        await self.till.until(lambda s: s["staff"] is not None, "nobody is signed in")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()
        if self.process.returncode is None:
            self.process.terminate()
        await self.process.communicate()

    @property
    def disk(self) -> Path:
        """The shop's folder as its process sees it, also on a disk that only that has."""
        return Path(f"/proc/{self.process.pid}/root{self.folder}")

    async def fill_basket(self) -> None:
        """One towel for the member."""
        assert await self.till.do("enter", text=TOWEL) == {}
        assert await self.till.do("enter", text=NUMBER) == {}
        await self.till.until(lambda s: len(s["lines"]) == 1 and s["member"] is not None, "no basket")

    async def pay(self) -> dict[str, Any]:
        """Pay what is in the basket; return the problem, empty when it is paid."""
        return await self.till.do("pay", tender="cash")

    async def sell(self) -> str:
        """Sell a towel; return the receipt."""
        await self.fill_basket()
        assert await self.pay() == {}
        return await self.paid()

    async def paid(self) -> str:
        """Return the receipt of the sale just paid."""
        seen = await self.till.until(lambda s: not s["lines"] and s["last_sale"] is not None, "no sale")
        return str(seen["last_sale"]["receipt"])

    async def verify(self) -> dict[str, Any]:
        """Check the ledger beside the running daemon, on its own disk."""
        inside = ("nsenter", "--target", str(self.process.pid), "--user", "--preserve-credentials", "--mount")
        return await verify(self.folder, inside)


async def verify(folder: Path, around: Sequence[str] = ()) -> dict[str, Any]:
    """Run ``tapledger verify-ledger``; return what it said, and its exit code."""
    process = await asyncio.create_subprocess_exec(
        *around,
        *TAPLEDGER,
        "verify-ledger",
        "--config",
        str(folder / "daemon.toml"),
        "--json",
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await process.communicate()
    return {"exit": process.returncode, **json.loads(said)}

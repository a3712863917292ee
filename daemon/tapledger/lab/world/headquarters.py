"""Central as a process of the world: it is started, asked, killed and started again on the same disk."""

from __future__ import annotations

import asyncio
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from tapledger.identifiers import Randomness
from tapledger.lab.world.machines import Machine, WorldClock
from tapledger.membership.programs import Source
from tapledger.wire import signing
from tapledger.wire.news import ProgramNews
from tapledger_central import telling
from tapledger_central.app import Central, open_central
from tapledger_central.store import Transaction
from tapledger_central.web.asking import Answered, Asked
from tapledger_central.web.handlers import Handlers

T = TypeVar("T")

ADDRESS = "https://central.test"
EMPTY = "central.db"
"""A file of central's with nothing in it, which spares each life the making of the schema."""


async def make_empty(folder: Path) -> Path:
    """Make such a file in a folder, once for many lives."""
    central = await open_central(folder)
    await central.close()
    return folder / EMPTY


class Headquarters:
    def __init__(self, folder: Path, clock: WorldClock, chance: random.Random, empty: Path) -> None:
        self._folder = folder
        self._clock = clock
        self._chance = chance
        self._randomness: Randomness = random.Random(chance.getrandbits(64)).randbytes  # noqa: S311
        self._machine: Machine | None = None
        self._handlers: Handlers | None = None
        self.on_crash: Callable[[], None] = lambda: None
        self.on_failure: Callable[[BaseException], None] = lambda error: None
        folder.mkdir(mode=0o700)
        shutil.copy(empty, folder / EMPTY)

    @property
    def central(self) -> Central:
        assert self._handlers is not None
        return self._handlers.central

    @property
    def is_open(self) -> bool:
        """Its disk can be looked at; also that of a process that was just killed."""
        return self._machine is not None

    @property
    def is_up(self) -> bool:
        return self._machine is not None and self._machine.alive

    async def start(self, points_left: int | None) -> None:
        """Start the process. It is killed after so many uses of its disk; None: only by ``stop``."""
        machine = Machine("central", self._chance, None)
        machine.on_crash, machine.on_failure = self.on_crash, self.on_failure
        central = await machine.undisturbed(
            open_central(self._folder, self._clock, self._randomness, machine)
        )
        self._machine, self._handlers = machine, Handlers(central, [ADDRESS])
        machine.run_task(_work(central), "work")
        machine.points_left = points_left

    def fail_after(self, points: int) -> None:
        """Let the process that runs be killed after so many uses of its disk."""
        if self._machine is not None:
            self._machine.points_left = points

    async def stop(self) -> None:
        """End the process, if it still runs, wherever it is, and let its disk be taken up again."""
        if self._machine is not None:
            await self._machine.off()
            await self._machine.undisturbed(self.central.close())
            self._machine = None

    def ask(self, asked: Asked) -> asyncio.Future[Answered] | None:
        """Give a request to the process; None when none runs. The answer is cancelled when it is killed."""
        if self._machine is None or not self._machine.alive or self._handlers is None:
            return None
        return self._machine.run_task(self._handlers.answer(asked), f"{asked.method} {asked.target}")

    async def tell(self, source: Source) -> None:
        """Tell every shop the programme."""
        kept, now = source.kept(), self._clock.now()
        told = ProgramNews(version=kept.version, content=kept.content, text=kept.text)
        await self.look(lambda tx: telling.program(tx, told, now))

    @property
    def node(self) -> str:
        """Central's own name among the nodes: leases are events of its own chain."""
        return signing.node_id(self.central.keys.public_key)

    async def code(self, shop: str) -> str:
        """Return a one-time code with which a kiosk of a shop can enrol."""
        assert self._machine is not None
        return await self._machine.undisturbed(self.central.enrolment_code(shop))

    async def look(self, work: Callable[[Transaction], T]) -> T:
        """Read what central has committed, unseen by the world. It must have been started."""
        assert self._machine is not None
        return await self._machine.undisturbed(self.central.store.transact(work))


async def _work(central: Central) -> None:
    async with central.working():
        await central.share_out()

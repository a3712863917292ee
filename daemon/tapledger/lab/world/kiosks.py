"""A kiosk of the world: a disk with its keys, a computer that has it, and the daemon that runs there."""

from __future__ import annotations

import asyncio
import random
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from yarl import URL

from tapledger.database import Transaction
from tapledger.floor.head_office import HeadOffice
from tapledger.lab.world.headquarters import ADDRESS
from tapledger.lab.world.lines import Line, LineTransport
from tapledger.lab.world.machines import Machine, MachineClock, WorldClock
from tapledger.loyalty.program import Program
from tapledger.loyalty.sales.catalogue import Catalogue
from tapledger.membership import programs, restoring
from tapledger.membership.programs import Source
from tapledger.membership.shop import Shop
from tapledger.settings import CentralSettings
from tapledger.store.keyring import Keyring
from tapledger.store.store import Store
from tapledger.sync.transport import Received, Transport

if TYPE_CHECKING:
    from tapledger.lab.world.customers import Wish

T = TypeVar("T")

POLL_S = 3600.0


@dataclass(slots=True)
class Promised:
    """An event that a customer was shown as done."""

    hash: bytes
    kind: str
    member: str | None


@dataclass(slots=True)
class Disk:
    """What outlives a computer's power: the folder, and what was promised from it. Copied like an image."""

    folder: Path
    promised: dict[tuple[int, int], Promised] = field(default_factory=dict)
    """By (epoch, seq)."""
    keys: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Which event each command has become."""
    disputed: int = 0
    """Events promised under the numbers of others, by a disk that did not know its own past."""
    vouchers: list[str] = field(default_factory=list)
    """Codes that were given out, as printed."""
    sales: list[str] = field(default_factory=list)
    """Ids of sales that a member may bring back."""

    def copy_to(self, folder: Path) -> Disk:
        """Make an image. The computer must be off."""
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.folder, folder)
        return Disk(folder, dict(self.promised), dict(self.keys), 0, list(self.vouchers), list(self.sales))


class Kiosk:
    """One kiosk. ``power_on`` and ``power_off`` are its switch; a crash is a power cut at any moment."""

    def __init__(
        self,
        name: str,
        disk: Disk,
        keyring: Keyring,
        line: Line,
        true_clock: WorldClock,
        chance: random.Random,
        rules: tuple[Source, Catalogue],
    ) -> None:
        self.name = name
        self.disk = disk
        self.keyring = keyring
        self.line = line
        self.clock = MachineClock(true_clock)
        self.chance = chance
        self.machine: Machine | None = None
        self.shop: Shop | None = None
        self.office: HeadOffice | None = None
        self.unfinished: Wish | None = None
        """What was asked for when the power failed: it is asked for again."""
        self.is_cloned = False
        """A copy of its disk runs, or it is that copy."""
        self.waits_for_central = False
        """Nobody is served before central was heard."""
        self.is_closed = False
        """It is not trusted any more; it runs on to tell what it knows."""
        self.image: Disk | None = None
        """A copy of its disk, made earlier."""
        self.switch = asyncio.Lock()
        """Whoever has it may switch the power."""
        self.is_suspect = False
        """It may have to be suspended: its past came back unnoticed, or a copy of it runs somewhere."""
        self.boots = 0
        self.last_hlc = self.last_epoch = 0
        """Of what was recorded here last, to check the next."""
        self._rules = rules
        self.passed: Callable[[Kiosk, str, URL, bytes, Received | None], Awaitable[None]] = _nothing
        self.on_crash: Callable[[Kiosk], None] = lambda kiosk: None
        self.on_failure: Callable[[BaseException], None] = lambda error: None

    @property
    def node(self) -> str:
        return self.keyring.node

    @property
    def program(self) -> Program:
        program = self._rules[0].program
        assert program is not None
        return program

    @property
    def is_on(self) -> bool:
        return self.machine is not None and self.machine.alive

    async def power_on(self, points_left: int | None) -> None:
        """Start the computer and its daemon. Its power fails after so many points; None: it does not."""
        machine = Machine(self.name, self.chance, None)
        machine.on_crash = lambda: self.on_crash(self)
        machine.on_failure = self.on_failure
        self.machine, self.boots = machine, self.boots + 1
        source, articles = self._rules
        randomness = random.Random(self.chance.getrandbits(64)).randbytes  # noqa: S311 - to be lived again
        store = await machine.undisturbed(Store.open(self.disk.folder, self.keyring, machine))
        program, coming = await machine.undisturbed(programs.choose(store, source, self.clock.now()))
        self.shop = Shop(store, program, articles, self.clock, randomness, self.name, "en", coming)
        shop = self.shop
        store.on_restored = lambda tx, body: restoring.settle(shop, tx, body)
        settings = CentralSettings(url=ADDRESS, poll_s=POLL_S)
        self.office = HeadOffice(shop, settings, self.clock, self._connect)
        await machine.undisturbed(self.office.recall())
        machine.run_task(self.office.run(), "office")
        machine.points_left = points_left

    @asynccontextmanager
    async def _connect(self) -> AsyncIterator[Transport]:
        assert self.machine is not None
        yield self.way(self.machine)

    def way(self, machine: Machine) -> Transport:
        return LineTransport(machine, self.line, lambda *what: self.passed(self, *what))

    async def power_off(self) -> None:
        """End what runs, wherever it is, and close the disk; nothing when it is off already."""
        if self.machine is None:
            return
        await self.machine.off()
        if self.shop is not None:
            await self.machine.undisturbed(self.shop.store.close())
        self.machine = self.shop = self.office = None

    async def look(self, work: Callable[[Transaction], T]) -> T:
        """Read this kiosk's disk, unseen by the world. It must be on, or have crashed and not be closed."""
        assert self.machine is not None and self.shop is not None
        return await self.machine.undisturbed(self.shop.store.transact(work))


async def _nothing(kiosk: Kiosk, method: str, url: URL, body: bytes, received: Received | None) -> None:
    return None

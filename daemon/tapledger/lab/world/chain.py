"""The chain that is simulated: central, its shops' lines and kiosks, and what becomes of each of them."""

from __future__ import annotations

import asyncio
import datetime as dt
import random
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from yarl import URL

from tapledger.errors import TapledgerError
from tapledger.lab.world import customers, rules
from tapledger.lab.world.auditing import Auditor, check_recorded
from tapledger.lab.world.customers import Wish
from tapledger.lab.world.headquarters import ADDRESS, Headquarters
from tapledger.lab.world.kiosks import Disk, Kiosk, Promised
from tapledger.lab.world.lines import CALM, Line, LineTransport
from tapledger.lab.world.machines import Machine, WorldClock
from tapledger.lab.world.trace import ACKNOWLEDGED, KEPT, ONCE, SUSPECTS, Broken, Trace
from tapledger.store import keyring as keyrings
from tapledger.store.journal import Recorded
from tapledger.store.keyring import Keyring
from tapledger.sync.enrol import enrol
from tapledger.sync.transport import Received
from tapledger.wire.codec import unpack
from tapledger.wire.messages import BatchAnswer, Refusal
from tapledger_central.store import nodes
from tapledger_central.web.asking import Answered, Asked

BEGIN = dt.datetime(2026, 3, 1, 22, 0, tzinfo=dt.UTC)
"""Six in the morning where the shops are."""
QUOTAS = ((0, 0), (60, 150), (300, 500))
"""Points of one member, and of all, that a kiosk gives out by itself; the first is none."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to live."""

    seed: int
    days: float = 1.0
    kiosks: int = 4
    shops: int = 2


class Chain:
    """Everything that is there. It notes each step and ends at the first rule that is broken."""

    def __init__(self, plan: Plan, folder: Path, empty: Path) -> None:
        self.plan = plan
        self.chance = random.Random(plan.seed)  # noqa: S311 - to be lived again
        self.trace = Trace()
        self.clock = WorldClock(BEGIN)
        self.quota = QUOTAS[plan.seed % len(QUOTAS)]
        self.rules = rules.make(*self.quota)
        self.headquarters = Headquarters(folder / "central", self.clock, self.chance, empty)
        self.headquarters.on_failure = self.fail
        program = self.rules[0].program
        assert program is not None
        self.program = program
        self.auditor = Auditor(self.headquarters, program)
        self.lines = [Line(self.chance, self._ask, CALM) for _ in range(plan.shops)]
        self.kiosks: list[Kiosk] = []
        """Those that serve customers; a clone is beside its original."""
        self.people = plan.kiosks + 3
        self.disks = 0
        """Kiosks that have ever been, counted again for each time that one's past came back."""
        self.promised = 0
        self.lost_with_disks = 0
        self.over: asyncio.Future[None]
        self._folder = folder
        self._count = 0
        self._jobs: dict[asyncio.Task[Any], None] = {}

    # Steps.
    def note(self, who: str, what: str, detail: object = "") -> None:
        self.trace.note(self.clock.monotonic_s(), who, what, detail)

    def fail(self, error: BaseException) -> None:
        """End this life by what is wrong."""
        if not self.over.done():
            self.over.set_exception(error)

    def job(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Let something happen in the world beside all else."""
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._jobs[task] = None
        task.add_done_callback(self._job_ended)

    def _job_ended(self, task: asyncio.Task[Any]) -> None:
        self._jobs.pop(task, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.fail(error)

    async def end_jobs(self) -> None:
        for task in list(self._jobs):
            task.cancel()
        if self._jobs:
            await asyncio.wait(list(self._jobs))

    def key(self, kiosk: Kiosk) -> str:
        self._count += 1
        return f"{kiosk.name}-{self._count}"

    # Kiosks.
    async def found(self, shop: int) -> Kiosk:
        """Enrol a new kiosk of a shop: its keys, its empty disk."""
        self.disks += 1
        name = f"k{self.disks}"
        code = await self.headquarters.code(f"shop {shop}")
        fresh = keyrings.make(self.chance.randbytes(keyrings.RANDOMNESS))
        way = LineTransport(Machine(name, self.chance, None), Line(self.chance, self._ask, CALM), _unseen)
        answer = await enrol(way, ADDRESS, code, fresh.signing_key, name)
        folder = self._folder / name
        folder.mkdir()
        kiosk = self.put_up(name, Disk(folder), fresh.with_enrolment(answer), self.lines[shop])
        self.note(name, "enrolled", kiosk.node)
        return kiosk

    def put_up(self, name: str, disk: Disk, keyring: Keyring, line: Line) -> Kiosk:
        kiosk = Kiosk(name, disk, keyring, line, self.clock, self.chance, self.rules)
        kiosk.passed, kiosk.on_failure = self._passed, self.fail
        self.kiosks.append(kiosk)
        return kiosk

    def _ask(self, asked: Asked) -> asyncio.Future[Answered] | None:
        return self.headquarters.ask(asked)

    # Customers.
    async def serve(self, kiosk: Kiosk, wish: Wish) -> Recorded | None:
        """Let a customer have what they want, if they can; None when they are told that they cannot."""
        assert kiosk.shop is not None
        kiosk.unfinished = wish
        try:
            recorded = await wish.run(kiosk.shop, kiosk.disk)
        except TapledgerError as error:
            kiosk.unfinished = None
            self.note(kiosk.name, "refused", f"{wish.what} {error.code}")
            return None
        kiosk.unfinished = None
        check_recorded(kiosk, recorded)
        self._promise(kiosk, wish, recorded)
        if kiosk.office is not None:
            kiosk.office.poke()
        return recorded

    def _promise(self, kiosk: Kiosk, wish: Wish, recorded: Recorded) -> None:
        event, place = recorded.event, (recorded.event.epoch, recorded.event.seq)
        known = kiosk.disk.promised.get(place)
        if known is not None and known.hash != recorded.hash:
            if not kiosk.is_suspect:
                raise Broken(KEPT, f"{kiosk.name} {recorded.receipt} is another event now")
            kiosk.disk.disputed += 1
            self.note(kiosk.name, "disputed", recorded.receipt)
            return
        earlier = kiosk.disk.keys.setdefault(wish.key, place)
        if earlier != place:
            raise Broken(ONCE, f"{kiosk.name} {wish.key}: {earlier} and {place}")
        kiosk.disk.promised[place] = Promised(recorded.hash, event.body.kind, event.body.member)
        self.promised += known is None
        again = "again" if recorded.replayed else recorded.hash.hex()[:12]
        self.note(kiosk.name, wish.what, f"{recorded.receipt} {again}")

    # Requests.
    async def _passed(
        self, kiosk: Kiosk, method: str, url: URL, body: bytes, received: Received | None
    ) -> None:
        what = f"{method} {url.path.rpartition('/')[2]}"
        if received is None:
            self.note(kiosk.name, "unreachable", what)
            return
        if received.status != 200:
            code = unpack(received.body, Refusal).code
            self.note(kiosk.name, "turned down", f"{what} {code}")
            return
        self.note(kiosk.name, what)
        if what == "POST events":
            try:
                await self._check_ack(kiosk, body, received)
            except Broken as error:
                self.fail(error)

    async def _check_ack(self, kiosk: Kiosk, body: bytes, received: Received) -> None:
        """What central says it has, it has: on its disk, whatever becomes of its process."""
        if not self.headquarters.is_open:
            return  # looked at when it is up again
        await self.auditor.look(self.disks)
        ack, epoch = unpack(received.body, BatchAnswer).ack, unpack(body, _Epoch).epoch
        if self.auditor.has(kiosk.node, epoch, ack) is None:
            raise Broken(ACKNOWLEDGED, f"{kiosk.name} {epoch}/{ack}")

    def check_suspended(self, kiosk: Kiosk) -> None:
        """Only a kiosk that has given cause may ever be suspended."""
        if not kiosk.is_suspect:
            raise Broken(SUSPECTS, kiosk.name)

    async def status(self, kiosk: Kiosk) -> str:
        found = await self.headquarters.look(lambda tx: nodes.find(tx, kiosk.node))
        return "" if found is None else found.status


class _Epoch(msgspec.Struct):
    epoch: int


async def _unseen(method: str, url: URL, body: bytes, received: Received | None) -> None:
    return None


def draw(chain: Chain, kiosk: Kiosk) -> Wish:
    """Return what the next customer at a kiosk wants."""
    return customers.draw(chain.chance, chain.key(kiosk), chain.people, kiosk.disk)

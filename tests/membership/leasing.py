"""An enrolled shop and somebody to ask for leases: central's rules on what this shop has told it."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from tapledger.database import Transaction
from tapledger.errors import Unavailable
from tapledger.loyalty import leases, members
from tapledger.loyalty.decisions import Decision
from tapledger.loyalty.leases import Asked
from tapledger.loyalty.members import Member
from tapledger.membership.shop import Shop
from tapledger.store import facts, outbox
from tapledger.store import keyring as keyrings
from tapledger.store import leases as held
from tapledger.store import members as stored
from tests.store.shops import EARPHONES, Bench, HandClock, card

HOUR_S = 3600


class Office:
    """Grants, recalls and knows: the state of this shop is central's as soon as anything is asked."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.asked: list[tuple[str, int]] = []
        self.answers = True
        self._count = 0

    async def ask(self, member: str, pool: str, amount: int) -> None:
        self.asked.append((pool, amount))
        if not self.answers:
            raise Unavailable("CENTRAL_UNREACHABLE", why="there is no line")
        await self.grant(member, pool, amount)

    async def grant(self, member: str, pool: str, amount: int, node: str = "") -> None:
        self._count += 1
        lease = Asked(f"lease-{self._count}", node or self.shop.store.keyring.node, pool, amount)
        now, program = self.shop.clock.now(), self.shop.program
        await self.tell(member, lambda who: leases.decide_grant(who, lease, program, now, lambda n: n))

    async def recall(self, member: str) -> None:
        now, program = self.shop.clock.now(), self.shop.program
        await self.tell(member, lambda who: leases.decide_recall(who, who.leases[0], program, now))

    async def tell(self, member: str, decide) -> None:  # type: ignore[no-untyped-def]
        """Change a member at central and let the shop hear it, with all that it recorded itself."""

        def work(tx: Transaction) -> None:
            known = stored.load(tx, member)
            assert known is not None
            decision: Decision = decide(known.member)
            assert decision.after is not None
            self._heard(tx, decision.after)

        await self.shop.store.transact(work)

    async def hear(self) -> None:
        """Let the shop hear that central has everything, at this moment."""

        def work(tx: Transaction) -> None:
            for (name,) in tx.exec_driver_sql("SELECT DISTINCT member FROM event WHERE member != ''").all():
                known = stored.load_alias(tx, name)
                if known is not None:
                    self._heard(tx, known.member)
            facts.put(tx, "feed_at", self.shop.clock.now().isoformat().encode())

        await self.shop.store.transact(work)

    def _heard(self, tx: Transaction, state: Member) -> None:
        head = self.shop.store.journal.head(tx)
        epoch, node = self.shop.store.journal.epoch, self.shop.store.keyring.node
        outbox.set_acknowledged(tx, epoch, head.seq)
        stored.replace_all(tx, [stored.Told(state, {f"{node}/{epoch}": head.seq})], node)
        held.note(tx, state, node)


async def state_of(shop: Shop, member: str) -> stored.Stored:
    found = await shop.store.transact(lambda tx: stored.load(tx, member))
    assert found is not None
    return found


async def have(shop: Shop, member: str) -> members.Points:
    return members.points((await state_of(shop, member)).member, shop.clock.now())


async def rich(bench: Bench, office: Office, points: int = 598) -> str:
    """Make a member with points that central knows of."""
    member = await bench.join("Lin", card("a"))
    await bench.buy(member, EARPHONES, points // 299)
    await office.hear()
    return member


class SkewedClock(HandClock):
    """A clock of the day that can be set without time passing."""

    def __init__(self) -> None:
        super().__init__()
        self.passed_s = 0.0
        self.reboots = 0.0

    def move(self, seconds: float) -> None:
        super().move(seconds)
        self.passed_s += seconds

    def set(self, by_s: float) -> None:
        self._now += dt.timedelta(seconds=by_s)

    def monotonic_s(self) -> float:
        return self.passed_s - self.reboots


Leasing = tuple[Bench, Office]


@pytest.fixture
async def leasing(tmp_path: Path) -> AsyncIterator[Leasing]:
    """An enrolled shop whose central answers, with a quota of 100 points a member."""
    keys = keyrings.make(os.urandom(keyrings.RANDOMNESS))
    folder = tmp_path / "shop"
    folder.mkdir()
    keyrings.create(folder, msgspec.structs.replace(keys, central_public_key=b"c" * 32))
    bench = Bench(folder, SkewedClock())
    await bench.open()
    bench.shop.program = msgspec.structs.replace(bench.shop.program, unsettled_points=100)
    bench.shop.reachable = True
    office = Office(bench.shop)
    bench.shop.permits = office
    await office.hear()
    yield bench, office
    await bench.close()

"""A shop, or two with a central, in which random things happen; each command is proved as it is done."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from tapledger import texts
from tapledger.database import Transaction
from tapledger.errors import TapledgerError, Unavailable
from tapledger.lab.partner import PartnerBooks
from tapledger.lab.scenario.document import Scenario
from tapledger.lab.scenario.shops import Place
from tapledger.lab.scenario.world import World
from tapledger.loyalty.members import Member
from tapledger.membership import alliance
from tapledger.membership.alliance import SendCommand
from tapledger.membership.identity import Presented
from tapledger.membership.registration import Joining, register_member
from tapledger.membership.shop import Shop
from tapledger.store import history, members
from tapledger.store.journal import Recorded
from tests.lives.rules import ARTICLES, table

MEMBERS = 3
REPLAYED = 12
"""Commands that may still be asked for again."""

Command = Callable[[], Awaitable[Any]]


def scenario(
    name: str,
    shops: tuple[str, ...],
    program: dict[str, Any],
    articles: tuple[dict[str, Any], ...] = ARTICLES,
) -> Scenario:
    """Return a story without steps, to open a world by; ``name`` is the seed of all its randomness."""
    starts = dt.datetime(2026, 3, 2, 10)  # noqa: DTZ001 - local by intent
    path = Path(name)
    return Scenario(
        path=path,
        name=name,
        about="",
        language="en",
        program=program,
        program_path=path,
        articles=articles,
        catalogue=None,
        starts=starts,
        shops=shops,
        steps=(),
    )


def tables(tx: Transaction) -> dict[str, list[tuple[Any, ...]]]:
    """Return everything that a store holds."""
    names = tx.exec_driver_sql("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
    return {
        name: [tuple(row) for row in tx.exec_driver_sql(f"SELECT * FROM {name} ORDER BY 1, 2")]
        for (name,) in list(names)
    }


async def fingerprint(shop: Shop) -> str:
    """Return a hash of everything that a shop's store holds."""

    def work(tx: Transaction) -> str:
        digest = hashlib.sha256()
        for name, rows in tables(tx).items():
            digest.update(repr((name, rows)).encode())
        return digest.hexdigest()

    return await shop.store.transact(work)


class Life:
    """Several members in one shop or two."""

    def __init__(
        self, folder: Path, name: str, shops: tuple[str, ...] = ("A",), timezone: str = "Asia/Shanghai"
    ) -> None:
        self.world = World(scenario(name, shops, table(timezone)), folder)
        self.partner = PartnerBooks()
        self.who: list[str] = []
        self.refusals: dict[str, int] = {}
        self.done = 0
        """Commands that were recorded."""
        self.log: list[str] = []
        self.codes: dict[str, str] = {}
        """Of papers, by the key of their printing."""
        self._again: list[tuple[Place, str, Command, str]] = []

    async def open(self) -> None:
        await self.world.open()
        for number in range(MEMBERS):
            await self.join(self.places[0], number)
            self.world.clock.instant += dt.timedelta(minutes=1)
        for place in self.places * 2:
            if self.world.central is not None:
                place.shop.reachable = True
                await place.sync()

    async def close(self) -> None:
        await self.world.close()

    @property
    def places(self) -> list[Place]:
        return list(self.world.places.values())

    @property
    def now(self) -> dt.datetime:
        return self.world.clock.instant

    def key(self) -> str:
        self.world._keys += 1
        return f"k{self.world._keys}"

    def card(self, number: int, level: int = 2) -> Presented:
        return Presented("card", f"card-{number % len(self.who)}", level, "test")

    async def join(self, place: Place, number: int) -> None:
        card = Presented("card", f"card-{number}", 1, "test")
        born = (3, 4 + number, None)
        joining = Joining(self.key(), f"Guest {number}", f"1380000{number:04}", (card,), "s-1", born)
        recorded = await register_member(place.shop, joining)
        assert recorded.event.body.member is not None
        self.who.append(recorded.event.body.member)

    async def member(self, place: Place, number: int) -> Member | None:
        name = self.who[number % len(self.who)]
        stored = await place.shop.store.transact(lambda tx: members.load(tx, name))
        return None if stored is None else stored.member

    async def everybody(self, place: Place) -> list[Member]:
        """Return all that a shop keeps of members, those who became part of others too."""

        def work(tx: Transaction) -> list[Member]:
            found = [members.load_alias(tx, one) for one in history.members_after(tx, "", 100)]
            return [one.member for one in found if one is not None]

        return await place.shop.store.transact(work)

    async def sync(self) -> None:
        """Let the shops that have a line tell each other what is new, as the daemons do all the time."""
        if self.world.central is not None:
            for place in self.places * 2:
                if place.shop.reachable:
                    await place.sync()

    async def run(self, place: Place, what: str, command: Command, *, keyed: bool = True) -> Any | None:
        """Do one command. A refusal must be one and change nothing; what was done must not be done again."""
        before = await fingerprint(place.shop)
        try:
            answer = await command()
        except TapledgerError as error:
            assert await fingerprint(place.shop) == before, f"{what} was refused ({error.code}) and changed"
            self.refused(what, error)
            return None
        self.done += 1
        self.log.append(what)
        proof = _proof(answer)
        await self._replay(place, what, command, proof)
        if keyed:
            self._again = [*self._again[1 - REPLAYED :], (place, what, command, proof)]
        return answer

    def refused(self, what: str, error: TapledgerError) -> None:
        title, advice = texts.problem("en", error)
        assert title and advice
        self.refusals[error.code] = self.refusals.get(error.code, 0) + 1
        self.log.append(f"{what}: {error.code}")

    async def send(self, place: Place, command: SendCommand) -> None:
        """Send points to the partner; when its answer is lost, ask until it is known what became of them."""
        try:
            await alliance.send_points(place.shop, self.partner, command)
        except Unavailable:
            self.partner.losing = ""
            await alliance.settle_open(place.shop, "air", self.partner)
        except TapledgerError as error:
            self.refused("points out", error)
            return
        self.done += 1
        before = await fingerprint(place.shop)
        await alliance.send_points(place.shop, self.partner, command)
        assert await fingerprint(place.shop) == before, "points were sent twice"

    async def ask_again(self, number: int) -> None:
        """Ask once more for something that was done some time ago (P5)."""
        if self._again:
            await self._replay(*self._again[number % len(self._again)])

    async def _replay(self, place: Place, what: str, command: Command, proof: str) -> None:
        before = await fingerprint(place.shop)
        assert _proof(await command()) == proof, f"{what}: another answer to the same command"
        assert await fingerprint(place.shop) == before, f"{what}: the same command changed something again"


def _proof(answer: Any) -> str:
    """Return what names the event that answers a command, however the answer carries it."""
    for one in (answer, getattr(answer, "recorded", None), getattr(answer, "sold", None)):
        if isinstance(one, Recorded):
            return one.hash.hex()
    return repr(answer)

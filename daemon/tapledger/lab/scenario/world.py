"""A small chain to play scenarios in: real stores in a folder, a real central, one clock that the file moves."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from tapledger.errors import NotFound, TapledgerError, Unavailable
from tapledger.lab.scenario.document import Scenario, Step
from tapledger.lab.scenario.expectations import Cash
from tapledger.languages import Language
from tapledger.loyalty import program as programs
from tapledger.loyalty.facts import Reason
from tapledger.loyalty.members import Member
from tapledger.loyalty.money import exponent
from tapledger.loyalty.program import Program
from tapledger.membership import catalogue
from tapledger.membership.catalogue import Catalogue
from tapledger.membership.identity import Presented
from tapledger.membership.shop import Shop
from tapledger.store import keyring as keyrings
from tapledger.store import members
from tapledger.store.journal import Recorded
from tapledger.store.store import Store
from tapledger.sync.puller import pull_once
from tapledger.sync.pusher import push_once
from tapledger.wire import signing
from tapledger.wire.messages import MAX_FEED_ROWS, Batch, BatchAnswer, Enrol, FeedPage
from tapledger_central import enrol, feed, intake
from tapledger_central.app import Central, open_central

T = TypeVar("T")
DEFAULT_START = dt.datetime(2026, 3, 2, 10, 0)  # noqa: DTZ001 - local by intent
"""A Monday morning, local time."""
EVERY_STEP = dt.timedelta(seconds=1)
LANGUAGE: Language = "en"


class InlineExecutor:
    """Runs a store's work at once: one story has nothing to wait beside."""

    async def run(self, work: Callable[[], T]) -> T:
        return work()

    def close(self) -> None:
        pass


class StoryClock:
    """The only clock of a story; steps move it."""

    def __init__(self, now: dt.datetime) -> None:
        self.instant = now

    def now(self) -> dt.datetime:
        return self.instant

    def monotonic_s(self) -> float:
        return self.instant.timestamp()


class SeededRandomness:
    """The same story draws the same codes and keys every time."""

    def __init__(self, seed: str) -> None:
        self._seed, self._count = seed.encode(), 0

    def __call__(self, size: int) -> bytes:
        self._count += 1
        return hashlib.shake_256(self._seed + self._count.to_bytes(8, "big")).digest(size)


class Place:
    """One shop of the story and its line to central."""

    def __init__(self, name: str, shop: Shop, world: World) -> None:
        self.name = name
        self.shop = shop
        self.online = True
        self._world = world

    @property
    def online(self) -> bool:
        return self.shop.reachable

    @online.setter
    def online(self, online: bool) -> None:
        self.shop.reachable = online

    async def send(self, batch: Batch) -> BatchAnswer:
        central, node = await self._central()
        return await intake.take(central.store, central.keys.tenant, node, batch, self._world.clock.now())

    async def feed(self, cursor: int) -> FeedPage:
        central, _ = await self._central()
        return await feed.page(central.store, cursor, MAX_FEED_ROWS, self._world.clock.now())

    async def _central(self) -> tuple[Central, Any]:
        from tapledger_central.store import nodes

        central = self._world.central
        if not self.online or central is None:
            raise Unavailable("CENTRAL_UNREACHABLE")
        node = await central.store.transact(lambda tx: nodes.find(tx, self.shop.store.keyring.node))
        if node is None:
            raise NotFound("NODE_UNKNOWN")
        return central, node

    async def sync(self) -> None:
        while await push_once(self.shop.store, self, self.shop.store.keyring):
            pass
        await pull_once(self.shop.store, self)


class World:
    """Everything that a story's steps act on."""

    def __init__(self, scenario: Scenario, folder: Path) -> None:
        self.scenario = scenario
        self.program: Program = programs.load(scenario.program)
        self.zone = self.program.zone()
        starts = scenario.starts or DEFAULT_START
        self.clock = StoryClock(starts.replace(tzinfo=self.zone).astimezone(dt.UTC))
        self.randomness = SeededRandomness(scenario.path.name)
        self.catalogue = _catalogue(scenario, self.program)
        self.central: Central | None = None
        self.places: dict[str, Place] = {}
        self.members: dict[str, str] = {}
        """Pseudonyms by the names of the story."""
        self.named: dict[str, Any] = {}
        """What steps left behind under their ``as``: receipts, vouchers, coupons."""
        self.recorded: list[Recorded] = []
        self._folder = folder
        self._keys = 0

    async def open(self) -> None:
        if len(self.scenario.shops) > 1:
            self.central = await open_central(self._folder / "central", self.clock)
        for name in self.scenario.shops:
            self.places[name] = Place(name, await self._open_shop(name), self)

    async def close(self) -> None:
        for place in self.places.values():
            await place.shop.store.close()
        if self.central is not None:
            await self.central.close()

    async def _open_shop(self, name: str) -> Shop:
        folder = self._folder / name
        folder.mkdir(parents=True)
        keys = keyrings.make(self.randomness(keyrings.RANDOMNESS))
        if self.central is not None:
            code = await self.central.enrolment_code(name)
            public = keys.signing_key.public_key().public_bytes_raw()
            proof = signing.sign(keys.signing_key, signing.enrol_statement(code, public))
            request = Enrol(code=code, public_key=public, name=name, proof=proof)
            answer = await enrol.enrol(self.central.store, self.central.keys, request, self.clock.now())
            keys = keys.with_enrolment(answer)
        keyrings.create(folder, keys)
        store = await Store.open(folder, keys, InlineExecutor())
        return Shop(store, self.program, self.catalogue, self.clock, self.randomness, name, LANGUAGE)

    # What steps ask for.
    def place(self, step: Step) -> Place:
        name = str(step.get("shop", self.scenario.shops[0]))
        if name not in self.places:
            raise step.wrong(f"there is no shop {name!r}; shops: {', '.join(self.places)}")
        return self.places[name]

    def key(self, step: Step) -> str:
        """Return the idempotency key of a step: its own, or a fresh one."""
        self._keys += 1
        return str(step.get("key", f"step-{step.number}-{self._keys}"))

    def member_id(self, step: Step, key: str = "member") -> str:
        name = step.text(key)
        if name not in self.members:
            raise step.wrong(f"nobody is called {name!r} yet")
        return self.members[name]

    def presented(self, step: Step, default: int = 3) -> Presented:
        """Return the card of the step's member, read at a trust level of 0 to 3."""
        level = step.number_of("level", default)
        kind = "card" if level else "phone"
        return Presented(kind, step.text("card", step.text("member")), level, "scenario")

    def minor(self, step: Step, key: str, default: Decimal | int | None = None) -> int:
        """Return an amount of money as minor units; raise when it has too many decimals."""
        value = step.get(key, default)
        return self.as_minor(step, key, value)

    def as_minor(self, step: Step, key: str, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            raise step.wrong(f"{key} must be an amount such as 12.50")
        scaled = Decimal(value).scaleb(exponent(self.program.currency))
        if scaled != scaled.to_integral_value():
            raise step.wrong(f"{key} has more decimals than {self.program.currency} knows")
        return int(scaled)

    def cash(self, minor: int) -> Cash:
        return Cash(minor, exponent(self.program.currency))

    async def state(self, place: Place, member: str) -> Member:
        stored = await place.shop.store.transact(lambda tx: members.load(tx, member))
        if stored is None:
            raise NotFound("MEMBER_UNKNOWN")
        return stored.member

    def sentences(self, reasons: tuple[Reason, ...] | list[Reason]) -> tuple[str, ...]:
        from tapledger import texts

        return tuple(texts.reason(LANGUAGE, why) for why in reasons)

    def problem(self, error: TapledgerError) -> tuple[str, ...]:
        from tapledger import texts

        return texts.problem(LANGUAGE, error)

    def local(self, instant: dt.datetime) -> dt.datetime:
        return instant.astimezone(self.zone).replace(tzinfo=None)


def _catalogue(scenario: Scenario, program: Program) -> Catalogue:
    """Read the articles through the same door as a shop's catalogue.csv."""
    if scenario.catalogue is not None:
        return catalogue.read(scenario.catalogue.read_text(encoding="utf-8").splitlines(), program.currency)
    if not scenario.articles:
        return Catalogue({})
    standard: dict[str, Any] = {"name": "", "price": 0, "tax": 13, "category": "", "flags": []}
    columns = ["sku", *standard, *sorted({k for row in scenario.articles for k in row} - {*standard, "sku"})]
    rows = [",".join(columns)]
    for article in scenario.articles:
        values = {**standard, "name": article.get("sku", ""), **article}
        rows.append(",".join(_cell(values.get(column, "")) for column in columns))
    return catalogue.read(rows, program.currency)


def _cell(value: Any) -> str:
    return json.dumps(" ".join(value) if isinstance(value, list) else str(value), ensure_ascii=False)

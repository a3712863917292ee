"""A small chain to play scenarios in: real stores a real central, one clock that the file moves."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

from tapledger import texts
from tapledger.database import InlineExecutor
from tapledger.errors import Invalid, NotFound, TapledgerError, Unavailable
from tapledger.lab.partner import PartnerBooks
from tapledger.lab.scenario.document import Scenario, Step
from tapledger.lab.scenario.expectations import Cash
from tapledger.lab.scenario.outcome import Outcome
from tapledger.languages import Language
from tapledger.loyalty import ledger, wallet
from tapledger.loyalty.facts import Reason, Tender
from tapledger.loyalty.members import Member
from tapledger.loyalty.money import exponent
from tapledger.loyalty.program import Program
from tapledger.membership import catalogue, explaining, programs
from tapledger.membership.catalogue import Catalogue
from tapledger.membership.coupons import TypedCodes
from tapledger.membership.identity import Presented, normal_phone
from tapledger.membership.identity import index as credential_index
from tapledger.membership.programs import Source
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

DEFAULT_START = dt.datetime(2026, 3, 2, 10, 0)  # noqa: DTZ001 - local by intent
"""A Monday morning, local time."""
EVERY_STEP = dt.timedelta(seconds=1)
BEST_LEVEL = 3


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
        self.lost_answers = 0
        """Of the next batches: central takes them, and its answer gets lost on the way back."""
        self._world = world

    @property
    def online(self) -> bool:
        return self.shop.reachable

    @online.setter
    def online(self, online: bool) -> None:
        self.shop.reachable = online

    async def send(self, batch: Batch) -> BatchAnswer:
        central, node = await self._central()
        answer = await intake.take(central.store, central.keys.tenant, node, batch, self._world.clock.now())
        if self.lost_answers:
            self.lost_answers -= 1
            raise Unavailable("CENTRAL_UNREACHABLE")
        return answer

    async def feed(self, cursor: int) -> FeedPage:
        central, _ = await self._central()
        return await feed.page(central.store, cursor, MAX_FEED_ROWS, self._world.clock.now())

    async def _central(self) -> tuple[Central, Any]:
        from tapledger_central.store import nodes

        central = self._world.central
        if not self.shop.reachable or central is None:
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
        self.language = scenario.language
        self.table = scenario.program
        """Of the programme that was put into place last."""
        self.source = programs.of_table(dict(scenario.program), "", scenario.program_path)
        if self.source.program is None:
            why = "; ".join(
                f"{one.finding.key}: {one.sentence(self.language)}" for one in self.source.mistakes
            )
            raise Invalid("PROGRAM_INVALID", where=scenario.path.name, why=why)
        self.program: Program = self.source.program
        self.zone = self.program.zone()
        starts = scenario.starts or DEFAULT_START
        self.clock = StoryClock(starts.replace(tzinfo=self.zone).astimezone(dt.UTC))
        self.randomness = SeededRandomness(scenario.path.name)
        self.catalogue = _catalogue(scenario, self.program)
        self.central: Central | None = None
        self.places: dict[str, Place] = {}
        self.members: dict[str, str] = {}
        """Pseudonyms by the names of the story."""
        self.cards: list[str] = []
        """Every card that the story has given to somebody, by its name."""
        self.named: dict[str, Outcome] = {}
        """What steps left behind under their ``as``: receipts, vouchers, coupons."""
        self.partners: dict[str, PartnerBooks] = {}
        """What the partners of an alliance have in their books."""
        self.typed: dict[str, TypedCodes] = {}
        """Wrong codes typed at the kiosk of each shop."""
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
        program, coming = await programs.choose(store, self.source, self.clock.now())
        return Shop(
            store,
            program,
            self.catalogue,
            self.clock,
            self.randomness,
            name,
            self.language,
            reachable=self.central is not None,
            coming=coming,
        )

    # What steps ask for.
    def place(self, step: Step) -> Place:
        name = step.text("shop", self.scenario.shops[0])
        if name not in self.places:
            raise step.wrong(f"there is no shop {name!r}; shops: {', '.join(self.places)}")
        return self.places[name]

    def key(self, step: Step) -> str:
        """Return the idempotency key of a step: its own, or a fresh one."""
        self._keys += 1
        return step.text("key", f"step-{step.number}-{self._keys}")

    def member_id(self, step: Step, key: str = "member") -> str:
        name = step.text(key)
        if name not in self.members:
            raise step.wrong(f"nobody is called {name!r} yet; known: {', '.join(self.members) or 'nobody'}")
        return self.members[name]

    def maybe_member(self, step: Step) -> str | None:
        return self.member_id(step) if step.has("member") else None

    def presented(self, step: Step) -> Presented:
        """Return what was shown: the ``phone``, ``uid`` or ``card``, else the card named as the member.

        ``level`` is how far the read is trusted: 3 a genuine card, 0 a number that anybody can say.
        """
        if step.has("phone"):
            return Presented("phone", normal_phone(step.text("phone")), step.number_of("level", 0), "typed")
        if step.has("uid"):
            return Presented("uid", step.text("uid"), self.level(step), "scenario")
        card = step.maybe("card")
        return Presented("card", step.text("member") if card is None else card, self.level(step), "scenario")

    def level(self, step: Step) -> int:
        level = step.number_of("level", BEST_LEVEL)
        if not 0 <= level <= BEST_LEVEL:
            raise step.wrong(f"level must be 0 to {BEST_LEVEL}")
        return level

    def minor(self, step: Step, key: str) -> int:
        """Return an amount of money as minor units; raise when it has too many decimals."""
        if not step.has(key):
            raise step.wrong(f"{key} is missing")
        return self.as_minor(step, key, step.get(key))

    def maybe_minor(self, step: Step, key: str) -> int | None:
        return self.minor(step, key) if step.has(key) else None

    def as_minor(self, step: Step, key: str, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            raise step.wrong(f"{key} must be an amount such as 12.50")
        scaled = Decimal(value).scaleb(exponent(self.program.currency))
        if scaled != scaled.to_integral_value():
            raise step.wrong(f"{key} has more decimals than {self.program.currency} knows")
        return int(scaled)

    def instant(self, step: Step, key: str) -> dt.datetime:
        """Return a date with a time as an instant; without an offset it is the programme's local time."""
        value = step.get(key)
        if not isinstance(value, dt.datetime):
            raise step.wrong(f"{key} must be a date with a time, such as 2026-03-02T10:00:00")
        return (value.replace(tzinfo=self.zone) if value.tzinfo is None else value).astimezone(dt.UTC)

    def left(self, step: Step, key: str) -> Outcome:
        """Return what an earlier step with this ``as`` left behind."""
        name = step.text(key)
        if name not in self.named:
            raise step.wrong(f"no step before is called {name!r}; known: {', '.join(self.named) or 'none'}")
        return self.named[name]

    def receipt(self, step: Step, name: Any) -> str:
        """Return the number on the receipt of the sale that ``as`` named."""
        left = self.named.get(str(name))
        if left is None or left.recorded is None:
            raise step.wrong(f"no sale before is called {name!r}")
        return left.recorded.receipt

    def code(self, step: Step, key: str = "code") -> str:
        """Return a code: what the step that ``as`` named made, else the text itself."""
        named = self.named.get(step.text(key))
        return named.secret if named is not None and named.secret else step.text(key)

    async def coupon(self, place: Place, member: str, name: str) -> str:
        """Return a coupon of a member: that of the step that ``as`` named, else the first that is good."""
        if name in self.named and self.named[name].id:
            return self.named[name].id
        state = await self.state(place, member)
        found = [one for one in state.coupons if one.template == name]
        rank, now = {"issued": 0, "held": 0, "expired": 1}, self.clock.now()
        found.sort(key=lambda one: (rank.get(wallet.state(one, now), 2), one.issued_at, one.id))
        return found[0].id if found else name

    def name_of(self, member: str) -> str:
        """Return what the story calls a member; their pseudonym when it never named them."""
        return next((name for name, one in self.members.items() if one == member), member)

    def tenders(self, step: Step) -> tuple[Tender, ...]:
        """Return how it is paid: ``pay = { cash = 20.00, card = 5.00 }``; nothing when it is not said."""
        return tuple(
            Tender(kind, self.as_minor(step, f"pay.{kind}", amount))
            for kind, amount in step.table_of("pay").items()
        )

    def cash(self, minor: int) -> Cash:
        return Cash(minor, exponent(self.program.currency))

    def last_day(self, end: dt.datetime | None) -> dt.date | None:
        """Return the last local day before an end; None is for ever."""
        return None if end is None else self.local(end - dt.timedelta(microseconds=1)).date()

    def card_state(self, shop: Shop, member: Member, card: str) -> str | None:
        """Return ``good``, or why a card is refused; None when it does not name this member."""
        index = credential_index(shop, "card", card)
        found = next((one for one in member.credentials if one.index == index), None)
        return None if found is None else found.blocked or "good"

    async def state(self, place: Place, member: str) -> Member:
        stored = await place.shop.store.transact(lambda tx: members.load(tx, member))
        if stored is None:
            raise NotFound("MEMBER_UNKNOWN")
        return stored.member

    def sentences(self, reasons: Iterable[Reason]) -> tuple[str, ...]:
        return explaining.sentences(reasons, self.program, self.language)

    def problem(self, error: TapledgerError) -> tuple[str, ...]:
        return texts.problem(self.language, error)

    def local(self, instant: dt.datetime) -> dt.datetime:
        return instant.astimezone(self.zone).replace(tzinfo=None)


def told(world: World, recorded: Recorded) -> Outcome:
    """Return the outcome of a command that recorded an event."""
    because = world.sentences(recorded.event.body.reasons)
    return Outcome({"replayed": recorded.replayed}, because, recorded=recorded)


def paid_out(world: World, recorded: Recorded) -> Outcome:
    """Return the outcome of a command that gave money back, with what left the shop by each tender."""
    outcome = told(world, recorded)
    out: dict[str, int] = {}
    for line in recorded.event.body.lines:
        if line.account.startswith(ledger.tender_account("")):
            kind = line.account.removeprefix(ledger.tender_account(""))
            out[kind] = out.get(kind, 0) - line.amount
    outcome.values["paid_out"] = {kind: world.cash(minor) for kind, minor in out.items()}
    return outcome


def mistakes(source: Source, language: Language) -> str:
    """Say what is wrong with a programme, each thing at its key."""
    return "; ".join(f"{one.finding.key}: {one.sentence(language)}" for one in source.mistakes)


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

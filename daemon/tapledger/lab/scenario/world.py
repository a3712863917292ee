"""What a story's steps act on: its shops, its members and cards by their names, and what is in its words."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

from tapledger import texts
from tapledger.errors import Invalid, TapledgerError
from tapledger.lab.partner import PartnerBooks
from tapledger.lab.scenario.document import Scenario, Step
from tapledger.lab.scenario.expectations import Cash
from tapledger.lab.scenario.outcome import Outcome
from tapledger.lab.scenario.shops import Place, SeededRandomness, StoryClock, open_store
from tapledger.languages import Language
from tapledger.loyalty import days
from tapledger.loyalty.coupons import wallet
from tapledger.loyalty.facts import Reason, Tender
from tapledger.loyalty.members import Member
from tapledger.loyalty.money import exponent
from tapledger.loyalty.program import Program
from tapledger.loyalty.sales import catalogue
from tapledger.loyalty.sales.catalogue import Catalogue
from tapledger.membership import explaining, programs
from tapledger.membership.coupons import TypedCodes
from tapledger.membership.desk import asking
from tapledger.membership.identity import Presented, normal_phone
from tapledger.membership.identity import index as credential_index
from tapledger.membership.programs import Source
from tapledger.membership.sale import SaleCommand
from tapledger.membership.shop import Shop, known_member
from tapledger.store.journal import Recorded
from tapledger_central.app import Central, open_central

DEFAULT_START = dt.datetime(2026, 3, 2, 10, 0)  # noqa: DTZ001 - local by intent
"""A Monday morning, local time."""
EVERY_STEP = dt.timedelta(seconds=1)
BEST_LEVEL = 3


class World:
    """Everything that a story's steps act on."""

    def __init__(self, scenario: Scenario, folder: Path) -> None:
        self.scenario = scenario
        self.language = scenario.language
        self.table = scenario.program
        """Of the programme that was put into place last."""
        self.source = programs.of_table(dict(scenario.program), "", scenario.program_path)
        if self.source.program is None:
            why = mistakes(self.source, self.language)
            raise Invalid("PROGRAM_INVALID", where=scenario.path.name, why=why)
        self.program: Program = self.source.program
        self.zone = self.program.zone()
        starts = scenario.starts or DEFAULT_START
        self.clock = StoryClock(days.instant(starts, self.zone))
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
        self.sent: dict[str, tuple[dict[str, Any], SaleCommand]] = {}
        """Sales by their key, as they were asked for: a step that says the same sends the same again."""
        self.typed: dict[str, TypedCodes] = {}
        """Wrong codes typed at the kiosk of each shop."""
        self._folder = folder
        self._keys = 0

    async def open(self) -> None:
        if len(self.scenario.shops) > 1:
            self.central = await open_central(self._folder / "central", self.clock)
        for name in self.scenario.shops:
            shop = await self._open_shop(name)
            self.places[name] = Place(name, shop, self.central, self.clock)

    async def close(self) -> None:
        for place in self.places.values():
            await place.shop.store.close()
        if self.central is not None:
            await self.central.close()

    async def _open_shop(self, name: str) -> Shop:
        store = await open_store(self._folder / name, name, self.central, self.clock, self.randomness)
        program, coming = await programs.choose(store, self.source, self.clock.now())
        is_up = self.central is not None
        return Shop(
            store,
            program,
            self.catalogue,
            self.clock,
            self.randomness,
            name,
            self.language,
            coming=coming,
            reachable=is_up,
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
        return days.instant(value, self.zone)

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
        return (await place.shop.store.transact(lambda tx: known_member(tx, member))).member

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
    outcome.values["paid_out"] = {
        kind: world.cash(minor) for kind, minor in asking.paid_out(recorded).items()
    }
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

"""What lies on a till's counter: the open basket with its member and its quote, and the sale before."""

from __future__ import annotations

import datetime as dt

import msgspec

from tapledger.database import Transaction
from tapledger.errors import Corrupt, Invalid, Refused
from tapledger.loyalty.coupons import claiming
from tapledger.loyalty.facts import Tender
from tapledger.loyalty.money import MAX_AMOUNT_MINOR
from tapledger.loyalty.sales.tenders import VALUE, cash_due
from tapledger.membership import basket as baskets
from tapledger.membership import explaining, parking, quoting, stored_value, wishes
from tapledger.membership.basket import Basket
from tapledger.membership.coupons import claim_code
from tapledger.membership.explaining import Explained
from tapledger.membership.identity import phone_tail_matches
from tapledger.membership.looking_up import CouponFound
from tapledger.membership.parking import Parked
from tapledger.membership.quoting import Quoted
from tapledger.membership.sale import SaleCommand, last_sale, record_sale
from tapledger.membership.shop import Shop
from tapledger.membership.slips import job_id
from tapledger.membership.stored_value import TopUpCommand
from tapledger.membership.tap import Greeting, greet_again
from tapledger.store import prints
from tapledger.store.journal import Recorded
from tapledger.store.people import mask
from tapledger.store.prints import Job
from tapledger.store.staff import Person

TILL = "till-1"
DOUBT_LIFE = dt.timedelta(hours=12)
"""So long a cashier is asked whether a slip came out: then the console alone does."""

replace = msgspec.structs.replace


class Counter:
    """Every change is kept in the store and priced again before anybody sees it."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self.language = shop.language
        self.basket = Basket(sale=shop.new_id())
        self.greeting: Greeting | None = None
        self.quoted = Quoted()
        self.last: Recorded | None = None
        self.last_slip: Job | None = None
        self.doubtful: list[Job] = []
        """Slips of which only a person can say what became of them."""
        self.newest: Recorded | None = None
        """The last thing that gave somebody a slip: a sale, a return, a top-up."""
        self.why: Explained | None = None
        """Explains it."""
        self.top_up_minor = 0
        """Somebody asks what topping up so much would bring."""
        self.parked: list[Parked] = []
        """Baskets that wait, the longest waiting first."""
        self.taking: int | None = None
        """The scan that is being taken: it is handled in the instant in which the basket changes."""

    async def open(self) -> None:
        """Take up the basket and the last sale where a crash or a restart left them.

        Raises ``Corrupt`` when a part of the basket cannot be read; that part is left out then.
        """
        self.last = await last_sale(self._shop)
        await self.read_slips()
        await self.read_parked()
        await self.explain(self.last)
        try:
            self.basket = await baskets.restore(self._shop, TILL)
            await self.greet()
        except Corrupt:
            self.basket, self.greeting = baskets.of_nobody(self.basket), None
            await self.requote()
            raise
        await self.requote()

    async def keep(self, basket: Basket) -> None:
        """Keep a changed basket, and how it was."""
        await self._keep(baskets.changed(self.basket, basket))

    async def undo(self) -> None:
        """Take the last change of the basket back; raise ``Refused`` when there was none."""
        await self._keep(baskets.undone(self.basket))
        await self.greet()
        await self.requote()

    async def _keep(self, basket: Basket) -> None:
        await baskets.keep(self._shop, TILL, basket, self.taking)
        await self._price(basket)

    # Put aside.
    def as_parked(self, staff: str) -> Parked:
        name = "" if self.greeting is None else mask(self.greeting.known.name)
        return Parked(
            id=self.basket.sale,
            at=self._shop.clock.now(),
            staff=staff,
            member=name,
            due_minor=self.quoted.due_minor,
            basket=replace(self.basket, past=()),
        )

    async def park(self, staff: str) -> None:
        """Put the basket aside and begin another."""
        await self._take_up(await parking.park(self._shop, TILL, self.as_parked(staff)))

    async def recall(self, number: int, staff: str) -> None:
        """Take up what was put aside, by its place in the list; what lies here now is put aside for it."""
        if not 1 <= number <= len(self.parked):
            raise Invalid("CHOICE_UNKNOWN", number=number)
        wanted = self.parked[number - 1].id
        try:
            await self._take_up(await parking.recall(self._shop, TILL, wanted, self.as_parked(staff)))
        finally:
            await self.read_parked()

    async def _take_up(self, basket: Basket) -> None:
        self.basket, self.greeting, self.top_up_minor = basket, None, 0
        await self.greet()
        await self.requote()
        await self.read_parked()

    async def read_parked(self) -> None:
        self.parked = await parking.waiting(self._shop)

    async def requote(self) -> None:
        await self._price(self.basket)

    async def _price(self, basket: Basket) -> None:
        """Put a basket with its price on the counter, both at once: the till may be drawn meanwhile."""
        quoted = await quoting.quote(self._shop, basket, self.language)
        self.basket, self.quoted = basket, quoted

    async def explain(self, recorded: Recorded | None) -> None:
        """Explain the newest slip, in the language of now."""
        self.newest, self.why = recorded, None
        if recorded is not None:
            body, program, language = recorded.event.body, self._shop.program, self.language
            self.why = await self._shop.store.transact(
                lambda tx: explaining.explained(tx, body, program, language)
            )

    async def read_slips(self) -> None:
        """Look what became of the last sale's slip, and which others wait for a person's word."""
        name = "" if self.last is None else job_id(self.last)
        since_ms = int((self._shop.clock.now() - DOUBT_LIFE).timestamp() * 1000)

        def work(tx: Transaction) -> tuple[Job | None, list[Job]]:
            return prints.get(tx, name), prints.unknown(tx, since_ms)

        self.last_slip, self.doubtful = await self._shop.store.transact(work)

    # Who is served.
    async def take_member(self, greeting: Greeting) -> None:
        self.greeting, self.top_up_minor = greeting, 0
        await self.keep(baskets.of_member(self.basket, greeting.known))

    async def greet(self) -> None:
        """Look again what the member has; what was known stands until then, for the till may be drawn."""
        greeting = None
        if self.basket.member is not None and self.basket.presented is not None:
            greeting = await greet_again(self._shop, self.basket.member, self.basket.presented)
        self.greeting = greeting

    async def member_off(self) -> None:
        self.greeting, self.top_up_minor = None, 0
        await self.keep(baskets.of_nobody(self.basket))

    @property
    def in_use(self) -> bool:
        return self.basket.member is not None or bool(self.basket.entries)

    async def clear(self) -> None:
        self.greeting, self.top_up_minor = None, 0
        await self.keep(baskets.emptied(self.basket))

    # What else pays.
    async def use_coupon(self, found: CouponFound) -> bool:
        """Use what was scanned for this basket, or keep it in the wallet where it is meant for that.

        Returns whether it went into the wallet.
        """
        member = self.basket.member
        claimable = found.template is not None and found.template.claimable
        if claimable and member is not None and found.id.startswith(claiming.CODE):
            key = f"{self.basket.sale}/{found.id}/{member}"
            await claim_code(self._shop, key, member, found.text)
            await self.greet()
            await self.requote()
            return True
        if found.id.startswith((claiming.CODE, claiming.BEARER)):
            await self.keep(baskets.use_scanned(self.basket, found.id))
        else:
            await self.keep(baskets.choose(self.basket, found.id))
        return False

    async def toggle(self, number: int) -> None:
        await self.keep(wishes.toggle(self.basket, self.quoted, number))

    async def best_coupons(self) -> None:
        await self.keep(replace(self.basket, coupons=None))

    async def pay_with_points(self, points: int | None) -> None:
        await self.keep(wishes.pay_with_points(self.basket, self.quoted, points))

    async def step_up(self, tail: str) -> bool:
        """Take the last digits of the phone number, as the member told them (R8); return whether they are."""
        shop, member = self._shop, self.basket.member
        if member is None:
            raise Refused("MEMBERS_ONLY")
        if not self.basket.can_step_up:
            raise Refused("CARD_ONLY_IDENTIFIES")
        matches = await shop.store.transact(lambda tx: phone_tail_matches(tx, shop, member, tail))
        if matches:
            await self.keep(replace(self.basket, stepped_up=True))
        return matches

    async def pay_with_value(self, amount_minor: int | None) -> None:
        currency = self._shop.program.currency
        await self.keep(wishes.pay_with_value(self.basket, self.quoted, amount_minor, currency))

    def ask_top_up(self, amount_minor: int) -> None:
        """Show what topping up an amount would bring; 0 asks for nothing any more."""
        if self.basket.member is None:
            raise Refused("MEMBERS_ONLY")
        if self._shop.program.stored_value is None:
            raise Refused("NO_STORED_VALUE")
        if not 0 <= amount_minor <= MAX_AMOUNT_MINOR:
            raise Invalid("AMOUNT_IMPOSSIBLE", sku=VALUE)
        self.top_up_minor = amount_minor

    async def top_up(self, tender: str, received_minor: int | None, person: Person) -> Recorded:
        """Take money for stored value; the same again after a lost answer is the same top-up."""
        basket = self.basket
        if basket.member is None or basket.presented is None:
            raise Refused("MEMBERS_ONLY")
        received = self.top_up_minor if received_minor is None else received_minor
        command = TopUpCommand(
            id=f"{basket.sale}/topup/{basket.top_ups + 1}",
            member=basket.member,
            presented=basket.presented,
            amount_minor=self.top_up_minor,
            tenders=(Tender(tender, received),),
            staff=person.id,
            language=self.language,
        )
        recorded = await stored_value.top_up(self._shop, command)
        self.top_up_minor = 0
        await self.greet()
        await self.keep(replace(basket, top_ups=basket.top_ups + 1))
        await self.explain(recorded)
        return recorded

    # Paid.
    async def pay(self, tender: str, received_minor: int | None, person: Person) -> None:
        """Close the basket at the price that is shown. Paying the same basket twice is one sale."""
        quoted, basket = self.quoted, self.basket
        if quoted.problem is not None:
            raise quoted.problem
        command = SaleCommand(
            id=basket.sale,
            till=TILL,
            lines=basket.lines(self._shop, self.language),
            tenders=self._tenders(tender, received_minor),
            staff=person.id,
            language=self.language,
            member=basket.member,
            presented=basket.proof(),
            stepped_up=basket.stepped_up,
            wants=quoted.wants,
            scanned=quoted.scanned,
            pinned=quoted.pinned,
        )
        try:
            self.last = await record_sale(self._shop, command)
        except Refused:
            await self.requote()  # what was promised may have gone since: show what holds now
            raise
        self.greeting, self.top_up_minor = None, 0
        await self._price(Basket(sale=self._shop.new_id()))
        await self.read_slips()
        await self.explain(self.last)

    def _tenders(self, tender: str, received_minor: int | None) -> tuple[Tender, ...]:
        """Return what pays: stored value as it was asked for, then what was received for the rest."""
        value, due = self.quoted.value.pays_minor, self.quoted.due_minor
        by_value = (Tender(VALUE, value),) if value else ()
        if tender == VALUE or (value and not due):
            if due:
                raise Refused("TENDER_TOO_SMALL", missing_minor=due, currency=self._shop.program.currency)
            return by_value
        if received_minor is None:
            received_minor = cash_due(due, self._shop.program) if tender == "cash" else due
        return (*by_value, Tender(tender, received_minor))

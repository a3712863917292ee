"""The one box of a till: what a text means here, what becomes of it, and what the cashier is told."""

from __future__ import annotations

from tapledger import texts
from tapledger.errors import NotFound, TapledgerError
from tapledger.loyalty.program import name_in
from tapledger.loyalty.sales.catalogue import Article
from tapledger.membership import basket as baskets
from tapledger.membership import identity, redemption, scanning, tap
from tapledger.membership.identity import Presented
from tapledger.membership.looking_up import (
    CouponFound,
    Found,
    PromotionFound,
    ReceiptFound,
    VoucherFound,
    look_up,
)
from tapledger.membership.shop import Shop
from tapledger.membership.tap import Greeting
from tapledger.store.staff import Person
from tapledger.web import problems, views
from tapledger.web.counter import Counter
from tapledger.web.return_desk import ReturnDesk
from tapledger.web.snapshots import Message


class Box:
    """Takes texts; whoever has it draws what it says."""

    def __init__(self, shop: Shop, counter: Counter, desk: ReturnDesk) -> None:
        self._shop = shop
        self._counter = counter
        self._desk = desk
        self._quantity = 1
        self.message: Message | None = None
        self.found: list[Found] = []
        """What the last text may mean, until somebody chooses."""
        self.stranger: Presented | None = None
        """A card or number that nobody has: its owner may join."""

    # What it says.
    def say(self, found: list[Found] | None = None) -> None:
        """Something went well: old messages, choices and strangers are gone."""
        self.message, self.found, self.stranger = None, found or [], None
        if not self.found:
            self._quantity = 1

    def inform(self, code: str, **data: str | int) -> None:
        self._tell(Message("info", code, texts.say(self._counter.language, f"info.{code}", **data)))

    def refuse(self, error: TapledgerError) -> None:
        """Say what is wrong; who was a stranger stays one."""
        told = problems.problem(self._counter.language, error)
        self._quantity = 1
        self._tell(Message("error", told.code, told.sentence, told.next_step))

    def _tell(self, message: Message) -> None:
        self.message, self.found = message, []

    # What it takes.
    async def understand(self, scanned: scanning.Scanned, person: Person, *, simulated: bool) -> None:
        """Take a text: an article, a member, a coupon, a voucher, a receipt, or several of them to choose."""
        if self._desk.is_open:
            await self._understand_return(scanned, person)
            return
        if scanned.quantity is not None:
            self._quantity = scanned.quantity
        if not scanned.text:
            self.inform("QUANTITY_SET", count=self._quantity)
            return
        found = await look_up(self._shop, scanned, self._counter.basket.member)
        if simulated:
            found = [tap.simulated(one) if isinstance(one, Greeting) else one for one in found]
        if len(found) == 1:
            await self.take(found[0], person)
        elif found:
            self.say(found)
        else:
            self._unknown(scanned)

    async def _understand_return(self, scanned: scanning.Scanned, person: Person) -> None:
        """While goods come back, a code is a receipt or one of its articles."""
        if "receipt" in scanned.meanings or self._desk.opened is None:
            await self._desk.open(scanned.text)
        else:
            await self._desk.scan(scanned.text, person)
        self.say()

    def _unknown(self, scanned: scanning.Scanned) -> None:
        """Keep what was scanned and say what it could have been, instead of losing it."""
        if scanned.meanings and scanned.meanings[-1] in ("phone", "barcode"):
            kind = scanned.meanings[-1]
            value = identity.normal_phone(scanned.text) if kind == "phone" else scanned.text
            self.stranger = Presented(kind, value, 0, "typed")
        self.refuse(NotFound("NOTHING_FOUND", text=scanned.text))

    async def take(self, found: Found, person: Person) -> None:
        """Do what one thing that was found is for."""
        counter = self._counter
        if isinstance(found, Article):
            await counter.keep(baskets.add(counter.basket, found.sku, self._quantity))
            self.say()
        elif isinstance(found, VoucherFound):
            key = f"fulfil-{found.hold.id}"
            await redemption.fulfil_voucher(self._shop, key, found.code, person.id)
            await counter.greet()
            await counter.requote()
            self.inform("VOUCHER_TAKEN", title=found.hold.title)
        elif isinstance(found, CouponFound):
            kept = await counter.use_coupon(found)
            title = views.coupon_title(found.template, counter.language)
            self.inform("COUPON_CLAIMED" if kept else "COUPON_SCANNED", title=title)
        elif isinstance(found, PromotionFound):
            await counter.keep(baskets.use_code(counter.basket, found.promotion.code))
            self.inform("CODE_TAKEN", title=name_in(found.promotion.name, counter.language))
        elif isinstance(found, ReceiptFound):
            await self._desk.open(found.receipt)
            self.say()
        else:
            await counter.take_member(found)
            self.say()

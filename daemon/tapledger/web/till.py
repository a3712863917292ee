"""The till's session: who serves, what the one box just understood, and what the cashier is told."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from tapledger import languages, texts
from tapledger.errors import Corrupt, Denied, Invalid, NotFound, TapledgerError
from tapledger.loyalty.program import name_in
from tapledger.loyalty.sales.catalogue import Article
from tapledger.membership import basket as baskets
from tapledger.membership import explaining, identity, redemption, registration, scanning, sign_in, tap
from tapledger.membership.identity import Presented
from tapledger.membership.looking_up import (
    CouponFound,
    Found,
    PromotionFound,
    ReceiptFound,
    VoucherFound,
    look_up,
)
from tapledger.membership.registration import Joining
from tapledger.membership.shop import Shop
from tapledger.membership.sign_in import Throttle
from tapledger.membership.tap import Greeting, greet_member, welcome_member
from tapledger.store import staff
from tapledger.store.journal import Recorded
from tapledger.store.staff import Person
from tapledger.web import checkout_views, problems, till_views, views
from tapledger.web.counter import Counter
from tapledger.web.live import LiveFeed
from tapledger.web.return_desk import ReturnDesk
from tapledger.web.snapshots import Message
from tapledger.web.till_views import Around


class TillFace:
    """Turns scans, taps and keys into snapshots of the till."""

    def __init__(
        self, shop: Shop, live: LiveFeed, around: Callable[[], Around], queued: Callable[[], None]
    ) -> None:
        self._shop = shop
        self._live = live
        self._around = around
        self._queued = queued
        self._lock = asyncio.Lock()
        self._throttle = Throttle(shop.clock)
        self._counter = Counter(shop)
        self._desk = ReturnDesk(shop)
        self._found: list[Found] = []
        self._quantity = 1
        self._message: Message | None = None
        self._stranger: Presented | None = None
        self._people: list[Person] = []
        self.staff: Person | None = None
        self.staffed = asyncio.Event()
        """Somebody is signed in."""

    @property
    def serving(self) -> bool:
        return self._counter.in_use or self._desk.is_open

    @property
    def language(self) -> languages.Language:
        return self._counter.language

    async def open(self) -> None:
        """Take up the basket and the last sale; what of it cannot be read is told, and shuts no shop."""
        async with self._lock:
            self._people = await self._shop.store.transact(staff.everyone)
            try:
                await self._counter.open()
            except Corrupt as error:
                self._problem(error)
            self._push()

    # Who serves.
    async def sign_in(self, id_: str, pin: str) -> Person:
        async with self._lock:
            self.staff = await sign_in.sign_in(self._shop, self._throttle, id_, pin)
            self.staffed.set()
            self._say(None)
            return self.staff

    async def set_up(self, code: str, name: str, pin: str) -> Person:
        """Make the owner's account with the one-time code, and sign the owner in."""
        async with self._lock:
            self.staff = await sign_in.set_up_owner(self._shop, self._throttle, code, name, pin)
            self._people = await self._shop.store.transact(staff.everyone)
            self.staffed.set()
            self._say(None)
            return self.staff

    async def sign_out(self) -> None:
        async with self._lock:
            self.staff = None
            self.staffed.clear()
            self._desk.close()
            self._say(None)

    def _signed_in(self) -> Person:
        if self.staff is None:
            raise Denied("SIGN_IN_FIRST")
        return self.staff

    # The one box.
    async def card(self, presented: Presented) -> bool:
        """A card was laid on the till's reader; return whether it named a member who can be served."""
        async with self._lock:
            self._signed_in()
            try:
                greeting = await welcome_member(self._shop, presented)
                await self._counter.take_member(greeting)
                self._greeted(greeting)
                return True
            except NotFound as error:
                self._stranger = presented
                self._problem(error)
            except TapledgerError as error:
                self._problem(error)
            return False

    def _greeted(self, greeting: Greeting) -> None:
        """Say what the tap brought, so that the cashier can tell it."""
        self._say(None)
        if greeting.given:
            said = explaining.sentences(greeting.given, self._shop.program, self.language)
            self._inform("GIVEN", said=" ".join(said))
            self._queued()

    async def enter(self, raw: str, event: int | None = None, *, simulated: bool = False) -> None:
        """Take whatever was scanned or typed. Raises nothing for an unknown code: it is said.

        ``event`` is the scan's number in the ring of device events; ``simulated`` when no thing scanned it.
        """
        async with self._lock:
            self._signed_in()
            self._counter.taking = event
            try:
                await self._understand(scanning.read(raw), simulated)
            except TapledgerError as error:
                self._problem(error)
            finally:
                self._counter.taking = None

    async def trouble(self, error: TapledgerError) -> None:
        async with self._lock:
            self._problem(error)

    async def choose(self, number: int) -> None:
        async with self._lock:
            self._signed_in()
            if not 1 <= number <= len(self._found):
                raise Invalid("CHOICE_UNKNOWN", number=number)
            await self._take(self._found[number - 1])

    async def _understand(self, scanned: scanning.Scanned, simulated: bool) -> None:
        if self._desk.is_open:
            await self._understand_return(scanned)
            return
        if scanned.quantity is not None:
            self._quantity = scanned.quantity
        if not scanned.text:
            self._inform("QUANTITY_SET", count=self._quantity)
            return
        found = await look_up(self._shop, scanned, self._counter.basket.member)
        if simulated:
            found = [tap.simulated(one) if isinstance(one, Greeting) else one for one in found]
        if len(found) == 1:
            await self._take(found[0])
        elif found:
            self._say(None, found)
        else:
            self._unknown(scanned)

    async def _understand_return(self, scanned: scanning.Scanned) -> None:
        """While goods come back, a code is a receipt or one of its articles."""
        if "receipt" in scanned.meanings or self._desk.opened is None:
            await self._desk.open(scanned.text)
        else:
            await self._desk.scan(scanned.text, self._signed_in())
        self._say(None)

    def _unknown(self, scanned: scanning.Scanned) -> None:
        """Keep what was scanned and say what it could have been, instead of losing it."""
        if scanned.meanings and scanned.meanings[-1] in ("phone", "barcode"):
            kind = scanned.meanings[-1]
            value = identity.normal_phone(scanned.text) if kind == "phone" else scanned.text
            self._stranger = Presented(kind, value, 0, "typed")
        self._problem(NotFound("NOTHING_FOUND", text=scanned.text))

    async def _take(self, found: Found) -> None:
        counter = self._counter
        if isinstance(found, Article):
            await counter.keep(baskets.add(counter.basket, found.sku, self._quantity))
            self._say(None)
        elif isinstance(found, VoucherFound):
            key = f"fulfil-{found.hold.id}"
            await redemption.fulfil_voucher(self._shop, key, found.code, self._signed_in().id)
            await counter.greet()
            await counter.requote()
            self._inform("VOUCHER_TAKEN", title=found.hold.title)
        elif isinstance(found, CouponFound):
            kept = await counter.use_coupon(found)
            title = views.coupon_title(found.template, self.language)
            self._inform("COUPON_CLAIMED" if kept else "COUPON_SCANNED", title=title)
        elif isinstance(found, PromotionFound):
            await counter.keep(baskets.use_code(counter.basket, found.promotion.code))
            self._inform("CODE_TAKEN", title=name_in(found.promotion.name, self.language))
        elif isinstance(found, ReceiptFound):
            await self._desk.open(found.receipt)
            self._say(None)
        else:
            await counter.take_member(found)
            self._say(None)

    # The basket.
    async def set_quantity(self, sku: str, quantity: int) -> None:
        async with self._lock:
            self._signed_in()
            await self._counter.keep(baskets.set_quantity(self._counter.basket, sku, quantity))
            self._say(None)

    async def step(self, sku: str, by: int) -> None:
        async with self._lock:
            self._signed_in()
            await self._counter.keep(baskets.step(self._counter.basket, sku, by))
            self._say(None)

    async def coupon(self, number: int) -> None:
        """Use a coupon of the list or leave it out; 0 chooses the best combination again."""
        async with self._lock:
            self._signed_in()
            await (self._counter.toggle(number) if number else self._counter.best_coupons())
            self._say(None)

    async def points(self, points: int | None) -> None:
        async with self._lock:
            self._signed_in()
            await self._counter.pay_with_points(points)
            self._say(None)

    async def value(self, amount_minor: int | None) -> None:
        async with self._lock:
            self._signed_in()
            await self._counter.pay_with_value(amount_minor)
            self._say(None)

    async def pay(self, tender: str, received_minor: int | None) -> None:
        async with self._lock:
            person = self._signed_in()
            try:
                await self._counter.pay(tender, received_minor, person)
            finally:
                self._push()
            self._say(None)
            self._queued()

    async def ask_top_up(self, amount_minor: int) -> None:
        async with self._lock:
            self._signed_in()
            self._counter.ask_top_up(amount_minor)
            self._say(None)

    async def top_up(self, tender: str, received_minor: int | None) -> None:
        async with self._lock:
            recorded = await self._counter.top_up(tender, received_minor, self._signed_in())
            self._inform("TOPPED_UP", said=self._said(recorded))
            self._queued()

    async def member_off(self) -> None:
        async with self._lock:
            self._signed_in()
            await self._counter.member_off()
            self._say(None)

    async def clear(self) -> None:
        async with self._lock:
            self._signed_in()
            await self._counter.clear()
            self._say(None)

    async def join(self, name: str) -> None:
        """Make a member of whoever was a stranger a moment ago: their card, code or number becomes theirs."""
        async with self._lock:
            person = self._signed_in()
            shown = self._stranger
            if shown is None:
                raise Invalid("NOBODY_TO_JOIN")
            is_phone = shown.kind == "phone"
            joining = Joining(
                key=self._shop.new_id(),
                name=name,
                phone=shown.value if is_phone else "",
                credentials=() if is_phone else (shown,),
                staff=person.id,
            )
            await registration.register_member(self._shop, joining)
            await self._counter.take_member(await greet_member(self._shop, shown))
            self._stranger = None
            self._inform("MEMBER_JOINED")

    # Goods come back.
    async def at_return_desk(self, act: Callable[[ReturnDesk, Person], Awaitable[None]]) -> None:
        """Choose what comes back; only ``return_confirm`` records anything."""
        async with self._lock:
            await act(self._desk, self._signed_in())
            self._say(None)

    async def return_confirm(self, refund_minor: int | None) -> None:
        async with self._lock:
            recorded = await self._desk.confirm(self._signed_in(), self.language, refund_minor)
            counter = self._counter
            await counter.greet()
            await counter.requote()
            await counter.explain(recorded)
            paid = checkout_views.paid_back(recorded.event.body, self.language)
            self._inform("RETURNED", paid=paid, said=self._said(recorded))
            self._queued()

    async def return_close(self) -> None:
        async with self._lock:
            self._signed_in()
            self._desk.close()
            self._say(None)

    # What happens around it.
    async def set_language(self, language: str) -> None:
        chosen = languages.read(language)
        async with self._lock:
            self._counter.language = chosen
            await self._counter.requote()
            await self._counter.explain(self._counter.newest)
            self._say(None)

    async def slip_settled(self) -> None:
        """A slip has its fate: any may be one that the till shows or asks about."""
        async with self._lock:
            await self._counter.read_slips()
            self._push()

    async def at_slips(self, act: Callable[[Shop, str], Awaitable[None]]) -> None:
        """Take the word of whoever is signed in for a slip."""
        async with self._lock:
            await act(self._shop, self._signed_in().id)
            await self._counter.read_slips()
            self._push()
            self._queued()

    async def greet_again(self) -> None:
        """Another shop may have done something for the member who is served: show what they have now."""
        async with self._lock:
            if self._counter.basket.member is not None:
                await self._counter.greet()
                await self._counter.requote()
                self._push()

    def refresh(self) -> None:
        self._push()

    # What is shown.
    def _problem(self, error: TapledgerError) -> None:
        told = problems.problem(self.language, error)
        self._quantity = 1
        self._show(Message("error", told.code, told.sentence, told.next_step))

    def _inform(self, code: str, **data: str | int) -> None:
        self._show(Message("info", code, texts.say(self.language, f"info.{code}", **data)))

    def _said(self, recorded: Recorded) -> str:
        """Return what a slip says of its event, for the cashier to tell."""
        reasons = recorded.event.body.reasons
        return " ".join(explaining.sentences(reasons, self._shop.program, self.language))

    def _show(self, message: Message) -> None:
        self._message, self._found = message, []
        self._push()

    def _say(self, message: Message | None, found: list[Found] | None = None) -> None:
        """Show the till after something went well: old messages, choices and strangers are gone."""
        self._message, self._found, self._stranger = message, found or [], None
        if not self._found:
            self._quantity = 1
        self._push()

    def _push(self) -> None:
        parts = till_views.Parts(
            language=self.language,
            people=self._people,
            staff=self.staff,
            around=self._around(),
            counter=self._counter,
            desk=self._desk,
            found=self._found,
            message=self._message,
            stranger=None if self._stranger is None else till_views.tail(self._stranger),
        )
        self._live.show("till", till_views.till(self._shop, parts))

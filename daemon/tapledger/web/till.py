"""The till's session: who serves, what the one box just understood, and what the cashier is told."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from tapledger import languages
from tapledger.errors import Corrupt, Denied, Invalid, NotFound, Refused, TapledgerError
from tapledger.membership import basket as baskets
from tapledger.membership import explaining, registration, scanning, sign_in
from tapledger.membership.identity import Presented
from tapledger.membership.registration import Joining
from tapledger.membership.shop import Shop
from tapledger.membership.sign_in import Throttle
from tapledger.membership.tap import Greeting, greet_member, welcome_member
from tapledger.store import staff
from tapledger.store.journal import Recorded
from tapledger.store.staff import Person
from tapledger.web import checkout_views, till_views
from tapledger.web.counter import Counter
from tapledger.web.display import CustomerDisplay
from tapledger.web.live import LiveFeed
from tapledger.web.return_desk import ReturnDesk
from tapledger.web.shift_desk import ReportSlip, ShiftDesk
from tapledger.web.till_box import Box
from tapledger.web.till_views import Around


class TillFace:
    """Turns scans, taps and keys into snapshots of the till."""

    def __init__(
        self,
        shop: Shop,
        live: LiveFeed,
        around: Callable[[], Around],
        queued: Callable[[], None],
        display: CustomerDisplay,
        report_slip: ReportSlip,
    ) -> None:
        self._shop = shop
        self._live = live
        self._around = around
        self._queued = queued
        self._display = display
        self._lock = asyncio.Lock()
        self._throttle = Throttle(shop.clock)
        self._tails = Throttle(shop.clock)
        """Counts wrong digits of members' phones."""
        self._counter = Counter(shop)
        self._desk = ReturnDesk(shop)
        self._shift = ShiftDesk(shop, report_slip)
        self._box = Box(shop, self._counter, self._desk)
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
                await self._shift.read()
            except Corrupt as error:
                self._problem(error)
            self._push()

    # Who serves.
    async def sign_in(self, id_: str, pin: str) -> Person:
        async with self._lock:
            self.staff = await sign_in.sign_in(self._shop, self._throttle, id_, pin)
            self.staffed.set()
            self._done()
            return self.staff

    async def set_up(self, code: str, name: str, pin: str) -> Person:
        """Make the owner's account with the one-time code, and sign the owner in."""
        async with self._lock:
            self.staff = await sign_in.set_up_owner(self._shop, self._throttle, code, name, pin)
            self._people = await self._shop.store.transact(staff.everyone)
            self.staffed.set()
            self._done()
            return self.staff

    async def sign_out(self) -> None:
        async with self._lock:
            self.staff = None
            self.staffed.clear()
            self._desk.close()
            self._shift.report = None
            self._done()

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
                self._box.stranger = presented
                self._problem(error)
            except TapledgerError as error:
                self._problem(error)
            return False

    def _greeted(self, greeting: Greeting) -> None:
        """Say what the tap brought, so that the cashier can tell it."""
        self._done()
        if greeting.given:
            said = explaining.sentences(greeting.given, self._shop.program, self.language)
            self._inform("GIVEN", said=" ".join(said))
            self._queued()

    async def enter(self, raw: str, event: int | None = None, *, simulated: bool = False) -> None:
        """Take whatever was scanned or typed. Raises nothing for an unknown code: it is said.

        ``event`` is the scan's number in the ring of device events; ``simulated`` when no thing scanned it.
        """
        async with self._lock:
            person = self._signed_in()
            self._counter.taking = event
            try:
                await self._box.understand(scanning.read(raw), person, simulated=simulated)
            except TapledgerError as error:
                self._box.refuse(error)
            finally:
                self._counter.taking = None
            self._push()

    async def trouble(self, error: TapledgerError) -> None:
        async with self._lock:
            self._problem(error)

    async def choose(self, number: int) -> None:
        async with self._lock:
            person = self._signed_in()
            if not 1 <= number <= len(self._box.found):
                raise Invalid("CHOICE_UNKNOWN", number=number)
            await self._box.take(self._box.found[number - 1], person)
            self._push()

    # The basket.
    async def set_quantity(self, sku: str, quantity: int) -> None:
        async with self._lock:
            self._signed_in()
            await self._counter.keep(baskets.set_quantity(self._counter.basket, sku, quantity))
            self._done()

    async def step(self, sku: str, by: int) -> None:
        async with self._lock:
            self._signed_in()
            await self._counter.keep(baskets.step(self._counter.basket, sku, by))
            self._done()

    async def coupon(self, number: int) -> None:
        """Use a coupon of the list or leave it out; 0 chooses the best combination again."""
        async with self._lock:
            self._signed_in()
            await (self._counter.toggle(number) if number else self._counter.best_coupons())
            self._done()

    async def points(self, points: int | None) -> None:
        async with self._lock:
            self._signed_in()
            await self._counter.pay_with_points(points)
            self._done()

    async def step_up(self, tail: str) -> None:
        """Let a member whose card proves nothing pay with points, by the digits that they tell (R8)."""
        async with self._lock:
            self._signed_in()
            self._tails.check()
            if not await self._counter.step_up(tail):
                self._tails.failed()
                raise Refused("PHONE_TAIL_WRONG")
            self._tails.passed()
            self._done()

    async def value(self, amount_minor: int | None) -> None:
        async with self._lock:
            self._signed_in()
            await self._counter.pay_with_value(amount_minor)
            self._done()

    async def pay(self, tender: str, received_minor: int | None) -> None:
        async with self._lock:
            person = self._signed_in()
            try:
                await self._counter.pay(tender, received_minor, person)
            finally:
                self._push()
            self._done()
            self._queued()

    async def ask_top_up(self, amount_minor: int) -> None:
        async with self._lock:
            self._signed_in()
            self._counter.ask_top_up(amount_minor)
            self._done()

    async def top_up(self, tender: str, received_minor: int | None) -> None:
        async with self._lock:
            recorded = await self._counter.top_up(tender, received_minor, self._signed_in())
            self._inform("TOPPED_UP", said=self._said(recorded))
            self._queued()

    # Put aside, taken up, taken back.
    async def park(self) -> None:
        async with self._lock:
            await self._counter.park(self._signed_in().name)
            self._inform("PARKED", count=len(self._counter.parked))

    async def recall(self, number: int) -> None:
        """Take up what was put aside; raise ``Conflict`` when another till was faster."""
        async with self._lock:
            person = self._signed_in()
            try:
                await self._counter.recall(number, person.name)
            finally:
                self._done()

    async def undo(self) -> None:
        """Take the last change of the basket back; what was recorded stays."""
        async with self._lock:
            self._signed_in()
            await self._counter.undo()
            self._done()

    # The business day.
    async def at_shift(self, act: Callable[[ShiftDesk, Person], Awaitable[None]]) -> None:
        async with self._lock:
            await act(self._shift, self._signed_in())
            self._done()
            self._queued()

    async def member_off(self) -> None:
        async with self._lock:
            self._signed_in()
            await self._counter.member_off()
            self._done()

    async def clear(self) -> None:
        async with self._lock:
            self._signed_in()
            await self._counter.clear()
            self._done()

    async def join(self, name: str) -> None:
        """Make a member of whoever was a stranger a moment ago: their card, code or number becomes theirs."""
        async with self._lock:
            person = self._signed_in()
            shown = self._box.stranger
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
            self._box.stranger = None
            self._inform("MEMBER_JOINED")

    # Goods come back.
    async def at_return_desk(self, act: Callable[[ReturnDesk, Person], Awaitable[None]]) -> None:
        """Choose what comes back; only ``return_confirm`` records anything."""
        async with self._lock:
            await act(self._desk, self._signed_in())
            self._done()

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
            self._done()

    # What happens around it.
    async def set_language(self, language: str) -> None:
        chosen = languages.read(language)
        async with self._lock:
            self._counter.language = chosen
            await self._counter.requote()
            await self._counter.explain(self._counter.newest)
            self._done()

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
        self._box.refuse(error)
        self._push()

    def _inform(self, code: str, **data: str | int) -> None:
        self._box.inform(code, **data)
        self._push()

    def _said(self, recorded: Recorded) -> str:
        """Return what a slip says of its event, for the cashier to tell."""
        reasons = recorded.event.body.reasons
        return " ".join(explaining.sentences(reasons, self._shop.program, self.language))

    def _done(self) -> None:
        """Show the till after something went well."""
        self._box.say()
        self._push()

    def _push(self) -> None:
        parts = till_views.Parts(
            language=self.language,
            people=self._people,
            staff=self.staff,
            around=self._around(),
            counter=self._counter,
            desk=self._desk,
            shift=self._shift,
            found=self._box.found,
            message=self._box.message,
            stranger=None if self._box.stranger is None else till_views.tail(self._box.stranger),
        )
        self._live.show("till", till_views.till(self._shop, parts))
        self._display.show(None if self.staff is None else self._counter)

"""The till's session: who serves, what is in the basket, and what the one box just understood."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec

from tapledger import languages, texts
from tapledger.errors import Corrupt, Denied, Invalid, NotFound, TapledgerError
from tapledger.loyalty import engine
from tapledger.loyalty.facts import Tender
from tapledger.membership import basket as baskets
from tapledger.membership import identity, redemption, registration, scanning, sign_in
from tapledger.membership.basket import Basket
from tapledger.membership.catalogue import Article
from tapledger.membership.identity import Presented
from tapledger.membership.looking_up import Found, VoucherFound, look_up
from tapledger.membership.registration import Joining
from tapledger.membership.sale import SaleCommand, last_sale, record_sale
from tapledger.membership.shop import Shop
from tapledger.membership.sign_in import Throttle
from tapledger.membership.slips import job_id
from tapledger.membership.tap import Greeting, greet_again, greet_member, welcome_member
from tapledger.store import prints, staff
from tapledger.store.journal import Recorded
from tapledger.store.staff import Person
from tapledger.web import problems, till_views
from tapledger.web.live import LiveFeed
from tapledger.web.snapshots import Message
from tapledger.web.till_views import Around

TILL = "till-1"


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
        self._basket = Basket(sale=shop.new_id())
        self._greeting: Greeting | None = None
        self._found: list[Found] = []
        self._quantity = 1
        self._message: Message | None = None
        self._stranger: Presented | None = None
        self._last: Recorded | None = None
        self._last_slip: prints.Job | None = None
        self._people: list[Person] = []
        self.staff: Person | None = None
        self.language = shop.language

    async def open(self) -> None:
        """Take up the basket and the last sale where a crash or a restart left them."""
        async with self._lock:
            self._people = await self._shop.store.transact(staff.everyone)
            await self._take_up_basket()
            self._last = await last_sale(self._shop)
            await self._read_slip()
            self._push()

    # What happens to it.
    async def sign_in(self, id_: str, pin: str) -> Person:
        async with self._lock:
            self.staff = await sign_in.sign_in(self._shop, self._throttle, id_, pin)
            self._say(None)
            return self.staff

    async def set_up(self, code: str, name: str, pin: str) -> Person:
        """Make the owner's account with the one-time code, and sign the owner in."""
        async with self._lock:
            self.staff = await sign_in.set_up_owner(self._shop, self._throttle, code, name, pin)
            self._people = await self._shop.store.transact(staff.everyone)
            self._say(None)
            return self.staff

    async def sign_out(self) -> None:
        async with self._lock:
            self.staff = None
            self._say(None)

    async def card(self, presented: Presented) -> None:
        """A card was laid on the till's reader."""
        async with self._lock:
            self._signed_in()
            try:
                greeting = await welcome_member(self._shop, presented)
                await self._take_member(greeting)
                if greeting.given:
                    self._queued()
            except NotFound as error:
                self._stranger = presented
                self._problem(error)
            except TapledgerError as error:
                self._problem(error)

    async def enter(self, raw: str) -> None:
        """The one box: whatever was scanned or typed. Raises nothing for an unknown code: it is said."""
        async with self._lock:
            self._signed_in()
            try:
                await self._understand(scanning.read(raw))
            except TapledgerError as error:
                self._problem(error)

    async def trouble(self, error: TapledgerError) -> None:
        async with self._lock:
            self._problem(error)

    async def choose(self, number: int) -> None:
        async with self._lock:
            self._signed_in()
            if not 1 <= number <= len(self._found):
                raise Invalid("CHOICE_UNKNOWN", number=number)
            await self._take(self._found[number - 1])

    async def set_quantity(self, number: int, quantity: int) -> None:
        async with self._lock:
            self._signed_in()
            await self._keep(baskets.set_quantity(self._basket, number, quantity))
            self._say(None)

    async def pay(self, tender: str, received_minor: int | None) -> None:
        """Close the basket. Paying the same basket twice is one sale."""
        async with self._lock:
            person = self._signed_in()
            lines = self._basket.lines(self._shop, self.language)
            due = engine.quote(None, lines, self._shop.program, self._shop.clock.now()).total_minor
            paid = Tender(tender, due if received_minor is None else received_minor)
            command = SaleCommand(
                id=self._basket.sale,
                till=TILL,
                lines=lines,
                tenders=(paid,),
                staff=person.id,
                language=self.language,
                member=self._basket.member,
                presented=self._basket.presented,
            )
            self._last = await record_sale(self._shop, command)
            self._basket, self._greeting = Basket(sale=self._shop.new_id()), None
            await self._read_slip()
            self._say(None)
            self._queued()

    async def member_off(self) -> None:
        async with self._lock:
            self._signed_in()
            self._greeting = None
            await self._keep(msgspec.structs.replace(self._basket, member=None, presented=None))
            self._say(None)

    async def clear(self) -> None:
        async with self._lock:
            self._signed_in()
            self._greeting = None
            await self._keep(Basket(sale=self._basket.sale))
            self._say(None)

    async def join(self, name: str) -> None:
        """Make a member of whoever showed the card or number that names nobody yet."""
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
            await self._take_member(await greet_member(self._shop, shown))
            self._inform("MEMBER_JOINED")

    async def set_language(self, language: str) -> None:
        chosen = languages.read(language)
        async with self._lock:
            self.language = chosen
            self._say(None)

    async def slip_settled(self, job: str) -> None:
        async with self._lock:
            if self._last is not None and job == job_id(self._last):
                await self._read_slip()
                self._push()

    async def greet_again(self) -> None:
        """Another shop may have done something for the member who is served: show what they have now."""
        async with self._lock:
            if self._basket.member is not None:
                await self._greet_basket()
                self._push()

    def refresh(self) -> None:
        self._push()

    # How it is done.
    def _signed_in(self) -> Person:
        if self.staff is None:
            raise Denied("SIGN_IN_FIRST")
        return self.staff

    async def _understand(self, scanned: scanning.Scanned) -> None:
        if scanned.quantity is not None:
            self._quantity = scanned.quantity
        if not scanned.text:
            self._inform("QUANTITY_SET", count=self._quantity)
            return
        found = await look_up(self._shop, scanned)
        if len(found) == 1:
            await self._take(found[0])
        elif found:
            self._say(None, found)
        else:
            self._unknown(scanned)

    def _unknown(self, scanned: scanning.Scanned) -> None:
        """Keep what was scanned and say what it could have been, instead of losing it."""
        if scanned.meanings and scanned.meanings[-1] in ("phone", "barcode"):
            kind = scanned.meanings[-1]
            value = identity.normal_phone(scanned.text) if kind == "phone" else scanned.text
            self._stranger = Presented(kind, value, 0, "typed")
        self._problem(NotFound("NOTHING_FOUND", text=scanned.text))

    async def _take(self, found: Found) -> None:
        if isinstance(found, Article):
            await self._keep(baskets.add(self._basket, found.sku, self._quantity))
            self._say(None)
        elif isinstance(found, VoucherFound):
            await redemption.fulfil_voucher(
                self._shop, f"fulfil-{found.hold.id}", found.code, self._signed_in().id
            )
            await self._greet_basket()
            self._inform("VOUCHER_TAKEN", title=found.hold.title)
        else:
            await self._take_member(found)

    async def _take_member(self, greeting: Greeting) -> None:
        self._greeting = greeting
        await self._keep(baskets.of_member(self._basket, greeting.known))
        self._say(None)

    async def _keep(self, basket: Basket) -> None:
        await baskets.keep(self._shop, TILL, basket)
        self._basket = basket

    async def _take_up_basket(self) -> None:
        """Restore the basket; what of it cannot be read is told, and does not keep the shop shut."""
        try:
            self._basket = await baskets.restore(self._shop, TILL)
            await self._greet_basket()
        except Corrupt as error:
            self._basket = msgspec.structs.replace(self._basket, member=None, presented=None)
            self._problem(error)

    async def _greet_basket(self) -> None:
        self._greeting = None
        if self._basket.member is not None and self._basket.presented is not None:
            self._greeting = await greet_again(self._shop, self._basket.member, self._basket.presented)

    async def _read_slip(self) -> None:
        if self._last is not None:
            name = job_id(self._last)
            self._last_slip = await self._shop.store.transact(lambda tx: prints.get(tx, name))

    def _problem(self, error: TapledgerError) -> None:
        told = problems.problem(self.language, error)
        self._message = Message("error", told.code, told.sentence, told.next_step)
        self._found, self._quantity = [], 1
        self._push()

    def _inform(self, code: str, **data: str | int) -> None:
        self._message = Message("info", code, texts.say(self.language, f"info.{code}", **data))
        self._found = []
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
            basket=self._basket,
            greeting=self._greeting,
            found=self._found,
            message=self._message,
            stranger=None if self._stranger is None else till_views.tail(self._stranger),
            last=self._last,
            slip=self._last_slip,
        )
        self._live.show("till", till_views.till(self._shop, parts))

"""Staff at the kiosk: a greeting by their card, and with a PIN what they may do with it (K18, K16)."""

from __future__ import annotations

from typing import Literal

import msgspec

from tapledger.database import Transaction
from tapledger.errors import Conflict, Denied
from tapledger.membership import sign_in
from tapledger.membership.staff_cards import MAINTAINERS
from tapledger.store import facts
from tapledger.store.staff import Person
from tapledger.web.kiosk.here import Act, Here, Idle, Page
from tapledger.web.kiosk_snapshots import KioskScreen, OutOfService, StaffMenu

CLOSED = "kiosk_closed"
CLEANING_S = 60.0


class StaffAct(msgspec.Struct, forbid_unknown_fields=True):
    act: Literal["cleaning", "close", "open"]


class StaffPage(Page):
    def __init__(self, person: Person, step: Literal["hello", "pin", "menu"]) -> None:
        self.person = person
        self.step = step
        self.idle: Idle | None = "notice" if step == "hello" else "form"

    async def screen(self, here: Here) -> KioskScreen:
        return StaffMenu(self.person.name, self.step, here.closed)

    async def typed(self, here: Here, digits: str) -> None:
        if self.step != "pin":
            raise Conflict("NOT_ASKED")
        await sign_in.sign_in(here.shop, here.throttle, self.person.id, digits)
        here.turn(StaffPage(self.person, "menu"))


class CleaningPage(Page):
    """Every touch is ignored for a while, so that the glass can be wiped."""

    idle: Idle | None = "cleaning"

    async def screen(self, here: Here) -> KioskScreen:
        return OutOfService("cleaning", round(here.cleaning_until_s - here.shop.clock.monotonic_s()))


def greet(here: Here, person: Person) -> None:
    """Turn to whoever of the staff laid down their card; those who maintain kiosks are asked for the PIN."""
    here.visit()
    here.turn(StaffPage(person, "pin" if person.role in MAINTAINERS else "hello"))


async def recall(here: Here) -> None:
    """Remember after a restart that this kiosk was closed."""
    here.closed = await here.shop.store.fact(CLOSED) == b"1"
    if here.closed:
        here.turn(here.first())


async def do(here: Here, body: StaffAct) -> None:
    """Clean, close or open this kiosk; raise ``Denied`` for anybody who has not come to the menu."""
    page = here.page
    if not isinstance(page, StaffPage) or page.step != "menu":
        raise Denied("STAFF_ONLY")
    here.leave()
    if body.act == "cleaning":
        here.cleaning_until_s = here.shop.clock.monotonic_s() + CLEANING_S
        here.turn(CleaningPage())
        return
    here.closed = body.act == "close"

    def work(tx: Transaction) -> None:
        facts.put(tx, CLOSED, b"1" if here.closed else b"")

    await here.shop.store.transact(work)
    here.turn(here.first())


ACTS = (Act("staff", StaffAct, do, of="session"),)

"""The masked numpad: a PIN or a phone code for what a card alone does not prove (K20, R8, R9)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Literal

import msgspec

from tapledger.database import Transaction
from tapledger.errors import Conflict, Refused
from tapledger.membership import identity, phone_codes, pins
from tapledger.membership.tap import greet_again
from tapledger.store import members
from tapledger.web.kiosk.here import Act, Here, Idle, Page
from tapledger.web.kiosk_snapshots import KioskScreen, Prove
from tapledger.web.server import Nothing

Then = Callable[[Here], Awaitable[None]]
PURPOSES = ("value", "history", "reward")
"""What a proof is asked for."""


class Digits(msgspec.Struct, forbid_unknown_fields=True):
    digits: str


class ProvePage(Page):
    """Asks for digits; what was wanted happens once they are right."""

    idle: Idle | None = "form"

    def __init__(self, how: Literal["pin", "code"], purpose: str, then: Then, phone: str) -> None:
        self.how = how
        self.purpose = purpose
        """One of ``PURPOSES``."""
        self.then = then
        self.phone = phone
        """The member's own, for a code; empty where it is not known here."""

    async def screen(self, here: Here) -> KioskScreen:
        digits = pins.DIGITS if self.how == "pin" else phone_codes.DIGITS
        other = self.how == "pin" and bool(self.phone)
        purpose = here.say(f"kiosk.proof.{self.purpose}")
        return Prove(here.member_view(), self.how, digits, purpose, other)

    async def typed(self, here: Here, digits: str) -> None:
        """Check what was typed, and do what it was for."""
        if self.how == "pin":
            await pins.prove_pin(here.shop, here.member_id(), digits)
        else:
            here.codes.check(self.phone, digits)
        session = here.visit()
        session.proven = True
        proven = pins.proven(here.presented(), self.how)
        session.greeting = await greet_again(here.shop, here.member_id(), proven)
        await self.then(here)


async def require_proof(here: Here, purpose: str, then: Then) -> None:
    """Turn to the numpad: for the PIN where one is set here, else for a code to the member's phone.

    Raises ``Refused`` where neither can be had: staff can set a PIN.
    """
    member = here.member_id()
    await _may_count(here)
    phone = await _phone(here, member)
    if await pins.has_pin(here.shop, member):
        here.turn(ProvePage("pin", purpose, then, phone))
    elif phone:
        here.codes.send(phone)
        here.turn(ProvePage("code", purpose, then, phone))
    else:
        raise Refused("PIN_NOT_SET")


async def _may_count(here: Here) -> None:
    if here.presented().level == 0 and not await pins.lifts(here.shop, here.member_id()):
        raise Refused("PROOF_NEEDS_CENTRAL")


async def _phone(here: Here, member: str) -> str:
    shop = here.shop

    def work(tx: Transaction) -> str:
        stored = members.load(tx, member)
        profile = None if stored is None else identity.read_profile(shop, stored.profile)
        return "" if profile is None else profile.phone

    return await shop.store.transact(work)


async def phone_code(here: Here, body: Nothing) -> None:
    """Take a phone code in place of the PIN."""
    page = here.page
    if not isinstance(page, ProvePage) or not page.phone:
        raise Conflict("NOT_ASKED")
    here.codes.send(page.phone)
    here.turn(ProvePage("code", page.purpose, page.then, page.phone))


async def prove(here: Here, body: Digits) -> None:
    await here.page.typed(here, body.digits)


ACTS = (Act("prove", Digits, prove, of="session"), Act("phone-code", Nothing, phone_code))

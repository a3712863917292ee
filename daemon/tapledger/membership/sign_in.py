"""Staff sign in with a PIN: argon2id, and a growing wait after wrong ones."""

from __future__ import annotations

import asyncio
import hmac
import re
from dataclasses import dataclass, field

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from tapledger.clock import Clock
from tapledger.database import Transaction
from tapledger.errors import Denied, Invalid, Refused
from tapledger.membership.shop import Shop
from tapledger.store import facts, staff
from tapledger.store.people import clean_name
from tapledger.store.staff import Person

FREE_TRIES = 5
FIRST_WAIT_S = 30.0
LONGEST_WAIT_S = 3600.0
HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_PIN = re.compile(r"[0-9]{4,8}")
_SETUP_CODE = "setup_code"


@dataclass(slots=True)
class Throttle:
    """Counts wrong tries of one kind at one till; the wait doubles and a right one resets it."""

    clock: Clock
    wrong: int = 0
    until_s: float = field(default=0.0)

    def check(self) -> None:
        wait = self.until_s - self.clock.monotonic_s()
        if wait > 0:
            raise Denied("TOO_MANY_TRIES", seconds=int(wait) + 1)

    def failed(self) -> None:
        self.wrong += 1
        if self.wrong >= FREE_TRIES:
            wait = min(FIRST_WAIT_S * 2 ** (self.wrong - FREE_TRIES), LONGEST_WAIT_S)
            self.until_s = self.clock.monotonic_s() + wait

    def passed(self) -> None:
        self.wrong, self.until_s = 0, 0.0


async def sign_in(shop: Shop, throttle: Throttle, id_: str, pin: str) -> Person:
    """Return who signed in; raise ``Denied`` with the same code for a wrong person and a wrong PIN."""
    throttle.check()
    person = await shop.store.transact(lambda tx: staff.get(tx, id_))
    try:
        if person is None:
            await asyncio.to_thread(HASHER.hash, pin)  # as long as a check, so names cannot be guessed
            raise Denied("SIGN_IN_WRONG")
        await asyncio.to_thread(HASHER.verify, person.pin_hash, pin)
    except (VerificationError, Denied) as error:
        throttle.failed()
        raise Denied("SIGN_IN_WRONG") from error
    throttle.passed()
    return person


async def add_person(shop: Shop, id_: str, name: str, role: str, pin: str) -> Person:
    """Let somebody sign in from now on; raise ``Refused`` when there is somebody with this id already."""
    person = await asyncio.to_thread(_person, id_, clean_name(name), role, pin)

    def work(tx: Transaction) -> None:
        if staff.get(tx, id_) is not None:
            raise Refused("STAFF_ID_TAKEN")
        staff.add(tx, person)

    await shop.store.transact(work)
    return person


def _person(id_: str, name: str, role: str, pin: str) -> Person:
    if not _PIN.fullmatch(pin):
        raise Invalid("PIN_INVALID")
    return Person(id_, name, role, HASHER.hash(pin))


async def keep_setup_code(shop: Shop, code: str) -> None:
    """Remember the one-time code that lets the owner make the first account."""
    hashed = HASHER.hash(code).encode()
    await shop.store.transact(lambda tx: facts.put(tx, _SETUP_CODE, hashed))


async def set_up_owner(shop: Shop, throttle: Throttle, code: str, name: str, pin: str) -> Person:
    """Make the owner's account with the one-time code; the code is used up by it."""
    throttle.check()
    person = await asyncio.to_thread(_person, "owner", clean_name(name), "owner", pin)
    hashed = await shop.store.fact(_SETUP_CODE)
    try:
        if not hashed:
            raise Denied("SETUP_CODE_WRONG")
        await asyncio.to_thread(HASHER.verify, hashed.decode(), code.strip().upper())
    except (VerificationError, Denied) as error:
        throttle.failed()
        raise Denied("SETUP_CODE_WRONG") from error

    def use_up(tx: Transaction) -> bool:
        if facts.get(tx, _SETUP_CODE) != hashed:
            return False
        facts.put(tx, _SETUP_CODE, b"")
        staff.add(tx, person)
        return True

    if not await shop.store.transact(use_up):
        raise Denied("SETUP_CODE_WRONG")
    throttle.passed()
    return person


def same_secret(one: str, other: str) -> bool:
    """Compare two secrets without telling by time where they differ."""
    return hmac.compare_digest(one.encode(), other.encode())

"""Proof that a phone number is somebody's: a code goes to it, and comes back typed.

How it goes is a port: whoever carries it sees what waits (``waiting``) when it changes. Here the till shows
it, and staff tell it to whoever shows them the phone (decisions R13, R29: no message is assumed).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tapledger.clock import Clock
from tapledger.errors import Denied, Refused
from tapledger.identifiers import Randomness
from tapledger.membership.identity import masked_phone
from tapledger.membership.sign_in import same_secret

DIGITS = 6
LIFE_S = 300.0
TRIES = 5
MOST_WAITING = 5
NEW_AFTER_S = 20.0
"""Sooner there is no other code for the same number."""
RANDOM_BYTES = 8


@dataclass(slots=True)
class Waiting:
    phone: str
    code: str
    until_s: float
    wrong: int = 0

    @property
    def masked(self) -> str:
        return masked_phone(self.phone)


class PhoneCodes:
    """The codes that wait to be typed, in memory alone: a restart asks for new ones."""

    def __init__(self, clock: Clock, randomness: Randomness) -> None:
        self._clock = clock
        self._randomness = randomness
        self._waiting: dict[str, Waiting] = {}
        self.on_change: Callable[[], None] = lambda: None

    def waiting(self) -> list[Waiting]:
        """Return what is on its way, the newest first."""
        self._forget_old()
        return list(reversed(self._waiting.values()))

    def send(self, phone: str) -> Waiting:
        """Let a code go to a number; the same again when one has just gone.

        Raises ``Refused`` when too many are on their way.
        """
        self._forget_old()
        now = self._clock.monotonic_s()
        before = self._waiting.get(phone)
        if before is not None and before.until_s - now > LIFE_S - NEW_AFTER_S:
            return before
        if before is None and len(self._waiting) >= MOST_WAITING:
            raise Refused("PHONE_CODES_TOO_MANY")
        number = int.from_bytes(self._randomness(RANDOM_BYTES), "big") % 10**DIGITS
        self._waiting.pop(phone, None)
        sent = self._waiting[phone] = Waiting(phone, f"{number:0{DIGITS}}", now + LIFE_S)
        self.on_change()
        return sent

    def check(self, phone: str, code: str) -> None:
        """Take a code, once; raise ``Denied`` for a wrong one, and for one that is over."""
        self._forget_old()
        sent = self._waiting.get(phone)
        if sent is None:
            raise Denied("PHONE_CODE_OVER")
        if not same_secret(sent.code, code):
            sent.wrong += 1
            if sent.wrong < TRIES:
                raise Denied("PHONE_CODE_WRONG", left=TRIES - sent.wrong)
            self.drop(phone)
            raise Denied("PHONE_CODE_OVER")
        self.drop(phone)

    def drop(self, phone: str) -> None:
        """Nobody waits for it any more."""
        if self._waiting.pop(phone, None) is not None:
            self.on_change()

    def _forget_old(self) -> None:
        now = self._clock.monotonic_s()
        for phone in [one.phone for one in self._waiting.values() if one.until_s <= now]:
            del self._waiting[phone]

"""What can be wrong with a card on an emulated reader, whatever carries the reader's answers."""

from __future__ import annotations

import random

from tapledger_drivers.emulators.faults import AMOUNTS, Fault, Verb
from tapledger_drivers.emulators.virtual_card import CardKind, CardSession, CardTakenAway, VirtualCard

CARD_VERBS = (
    Verb.GO_AWOL,
    Verb.SLOW,
    Verb.NOISE,
    Verb.HALF_WRITE,
    Verb.DROP_AFTER,
    Verb.TORN_CARD,
    Verb.TWO_CARDS,
    Verb.RANDOM_UID,
    Verb.WRONG_ATR,
)
TORN_AFTER_APDUS = 3
_COUNTED = (Verb.DROP_AFTER, Verb.TORN_CARD)
_FAILED = b"\x63\x00"
_GET_UID = bytes.fromhex("FFCA")
_ISO_DEP_ATR = VirtualCard(CardKind.TYPE4, b"\x00").atr
_NOT_AN_ATR = bytes.fromhex("FFFF00FF")


class CardFaults:
    """The faults of one reader's cards. ``amount`` of ``slow`` and of ``noise`` are read at each answer."""

    def __init__(self, seed: int = 0) -> None:
        self.random = random.Random(seed)  # noqa: S311 - noise, reproducible
        self._on: dict[Verb, int] = {}

    def __contains__(self, verb: Verb) -> bool:
        return verb in self._on

    def amount(self, verb: Verb) -> int:
        return self._on.get(verb, 0)

    def faults(self) -> tuple[Fault, ...]:
        return tuple(Fault(verb, amount) for verb, amount in self._on.items())

    def pull(self, verb: Verb, *, on: bool = True, amount: int | None = None) -> None:
        """Begin or end one of ``CARD_VERBS``; raise ``ValueError`` for any other or a bad amount."""
        if verb not in CARD_VERBS:
            raise ValueError(f"a card reader does not know {verb}")
        value = AMOUNTS.get(verb, 0) if amount is None else amount
        if value < 0:
            raise ValueError(f"{verb}: the amount cannot be negative")
        if on:
            self._on[verb] = value
        else:
            self._on.pop(verb, None)

    def lay(self, card: VirtualCard) -> FaultySession:
        """Begin a card's stay on the reader."""
        if Verb.RANDOM_UID in self:
            card = VirtualCard(CardKind.TYPE4, b"\x08" + self.random.randbytes(3))
        torn_after = None
        if Verb.TORN_CARD in self:
            self.pull(Verb.TORN_CARD, on=False)
            torn_after = TORN_AFTER_APDUS
        return FaultySession(card, self, torn_after)

    def spend(self, answer: bytes) -> bytes:
        """Count an answer towards ``drop_after``; raise ``CardTakenAway`` where the card is cut off."""
        left = self._on.get(Verb.DROP_AFTER)
        if left is None:
            return answer
        if len(answer) >= left:
            self.pull(Verb.DROP_AFTER, on=False)
            raise CardTakenAway
        self._on[Verb.DROP_AFTER] = left - len(answer)
        return answer


class FaultySession(CardSession):
    """One stay of a card, with what is wrong on its reader. Waiting is left to its carrier."""

    def __init__(self, card: VirtualCard, faults: CardFaults, torn_after: int | None) -> None:
        super().__init__(card)
        self._faults = faults
        self._torn_after = torn_after
        self._other_next = False

    @property
    def atr(self) -> bytes:
        if Verb.WRONG_ATR in self._faults:
            return _NOT_AN_ATR
        return _ISO_DEP_ATR if Verb.TWO_CARDS in self._faults else self.card.atr

    def transmit(self, apdu: bytes) -> bytes:
        if self._torn_after is not None and self.apdus >= self._torn_after:
            raise CardTakenAway
        answer = self._of_two(apdu) if Verb.TWO_CARDS in self._faults else super().transmit(apdu)
        if Verb.HALF_WRITE in self._faults:
            answer = answer[: len(answer) // 2]
        per_mille = self._faults.amount(Verb.NOISE)
        if per_mille:
            rng = self._faults.random
            answer = bytes(rng.randrange(256) if rng.randrange(1000) < per_mille else one for one in answer)
        return self._faults.spend(answer)

    def _of_two(self, apdu: bytes) -> bytes:
        """The reader has not settled on one card: now this one tells its number, now that one."""
        self.apdus += 1
        if apdu[:2] != _GET_UID:
            return _FAILED
        uid = bytes(255 - byte for byte in self.card.uid) if self._other_next else self.card.uid
        self._other_next = not self._other_next
        return uid + b"\x90\x00"

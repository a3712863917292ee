"""The faults that an emulated device can be given, in the same words for dock, command line and tests."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Protocol


class Verb(enum.StrEnum):
    UNPLUG = "unplug"
    REPLUG = "replug"
    """Ends ``unplug``; a serial device comes back under another name."""
    GO_AWOL = "go_awol"
    """Hangs: neither takes nor gives anything, and the line stays up."""
    SLOW = "slow"
    """Everything takes ``amount`` milliseconds longer."""
    NOISE = "noise"
    """Each byte that the device sends is wrong with a probability of ``amount`` per mille."""
    HALF_WRITE = "half_write"
    """Only the first half of what the device sends arrives."""
    DROP_AFTER = "drop_after"
    """The line is cut after ``amount`` more bytes; happens once."""
    PAPER_OUT = "paper_out"
    NEAR_END = "near_end"
    COVER_OPEN = "cover_open"
    CUTTER_JAM = "cutter_jam"
    TORN_CARD = "torn_card"
    """The next card leaves before it is read whole; happens once."""
    TWO_CARDS = "two_cards"
    RANDOM_UID = "random_uid"
    """The next card is a phone: its number is another with every tap."""
    WRONG_ATR = "wrong_atr"
    PCSCD_KILL = "pcscd_kill"
    """pcscd is dead as long as it is on."""


ONCE = frozenset({Verb.REPLUG, Verb.DROP_AFTER, Verb.TORN_CARD})
"""Verbs that happen; all others are switched on and off."""

AMOUNTS = {Verb.SLOW: 300, Verb.NOISE: 200, Verb.DROP_AFTER: 40}
"""Usual amounts of the verbs that have one."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault that is in force."""

    verb: Verb
    amount: int = 0


class Emulated(Protocol):
    """A device that the lab can break and mend."""

    def verbs(self) -> tuple[Verb, ...]:
        """Return the faults that this device knows, in the order in which a person should see them."""
        ...

    def faults(self) -> tuple[Fault, ...]:
        """Return those in force now."""
        ...

    async def pull(self, verb: Verb, *, on: bool = True, amount: int | None = None) -> None:
        """Begin a fault, or end it; raise ``ValueError`` for one that this device does not know."""
        ...

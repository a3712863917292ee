"""How a shop's limited stock is divided among its computers: a bounded counter (sync.md section 2).

Of each key every computer has an allotment: so many it may give out in all, whatever the others do. The sum
of the allotments is never more than the stock, so no two computers give out the same piece, in reach or not.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from tapledger.loyalty import ledger, tallies
from tapledger.loyalty.coupons import claiming
from tapledger.loyalty.effects import Held, HoldSettled, Tallied
from tapledger.loyalty.ledger import EventBody
from tapledger.loyalty.program import Program

MOST = 10**9
"""Pieces in one event; more is no count of anything."""
MAX_TEXT = 300
"""Characters of a key or the id of a voucher."""


@dataclass(frozen=True, slots=True)
class Slice:
    """What one computer has of a key: pieces in all, without what it gave back."""

    allotted: int = 0
    used: int = 0
    """As far as it has told."""
    asked: int = 0
    """Of the rest: what it is to give back."""

    @property
    def rest(self) -> int:
        return self.allotted - self.used


@dataclass(frozen=True, slots=True)
class Used:
    """An event has given out so many of a key; with ``hold``, by a voucher that can be given back."""

    key: str
    count: int
    hold: str = ""


@dataclass(frozen=True, slots=True)
class Settled:
    """An event has closed a voucher; given back, its piece is in stock again where it was issued."""

    hold: str
    given_back: bool


@dataclass(frozen=True, slots=True)
class Returned:
    """An event gives back so many of its computer's allotment of a key."""

    key: str
    count: int


def limits(program: Program) -> dict[str, int]:
    """Return the stock of every key that is divided."""
    return {k: most for k, most in claiming.limits(program).items() if k.startswith(tallies.ALLOTTED)}


def uses(body: EventBody) -> Iterator[Used | Settled | Returned]:
    """Yield what an event uses of divided keys and gives back: the same that its own node counts
    (``claiming.claims``, ``store.vouchers.settle``)."""
    if body.kind in ledger.MOVES:
        return
    if body.kind == claiming.BACK:
        for key, count in body.facts.items():
            if _is_key(key) and isinstance(count, int) and 0 < count <= MOST:
                yield Returned(key, count)
    for effect in body.effects:
        match effect:
            case Tallied(key=key, amount=amount) if 0 < amount <= MOST and _is_key(key):
                yield Used(key, amount)
            case Held(hold=hold) if _is_plain(hold.id) and _is_key(key := tallies.of_reward(hold.reward)):
                yield Used(key, 0 if hold.day else 1, hold.id)  # the first release counted no days
            case HoldSettled(hold=hold_id, given_back=given_back) if _is_plain(hold_id):
                yield Settled(hold_id, given_back)


def _is_key(text: str) -> bool:
    return text.startswith(tallies.ALLOTTED) and _is_plain(text)


def _is_plain(text: str) -> bool:
    """Tell whether every store can keep a text: what others have written counts for nothing otherwise."""
    return len(text) <= MAX_TEXT and "\0" not in text


def divide(stock: int, slices: Mapping[str, Slice], active: Collection[str]) -> dict[str, Slice]:
    """Return the slices of a shop's computers after what is free was given to those that have least.

    ``slices`` are all that count against the stock, also of computers that are gone; only ``active`` ones are
    given more. When one has used more than half of what would be an even part, those with more than that are
    asked for the difference, and so are all while there is more out than there is. No allotment falls by
    that: it does when its holder has given back.
    """
    floors = {node: max(one.allotted, one.used) for node, one in slices.items()}
    free = stock - sum(floors.values())
    rests = {node: floors.get(node, 0) - slices.get(node, Slice()).used for node in active}
    together = max(0, free + sum(rests.values()))
    even, most = (together // len(rests), -(-together // len(rests))) if rests else (0, 0)
    is_short = free < 0
    divided = {node: Slice(floor, slices[node].used) for node, floor in floors.items()}
    for node in sorted(rests, key=lambda one: (rests[one], one)):
        more = max(0, min(most - rests[node], free))
        free -= more
        rests[node] += more
        is_short = is_short or 2 * rests[node] < even
        divided[node] = Slice(floors.get(node, 0) + more, slices.get(node, Slice()).used)
    if is_short:
        for node, rest in rests.items():
            divided[node] = replace(divided[node], asked=max(0, rest - even))
    return divided


def back(told: Slice, returned: int) -> int:
    """Return how many a computer gives back now: of what it was asked for, what it has.

    ``told``: what central has told, in all; ``used`` is the computer's own count, ``returned`` what it has
    given back of it before.
    """
    return max(0, min(told.asked - returned, told.rest - returned))

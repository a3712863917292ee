"""What a return does to points and stored value: what was earned is taken back, what paid is given back.

Earlier returns of the same sale are undone and done again together with this one, lot by lot, and only the
difference is posted: so the order in which things come back leaves no trace in any lot.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec

from tapledger.loyalty import lots, members
from tapledger.loyalty.effects import POINTS, Credited, Debited, Effect, Lot, LotTake, Overdrawn, Restored
from tapledger.loyalty.members import Member
from tapledger.loyalty.sales.sold import Sold, shared_back

replace = msgspec.structs.replace


@dataclass(frozen=True, slots=True)
class Grace:
    """Until when what a sale had used lasts again although its lot has expired; None is not at all (X2)."""

    until: dt.datetime | None
    id: str
    """Begins the ids of the lots that are made for it."""


def given_back(
    member: Member,
    takes: Sequence[LotTake],
    before: int,
    now_in_all: int,
    pool: str,
    grace: Grace,
    now: dt.datetime,
) -> tuple[Effect, ...]:
    """Give back what paid: ``now_in_all`` of it, of which earlier returns gave ``before``.

    A lot that has expired keeps its end, and so the amount lapses at once, unless there is a grace.
    """
    earlier, wanted = shared_back(takes, before), shared_back(takes, now_in_all)
    back: list[LotTake] = []
    effects: list[Effect] = []
    for lot, take in wanted.items():
        part = take.amount - (earlier[lot].amount if lot in earlier else 0)
        if not part:
            continue
        if _has_expired(member, take, now) and grace.until is not None:
            id_ = f"{grace.id}/{lot}"
            effects.append(Credited(Lot(id_, part, part, now, grace.until, pool, grace.id)))
        else:
            back.append(replace(take, amount=part))
    return (Restored(tuple(back), pool), *effects) if back else tuple(effects)


def _has_expired(member: Member, take: LotTake, now: dt.datetime) -> bool:
    ends = next((lot.expires_at for lot in member.lots if lot.id == take.lot), take.expires_at)
    return ends is not None and ends <= now


@dataclass(frozen=True, slots=True)
class Clawed:
    """Earned points taken back by one return."""

    effects: tuple[Effect, ...]
    taken: dict[str, int]
    """By lot; below 0 where a lot got back what an earlier return took."""
    forgiven: int


def claw(member: Member, sold: Sold, in_all: int, negative: str, now: dt.datetime) -> Clawed:
    """Take back ``in_all`` of the earned points, with what earlier returns took.

    From the sale's own lot first, also while it is pending, then from others in spending order; what is
    missing becomes a deficit, or is forgiven where ``negative`` is ``clamp``. ``member`` has back already
    what this return gives.
    """
    clawed_before = sum(one.clawed for one in sold.returns)
    forgiven_before = sum(one.forgiven for one in sold.returns)
    lasting = tuple(take for take in sold.clawed if not _has_expired(member, take, now))
    sunk = clawed_before - forgiven_before - lots.taken_amount(lasting)
    if negative == "deficit":
        sunk += forgiven_before
    have = lots.give_back(members.as_of(member, now).lots, lasting, now)
    takes = lots.take_from(_order(have, sold, now), max(0, in_all - sunk))
    missing = max(0, in_all - sunk - lots.taken_amount(takes))
    changes = _differences(lasting, takes)
    effects = list(_posted(changes))
    forgiven = 0
    if negative == "clamp":
        forgiven = missing - forgiven_before
    elif missing:
        effects.append(Overdrawn(missing))
    return Clawed(tuple(effects), {take.lot: take.amount for take in changes}, forgiven)


def _order(have: Sequence[Lot], sold: Sold, now: dt.datetime) -> Iterator[Lot]:
    own = "" if sold.lot is None else sold.lot.id
    for lot in have:
        if lot.id == own and (lot.expires_at is None or now < lot.expires_at):
            yield lot
    yield from lots.spending_order(lot for lot in have if lot.id != own and lots.is_available(lot, now))


def _differences(before: Sequence[LotTake], after: Sequence[LotTake]) -> list[LotTake]:
    amounts = {take.lot: take for take in after}
    for take in before:
        known = amounts.get(take.lot, replace(take, amount=0))
        amounts[take.lot] = replace(known, amount=known.amount - take.amount)
    return [take for take in amounts.values() if take.amount]


def _posted(changes: Sequence[LotTake]) -> Iterator[Effect]:
    returned = tuple(replace(take, amount=-take.amount) for take in changes if take.amount < 0)
    taken = tuple(take for take in changes if take.amount > 0)
    if returned:
        yield Restored(returned, POINTS)
    if taken:
        yield Debited(taken, POINTS)

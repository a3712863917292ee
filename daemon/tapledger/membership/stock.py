"""What this shop has left of everything that it gives out: rewards, coupons, prizes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tapledger.database import Transaction
from tapledger.loyalty import tallies
from tapledger.loyalty.coupons import claiming, issuing
from tapledger.loyalty.decisions import Decision
from tapledger.loyalty.ledger import EventBody
from tapledger.loyalty.members import Member
from tapledger.loyalty.rewards import allotting
from tapledger.loyalty.rewards.allotting import Slice
from tapledger.membership.shop import Shop, operation
from tapledger.store import allotments, claims


def left(tx: Transaction, shop: Shop, stock: Mapping[str, int | None]) -> dict[str, int | None]:
    """Return how many of each key can still be given out here; None is without limit. ``stock`` is what the
    programme says of them."""
    mine = allotments.told(tx, shop.store.keyring)
    used = _used(tx, {key.partition("/")[0] + "/" for key in stock})
    limits = {key: allotments.within(mine, key, most) for key, most in stock.items()}
    return {key: None if most is None else max(0, most - used.get(key, 0)) for key, most in limits.items()}


def exhausted(tx: Transaction, shop: Shop, member: Member | None = None) -> frozenset[str]:
    """Return the keys of which nothing can be given now: to anybody, or to this member."""
    used = _used(tx, tallies.STOCKED)
    mine = allotments.told(tx, shop.store.keyring)
    limits = claiming.limits(shop.program).items()
    gone = {key for key, most in limits if used.get(key, 0) >= (allotments.within(mine, key, most) or 0)}
    own = frozenset() if member is None else issuing.spent_limits(member, shop.program)
    return own | gone


def _used(tx: Transaction, kinds: Iterable[str]) -> dict[str, int]:
    return {key: count for kind in kinds for key, count in claims.used(tx, kind).items()}


async def give_back(shop: Shop) -> bool:
    """Give central back what it asked for of this shop's stock, for other computers of it; tell whether there
    was something to give."""

    def work(tx: Transaction) -> bool:
        told = allotments.news_of(tx, shop.store.keyring)
        if told is None or not told.back:
            return False
        returned, used = claims.used(tx, claiming.RETURNED), _used(tx, tallies.ALLOTTED)
        facts: dict[str, int | str] = {}
        for key, asked in told.back.items():
            mine = Slice(told.limits.get(key, 0), used.get(key, 0), asked)
            count = allotting.back(mine, returned.get(claiming.RETURNED + key, 0))
            if count:
                facts[key] = count
        if facts:
            now = shop.clock.now()
            body = EventBody(kind=claiming.BACK, at=now, program=shop.program.version, facts=facts)
            shop.record(tx, operation(shop.new_id(), claiming.BACK), Decision(body, None), now)
        return bool(facts)

    return await shop.store.transact(work)

"""What this shop has left of everything that it gives out: rewards, coupons, prizes."""

from __future__ import annotations

from collections.abc import Mapping

from tapledger.database import Transaction
from tapledger.loyalty import tallies
from tapledger.loyalty.coupons import claiming, issuing
from tapledger.loyalty.members import Member
from tapledger.membership.shop import Shop
from tapledger.store import claims


def left(used: Mapping[str, int], key: str, limit: int | None) -> int | None:
    """Return how many are left of a key, from what is used of it; None is without limit."""
    return None if limit is None else limit - used.get(key, 0)


def exhausted(tx: Transaction, shop: Shop, member: Member | None = None) -> frozenset[str]:
    """Return the keys of which nothing can be given now: to anybody, or to this member."""
    used = {key: count for kind in tallies.STOCKED for key, count in claims.used(tx, kind).items()}
    gone = {key for key, limit in claiming.limits(shop.program).items() if used.get(key, 0) >= limit}
    own = frozenset() if member is None else issuing.spent_limits(member, shop.program)
    return own | gone

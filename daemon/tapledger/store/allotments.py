"""What central lets this computer give out of its shop's limited stock (``loyalty.rewards.allotting``)."""

from __future__ import annotations

from collections.abc import Mapping

from tapledger.database import Transaction, first
from tapledger.loyalty import tallies
from tapledger.loyalty.coupons.claiming import RETURNED
from tapledger.store import claims, news
from tapledger.store.keyring import Keyring
from tapledger.wire.news import AllotmentNews

KIND = "allotment"
NOTHING = AllotmentNews(limits={})


def news_of(tx: Transaction, keyring: Keyring) -> AllotmentNews | None:
    """Return what central has told this computer; None where it counts alone: without a central, or by a
    programme of its own.

    Enrolled, and told nothing yet, it has none of anything: what others of the shop hold is not known here.
    """
    if not keyring.enrolled or first(tx, "SELECT 1 FROM news WHERE kind = 'program'") is None:
        return None
    return news.one_of(tx, KIND, keyring.node, AllotmentNews) or NOTHING


def told(tx: Transaction, keyring: Keyring) -> Mapping[str, int] | None:
    """Return this computer's allotments by key, without what it gave back; None where it counts alone."""
    found = news_of(tx, keyring)
    if found is None:
        return None
    returned = claims.used(tx, RETURNED)
    return {key: most - returned.get(RETURNED + key, 0) for key, most in found.limits.items()}


def within(allotted: Mapping[str, int] | None, key: str, stock: int | None) -> int | None:
    """Return how many of a key may be given out here in all; None is without limit."""
    if stock is None or allotted is None or not key.startswith(tallies.ALLOTTED):
        return stock
    return min(stock, allotted.get(key, 0))

"""What this shop may do for a member now, read from its store: the one place where ``Rights`` are made."""

from __future__ import annotations

import datetime as dt

from tapledger.database import Transaction
from tapledger.errors import Refused
from tapledger.loyalty import days, ledger
from tapledger.loyalty.effects import PRINCIPAL
from tapledger.loyalty.rights import MAX_CLOCK_BACK, Rights, limit
from tapledger.membership.shop import Shop
from tapledger.store import claims, epochs, members, outbox

_HLC_MS = 16
"""Bits of a hybrid logical clock below its milliseconds."""


def rights_of(tx: Transaction, shop: Shop, member: str | None = None) -> Rights:
    """Return what this shop may do for a member, or for anybody, as its store stands in this transaction.

    A shop that was never enrolled has no central and no other shop: nothing of it can be spent twice.
    """
    now, heard = shop.clock.now(), outbox.heard_at(tx)
    suspect = _is_behind(tx, shop, now, heard)
    sparing = "STORE_NEARLY_FULL" if shop.store.space.is_low() else ""
    if not shop.store.keyring.enrolled:
        return Rights(clock_suspect=suspect, stopped=sparing)
    stored = None if member is None else members.load(tx, member)
    unsettled = 0 if stored is None else stored.unsettled_points
    own = 0 if stored is None or shop.reachable else _own_principal(tx, stored.member.id)
    return Rights(
        online=shop.reachable,
        last_feed_at=heard,
        own_principal_minor=own,
        quota_left_member=shop.program.unsettled_points - unsettled,
        quota_left_node=shop.program.offline.node_points - members.unsettled_in_all(tx),
        top_up_left_minor=_left_today(tx, shop, TOP_UPS, _top_up_cap(shop)),
        coupon_left_minor=_left_today(tx, shop, CODES, shop.program.offline.coupon_shift_max_minor),
        clock_suspect=suspect,
        stopped=epochs.stopped(tx) or shop.stopped or sparing,
    )


def require(tx: Transaction, shop: Shop, operation: str) -> None:
    """Raise ``Refused`` when an operation that has no amount cannot be done now."""
    bound = limit(operation, None, 0, rights_of(tx, shop), shop.program, shop.clock.now())
    if bound.why is not None and not bound.allows(1):
        raise Refused(bound.why.code, **bound.why.data)


# What is counted by day while central is away; each is a claim of the day.
TOP_UPS = "away/top-up"
CODES = "away/codes"


def count_away(tx: Transaction, shop: Shop, what: str, amount_minor: int) -> None:
    """Count money of ``TOP_UPS`` or ``CODES`` that was taken or given today while central was away."""
    claims.take(tx, _key(shop, what), None, amount_minor)


def _left_today(tx: Transaction, shop: Shop, what: str, cap_minor: int | None) -> int | None:
    left = claims.left(tx, _key(shop, what), cap_minor)
    return None if left is None else max(0, left)


def _key(shop: Shop, what: str) -> str:
    return f"{what}/{days.local_day(shop.clock.now(), shop.program.zone()).isoformat()}"


def _top_up_cap(shop: Shop) -> int | None:
    rules = shop.program.stored_value
    return None if rules is None else rules.offline_top_up_per_day_minor


def _is_behind(tx: Transaction, shop: Shop, now: dt.datetime, heard: dt.datetime | None) -> bool:
    """Tell whether the clock reads earlier than what was recorded here or heard from central (R25).

    Central's own time, heard just now, proves a clock right: what was recorded while it was ahead is past.
    """
    if shop.reachable and heard is not None and abs(now - heard) <= MAX_CLOCK_BACK:
        return False
    recorded = dt.datetime.fromtimestamp((shop.store.journal.head(tx).hlc >> _HLC_MS) / 1000, dt.UTC)
    return now + MAX_CLOCK_BACK < max(recorded, heard or recorded)


def _own_principal(tx: Transaction, member: str) -> int:
    """Return the principal that only this shop knows of: topped up since central was told, less spent."""
    account = ledger.member_value(member, PRINCIPAL)
    lines = (line for body in outbox.unsynced_of(tx, member) for line in body.lines)
    return max(0, -sum(line.amount for line in lines if line.account == account))

"""What this shop may do for a member now, read from its store: the one place where ``Rights`` are made."""

from __future__ import annotations

from tapledger.database import Transaction
from tapledger.errors import Refused
from tapledger.loyalty import days, ledger
from tapledger.loyalty.effects import POINTS, PRINCIPAL
from tapledger.loyalty.rights import Rights, limit
from tapledger.membership import permits, timekeeping
from tapledger.membership.shop import Shop
from tapledger.store import claims, epochs, members, outbox

LEASES = frozenset({"lease", "lease_recall", "lease_close", "lease_share"})
"""Kinds that only move what can be spent from one hand into another."""


def rights_of(tx: Transaction, shop: Shop, member: str | None = None, *, to_be_asked: bool = False) -> Rights:
    """Return what this shop may do for a member, or for anybody, as its store stands in this transaction.

    A shop that was never enrolled has no central and no other shop: nothing of it can be spent twice.
    ``to_be_asked`` is for what is only shown: central will be asked before it is spent (``permits.secure``),
    so that no quota stands in the way while central answers.
    """
    suspect = timekeeping.is_suspect(tx, shop)
    sparing = "STORE_NEARLY_FULL" if shop.store.space.is_low() else ""
    if not shop.store.keyring.enrolled:
        return Rights(clock_suspect=suspect, stopped=sparing)
    stored = None if member is None else members.load(tx, member)
    unsettled = 0 if stored is None else stored.unsettled_points
    own = 0 if stored is None or shop.online else _own_principal(tx, stored.member.id)
    unbound = to_be_asked and shop.online and shop.permits is not None
    hand = None if stored is None else permits.hand_of(tx, shop, stored.member)
    return Rights(
        online=shop.online,
        last_feed_at=outbox.heard_at(tx),
        leased_points=0 if hand is None else hand.leased(POINTS),
        leased_principal_minor=0 if hand is None else hand.leased(PRINCIPAL),
        own_principal_minor=own,
        quota_left_member=None if unbound else shop.program.unsettled_points - unsettled,
        quota_left_node=(
            None if unbound else shop.program.offline.node_points - members.unsettled_in_all(tx)
        ),
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


def _own_principal(tx: Transaction, member: str) -> int:
    """Return the principal that only this shop knows of: topped up since central was told, less spent."""
    account = ledger.member_value(member, PRINCIPAL)
    bodies = (body for body in outbox.unsynced_of(tx, member) if body.kind not in LEASES)
    lines = (line for body in bodies for line in body.lines)
    return max(0, -sum(line.amount for line in lines if line.account == account))

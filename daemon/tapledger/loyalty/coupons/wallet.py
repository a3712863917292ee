"""A member's coupons: how they are added and how they change hands between issued, held and redeemed."""

from __future__ import annotations

import datetime as dt

import msgspec

from tapledger.loyalty.effects import Coupon, CouponMoved

OVERUSE = "coupon-overuse"
"""Tally of coupons redeemed twice by shops that could not see each other (X3)."""

KEPT_AFTER_EXPIRY = dt.timedelta(days=400)
"""Coupons that are done with stay so long behind their expiry, so that a return can restore them."""

_DONE = frozenset({"redeemed", "void", "expired"})

replace = msgspec.structs.replace


def state(coupon: Coupon, now: dt.datetime) -> str:
    """Return the state at an instant: a lapsed hold is ``issued`` again, a lapsed coupon is ``expired``."""
    if coupon.state == "held" and coupon.until is not None and now < coupon.until:
        return "held"
    if coupon.state in ("issued", "held"):
        return "expired" if coupon.expires_at is not None and now >= coupon.expires_at else "issued"
    return coupon.state


def find(coupons: tuple[Coupon, ...], id_: str) -> Coupon | None:
    return next((one for one in coupons if one.id == id_), None)


def issue(coupons: tuple[Coupon, ...], new: Coupon, at: dt.datetime) -> tuple[Coupon, ...]:
    """Return the wallet with one more; coupons long done with are dropped."""
    if any(one.id == new.id for one in coupons):
        return coupons
    kept = tuple(
        one
        for one in coupons
        if one.state not in _DONE or one.expires_at is None or one.expires_at + KEPT_AFTER_EXPIRY > at
    )
    return (*kept, new)


def move(coupons: tuple[Coupon, ...], effect: CouponMoved) -> tuple[tuple[Coupon, ...], bool]:
    """Return the wallet after a move, and whether it redeems what another sale has redeemed before (X3)."""
    overused = False
    moved = []
    for coupon in coupons:
        if coupon.id == effect.coupon:
            if effect.state == "redeemed" and coupon.state == "redeemed" and coupon.sale != effect.sale:
                overused = True
            else:
                coupon = replace(coupon, state=effect.state, sale=effect.sale, until=effect.until)
        moved.append(coupon)
    return tuple(moved), overused

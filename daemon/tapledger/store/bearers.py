"""Coupons that belong to whoever holds the paper; each move is one conditional statement (section 3.11)."""

from __future__ import annotations

import datetime as dt

from tapledger.database import Transaction
from tapledger.loyalty.coupons.claiming import BEARER
from tapledger.loyalty.effects import Coupon, CouponIssued, CouponMoved

LONG_AGO = dt.datetime.fromtimestamp(0, dt.UTC)
"""When a paper was issued is in its event, not here."""


def apply(tx: Transaction, effect: CouponIssued | CouponMoved, now: dt.datetime) -> bool:
    """Remember a new coupon, or move one that is known; False when that cannot be."""
    if isinstance(effect, CouponIssued):
        return _add(tx, effect.coupon)
    # Letting go of what was not held is no mistake.
    return _move(tx, effect, now) or effect.state == "issued"


def _add(tx: Transaction, coupon: Coupon) -> bool:
    row = tx.exec_driver_sql(
        "INSERT INTO bearer_coupon VALUES (?, ?, ?, ?, ?, '', NULL) ON CONFLICT DO NOTHING RETURNING id",
        (_name(coupon.id), coupon.code, coupon.template, _ms(coupon.expires_at), coupon.state),
    ).first()
    return row is not None


def _move(tx: Transaction, moved: CouponMoved, now: dt.datetime) -> bool:
    """Move a coupon to another state if it may go there now; False when it may not.

    Held or redeemed: one that is free, or held by the same sale. A hold that began in time is good until its
    end. Issued again: one that this sale had. Void: one that no sale has redeemed.
    """
    sale, at = moved.sale, _ms(now)
    match moved.state:
        case "held" | "redeemed":
            may = (
                "(state = 'held' AND sale = ?5 AND until_ms > ?6) OR ((state = 'issued'"
                " OR (state = 'held' AND until_ms <= ?6)) AND (expires_ms IS NULL OR ?6 < expires_ms))"
            )
        case "issued":
            may = "state IN ('held', 'redeemed') AND ?6 IS NOT NULL AND (?5 = '' OR sale = ?5)"
        case _:
            may = "state IN ('issued', 'held') AND ?6 IS NOT NULL AND ?5 IS NOT NULL"
    row = tx.exec_driver_sql(
        "UPDATE bearer_coupon SET state = ?1, sale = ?2, until_ms = ?3"  # noqa: S608
        f" WHERE id = ?4 AND ({may}) RETURNING id",
        (
            moved.state,
            "" if moved.state == "issued" else sale,
            None if moved.until is None else _ms(moved.until),
            _name(moved.coupon),
            sale,
            at,
        ),
    ).first()
    return row is not None


def by_index(tx: Transaction, index: str) -> Coupon | None:
    """Return the coupon of a printed code."""
    return _read(tx, "idx", index)


def by_id(tx: Transaction, coupon: str) -> Coupon | None:
    return _read(tx, "id", _name(coupon))


def _read(tx: Transaction, column: str, value: str) -> Coupon | None:
    row = tx.exec_driver_sql(
        "SELECT id, template, expires_ms, state, sale, until_ms, idx FROM bearer_coupon"  # noqa: S608
        f" WHERE {column} = ?",
        (value,),
    ).first()
    if row is None:
        return None
    return Coupon(
        BEARER + row[0],
        row[1],
        LONG_AGO,
        _instant(row[2]),
        state=row[3],
        sale=row[4],
        until=_instant(row[5]),
        code=row[6],
    )


def _name(coupon: str) -> str:
    return coupon.removeprefix(BEARER)


def _ms(at: dt.datetime | None) -> int | None:
    return None if at is None else int(at.timestamp() * 1000)


def _instant(ms: int | None) -> dt.datetime | None:
    return None if ms is None else dt.datetime.fromtimestamp(ms / 1000, dt.UTC)

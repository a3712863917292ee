"""What members have and what the shop has left: compared before and after what should leave nothing (P7)."""

from __future__ import annotations

import datetime as dt
from typing import Any

from tapledger.lab.scenario.shops import Place
from tapledger.loyalty import members, tallies
from tapledger.loyalty.effects import (
    BONUS,
    PRINCIPAL,
    Coupon,
)
from tapledger.loyalty.tiers import tiering
from tapledger.store import claims
from tests.lives.life import Life


def _usable(coupon: Coupon, now: dt.datetime) -> str:
    """Return a coupon's state; a hold that ran out and an expiry that nobody has written are none."""
    if coupon.state == "expired" or (coupon.state == "held" and coupon.until and coupon.until <= now):
        return "issued"
    return coupon.state


async def belongings(life: Life, place: Place) -> dict[str, Any]:
    """Return what members have and what the shop has left, as P7 compares it."""
    now, program = life.now, place.shop.program
    found: dict[str, Any] = {}
    for state in await life.everybody(place):
        found[state.id] = (
            members.points(state, now),
            [members.value(state, pool, now) for pool in (PRINCIPAL, BONUS)],
            sorted((one.id, _usable(one, now)) for one in state.coupons),
            tiering.current(state, program, now).id,
            tallies.total(state.tallies, tallies.SPEND),
            tallies.total(state.tallies, tallies.GROWTH),
            tallies.total(state.tallies, tallies.EARNED),
        )
    left = await place.shop.store.transact(lambda tx: claims.used(tx, "coupon/"))
    found["claims"] = {key: used for key, used in left.items() if used}
    return found

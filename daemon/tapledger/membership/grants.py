"""Staff give or take points by hand, inside what one person may move a day (decisions R36)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from tapledger.database import Transaction
from tapledger.loyalty import days
from tapledger.loyalty.decisions import Decision
from tapledger.loyalty.life import granting
from tapledger.loyalty.life.granting import GrantPoints
from tapledger.membership.rights import require
from tapledger.membership.shop import Shop, change_member, operation
from tapledger.store import claims, staff
from tapledger.store.journal import Recorded
from tapledger.store.members import Stored


@dataclass(frozen=True, slots=True)
class GrantCommand:
    """``points`` below 0 are taken. ``second`` has signed in too, where one person is not enough."""

    key: str
    member: str
    points: int
    why: str
    staff: str
    second: str = ""


async def grant_points(shop: Shop, command: GrantCommand) -> Recorded:
    """Give or take points; raise ``Refused`` without central, or when points or a second one are missing."""

    def decide(tx: Transaction, stored: Stored, now: dt.datetime) -> Decision:
        require(tx, shop, "grant")
        today = days.local_day(now, shop.program.zone())
        moved = f"staff/{command.staff}/{today.isoformat()}"
        second = command.second if staff.get(tx, command.second) is not None else ""
        grant = GrantPoints(
            id=shop.new_id(),
            points=command.points,
            why=command.why,
            staff=command.staff,
            second=second,
            is_only_account=len(staff.everyone(tx)) <= 1,
            moved_today=claims.used(tx, moved).get(moved, 0),
        )
        decided = granting.decide_grant(stored.member, grant, shop.program, now)
        claims.take(tx, moved, None, abs(command.points))
        return decided

    return await change_member(shop, operation(command.key, "grant", command), command.member, decide)

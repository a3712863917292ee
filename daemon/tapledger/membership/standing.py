"""A membership is frozen, unfrozen, cancelled or restored; what nobody came back to lapses."""

from __future__ import annotations

import datetime as dt
from functools import partial
from typing import Literal

from tapledger.database import Transaction
from tapledger.loyalty import lifecycle
from tapledger.loyalty.decisions import Decision
from tapledger.loyalty.lifecycle import Change
from tapledger.membership.shop import Shop, change_member, operation
from tapledger.store import leaving, members
from tapledger.store.journal import Recorded
from tapledger.store.members import Stored

Step = Literal["freeze", "unfreeze", "cancel", "restore"]

_DECIDE = {
    "freeze": lifecycle.decide_freeze,
    "unfreeze": lifecycle.decide_unfreeze,
    "cancel": lifecycle.decide_cancel,
    "restore": lifecycle.decide_restore,
}


async def change_standing(
    shop: Shop, key: str, member: str, step: Step, staff: str | None, why: str = ""
) -> Recorded:
    """Take one step of a membership's life; raise ``Refused`` when it does not follow from where it is."""

    def decide(tx: Transaction, stored: Stored, now: dt.datetime) -> Decision:
        return _DECIDE[step](stored.member, Change(staff, why), shop.program, now)

    return await change_member(shop, operation(key, step, member, staff, why), member, decide)


async def lapse_cancelled(shop: Shop) -> int:
    """Let lapse what nobody came back to in time, of members who cancelled here; return how many."""
    now_ms = int(shop.clock.now().timestamp() * 1000)
    gone = await shop.store.transact(lambda tx: leaving.closed(tx, now_ms))
    for member in gone:
        await shop.store.transact(partial(_lapse, shop, member))
    return len(gone)


def _lapse(shop: Shop, member: str, tx: Transaction) -> None:
    stored, now = members.load(tx, member), shop.clock.now()
    if stored is None or not lifecycle.is_lapsing(stored.member, now):
        leaving.note(tx, member, None)
        return
    until = stored.member.restore_until
    same = operation(f"lapse-{member}-{until:%Y%m%d}", "lapse", member)
    shop.record(tx, same, lifecycle.decide_lapse(stored.member, shop.program, now), now)

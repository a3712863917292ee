"""A membership is frozen, unfrozen, cancelled or restored; what nobody came back to lapses at night."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from tapledger.database import Transaction
from tapledger.errors import Invalid
from tapledger.loyalty.decisions import Decision
from tapledger.loyalty.life import lifecycle
from tapledger.loyalty.life.lifecycle import Change
from tapledger.membership.rights import require
from tapledger.membership.shop import Shop, change_member, operation
from tapledger.store.journal import Recorded
from tapledger.store.members import Stored

Step = Literal["freeze", "unfreeze", "cancel", "restore"]

NEED_CENTRAL: frozenset[Step] = frozenset({"cancel", "restore"})
"""Another shop must not go on with a member who has left; freezing can wait to be heard."""

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
    if step not in _DECIDE:
        raise Invalid("STEP_UNKNOWN")

    def decide(tx: Transaction, stored: Stored, now: dt.datetime) -> Decision:
        if step in NEED_CENTRAL:
            require(tx, shop, step)
        return _DECIDE[step](stored.member, Change(staff, why), shop.program, now)

    return await change_member(shop, operation(key, step, member, staff, why), member, decide)

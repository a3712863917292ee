"""A member uses a right by a tap: at the lounge's door, at a till, at a partner's."""

from __future__ import annotations

from dataclasses import dataclass

from tapledger.database import Transaction
from tapledger.loyalty.people import entitlements
from tapledger.loyalty.people.entitlements import Right, Use
from tapledger.membership import identity
from tapledger.membership.identity import Presented
from tapledger.membership.shop import Shop, once, operation
from tapledger.store.journal import Recorded


@dataclass(frozen=True, slots=True)
class UseCommand:
    key: str
    presented: Presented
    entitlement: str
    units: int = 1
    place: str = ""
    """Where: a door, a car park."""
    staff: str | None = None


async def use_entitlement(shop: Shop, command: UseCommand) -> Recorded:
    """Count one use of a right; raise ``Refused`` with the reason that stands in the way."""
    same = operation(
        command.key,
        "use",
        command.presented,
        command.entitlement,
        command.units,
        command.place,
        command.staff,
    )

    def work(tx: Transaction) -> Recorded:
        now, shown = shop.clock.now(), command.presented
        known = identity.identify(tx, shop, shown)
        use = Use(
            command.entitlement, command.units, command.place, command.staff, shown.level, shown.evidence
        )
        return shop.record(tx, same, entitlements.decide_use(known.member, use, shop.program, now), now)

    return await once(shop, same, work)


async def rights_of(shop: Shop, presented: Presented) -> list[Right]:
    """Return what whom a credential names is entitled to now, for staff and for a kiosk in gate mode."""

    def work(tx: Transaction) -> list[Right]:
        known = identity.identify(tx, shop, presented)
        return entitlements.rights(known.member, shop.program, shop.clock.now())

    return await shop.store.transact(work)

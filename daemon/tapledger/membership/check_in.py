"""Somebody shows that they are here: check-in by a card, without a purchase."""

from __future__ import annotations

from dataclasses import dataclass

from tapledger.database import Transaction
from tapledger.loyalty.people import visiting
from tapledger.loyalty.people.visiting import Visit
from tapledger.membership import identity, referral, stock
from tapledger.membership.identity import Presented
from tapledger.membership.shop import Shop, once, operation
from tapledger.store.journal import Recorded


@dataclass(frozen=True, slots=True)
class CheckInCommand:
    key: str
    presented: Presented
    at_kiosk: bool = True
    staff: str | None = None


async def check_in(shop: Shop, command: CheckInCommand) -> Recorded:
    """Check in whom a credential names, once a local day; the shop is this node.

    Raises ``NotFound`` for a stranger, ``Refused`` for a second time, for what is no card at a kiosk, or when
    the gift has run out in between.
    """
    same = operation(command.key, "checkin", command.presented, command.at_kiosk, command.staff)

    def work(tx: Transaction) -> Recorded:
        now, shown = shop.clock.now(), command.presented
        known = identity.identify(tx, shop, shown)
        visit = Visit(
            store=shop.store.keyring.node,
            id=command.key,
            credential=shown.kind,
            at_kiosk=command.at_kiosk,
            staff=command.staff,
            trust=shown.level,
            evidence=shown.evidence,
            exhausted=stock.exhausted(tx, shop, known.member),
        )
        decision = visiting.decide_check_in(known.member, visit, shop.program, now)
        recorded = shop.record(tx, same, decision, now)
        assert decision.after is not None
        referral.tell(tx, shop, command.key, decision.after, now)
        return recorded

    return await once(shop, same, work)

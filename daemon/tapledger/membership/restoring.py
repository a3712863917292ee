"""What is kept beside the ledger, in step with events that central gave back to a rolled-back disk."""

from __future__ import annotations

import dataclasses

from tapledger.database import Transaction
from tapledger.loyalty.coupons import claiming
from tapledger.loyalty.ledger import EventBody
from tapledger.membership.shop import Shop
from tapledger.store import bearers, claims, partners


def settle(shop: Shop, tx: Transaction, body: EventBody) -> None:
    """Claim again what an event had claimed; it happened, so no limit stands in its way now."""
    for claim in claiming.claims(body, shop.program):
        claims.settle(tx, dataclasses.replace(claim, limit=None))
    for effect in claiming.of_bearers(body):
        bearers.apply(tx, effect, body.at)
    if body.kind == "partner_in":
        partner = str(body.facts["partner"])
        claims.take(tx, partners.taking(partner, str(body.facts["exchange"])), None)
        partners.post(tx, partner, int(body.facts["given"]))

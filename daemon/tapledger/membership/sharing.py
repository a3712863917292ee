"""Give another computer of the shop a part of this one's leases, while central cannot be asked."""

from __future__ import annotations

from tapledger.database import Transaction
from tapledger.errors import NotFound, Refused
from tapledger.loyalty import rights
from tapledger.loyalty.leases import Asked
from tapledger.loyalty.sharing import decide_share
from tapledger.membership import timekeeping
from tapledger.membership.rights import rights_of
from tapledger.membership.shop import Shop, once, operation
from tapledger.store import members
from tapledger.store.journal import Recorded
from tapledger.wire.asking import ShareAsked


async def share(shop: Shop, node: str, asked: ShareAsked) -> Recorded:
    """Record that a node has a part of this one's leases; asked again by the same id, answer it again.

    Raises ``NotFound`` for a member that is not known here by this name, ``Conflict`` for an id of another
    question, and ``Refused`` when this node holds too little or may not spend now itself.
    """
    same = operation(f"lease-share/{asked.id}", node, asked.member, asked.pool, asked.amount)

    def work(tx: Transaction) -> Recorded:
        stored = members.load_alias(tx, asked.member)
        if stored is None or stored.member.merged_into:
            raise NotFound("MEMBER_UNKNOWN")
        _check_rights(tx, shop)
        at = timekeeping.now_or_later(tx, shop)
        command = Asked(asked.id, node, asked.pool, asked.amount)
        decision = decide_share(stored.member, command, shop.store.keyring.node, shop.program, at)
        return shop.record(tx, same, decision, shop.clock.now())

    return await once(shop, same, work)


def _check_rights(tx: Transaction, shop: Shop) -> None:
    """Raise ``Refused`` unless this node may spend of its leases now."""
    mine = rights_of(tx, shop)
    if mine.clock_suspect:
        raise Refused(rights.why_not_now().code)
    if rights.stage(mine, shop.program, shop.clock.now()) == "earn_only":
        why = rights.why_not_away(rights.OPERATIONS["reward"], mine, shop.program)
        raise Refused(why.code, **why.data)

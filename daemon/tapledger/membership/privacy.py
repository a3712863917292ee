"""What members agreed to, all that this shop holds of one, and forgetting one (loyalty.md section 3.26)."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec

from tapledger.database import Transaction
from tapledger.loyalty.decisions import Decision
from tapledger.loyalty.life import consenting, lifecycle
from tapledger.loyalty.life.consenting import Statement
from tapledger.loyalty.life.lifecycle import Erase
from tapledger.membership import identity
from tapledger.membership.shop import Shop, change_member, known_member, operation
from tapledger.store import history, members, pins
from tapledger.store.journal import Recorded
from tapledger.store.members import Stored


async def state_consent(shop: Shop, key: str, member: str, said: Statement) -> Recorded:
    """Record what a member said about one purpose; a withdrawal holds from this transaction on."""

    def decide(tx: Transaction, stored: Stored, now: dt.datetime) -> Decision:
        return consenting.decide_consent(stored.member, said, shop.program, now)

    return await change_member(shop, operation(key, "consent", member, said), member, decide)


async def may_message(shop: Shop, member: str, purpose: str) -> bool:
    """Tell whether a message may go out now: asked for each message at the moment it is sent (G97)."""
    stored = await shop.store.transact(lambda tx: members.load(tx, member))
    return stored is not None and consenting.may_message(stored.member, purpose)


async def export_member(shop: Shop, member: str) -> dict[str, Any]:
    """Return everything that this shop holds of a member, as JSON can say it: for the member alone.

    Their own purchases are theirs to read, so nothing is left out; the paper is not for a screen.
    """

    def work(tx: Transaction) -> dict[str, Any]:
        stored = known_member(tx, member)
        names = members.names_of(tx, stored.member)
        profiles = {
            name: identity.read_profile(shop, alias.profile)
            for name in names
            if (alias := members.load_alias(tx, name)) is not None
        }
        found = {
            "shop": shop.name,
            "at": shop.clock.now(),
            "profiles": profiles,
            "membership": stored.member,
            "events": [
                {"receipt": one.receipt, "proof": one.hash.hex(), "event": one.event.body}
                for one in history.of_members(tx, names)
            ],
        }
        exported: dict[str, Any] = msgspec.to_builtins(found)
        return exported

    return await shop.store.transact(work)


async def erase_member(shop: Shop, key: str, member: str, command: Erase) -> Recorded:
    """Forget who a member was; raise ``Refused`` while what they paid in is owed and no waiver was signed.

    Their profile, phone and cards are destroyed here at once and elsewhere with the next sync; the ledger
    keeps a pseudonym that names nobody, and its chain stays whole.
    """

    def decide(tx: Transaction, stored: Stored, now: dt.datetime) -> Decision:
        decided = lifecycle.decide_erase(stored.member, command, shop.program, now)
        pins.forget(tx, stored.member.id)
        return decided

    return await change_member(shop, operation(key, "erase", member, command), member, decide)

"""Stored value at the till: topping up, taking a top-up back, and closing a card; each with its slip."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from tapledger.database import Transaction
from tapledger.errors import NotFound, Refused
from tapledger.loyalty import members, rights
from tapledger.loyalty.decisions import Decision
from tapledger.loyalty.effects import BONUS, PRINCIPAL
from tapledger.loyalty.facts import Tender
from tapledger.loyalty.members import Member
from tapledger.loyalty.value import storing
from tapledger.loyalty.value.storing import TopUp, TopUpVoid
from tapledger.membership import identity, permits, receipts
from tapledger.membership.identity import Known, Presented
from tapledger.membership.rights import TOP_UPS, count_away, require, rights_of
from tapledger.membership.shop import Shop, once, operation
from tapledger.store import claims, history
from tapledger.store import members as stored_members
from tapledger.store.journal import Operation, Recorded


@dataclass(frozen=True, slots=True)
class TopUpCommand:
    """Money for a member's stored value, taken by staff. ``id`` is its idempotency key."""

    id: str
    member: str
    presented: Presented
    amount_minor: int
    tenders: tuple[Tender, ...]
    staff: str
    language: str


async def top_up(shop: Shop, command: TopUpCommand) -> Recorded:
    """Record a top-up and queue its slip; raise ``Invalid`` or ``Refused`` and change nothing then.

    Without central the day's limit of this shop counts it, and its bonus waits (R35).
    """
    same = operation(
        command.id, "topup", command.member, command.amount_minor, command.tenders, command.staff
    )

    def work(tx: Transaction) -> Recorded:
        now, known = shop.clock.now(), identity.by_id(tx, shop, command.member, command.presented)
        may = rights_of(tx, shop, known.member.id)
        asked = TopUp(command.id, command.amount_minor, command.tenders, command.staff, may)
        decision = storing.decide_top_up(known.member, asked, shop.program, now)
        if rights.stage(may, shop.program, now) != "online":
            count_away(tx, shop, TOP_UPS, command.amount_minor)
        return _record(tx, shop, same, decision, known, command.language, now)

    return await once(shop, same, work)


@dataclass(frozen=True, slots=True)
class TakeBackCommand:
    """A top-up of today, made in this shop, is taken back. ``topup`` is its id."""

    key: str
    member: str
    presented: Presented
    topup: str
    staff: str
    language: str


async def take_back_top_up(shop: Shop, command: TakeBackCommand) -> Recorded:
    """Give a top-up's money back; raise ``NotFound`` for one that this shop did not make."""
    same = operation(command.key, "topup_void", command.member, command.topup, command.staff)

    def work(tx: Transaction) -> Recorded:
        now, known = shop.clock.now(), identity.by_id(tx, shop, command.member, command.presented)
        body = history.of_operation(tx, command.topup)
        names = stored_members.names_of(tx, known.member)
        if body is None or body.kind != "topup" or body.member not in names:
            raise NotFound("TOP_UP_UNKNOWN")
        if not claims.once(tx, f"topup-void/{command.topup}"):
            raise Refused("TOP_UP_TAKEN_BACK")
        asked = TopUpVoid(body, command.staff)
        decision = storing.decide_top_up_void(known.member, asked, shop.program, now)
        return _record(tx, shop, same, decision, known, command.language, now)

    return await once(shop, same, work)


@dataclass(frozen=True, slots=True)
class CloseCommand:
    """A member wants what they paid in back, and gives up the bonus."""

    key: str
    member: str
    presented: Presented
    staff: str
    language: str


async def close_card(shop: Shop, command: CloseCommand) -> Recorded:
    """Pay out a member's principal less the fee; needs central, for another shop may spend it meanwhile."""
    same = operation(command.key, "close_card", command.member, command.staff)
    await permits.secure(shop, same, command.member, lambda ready: _everything(shop, ready))

    def work(tx: Transaction) -> Recorded:
        now, known = shop.clock.now(), identity.by_id(tx, shop, command.member, command.presented)
        require(tx, shop, "close_card")
        member = known.member
        for pool in (PRINCIPAL, BONUS):
            member = permits.closed(tx, shop, permits.hand_of(tx, shop, member), pool)
        decision = storing.decide_close_card(member, command.staff, shop.program, now)
        return _record(tx, shop, same, decision, known, command.language, now)

    return await once(shop, same, work)


def _everything(shop: Shop, member: Member) -> dict[str, int]:
    """Return all that is stored of a member's, wherever it is: nobody else may spend it meanwhile."""
    now = shop.clock.now()
    found = {pool: members.shown_value(member, pool, now) for pool in (PRINCIPAL, BONUS)}
    return {pool: amount for pool, amount in found.items() if amount}


def _record(
    tx: Transaction,
    shop: Shop,
    same: Operation,
    decision: Decision,
    known: Known,
    language: str,
    now: dt.datetime,
) -> Recorded:
    recorded = shop.record(tx, same, decision, now)
    after = decision.after
    assert after is not None
    receipts.queue(
        tx,
        shop,
        recorded,
        "topup",
        language,
        after,
        known.name,
        principal_minor=members.shown_value(after, PRINCIPAL, now),
        bonus_minor=members.shown_value(after, BONUS, now),
    )
    return recorded

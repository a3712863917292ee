"""A basket is paid: money and points are recorded and the receipt is queued, in one transaction."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import partial

from tapledger.database import Transaction
from tapledger.errors import Refused, TapledgerError
from tapledger.loyalty.coupons import couponing
from tapledger.loyalty.decisions import Decision
from tapledger.loyalty.effects import BONUS, POINTS, PRINCIPAL
from tapledger.loyalty.facts import Tender
from tapledger.loyalty.members import Member
from tapledger.loyalty.program import Program
from tapledger.loyalty.sales import selling
from tapledger.loyalty.sales.selling import PLAIN, BasketLine, Pinned, Sale, Wants
from tapledger.loyalty.sales.tenders import VALUE
from tapledger.loyalty.value import storing
from tapledger.membership import coupons, identity, permits, programs, receipts, referral, rights, slips
from tapledger.membership.identity import Known, Presented
from tapledger.membership.permits import Hand
from tapledger.membership.shop import Shop, once, operation
from tapledger.store import claims, drafts
from tapledger.store.journal import Operation, Recorded

BUDGET = "earning/budget"
"""Claim of the points that multipliers and flats have given here."""


@dataclass(frozen=True, slots=True)
class SaleCommand:
    """A sale as the till asks for it. ``id`` is its idempotency key: the same sale again is one sale."""

    id: str
    till: str
    lines: tuple[BasketLine, ...]
    tenders: tuple[Tender, ...]
    """Stored value is asked for as ``value``."""
    staff: str
    language: str
    member: str | None = None
    presented: Presented | None = None
    wants: Wants = PLAIN
    """Of the wallet's coupons, codes, points and a manual discount; ``papers`` stays empty here."""
    scanned: tuple[str, ...] = ()
    """Ids of coupons that belong to no wallet (``coupons.scan_code``)."""
    card: str = ""
    """Index of the credential that was shown, for the limit of that card; empty: from ``presented``."""
    stepped_up: bool = False
    pinned: Pinned | None = None
    early_access_approved: bool = False


async def record_sale(shop: Shop, command: SaleCommand) -> Recorded:
    """Record a sale; raise ``Invalid`` or ``Refused`` when it cannot be one, and change nothing then."""
    same = identified(command, command.id)
    await secure(shop, same, command)

    def work(tx: Transaction) -> Recorded:
        ready = prepare(tx, shop, command)
        decided = selling.decide_sale(ready.member, ready.sale, ready.program, shop.clock.now())
        decision = ready.paid(decided)
        return post(tx, shop, same, decision, command.till, command.language, ready.name)

    return await once(shop, same, work)


def identified(command: SaleCommand, key: str) -> Operation:
    """Return what makes a sale the same sale when it is asked for again."""
    asked = (command.wants, command.scanned) if command.wants != PLAIN or command.scanned else ()
    return operation(key, "sale", command.lines, command.tenders, command.member, command.staff, *asked)


@dataclass(frozen=True, slots=True)
class Ready:
    """A sale with all that this shop knows for it."""

    member: Member | None
    """Ready to spend: to be decided for, and then to be ``paid``."""
    name: str
    sale: Sale
    program: Program
    hand: Hand | None = None

    def paid(self, decision: Decision) -> Decision:
        """Let this shop's leases pay first for what was decided."""
        return decision if self.hand is None else self.hand.draw(decision, self.program)


async def secure(shop: Shop, same: Operation, command: SaleCommand) -> None:
    """Ask central for what a sale spends of the member's; one that spends nothing asks nothing."""
    value = sum(one.amount_minor for one in command.tenders if one.kind == VALUE)
    if command.wants.points or value:
        wanted = partial(_spends, shop, command.wants.points, value)
        await permits.secure(shop, same, command.member, wanted)


def _spends(shop: Shop, points: int, value_minor: int, member: Member) -> dict[str, int]:
    found = {POINTS: points}
    rules = shop.program.stored_value
    if value_minor and rules is not None:
        try:
            parts = storing.split(
                member, value_minor, rules.spend_order, shop.clock.now(), shop.program.currency
            )
        except TapledgerError:  # as the sale will say
            return {}
        found |= {PRINCIPAL: parts.principal_minor, BONUS: parts.bonus_minor}
    return {pool: amount for pool, amount in found.items() if amount > 0}


def prepare(tx: Transaction, shop: Shop, command: SaleCommand) -> Ready:
    """Look up what a sale depends on; raise ``Refused`` for a scanned coupon that cannot be used."""
    known = _known(tx, shop, command)
    presented, wants = command.presented, command.wants
    sale = Sale(
        id=command.id,
        lines=command.lines,
        tenders=command.tenders,
        lot=command.id,
        staff=command.staff,
        trust=None if presented is None else presented.level,
        evidence="" if presented is None else presented.evidence,
        till=command.till,
        wants=wants,
        stepped_up=command.stepped_up,
        pinned=command.pinned,
        early_access_approved=command.early_access_approved,
        budget_left=claims.left(tx, BUDGET, shop.program.earning.campaign_budget),
    )
    pays = wants.points or any(t.kind == VALUE for t in command.tenders)
    if pays or wants.coupons or command.scanned:
        sale = _with_rights(tx, shop, sale, known, command)
    version = shop.program.version if command.pinned is None else command.pinned.version
    program = programs.of_shop(tx, shop, version)
    if known is None:
        return Ready(None, "", sale, program)
    hand = permits.hand_of(tx, shop, known.member) if pays else None
    return Ready(known.member if hand is None else hand.ready, known.name, sale, program, hand)


def _with_rights(tx: Transaction, shop: Shop, sale: Sale, known: Known | None, command: SaleCommand) -> Sale:
    """Add what this shop may do for the member now, with which card, and the coupons of no wallet."""
    may = rights.rights_of(tx, shop, command.member)
    reach = couponing.reach_of(shop.store.keyring.node, may, shop.program, shop.clock.now())
    found = coupons.papers(
        tx, shop, None if known is None else known.member, command.scanned, command.id, reach
    )
    if found.left_out:
        why = found.left_out[0].reason
        raise Refused(why.code, **why.data)
    wants = dataclasses.replace(sale.wants, papers=found.chosen)
    return dataclasses.replace(sale, wants=wants, rights=may, reach=reach, card=_card(shop, command))


def _card(shop: Shop, command: SaleCommand) -> str:
    shown = command.presented
    if command.card or shown is None or not shown.value:
        return command.card
    return identity.index(shop, shown.kind, shown.value)


def _known(tx: Transaction, shop: Shop, command: SaleCommand) -> Known | None:
    if command.member is None or command.presented is None:
        return None
    return identity.by_id(tx, shop, command.member, command.presented)


def post(
    tx: Transaction,
    shop: Shop,
    same: Operation,
    decision: Decision,
    till: str,
    language: str,
    name: str | None = None,
) -> Recorded:
    """Record a sale that was decided, tell who sent its member, and queue the receipt.

    ``name`` is the member's, when the caller has looked it up.
    """
    now, body = shop.clock.now(), decision.body
    recorded = shop.record(tx, same, decision, now)
    bonus = body.facts.get("bonus_points", 0)
    if isinstance(bonus, int) and bonus:
        claims.take(tx, BUDGET, None, bonus)
    _count_codes(tx, shop, decision)
    if decision.after is not None:
        referral.tell(tx, shop, same.key, decision.after, now)
    receipts.queue(tx, shop, recorded, "sale", language, decision.after, name)
    drafts.discard(tx, till)
    return recorded


def _count_codes(tx: Transaction, shop: Shop, decision: Decision) -> None:
    """Count what codes took off that nobody else could vouch for while central was away."""
    sale = decision.body.sale
    if sale is None or not sale.coupons or shop.online or not shop.store.keyring.enrolled:
        return
    own = () if decision.after is None else decision.after.coupons
    bound = {one.id for one in own if one.node == shop.store.keyring.node}
    risk = sum(one.amount_minor for one in sale.discounts if one.coupon and one.coupon not in bound)
    if risk:
        rights.count_away(tx, shop, rights.CODES, risk)


async def last_sale(shop: Shop) -> Recorded | None:
    """Return the sale of a moment ago: after a crash it answers 'did it go through?'."""
    newest = await shop.store.transact(lambda tx: shop.store.journal.newest(tx, "sale"))
    if newest is None or shop.clock.now() - newest.event.body.at > slips.SLIP_LIFE:
        return None
    return newest

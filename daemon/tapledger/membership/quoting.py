"""What the open basket costs, by the path that paying it takes, and what else its customer could use.

The quote is the event that would be recorded: what the till shows and explains is what the receipt will say.
Choosing the best coupons may take long, so everything is reckoned off the event loop.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from dataclasses import dataclass, replace

from tapledger.database import Transaction
from tapledger.errors import Refused, TapledgerError
from tapledger.loyalty import members, rights
from tapledger.loyalty.coupons import couponing
from tapledger.loyalty.coupons.couponing import Reach, Usable
from tapledger.loyalty.effects import BONUS, PRINCIPAL, Coupon
from tapledger.loyalty.facts import Reason, SaleFacts, Tender
from tapledger.loyalty.ledger import EventBody
from tapledger.loyalty.life import standing
from tapledger.loyalty.members import Member
from tapledger.loyalty.pricing import BasketLine, ChosenCoupon, LeftOut, Priced, RuleCost
from tapledger.loyalty.pricing.hints import Hint
from tapledger.loyalty.program import Program
from tapledger.loyalty.program.coupons import Template
from tapledger.loyalty.program.prices import PointsAsCash
from tapledger.loyalty.rights import Rights
from tapledger.loyalty.sales import selling, shopping
from tapledger.loyalty.sales.selling import Pinned, Sale, Wants
from tapledger.loyalty.sales.tenders import VALUE, Payer
from tapledger.membership import coupons, identity, permits, sale
from tapledger.membership.basket import Basket
from tapledger.membership.rights import rights_of
from tapledger.membership.shop import Shop
from tapledger.store import claims

OUTSIDE = "card"
"""Stands for whatever pays the rest: what is taken outside changes no points."""


@dataclass(frozen=True, slots=True)
class CouponChoice:
    """A coupon that its customer has or showed, beside the basket."""

    id: str
    template: Template | None
    expires_at: dt.datetime | None
    saving_minor: int = 0
    """What it takes off alone, beyond what applies by itself."""
    usable: bool = False
    chosen: bool = False
    why_not: Reason | None = None
    """Why it takes nothing off as things stand."""


@dataclass(frozen=True, slots=True)
class PointsRoom:
    """How many points could pay for the basket, and what they would pay."""

    points: int = 0
    pays_minor: int = 0
    refusal: Refused | None = None
    """Why none can."""


@dataclass(frozen=True, slots=True)
class ValueRoom:
    """The member's stored value: None is not shown, because nobody proved who they are."""

    balance_minor: int | None = None
    usable_minor: int = 0
    """For this basket."""
    pays_minor: int = 0
    """What was asked for, and no more than the basket needs."""
    why_not: Reason | None = None


@dataclass(frozen=True, slots=True)
class Quoted:
    """The answer. Without articles ``body`` is None; ``problem`` says what keeps it from being sold."""

    body: EventBody | None = None
    problem: TapledgerError | None = None
    due_minor: int = 0
    """To be taken by other tenders than stored value."""
    coupons: tuple[CouponChoice, ...] = ()
    """Those that can be used first, by what they save; then the others."""
    left_out: tuple[LeftOut, ...] = ()
    """Every coupon and code that does nothing here."""
    saved_minor: int = 0
    """What promotions and coupons take off, gifts at what they would have cost."""
    better_minor: int = 0
    """How much more the best combination would take off than the cashier's choice."""
    approximate: bool = False
    costs: tuple[RuleCost, ...] = ()
    hints: tuple[Hint, ...] = ()
    points: PointsRoom = PointsRoom()
    value: ValueRoom = ValueRoom()
    wants: Wants = selling.PLAIN
    """Of the sale command: papers are named in ``scanned``."""
    scanned: tuple[str, ...] = ()
    pinned: Pinned | None = None

    @property
    def sale(self) -> SaleFacts | None:
        return None if self.body is None else self.body.sale


@dataclass(frozen=True, slots=True)
class Asked:
    """Everything that a quote depends on, as the store holds it at one moment."""

    basket: Basket
    lines: tuple[BasketLine, ...]
    program: Program
    now: dt.datetime
    member: Member | None
    trust: int
    rights: Rights
    reach: Reach
    papers: Usable
    budget_left: int | None = None

    @property
    def wallet(self) -> tuple[Coupon, ...]:
        return () if self.member is None else self.member.coupons

    @property
    def payer(self) -> Payer:
        return Payer(self.member, self.trust, self.rights, self.basket.stepped_up)


async def quote(
    shop: Shop, basket: Basket, language: str, lines: tuple[BasketLine, ...] | None = None
) -> Quoted:
    """Price the basket for whoever is served; what cannot be sold as it stands is told in ``problem``.

    ``lines`` stand for the basket's own where they are more than so many of an article: weighed, or with
    a price that was set by hand.
    """
    lines = basket.lines(shop, language) if lines is None else lines
    asked = await shop.store.transact(lambda tx: _ask(tx, shop, basket, lines))
    return await asyncio.to_thread(reckon, asked)


def _ask(tx: Transaction, shop: Shop, basket: Basket, lines: tuple[BasketLine, ...]) -> Asked:
    member, trust, now = None, 0, shop.clock.now()
    if basket.member is not None and basket.presented is not None:
        known = identity.by_id(tx, shop, basket.member, basket.presented)
        member = permits.hand_of(tx, shop, known.member).ready
        trust = basket.presented.level
    may = rights_of(tx, shop, basket.member, to_be_asked=True)
    reach = couponing.reach_of(shop.store.keyring.node, may, shop.program, now)
    return Asked(
        basket=basket,
        lines=lines,
        program=shop.program,
        now=now,
        member=member,
        trust=trust,
        rights=may,
        reach=reach,
        papers=coupons.papers(tx, shop, member, basket.scanned, basket.sale, reach),
        budget_left=claims.left(tx, sale.BUDGET, shop.program.earning.campaign_budget),
    )


def reckon(asked: Asked) -> Quoted:
    """Answer for values that were read; nothing is read or written here."""
    value = _value(asked, 0)
    if not asked.lines:
        return Quoted(value=value, coupons=tuple(_of_wallet(asked)))
    try:
        return _with_lines(asked)
    except TapledgerError as error:
        return Quoted(problem=error, value=value)


def _with_lines(asked: Asked) -> Quoted:
    basket = asked.basket
    spendable, no_points = _spendable(asked)
    points = min(basket.points, spendable)
    best = selling.best_quote(
        asked.payer,
        asked.lines,
        asked.program,
        asked.now,
        Wants(papers=asked.papers.chosen, codes=basket.codes, points=points, manual=basket.manual),
        asked.reach,
        basket.sale,
    )
    chosen = best.coupons if basket.coupons is None else basket.coupons
    wants, papers = _wants(asked, chosen, points)
    priced = best.priced if basket.coupons is None else _priced(asked, replace(wants, papers=papers))
    room = _points(asked, replace(wants, papers=papers), spendable, no_points)
    value = _value(asked, priced.total_minor)
    left_out = {one.id: one.reason for one in (*best.left_out, *priced.left_out)}
    return Quoted(
        body=_body(asked, replace(wants, papers=papers), priced, value),
        due_minor=priced.total_minor - value.pays_minor,
        coupons=_choices(asked, chosen, priced, left_out),
        left_out=tuple(LeftOut(id_, reason) for id_, reason in left_out.items()),
        saved_minor=priced.saved_minor(),
        better_minor=max(0, best.saving_minor - priced.saved_minor()),
        approximate=best.approximate,
        costs=best.costs,
        hints=best.hints,
        points=room,
        value=value,
        wants=wants,
        scanned=tuple(one.id for one in papers),
        pinned=selling.pin(
            asked.member, asked.lines, replace(wants, papers=papers), asked.program, asked.now
        ),
    )


def _wants(asked: Asked, chosen: tuple[str, ...], points: int) -> tuple[Wants, tuple[ChosenCoupon, ...]]:
    """Return what the sale will ask for of the wallet, and the papers among what was chosen."""
    papers = tuple(one for one in asked.papers.chosen if one.id in chosen)
    own = {one.id for one in asked.wallet}
    wallet = tuple(id_ for id_ in chosen if id_ in own)
    basket = asked.basket
    return Wants(coupons=wallet, codes=basket.codes, points=points, manual=basket.manual), papers


def _priced(asked: Asked, wants: Wants) -> Priced:
    return selling.quote(
        asked.member,
        asked.lines,
        asked.program,
        asked.now,
        wants,
        asked.payer,
        asked.reach,
        asked.basket.sale,
    )


def _body(asked: Asked, wants: Wants, priced: Priced, value: ValueRoom) -> EventBody:
    """Return the event that paying now would record."""
    rest = priced.total_minor - value.pays_minor
    paid = (Tender(VALUE, value.pays_minor), Tender(OUTSIDE, rest))
    command = Sale(
        id=asked.basket.sale,
        lines=asked.lines,
        tenders=tuple(one for one in paid if one.amount_minor),
        lot=asked.basket.sale,
        staff=None,
        trust=asked.trust,
        wants=wants,
        rights=asked.rights,
        reach=asked.reach,
        stepped_up=asked.basket.stepped_up,
        early_access_approved=asked.basket.early_access_approved,
        budget_left=asked.budget_left,
    )
    body = selling.body_of(asked.member, command, asked.program, asked.now)
    return selling.finished(asked.member, body, asked.program, asked.now)


# ---- coupons ----------------------------------------------------------------------------------------------
def _of_wallet(asked: Asked) -> list[CouponChoice]:
    """Return what is in the wallet and was shown, with why not for what cannot be used at all."""
    if asked.member is None:
        found = Usable((), ())
    else:
        found = couponing.usable(asked.member, asked.program, asked.now, asked.reach, asked.basket.sale)
    own = {one.id: one for one in asked.wallet}
    listed = []
    for one in (*asked.papers.chosen, *found.chosen):
        template = asked.program.coupon(one.promotion.id)
        listed.append(CouponChoice(one.id, template, one.expires_at, usable=True))
    for out in (*asked.papers.left_out, *found.left_out):
        coupon = own.get(out.id)
        template = None if coupon is None else asked.program.coupon(coupon.template)
        ends = None if coupon is None else coupon.expires_at
        if out.reason.code != "COUPON_EXPIRED":
            listed.append(CouponChoice(out.id, template, ends, why_not=out.reason))
    return listed


def _choices(
    asked: Asked, chosen: tuple[str, ...], priced: Priced, left_out: dict[str, Reason]
) -> tuple[CouponChoice, ...]:
    """Say of each coupon what it saves alone, and why it takes nothing off as things stand."""
    plain = _priced(asked, Wants(codes=asked.basket.codes, manual=asked.basket.manual)).saved_minor()
    listed = []
    for one in _of_wallet(asked):
        if one.usable:
            wants, papers = _wants(asked, (one.id,), 0)
            alone = _priced(asked, replace(wants, papers=papers))
            reason = next((out.reason for out in alone.left_out if out.id == one.id), None)
            takes = one.id in priced.coupons
            one = replace(
                one,
                usable=one.id in alone.coupons,
                saving_minor=max(0, alone.saved_minor() - plain),
                chosen=one.id in chosen,
                why_not=None if takes else reason or left_out.get(one.id),
            )
        listed.append(one)
    far = dt.datetime.max.replace(tzinfo=dt.UTC)
    listed.sort(key=lambda one: (not one.usable, -one.saving_minor, one.expires_at or far, one.id))
    return tuple(listed)


# ---- points and stored value ------------------------------------------------------------------------------
def _spendable(asked: Asked) -> tuple[int, Refused | None]:
    """Return how many points this member may spend here now, or why none."""
    why = why_not_points(asked)
    if why is not None:
        return 0, Refused(why.code, **why.data)
    try:
        shopper = shopping.shopper(asked.payer, asked.program, asked.now, points=1)
    except Refused as error:
        return 0, error
    return (0 if shopper is None else shopper.points_available), None


def _points(asked: Asked, wants: Wants, spendable: int, refusal: Refused | None) -> PointsRoom:
    """Return the most points that could pay for this basket with these coupons."""
    rules = asked.program.points_as_cash
    if refusal is not None or rules is None:
        return PointsRoom(refusal=refusal)
    most = _priced(asked, replace(wants, points=spendable))
    if most.points_used:
        paid = sum(one.amount_minor for one in most.discounts if one.kind == "points")
        return PointsRoom(most.points_used, paid)
    why = why_not_so_few(spendable, rules)
    return PointsRoom(refusal=Refused(why.code, **why.data))


def why_not_points(asked: Asked) -> Reason | None:
    if asked.member is None:
        return Reason("MEMBERS_ONLY", {})
    return Reason("POINTS_NOT_AS_CASH", {}) if asked.program.points_as_cash is None else None


def why_not_so_few(points: int, rules: PointsAsCash) -> Reason:
    if points < rules.least_points():
        return Reason("POINTS_TOO_FEW", {"points": points, "least": rules.least_points()})
    return Reason("POINTS_BASKET_TOO_SMALL", {})


def why_not_value(asked: Asked) -> Reason | None:
    if asked.member is None:
        return Reason("MEMBERS_ONLY", {})
    return Reason("NO_STORED_VALUE", {}) if asked.program.stored_value is None else None


def _value(asked: Asked, total_minor: int) -> ValueRoom:
    """Return what stored value there is, and what of it pays, as far as this card and this shop may."""
    member, why = asked.member, why_not_value(asked)
    if member is None or why is not None:
        return ValueRoom(why_not=why)
    room = rights.limit("value_spend", member, asked.trust, asked.rights, asked.program, asked.now)
    if asked.trust == 0:
        return ValueRoom(why_not=room.why)
    principal = members.value(member, PRINCIPAL, asked.now)
    most = principal + members.value(member, BONUS, asked.now)
    balance = sum(members.shown_value(member, pool, asked.now) for pool in (PRINCIPAL, BONUS))
    why = standing.why_not_spend(member, asked.now)
    if why is not None:
        return ValueRoom(balance, why_not=why)
    if rights.stage(asked.rights, asked.program, asked.now) != "online":
        most = min(principal, room.amount or 0)
    if most < balance:
        why = room.why
    usable = min(most, total_minor)
    return ValueRoom(balance, usable, min(asked.basket.value_minor, usable), why)

"""What sales of the past would have cost under other rules: each one priced again, members as they were then.

A member's state is folded from the events as they happened; only the rules for prices and points are new. So
tiers are those that the new rules see in what members really did, and nobody buys otherwise than they did.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

import msgspec

from tapledger.errors import TapledgerError
from tapledger.loyalty import days, members, tallies
from tapledger.loyalty.effects import Tallied
from tapledger.loyalty.facts import SaleFacts, SaleLine
from tapledger.loyalty.ledger import EventBody
from tapledger.loyalty.members import Member
from tapledger.loyalty.money import divide_half_up
from tapledger.loyalty.pricing import Basket, BasketLine, ChosenCoupon, ManualDiscount, Priced, price
from tapledger.loyalty.program import Program
from tapledger.loyalty.sales import shopping
from tapledger.loyalty.sales.tenders import Payer

MICRO = 1_000_000
BY_HAND = ("manual", "points")
"""Kinds of discounts that no rule gives: staff took them off, or points paid that were earned before."""

MemberPrice = Callable[[str], int | None]
"""The member price of an article by its SKU, as the shop has it now."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What rules gave away."""

    points: int = 0
    off_minor: int = 0

    def plus(self, other: Cost) -> Cost:
        return Cost(self.points + other.points, self.off_minor + other.off_minor)

    def minor(self, value: Fraction) -> int:
        """Return it in money, with what a point is worth in minor units."""
        return self.off_minor + divide_half_up(self.points * value.numerator, value.denominator)


@dataclass(slots=True)
class Replay:
    """The sales so far, under the rules of then and under the new ones."""

    program: Program
    member_price: MemberPrice = lambda sku: None
    sales: int = 0
    unpriced: int = 0
    """Sales that the new rules cannot price, such as one with more coupons than they allow."""
    before: Cost = Cost()
    after: Cost = Cost()
    by_member: dict[str, tuple[Cost, Cost]] = field(default_factory=dict)
    _members: dict[str, Member] = field(default_factory=dict)

    def see(self, body: EventBody, *, counts: bool) -> None:
        """Go through one event; ``counts`` says whether its sale is among those compared."""
        member = None
        if body.member is not None:  # one of another shop may first be seen when they buy here
            member = self._members.get(body.member) or Member(body.member, body.at)
        if counts and body.sale is not None and body.kind == "sale":
            self._sale(body, body.sale, member)
        if body.member is not None:
            # What the new rules counted just now stays counted.
            self._members[body.member] = members.fold(self._members.get(body.member), body)

    def _sale(self, body: EventBody, sale: SaleFacts, member: Member | None) -> None:
        try:
            priced = reprice(sale, member, self.program, body, self.member_price)
        except TapledgerError:
            self.unpriced += 1
            return
        then, now = cost_of(sale), _cost(priced)
        self.sales += 1
        self.before, self.after = self.before.plus(then), self.after.plus(now)
        if member is not None:
            old, new = self.by_member.get(member.id, (Cost(), Cost()))
            self.by_member[member.id] = old.plus(then), new.plus(now)
            self._members[member.id] = self._with_flats(member, priced, body)

    def _with_flats(self, member: Member, priced: Priced, body: EventBody) -> Member:
        """Remember what the new rules give once, so that they do not give it again."""
        day = days.local_day(body.at, self.program.zone()).toordinal()
        counted = member.tallies
        for flat in priced.flats:
            counted = tallies.add(counted, Tallied(shopping.FLAT + flat, day, 1))
        return msgspec.structs.replace(member, tallies=counted)


def point_value(program: Program) -> Fraction:
    """Return what a point costs the shop in minor units: as the programme says, or what it pays as cash."""
    if program.point_value_micro:
        return Fraction(program.point_value_micro, MICRO)
    rule = program.points_as_cash
    return Fraction(0) if rule is None else Fraction(rule.unit_minor, rule.unit_points)


def cost_of(sale: SaleFacts) -> Cost:
    """Return what a sale was given, as it was recorded."""
    off = sum(one.amount_minor for one in sale.discounts if one.kind not in BY_HAND)
    return Cost(sale.earned, off + _gifts(sale.lines))


def _cost(priced: Priced) -> Cost:
    off = sum(one.amount_minor for one in priced.discounts if one.kind not in BY_HAND)
    return Cost(priced.earned, off + _gifts(priced.lines))


def _gifts(lines: tuple[SaleLine, ...]) -> int:
    return sum(line.shadow_minor for line in lines)


def reprice(
    sale: SaleFacts, member: Member | None, program: Program, body: EventBody, member_price: MemberPrice
) -> Priced:
    """Price a sale again: the same articles, coupons, codes, points and discounts by hand."""
    who = shopping.shopper(Payer(member), program, body.at)
    if who is not None:
        who = msgspec.structs.replace(who, points_available=sale.points_used)
    basket = Basket(
        lines=tuple(_line(line, member_price) for line in sale.lines if line.kind != "gift"),
        manual=_by_hand(sale),
        coupons=_coupons(sale, member, program),
        codes=_codes(sale, program),
        points=sale.points_used,
    )
    return price(basket, who, shopping.compiled(program), shopping.moment(program, body.at))


def _line(line: SaleLine, member_price: MemberPrice) -> BasketLine:
    return BasketLine(
        sku=line.sku,
        name=line.name,
        quantity_milli=line.quantity_milli,
        unit_minor=line.list_minor or line.unit_minor,
        tax_bp=line.tax_bp,
        category=line.category,
        earns=line.earns,
        member_minor=member_price(line.sku),
        weighed=line.weighed,
        kind=line.kind,
        manual_unit_minor=line.unit_minor if line.list_minor else None,
    )


def _by_hand(sale: SaleFacts) -> ManualDiscount | None:
    given = next((one for one in sale.discounts if one.kind == "manual"), None)
    if given is None:
        return None
    return ManualDiscount(reason="what-if", off_minor=given.amount_minor, approved=True)


def _coupons(sale: SaleFacts, member: Member | None, program: Program) -> tuple[ChosenCoupon, ...]:
    """Return the coupons that were used, by the new terms of their templates, where those still are."""
    templates: Mapping[str, str] = {one.coupon: one.id for one in sale.discounts if one.coupon}
    wallet = {} if member is None else {one.id: one.template for one in member.coupons}
    found = []
    for id_ in sale.coupons:
        template = program.coupon(templates.get(id_) or wallet.get(id_, ""))
        if template is not None:
            found.append(ChosenCoupon(id_, template))
    return tuple(found)


def _codes(sale: SaleFacts, program: Program) -> frozenset[str]:
    used = {one.id for one in sale.discounts}
    return frozenset(one.code for one in program.promotions if one.code and one.id in used)

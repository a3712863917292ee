"""Opening a basket and the discounts that are no promotions: lane 1, what staff take off, points as cash."""

from __future__ import annotations

from collections.abc import Sequence

from tapledger.errors import Invalid, Refused
from tapledger.loyalty import money
from tapledger.loyalty.facts import Discount, Reason
from tapledger.loyalty.pricing.amounts import share, share_by
from tapledger.loyalty.pricing.basket import (
    MAX_LINES,
    MAX_QUANTITY_MILLI,
    BasketLine,
    ManualDiscount,
    Shopper,
)
from tapledger.loyalty.pricing.compiled import Compiled, Standing
from tapledger.loyalty.program.prices import PointsAsCash
from tapledger.loyalty.promotions.protocol import Slate


def open_slate(lines: Sequence[BasketLine]) -> Slate:
    """Check a basket's lines and reckon what they cost before any discount (L0)."""
    if len(lines) > MAX_LINES:
        raise Invalid("BASKET_TOO_LONG", limit=MAX_LINES)
    gross, milli, goods = [], [], []
    for number, line in enumerate(lines):
        quantity = line.quantity_milli
        if not 0 < quantity <= MAX_QUANTITY_MILLI:
            raise Invalid("QUANTITY_IMPOSSIBLE", sku=line.sku)
        unit = line.unit_minor if line.manual_unit_minor is None else line.manual_unit_minor
        if not 0 <= unit <= money.MAX_AMOUNT_MINOR or not 0 <= line.tax_bp <= 10_000:
            raise Invalid("AMOUNT_IMPOSSIBLE", sku=line.sku)
        price = (unit * quantity + 500) // 1000
        gross.append(price)
        milli.append(quantity)
        if price and not line.kind:
            goods.append(number)
    if sum(gross) > money.MAX_AMOUNT_MINOR:
        raise Invalid("AMOUNT_TOO_LARGE")
    return Slate(lines, gross, milli, goods, gross.copy())


def lane_one(slate: Slate, lines: Sequence[BasketLine], standing: Standing, currency: str) -> list[Discount]:
    """Take off member prices and the tier's discount: of each line the better one, a tie to the member price.

    Both are compared unrounded; the sum of what was chosen is rounded once, half-up, and shared.
    """
    rate, scale = standing.discount_bp, 10_000_000
    chosen: list[int] = []
    exact: list[int] = []
    by_price: set[int] = set()
    for i in slate.goods:
        line = lines[i]
        if line.manual_unit_minor is not None:
            continue
        by_tier, by_member = slate.gross[i] * rate * 1000, -1
        if line.member_minor is not None:
            by_member = (slate.gross[i] * 1000 - line.member_minor * line.quantity_milli) * 10_000
        if by_member > 0 and by_member >= by_tier:
            by_price.add(i)
        elif by_tier <= 0:
            continue
        chosen.append(i)
        exact.append(max(by_member, by_tier))
    if not chosen:
        return []
    amount = money.divide_half_up(sum(exact), scale)
    if not amount:
        return []
    left = slate.left
    slate.left_total -= amount
    shares = share_by(exact, [left[i] for i in chosen], amount)
    taken = {i: part for i, part in zip(chosen, shares, strict=True) if part}
    for i, part in taken.items():
        left[i] -= part
    member = {i: part for i, part in taken.items() if i in by_price}
    tier = {i: part for i, part in taken.items() if i not in by_price}
    found = []
    if member:
        found.append(_member_price(slate, member, currency))
    if tier:
        found.append(_tier_discount(slate, tier, standing, currency))
    return found


def _member_price(slate: Slate, shares: dict[int, int], currency: str) -> Discount:
    amount, basis = sum(shares.values()), sum(slate.gross[i] for i in shares)
    reason = Reason(
        "DISCOUNT_MEMBER_PRICE", {"basis_minor": basis, "amount_minor": amount, "currency": currency}
    )
    return Discount("member_price", "member_price", 1, amount, shares, reason)


def _tier_discount(slate: Slate, shares: dict[int, int], standing: Standing, currency: str) -> Discount:
    amount, basis = sum(shares.values()), sum(slate.gross[i] for i in shares)
    reason = Reason(
        "DISCOUNT_TIER",
        {
            "tier": standing.id,
            "basis_minor": basis,
            "rate_bp": standing.discount_bp,
            "rounding_bp": amount * 10_000 - basis * standing.discount_bp,
            "amount_minor": amount,
            "currency": currency,
        },
    )
    return Discount("tier", "tier", 1, amount, shares, reason)


def take_evenly(slate: Slate, amount: int) -> dict[int, int]:
    """Take an amount off all goods by what is left of each; return the shares that are not 0."""
    left, goods = slate.left, slate.goods
    parts = share(left, goods, slate.left_total, amount)
    shares = {i: part for i, part in zip(goods, parts, strict=True) if part}
    for i, part in shares.items():
        left[i] -= part
    slate.left_total -= amount
    return shares


def manual_discount(slate: Slate, manual: ManualDiscount, compiled: Compiled) -> Discount | None:
    """Take off what staff chose to, first in lane 3; refuse more than their limit without a manager (X7)."""
    if not manual.reason:
        raise Invalid("MANUAL_REASON_MISSING")
    ways = (manual.off_minor, manual.rate_bp, manual.down_to_minor)
    if sum(1 for way in ways if way) != 1 or min(ways) < 0 or manual.rate_bp > 10_000:
        raise Invalid("MANUAL_DISCOUNT_IMPOSSIBLE")
    left = slate.left_total
    if manual.down_to_minor:
        wanted = left % manual.down_to_minor
    else:
        wanted = manual.off_minor or compiled.rounded(left * manual.rate_bp, 10_000)
    amount = min(wanted, left)
    limit = compiled.rounded(left * compiled.money.manual_discount_max_bp, 10_000)
    if amount > limit and not manual.approved:
        raise Refused("MANUAL_DISCOUNT_LIMIT", limit_minor=limit, currency=compiled.currency)
    if not amount:
        return None
    shares = take_evenly(slate, amount)
    reason = Reason(
        "DISCOUNT_MANUAL",
        {
            "why": manual.reason,
            "basis_minor": left,
            "amount_minor": amount,
            "currency": compiled.currency,
        },
    )
    return Discount("manual", "manual", 3, amount, shares, reason)


def points_applied(rule: PointsAsCash, requested: int, available: int, payable_minor: int) -> int:
    """Return how many points pay: whole units only, never more than the money needs (loyalty.md 3.9)."""
    if payable_minor < rule.min_basket_minor:
        return 0
    fitting = payable_minor * rule.max_pct // 100 // rule.unit_minor * rule.unit_points
    applied = min(requested, available, fitting)
    if rule.max_points is not None:
        applied = min(applied, rule.max_points)
    applied -= applied % rule.unit_points
    return applied if applied >= rule.least_points() else 0


def pay_with_points(
    slate: Slate, requested: int, shopper: Shopper | None, compiled: Compiled
) -> tuple[Discount | None, int]:
    """Take off what points pay (L4); deposits are always paid with money."""
    if requested < 0:
        raise Invalid("POINTS_IMPOSSIBLE")
    rule = compiled.points_as_cash
    if not requested or shopper is None or rule is None:
        return None, 0
    payable = slate.left_total
    points = points_applied(rule, requested, shopper.points_available, payable)
    if not points:
        return None, 0
    amount = points // rule.unit_points * rule.unit_minor
    shares = take_evenly(slate, amount)
    reason = Reason(
        "DISCOUNT_POINTS",
        {
            "points": points,
            "requested": requested,
            "basis_minor": payable,
            "unit_points": rule.unit_points,
            "unit_minor": rule.unit_minor,
            "amount_minor": amount,
            "currency": compiled.currency,
        },
    )
    return Discount("points", "points", 4, amount, shares, reason), points

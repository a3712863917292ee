"""What the tests of pricing start from: short ways to write programmes, baskets and members."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from tapledger.loyalty.pricing import (
    Basket,
    BasketLine,
    ChosenCoupon,
    Compiled,
    Moment,
    Priced,
    Shopper,
    price,
)
from tapledger.loyalty.program import Tier
from tapledger.loyalty.program.earning import Earning
from tapledger.loyalty.program.prices import Money
from tapledger.loyalty.promotions import Benefit, Promotion

NOON = dt.datetime(2026, 5, 4, 4, 0, tzinfo=dt.UTC)
"""12:00 of Monday, 4 May 2026 in Shanghai."""
NOW = Moment(NOON)
MEMBER = Shopper("m-1", "normal")
NORMAL = Tier("normal", {"en": "Member"})


def rules(
    *promotions: Promotion,
    tiers: Sequence[Tier] = (NORMAL,),
    currency: str = "CNY",
    earning: Earning | None = None,
    money: Money | None = None,
    **more: Any,
) -> Compiled:
    return Compiled(
        currency=currency,
        zone=ZoneInfo("Asia/Shanghai"),
        tiers=tiers,
        promotions=promotions,
        earning=earning,
        money=money,
        **more,
    )


def line(unit_minor: int, quantity_milli: int = 1000, category: str = "goods", **more: Any) -> BasketLine:
    sku = more.pop("sku", f"{category}-{unit_minor}")
    return BasketLine(sku, sku, quantity_milli, unit_minor, more.pop("tax_bp", 0), category, **more)


def of(*units_minor: int) -> tuple[BasketLine, ...]:
    """Return one line for each price."""
    return tuple(line(unit, sku=f"s{number}") for number, unit in enumerate(units_minor))


def promotion(id_: str, benefit: Benefit, **terms: Any) -> Promotion:
    return Promotion(id_, benefit, **terms)


def coupon(terms: Promotion, id_: str = "", expires_at: dt.datetime | None = None) -> ChosenCoupon:
    return ChosenCoupon(id_ or f"coupon-{terms.id}", terms, expires_at)


def priced(
    lines: Sequence[BasketLine],
    compiled: Compiled,
    shopper: Shopper | None = MEMBER,
    moment: Moment = NOW,
    **basket: Any,
) -> Priced:
    return price(Basket(tuple(lines), **basket), shopper, compiled, moment)


def nets(sale: Priced) -> list[int]:
    return [one.net_minor for one in sale.lines]


def off(sale: Priced) -> list[int]:
    return [one.amount_minor for one in sale.discounts]


def shares(sale: Priced, place: int = 0) -> list[int]:
    """Return what one discount took off each line."""
    return [sale.discounts[place].shares.get(number, 0) for number in range(len(sale.lines))]


def codes(sale: Priced) -> list[str]:
    """Return the codes of all reasons: of the discounts, then of the points, then of what was left out."""
    return [
        *(one.reason.code for one in sale.discounts),
        *(one.code for one in sale.reasons),
        *(one.reason.code for one in sale.left_out),
    ]

"""Pricing: what a basket costs and earns for this member now, exactly and with every reason.

``compile_program`` once for a programme, ``price`` for each quote. Paying goes through ``with_tenders``;
returns run ``reckon`` on what is kept. ``best`` chooses the coupons. Nothing here knows a clock or a store.
"""

from __future__ import annotations

from tapledger.loyalty.pricing.basket import (
    MAX_LINES,
    MAX_QUANTITY_MILLI,
    Basket,
    BasketLine,
    ChosenCoupon,
    LeftOut,
    ManualDiscount,
    Moment,
    Priced,
    Shopper,
)
from tapledger.loyalty.pricing.combination import Best, RuleCost, best
from tapledger.loyalty.pricing.compiled import Compiled, compile_program
from tapledger.loyalty.pricing.earning import Earned, earn, reckon
from tapledger.loyalty.pricing.hints import Hint
from tapledger.loyalty.pricing.lanes import points_applied
from tapledger.loyalty.pricing.pipeline import price
from tapledger.loyalty.pricing.tenders import earn_again, paid_shares, with_tenders

__all__ = [
    "MAX_LINES",
    "MAX_QUANTITY_MILLI",
    "Basket",
    "BasketLine",
    "Best",
    "ChosenCoupon",
    "Compiled",
    "Earned",
    "Hint",
    "LeftOut",
    "ManualDiscount",
    "Moment",
    "Priced",
    "RuleCost",
    "Shopper",
    "best",
    "compile_program",
    "earn",
    "earn_again",
    "paid_shares",
    "points_applied",
    "price",
    "reckon",
    "with_tenders",
]

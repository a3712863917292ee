"""What pricing is asked, and what it answers: values only."""

from __future__ import annotations

import datetime as dt

import msgspec

from tapledger.loyalty.facts import Discount, EarnFacts, Reason, SaleLine
from tapledger.loyalty.promotions import Promotion

MAX_LINES = 500
MAX_QUANTITY_MILLI = 10_000_000
MAX_COUPONS_OFFERED = 500
"""Of one basket; a wallet is not longer."""
MAX_CODES = 20


class BasketLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """One article in the basket."""

    sku: str
    name: str
    quantity_milli: int
    unit_minor: int
    """List price of 1000 thousandths, in the programme's tax mode."""
    tax_bp: int
    category: str
    earns: bool = True
    member_minor: int | None = None
    """Price of 1000 thousandths for members."""
    weighed: bool = False
    """Sold by weight or length: it has no whole pieces to give or to bundle."""
    kind: str = ""
    """Empty for goods, ``deposit`` for what is refundable (X6)."""
    manual_unit_minor: int | None = None
    """Price of 1000 thousandths that staff set by hand; no member price or tier discount goes on top (X7)."""


class ManualDiscount(msgspec.Struct, frozen=True, omit_defaults=True):
    """What staff take off the whole order: exactly one of the three ways, and why."""

    reason: str
    """Code of the shop's list of reasons."""
    off_minor: int = 0
    rate_bp: int = 0
    down_to_minor: int = 0
    """Down to a multiple of this: 抹零."""
    approved: bool = False
    """By a manager: the staff limit does not hold."""


class ChosenCoupon(msgspec.Struct, frozen=True):
    """A coupon that is to be used: its own id, its template's terms and its end."""

    id: str
    promotion: Promotion
    expires_at: dt.datetime | None = None


class Basket(msgspec.Struct, frozen=True):
    lines: tuple[BasketLine, ...]
    manual: ManualDiscount | None = None
    coupons: tuple[ChosenCoupon, ...] = ()
    codes: frozenset[str] = frozenset()
    """Promotion codes that somebody gave."""
    points: int = 0
    """How many points the member wants to pay with."""


class Shopper(msgspec.Struct, frozen=True):
    """What prices and points depend on of a member; no name, no balance beyond what they can spend."""

    id: str
    tier: str
    segments: frozenset[str] = frozenset()
    campaigns: frozenset[str] = frozenset()
    """Campaigns whose audience they belong to and are not held out of."""
    birthday: bool = False
    """Inside the programme's birthday window now."""
    points_available: int = 0
    earned_today: int = 0
    """Points of sales of this local day, for the cap per member and day."""
    flats_taken: frozenset[str] = frozenset()
    """Flats that may not be given again in their period."""


class Moment(msgspec.Struct, frozen=True):
    """What prices depend on besides basket and member."""

    now: dt.datetime
    """UTC instant."""
    open_windows: frozenset[str] = frozenset()
    """Ids of the programme's windows that are open now."""
    budget_left: int | None = None
    """What is left of ``earning.campaign_budget``, or of this shop's slice of it."""


class LeftOut(msgspec.Struct, frozen=True):
    """A coupon or code that was asked for and does nothing here, and why."""

    id: str
    reason: Reason


class Priced(msgspec.Struct, frozen=True):
    """What a basket costs and earns, with every reason. Discounts carry their own."""

    lines: tuple[SaleLine, ...]
    """Those of the basket in its order, then gifts."""
    discounts: tuple[Discount, ...]
    """In the order in which they were applied."""
    total_minor: int
    tax_minor: int
    earned: int
    earn: EarnFacts
    reasons: tuple[Reason, ...]
    """Of the points."""
    points_used: int = 0
    coupons: tuple[str, ...] = ()
    """Ids of the coupons that did something and are to be redeemed."""
    left_out: tuple[LeftOut, ...] = ()
    bonus_points: int = 0
    """Of the earned: what multipliers and flats gave, for the campaign budget."""
    flats: tuple[str, ...] = ()
    """Ids of the flats that were given, for their periods."""

    def saved_minor(self) -> int:
        """Return what promotions and coupons took off, gifts at what they would have cost."""
        off = sum(d.amount_minor for d in self.discounts if d.lane in (2, 3) and d.kind != "manual")
        return off + sum(line.shadow_minor for line in self.lines)

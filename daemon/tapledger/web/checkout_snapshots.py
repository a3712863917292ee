"""What a till shows of a basket beside its lines: coupons, points, stored value, reasons, and returns."""

from __future__ import annotations

import msgspec


class Problem(msgspec.Struct, frozen=True):
    """Something refused: a code for machines, a sentence and the next step for the person in front of it."""

    code: str
    sentence: str
    next_step: str


class LineDiscount(msgspec.Struct, frozen=True):
    """One thing that made a line cheaper."""

    title: str
    """Name of the promotion or coupon; empty where the sentence says it all."""
    sentence: str
    amount: str


class TillCoupon(msgspec.Struct, frozen=True):
    """A coupon of the member, or one that was scanned."""

    number: int
    """Toggles it: ``POST /api/till/coupon``."""
    title: str
    last_day: str | None
    saves: str | None
    """What it takes off alone; null when it takes nothing off this basket."""
    chosen: bool
    why_not: str | None


class CouponChooser(msgspec.Struct, frozen=True):
    coupons: list[TillCoupon]
    more: int
    """How many others cannot be used and are not listed."""
    automatic: bool
    """The best combination is chosen by itself."""
    better: str | None
    """How much more the best combination would take off than the cashier's choice."""
    notes: list[str]
    """What rules of exclusion cost, and what little more would reach."""


class PointsAsCash(msgspec.Struct, frozen=True):
    usable: int
    pays: str
    """What all usable points pay."""
    used: int
    why_not: str | None
    asks_tail: bool = False
    """The last digits of their phone number let them pay: ``POST /api/till/step-up``."""


class TopUpRow(msgspec.Struct, frozen=True):
    pay: str
    pay_minor: int
    bonus: str


class TopUp(msgspec.Struct, frozen=True):
    """Rows of the bonus table; with an amount asked for, what it brings."""

    rows: list[TopUpRow]
    amount: str | None = None
    amount_minor: int = 0
    bonus: str | None = None
    after: str | None = None


class StoredValue(msgspec.Struct, frozen=True):
    balance: str | None
    usable: str
    usable_minor: int
    used: str | None
    why_not: str | None
    top_up: TopUp | None
    """Null where the programme has no stored value, or nobody is served."""


class WhyNot(msgspec.Struct, frozen=True):
    title: str
    why: str


class Why(msgspec.Struct, frozen=True):
    """Every number in sentences: of the basket, and of the last receipt."""

    quote: list[str]
    not_now: list[WhyNot]
    """Coupons and rewards that cannot be had now."""
    last_receipt: str
    last: list[str]


class ReceiptRow(msgspec.Struct, frozen=True):
    number: int
    receipt: str
    at: str
    """hh:mm of today, else the ISO date."""
    total: str


class ReturnLine(msgspec.Struct, frozen=True):
    number: int
    name: str
    sold: str
    left: str
    """How much of it has not come back yet."""
    chosen: str
    total: str


class Paid(msgspec.Struct, frozen=True):
    tender: str
    amount: str


class ReturnSale(msgspec.Struct, frozen=True):
    """A sale of which something comes back, and what that would do."""

    receipt: str
    at: str
    total: str
    lines: list[ReturnLine]
    void: bool
    """The whole sale is undone instead."""
    can_void: bool
    reason: str
    shop_fault: bool
    refund: str | None
    """Null while nothing is chosen."""
    refund_minor: int | None
    tenders: list[Paid]
    points_taken: int
    points_given: int
    problem: Problem | None


class Return(msgspec.Struct, frozen=True):
    recent: list[ReceiptRow]
    """The newest first, while no sale is chosen."""
    sale: ReturnSale | None = None

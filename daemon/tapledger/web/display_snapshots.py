"""What the customer may see beside the till: their own basket, never a number that tells who they are."""

from __future__ import annotations

import msgspec

from tapledger.languages import Language


class DisplayLine(msgspec.Struct, frozen=True):
    name: str
    """Of a sensitive article: that there is one."""
    quantity: str
    total: str
    gross: str | None
    """Before its discounts, when there are any."""


class PaidSale(msgspec.Struct, frozen=True):
    """The sale that was just paid; gone some seconds later."""

    total: str
    change: str | None
    earned_points: int
    receipt: str
    receipt_svg: str
    """Its number and proof as a QR code, the same as on paper."""


class Display(msgspec.Struct, frozen=True):
    language: Language
    shop: str
    simulated: bool
    member: str | None
    """Masked; empty for a member without a name."""
    lines: list[DisplayLine]
    """All; a page shows the newest."""
    due: str
    saved: str | None
    """Everything taken off, points as cash left out."""
    earn_points: int
    hint: str | None
    """What is missing for something cheaper, in one sentence."""
    paid: PaidSale | None = None

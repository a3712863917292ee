"""Stored value and what comes back of a sale (loyalty.md sections 3.12b and 3.13)."""

from __future__ import annotations

from typing import Literal

import msgspec

from tapledger.loyalty import money
from tapledger.loyalty.days import Expiry


class TopUpRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pay_minor: int
    bonus_minor: int = 0
    bonus_bp: int = 0
    """Instead of a fixed bonus: a share of what is paid."""
    every: bool = False
    """The bonus once for each full ``pay_minor``; else once."""

    def bonus(self, paid_minor: int) -> int:
        """Return what it adds to a top-up of at least ``pay_minor`` > 0."""
        if self.bonus_bp:
            return money.divide_half_up(paid_minor * self.bonus_bp, 10_000)
        return self.bonus_minor * (paid_minor // self.pay_minor if self.every else 1)


class StoredValue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    spend_order: Literal["proportional", "principal_first", "bonus_first"] = "proportional"
    top_up: list[TopUpRow] = []
    bonus_expiry: Expiry = Expiry()
    max_balance_minor: int | None = None
    max_top_up_minor: int | None = None
    close_fee_minor: int = 0
    offline_top_up_per_day_minor: int | None = None


class Returns(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    clawback: Literal["as_if", "proportional"] = "as_if"
    negative: Literal["deficit", "clamp"] = "deficit"
    restore_expired: Literal["expire_at_once", "grace_days"] = "expire_at_once"
    grace_days: int = 0
    shop_fault_grace_days: int = 30
    tenders: Literal["bonus_first", "external_first"] = "bonus_first"
    window_days: int = 7
    """In which a return may be made, a late credit asked for, and a referral is not yet certain."""
    restore_coupons_days: int = 0
    """Grace for a coupon that a full return gives back after its expiry."""

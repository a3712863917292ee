"""Coupon templates: promotions that are issued one by one and have a life of their own (section 3.11)."""

from __future__ import annotations

import datetime as dt

from tapledger.loyalty.promotions.promotion import Promotion


class Template(Promotion, frozen=True, forbid_unknown_fields=True):
    """``[[coupons]]`` of the programme. A ``code`` is a public one: anybody may use it without a coupon."""

    valid_days: int | None = None
    """Whole local days after the day of issue; null is until ``valid_to``."""
    valid_from: dt.datetime | None = None
    """Local time; before it the coupon is shown and cannot be used."""
    valid_to: dt.datetime | None = None
    """Local time; the first instant at which it is worth nothing. With ``valid_days`` the earlier counts."""
    per_member: int | None = None
    """How many a member may be issued in all; of a public code, how often they may use it."""
    total: int | None = None
    """How many this shop may issue in all; of a public code, how often it may be used here."""
    claimable: bool = False
    """Members may put the public code's coupon into their wallet instead of using the code at once."""
    max_value_minor: int | None = None
    """What a signed coupon says it takes off at most, for shops that cannot ask."""

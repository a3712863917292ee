"""What a member has beside points and cards: coupons, entitlements, and what they agreed to."""

from __future__ import annotations

import datetime as dt

import msgspec


class Coupon(msgspec.Struct, frozen=True, omit_defaults=True):
    """One coupon in a member's wallet."""

    id: str
    template: str
    issued_at: dt.datetime
    expires_at: dt.datetime | None
    """First instant at which it is worth nothing."""
    valid_from: dt.datetime | None = None
    state: str = "issued"
    """``issued``, ``held``, ``redeemed``, ``void`` or ``expired``."""
    sale: str = ""
    """The sale that holds or redeemed it."""
    until: dt.datetime | None = None
    """End of the hold."""
    source: str = ""
    """The trigger, campaign, reward or staff member that issued it."""
    node: str = ""
    """Where alone it can be redeemed offline; empty is anywhere online."""
    code: str = ""
    """Index of its printed code, when it has one."""


class Grant(msgspec.Struct, frozen=True, omit_defaults=True):
    """An entitlement that this member was given or bought, beside those of their tier."""

    id: str
    entitlement: str
    uses: int | None
    """How often in all; null is without limit."""
    until: dt.datetime | None
    source: str = ""


class Consent(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a member said about one purpose, and which statement they had seen when they said it (R20)."""

    purpose: str
    granted: bool
    text_version: str
    at: dt.datetime
    channel: str
    seen: str = ""
    """Id of the statement they had before; empty when none."""
    id: str = ""

"""Joining, referral, birthdays, check-in, missions, games and entitlements, as the programme gives them."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

import msgspec

from tapledger.loyalty.conditions import Condition, Names
from tapledger.loyalty.days import BirthdayWindow, LeapDay, LimitWindow


class Limit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """At most ``times`` in a window of local days."""

    times: int
    window: LimitWindow = "lifetime"
    days: int = 0
    """Of a ``rolling`` window, today included."""


class Gain(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What somebody gets for something: points, a coupon, an entitlement, growth; by tier where given."""

    points: int = 0
    coupon: str = ""
    entitlement: str = ""
    growth: int = 0
    gift: str = ""
    """Id of a reward without a price, handed over here and now; its stock counts."""


class Membership(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    gate: Literal["open", "single_spend", "cumulative_spend"] = "open"
    gate_minor: int = 0
    """What must have been spent before a card is free to have."""
    restore_window_days: int = 30
    welcome: Gain = Gain()
    staff_points_per_day: int = 1000
    """What one person of the staff may give or take by hand a day; above it a second one agrees (R36)."""
    phone_prefix: Annotated[str, msgspec.Meta(pattern=r"^(\+[1-9]\d{0,3})?$")] = ""
    """Of the country, such as ``+86``: with it and without it a number is the same member's."""
    phone_trunk: Annotated[str, msgspec.Meta(pattern=r"^\d{0,2}$")] = ""
    """What stands before a number at home in place of the prefix, such as ``0`` in Japan."""


class Referral(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    referrer: Gain = Gain()
    referee: Gain = Gain()
    join_points: int = 0
    """For the referrer at once when somebody joins."""
    min_sale_minor: int = 1
    per_month: int | None = None
    kiosk_joins_per_hour: int = 5
    """More of one referrer's referees joining at a kiosk within an hour wait for a look."""


class Birthday(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    window: BirthdayWindow = "day"
    days: int = 0
    """With ``days``: so many before and after."""
    leap_day: LeapDay = "feb28"
    gain: Gain = Gain()
    """Once a year, at the first tap inside the window."""
    change_wait_days: int = 30
    change_every_days: int = 365


class Gift(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    tier: str
    gain: Gain


class Streak(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    days: int
    gain: Gain


class CheckIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    gain: Gain = Gain()
    gifts: list[Gift] = []
    """The row of the member's tier; without one, none."""
    streaks: list[Streak] = []


class Mission(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    name: Names
    metric: Literal["visits", "spend", "check_ins", "referrals"]
    at_least: int
    days: int
    """Inside so many days."""
    gain: Gain
    when: Condition = Condition()
    repeat: Limit = Limit(1)


class Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    text: Names
    answers: list[Names]
    right: int | None = None
    """Of a quiz: the number of the right answer, from 0."""


class Survey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A survey gives its gain once; a quiz gives points for each right answer, one attempt."""

    id: str
    name: Names
    questions: list[Question]
    gain: Gain = Gain()
    points_per_right: int = 0
    when: Condition = Condition()


class Share(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Points for what members do outside the shop, once it was approved."""

    id: str
    name: Names
    points: int
    limit: Limit = Limit(1, "day")


class Entitlement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A right that is used by a tap: lounge, parking minutes, early access, a named adviser."""

    id: str
    name: Names
    kind: Literal["access", "amount", "flag"] = "access"
    """``access``: one use a tap; ``amount``: so many units a period; ``flag``: only shown to staff."""
    units: int = 1
    """Of ``amount``: how many a period, such as parking minutes."""
    limit: Limit | None = None
    when: Condition = Condition()
    skus: list[str] = []
    """Early access: articles that only its holders may buy before ``public_from``."""
    public_from: dt.datetime | None = None
    partner: str = ""


class Prize(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    name: Names
    weight: int
    gain: Gain = Gain()
    stock: int | None = None


class Lottery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    name: Names
    cost_points: int
    prizes: list[Prize]
    fallback: str
    """The prize that stands in for one that is out of stock."""
    commit: str = ""
    """SHA-256 of the seed in hex; without it this shop makes its own seed and publishes its commit."""
    when: Condition = Condition()
    limit: Limit | None = None


class Campaign(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A targeted benefit with a group held out, so that its effect can be measured."""

    id: str
    name: Names
    segments: list[str] = []
    holdout_pct: int = 0
    gain: Gain = Gain()
    trigger: Literal["tap", "join", "sleeping", "tier", "none"] = "none"
    tier: str = ""
    sleeping_months: int = 3
    when: Condition = Condition()
    budget_points: int | None = None


class Partner(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Points of another programme: ``out_from`` of ours become ``out_to`` of theirs; ``in`` the other way."""

    id: str
    name: Names
    out_from: int
    out_to: int
    in_from: int
    in_to: int
    price_minor: int
    """What one of our points is settled at between the shops."""
    overdraft: Literal["allow", "deny"] = "deny"
    expiry_days: int | None = None


class Faq(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A question that members ask, and its answer, as the kiosk shows them."""

    question: Names
    answer: Names


class Offline(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far a shop may go while central cannot be reached (R6 to R8, R19).

    ``unsettled_points`` of the programme is c, what one member may have without a lease.
    """

    node_points: int = 20_000
    """Q: the same of all members together."""
    full_hours: int = 24
    """Since the last complete feed: quota and leases; leases only until ``lease_hours``; then earn only."""
    lease_hours: int = 72
    coupon_max_minor: int = 3000
    """A plain code that nobody else can vouch for is worth at most so much."""
    coupon_shift_max_minor: int = 10_000
    lease_share_pct: int = 20
    """Of a balance: set aside for a shop that saw the member in the last 30 days, to be spent there alone."""
    lease_cap_points: int = 1000
    """The most points that are set aside for one shop so; 0 is none."""
    lease_cap_minor: int = 10_000
    """The same of stored value."""

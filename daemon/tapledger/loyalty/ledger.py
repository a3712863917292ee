"""One command makes one event: double-entry lines that sum to zero per unit, and what it changes of a member.

``EventBody`` is what a decision posts. The journal adds who recorded it (node, epoch, seq, hlc) and seals it.
A command that touches two members posts an event for each, through a transfer account that ends at zero.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import msgspec

from tapledger.loyalty.effects import Credential, Effect, Linked
from tapledger.loyalty.facts import Reason, ReturnFacts, SaleFacts

POINT = "POINT"
"""The unit of points; every other unit is an ISO 4217 currency in minor units."""

PROGRAM_POINTS = "program/points"
SALES = "sales"
TAX = "tax"
BONUS_COST = "program/bonus"
"""What the shop gave away as stored-value bonus."""
FORFEITED = "program/forfeited"
"""Stored value that lapsed or was given up: income, by its own rules."""
ROUNDING = "rounding"
DEPOSITS = "deposits"
"""Bottle deposits: taken with a sale, paid out when the bottle comes back (X6)."""


KINDS = frozenset(
    {
        # joining and cards
        "join", "link", "block", "unblock", "replace", "card_limit",
        # money and points
        "sale", "void", "return", "late_credit", "hold", "fulfil", "release", "grant", "expire", "topup",
        "topup_void", "close_card", "partner_out", "partner_in",
        # what a shop may spend by itself
        "lease", "lease_recall", "lease_close", "lease_share",
        "stock_back", "stock_write_off",
        # tiers and coupons
        "tier", "review", "coupon", "claim", "coupon_void",
        # what members do
        "checkin", "birthday_gift", "mission", "survey", "draw", "share", "use", "referral", "benefit",
        "campaign", "feedback",
        # the membership itself
        "profile", "birthday", "consent", "referrer", "freeze", "unfreeze", "cancel", "restore", "lapse",
        "merge_out", "merge_in", "unmerge_out", "unmerge_in", "erase", "tag",
    }
)  # fmt: skip
"""Every command that posts an event."""

MOVES = frozenset({"merge_out", "merge_in", "unmerge_out", "unmerge_in"})
"""Kinds that only hand on what a member has: nothing is given out or taken back by them."""


def member_points(member: str) -> str:
    return f"member/{member}/points"


def member_held(member: str) -> str:
    return f"member/{member}/held"


def member_leased(member: str, node: str) -> str:
    """Return the account of what a node may spend of a member's: points, and stored value as what is owed."""
    return f"member/{member}/leased/{node}"


def member_value(member: str, pool: str) -> str:
    """Return the account of a member's stored value: pool ``principal`` or ``bonus``.

    It is what the shop owes, so like sales it grows by negative amounts: paying with it is a positive line.
    """
    return f"member/{member}/{pool}"


def tender_account(kind: str) -> str:
    return f"tender/{kind}"


def transfer_account(transfer: str) -> str:
    """Return the account between two members of one merge or gift; it ends at zero."""
    return f"transfer/{transfer}"


class Line(msgspec.Struct, frozen=True, gc=False):
    """One posting: a signed amount of a unit on an account."""

    account: str
    unit: str
    amount: int


def points_given(member: str, points: int) -> tuple[Line, ...]:
    """Return the lines of points that the programme gives a member, or takes when below 0; none for 0."""
    if not points:
        return ()
    return Line(member_points(member), POINT, points), Line(PROGRAM_POINTS, POINT, -points)


def is_balanced(lines: Iterable[Line]) -> bool:
    """Tell whether the lines sum to zero in every unit."""
    sums: dict[str, int] = {}
    for line in lines:
        sums[line.unit] = sums.get(line.unit, 0) + line.amount
    return not any(sums.values())


class EventBody(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """The content of one event. Fields that a kind does not use keep their empty value."""

    kind: str
    """The command: one of ``KINDS``."""
    at: dt.datetime
    program: str
    """Version of the programme it was decided by."""
    member: str | None = None
    lines: tuple[Line, ...] = ()
    effects: tuple[Effect, ...] = ()
    sale: SaleFacts | None = None
    returned: ReturnFacts | None = None
    reasons: tuple[Reason, ...] = ()
    facts: dict[str, int | str] = {}
    """What the command was about, where no field above says it: a draw's nonce, a survey's answers."""
    staff: str | None = None
    trust: int | None = None
    evidence: str = ""
    """What the trust level rests on, as the driver reported it."""
    profile_digest: str | None = None
    """SHA-256 of the sealed personal data that travels beside the ledger."""


def linked(body: EventBody) -> tuple[Credential, ...]:
    """Return the credentials that an event gives its member."""
    return tuple(effect.credential for effect in body.effects if isinstance(effect, Linked))

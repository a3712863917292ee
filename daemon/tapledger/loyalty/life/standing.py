"""What a member's status lets them do: one rule for points, coupons, stored value and rewards (3.20).

Who is frozen earns, but what they earn waits; who has left, was merged or erased neither earns nor spends.
"""

from __future__ import annotations

import datetime as dt

from tapledger.errors import Refused
from tapledger.loyalty.facts import Reason
from tapledger.loyalty.members import Member

ACTIVE = "active"
FROZEN = "frozen"
CANCELLED = "cancelled"
MERGED = "merged"
ERASED = "erased"

WHEN_UNFROZEN = dt.datetime(9999, 1, 2, tzinfo=dt.UTC)
"""When points of a frozen member become available. Not ``gains.FAR``: that waits for another decision."""


def why_not_spend(member: Member, now: dt.datetime) -> Reason | None:
    """Return why a member may spend nothing now, points, coupons, stored value or rewards; else None."""
    if member.status == FROZEN:
        return Reason("MEMBER_FROZEN", {})
    return why_not_earn(member, now)


def why_not_earn(member: Member, now: dt.datetime) -> Reason | None:
    """Return why nothing can be given to a member now; None when it can, a frozen one's waiting."""
    if member.status == CANCELLED:
        return Reason("MEMBER_CANCELLED", {})
    if member.status == MERGED:
        return Reason("MEMBER_MERGED", {})
    if member.status == ERASED:
        return Reason("MEMBER_ERASED", {})
    return None


def check_spend(member: Member, now: dt.datetime) -> None:
    """Refuse what would spend anything of a member who may not."""
    _refuse(why_not_spend(member, now))


def check_earn(member: Member, now: dt.datetime) -> None:
    """Refuse what would give or change anything of a member who is one no more."""
    _refuse(why_not_earn(member, now))


def _refuse(why: Reason | None) -> None:
    if why is not None:
        raise Refused(why.code, **why.data)


def credit_available_at(member: Member, now: dt.datetime, planned: dt.datetime | None = None) -> dt.datetime:
    """Return when points given now become available: ``planned`` or now, or once the member is unfrozen."""
    return WHEN_UNFROZEN if member.status == FROZEN else planned or now

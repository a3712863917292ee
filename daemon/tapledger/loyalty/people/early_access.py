"""Early access: articles that only the holders of a right may buy before their public date."""

from __future__ import annotations

import datetime as dt

from tapledger.loyalty import days, eligibility
from tapledger.loyalty.facts import Reason
from tapledger.loyalty.members import Member
from tapledger.loyalty.people import entitlements
from tapledger.loyalty.program import Program


def why_not(member: Member | None, sku: str, program: Program, now: dt.datetime) -> Reason | None:
    """Return why somebody may not buy an article yet, or None; staff may override it at the till."""
    zone = program.zone()
    early = [
        (days.instant(one.public_from, zone), one)
        for one in program.entitlements
        if one.public_from is not None and sku in one.skus
    ]
    closed = [(public, one) for public, one in early if now < public]
    if not closed or any(entitlements.holds(member, one.id, program, now) for _, one in closed):
        return None
    public = max(public for public, _ in closed).astimezone(zone)
    return Reason("EARLY_ACCESS_ONLY", {"sku": sku, "day": eligibility.shown(public)})

"""Tiers: every one can be reached, each is higher than the one before, and nobody can buy what it costs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tapledger.loyalty.facts import Reason
from tapledger.loyalty.program.findings import Finding, Path
from tapledger.loyalty.program.lint.references import rolling
from tapledger.loyalty.program.lint.walk import structs
from tapledger.loyalty.program.people import Gain
from tapledger.loyalty.program.tiers import Clause, Tier

if TYPE_CHECKING:
    from tapledger.loyalty.program import Program

LONGEST_DAYS = {"day": 1, "week": 7, "month": 31, "calendar_year": 366, "member_year": 366}


def lint_tiers(program: Program) -> Iterator[Finding]:
    tiers = program.tiers
    if not tiers:
        yield Finding(("tiers",), Reason("PROGRAM_TIERS_NONE", {}))
        return
    if tiers[0].from_spend_minor or tiers[0].reach or tiers[0].given:
        yield Finding(("tiers", 0), Reason("PROGRAM_TIER_FIRST", {"tier": tiers[0].id}))
    for place, tier in enumerate(tiers):
        path: Path = ("tiers", place)
        ways = bool(tier.reach) + bool(tier.from_spend_minor) + tier.given
        if ways > 1:
            yield Finding(path, Reason("PROGRAM_TIER_REACH_TWICE", {"tier": tier.id}))
        if place and not ways:
            yield Finding(path, Reason("PROGRAM_TIER_UNREACHABLE", {"tier": tier.id}))
        if tier.valid_days is not None and tier.valid_until:
            yield Finding((*path, "valid_days"), Reason("PROGRAM_TIER_VALID_TWICE", {"tier": tier.id}))
        yield from _benefits(path, tier, program)
        for number, group in enumerate(tier.reach):
            yield from _group((*path, "reach", number), tier, group, program)
    yield from _rising(tiers)


def _benefits(path: Path, tier: Tier, program: Program) -> Iterator[Finding]:
    known = {one.id for one in program.entitlements}
    for place, one in enumerate(tier.benefits):
        if one not in known:
            at = (*path, "benefits", place)
            yield Finding(at, Reason("PROGRAM_ENTITLEMENT_UNKNOWN", {"entitlement": one}))


def _group(path: Path, tier: Tier, group: list[Clause], program: Program) -> Iterator[Finding]:
    if not group:
        yield Finding(path, Reason("PROGRAM_TIER_GROUP_EMPTY", {"tier": tier.id}))
    for place, clause in enumerate(group):
        yield from _clause((*path, place), tier, clause, program)


def _clause(path: Path, tier: Tier, clause: Clause, program: Program) -> Iterator[Finding]:
    yield from rolling(path, clause.window, clause.days)
    longest = clause.days if clause.window == "rolling" else LONGEST_DAYS.get(clause.window)
    if clause.metric == "visits" and longest and clause.at_least > longest:
        figures: dict[str, int | str] = {"tier": tier.id, "visits": clause.at_least, "days": longest}
        yield Finding((*path, "at_least"), Reason("PROGRAM_TIER_VISITS", figures))
    if clause.metric == "growth" and not _gives_growth(program):
        yield Finding((*path, "metric"), Reason("PROGRAM_TIER_NO_GROWTH", {"tier": tier.id}))
    if clause.metric in ("referrals", "referees") and program.referral is None:
        yield Finding((*path, "metric"), Reason("PROGRAM_TIER_NO_REFERRAL", {"tier": tier.id}))
    if clause.metric == "referees":
        known = [one.id for one in program.tiers if one.id != tier.id]
        if clause.window != "lifetime":
            yield Finding((*path, "window"), Reason("PROGRAM_REFEREES_LIFETIME", {}))
        if clause.reached not in known:
            more: dict[str, int | str] = {"given": clause.reached, "known": ", ".join(known)}
            yield Finding((*path, "reached"), Reason("PROGRAM_CHOICE_UNKNOWN", more))
    elif clause.reached:
        yield Finding((*path, "reached"), Reason("PROGRAM_REACHED_USELESS", {"metric": clause.metric}))


def _gives_growth(program: Program) -> bool:
    gains = (struct for _, struct in structs(program) if isinstance(struct, Gain))
    return bool(program.tiering.growth_per_minor) or any(gain.growth for gain in gains)


def _rising(tiers: list[Tier]) -> Iterator[Finding]:
    """A tier that asks no more of the same than a lower one hides it: nobody would ever be in the lower."""
    for place in range(1, len(tiers)):
        asked = _asked(tiers[place])
        for below in tiers[1:place]:
            for window, least in _asked(below).items():
                if window in asked and asked[window] <= least:
                    figures: dict[str, int | str] = {"tier": tiers[place].id, "below": below.id}
                    yield Finding(("tiers", place), Reason("PROGRAM_TIERS_NOT_RISING", figures))


def _asked(tier: Tier) -> dict[tuple[str, str, int, str], int]:
    """Return what each group of one clause asks."""
    groups = tier.reach or ([[Clause("spend", tier.from_spend_minor)]] if tier.from_spend_minor else [])
    return {
        (one.metric, one.window, one.days, one.reached): one.at_least
        for group in groups
        if len(group) == 1
        for one in group
    }

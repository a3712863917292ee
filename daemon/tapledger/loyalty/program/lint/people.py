"""Joining, referral, birthdays, check-in, missions, games, campaigns, partners."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

from tapledger.loyalty.days import MAX_BIRTHDAY_DAYS
from tapledger.loyalty.facts import Reason
from tapledger.loyalty.program.findings import Finding, Path
from tapledger.loyalty.program.lint.earning import point_value
from tapledger.loyalty.program.lint.references import is_empty, unknown_tiers

if TYPE_CHECKING:
    from tapledger.loyalty.program import Program


def lint_people(program: Program) -> Iterator[Finding]:
    gate = program.membership
    if gate.gate == "open" and gate.gate_minor:
        yield Finding(("membership", "gate_minor"), Reason("PROGRAM_GATE_OPEN", {}))
    if gate.gate != "open" and not gate.gate_minor:
        yield Finding(("membership", "gate_minor"), Reason("PROGRAM_GATE_ZERO", {}))
    yield from _referral(program)
    yield from _birthday(program)
    yield from _check_in(program)
    yield from _missions(program)
    yield from _entitlements(program)
    yield from _campaigns(program)
    yield from _partners(program)


def _referral(program: Program) -> Iterator[Finding]:
    rule = program.referral
    if rule is None:
        return
    points = rule.referrer.points + rule.referee.points + rule.join_points
    worth = int(points * point_value(program))
    if worth >= rule.min_sale_minor > 0:
        figures: dict[str, int | str] = {
            "worth_minor": worth,
            "min_minor": rule.min_sale_minor,
            "currency": program.currency,
        }
        yield Finding(("referral", "min_sale_minor"), Reason("PROGRAM_REFERRAL_FARMED", figures))
    if rule.join_points and rule.per_month is None:
        yield Finding(("referral", "join_points"), Reason("PROGRAM_REFERRAL_UNCAPPED", {}))
    if is_empty(rule.referrer) and is_empty(rule.referee) and not rule.join_points and not _counts(program):
        yield Finding(("referral",), Reason("PROGRAM_GAIN_EMPTY", {"what": "referral"}))


def _counts(program: Program) -> bool:
    """Tell whether anything else counts who was sent."""
    clauses = (clause for tier in program.tiers for group in tier.reach for clause in group)
    return any(clause.metric in ("referrals", "referees") for clause in clauses) or any(
        mission.metric == "referrals" for mission in program.missions
    )


def _birthday(program: Program) -> Iterator[Finding]:
    rule = program.birthday
    if rule.window == "days" and not 0 < rule.days <= MAX_BIRTHDAY_DAYS:
        yield Finding(("birthday", "days"), Reason("PROGRAM_BIRTHDAY_WIDE", {"most": MAX_BIRTHDAY_DAYS}))
    elif rule.window != "days" and rule.days:
        yield Finding(("birthday", "days"), Reason("PROGRAM_DAYS_USELESS", {"window": rule.window}))


def _check_in(program: Program) -> Iterator[Finding]:
    rule = program.check_in
    if rule is None:
        return
    if is_empty(rule.gain) and not rule.gifts and not rule.streaks:
        yield Finding(("check_in",), Reason("PROGRAM_GAIN_EMPTY", {"what": "check_in"}))
    tiers: set[str] = set()
    for place, gift in enumerate(rule.gifts):
        path: Path = ("check_in", "gifts", place, "tier")
        yield from (Finding(path, one.why) for one in unknown_tiers([gift.tier], path, program))
        if gift.tier in tiers:
            yield Finding(path, Reason("PROGRAM_GIFT_TIER_TWICE", {"tier": gift.tier}))
        tiers.add(gift.tier)
    days: set[int] = set()
    for place, streak in enumerate(rule.streaks):
        at: Path = ("check_in", "streaks", place)
        if streak.days == 1 or streak.days in days:
            yield Finding((*at, "days"), Reason("PROGRAM_STREAK_TWICE", {"days": streak.days}))
        if is_empty(streak.gain):
            yield Finding((*at, "gain"), Reason("PROGRAM_GAIN_EMPTY", {"what": f"streak {streak.days}"}))
        days.add(streak.days)


def _missions(program: Program) -> Iterator[Finding]:
    for place, one in enumerate(program.missions):
        path: Path = ("missions", place)
        if one.metric in ("visits", "check_ins") and one.at_least > one.days:
            figures: dict[str, int | str] = {"mission": one.id, "at_least": one.at_least, "days": one.days}
            yield Finding((*path, "at_least"), Reason("PROGRAM_MISSION_IMPOSSIBLE", figures))
        if one.metric == "check_ins" and program.check_in is None:
            yield Finding((*path, "metric"), Reason("PROGRAM_MISSION_NO_CHECK_IN", {"mission": one.id}))
        if one.metric == "referrals" and program.referral is None:
            yield Finding((*path, "metric"), Reason("PROGRAM_MISSION_NO_REFERRAL", {"mission": one.id}))
        if is_empty(one.gain):
            yield Finding((*path, "gain"), Reason("PROGRAM_GAIN_EMPTY", {"what": one.id}))


def _entitlements(program: Program) -> Iterator[Finding]:
    for place, one in enumerate(program.entitlements):
        path: Path = ("entitlements", place)
        if one.kind != "amount" and one.units > 1:
            yield Finding((*path, "units"), Reason("PROGRAM_UNITS_USELESS", {"kind": one.kind}))
        if bool(one.skus) != (one.public_from is not None):
            at = (*path, "public_from" if one.skus else "skus")
            yield Finding(at, Reason("PROGRAM_EARLY_ACCESS_HALF", {"entitlement": one.id}))


def _campaigns(program: Program) -> Iterator[Finding]:
    for place, one in enumerate(program.campaigns):
        path: Path = ("campaigns", place)
        if one.trigger == "tier" and not one.tier:
            yield Finding((*path, "tier"), Reason("PROGRAM_CAMPAIGN_TIER", {"campaign": one.id}))
        elif one.tier and one.trigger != "tier":
            yield Finding((*path, "tier"), Reason("PROGRAM_CAMPAIGN_TIER_USELESS", {"campaign": one.id}))
        elif one.tier:
            at = (*path, "tier")
            yield from (Finding(at, found.why) for found in unknown_tiers([one.tier], at, program))
        if one.trigger != "none" and is_empty(one.gain):
            yield Finding((*path, "gain"), Reason("PROGRAM_GAIN_EMPTY", {"what": one.id}))
        if one.trigger == "none" and not is_empty(one.gain):
            yield Finding((*path, "trigger"), Reason("PROGRAM_CAMPAIGN_NEVER", {"campaign": one.id}))


def _partners(program: Program) -> Iterator[Finding]:
    for place, one in enumerate(program.partners):
        if one.out_from <= 0 or one.in_from <= 0:
            continue
        around = Fraction(one.out_to, one.out_from) * Fraction(one.in_to, one.in_from)
        if around > 1:
            figures: dict[str, int | str] = {"partner": one.id, "rate_bp": int(around * 10_000)}
            yield Finding(("partners", place), Reason("PROGRAM_PARTNER_LOOP", figures))

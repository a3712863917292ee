"""Whatever a programme names is there, everything has an id of its own, and what holds at times can hold."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from tapledger.loyalty.conditions import Condition, Scope
from tapledger.loyalty.days import instant, local_day
from tapledger.loyalty.facts import Reason
from tapledger.loyalty.program.findings import Finding, Path
from tapledger.loyalty.program.lint.walk import every_promotion, structs
from tapledger.loyalty.program.people import Gain, Limit
from tapledger.loyalty.program.shape import fields
from tapledger.loyalty.windows import Window, is_open

if TYPE_CHECKING:
    from tapledger.loyalty.program import Program

SECTIONS_WITH_NAMES = ("tiers", "rewards", "missions", "surveys", "shares", "entitlements", "lotteries",
                       "campaigns", "partners")  # fmt: skip
ID_LENGTH = 64
ID = re.compile(rf"[\w.-]{{1,{ID_LENGTH}}}")
"""Nothing that keys of counts and draws are put together with."""
OTHER_DISCOUNTS = ("tier", "member_price", "manual", "points")
"""Ids of what makes a sale cheaper and is no promotion (``facts.Discount``)."""
MAX_DAYS_LOOKED_AT = 400
"""Of a condition's time: a longer one has every day of the year."""


def lint_references(program: Program) -> Iterator[Finding]:
    yield from _ids(program)
    for path, struct in structs(program):
        match struct:
            case Condition():
                yield from _condition(path, struct, program)
            case Gain():
                yield from _gain(path, struct, program)
            case Scope():
                yield from _scope(path, struct)
            case Limit():
                yield from _limit(path, struct)


# ---- ids and names ---------------------------------------------------------------------------------------
def _ids(program: Program) -> Iterator[Finding]:
    for path, struct in structs(program):
        for field in fields(type(struct)):
            yield from _own_ids(getattr(struct, field.name), (*path, field.encode_name))
    yield from _on_receipts(program)
    for section in SECTIONS_WITH_NAMES:
        for place, one in enumerate(getattr(program, section)):
            label = "title" if section == "rewards" else "name"
            if not any(getattr(one, label).values()):
                yield Finding((section, place, label), Reason("PROGRAM_NAME_EMPTY", {"id": one.id}))


def _own_ids(value: object, path: Path) -> Iterator[Finding]:
    """Check the ids of one list; of a list of things without ids there is nothing to say."""
    if not isinstance(value, list) or not all(hasattr(one, "id") for one in value):
        return
    seen: set[str] = set()
    for place, one in enumerate(value):
        if not one.id:
            yield Finding((*path, place, "id"), Reason("PROGRAM_ID_EMPTY", {}))
        elif not ID.fullmatch(one.id):
            yield Finding((*path, place, "id"), Reason("PROGRAM_ID_FORM", {"id": one.id, "limit": ID_LENGTH}))
        elif one.id in seen:
            yield Finding((*path, place, "id"), Reason("PROGRAM_ID_TWICE", {"id": one.id}))
        seen.add(one.id)


def _on_receipts(program: Program) -> Iterator[Finding]:
    """Promotions and coupons stand on one receipt, beside discounts that are neither: no id is in two."""
    taken = {one.id for one in program.promotions}
    for place, coupon in enumerate(program.coupons):
        if coupon.id in taken:
            yield Finding(("coupons", place, "id"), Reason("PROGRAM_ID_TWICE", {"id": coupon.id}))
    for path, one in every_promotion(program):
        if one.id in OTHER_DISCOUNTS:
            yield Finding((*path, "id"), Reason("PROGRAM_ID_TAKEN", {"id": one.id}))


# ---- conditions ------------------------------------------------------------------------------------------
def unknown_tiers(ids: Sequence[str], path: Path, program: Program) -> Iterator[Finding]:
    known = {tier.id for tier in program.tiers}
    for place, one in enumerate(ids):
        if one not in known:
            listed = ", ".join(tier.id for tier in program.tiers)
            yield Finding((*path, place), Reason("PROGRAM_TIER_UNKNOWN", {"tier": one, "known": listed}))


def _condition(path: Path, when: Condition, program: Program) -> Iterator[Finding]:
    yield from unknown_tiers(when.tiers, (*path, "tiers"), program)
    if when.campaign and when.campaign not in {one.id for one in program.campaigns}:
        yield Finding((*path, "campaign"), Reason("PROGRAM_CAMPAIGN_UNKNOWN", {"campaign": when.campaign}))
    window = next((one for one in program.windows if one.id == when.window), None)
    if when.window and window is None:
        yield Finding((*path, "window"), Reason("PROGRAM_WINDOW_UNKNOWN", {"window": when.window}))
    if when.from_ is not None and when.to is not None:
        begins, ends = instant(when.from_, program.zone()), instant(when.to, program.zone())
        if ends <= begins:
            yield Finding((*path, "to"), Reason("PROGRAM_NEVER_OPEN", {}))
        elif window is not None and not _meets(window, begins, ends, program):
            yield Finding((*path, "window"), Reason("PROGRAM_WINDOW_NEVER_MET", {"window": window.id}))


def _meets(window: Window, begins: dt.datetime, ends: dt.datetime, program: Program) -> bool:
    """Tell whether a window is open at some time of a condition: at its begin, or it opens before its end."""
    holidays = {name: frozenset(dates.values()) for name, dates in program.holidays.items()}
    zone = program.zone()
    if (ends - begins).days > MAX_DAYS_LOOKED_AT or (window.holidays and window.holidays not in holidays):
        return True
    opens = [begins]
    day, clock = local_day(begins, zone), dt.time.fromisoformat(window.start)
    while day <= local_day(ends, zone):
        opens.append(instant(dt.datetime.combine(day, clock), zone))
        day += dt.timedelta(days=1)
    return any(begins <= at < ends and is_open(window, at, zone, holidays) for at in opens)


# ---- gains, scopes, limits -------------------------------------------------------------------------------
def is_empty(gain: Gain) -> bool:
    return gain == Gain()


def _gain(path: Path, gain: Gain, program: Program) -> Iterator[Finding]:
    if gain.coupon and program.coupon(gain.coupon) is None:
        yield Finding((*path, "coupon"), Reason("PROGRAM_COUPON_UNKNOWN", {"coupon": gain.coupon}))
    known = {one.id for one in program.entitlements}
    if gain.entitlement and gain.entitlement not in known:
        figures: dict[str, int | str] = {"entitlement": gain.entitlement}
        yield Finding((*path, "entitlement"), Reason("PROGRAM_ENTITLEMENT_UNKNOWN", figures))
    if not gain.gift:
        return
    reward = program.reward(gain.gift)
    if reward is None:
        yield Finding((*path, "gift"), Reason("PROGRAM_GIFT_UNKNOWN", {"gift": gain.gift}))
    elif reward.cost_points or reward.cost_minor:
        yield Finding((*path, "gift"), Reason("PROGRAM_GIFT_HAS_PRICE", {"gift": gain.gift}))


def _scope(path: Path, scope: Scope) -> Iterator[Finding]:
    for name in ("skus", "categories"):
        both = set(getattr(scope, name)) & set(getattr(scope, f"except_{name}"))
        if both:
            yield Finding((*path, f"except_{name}"), Reason("PROGRAM_SCOPE_EMPTY", {"what": min(both)}))


def _limit(path: Path, limit: Limit) -> Iterator[Finding]:
    yield from rolling(path, limit.window, limit.days)


def rolling(path: Path, window: str, days: int) -> Iterator[Finding]:
    """Check the days that a window counts: a rolling one needs them, another has none."""
    if window == "rolling" and days == 0:
        yield Finding((*path, "days"), Reason("PROGRAM_ROLLING_DAYS", {}))
    elif window != "rolling" and days:
        yield Finding((*path, "days"), Reason("PROGRAM_DAYS_USELESS", {"window": window}))

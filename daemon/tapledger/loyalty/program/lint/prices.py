"""Promotions, coupons and points as cash: each can apply at some time, and none gives money away."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tapledger.loyalty.days import instant
from tapledger.loyalty.facts import Reason
from tapledger.loyalty.program.coupons import Template
from tapledger.loyalty.program.findings import Finding, Path
from tapledger.loyalty.program.lint.walk import every_promotion
from tapledger.loyalty.promotions.bundle import Bundle
from tapledger.loyalty.promotions.every_threshold import EveryThreshold
from tapledger.loyalty.promotions.promotion import Promotion
from tapledger.loyalty.promotions.threshold import Threshold

if TYPE_CHECKING:
    from tapledger.loyalty.program import Program

LANES = (2, 3)


def lint_prices(program: Program) -> Iterator[Finding]:
    yield from _points_as_cash(program)
    for path, one in every_promotion(program):
        yield from _promotion(path, one, program)
        yield from _benefit((*path, "benefit"), one, program.currency)
    for place, template in enumerate(program.coupons):
        yield from _template(("coupons", place), template, program)
    yield from _together(program)


def _points_as_cash(program: Program) -> Iterator[Finding]:
    rule = program.points_as_cash
    if rule is None or rule.unit_points <= 0 or not rule.max_points:
        return
    path: Path = ("points_as_cash",)
    if 0 < rule.max_points < rule.unit_points:
        figures: dict[str, int | str] = {"unit_points": rule.unit_points, "max_points": rule.max_points}
        yield Finding((*path, "max_points"), Reason("UNIT_EXCEEDS_MAX", figures))
    elif rule.least_points() > rule.max_points > 0:
        least: dict[str, int | str] = {"min_points": rule.least_points(), "max_points": rule.max_points}
        yield Finding((*path, "min_points"), Reason("PROGRAM_MIN_EXCEEDS_MAX", least))


def _promotion(path: Path, one: Promotion, program: Program) -> Iterator[Finding]:
    if one.lane is not None and one.lane not in LANES:
        yield Finding((*path, "lane"), Reason("PROGRAM_LANE", {"lane": one.lane}))
    if one.solo and (one.combines or one.group):
        at = (*path, "combines" if one.combines else "group")
        yield Finding(at, Reason("PROGRAM_SOLO_COMBINES", {"promotion": one.id}))
    least, below = one.benefit.band()
    if below is not None and one.min_minor >= below > least:
        figures: dict[str, int | str] = {
            "min_minor": one.min_minor,
            "below_minor": below,
            "currency": program.currency,
        }
        yield Finding((*path, "min_minor"), Reason("PROGRAM_MIN_ABOVE_BAND", figures))


def _benefit(path: Path, one: Promotion, currency: str) -> Iterator[Finding]:
    match one.benefit:
        case Threshold(at_minor=at, off_minor=off, below_minor=below):
            if below is not None and below <= at:
                yield Finding((*path, "below_minor"), Reason("PROGRAM_BAND_EMPTY", {}))
            yield from _too_much_off(path, at, off, currency)
        case EveryThreshold(at_minor=at, off_minor=off, cap_minor=cap):
            yield from _too_much_off(path, at, off, currency)
            if cap is not None and 0 < cap < off:
                yield Finding((*path, "cap_minor"), Reason("PROGRAM_CAP_BELOW_STEP", {}))
        case Bundle(parts=parts):
            if not parts:
                yield Finding((*path, "parts"), Reason("PROGRAM_BUNDLE_EMPTY", {}))
            for place, part in enumerate(parts):
                if not (part.skus or part.categories):
                    yield Finding((*path, "parts", place), Reason("PROGRAM_BUNDLE_EMPTY", {}))


def _too_much_off(path: Path, at: int, off: int, currency: str) -> Iterator[Finding]:
    if at and off >= at:
        figures: dict[str, int | str] = {"at_minor": at, "off_minor": off, "currency": currency}
        yield Finding((*path, "off_minor"), Reason("PROGRAM_OFF_EXCEEDS_THRESHOLD", figures))


def _template(path: Path, one: Template, program: Program) -> Iterator[Finding]:
    zone = program.zone()
    ends = None if one.valid_to is None else instant(one.valid_to, zone)
    if ends is not None and one.valid_from is not None and ends <= instant(one.valid_from, zone):
        yield Finding((*path, "valid_to"), Reason("PROGRAM_NEVER_OPEN", {}))
    if ends is not None and one.when.from_ is not None and ends <= instant(one.when.from_, zone):
        yield Finding((*path, "valid_to"), Reason("PROGRAM_COUPON_ENDS_EARLY", {"coupon": one.id}))
    if one.claimable and not one.code:
        yield Finding((*path, "claimable"), Reason("PROGRAM_CLAIMABLE_NO_CODE", {"coupon": one.id}))
    if one.total is not None and one.per_member is not None and one.per_member > one.total > 0:
        figures: dict[str, int | str] = {"per_member": one.per_member, "total": one.total}
        yield Finding((*path, "per_member"), Reason("PROGRAM_LIMIT_ABOVE_TOTAL", figures))


def _together(program: Program) -> Iterator[Finding]:
    every = list(every_promotion(program))
    groups = Counter(one.group for _, one in every if one.group)
    codes = Counter(one.code for _, one in every if one.code)
    classes = {one.class_name() for _, one in every}
    seen: set[str] = set()
    for path, one in every:
        if one.group and groups[one.group] == 1:
            yield Finding((*path, "group"), Reason("PROGRAM_GROUP_OF_ONE", {"group": one.group}))
        if one.code and codes[one.code] > 1 and one.code in seen:
            yield Finding((*path, "code"), Reason("PROGRAM_CODE_TWICE", {"code": one.code}))
        seen.add(one.code)
        for place, name in enumerate(one.combines or ()):
            if name not in classes:
                at = (*path, "combines", place)
                yield Finding(at, Reason("PROGRAM_CLASS_UNKNOWN", {"class_name": name}))
            elif all(
                other.combines is not None and one.class_name() not in other.combines
                for _, other in every
                if other is not one and other.class_name() == name
            ):
                at = (*path, "combines", place)
                yield Finding(at, Reason("PROGRAM_CLASS_ONE_WAY", {"class_name": name}))

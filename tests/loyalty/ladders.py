"""Ladders of tiers, and a member who climbs them as sales, returns and reviews do."""

from __future__ import annotations

import datetime as dt

import msgspec

from tapledger.loyalty import tallies
from tapledger.loyalty.effects import Tallied
from tapledger.loyalty.members import Member
from tapledger.loyalty.program import Clause, Program, Tier, Tiering
from tapledger.loyalty.tiers import tier_reviews, tiering
from tests.loyalty.givens import after, program
from tests.loyalty.lives import apply, at, nobody, ordinal


def tiers(*tiers: Tier, zone: str = "Asia/Shanghai", **tiering_rules: object) -> Program:
    rules = msgspec.convert(tiering_rules, Tiering)
    return program(tiers=[Tier("normal", {"en": "Normal"}), *tiers], timezone=zone, tiering=rules)


def tier(id_: str, *groups: list[Clause], **more: object) -> Tier:
    return Tier(id_, {"en": id_}, reach=list(groups), **more)  # type: ignore[arg-type]


def spend(at_least: int, window: str = "lifetime", rolling: int = 0) -> Clause:
    return Clause("spend", at_least, window, rolling)  # type: ignore[arg-type]


MALL = tiers(tier("gold", [spend(80_000, "day")], [spend(200_000, "rolling", 30)], valid_days=365))
YEARLY = tiers(
    tier("silver", [spend(50_000, "rolling", 365)], valid_days=365),
    tier("gold", [spend(100_000, "rolling", 365)], valid_days=365),
)
GOLD_ONCE = (("2026-03-02", 100_000),)
"""Gold from 2 March 2026, valid through 2 March 2027."""


def buy(member: Member, minor: int, now: dt.datetime, rules: Program) -> Member:
    """Buy as a sale does: count, then rise."""
    today = now.astimezone(rules.zone()).date().toordinal()
    counted = (Tallied(tallies.SPEND, today, minor), Tallied(tallies.SALES, today, 1))
    return apply(member, *counted, *tiering.upgrade(member, counted, rules, now))


def give_back(member: Member, minor: int, sold: str, now: dt.datetime, rules: Program) -> Member:
    member = apply(member, Tallied(tallies.SPEND, ordinal(sold), -minor))
    return apply(member, *tiering.after_return(member, rules, now))


def bought(rules: Program, *purchases: tuple[str, int]) -> Member:
    member = nobody()
    for day, minor in purchases:
        member = buy(member, minor, at(day), rules)
    return member


def tier_of(member: Member, rules: Program, day: str, clock: str = "12:00") -> str:
    return tiering.current(member, rules, at(day, clock, rules.timezone)).id


def review_all(member: Member, rules: Program, now: dt.datetime) -> tuple[Member, int]:
    count = 0
    while (decision := tier_reviews.decide_review(member, rules, now)) is not None:
        member, count = after(decision), count + 1
        assert count < 100
    return member, count

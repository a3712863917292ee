"""The merchant's programme as immutable values, read from config/program.toml and checked before use."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from tapledger.errors import Invalid
from tapledger.loyalty.money import MAX_AMOUNT_MINOR

EXPIRY_MODES = ("never", "days", "months", "end_of_month", "end_of_year")
MAX_PERIODS = 3650
"""Of an expiry or a voucher: keeps every date inside the calendar."""
MAX_EARN_POINTS = 1000
MAX_MULTIPLIER_MILLI = 100_000

Names = dict[str, str]
"""A name by language; ``name_in`` falls back to English, then to any."""


class Tier(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    name: Names
    from_spend_minor: int
    """Lifetime qualifying spend at which the tier is reached (inclusive)."""
    earn_points: int
    """Points per ``earn_per_minor`` of net spend."""
    earn_per_minor: int
    multiplier_milli: int = 1000


class Expiry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    mode: str = "never"
    count: int = 0


class Reward(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    title: Names
    cost_points: int
    stock: int | None = None
    """How many this shop may give out in all; null is without limit."""
    tiers: list[str] = []


class TrustLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Points that a credential of each level may redeem per local day; 0 is none."""

    l0_points_per_day: int = 0
    l1_points_per_day: int = 2000
    l2_points_per_day: int = 20_000
    l3_points_per_day: int = 1_000_000

    def points_per_day(self, level: int) -> int:
        return (
            self.l0_points_per_day,
            self.l1_points_per_day,
            self.l2_points_per_day,
            self.l3_points_per_day,
        )[level]


class Program(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: str
    currency: str
    timezone: str
    tiers: list[Tier]
    rewards: list[Reward]
    expiry: Expiry = Expiry()
    trust: TrustLimits = TrustLimits()
    voucher_days: int = 30
    """How long a reward's voucher can be handed in."""
    unsettled_points: int = 500
    """Points of one member that this shop may give out before central has confirmed them: the owner's bound
    on double spending is this times the number of shops that are out of reach."""

    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    def tier(self, id_: str) -> Tier:
        """Return a tier; the lowest for an id that this version does not know."""
        return next((tier for tier in self.tiers if tier.id == id_), self.tiers[0])

    def tier_for(self, id_: str, spend_minor: int) -> Tier:
        """Return the tier that counts: the one held, or a higher one that the spend has reached.

        Two shops may each record too little for a tier that both together reach, or a lower one last.
        """
        reached = [tier for tier in self.tiers if tier.from_spend_minor <= spend_minor]
        return max([self.tier(id_), *reached], key=lambda tier: tier.from_spend_minor)

    def reward(self, id_: str) -> Reward | None:
        return next((reward for reward in self.rewards if reward.id == id_), None)


def name_in(names: Mapping[str, str], language: str) -> str:
    """Return a name in a language, else in English, else in any."""
    return names.get(language) or names.get("en") or next(iter(names.values()), "")


def load(table: Mapping[str, object]) -> Program:
    """Build a programme from parsed TOML; raise ``Invalid`` that says where and why."""
    try:
        program = msgspec.convert(table, Program)
    except msgspec.ValidationError as error:
        raise Invalid("PROGRAM_INVALID", where="program.toml", why=str(error)) from error
    for why in lint(program):
        raise Invalid("PROGRAM_INVALID", where="program.toml", why=why)
    return program


def lint(program: Program) -> list[str]:
    """Name what can never work in a programme, one sentence each."""
    return [*_lint_frame(program), *_lint_tiers(program.tiers), *_lint_rewards(program)]


def _lint_frame(program: Program) -> Iterator[str]:
    if not program.version:
        yield "version must not be empty"
    if not re.fullmatch(r"[A-Z]{3}", program.currency):
        yield f"currency {program.currency!r} is not a three-letter code such as CNY"
    try:
        program.zone()
    except (ZoneInfoNotFoundError, ValueError):
        yield f"timezone {program.timezone!r} is not in the tz database"
    if program.expiry.mode not in EXPIRY_MODES:
        yield f"expiry mode {program.expiry.mode!r} is not known; known: {', '.join(EXPIRY_MODES)}"
    if not 0 <= program.expiry.count <= MAX_PERIODS:
        yield f"expiry count must be 0 to {MAX_PERIODS}"
    if not 0 < program.voucher_days <= MAX_PERIODS:
        yield f"voucher_days must be 1 to {MAX_PERIODS}"
    if program.unsettled_points < 0:
        yield "unsettled_points must not be below 0"
    if min(msgspec.structs.astuple(program.trust)) < 0:
        yield "trust: points per day must not be below 0"


def _lint_tiers(tiers: list[Tier]) -> Iterator[str]:
    if not tiers:
        yield "there must be at least one tier"
    elif tiers[0].from_spend_minor != 0:
        yield f"the first tier {tiers[0].id!r} must start at from_spend_minor = 0"
    thresholds = [tier.from_spend_minor for tier in tiers]
    if thresholds != sorted(set(thresholds)):
        yield "tiers must be listed by rising from_spend_minor, each once"
    if len({tier.id for tier in tiers}) != len(tiers):
        yield "two tiers have the same id"
    for tier in tiers:
        if not tier.id or not any(tier.name.values()):
            yield f"tier {tier.id!r}: id and name must not be empty"
        if tier.earn_per_minor <= 0:
            yield f"tier {tier.id!r}: earn_per_minor must be above 0"
        if not 0 <= tier.earn_points <= MAX_EARN_POINTS:
            yield f"tier {tier.id!r}: earn_points must be 0 to {MAX_EARN_POINTS}"
        if not 0 <= tier.multiplier_milli <= MAX_MULTIPLIER_MILLI:
            yield f"tier {tier.id!r}: multiplier_milli must be 0 to {MAX_MULTIPLIER_MILLI}"


def _lint_rewards(program: Program) -> Iterator[str]:
    known = {tier.id for tier in program.tiers}
    if len({reward.id for reward in program.rewards}) != len(program.rewards):
        yield "two rewards have the same id"
    for reward in program.rewards:
        if not reward.id or not any(reward.title.values()):
            yield f"reward {reward.id!r}: id and title must not be empty"
        if not 0 < reward.cost_points <= MAX_AMOUNT_MINOR:
            yield f"reward {reward.id!r}: cost_points must be 1 to {MAX_AMOUNT_MINOR}"
        if reward.stock is not None and reward.stock < 0:
            yield f"reward {reward.id!r}: stock must not be below 0"
        for tier_id in reward.tiers:
            if tier_id not in known:
                yield f"reward {reward.id!r}: there is no tier {tier_id!r}"


def start_of_day(now: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    """Return the first instant of the local day that ``now`` is in."""
    return dt.datetime.combine(now.astimezone(zone).date(), dt.time(), zone).astimezone(dt.UTC)

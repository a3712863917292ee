"""The merchant's programme as immutable values, read from config/program.toml and checked before use."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from tapledger.errors import Invalid

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
    found = []
    try:
        program.zone()
    except (ZoneInfoNotFoundError, ValueError):
        found.append(f"timezone {program.timezone!r} is not in the tz database")
    if not program.tiers:
        found.append("there must be at least one tier")
    elif program.tiers[0].from_spend_minor != 0:
        found.append(f"the first tier {program.tiers[0].id!r} must start at from_spend_minor = 0")
    thresholds = [tier.from_spend_minor for tier in program.tiers]
    if thresholds != sorted(set(thresholds)):
        found.append("tiers must be listed by rising from_spend_minor, each once")
    known = {tier.id for tier in program.tiers}
    if len(known) != len(program.tiers):
        found.append("two tiers have the same id")
    for tier in program.tiers:
        if tier.earn_per_minor <= 0 or tier.earn_points < 0 or tier.multiplier_milli < 0:
            found.append(f"tier {tier.id!r}: earn_per_minor must be above 0, points and multiplier not below")
    if len({reward.id for reward in program.rewards}) != len(program.rewards):
        found.append("two rewards have the same id")
    for reward in program.rewards:
        if reward.cost_points <= 0:
            found.append(f"reward {reward.id!r}: cost_points must be above 0")
        for tier_id in reward.tiers:
            if tier_id not in known:
                found.append(f"reward {reward.id!r}: there is no tier {tier_id!r}")
    if program.expiry.mode not in ("never", "days", "months", "end_of_month", "end_of_year"):
        found.append(f"expiry mode {program.expiry.mode!r} is not known")
    if program.voucher_days <= 0 or program.unsettled_points < 0:
        found.append("voucher_days must be above 0 and unsettled_points not below 0")
    return found


def start_of_day(now: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    """Return the first instant of the local day that ``now`` is in."""
    return dt.datetime.combine(now.astimezone(zone).date(), dt.time(), zone).astimezone(dt.UTC)

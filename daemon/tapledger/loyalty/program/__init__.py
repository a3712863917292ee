"""The merchant's programme as immutable values, read from program.toml and checked before use.

Each section of the file is a struct of one module here; ``lint`` says what can never work.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import cache
from zoneinfo import ZoneInfo

import msgspec

from tapledger.errors import Invalid
from tapledger.loyalty.conditions import Condition, Names, Scope
from tapledger.loyalty.days import Expiry
from tapledger.loyalty.program import lint as _lint
from tapledger.loyalty.program import shape
from tapledger.loyalty.program.coupons import Template
from tapledger.loyalty.program.earning import Earning
from tapledger.loyalty.program.findings import Finding
from tapledger.loyalty.program.people import (
    Birthday,
    Campaign,
    CheckIn,
    Entitlement,
    Faq,
    Limit,
    Lottery,
    Membership,
    Mission,
    Offline,
    Partner,
    Referral,
    Share,
    Survey,
)
from tapledger.loyalty.program.prices import Money, PointsAsCash
from tapledger.loyalty.program.rewards import Reward
from tapledger.loyalty.program.tiers import Clause, Tier, Tiering
from tapledger.loyalty.program.values import Returns, StoredValue
from tapledger.loyalty.promotions.promotion import Promotion
from tapledger.loyalty.windows import Window

__all__ = [
    "Clause",
    "Condition",
    "Expiry",
    "Limit",
    "Names",
    "Program",
    "Reward",
    "Scope",
    "Template",
    "Tier",
    "Tiering",
    "TrustLimits",
    "check",
    "load",
    "name_in",
]


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
    rewards: list[Reward] = []
    expiry: Expiry = Expiry()
    trust: TrustLimits = TrustLimits()
    voucher_days: int = 30
    """How long a reward's voucher can be handed in."""
    unsettled_points: int = 500
    """Points of one member that this shop may give out before central has confirmed them: the owner's bound
    on double spending is this times the number of shops that are out of reach."""
    active_from: dt.datetime | None = None
    """Local time; shops that have this version earlier use the one before until then (X5)."""
    point_value_micro: int = 0
    """What one point costs the shop, in millionths of a minor unit of money: for what-if and liability."""
    money: Money = Money()
    earning: Earning = Earning()
    points_as_cash: PointsAsCash | None = None
    promotions: list[Promotion] = []
    coupons: list[Template] = []
    tiering: Tiering = Tiering()
    windows: list[Window] = []
    holiday_files: list[str] = []
    """Files beside program.toml; each is a set of days named like the file without its ending."""
    holidays: dict[str, dict[str, dt.date]] = {}
    stored_value: StoredValue | None = None
    returns: Returns = Returns()
    membership: Membership = Membership()
    referral: Referral | None = None
    birthday: Birthday = Birthday()
    check_in: CheckIn | None = None
    missions: list[Mission] = []
    surveys: list[Survey] = []
    shares: list[Share] = []
    entitlements: list[Entitlement] = []
    lotteries: list[Lottery] = []
    campaigns: list[Campaign] = []
    partners: list[Partner] = []
    faq: list[Faq] = []
    offline: Offline = Offline()
    sensitive: Scope | None = None
    """Articles that no screen, slip or message of a member ever names."""

    def zone(self) -> ZoneInfo:
        return zone(self.timezone)

    def tier(self, id_: str) -> Tier:
        """Return a tier; the lowest for an id that this version does not know."""
        return next((tier for tier in self.tiers if tier.id == id_), self.tiers[0])

    def rank(self, id_: str) -> int:
        """Return a tier's place from the lowest, 0; 0 for an id that this version does not know."""
        for place, tier in enumerate(self.tiers):
            if tier.id == id_:
                return place
        return 0

    def reward(self, id_: str) -> Reward | None:
        return next((reward for reward in self.rewards if reward.id == id_), None)

    def coupon(self, id_: str) -> Template | None:
        return next((template for template in self.coupons if template.id == id_), None)

    def lottery(self, id_: str) -> Lottery | None:
        return next((lottery for lottery in self.lotteries if lottery.id == id_), None)


zone = cache(ZoneInfo)
"""Return a time zone; one object for each name, because looking it up is paid at every sale."""


def name_in(names: Mapping[str, str], language: str) -> str:
    """Return a name in a language, else in English, else in any."""
    return names.get(language) or names.get("en") or next(iter(names.values()), "")


def check(
    table: Mapping[str, object], shelf: _lint.Shelf | None = None
) -> tuple[Program | None, list[Finding]]:
    """Return the programme of parsed TOML, or None, with every mistake that was found in it."""
    walked = shape.Shape()
    sound = walked.check(table, Program)
    if sound is shape.UNSOUND:
        return None, walked.findings
    program = msgspec.convert(sound, Program)
    found = _lint.lint(program, shelf)
    if walked.left_out:
        found = _lint.without_consequences(found, walked.left_out)
    findings = walked.findings + [Finding(walked.original(one.path), one.why) for one in found]
    return (None if findings else program), findings


def load(table: Mapping[str, object]) -> Program:
    """Build a programme from parsed TOML; raise ``Invalid`` that says where and why."""
    program, findings = check(table)
    if program is None:
        why = "; ".join(finding.plain() for finding in findings)
        raise Invalid("PROGRAM_INVALID", where="program.toml", why=why)
    return program

"""No number of a programme is below or beyond what can be meant; their names say what they are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tapledger.loyalty import days
from tapledger.loyalty.facts import Reason
from tapledger.loyalty.money import MAX_AMOUNT_MINOR
from tapledger.loyalty.program.findings import Finding, Path
from tapledger.loyalty.program.lint.walk import numbers, structs

if TYPE_CHECKING:
    from tapledger.loyalty.program import Program

MAX_EARN_POINTS = 1000
"""For each step of money."""
MAX_MULTIPLIER_MILLI = 100_000
MAX_COUNT = 1_000_000
FULL_BP, FULL_PCT, MAX_HOLDOUT_PCT = 10_000, 100, 99

AT_LEAST_ONE = frozenset(
    {
        "Bundle.max_bundles", "Bundle.price_minor", "Clause.at_least", "EarnRule.per_minor",
        "EarnRule.points", "EveryThreshold.at_minor", "EveryThreshold.off_minor", "Amount.off_minor",
        "Flat.points", "Limit.times", "Mission.at_least", "Mission.days", "Money.cash_rounding_minor",
        "NForM.buy", "NForM.get", "NForM.rate_bp", "Part.count", "Partner.out_from", "Partner.in_from",
        "Percent.rate_bp", "PointsAsCash.unit_minor", "PointsAsCash.unit_points", "PointsAsCash.max_pct",
        "Program.voucher_days", "Referral.kiosk_joins_per_hour", "Referral.min_sale_minor", "Share.points",
        "Streak.days", "Threshold.off_minor", "Tier.earn_per_minor", "Tier.valid_days", "TopUpRow.pay_minor",
        "GiftItem.quantity_milli", "Tiering.visit_min_minor", "Campaign.sleeping_months", "Entitlement.units",
        "FixedPrice.price_minor",
    }
)  # fmt: skip
"""What makes its rule pointless at 0."""
NO_CAPS = frozenset(
    {
        "Percent.cap_minor", "EveryThreshold.cap_minor", "NForM.max_units", "Earning.per_order",
        "Earning.per_member_day", "Earning.campaign_budget", "PointsAsCash.max_points", "Template.total",
        "Template.per_member", "Campaign.budget_points", "Referral.per_month", "StoredValue.max_top_up_minor",
        "StoredValue.max_balance_minor", "Template.max_value_minor",
    }
)  # fmt: skip
"""Caps: at 0 they allow nothing, and leaving them out allows all."""
ANY_SIGN = frozenset({"Promotion.priority", "Template.priority", "EarnRule.priority"})
OF_THEIR_OWN = frozenset(
    {"Expiry.count", "Expiry.month", "Expiry.day", "Birthday.days", "Promotion.lane", "Template.lane"}
)
"""Checked by their own rooms."""


def lint_numbers(program: Program) -> Iterator[Finding]:
    for path, struct in structs(program):
        for at, name, value in numbers(struct, path):
            yield from _number(at, f"{type(struct).__name__}.{name}", value)


def _number(at: Path, name: str, value: int) -> Iterator[Finding]:
    if name in OF_THEIR_OWN:
        return
    if name in NO_CAPS and value == 0:
        yield Finding(at, Reason("PROGRAM_CAP_ZERO", {}))
        return
    least, most = int(name in AT_LEAST_ONE), _most(name)
    if name in ANY_SIGN:
        least = -MAX_COUNT
    if least <= value <= most:
        return
    figures: dict[str, int | str] = {"value": value, "least": least, "most": most}
    if name.endswith(("_bp", "_pct")):
        whole = FULL_BP if name.endswith("_bp") else FULL_PCT
        if value > whole:
            yield Finding(at, Reason("PROGRAM_PERCENT_OVER", {"value": value, "whole": whole}))
            return
    if name == "Campaign.holdout_pct" and value > MAX_HOLDOUT_PCT:
        yield Finding(at, Reason("PROGRAM_HOLDOUT_ALL", {"most": most}))
    elif value < 0 <= least:
        yield Finding(at, Reason("PROGRAM_NUMBER_NEGATIVE", {"value": value}))
    elif value == 0:
        yield Finding(at, Reason("PROGRAM_NUMBER_ZERO", {}))
    else:
        yield Finding(at, Reason("PROGRAM_NUMBER_RANGE", figures))


def _most(name: str) -> int:
    field = name.partition(".")[2]
    if field == "holdout_pct":
        return MAX_HOLDOUT_PCT
    if field.endswith("_bp"):
        return FULL_BP
    if field.endswith("_pct"):
        return FULL_PCT
    if field.endswith("_milli"):
        return MAX_COUNT if field == "quantity_milli" else MAX_MULTIPLIER_MILLI
    if field == "milli":
        return MAX_MULTIPLIER_MILLI
    if name in ("Tier.earn_points", "EarnRule.points"):
        return MAX_EARN_POINTS
    if field in ("days", "warn_days") or field.endswith(("_days", "_months", "_hours")):
        return days.MAX_PERIODS
    if field in ("times", "count", "buy", "get", "units", "weight", "max_bundles", "max_units"):
        return MAX_COUNT
    return MAX_AMOUNT_MINOR

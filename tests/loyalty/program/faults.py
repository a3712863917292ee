"""Broken programmes: one fault each, in a programme that has every section and is sound without it."""

from __future__ import annotations

import copy
import datetime as dt
import re
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

from tests.source_tree import ROOT

DELETED = object()
EXAMPLE = re.compile(r"(?m)^#(?=[^\s#])")
"""What stands before an example line of config/program.toml."""


def uncommented() -> str:
    """Return config/program.toml with every example taken in."""
    return EXAMPLE.sub("", (ROOT / Path("config/program.toml")).read_text(encoding="utf-8"))


def sound() -> dict[str, Any]:
    """Return that programme as a table, with a calendar of its own instead of a file."""
    table = tomllib.loads(uncommented())
    del table["holiday_files"]
    table["holidays"] = {"cn": {"new year": dt.date(2027, 1, 1)}}
    return table


class Fault(NamedTuple):
    code: str
    changes: dict[str, object]
    """Value by place, such as ``tiers.0.earn_points``; DELETED takes it out."""
    key: str = ""
    """Where it is found, when that is not the first place that was changed."""

    def table(self) -> dict[str, Any]:
        table = sound()
        for path, value in self.changes.items():
            _change(table, path, value if value is DELETED else copy.deepcopy(value))
        return table

    def place(self) -> str:
        first = next(iter(self.changes))
        return self.key or re.sub(r"\.(\d+)", r"[\1]", first)


def _change(table: dict[str, Any], path: str, value: object) -> None:
    place: Any = table
    *way, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    for part in way:
        place = place[part]
    if value is DELETED:
        del place[last]
    elif isinstance(place, list) and last == len(place):
        place.append(value)
    else:
        place[last] = value


NEVER = {"from": dt.datetime(2027, 1, 2), "to": dt.datetime(2027, 1, 1)}  # noqa: DTZ001 - local by intent
EVER = {"from": dt.datetime(1, 1, 1)}  # noqa: DTZ001 - local by intent
MONDAY = {"from": dt.datetime(2027, 1, 4), "to": dt.datetime(2027, 1, 5)}  # noqa: DTZ001 - local by intent
SATURDAYS = {"id": "saturdays", "weekdays": ["sat"]}
OFF = {"type": "amount", "off_minor": 100}
NAME = {"en": "A name"}


def promotion(**more: object) -> dict[str, object]:
    return {"id": "p", "benefit": OFF, "name": NAME, **more}


def clause(**more: object) -> list[list[dict[str, object]]]:
    return [[{"metric": "spend", "at_least": 100000, **more}]]


def reach(**more: object) -> dict[str, object]:
    return {"tiers.1.reach": clause(**more), "tiers.1.from_spend_minor": 0}


FAULTS = [
    # shape
    Fault("PROGRAM_KEY_UNKNOWN", {"colour": "red"}),
    Fault("PROGRAM_KEY_NEAR", {"tiers.0.earn_point": 1}),
    Fault("PROGRAM_KEY_MISSING", {"tiers.0.id": DELETED}, "tiers[0]"),
    Fault("PROGRAM_TYPE", {"voucher_days": "thirty"}),
    Fault("PROGRAM_VALUE", {"expiry.month": 13}),
    Fault("PROGRAM_CHOICE_UNKNOWN", {"money.rounding": "sometimes"}),
    Fault("PROGRAM_CHOICE_UNKNOWN", {"expiry.mode": "soon"}),
    Fault("PROGRAM_CHOICE_UNKNOWN", {"promotions.0.benefit.type": "amuont"}),
    # the frame
    Fault("PROGRAM_VERSION_EMPTY", {"version": ""}),
    Fault("PROGRAM_CURRENCY_UNKNOWN", {"currency": "RMB"}),
    Fault("PROGRAM_TIMEZONE_UNKNOWN", {"timezone": "Asia/Shangai"}),
    Fault("PROGRAM_EXPIRY_COUNT", {"expiry.count": 100_000}),
    Fault("PROGRAM_EXPIRY_INACTIVITY", {"expiry": {"mode": "inactivity"}}, "expiry.count"),
    Fault("PROGRAM_EXPIRY_COUNT_USELESS", {"expiry": {"mode": "never", "count": 3}}, "expiry.count"),
    Fault("PROGRAM_EXPIRY_DAY_USELESS", {"expiry.month": 6}),
    Fault("PROGRAM_TRUST_FALLS", {"trust.l2_points_per_day": 10}),
    Fault("PROGRAM_OFFLINE_HOURS", {"offline.lease_hours": 12}),
    Fault("PROGRAM_HOLIDAYS_UNKNOWN", {"windows.2.holidays": "mars"}),
    Fault("PROGRAM_HOLIDAYS_EMPTY", {"holidays.cn": {}}, "windows[2].holidays"),
    # numbers
    Fault("PROGRAM_NUMBER_NEGATIVE", {"unsettled_points": -1}),
    Fault("PROGRAM_NUMBER_NEGATIVE", {"rewards.0.cost_points": -(2**63)}),
    Fault("PROGRAM_NUMBER_ZERO", {"tiers.0.earn_per_minor": 0}),
    Fault("PROGRAM_NUMBER_RANGE", {"voucher_days": 10**9}),
    Fault("PROGRAM_NUMBER_RANGE", {"rewards.0.value_minor": 2**63 - 1}),
    Fault("PROGRAM_NUMBER_RANGE", {"active_from": dt.datetime(9999, 12, 31, tzinfo=dt.UTC)}),
    Fault("PROGRAM_NUMBER_RANGE", {"promotions.0.when": EVER}, "promotions[0].when.from"),
    Fault("PROGRAM_PERCENT_OVER", {"tiers.1.discount_bp": 12_000}),
    Fault("PROGRAM_PERCENT_OVER", {"points_as_cash.max_pct": 150}),
    Fault("PROGRAM_HOLDOUT_ALL", {"campaigns.0.holdout_pct": 100}),
    Fault("PROGRAM_CAP_ZERO", {"coupons.1.benefit.cap_minor": 0}),
    Fault("PROGRAM_CAP_ZERO", {"earning.per_order": 0}),
    # what is named is there
    Fault("PROGRAM_ID_EMPTY", {"rewards.0.id": ""}),
    Fault("PROGRAM_ID_TWICE", {"rewards.0.id": "tote"}, "rewards[1].id"),
    Fault("PROGRAM_ID_TWICE", {"coupons.0.id": "full-200", "membership.welcome.coupon": "full-200",
                               "birthday.gain.coupon": "full-200"}),
    Fault("PROGRAM_ID_FORM", {"rewards.0.id": "cup/of/tea"}),
    Fault("PROGRAM_ID_TAKEN", {"promotions.0.id": "tier"}),
    Fault("PROGRAM_NAME_EMPTY", {"tiers.0.name": {"en": ""}}),
    Fault("PROGRAM_TIER_UNKNOWN", {"rewards.0.tiers": ["platinum"]}, "rewards[0].tiers[0]"),
    Fault("PROGRAM_TIER_UNKNOWN", {"check_in.gifts.0.tier": "platinum"}),
    Fault("PROGRAM_CAMPAIGN_UNKNOWN", {"promotions.0.when.campaign": "spring"}),
    Fault("PROGRAM_WINDOW_UNKNOWN", {"promotions.0.when.window": "noon"}),
    Fault("PROGRAM_COUPON_UNKNOWN", {"membership.welcome.coupon": "hello"}),
    Fault("PROGRAM_ENTITLEMENT_UNKNOWN", {"tiers.2.benefits": ["sauna"]}, "tiers[2].benefits[0]"),
    Fault("PROGRAM_GIFT_UNKNOWN", {"check_in.gain.gift": "balloon"}),
    Fault("PROGRAM_GIFT_HAS_PRICE", {"check_in.gain.gift": "coffee"}),
    Fault("PROGRAM_GIFT_ENDLESS", {"rewards.0.cost_points": 0, "check_in.gain.gift": "coffee"}, "rewards[0]"),
    Fault("PROGRAM_SCOPE_EMPTY", {"promotions.1.scope.except_categories": ["home"]}),
    Fault("PROGRAM_ROLLING_DAYS", {"missions.0.repeat.window": "rolling"}, "missions[0].repeat.days"),
    Fault("PROGRAM_DAYS_USELESS", {"missions.0.repeat.days": 5}),
    Fault("PROGRAM_DAYS_USELESS", {"birthday.days": 5}),
    # what holds at times can hold
    Fault("PROGRAM_NEVER_OPEN", {"promotions.0.when": NEVER}, "promotions[0].when.to"),
    Fault("PROGRAM_NEVER_OPEN", {"coupons.0.valid_to": NEVER["to"], "coupons.0.valid_from": NEVER["from"]}),
    Fault("PROGRAM_WINDOW_NEVER_MET", {"promotions.0.when": {**MONDAY, "window": "saturdays"},
                                       "windows.3": SATURDAYS}, "promotions[0].when.window"),
    Fault("PROGRAM_COUPON_ENDS_EARLY", {"coupons.0.valid_to": NEVER["to"],
                                        "coupons.0.when": {"from": NEVER["from"]}}),
    # tiers
    Fault("PROGRAM_TIERS_NONE", {"tiers": []}),
    Fault("PROGRAM_TIER_FIRST", {"tiers.0.from_spend_minor": 5}, "tiers[0]"),
    Fault("PROGRAM_TIER_REACH_TWICE", {"tiers.1.reach": clause()}, "tiers[1]"),
    Fault("PROGRAM_TIER_UNREACHABLE", {"tiers.1.from_spend_minor": 0}, "tiers[1]"),
    Fault("PROGRAM_TIER_VALID_TWICE", {"tiers.1.valid_days": 365, "tiers.1.valid_until": "end_of_next_year"}),
    Fault("PROGRAM_TIER_GROUP_EMPTY", {"tiers.1.reach": [[]], "tiers.1.from_spend_minor": 0},
          "tiers[1].reach[0]"),
    Fault("PROGRAM_TIER_VISITS", reach(metric="visits", at_least=8, window="week"),
          "tiers[1].reach[0][0].at_least"),
    Fault("PROGRAM_TIER_NO_GROWTH", {**reach(metric="growth"), "tiering.growth_per_minor": 0},
          "tiers[1].reach[0][0].metric"),
    Fault("PROGRAM_TIER_NO_REFERRAL", {**reach(metric="referrals", at_least=3), "referral": DELETED},
          "tiers[1].reach[0][0].metric"),
    Fault("PROGRAM_REFEREES_LIFETIME", reach(metric="referees", at_least=3, window="month", reached="gold"),
          "tiers[1].reach[0][0].window"),
    Fault("PROGRAM_CHOICE_UNKNOWN", reach(metric="referees", at_least=3, reached="silver"),
          "tiers[1].reach[0][0].reached"),
    Fault("PROGRAM_REACHED_USELESS", reach(reached="gold"), "tiers[1].reach[0][0].reached"),
    Fault("PROGRAM_TIERS_NOT_RISING", {"tiers.2.from_spend_minor": 100000}, "tiers[2]"),
    # earning
    Fault("PROGRAM_RULE_HIDDEN", {"earning.rules.0.priority": 20}, "earning.rules[1]"),
    Fault("PROGRAM_RULE_UNKNOWN", {"earning.multipliers.0.rules": ["toys"]},
          "earning.multipliers[0].rules[0]"),
    Fault("PROGRAM_MULTIPLIER_ONE", {"earning.multipliers.0.milli": 1000}),
    Fault("PROGRAM_FLAT_ENDLESS", {"earning.flats.0": {"id": "f", "points": 5},
                                   "earning.per_member_day": DELETED}),
    Fault("PROGRAM_BUDGET_USELESS", {"earning.multipliers": [], "earning.flats": []},
          "earning.campaign_budget"),
    Fault("PROGRAM_EARN_EXCEEDS_SPEND", {"points_as_cash.unit_minor": 10_000}, "points_as_cash"),
    # prices
    Fault("UNIT_EXCEEDS_MAX", {"points_as_cash.max_points": 50}),
    Fault("PROGRAM_MIN_EXCEEDS_MAX", {"points_as_cash.min_points": 60_000}),
    Fault("PROGRAM_MIN_EXCEEDS_MAX", {"points_as_cash.min_points": 500, "points_as_cash.max_points": 500,
                                      "points_as_cash.unit_points": 300}),
    Fault("PROGRAM_LANE", {"promotions.0.lane": 4}),
    Fault("PROGRAM_SOLO_COMBINES", {"promotions.0.solo": True, "promotions.0.combines": ["line"]},
          "promotions[0].combines"),
    Fault("PROGRAM_MIN_ABOVE_BAND", {"promotions.0.benefit.below_minor": 30000,
                                     "promotions.0.min_minor": 30000},
          "promotions[0].min_minor"),
    Fault("PROGRAM_BAND_EMPTY", {"promotions.0.benefit.below_minor": 20000}),
    Fault("PROGRAM_OFF_EXCEEDS_THRESHOLD", {"promotions.0.benefit.off_minor": 20000}),
    Fault("PROGRAM_CAP_BELOW_STEP", {"promotions.0.benefit": {
        "type": "every_threshold", "at_minor": 9000, "off_minor": 900, "cap_minor": 500}},
        "promotions[0].benefit.cap_minor"),
    Fault("PROGRAM_BUNDLE_EMPTY", {"promotions.0.benefit": {
        "type": "bundle", "parts": [{}], "price_minor": 1}},
          "promotions[0].benefit.parts[0]"),
    Fault("PROGRAM_CLAIMABLE_NO_CODE", {"coupons.0.claimable": True}),
    Fault("PROGRAM_LIMIT_ABOVE_TOTAL", {"coupons.0.total": 5, "coupons.0.per_member": 6},
          "coupons[0].per_member"),
    Fault("PROGRAM_GROUP_OF_ONE", {"coupons.0.group": "lonely"}),
    Fault("PROGRAM_CODE_TWICE", {"coupons.0.code": "HELLO", "coupons.1.code": "HELLO"}, "coupons[1].code"),
    Fault("PROGRAM_CLASS_UNKNOWN", {"coupons.0.combines": ["magic"]}, "coupons[0].combines[0]"),
    Fault("PROGRAM_CLASS_ONE_WAY", {"promotions.0.combines": ["line"], "promotions.1.combines": []},
          "promotions[0].combines[0]"),
    # rewards
    Fault("PROGRAM_REWARD_FREE", {"rewards.0.cost_points": 0}),
    Fault("PROGRAM_EVENT_ONLY", {"rewards.0.attend_points": 5}),
    Fault("PROGRAM_GRANTS_USELESS", {"rewards.0.grants": "welcome"}),
    Fault("PROGRAM_GRANTS_UNKNOWN", {"rewards.0.kind": "draw", "rewards.0.grants": "whel"},
          "rewards[0].grants"),
    Fault("PROGRAM_REWARD_ABOVE_TRUST", {"rewards.0.cost_points": 1_000_001}),
    Fault("PROGRAM_REWARD_UNAFFORDABLE", {"rewards.3.cost_points": 1801, "earning.per_member_day": 4}),
    Fault("PROGRAM_REWARD_WORTH_MORE", {"rewards.0.value_minor": 100_000}),
    # stored value and returns
    Fault("PROGRAM_BONUS_TWICE", {"stored_value.top_up.0.bonus_bp": 100}),
    Fault("PROGRAM_TOP_UP_TWICE", {"stored_value.top_up.1.pay_minor": 20000}),
    Fault("PROGRAM_BONUS_EXCEEDS_PAID", {"stored_value.top_up.1.bonus_minor": 50000},
          "stored_value.top_up[1]"),
    Fault("PROGRAM_TOP_UP_FALLS", {"stored_value.top_up.1.bonus_minor": 500}, "stored_value.top_up[1]"),
    Fault("PROGRAM_TOP_UP_ABOVE_MAX", {"stored_value.max_top_up_minor": 40000},
          "stored_value.top_up[1].pay_minor"),
    Fault("PROGRAM_TOP_UP_ABOVE_BALANCE", {"stored_value.max_balance_minor": 54999},
          "stored_value.top_up[1].pay_minor"),
    Fault("PROGRAM_GRACE_MISSING", {"returns.restore_expired": "grace_days"}, "returns.grace_days"),
    Fault("PROGRAM_GRACE_USELESS", {"returns.grace_days": 5}),
    # members
    Fault("PROGRAM_GATE_OPEN", {"membership.gate_minor": 5000}),
    Fault("PROGRAM_GATE_ZERO", {"membership.gate": "single_spend"}, "membership.gate_minor"),
    Fault("PROGRAM_REFERRAL_FARMED", {"referral.referrer.points": 10_000}, "referral.min_sale_minor"),
    Fault("PROGRAM_REFERRAL_UNCAPPED", {"referral.join_points": 5, "referral.per_month": DELETED}),
    Fault("PROGRAM_BIRTHDAY_WIDE", {"birthday.window": "days", "birthday.days": 200}, "birthday.days"),
    Fault("PROGRAM_GIFT_TIER_TWICE", {"check_in.gifts.1": {"tier": "gold", "gain": {"points": 1}}},
          "check_in.gifts[1].tier"),
    Fault("PROGRAM_STREAK_TWICE", {"check_in.streaks.0.days": 1}),
    Fault("PROGRAM_MISSION_IMPOSSIBLE", {"missions.0.at_least": 31}),
    Fault("PROGRAM_MISSION_NO_CHECK_IN", {"missions.0.metric": "check_ins", "check_in": DELETED}),
    Fault("PROGRAM_MISSION_NO_REFERRAL", {"missions.0.metric": "referrals", "referral": DELETED}),
    Fault("PROGRAM_GAIN_EMPTY", {"missions.0.gain": {}}),
    Fault("PROGRAM_UNITS_USELESS", {"entitlements.0.units": 60}),
    Fault("PROGRAM_EARLY_ACCESS_HALF", {"entitlements.0.skus": ["x"]}, "entitlements[0].public_from"),
    Fault("PROGRAM_CAMPAIGN_TIER", {"campaigns.0.trigger": "tier"}, "campaigns[0].tier"),
    Fault("PROGRAM_CAMPAIGN_TIER_USELESS", {"campaigns.0.tier": "gold"}),
    Fault("PROGRAM_CAMPAIGN_NEVER", {"campaigns.0.trigger": "none"}),
    Fault("PROGRAM_PARTNER_LOOP", {"partners.0.in_to": 4}, "partners[0]"),
    # games
    Fault("PROGRAM_LOTTERY_WEIGHTS", {"lotteries.0.prizes.0.weight": 0, "lotteries.0.prizes.1.weight": 0},
          "lotteries[0].prizes"),
    Fault("PROGRAM_LOTTERY_FALLBACK", {"lotteries.0.fallback": "sorry"}),
    Fault("PROGRAM_LOTTERY_FALLBACK_STOCK", {"lotteries.0.fallback": "hundred"}),
    Fault("PROGRAM_LOTTERY_COMMIT", {"lotteries.0.commit": "secret"}),
    Fault("PROGRAM_LOTTERY_PAYS", {"lotteries.0.prizes.0.weight": 90}, "lotteries[0].cost_points"),
    Fault("PROGRAM_LOTTERY_ENDLESS", {"lotteries.0.cost_points": 0, "lotteries.0.limit": DELETED}),
    Fault("PROGRAM_SURVEY_EMPTY", {"surveys.0.questions": []}),
    Fault("PROGRAM_ANSWERS_FEW", {"surveys.0.questions.0.answers": [NAME]}),
    Fault("PROGRAM_ANSWER_RANGE", {"surveys.0.questions.0.right": 2}),
    Fault("PROGRAM_QUIZ_NO_RIGHT", {"surveys.0.points_per_right": 5}),
]  # fmt: skip

"""A programme in which everything is to be had, and the articles of its shop."""

from __future__ import annotations

from typing import Any

TOWEL, PHONE, TEA, APPLES, BOTTLE, VOUCHER = "towel", "phone", "tea", "apples", "bottle", "giftcard"

ARTICLES: tuple[dict[str, Any], ...] = (
    {"sku": TOWEL, "name": "Towel", "price": 12, "category": "home"},
    {"sku": PHONE, "name": "Phone", "price": 299, "category": "phone", "member_price": 289},
    {"sku": TEA, "name": "Tea", "price": "3.33", "category": "food"},
    {"sku": APPLES, "name": "Apples", "price": "9.98", "category": "food", "flags": ["weighed"]},
    {"sku": BOTTLE, "name": "Bottle deposit", "price": 2, "category": "deposit", "flags": ["deposit"]},
    {"sku": VOUCHER, "name": "Gift card", "price": 50, "category": "cards", "flags": ["no_points"]},
)


def _named(id_: str, **more: Any) -> dict[str, Any]:
    return {"id": id_, "name": {"en": id_.title()}, **more}


PROGRAM: dict[str, Any] = {
    "version": "life-1",
    "currency": "CNY",
    "unsettled_points": 300,
    "point_value_micro": 1_000_000,
    "expiry": {"mode": "months", "count": 2},
    "trust": {"l1_points_per_day": 4000, "l2_points_per_day": 20_000},
    "money": {"cash_rounding_minor": 10, "manual_discount_max_bp": 2000},
    "tiers": [
        _named("base"),
        _named(
            "silver",
            multiplier_milli=1200,
            discount_bp=300,
            reach=[
                [{"metric": "spend", "at_least": 50_000, "window": "rolling", "days": 30}],
                [{"metric": "visits", "at_least": 4, "window": "rolling", "days": 60}],
            ],
            valid_days=45,
            benefits=["lounge"],
        ),
        _named("gold", multiplier_milli=1500, discount_bp=500, from_spend_minor=200_000, benefits=["lounge"]),
    ],
    "tiering": {"visit_min_minor": 1000, "growth_per_minor": 100},
    "earning": {
        "delay_days": 0,
        "per_order": 2000,
        "rules": [
            {"id": "all", "points": 1, "per_minor": 100},
            {
                "id": "food",
                "points": 2,
                "per_minor": 100,
                "priority": 5,
                "scope": {"categories": ["food"]},
            },
        ],
        "multipliers": [
            _named("birthday", milli=2000, when={"birthday": True}),
            _named("evening", milli=1500, when={"window": "evening"}),
        ],
    },
    "windows": [{"id": "evening", "start": "17:00", "end": "22:00"}],
    "points_as_cash": {"unit_points": 10, "unit_minor": 10, "min_points": 20, "max_pct": 50},
    "stored_value": {
        "top_up": [{"pay_minor": 5000, "bonus_minor": 500}, {"pay_minor": 20_000, "bonus_minor": 4000}],
        "bonus_expiry": {"mode": "days", "count": 20},
        "max_balance_minor": 200_000,
        "max_top_up_minor": 100_000,
        "close_fee_minor": 100,
        "offline_top_up_per_day_minor": 50_000,
    },
    "promotions": [
        _named("third", benefit={"type": "n_for_m", "buy": 2, "get": 1}, scope={"skus": [TEA]}),
        _named("full-600", benefit={"type": "threshold", "at_minor": 60_000, "off_minor": 5000}),
    ],
    "coupons": [
        _named("ten", benefit={"type": "amount", "off_minor": 1000}, valid_days=30, per_member=4, total=9),
        _named("fifth", benefit={"type": "percent", "rate_bp": 2000, "cap_minor": 3000}, valid_days=10),
        _named(
            "public",
            benefit={"type": "amount", "off_minor": 300},
            code="HELLO",
            claimable=True,
            per_member=2,
            total=5,
        ),
        _named(
            "gift",
            benefit={"type": "gift_item", "sku": TEA, "name": "Tea", "shadow_minor": 333},
            min_minor=2000,
        ),
    ],
    "rewards": [
        {"id": "cup", "title": {"en": "Cup"}, "cost_points": 30, "stock": 6},
        {
            "id": "tea",
            "title": {"en": "Tea"},
            "cost_points": 20,
            "cost_minor": 100,
            "per_member": {"times": 2, "window": "month"},
        },
        {
            "id": "paper",
            "title": {"en": "Coupon"},
            "cost_points": 15,
            "kind": "coupon",
            "grants": "fifth",
        },
        {"id": "seat", "title": {"en": "Concert"}, "cost_points": 10, "kind": "event", "stock": 3},
        {
            "id": "sample",
            "title": {"en": "Sample"},
            "cost_points": 0,
            "stock": 4,
            "per_member": {"times": 3},
        },
        {
            "id": "room",
            "title": {"en": "Room"},
            "cost_points": 25,
            "kind": "entitlement",
            "grants": "room",
        },
    ],
    "membership": {"welcome": {"points": 50, "coupon": "ten"}, "staff_points_per_day": 2000},
    "referral": {
        "referrer": {"points": 40},
        "referee": {"points": 20},
        "join_points": 5,
        "per_month": 3,
        "min_sale_minor": 2000,
    },
    "birthday": {"window": "week", "gain": {"points": 60}},
    "check_in": {
        "gain": {"points": 2},
        "gifts": [{"tier": "silver", "gain": {"gift": "sample"}}],
        "streaks": [{"days": 3, "gain": {"points": 7}}],
    },
    "surveys": [
        _named(
            "taste",
            questions=[{"id": "q1", "text": {"en": "Sweet?"}, "answers": [{"en": "Yes"}, {"en": "No"}]}],
            gain={"points": 15},
        )
    ],
    "shares": [_named("story", points=8, limit={"times": 1, "window": "day"})],
    "entitlements": [
        _named("lounge", limit={"times": 2, "window": "month"}),
        _named("room", limit={"times": 1, "window": "day"}),
    ],
    "lotteries": [
        _named(
            "wheel",
            cost_points=20,
            fallback="none",
            limit={"times": 5, "window": "day"},
            prizes=[
                _named("big", weight=100, gain={"points": 100}, stock=2),
                _named("coupon", weight=200, gain={"coupon": "fifth"}),
                _named("none", weight=700),
            ],
        )
    ],
    "partners": [
        _named("air", out_from=3, out_to=2, in_from=1, in_to=1, price_minor=1, overdraft="allow"),
    ],
    "returns": {"window_days": 14},
}


def table(timezone: str = "Asia/Shanghai") -> dict[str, Any]:
    """Return the programme as a parsed file would hold it."""
    return {**PROGRAM, "timezone": timezone}

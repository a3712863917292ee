"""What one tap asks of the rules at its worst: a member with thousands of lots and hundreds of coupons."""

from __future__ import annotations

import datetime as dt
import time

from tapledger.loyalty import program as programs
from tapledger.loyalty import summary
from tapledger.loyalty.coupons import couponing
from tapledger.loyalty.effects import Coupon, Lot
from tapledger.loyalty.members import Member
from tapledger.loyalty.program import Program
from tapledger.loyalty.rewards.redeeming import Redeem

LOTS, COUPONS, REWARDS, TEMPLATES, VISITS = 5000, 200, 20, 20, 400
ROUNDS = 300
NOW = dt.datetime(2026, 5, 4, 4, 0, tzinfo=dt.UTC)


def summaries_ms() -> list[float]:
    """Return how long the summary took each time, sorted: balance, tier, each reward and each coupon."""
    program, member = _program(), _member()
    context = {
        reward.id: Redeem(reward.id, "", "", trust=3, evidence="", stock_left=5, unsettled_points=0)
        for reward in program.rewards
    }
    times = []
    for _ in range(ROUNDS):
        began = time.thread_time_ns()
        summary.summarize(member, context, program, NOW)
        couponing.view(member, program, NOW)
        times.append((time.thread_time_ns() - began) / 1e6)
    return sorted(times)


def _program() -> Program:
    name = {"en": "Name"}
    return programs.load(
        {
            "version": "1",
            "currency": "CNY",
            "timezone": "Asia/Shanghai",
            "tiers": [
                {"id": "base", "name": name},
                {
                    "id": "gold",
                    "name": name,
                    "reach": [[{"metric": "spend", "window": "rolling", "days": 365, "at_least": 10**9}]],
                },
            ],
            "rewards": [
                {"id": f"reward-{i}", "title": name, "cost_points": 50 + 5000 * i, "stock": 10}
                for i in range(REWARDS)
            ],
            "coupons": [
                {
                    "id": f"coupon-{i}",
                    "name": name,
                    "benefit": {"type": "percent", "rate_bp": 500 + i},
                    "min_minor": 1000 * i,
                    "valid_days": 30,
                }
                for i in range(TEMPLATES)
            ],
        }
    )


def _member() -> Member:
    day, today = dt.timedelta(days=1), NOW.toordinal()
    lots = tuple(Lot(f"lot-{i}", 10, 10, NOW - day, NOW + day * (1 + i % 700)) for i in range(LOTS))
    coupons = tuple(
        Coupon(f"c-{i}", f"coupon-{i % TEMPLATES}", NOW - day, NOW + day * (i % 40 - 5))
        for i in range(COUPONS)
    )
    days = {today - i: 100 for i in range(VISITS)}
    return Member("m-1", NOW - day * 800, lots=lots, coupons=coupons, tallies={"spend": days, "sales": days})

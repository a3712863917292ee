"""How the engine's time grows: with promotions that do not apply, and with coupons to choose among."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

from benchmarks import engine_workload
from benchmarks.engine_workload import NOON, SEED
from tapledger.loyalty.conditions import Scope
from tapledger.loyalty.pricing import (
    Basket,
    BasketLine,
    ChosenCoupon,
    Compiled,
    Moment,
    Shopper,
    best,
    price,
)
from tapledger.loyalty.program import Tier
from tapledger.loyalty.program.prices import Money
from tapledger.loyalty.promotions import Benefit, Promotion
from tapledger.loyalty.promotions.amount import Amount
from tapledger.loyalty.promotions.every_threshold import EveryThreshold
from tapledger.loyalty.promotions.free_item import FreeItem
from tapledger.loyalty.promotions.percent import Percent
from tapledger.loyalty.promotions.threshold import Threshold

COPIES = 10
"""Of each promotion of the workload: 50 become more than 500."""
ROUNDS = 5
SAMPLE = 1000
CHOICES, COUPONS, LINES = 150, 12, 20


def growth(listed: Sequence[dict[str, Any]], asked: Sequence[tuple[Basket, Shopper, Moment]]) -> float:
    """Return the time with ten copies of each promotion over the time without, on the same baskets.

    The copies are for articles, codes, tiers and sums that no basket has, so the same ones apply.
    """
    few = engine_workload.programme(listed)
    many = engine_workload.programme([*listed, *copies(listed)])
    sample = asked[:SAMPLE]
    ratios = []
    for _ in range(ROUNDS):
        ratios.append(_pass_ns(many, sample) / _pass_ns(few, sample))
    return median(ratios)


def copies(listed: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    made = []
    for copy in range(1, COPIES + 1):
        for one in listed:
            if one["kind"] == "points":
                continue
            other = {**one, "id": f"{one['id']}-{copy}"}
            for key in ("cat", "code", "tier"):
                if key in one:
                    other[key] = f"{one[key]}-{copy}"
            if "lo" in one:
                other["lo"], other["hi"] = one["lo"] + 10**9 * copy, one["hi"] + 10**9 * copy
            made.append(other)
    return made


def _pass_ns(compiled: Compiled, asked: Sequence[tuple[Basket, Shopper, Moment]]) -> int:
    for basket, member, moment in asked:
        price(basket, member, compiled, moment)
    began = time.thread_time_ns()
    for basket, member, moment in asked:
        price(basket, member, compiled, moment)
    return time.thread_time_ns() - began


def combinations_ms() -> list[float]:
    """Return how long each of some choices took: with rules of exclusion, their costs, hints and reasons."""
    rolls = random.Random(SEED)
    compiled = Compiled(
        currency="CNY",
        zone=ZoneInfo("Asia/Shanghai"),
        tiers=[Tier("normal", {"en": "Member"})],
        promotions=[
            Promotion(f"full-{n}", Threshold(20_000 * n, 2000 * n, 20_000 * (n + 1)), group="full")
            for n in range(1, 5)
        ],
        money=Money(max_coupons=COUPONS),
    )
    times = []
    for number in range(CHOICES):
        exclusive = number % 2 == 0
        basket = Basket(
            tuple(_line(rolls, i) for i in range(LINES)),
            coupons=tuple(_coupon(rolls, i, exclusive) for i in range(COUPONS)),
        )
        began = time.thread_time_ns()
        best(basket, Shopper("m", "normal"), compiled, Moment(NOON))
        times.append((time.thread_time_ns() - began) / 1e6)
    return times


def _line(rolls: random.Random, number: int) -> BasketLine:
    price_minor, quantity = rolls.randint(300, 29_900), rolls.choice((1000, 2000))
    return BasketLine(f"s{number}", "Article", quantity, price_minor, 1300, rolls.choice("abcd"))


def _coupon(rolls: random.Random, number: int, exclusive: bool) -> ChosenCoupon:
    benefits: list[Benefit] = [
        Amount(rolls.randint(500, 5000)),
        Percent(rolls.randint(300, 1500)),
        Percent(rolls.randint(1000, 3000), rolls.randint(1000, 6000)),
        Threshold(rolls.randint(20_000, 90_000), rolls.randint(1000, 6000)),
        EveryThreshold(10_000, rolls.randint(300, 900)),
        FreeItem(),
    ]
    terms = Promotion(
        f"t{number:02d}",
        rolls.choice(benefits),
        scope=Scope(categories=[rolls.choice("abcd")]) if rolls.random() < 0.4 else Scope(),
        priority=rolls.randrange(4),
        group=rolls.choice(["", "", "", "one", "two"]) if exclusive else "",
        combines=rolls.choice([None, None, None, ["line", "order"]]) if exclusive else None,
        solo=exclusive and rolls.random() < 0.08,
    )
    return ChosenCoupon(f"c{number:02d}", terms)

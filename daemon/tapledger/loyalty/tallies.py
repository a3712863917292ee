"""Tallies: what a member did, counted by key and local day.

One idea serves metrics of tiers (``spend``, ``visit``, ``growth``), limits (``reward/coffee``,
``trust/points``) and keys that count once (``birthday/2026``, ``survey/s1``). Days are proleptic ordinals.
A return counts the same day again with the opposite sign, so sums are right in any order of events.
"""

from __future__ import annotations

from tapledger.loyalty.effects import Tallied

SPEND = "spend"
"""Qualifying spend in minor units, net of returns."""
SALES = "sales"
"""Qualifying sales; a visit is a day that has one."""
GROWTH = "growth"
EARNED = "earned"
"""Points earned by sales, for the cap of a day."""
TRUST = "trust"
"""Points redeemed by a credential that only identifies, by day."""

KEPT_DAYS = 800
"""Days kept one by one behind a key's newest; older ones may be summed up in ``BEFORE``. ``SALES`` keeps its
days: lifetime visits are how many there are."""
BEFORE = 0

Tallies = dict[str, dict[int, int]]


STOCKED = ("reward/", "coupon/", "prize/", "budget/")
"""Keys of which this shop has only so many to give out (``coupons.claiming``)."""
ALLOTTED = ("reward/", "prize/")
"""Those that central divides among the computers of a shop (``rewards.allotting``)."""


def of_reward(reward: str) -> str:
    return f"reward/{reward}"


def of_coupon(template: str) -> str:
    """Return the key that counts the coupons of a template that were issued or claimed."""
    return f"coupon/{template}"


def of_prize(lottery: str, prize: str) -> str:
    return f"prize/{lottery}/{prize}"


def of_overlapse(pool: str) -> str:
    """Return the key of what was booked as lapsed of a pool and had been spent in time (X10)."""
    return f"overlapse/{pool}"


def of_draws(lottery: str) -> str:
    return f"draw/{lottery}"


def add(tallies: Tallies, news: Tallied) -> Tallies:
    """Return the tallies with one more; sums of windows are the same whatever order they are added in.

    What sums up to nothing is not kept: a hold that is released leaves no trace.
    """
    days = dict(tallies.get(news.key, {}))
    days[news.day] = days.get(news.day, 0) + news.amount
    if not days[news.day]:
        del days[news.day]
    if not days:
        return {key: kept for key, kept in tallies.items() if key != news.key}
    oldest = max(days) - KEPT_DAYS
    if news.key != SALES and len(days) > KEPT_DAYS // 2:
        for day in [day for day in days if BEFORE < day < oldest]:
            days[BEFORE] = days.get(BEFORE, 0) + days.pop(day)
    return {**tallies, news.key: days}


def total(tallies: Tallies, key: str, since: int | None = None, until: int | None = None) -> int:
    """Return the sum of a key over the days ``since <= day <= until``; over a lifetime without them."""
    days = tallies.get(key)
    if not days:
        return 0
    newest = max(days)
    if since is None and (until is None or newest <= until):
        return sum(days.values())
    first, last = (since or BEFORE), (until or newest)
    return sum(amount for day, amount in days.items() if first <= day <= last)


def days_counted(tallies: Tallies, key: str, since: int | None = None, until: int | None = None) -> int:
    """Return on how many days of the window a key was counted: visits are days with a qualifying sale."""
    days = tallies.get(key, {})
    return sum(
        amount > 0 and day >= (since or BEFORE) and (until is None or day <= until)
        for day, amount in days.items()
    )

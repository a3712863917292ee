"""Whether the engine is right on the whole workload: equal to the oracle, close to what is not rounded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks import engine_workload, plain_loop
from tapledger.loyalty.pricing import Basket, Moment, Priced, Shopper
from tests.loyalty import oracle

MINOR_OF_POINT = 100
"""Of net spend for one point in the workload."""


@dataclass(frozen=True, slots=True)
class Exactness:
    equal_to_oracle: int
    """Baskets with the same discounts, shares, tax and points as the slow oracle."""
    off_the_unrounded: int
    """Baskets farther from the plain loop than one minor unit for each discount applied."""
    points_off: int
    """Baskets with other points though the net is not that close to a whole step."""
    discounts: int
    farthest_minor: float


def compare(
    listed: Sequence[dict[str, Any]],
    baskets: Sequence[dict[str, Any]],
    asked: Sequence[tuple[Basket, Shopper, Moment]],
    priced: Sequence[Priced],
) -> Exactness:
    rules = engine_workload.rules(listed)
    equal = off = points_off = discounts = 0
    farthest = 0.0
    for basket, (ours, member, moment), sale in zip(baskets, asked, priced, strict=True):
        equal += _equal(sale, oracle.price(ours, member, rules, moment))
        lines, points = plain_loop.evaluate(list(listed), basket)
        exact, mine = sum(lines.values()), sum(one.amount_minor for one in sale.discounts)
        tolerance = len(sale.discounts)
        off += abs(exact - mine) > tolerance
        farthest = max(farthest, abs(exact - mine))
        discounts += tolerance
        into_step = (sum(line["price"] * line["qty"] for line in basket["lines"]) - exact) % MINOR_OF_POINT
        certain = min(into_step, MINOR_OF_POINT - into_step) > tolerance
        points_off += certain and points != sale.earned
    return Exactness(equal, off, points_off, discounts, round(farthest, 3))


def _equal(sale: Priced, slow: oracle.Result) -> bool:
    return (
        [(one.id, one.amount_minor, one.shares) for one in sale.discounts] == slow.discounts
        and [line.net_minor for line in sale.lines] == slow.left
        and [line.tax_minor for line in sale.lines] == slow.tax
        and (sale.total_minor, sale.earned) == (slow.total, slow.earned)
    )

"""Several articles together for one price."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import msgspec

from tapledger.loyalty.facts import Reason
from tapledger.loyalty.promotions.protocol import Rule, Slate, Taken, by_unit_value, value_of_units

MAX_BUNDLES = 1000
"""In one order, whatever the programme says."""


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``count`` units of these articles."""

    skus: list[str] = []
    categories: list[str] = []
    count: int = 1


class Bundle(Rule, frozen=True, tag="bundle"):
    """One unit set of ``parts`` for ``price_minor``; the dearest units that fit go into a bundle first.

    Parts are filled in their order, so an article that fits two of them serves the earlier one.
    """

    lane: ClassVar[int] = 2
    parts: list[Part]
    price_minor: int
    max_bundles: int = MAX_BUNDLES

    def take(self, slate: Slate, lines: Sequence[int], left: int, basis: int) -> Taken | None:
        of, dearest = slate.articles, by_unit_value(slate, lines)[::-1]
        fits = [
            [i for i in dearest if of[i].sku in part.skus or of[i].category in part.categories]
            for part in self.parts
        ]
        free = {i: slate.units(i) for i in dearest}
        used: dict[int, int] = {}
        best: Taken | None = None
        for number in range(1, min(self.max_bundles, MAX_BUNDLES) + 1):
            for part, candidates in zip(self.parts, fits, strict=True):
                if not _fill(part.count, candidates, free, used):
                    return best
            worth = value_of_units(slate, used)
            taken = None if worth is None else _less(worth, number * self.price_minor)
            if taken is None or (best is not None and _no_more(taken, best)):
                return best
            best = taken
        return best

    def reason(
        self, promotion: str, basis_minor: int, amount_minor: int, rounding_bp: int, currency: str
    ) -> Reason:
        return Reason(
            "DISCOUNT_BUNDLE",
            {
                "promotion": promotion,
                "basis_minor": basis_minor,
                "price_minor": self.price_minor,
                "rounding_bp": rounding_bp,
                "amount_minor": amount_minor,
                "currency": currency,
            },
        )


def _fill(count: int, candidates: list[int], free: dict[int, int], used: dict[int, int]) -> bool:
    """Move units from ``free`` to ``used``; on False both are of no more use."""
    for i in candidates:
        moved = min(count, free[i])
        if moved:
            free[i] -= moved
            used[i] = used.get(i, 0) + moved
            count -= moved
        if not count:
            return True
    return False


def _less(worth: Taken, price_minor: int) -> Taken | None:
    """Take off what the units are worth beyond the price, in proportion to their worth."""
    whole, denominator, weights, _ = worth
    off = whole - price_minor * denominator
    if off <= 0:
        return None
    assert weights is not None
    return off * whole, denominator * whole, {i: weight * off for i, weight in weights.items()}, None


def _no_more(one: Taken, other: Taken) -> bool:
    return one[0] * other[1] <= other[0] * one[1]

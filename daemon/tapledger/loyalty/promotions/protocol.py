"""What every kind of benefit is: its settings, and how much it takes off the lines it is about.

Amounts stay exact fractions until the pipeline rounds each discount once. To add a kind: one file beside this
one, and its name in the union of ``promotions/promotion.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import lcm
from typing import ClassVar, Protocol

import msgspec

from tapledger.loyalty.facts import Reason, SaleLine


class Named(Protocol):
    """What a scope can name of an article."""

    @property
    def sku(self) -> str: ...
    @property
    def category(self) -> str: ...


class Article(Named, Protocol):
    """What a benefit needs to know of a line that does not change while it is priced."""

    @property
    def weighed(self) -> bool: ...


class Slate:
    """A basket while it is being priced: what is left to pay of each line, and what never changes."""

    __slots__ = ("articles", "goods", "gross", "gross_total", "left", "left_total", "milli")

    def __init__(
        self,
        articles: Sequence[Article],
        gross: list[int],
        milli: list[int],
        goods: list[int],
        left: list[int],
    ) -> None:
        self.articles = articles
        self.gross = gross
        """List price of each line's whole quantity, or the price set by hand."""
        self.milli = milli
        self.goods = goods
        """Numbers of the lines that discounts may touch: no deposits, nothing of price zero."""
        self.left = left
        self.left_total = self.gross_total = sum([gross[i] for i in goods])
        """Of the goods; whoever changes ``left`` changes it too."""

    def branch(self) -> Slate:
        """Return a slate whose ``left`` can change on its own."""
        copy = object.__new__(Slate)
        copy.articles, copy.gross, copy.milli = self.articles, self.gross, self.milli
        copy.goods, copy.gross_total = self.goods, self.gross_total
        copy.left, copy.left_total = self.left.copy(), self.left_total
        return copy

    def stand_at(self, left: list[int]) -> None:
        """Go to another state of what is left; the list is the slate's from now on."""
        self.left = left
        self.left_total = sum([left[i] for i in self.goods])

    def units(self, line: int) -> int:
        """Return how many whole pieces a line has; weighed goods have none."""
        return 0 if self.articles[line].weighed else self.milli[line] // 1000


Taken = tuple[int, int, dict[int, int] | None, int | None]
"""How much a benefit takes off: ``(numerator, denominator, weights, cap_minor)``.

Exactly numerator / denominator minor units, at most the cap. ``weights`` are the exact parts of lines in
units of 1 / denominator; None shares by what is left of each line. A bare tuple, because one is made for
every benefit that is tried.
"""


class Kind(Protocol):
    """What every kind adds to ``Rule``; one without it does not pass mypy, wherever a ``Benefit`` is used."""

    def take(self, slate: Slate, lines: Sequence[int], left: int, basis: int) -> Taken | None:
        """Return what it takes off ``lines``; None when it does not apply.

        ``left`` > 0 is what is left to pay of them together; ``basis`` is what thresholds look at (R15), and
        lies inside the band.
        """

    def reason(
        self, promotion: str, basis_minor: int, amount_minor: int, rounding_bp: int, currency: str
    ) -> Reason:
        """Say by what arithmetic it took off what it took.

        ``basis_minor`` is what it was reckoned on: what was left to pay of its lines, or what its threshold
        looked at; ``rounding_bp`` what rounding added, in ten-thousandths of a minor unit.
        """


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type"):
    """Base of every kind of benefit; ``type`` in the programme names the kind."""

    lane: ClassVar[int] = 3
    """2 for benefits of single articles, 3 for those of the whole order; a promotion may say otherwise."""

    def band(self) -> tuple[int, int | None]:
        """Return from which basis on it can apply at all, and from which on no more."""
        return 0, None

    def next_at(self, basis: int) -> int | None:
        """Return the next basis at which it takes more off; None where there is none."""
        at, _ = self.band()
        return at if basis < at else None

    def most(self: Kind, slate: Slate, lines: Sequence[int], left: int, basis: int) -> int:
        """Return an upper bound of what it takes off when less is left than now.

        ``basis`` is at least the band's begin, and may lie beyond its end.
        """
        taken = self.take(slate, lines, left, basis)
        if taken is None:
            return 0
        numerator, denominator, _, cap = taken
        amount = -(-numerator // denominator)
        return amount if cap is None else min(amount, cap)

    def gift(self, promotion: str) -> SaleLine | None:
        """Return the line that it adds, where it adds one."""
        return None


def value_of_units(slate: Slate, counts: dict[int, int], rate_bp: int = 10_000) -> Taken | None:
    """Take a rate off so many units of some lines, each at what is left of its line for one unit."""
    left, milli = slate.left, slate.milli
    whole = lcm(*[milli[i] for i in counts])
    weights = {i: left[i] * count * 1000 * (whole // milli[i]) * rate_bp for i, count in counts.items()}
    total = sum(weights.values())
    return (total, whole * 10_000, weights, None) if total else None


def by_unit_value(slate: Slate, lines: Sequence[int]) -> list[int]:
    """Return the lines that have whole units, cheapest unit first; equal ones in the order of the basket."""
    counted = [i for i in lines if slate.units(i)]
    whole = lcm(*[slate.milli[i] for i in counted])
    return sorted(counted, key=lambda i: slate.left[i] * (whole // slate.milli[i]))

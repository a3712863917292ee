"""Who a campaign leaves out to be compared with, and what it brought, with how sure we are (3.24)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from fractions import Fraction
from math import isqrt

from tapledger.errors import Invalid
from tapledger.loyalty.money import divide, divide_half_up

_Z_SQUARED = Fraction(196, 100) ** 2
"""95 % of a normal distribution lie within 1.96 deviations."""
_ROOT_SCALE = 10**12
MAX_PEOPLE = 10**9


def bucket(campaign: str, member: str) -> int:
    """Return the member's place in a campaign, 0 to 99: the same at every shop, also offline."""
    digest = hashlib.sha256(campaign.encode() + b"\0" + member.encode()).digest()
    return int.from_bytes(digest[:8], "big") % 100


def is_held_out(campaign: str, member: str, holdout_pct: int) -> bool:
    """Tell whether a member is in the control group; assigned when the benefit is issued, and stored."""
    return bucket(campaign, member) < holdout_pct


@dataclass(frozen=True, slots=True)
class Uplift:
    """What a campaign changed. Rates in basis points, half-up; ``low`` and ``high`` bound 95 %, outwards."""

    targeted_bp: int
    control_bp: int
    uplift_bp: int
    low_bp: int
    high_bp: int
    incremental_buyers: int
    """Who would not have bought without it: the exact uplift times the targeted, half-up."""

    @property
    def is_certain(self) -> bool:
        """Whether something may be claimed: the interval has one sign."""
        return self.low_bp > 0 or self.high_bp < 0


def uplift(targeted: int, targeted_bought: int, control: int, control_bought: int) -> Uplift:
    """Compare buyers among the targeted with those among the control group, exactly.

    The interval is Newcombe's, made of the two Wilson intervals; it holds for small groups too.
    """
    for people, bought in ((targeted, targeted_bought), (control, control_bought)):
        if not (0 < people <= MAX_PEOPLE and 0 <= bought <= people):
            raise Invalid("CAMPAIGN_COUNTS_IMPOSSIBLE", people=people, bought=bought)
    with_it, without = Fraction(targeted_bought, targeted), Fraction(control_bought, control)
    gain = with_it - without
    least_with, most_with = wilson(targeted_bought, targeted)
    least_without, most_without = wilson(control_bought, control)
    low = gain - _root((with_it - least_with) ** 2 + (most_without - without) ** 2)
    high = gain + _root((most_with - with_it) ** 2 + (without - least_without) ** 2)
    return Uplift(
        targeted_bp=_half_up(with_it * 10_000),
        control_bp=_half_up(without * 10_000),
        uplift_bp=_half_up(gain * 10_000),
        low_bp=_down(low * 10_000),
        high_bp=-_down(-high * 10_000),
        incremental_buyers=_half_up(gain * targeted),
    )


def wilson(hits: int, people: int) -> tuple[Fraction, Fraction]:
    """Return the 95 % interval of a share of people."""
    spread = _root(_Z_SQUARED * (Fraction(hits * (people - hits), people) + _Z_SQUARED * Fraction(1, 4)))
    middle, whole = hits + _Z_SQUARED * Fraction(1, 2), people + _Z_SQUARED
    return max(Fraction(0), Fraction(middle - spread, whole)), min(
        Fraction(1), Fraction(middle + spread, whole)
    )


@dataclass(frozen=True, slots=True)
class Return:
    """What the uplift was worth, in minor units, and what is left of each unit spent on it."""

    margin_minor: int
    """What the targeted brought above what as many of the control group brought, half-up."""
    profit_minor: int
    roi_bp: int | None
    """Profit per cost; None when it cost nothing."""


def returns(
    targeted: int, targeted_margin_minor: int, control: int, control_margin_minor: int, cost_minor: int
) -> Return:
    """Reckon the incremental margin of a campaign and its return on cost."""
    if targeted <= 0 or control <= 0:
        raise Invalid("CAMPAIGN_COUNTS_IMPOSSIBLE", people=min(targeted, control), bought=0)
    margin = _half_up(targeted_margin_minor - Fraction(control_margin_minor * targeted, control))
    profit = margin - cost_minor
    return Return(margin, profit, divide_half_up(profit * 10_000, cost_minor) if cost_minor > 0 else None)


def _root(square: Fraction) -> Fraction:
    """Return the square root, at most 10**-12 too large."""
    scaled = square.numerator * _ROOT_SCALE**2 // square.denominator
    return Fraction(isqrt(scaled) + 1 if square else 0, _ROOT_SCALE)


def _half_up(value: Fraction) -> int:
    return divide(value.numerator, value.denominator, "half_up")


def _down(value: Fraction) -> int:
    return value.numerator // value.denominator

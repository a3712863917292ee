"""Integer money: exponents, rounding and allocation that neither loses nor invents a unit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from tapledger.errors import Invalid
from tapledger.loyalty import currencies

MAX_AMOUNT_MINOR = 10**12
"""No single amount is larger; keeps every sum far inside 64 bits."""

Rounding = Literal["half_up", "half_even", "down", "up"]
"""``half_up`` takes exactly .5 away from zero, ``half_even`` to the even neighbour; ``down`` is towards zero
and ``up`` away from it, so that an amount and its reversal are always rounded alike."""


def is_currency(code: str) -> bool:
    """Tell whether a code is an active ISO 4217 currency that things can be priced in."""
    return code in currencies.CODES


def exponent(currency: str) -> int:
    """Return how many decimals the minor unit of an ISO 4217 currency has."""
    return currencies.EXPONENTS.get(currency, 2)


class Money(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An amount that knows its currency: adding up two currencies is refused, never converted."""

    minor: int
    currency: str

    def __add__(self, other: Money) -> Money:
        return Money(self.minor + other.in_currency(self.currency), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.minor - other.in_currency(self.currency), self.currency)

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def in_currency(self, currency: str) -> int:
        """Return the minor units; raise ``Invalid`` when they are of another currency."""
        if self.currency != currency:
            raise Invalid("CURRENCY_MISMATCH", currency=self.currency, expected=currency)
        return self.minor


def divide(numerator: int, denominator: int, mode: Rounding) -> int:
    """Return numerator / denominator rounded by ``mode``; exact for any size; denominator > 0."""
    if denominator <= 0:
        raise ValueError("the denominator must be above 0")
    whole, rest = divmod(abs(numerator), denominator)
    match mode:
        case "down":
            up = False
        case "up":
            up = rest > 0
        case "half_up":
            up = 2 * rest >= denominator
        case "half_even":
            up = 2 * rest > denominator or (2 * rest == denominator and whole % 2 == 1)
    return (whole + up) * (-1 if numerator < 0 else 1)


def divide_half_up(numerator: int, denominator: int) -> int:
    """Return numerator / denominator rounded half away from zero; denominator > 0."""
    sign = -1 if numerator < 0 else 1
    return sign * ((2 * abs(numerator) + denominator) // (2 * denominator))


def to_cash(amount_minor: int, step_minor: int) -> int:
    """Return what to add to an amount so that coins can pay it: the signed way to the nearest multiple.

    Half-up; -2 for 1002 in steps of 5. It is recorded as its own tender line, outside every basis (X7).
    """
    return divide_half_up(amount_minor, step_minor) * step_minor - amount_minor


def allocate(weights: Sequence[int], total: int) -> list[int]:
    """Share ``total`` in proportion to ``weights`` >= 0; the shares sum to it exactly.

    Largest remainder (Hamilton); ties go to the lowest index; all-zero weights count as equal. For
    0 <= total <= sum(weights) no share exceeds its weight.
    """
    if not weights:
        raise ValueError("nothing to allocate to")
    if total < 0:
        return [-share for share in allocate(weights, -total)]
    whole = sum(weights)
    if whole == 0:
        weights, whole = [1] * len(weights), len(weights)
    shares = [total * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(total * weights[i] % whole), i))
    for index in by_remainder[: total - sum(shares)]:
        shares[index] += 1
    return shares

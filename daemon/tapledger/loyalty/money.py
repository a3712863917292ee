"""Integer money: exponents, rounding and allocation that neither loses nor invents a unit."""

from __future__ import annotations

from collections.abc import Sequence

MAX_AMOUNT_MINOR = 10**12
"""No single amount is larger; keeps every sum far inside 64 bits."""

_EXPONENTS = {
    **dict.fromkeys(
        [
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "UYI",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ],
        0,
    ),
    **dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3),
    **dict.fromkeys(["CLF", "UYW"], 4),
}


def exponent(currency: str) -> int:
    """Return how many decimals the minor unit of an ISO 4217 currency has."""
    return _EXPONENTS.get(currency, 2)


def divide_half_up(numerator: int, denominator: int) -> int:
    """Return numerator / denominator rounded half away from zero; denominator > 0."""
    sign = -1 if numerator < 0 else 1
    return sign * ((2 * abs(numerator) + denominator) // (2 * denominator))


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


def tax_within(gross_minor: int, rate_bp: int) -> int:
    """Return the tax inside a tax-inclusive amount, half-up; 1300 bp is 13 %."""
    return divide_half_up(gross_minor * rate_bp, 10_000 + rate_bp)

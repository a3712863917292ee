"""Rounding once and sharing out exactly: the two steps by which every discount reaches its lines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from tapledger.loyalty import money

Rounded = Callable[[int, int], int]
"""``(numerator, denominator)`` to a whole number; both are not negative."""


def rounding(mode: money.Rounding) -> Rounded:
    return _half_up if mode == "half_up" else partial(money.divide, mode=mode)


def _half_up(numerator: int, denominator: int) -> int:
    return (2 * numerator + denominator) // (2 * denominator)


def share(left: list[int], lines: Sequence[int], total: int, amount: int) -> list[int]:
    """Share ``amount`` over ``lines`` by what is left of each; ``total`` > 0 is their sum.

    The same as ``money.allocate``, without its checks: this runs for every discount of every basket.
    """
    if len(lines) == 1:
        return [amount]
    products = [amount * left[i] for i in lines]
    shares = [product // total for product in products]
    short = amount - sum(shares)
    if short:
        rests = [product % total for product in products]
        for place in sorted(range(len(rests)), key=rests.__getitem__, reverse=True)[:short]:
            shares[place] += 1
    return shares


def share_by(weights: Sequence[int], limits: Sequence[int], amount: int) -> list[int]:
    """Share by exact parts, where rounding up may give a line more than is left of it: the next one takes it.

    ``amount`` is at most the sum of ``limits``.
    """
    shares = share(list(weights), range(len(weights)), sum(weights), amount)
    over = 0
    for place, limit in enumerate(limits):
        if shares[place] > limit:
            over += shares[place] - limit
            shares[place] = limit
    for place, limit in enumerate(limits):
        if not over:
            break
        more = min(over, limit - shares[place])
        shares[place] += more
        over -= more
    return shares


def taxes(nets: list[int], rates_bp: Sequence[int], exclusive: bool) -> list[int]:
    """Return each line's share of tax: once for each rate of the order, half-up, then shared (X7)."""
    rates = set(rates_bp)
    if len(rates) == 1:
        return _tax(nets, range(len(nets)), rates_bp[0], exclusive)
    found = [0] * len(nets)
    for rate in rates:
        lines = [i for i, of in enumerate(rates_bp) if of == rate]
        for i, part in zip(lines, _tax(nets, lines, rate, exclusive), strict=True):
            found[i] = part
    return found


def _tax(nets: list[int], lines: Sequence[int], rate_bp: int, exclusive: bool) -> list[int]:
    total = sum([nets[i] for i in lines])
    if not total or not rate_bp:
        return [0] * len(lines)
    tax = _half_up(total * rate_bp, 10_000 if exclusive else 10_000 + rate_bp)
    return share(nets, lines, total, tax)

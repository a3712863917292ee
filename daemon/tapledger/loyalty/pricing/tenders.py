"""What paying changes: which part of each line a tender paid, and that bonus money earns nothing."""

from __future__ import annotations

import msgspec

from tapledger.loyalty import money
from tapledger.loyalty.pricing.basket import Moment, Priced, Shopper
from tapledger.loyalty.pricing.compiled import Compiled
from tapledger.loyalty.pricing.earning import Earned, earn


def paid_shares(priced: Priced, amount_minor: int, tax_exclusive: bool) -> tuple[int, ...]:
    """Return what a tender paid of each line, shared by what each line costs (3.3, X2)."""
    due = [line.net_minor + (line.tax_minor if tax_exclusive else 0) for line in priced.lines]
    return tuple(money.allocate(due, amount_minor))


def with_tenders(
    priced: Priced, bonus_minor: int, shopper: Shopper | None, compiled: Compiled, moment: Moment
) -> Priced:
    """Return the sale as it earns when stored-value bonus pays ``bonus_minor`` of it."""
    if not bonus_minor or compiled.earning.on_bonus_part:
        return priced
    shares = paid_shares(priced, bonus_minor, compiled.tax_exclusive)
    lines = tuple(
        msgspec.structs.replace(line, basis_minor=max(0, line.basis_minor - part))
        for line, part in zip(priced.lines, shares, strict=True)
    )
    return earn_again(msgspec.structs.replace(priced, lines=lines), shopper, compiled, moment)


def earn_again(priced: Priced, shopper: Shopper | None, compiled: Compiled, moment: Moment) -> Priced:
    """Return the sale as it earns for a member in another state: the tier it lifts them to (``tier_at``)."""
    earned = earn_on(priced, shopper, compiled, moment)
    return msgspec.structs.replace(
        priced,
        earned=earned.points,
        earn=earned.facts,
        reasons=earned.reasons,
        bonus_points=earned.bonus,
        flats=earned.flats,
    )


def earn_on(priced: Priced, shopper: Shopper | None, compiled: Compiled, moment: Moment) -> Earned:
    return earn(priced.lines, [line.basis_minor for line in priced.lines], shopper, compiled, moment)

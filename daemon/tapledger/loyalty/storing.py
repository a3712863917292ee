"""Stored value: which lots pay, topping up, taking that back, and closing a card (section 3.12b)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal

from tapledger.errors import Invalid, Refused
from tapledger.loyalty import lots, members, money
from tapledger.loyalty.effects import BONUS, PRINCIPAL, LotTake
from tapledger.loyalty.members import Member

SpendOrder = Literal["proportional", "principal_first", "bonus_first"]


@dataclass(frozen=True, slots=True)
class Split:
    """The lots of each pool that pay an amount."""

    principal: tuple[LotTake, ...]
    bonus: tuple[LotTake, ...]

    @property
    def principal_minor(self) -> int:
        return lots.taken_amount(self.principal)

    @property
    def bonus_minor(self) -> int:
        return lots.taken_amount(self.bonus)


def split(
    member: Member,
    amount_minor: int,
    order: SpendOrder,
    now: dt.datetime,
    currency: str,
    *,
    principal_limit_minor: int | None = None,
) -> Split:
    """Name the lots of stored value that pay an amount; raise ``Refused`` with what there is.

    ``proportional`` shares by the totals of the two pools; inside a pool the earliest expiry pays first.
    ``principal_limit_minor`` is what a shop may spend without central: only principal, and only so much.
    """
    if not 0 <= amount_minor <= money.MAX_AMOUNT_MINOR:
        raise Invalid("AMOUNT_IMPOSSIBLE", sku="value")
    have = members.as_of(member, now).lots
    principal = members.value(member, PRINCIPAL, now)
    bonus = members.value(member, BONUS, now)
    if principal_limit_minor is not None:
        principal, bonus = min(principal, principal_limit_minor), 0
    if amount_minor > principal + bonus:
        raise Refused("INSUFFICIENT", available_minor=principal + bonus, currency=currency)
    match order:
        case "proportional":
            of_principal = money.allocate([principal, bonus], amount_minor)[0]
        case "principal_first":
            of_principal = min(principal, amount_minor)
        case "bonus_first":
            of_principal = amount_minor - min(bonus, amount_minor)
    return Split(
        lots.take(have, of_principal, now, PRINCIPAL),
        lots.take(have, amount_minor - of_principal, now, BONUS),
    )

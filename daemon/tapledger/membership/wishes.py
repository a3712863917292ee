"""How a basket is paid besides money, as the cashier asks for it; each wish is checked against its quote."""

from __future__ import annotations

import msgspec

from tapledger.errors import Invalid, Refused
from tapledger.membership.basket import Basket
from tapledger.membership.quoting import Quoted

replace = msgspec.structs.replace


def toggle(basket: Basket, quoted: Quoted, number: int) -> Basket:
    """Take a coupon into the choice or out of it, by its number in the list; it is the cashier's choice then.

    Raises ``Refused`` COUPON_USELESS for one that takes nothing off this basket.
    """
    if not 1 <= number <= len(quoted.coupons):
        raise Invalid("CHOICE_UNKNOWN", number=number)
    one = quoted.coupons[number - 1]
    now = [choice.id for choice in quoted.coupons if choice.chosen]
    if one.id in now:
        now.remove(one.id)
    elif one.usable:
        now.append(one.id)
    else:
        raise Refused("COUPON_USELESS")
    return replace(basket, coupons=tuple(now))


def pay_with_points(basket: Basket, quoted: Quoted, points: int | None) -> Basket:
    """Pay with points: None is all that can be used, 0 is none after all; refuse more than can be used."""
    room = quoted.points
    if points is None:
        points = room.points
        if room.refusal is not None:
            raise Refused(room.refusal.code, **room.refusal.data)
    if points < 0:
        raise Invalid("POINTS_IMPOSSIBLE")
    if points > room.points:
        raise Refused("POINTS_TOO_MANY", points=room.points)
    return replace(basket, points=points)


def pay_with_value(basket: Basket, quoted: Quoted, amount_minor: int | None, currency: str) -> Basket:
    """Pay with stored value: None is as much as the basket needs, 0 is none; refuse more than there is."""
    room = quoted.value
    if amount_minor is None:
        amount_minor = room.usable_minor
    if amount_minor < 0:
        raise Invalid("AMOUNT_IMPOSSIBLE", sku="value")
    if amount_minor and not room.usable_minor and room.why_not is not None:
        raise Refused(room.why_not.code, **room.why_not.data)
    if amount_minor > room.usable_minor:
        raise Refused("VALUE_TOO_MUCH", available_minor=room.usable_minor, currency=currency)
    return replace(basket, value_minor=amount_minor)

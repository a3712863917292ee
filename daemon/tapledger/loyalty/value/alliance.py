"""Points between programmes: what an exchange gives, and what the shops owe each other for it (3.21)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from tapledger.errors import Refused
from tapledger.loyalty.money import divide_half_up


@dataclass(frozen=True, slots=True)
class Exchange:
    """What leaves one programme, what arrives in the other, and what stays."""

    taken: int
    given: int
    stays: int


def exchange(points: int, out_from: int, out_to: int) -> Exchange:
    """Turn every full ``out_from`` points into ``out_to`` of the partner's; the remainder stays."""
    lots, stays = divmod(points, out_from)
    return Exchange(points - stays, lots * out_to, stays)


def balance_after(
    balance_points: int, redeemed: int, earned: int, overdraft: Literal["allow", "deny"]
) -> int:
    """Return a shop's account after it redeemed (a credit) and gave out (a debit) points of the alliance.

    With ``deny``, a shop cannot give out more than it has redeemed or paid in.
    """
    after = balance_points + redeemed - earned
    if overdraft == "deny" and after < 0 and earned > redeemed:
        raise Refused("ALLIANCE_OVERDRAFT", points=-after)
    return after


def settle(accounts: Mapping[str, int], price_minor: int, price_points: int) -> dict[str, int]:
    """Return what each shop is due (owes, when negative) for its points account, in minor units.

    ``price_points`` points are worth ``price_minor``. The amounts sum to the half-up value of all accounts
    together, so that what shops owe each other cancels out to the last unit: by largest remainder, ties by
    shop id.
    """
    shops = sorted(accounts)
    parts = {shop: divmod(accounts[shop] * price_minor, price_points) for shop in shops}
    whole = divide_half_up(sum(accounts.values()) * price_minor, price_points)
    left = whole - sum(amount for amount, _ in parts.values())
    rounded_up = set(sorted(shops, key=lambda shop: -parts[shop][1])[:left])
    return {shop: parts[shop][0] + (shop in rounded_up) for shop in shops}

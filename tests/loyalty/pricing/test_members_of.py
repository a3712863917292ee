"""Prices and points that depend on who asks, and the best of what they have."""

from __future__ import annotations

from tapledger.loyalty.conditions import Condition
from tapledger.loyalty.pricing import Basket, Shopper, best
from tapledger.loyalty.program import Tier
from tapledger.loyalty.program.earning import Earning, EarnRule, Flat, Multiplier
from tapledger.loyalty.promotions.amount import Amount
from tapledger.loyalty.promotions.gift_item import GiftItem
from tests.loyalty.pricing.givens import (
    MEMBER,
    NOW,
    coupon,
    of,
    priced,
    promotion,
    rules,
)


def test_rules_multipliers_and_flats_for_a_segment_are_for_its_members() -> None:
    vips = Condition(segments=["vip"])
    earning = Earning(
        rules=[EarnRule("vip", 5, 100, when=vips, priority=1), EarnRule("all", 1, 100)],
        multipliers=[Multiplier("x", 2000, when=vips)],
        flats=[Flat("f", 1000, when=vips)],
    )
    vip = Shopper("m", "normal", segments=frozenset({"vip", "other"}))
    stranger = Shopper("m", "normal", segments=frozenset({"other"}))
    assert [priced(of(1000), rules(earning=earning), one).earned for one in (vip, stranger)] == [1100, 10]


def test_gifts_worth_more_than_the_basket_are_compared_whole() -> None:
    dear = coupon(promotion("x", GiftItem("tv", "TV", 9000), solo=True, priority=-1))
    both = (coupon(promotion("y", GiftItem("mug", "Mug", 8000))), coupon(promotion("z", Amount(2000))))
    found = best(Basket(of(5000), coupons=(dear, *both)), MEMBER, rules(), NOW)
    assert (found.coupons, found.saving_minor) == (("coupon-y", "coupon-z"), 10_000)


def test_the_best_is_priced_for_the_member_who_asked() -> None:
    tiers = (Tier("normal", {"en": "N"}, discount_bp=1000),)
    basket = Basket(of(5000), coupons=(coupon(promotion("a", Amount(500))),))
    found = best(basket, MEMBER, rules(tiers=tiers), NOW)
    assert (found.priced.total_minor, found.priced.earned) == (4000, 40)

"""New rules on old sales: the same rules cost the same, and each change shows what it would have cost."""

from __future__ import annotations

from fractions import Fraction

import msgspec
import pytest

from tapledger.loyalty.decisions import Decision
from tapledger.loyalty.effects import Coupon
from tapledger.loyalty.facts import Tender
from tapledger.loyalty.insight.what_if import Cost, Replay, point_value
from tapledger.loyalty.members import Member
from tapledger.loyalty.pricing import ManualDiscount
from tapledger.loyalty.program import Program, Template
from tapledger.loyalty.program.earning import Earning, EarnRule, Flat
from tapledger.loyalty.program.prices import PointsAsCash
from tapledger.loyalty.promotions.amount import Amount
from tapledger.loyalty.promotions.gift_item import GiftItem
from tapledger.loyalty.promotions.percent import Percent
from tapledger.loyalty.promotions.promotion import Promotion
from tapledger.loyalty.sales.selling import Sale, Wants, decide_sale
from tests.loyalty.givens import DAY, NOON, line, lot, member, program

OLD = program(
    points_as_cash=PointsAsCash(100, 100),
    earning=Earning([EarnRule("r", 1, 100)]),
    promotions=[
        Promotion("half", Percent(5000), code="HALF"),
        Promotion("gift", GiftItem("g", "Gift", 250), min_minor=20_000),
    ],
    coupons=[Template("ten", Amount(1000))],
)


def sell(who: Member | None, minor: int, wants: Wants | None = None, number: int = 0) -> Decision:
    asked = wants or Wants()
    order = Sale(
        f"s-{number}", (line(minor),), (Tender("cash", minor),), f"lot-{number}", "x", trust=3, wants=asked
    )
    return decide_sale(who, order, OLD, NOON + number * DAY)


def life() -> list[Decision]:
    """Play a member who buys plainly, with a coupon, a code, points, a discount by hand and a gift."""
    who = msgspec.structs.replace(
        member(lot("l", 5000)), coupons=(Coupon("c-1", "ten", NOON, NOON + 90 * DAY),)
    )
    wants = [
        Wants(),
        Wants(coupons=("c-1",)),
        Wants(codes=("HALF",)),
        Wants(points=500),
        Wants(manual=ManualDiscount("goodwill", off_minor=300)),
    ]
    done = []
    for number, asked in enumerate(wants):
        done.append(sell(who, 8000 + number, asked, number))
        assert done[-1].after is not None
        who = done[-1].after
    done.append(sell(who, 30_000, None, len(wants)))
    done.append(sell(None, 5000, None, len(wants) + 1))
    return done


def replay(new: Program, events: list[Decision] | None = None) -> Replay:
    played = Replay(new)
    for done in events or life():
        played.see(done.body, counts=True)
    return played


def test_the_same_rules_cost_the_same_whatever_was_used() -> None:
    played = replay(OLD)
    assert (played.sales, played.unpriced) == (7, 0)
    assert played.before == played.after
    # The coupon, half of 80.02 and the gift; neither what staff took off nor what points paid.
    assert played.before.off_minor == 1000 + 4001 + 250
    assert {old == new for old, new in played.by_member.values()} == {True}


@pytest.mark.parametrize(
    ("change", "off_minor"),
    [
        ({"coupons": [Template("ten", Amount(1500))]}, 500),
        ({"coupons": []}, -1000),
        ({"promotions": []}, -4001 - 250),
        ({"promotions": [Promotion("half", Percent(2500), code="HALF")]}, -2000 - 250),
    ],
)
def test_each_change_of_prices_shows(change: dict[str, object], off_minor: int) -> None:
    played = replay(msgspec.structs.replace(OLD, **change))
    assert played.after.off_minor - played.before.off_minor == off_minor


def test_doubled_points_cost_double() -> None:
    played = replay(msgspec.structs.replace(OLD, earning=Earning([EarnRule("r", 2, 100)])))
    assert played.after.points == 2 * played.before.points
    (change,) = played.by_member.values()
    assert change == (played.before, played.after), "an unknown customer is nobody's gain"


def test_what_is_given_once_is_given_once_in_the_replay_too() -> None:
    flat = Flat("hello", 50, once="lifetime")
    played = replay(msgspec.structs.replace(OLD, earning=Earning([EarnRule("r", 1, 100)], flats=[flat])))
    assert played.after.points - played.before.points == 50


def test_tiers_are_those_that_the_new_rules_see_in_what_members_did() -> None:
    tiers = [OLD.tiers[0], msgspec.structs.replace(OLD.tiers[1], from_spend_minor=15_000, discount_bp=1000)]
    played = replay(msgspec.structs.replace(OLD, tiers=tiers, promotions=[], coupons=[]))
    # 80.00 and 70.01 (after the coupon) make silver at 150.00: the four sales after it are 10 % off.
    assert played.after.off_minor == 800 + 800 + 800 + 3000


def test_sales_that_do_not_count_still_change_the_member() -> None:
    events = life()
    played = Replay(OLD)
    for done in events[:-2]:
        played.see(done.body, counts=False)
    assert (played.sales, played.by_member) == (0, {})
    played.see(events[-2].body, counts=True)
    assert (played.sales, played.before) == (1, played.after)


def test_a_points_value_is_what_the_programme_says_or_what_it_pays() -> None:
    assert point_value(OLD) == 1
    assert point_value(msgspec.structs.replace(OLD, point_value_micro=500_000)) == Fraction(1, 2)
    assert point_value(program()) == 0
    assert Cost(3, 100).minor(Fraction(1, 2)) == 102, "half-up"

"""Returns and voids: the numbered examples, tenders, points, gifts, and what is refused (loyalty.md 3.13)."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

import msgspec
import pytest

from tapledger.errors import Invalid, Refused, TapledgerError
from tapledger.loyalty import members, tallies
from tapledger.loyalty.effects import BONUS, PRINCIPAL, Coupon
from tapledger.loyalty.facts import Tender
from tapledger.loyalty.program.coupons import Template
from tapledger.loyalty.program.tiers import Tiering
from tapledger.loyalty.program.values import Returns
from tapledger.loyalty.promotions import Promotion
from tapledger.loyalty.promotions.amount import Amount
from tapledger.loyalty.sales.selling import Wants
from tests.loyalty.counter import Counter, by_kind, goods, rules, value, weighed
from tests.loyalty.givens import DAY, NOON, earning, lot, member, program

BASKET = (goods(9900, sku="a"), goods(4990, sku="b"), goods(2500, sku="c"))
"""G18."""


def g18(**returns: Any) -> Counter:
    """Basket G18: 30.00 off, then 2000 points of 2000."""
    off = Promotion(id="minus30", benefit=Amount(off_minor=3000))
    counter = Counter(member(lot("savings", 2000)), rules(promotions=[off], returns=Returns(**returns)))
    counter.sell(BASKET, wants=Wants(points=2000))
    return counter


def returning(counter: Counter, *lines: tuple[int, int], **more: Any) -> TapledgerError:
    before = counter.member
    with pytest.raises(TapledgerError) as refused:
        counter.back(*lines, **more)
    assert counter.member is before
    return refused.value


# ---- the numbered examples --------------------------------------------------------------------------------
def test_G18_is_what_the_next_examples_start_from() -> None:
    counter = g18()
    facts = counter.sold().facts
    assert [line.net_minor for line in facts.lines] == [7053, 3555, 1782]
    assert [line.points_minor for line in facts.lines] == [1139, 574, 287]
    assert (facts.earned, counter.points().available) == (123, 123)


@pytest.mark.parametrize(("grams", "clawed"), [(1000, 0), (5000, 1), (10_000, 1), (20_000, 2), (21_900, 2)])
def test_G68_claws_as_if_the_rest_alone_had_been_sold(grams: int, clawed: int) -> None:
    counter = Counter(member(), earning(1, 1000))
    assert counter.sell([weighed(100, 21_900)]).earned == 2
    assert counter.back((0, grams)).clawed == clawed


def test_G68_ten_small_returns_keep_no_points() -> None:
    counter = Counter(member(), earning(1, 1000))
    counter.sell([weighed(100, 21_900)])
    assert [counter.back((0, 2190)).clawed for _ in range(10)] == [1, 0, 0, 0, 0, 1, 0, 0, 0, 0]
    assert counter.points().available == 0


def test_defect_refund_split_into_small_pieces_keeps_points() -> None:
    counter = Counter(member(), earning(1, 1000))
    counter.sell([goods(219, pieces=10)])
    assert sum(counter.back((0, 1000)).clawed for _ in range(10)) == 2


@pytest.mark.parametrize(
    ("negative", "forgiven", "available", "deficit"), [("clamp", 100, 0, 0), ("deficit", 0, 0, 100)]
)
def test_G71_what_was_spent_is_forgiven_or_owed(
    negative: Literal["clamp", "deficit"], forgiven: int, available: int, deficit: int
) -> None:
    counter = Counter(member(), rules(returns=Returns(negative=negative)))
    counter.sell([goods(15_000)], id_="first")
    first = counter.sale
    counter.sell([goods(100)], wants=Wants(points=100), id_="second")
    counter.sale, counter.returned = first, []
    facts = counter.back((0, 1000))
    assert (facts.clawed, facts.forgiven) == (150, forgiven)
    assert (counter.points().available, counter.points().deficit) == (available, deficit)
    with pytest.raises(Refused, match="RETURN_TOO_MUCH"):
        counter.back((0, 1000))


def test_what_was_forgiven_is_taken_by_the_next_return_that_can() -> None:
    counter = Counter(member(), rules(returns=Returns(negative="clamp")))
    counter.sell([goods(10_000), goods(5000)], id_="first")
    first = counter.sale
    counter.sell([goods(100)], wants=Wants(points=100), id_="spent")
    counter.sale, counter.returned = first, []
    assert (counter.back((0, 1000)).forgiven, counter.points().available) == (50, 0)
    returned = counter.returned
    counter.sell([goods(20_000)], id_="later")
    counter.sale, counter.returned = first, returned
    facts = counter.back((1, 1000))
    assert (facts.clawed, facts.forgiven) == (50, -50)
    assert counter.points().available == 200 - 100


def test_G72_one_line_comes_back() -> None:
    counter = g18()
    facts = counter.back((1, 1000))
    assert (facts.refund_minor, facts.restored, facts.clawed) == (3555, 574, 35)
    assert counter.points().available == 123 - 35 + 574


# ---- points -----------------------------------------------------------------------------------------------
def test_defect_refund_leaves_points() -> None:
    """Buying and returning again and again gives nothing."""
    counter = Counter(member(), rules())
    for _ in range(5):
        counter.sell([goods(10_000)])
        counter.back((0, 1000))
    assert counter.points() == members.Points(0, 0, 0, 0, None)


def test_defect_refund_charges_points_again() -> None:
    counter = g18()
    counter.back(*counter.everything())
    assert counter.points().available == 2000


def test_points_that_paid_go_back_to_the_lots_that_last_longest_first() -> None:
    soon, late = NOON + 3 * DAY, NOON + 300 * DAY
    counter = Counter(member(lot("soon", 500, soon), lot("late", 500, late)), rules())
    counter.sell([goods(500), goods(500)], wants=Wants(points=1000))
    counter.back((0, 1000))
    assert counter.member is not None
    assert {one.id: one.remaining for one in counter.member.lots if one.remaining} == {"late": 500}


@pytest.mark.parametrize(
    ("how", "available"),
    [({}, 0), ({"restore_expired": "grace_days", "grace_days": 10}, 500)],
)
def test_points_whose_lot_lapsed_come_back_for_nothing_or_for_the_grace(
    how: dict[str, Any], available: int
) -> None:
    counter = Counter(member(lot("soon", 500, NOON + DAY)), rules(returns=Returns(**how)))
    counter.sell([goods(500)], wants=Wants(points=500))
    counter.now += 2 * DAY
    assert counter.back((0, 1000)).restored == 500
    assert counter.points().available == available
    counter.now += 11 * DAY
    assert counter.points().available == 0


def test_pending_points_of_the_sale_are_clawed_before_others() -> None:
    who = member(lot("savings", 1000))
    later = msgspec.structs.replace(rules().earning, delay_days=3)
    counter = Counter(who, rules(earning=later))
    counter.sell([goods(10_000), goods(5000)])
    assert (counter.points().available, counter.points().pending) == (1000, 150)
    counter.back((0, 1000))
    assert (counter.points().available, counter.points().pending) == (1000, 50)


@pytest.mark.parametrize(
    ("negative", "forgiven", "left"),
    [("clamp", 50, members.Points(0, 0, 0, 0, None)), ("deficit", 0, members.Points(0, 0, 0, 50, None))],
)
def test_what_is_owed_already_is_paid_before_points_are_clawed(
    negative: Literal["clamp", "deficit"], forgiven: int, left: members.Points
) -> None:
    """200 are owed: the sale pays 100 of them, and 150 that become available later the rest."""
    who = member(lot("later", 150, begins=NOON + DAY), deficit=200)
    counter = Counter(who, rules(returns=Returns(negative=negative)))
    assert counter.sell([goods(10_000)]).earned == 100
    assert counter.points().deficit == 100
    counter.now = NOON + DAY
    facts = counter.back((0, 1000))
    assert (facts.clawed, facts.forgiven) == (100, forgiven)
    assert counter.points() == left


def test_proportional_takes_the_share_and_the_last_return_the_rest() -> None:
    counter = Counter(member(), rules(returns=Returns(clawback="proportional")))
    counter.sell([goods(333, pieces=3)])  # 9 points
    assert [counter.back((0, 1000)).clawed for _ in range(3)] == [3, 3, 3]
    assert counter.points().available == 0


# ---- counts, coupons, tier --------------------------------------------------------------------------------
def test_spend_falls_with_each_return_and_the_visit_with_the_last() -> None:
    counter = Counter(member(), program())
    counter.sell([goods(600), goods(400)])
    counter.back((0, 1000))
    assert counter.member is not None
    assert tallies.total(counter.member.tallies, tallies.SPEND) == 400
    assert tallies.total(counter.member.tallies, tallies.SALES) == 1
    counter.back((1, 1000))
    assert tallies.total(counter.member.tallies, tallies.SPEND) == 0
    assert tallies.total(counter.member.tallies, tallies.SALES) == 0


def test_a_visit_that_cost_nothing_goes_with_the_last_return() -> None:
    counter = Counter(member(), program(tiering=Tiering(visit_min_minor=0)))
    counter.sell([goods(0), goods(0)])
    left = []
    for line in (0, 1):
        counter.back((line, 1000))
        assert counter.member is not None
        left.append(tallies.total(counter.member.tallies, tallies.SALES))
    assert left == [1, 0]
    assert counter.member is not None and tallies.SPEND not in counter.member.tallies


def test_growth_is_what_the_kept_part_grows() -> None:
    counter = Counter(member(), program(tiering=Tiering(growth_per_minor=1000)))
    counter.sell([goods(1500), goods(690)])
    assert counter.member is not None
    assert tallies.total(counter.member.tallies, tallies.GROWTH) == 2
    counter.back((1, 1000))
    assert tallies.total(counter.member.tallies, tallies.GROWTH) == 1
    counter.back((0, 1000))
    assert tallies.total(counter.member.tallies, tallies.GROWTH) == 0


def with_coupon() -> Counter:
    template = Template(id="ten", benefit=Amount(off_minor=1000))
    held = Coupon("c1", "ten", NOON - DAY, NOON + 3 * DAY)
    who = msgspec.structs.replace(member(), coupons=(held,))
    counter = Counter(who, rules(coupons=[template]))
    facts = counter.sell([goods(3000), goods(2000)], wants=Wants(coupons=("c1",)))
    assert (facts.total_minor, facts.coupons) == (4000, ("c1",))
    return counter


def test_a_coupon_comes_back_with_everything_and_its_own_end() -> None:
    counter = with_coupon()
    counter.back((0, 1000))
    assert counter.member is not None
    assert counter.member.coupons[0].state == "redeemed"
    counter.back((1, 1000))
    assert (counter.member.coupons[0].state, counter.member.coupons[0].expires_at) == (
        "issued",
        NOON + 3 * DAY,
    )


def test_a_used_coupon_cannot_be_used_again() -> None:
    counter = with_coupon()
    with pytest.raises(Refused, match="COUPON_USED"):
        counter.sell([goods(3000)], [Tender("card", 2000)], Wants(coupons=("c1",)), id_="again")


def test_a_tier_that_the_sale_gave_goes_with_it() -> None:
    counter = Counter(member(), program())
    counter.sell([goods(100_000)])
    assert counter.member is not None and counter.member.tier == "silver"
    counter.back((0, 1000))
    assert counter.member.tier == "normal"


# ---- voids ------------------------------------------------------------------------------------------------
def test_a_void_leaves_the_member_as_before() -> None:
    """P7 for the whole of it: points, value, coupon, counts and tier."""
    template = Template(id="ten", benefit=Amount(off_minor=1000))
    held = Coupon("c1", "ten", NOON - DAY, None)
    who = member(lot("savings", 3000), value(PRINCIPAL, 50_000), value(BONUS, 10_000))
    who = msgspec.structs.replace(who, coupons=(held,))
    tiering = Tiering(on_refund="at_review")
    counter = Counter(who, rules(coupons=[template], tiering=tiering))
    counter.sell(
        [goods(150_000)],
        [Tender("value", 20_000), Tender("card", 127_000)],
        Wants(coupons=("c1",), points=2000),
    )
    assert counter.member is not None and counter.member.tier == "silver"
    facts = counter.void()
    assert by_kind(facts) == {"bonus": 3333, "principal": 16_667, "card": 127_000}
    after = counter.member
    assert sorted(after.lots, key=lambda one: one.id) == sorted(who.lots, key=lambda one: one.id)
    assert (after.coupons, after.tier, after.deficit) == (who.coupons, who.tier, 0)
    assert not any(tallies.total(after.tallies, key) for key in after.tallies)


def test_X8_after_its_day_a_sale_is_only_returned() -> None:
    counter = Counter(member(), program())
    counter.sell([goods(1000)])
    before = counter.member
    with pytest.raises(Refused, match="VOID_ONLY_SAME_DAY"):
        counter.void(day_closed=True)
    counter.now += 12 * dt.timedelta(hours=1)
    with pytest.raises(Refused, match="VOID_ONLY_SAME_DAY"):
        counter.void()
    assert counter.member is before
    facts = counter.back((0, 1000))
    assert (facts.kind, facts.day) == ("return", dt.date(2026, 5, 5).toordinal())


def test_what_has_come_back_in_part_cannot_be_voided() -> None:
    counter = Counter(None, program())
    counter.sell([goods(1000, pieces=2)])
    counter.back((0, 1000))
    with pytest.raises(Refused, match="SALE_ALREADY_RETURNED"):
        counter.void()


# ---- refusals ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("lines", "kind", "code"),
    [
        ((), Invalid, "RETURN_EMPTY"),
        (((0, 1000),) * 501, Invalid, "BASKET_TOO_LONG"),
        (((-1, 1000),), Invalid, "LINE_UNKNOWN"),
        (((1, 1000),), Invalid, "LINE_UNKNOWN"),
        (((2**63, 1000),), Invalid, "LINE_UNKNOWN"),
        (((0, 0),), Invalid, "QUANTITY_IMPOSSIBLE"),
        (((0, -1000),), Invalid, "QUANTITY_IMPOSSIBLE"),
        (((0, 500),), Invalid, "QUANTITY_IMPOSSIBLE"),
        (((0, 3000),), Refused, "RETURN_TOO_MUCH"),
        (((0, 2**63 - 8 + 0),), Invalid, "QUANTITY_IMPOSSIBLE"),
        (((0, 1000), (0, 2000)), Refused, "RETURN_TOO_MUCH"),
    ],
)
def test_what_cannot_come_back_is_refused(
    lines: tuple[tuple[int, int], ...], kind: type[TapledgerError], code: str
) -> None:
    counter = Counter(member(), program())
    counter.sell([goods(1000, pieces=2)])
    error = returning(counter, *lines)
    assert (type(error), error.code) == (kind, code)


def test_a_return_after_the_window_needs_a_manager() -> None:
    counter = Counter(member(), program())
    counter.sell([goods(1000)])
    counter.now += 7 * DAY
    assert counter.back((0, 1000)).refund_minor == 1000
    counter = Counter(member(), program())
    counter.sell([goods(1000)])
    counter.now += 8 * DAY
    assert returning(counter, (0, 1000)).data == {"days": 7}
    assert counter.back((0, 1000), late_approved=True).refund_minor == 1000

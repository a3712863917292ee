"""What a return and a void post and remember, to the last figure (loyalty.md 3.13)."""

from __future__ import annotations

from typing import Any

import pytest

from tapledger.errors import Invalid, Refused
from tapledger.loyalty.effects import Credited, Debited, Lot, LotTake, Overdrawn, Restored, Tallied
from tapledger.loyalty.facts import Reason, ReturnFacts, ReturnLine, Tender
from tapledger.loyalty.ledger import Line
from tapledger.loyalty.program import Tiering
from tapledger.loyalty.program.values import Returns
from tapledger.loyalty.promotions import Promotion
from tapledger.loyalty.promotions.gift_item import GiftItem
from tapledger.loyalty.sales import clawing
from tapledger.loyalty.sales.selling import Wants
from tests.loyalty.counter import Counter, goods, rules, value
from tests.loyalty.givens import DAY, MEMBER, NOON, TODAY, lot, member

POINTS_OF = f"member/{MEMBER}/points"


def counter(points: int = 500) -> Counter:
    """Return a counter that has sold 4.00 and 2 x 3.00 (13 % tax within), 1.00 of it paid by points."""
    it = Counter(member(lot("savings", points)), rules())
    lines = [goods(400, sku="a", tax_bp=1300), goods(300, 2, sku="b", tax_bp=1300), DEPOSIT]
    it.sell(lines, [Tender("card", 450), Tender("cash", 470)], Wants(points=100))
    return it


DEPOSIT = goods(10, 2, sku="bottle", kind="deposit")


def test_a_return_remembers_what_came_back_and_how_it_was_paid() -> None:
    it = counter()
    facts = it.back((1, 1000), reason="torn")
    assert facts == ReturnFacts(
        id="r0",
        sale="s",
        kind="return",
        currency="CNY",
        lines=(ReturnLine(1, 1000, 270, "B"),),
        refund_minor=270,
        tenders=(Tender("card", 270),),
        clawed=3,
        restored=30,
        tax_minor=31,
        taken={"lot-s": 3},
        reason="torn",
        day=TODAY,
    )
    body = it.returned[0]
    assert body.kind == "return"
    assert body.lines == (
        Line("tender/card", "CNY", -270),
        Line("tax", "CNY", 31),
        Line("sales", "CNY", 239),
        Line(POINTS_OF, "POINT", 27),
        Line("program/points", "POINT", -27),
    )
    assert body.effects == (
        Restored((LotTake("savings", 30),), "points"),
        Debited((LotTake("lot-s", 3, it.sold().lot.expires_at),), "points"),  # type: ignore[union-attr]
        Tallied("spend", TODAY, -270),
    )
    assert body.reasons == (
        Reason("RETURN_REFUND", {"amount_minor": 270, "currency": "CNY"}),
        Reason("RETURN_CLAWED", {"points": 3}),
        Reason("RETURN_RESTORED", {"points": 30}),
    )


def test_the_rest_comes_back_with_its_deposit() -> None:
    it = counter()
    it.back((1, 1000))
    facts = it.back((0, 1000), (1, 1000), (2, 2000))
    assert [(one.line, one.quantity_milli, one.refund_minor, one.name) for one in facts.lines] == [
        (0, 1000, 360, "A"),
        (1, 1000, 270, "B"),
        (2, 2000, 20, "BOTTLE"),
    ]
    assert (facts.complete, facts.refund_minor, facts.tax_minor) == (True, 650, 73)
    assert facts.tenders == (Tender("card", 180), Tender("cash", 470))
    income = [one for one in it.returned[1].lines if one.account in ("deposits", "tax", "sales")]
    assert income == [Line("deposits", "CNY", 20), Line("tax", "CNY", 73), Line("sales", "CNY", 557)]
    assert it.points().available == 500


def test_a_void_remembers_the_whole_sale() -> None:
    it = counter()
    facts = it.void(reason="wrong till")
    assert facts == ReturnFacts(
        id="v",
        sale="s",
        kind="void",
        currency="CNY",
        lines=(
            ReturnLine(0, 1000, 360, "A"),
            ReturnLine(1, 2000, 540, "B"),
            ReturnLine(2, 2000, 20, "BOTTLE"),
        ),
        refund_minor=920,
        tenders=(Tender("card", 450), Tender("cash", 470)),
        clawed=9,
        restored=100,
        tax_minor=104,
        taken={"lot-s": 9},
        complete=True,
        reason="wrong till",
        day=TODAY,
    )
    assert it.returned[0].kind == "void"
    counted = [one for one in it.returned[0].effects if isinstance(one, Tallied)]
    assert {one.key for one in counted} >= {"spend", "sales"}
    assert all(one.amount < 0 for one in counted)


def test_an_exchange_is_marked_and_pays_no_coins() -> None:
    it = counter()
    facts = it.back((0, 1000), exchange="x-1", shop_fault=True)
    assert (facts.kind, facts.exchange, facts.shop_fault) == ("exchange", "x-1", True)
    assert it.returned[0].kind == "return"


def test_what_is_missing_is_owed_or_forgiven_and_told() -> None:
    for negative, clawed in (("deficit", Overdrawn(9)), ("clamp", None)):
        it = Counter(member(), rules())
        it.program = rules(returns=Returns(negative=negative))  # type: ignore[arg-type]
        it.sell([goods(900)])
        it.spend_elsewhere(9)
        facts = it.back((0, 1000))
        assert (facts.clawed, facts.forgiven) == (9, 0 if clawed else 9)
        assert (clawed in it.returned[0].effects) is (clawed is not None)
        told = [one for one in it.returned[0].reasons if one.code == "RETURN_FORGIVEN"]
        assert told == ([] if clawed else [Reason("RETURN_FORGIVEN", {"points": 9})])


@pytest.mark.parametrize(
    ("lines", "error", "code", "figures"),
    [
        ((), Invalid, "RETURN_EMPTY", {}),
        (((0, 1000),) * 501, Invalid, "BASKET_TOO_LONG", {"limit": 500}),
        (((3, 1000),), Invalid, "LINE_UNKNOWN", {"line": 4}),
        (((-1, 1000),), Invalid, "LINE_UNKNOWN", {"line": 0}),
        (((0, 0),), Invalid, "QUANTITY_IMPOSSIBLE", {"sku": "a"}),
        (((1, 500),), Invalid, "QUANTITY_IMPOSSIBLE", {"sku": "b"}),
        (((1, 3000),), Refused, "RETURN_TOO_MUCH", {"sku": "b"}),
        (((1, 1000), (1, 2000)), Refused, "RETURN_TOO_MUCH", {"sku": "b"}),
    ],
)
def test_what_cannot_come_back_is_named(
    lines: Any, error: type[Exception], code: str, figures: dict[str, Any]
) -> None:
    with pytest.raises(error) as refused:
        counter().back(*lines)
    assert (refused.value.code, refused.value.data) == (code, figures)  # type: ignore[attr-defined]


def test_the_window_ends_with_its_last_local_day() -> None:
    it = counter()
    it.now = NOON + it.program.returns.window_days * DAY
    it.back((0, 1000))
    it.now += DAY
    with pytest.raises(Refused) as late:
        it.back((1, 1000))
    assert (late.value.code, late.value.data) == (
        "RETURN_TOO_LATE",
        {"days": it.program.returns.window_days},
    )
    assert it.back((1, 1000), late_approved=True).refund_minor == 270


def test_only_a_whole_sale_of_today_is_voided() -> None:
    for day_closed, later in ((True, 0), (False, 1)):
        it = counter()
        it.now += later * DAY
        with pytest.raises(Refused) as refused:
            it.void(day_closed=day_closed)
        assert refused.value.code == "VOID_ONLY_SAME_DAY"
    it = counter()
    it.back((0, 1000))
    with pytest.raises(Refused) as returned:
        it.void()
    assert returned.value.code == "SALE_ALREADY_RETURNED"


# ---- gifts, tiers and stored value ------------------------------------------------------------------------
def test_a_gift_that_is_kept_is_told_and_deducted() -> None:
    gift = Promotion(id="gift", benefit=GiftItem("mug", "Mug", 300), min_minor=500)
    it = Counter(None, rules(promotions=[gift]))
    it.sell([goods(400), goods(200)])
    facts = it.back((0, 1000))
    assert (facts.refund_minor, facts.gifts_kept_minor) == (100, 300)
    assert it.returned[0].reasons == (
        Reason("RETURN_REFUND", {"amount_minor": 100, "currency": "CNY"}),
        Reason("RETURN_GIFT_KEPT", {"amount_minor": 300, "currency": "CNY"}),
    )


def test_where_returns_wait_for_the_review_only_a_void_takes_the_tier() -> None:
    ladder = rules(tiering=Tiering(on_refund="at_review"))
    for undo, tier in ((False, "silver"), (True, "normal")):
        it = Counter(member(), ladder)
        it.sell([goods(100_000)])
        assert it.member is not None and it.member.tier == "silver"
        it.void() if undo else it.back((0, 1000))
        assert it.member.tier == tier


def test_stored_value_goes_back_to_its_lots_however_many_returns_there_are() -> None:
    lots = (value("principal", 300, NOON + 9 * DAY, "p1"), value("principal", 300, None, "p2"))
    it = Counter(member(*lots), rules())
    it.sell([goods(200, 3)], [Tender("value", 600)])
    left = []
    for _ in range(3):
        it.back((0, 1000))
        assert it.member is not None
        left.append({one.id: one.remaining for one in it.member.lots if one.pool == "principal"})
    assert left == [{"p2": 200}, {"p2": 300, "p1": 100}, {"p2": 300, "p1": 300}]


def test_what_has_lapsed_comes_back_as_a_lot_of_its_own_for_the_grace() -> None:
    takes = (LotTake("old", 30, NOON), LotTake("new", 20, NOON + DAY))
    grace, until = clawing.Grace(NOON + 5 * DAY, "r-1"), NOON + 5 * DAY
    again = Credited(Lot("r-1/old", 30, 30, NOON, until, "bonus", "r-1"))
    restored = Restored((LotTake("new", 20, NOON + DAY),), "bonus")
    assert clawing.given_back(member(), takes, 0, 50, "bonus", grace, NOON) == (restored, again)
    assert clawing.given_back(member(), takes[:1], 0, 30, "bonus", grace, NOON) == (again,)
    assert clawing.given_back(member(), takes, 50, 50, "bonus", grace, NOON) == ()
    never = clawing.Grace(None, "r-1")
    kept = Restored((LotTake("old", 30, NOON),), "bonus")
    assert clawing.given_back(member(), takes[:1], 0, 30, "bonus", never, NOON) == (kept,)

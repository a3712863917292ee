"""Every number of an event can be said: in order, with rounding, caps and dates, in four languages."""

from __future__ import annotations

import datetime as dt

import msgspec
import pytest

from tapledger import texts
from tapledger.languages import LANGUAGES
from tapledger.loyalty.conditions import Scope
from tapledger.loyalty.effects import (
    Coupon,
    CouponMoved,
    Credited,
    Debited,
    Effect,
    HoldSettled,
    LotTake,
    Overdrawn,
    Restored,
    TierSet,
)
from tapledger.loyalty.explain import explain
from tapledger.loyalty.facts import Reason, Tender
from tapledger.loyalty.ledger import EventBody
from tapledger.loyalty.pricing import ManualDiscount
from tapledger.loyalty.program import Program, Template, Tier
from tapledger.loyalty.program.earning import Earning, EarnRule
from tapledger.loyalty.program.prices import PointsAsCash
from tapledger.loyalty.promotions.amount import Amount
from tapledger.loyalty.promotions.promotion import Promotion
from tapledger.loyalty.promotions.threshold import Threshold
from tapledger.loyalty.rewards.redeeming import decide_hold
from tapledger.loyalty.sales import sold
from tapledger.loyalty.sales.exchanging import decide_exchange
from tapledger.loyalty.sales.returning import Return, ReturnedLine
from tapledger.loyalty.sales.selling import Sale, Wants, decide_sale
from tapledger.membership.explaining import sentences
from tests.loyalty.givens import DAY, NOON, line, lot, member, program, redeem, rich

RICH = program(
    tiers=[
        Tier("normal", {"en": "Member"}),
        Tier("silver", {"en": "Silver", "zh-Hans": "银卡"}, 100_000, multiplier_milli=1200, discount_bp=1000),
    ],
    earning=Earning([EarnRule("r", 1, 100)], per_order=60),
    points_as_cash=PointsAsCash(100, 100),
    promotions=[Promotion("full", Threshold(10_000, 1000), {"en": "10 off from 100"})],
    coupons=[Template("ten", Amount(700), {"en": "7 off", "ja": "7オフ"}, scope=Scope(categories=["all"]))],
)


def sale(rules: Program = RICH, **wants: object) -> EventBody:
    who = msgspec.structs.replace(
        member(lot("l", 1000), tier="silver"), coupons=(Coupon("c-1", "ten", NOON, NOON + 9 * DAY),)
    )
    order = Sale(
        "s-1",
        (line(9995), line(3333)),
        (Tender("cash", 20_000),),
        "lot-1",
        "staff-1",
        trust=3,
        wants=Wants(**wants),  # type: ignore[arg-type]
    )
    return decide_sale(who, order, rules, NOON).body


def codes(body: EventBody) -> list[str]:
    return [why.code for why in explain(body, RICH)]


def test_a_sale_is_told_from_the_list_price_to_the_last_point() -> None:
    body = sale(coupons=("c-1",), points=500, manual=ManualDiscount("goodwill", off_minor=100))
    assert codes(body) == [
        "EXPLAIN_GROSS",
        "DISCOUNT_TIER",
        "EXPLAIN_ROUNDING",
        "DISCOUNT_MANUAL",
        "DISCOUNT_THRESHOLD",
        "DISCOUNT_AMOUNT",
        "DISCOUNT_POINTS",
        "EXPLAIN_TAX_INSIDE",
        "EXPLAIN_TOTAL",
        "EXPLAIN_PAID_CASH",
        "EXPLAIN_CHANGE",
        "EARN_TIER",
        "EXPLAIN_REMAINDER",
        "EARN_CAP_ORDER",
        "EXPLAIN_COUPON_USED",
        "EXPLAIN_TAKEN",
        "EXPLAIN_LOT_UNTIL",
    ]


def test_the_numbers_of_a_sale_add_up() -> None:
    body = sale(coupons=("c-1",), points=500)
    told = {why.code: why.data for why in explain(body, RICH)}
    off = sum(int(data["amount_minor"]) for code, data in told.items() if code.startswith("DISCOUNT"))
    assert int(told["EXPLAIN_GROSS"]["gross_minor"]) - off == int(told["EXPLAIN_TOTAL"]["total_minor"])
    assert int(told["EXPLAIN_PAID_CASH"]["amount_minor"]) - int(
        told["EXPLAIN_CHANGE"]["change_minor"]
    ) == int(told["EXPLAIN_TOTAL"]["total_minor"])
    assert told["EXPLAIN_COUPON_USED"] == {"coupon": "ten"}, "a coupon is named by its template"
    assert told["EXPLAIN_TAKEN"] == {"points": 500, "lots": 1}


def test_what_rounding_left_over_is_told() -> None:
    told = {why.code: why.data for why in explain(sale(), RICH)}
    # 10 % of 133.28 is 13.328, rounded to 13.33; 109 full yuan × 1.2 are 130.8 points, floored.
    assert told["EXPLAIN_ROUNDING"] == {"rounding": "0.2"}
    assert told["EXPLAIN_REMAINDER"] == {"remainder": "0.8"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_number_has_a_sentence_in_every_language(language: str) -> None:
    body = sale(coupons=("c-1",), points=500)
    said = sentences(explain(body, RICH), RICH, language)
    assert all(said)
    assert len(said) == len(codes(body))
    assert not any("{" in sentence for sentence in said)


def test_names_stand_where_the_programme_has_them() -> None:
    reasons = (
        Reason("EXPLAIN_COUPON_USED", {"coupon": "ten"}),
        Reason("EXPLAIN_TIER", {"tier": "silver"}),
        Reason("COUPON_EXCLUDED", {"coupon": "ten", "other": "full", "rule": "group"}),
        Reason("EXPLAIN_COUPON_USED", {"coupon": "gone"}),
    )
    assert sentences(reasons, RICH, "en") == (
        "Coupon used: 7 off",
        "Tier from now on: Silver",
        'Not together with "10 off from 100".',
        "Coupon used: gone",
    )
    assert sentences(reasons[:2], RICH, "ja") == ("クーポン使用：7オフ", "今後のランク：Silver")


def test_a_price_set_by_hand_and_stored_value_are_told() -> None:
    body = sale()
    assert body.sale is not None
    by_hand = msgspec.structs.replace(body.sale.lines[0], list_minor=12_000)
    tenders = (
        Tender("principal", 8000),
        Tender("bonus", 1000),
        Tender("mobile", 1995),
        Tender("rounding", -3),
    )
    facts = msgspec.structs.replace(
        body.sale, lines=(by_hand,), tenders=tenders, change_minor=0, tax_exclusive=True
    )
    told = codes(msgspec.structs.replace(body, sale=facts))
    for code in (
        "EXPLAIN_PRICE_BY_HAND",
        "EXPLAIN_TAX_ON_TOP",
        "EXPLAIN_PAID_PRINCIPAL",
        "EXPLAIN_PAID_BONUS",
        "EXPLAIN_PAID_MOBILE",
        "EXPLAIN_CASH_ROUNDED",
    ):
        assert code in told
    assert "EXPLAIN_CHANGE" not in told


def test_a_sensitive_article_is_never_named() -> None:
    body = sale()
    assert body.sale is not None
    by_hand = msgspec.structs.replace(body.sale.lines[0], list_minor=12_000)
    changed = msgspec.structs.replace(body, sale=msgspec.structs.replace(body.sale, lines=(by_hand,)))
    for rules, shown in ((RICH, "Article"), (msgspec.structs.replace(RICH, sensitive=Scope()), "…")):
        (told,) = [why for why in explain(changed, rules) if why.code == "EXPLAIN_PRICE_BY_HAND"]
        assert told.data["article"] == shown


def body(*effects: Effect, reasons: tuple[Reason, ...] = ()) -> EventBody:
    return EventBody(
        kind="grant",
        at=NOON,
        program="1",
        member="m",
        effects=effects,
        reasons=reasons,
    )


LATER = NOON + 3 * DAY


@pytest.mark.parametrize(
    ("effect", "told"),
    [
        (Credited(lot("a", 5)), [("EXPLAIN_LOT_FOR_EVER", {"points": 5})]),
        (
            Credited(lot("a", 5, dt.datetime(2026, 5, 31, 16, tzinfo=dt.UTC))),
            [("EXPLAIN_LOT_UNTIL", {"points": 5, "day": "2026-05-31"})],
        ),
        (
            Credited(lot("a", 5, begins=LATER)),
            [
                ("EXPLAIN_LOT_WAITS", {"points": 5, "day": "2026-05-07"}),
                ("EXPLAIN_LOT_FOR_EVER", {"points": 5}),
            ],
        ),
        (Credited(msgspec.structs.replace(lot("a", 5), pool="principal")), [("EXPLAIN_NOTHING", {})]),
        (
            Debited((LotTake("a", 3), LotTake("b", 4))),
            [("EXPLAIN_TAKEN", {"points": 7, "lots": 2})],
        ),
        (Restored((LotTake("a", 3),)), [("EXPLAIN_RESTORED", {"points": 3})]),
        (Overdrawn(400), [("EXPLAIN_DEFICIT", {"points": 400})]),
        (HoldSettled("h", given_back=True), [("EXPLAIN_HOLD_BACK", {})]),
        (HoldSettled("h", given_back=False), [("EXPLAIN_HOLD_DONE", {})]),
        (TierSet("silver"), [("EXPLAIN_TIER", {"tier": "silver"})]),
        (CouponMoved("c", "issued"), [("EXPLAIN_COUPON_BACK", {"coupon": "c"})]),
        (CouponMoved("c", "void"), [("EXPLAIN_COUPON_VOID", {"coupon": "c"})]),
        (CouponMoved("c", "expired"), [("EXPLAIN_COUPON_OVER", {"coupon": "c"})]),
    ],
)
def test_each_change_is_told_with_its_days(effect: Effect, told: list[tuple[str, dict[str, object]]]) -> None:
    reasons = explain(body(effect), RICH)
    assert [(why.code, why.data) for why in reasons] == told
    for language in LANGUAGES:
        assert all(texts.reason(language, why) for why in reasons)


def test_a_tier_that_the_event_told_of_itself_is_told_once() -> None:
    given = Reason("TIER_GIVEN", {"tier": "silver"})
    assert [why.code for why in explain(body(TierSet("silver"), reasons=(given,)), RICH)] == ["TIER_GIVEN"]


def test_an_exchange_tells_what_went_on_into_the_new_sale() -> None:
    rules = program(timezone="Asia/Shanghai")
    old = decide_sale(None, Sale("s", (line(3000),), (Tender("cash", 3000),), "l", "x"), rules, NOON)
    done = decide_exchange(
        None,
        sold.read(old.body),
        Return("r", (ReturnedLine(0, 1000),), "x", exchange="e"),
        Sale("n", (line(2000),), (), "l2", "x"),
        rules,
        NOON,
    )
    told = [(why.code, why.data.get("amount_minor")) for why in explain(done.returned.body, rules)]
    assert told[1:] == [("EXPLAIN_PAID_CASH", 3000), ("EXPLAIN_CARRIED", 2000)]
    assert ("EXPLAIN_PAID_EXCHANGE", 2000) in [
        (why.code, why.data.get("amount_minor")) for why in explain(done.sold.body, rules)
    ]


def test_a_hold_is_told_with_its_last_day() -> None:
    event = decide_hold(rich(), redeem("coffee"), program(), NOON).body
    told = {why.code: why.data for why in explain(event, RICH)}
    assert told["EXPLAIN_HELD"] == {"points": 80, "reward": "coffee", "day": "2026-06-03"}

"""Coupons, points, stored value and reasons at the till, over HTTP: what is shown is what is recorded."""

from __future__ import annotations

from typing import Any

import pytest

from tapledger.loyalty import program as programs
from tapledger.membership import coupons
from tapledger.membership.identity import Presented
from tapledger.wire.codec import decode_event
from tests.store.shops import EARPHONES, PROGRAM, TOWEL, card
from tests.web.faces import Faces
from tests.web.test_till import code, enter, shown

OFFERS = PROGRAM | {
    "version": "offers",
    "tiers": [
        {"id": "base", "name": {"en": "Base"}, "from_spend_minor": 0, "earn_points": 1, "earn_per_minor": 100,
         "discount_bp": 1000},
    ],
    "points_as_cash": {"unit_points": 100, "unit_minor": 100, "min_points": 100, "max_pct": 50},
    "stored_value": {"top_up": [{"pay_minor": 10_000, "bonus_minor": 1_000}], "max_top_up_minor": 50_000},
    "promotions": [
        {"id": "summer", "name": {"en": "Summer"}, "benefit": {"type": "amount", "off_minor": 100},
         "code": "SUMMER"},
    ],
    "coupons": [
        {"id": "thirty", "name": {"en": "30 off from 200"}, "code": "THIRTY", "claimable": True,
         "benefit": {"type": "threshold", "at_minor": 20_000, "off_minor": 3_000}, "valid_days": 30},
        {"id": "five", "name": {"en": "5 off"}, "code": "FIVE", "claimable": True,
         "benefit": {"type": "amount", "off_minor": 500}, "valid_days": 10},
        {"id": "alone", "name": {"en": "20 off, alone"}, "code": "ALONE", "claimable": True, "solo": True,
         "benefit": {"type": "amount", "off_minor": 2_000}, "valid_days": 5},
        {"id": "paper", "name": {"en": "Paper"}, "benefit": {"type": "amount", "off_minor": 200}},
    ],
}  # fmt: skip


@pytest.fixture
async def till(faces: Faces) -> Faces:
    """A till where Ann, who has 299 points and a card, is served."""
    await faces.rich_member("Ann")
    faces.bench.shop.program = programs.load(OFFERS)
    await faces.sign_in()
    await faces.daemon.till.card(card("a"))
    return faces


def due(faces: Faces) -> int:
    return shown(faces).totals.due_minor


def chosen(faces: Faces) -> dict[str, bool]:
    return {one.title: one.chosen for one in shown(faces).coupons.coupons}


def stored(faces: Faces) -> dict[str, list[tuple[Any, ...]]]:
    """Return all that is stored but the slips' states, which the printer changes."""
    return {name: rows for name, rows in faces.bench.tables().items() if name != "print_job"}


async def refused(faces: Faces, path: str, **body: object) -> str:
    """Send an intent that must be refused, and find that nothing was stored."""
    before = stored(faces)
    status, answer = await faces.post(f"/api/till/{path}", **body)
    assert status >= 400 and answer["sentence"] and answer["next_step"]
    assert stored(faces) == before
    return str(answer["code"])


# ---- the quote -------------------------------------------------------------------------------------------
async def test_each_line_says_what_made_it_cheaper(till: Faces) -> None:
    await enter(till, TOWEL, EARPHONES)
    first, second = shown(till).lines
    assert (first.gross, first.total, second.total) == ("¥12.00", "¥10.80", "¥269.10")
    assert [(one.sentence, one.amount) for one in first.discounts] == [
        ("10% off for your tier: -¥31.10", "-¥1.20")
    ]
    assert (shown(till).totals.saved, due(till)) == ("-¥31.10", 27_990)
    await till.did("/api/till/member-off")
    assert (shown(till).lines[0].discounts, due(till)) == ([], 31_100)


async def test_the_receipt_says_what_the_till_said(till: Faces) -> None:
    await enter(till, "THIRTY", EARPHONES)
    await till.did("/api/till/points", points=100)
    quoted = shown(till).why.quote
    await till.did("/api/till/pay", tender="cash", received_minor=30_000)
    said = shown(till).why
    paid = set(said.last) - set(quoted)
    assert set(quoted) <= set(said.last), "every sentence of the quote is in the receipt's"
    assert paid == {"Cash: ¥300.00", "Change: ¥61.90"}
    assert said.last_receipt == getattr(shown(till).last_sale, "receipt", "")


# ---- coupons ---------------------------------------------------------------------------------------------
async def test_the_best_coupons_are_chosen_and_say_what_a_rule_costs(till: Faces) -> None:
    await enter(till, "THIRTY", "FIVE", "ALONE")
    assert code(till) == "COUPON_CLAIMED"
    await enter(till, EARPHONES)
    assert chosen(till) == {"30 off from 200": True, "5 off": True, "20 off, alone": False}
    assert due(till) == 26_910 - 3_500
    chooser = shown(till).coupons
    alone = next(one for one in chooser.coupons if not one.chosen)
    assert alone.saves == "¥20.00"
    assert alone.why_not is not None and "Not together" in alone.why_not
    assert 'Without the rule "20 off, alone" you would save ¥20.00 more.' in chooser.notes
    assert (chooser.automatic, chooser.better) == (True, None)


async def test_the_cashier_chooses_otherwise_and_comes_back_to_the_best(till: Faces) -> None:
    await enter(till, "THIRTY", "FIVE", EARPHONES)
    await till.did("/api/till/coupon", number=1)
    assert chosen(till) == {"30 off from 200": False, "5 off": True}
    chooser = shown(till).coupons
    assert (chooser.automatic, chooser.better, due(till)) == (False, "¥30.00", 26_410)
    await till.did("/api/till/coupon", number=0)
    assert (shown(till).coupons.automatic, due(till)) == (True, 23_410)
    await till.did("/api/till/coupon", number=2)
    await till.did("/api/till/pay", tender="card")
    await till.daemon.till.card(card("a"))
    await enter(till, TOWEL)
    assert chosen(till) == {"5 off": True}, "what was left out is still there"


async def test_what_is_missing_for_a_coupon_is_said(till: Faces) -> None:
    await enter(till, "THIRTY", TOWEL)
    chooser = shown(till).coupons
    assert [(one.saves, one.chosen) for one in chooser.coupons] == [(None, False)]
    assert "to go" in str(chooser.coupons[0].why_not)
    assert any("to get ¥30.00 off" in note for note in chooser.notes)
    assert [one.title for one in shown(till).why.not_now if one.title == "30 off from 200"]
    assert await refused(till, "coupon", number=1) == "COUPON_USELESS"


@pytest.mark.parametrize("number", [-1, 2, 10**30])
async def test_a_coupon_that_is_not_listed(till: Faces, number: int) -> None:
    await enter(till, "FIVE", TOWEL)
    assert await refused(till, "coupon", number=number) == "CHOICE_UNKNOWN"
    assert await refused(till, "coupon", number="1") == "BODY_INVALID"


async def test_a_paper_and_a_code_for_a_guest(faces: Faces) -> None:
    faces.bench.shop.program = programs.load(OFFERS)
    paper = await coupons.print_coupon(faces.bench.shop, "p", "paper", "counter", "s-1")
    await faces.sign_in()
    await enter(faces, TOWEL, paper.qr)
    assert (code(faces), due(faces)) == ("COUPON_SCANNED", 1_000)
    await enter(faces, "summer")
    assert (code(faces), due(faces)) == ("CODE_TAKEN", 900)
    await faces.did("/api/till/pay", tender="card")
    await enter(faces, TOWEL)
    assert due(faces) == 1_200
    await enter(faces, paper.code)
    assert (code(faces), due(faces)) == ("NOTHING_FOUND", 1_200), "it was used"


async def test_a_strangers_coupon_is_refused(till: Faces) -> None:
    zoe = await till.bench.join("Zoe", card("z"))
    shop = till.bench.shop
    await coupons.issue_coupon(shop, "k", zoe, "five", "staff", "s-1")
    wallet = await coupons.show_wallet(shop, zoe)
    await enter(till, TOWEL, coupons.sign(shop, wallet.usable[0].coupon, zoe))
    assert (code(till), due(till)) == ("COUPON_OTHER_MEMBER", 1_080)
    assert shown(till).coupons.coupons == []


# ---- points ----------------------------------------------------------------------------------------------
async def test_points_pay_and_are_taken_off_again(till: Faces) -> None:
    await enter(till, EARPHONES)
    points = shown(till).points
    assert points is not None and (points.usable, points.pays, points.used) == (200, "¥2.00", 0)
    await till.did("/api/till/points")
    points, totals = shown(till).points, shown(till).totals
    assert points is not None and points.used == 200
    assert (totals.points_paid, totals.due_minor) == ("-¥2.00", 26_710)
    await till.did("/api/till/points", points=0)
    assert due(till) == 26_910
    await till.did("/api/till/points", points=100)
    await till.did("/api/till/pay", tender="mobile")
    await till.daemon.till.card(card("a"))
    member = shown(till).member
    assert member is not None and member.points == 299 - 100 + 268


@pytest.mark.parametrize(
    ("points", "said"),
    [(201, "POINTS_TOO_MANY"), (2**63, "POINTS_TOO_MANY"), (-1, "POINTS_IMPOSSIBLE"), (1.5, "BODY_INVALID")],
)
async def test_points_that_cannot_pay(till: Faces, points: float, said: str) -> None:
    await enter(till, EARPHONES)
    assert await refused(till, "points", points=points) == said


async def test_a_bare_number_pays_with_nothing(till: Faces) -> None:
    number = Presented("barcode", "9100000017", 0, "typed")
    await till.bench.buy(await till.bench.join("Bob", number), EARPHONES)
    await enter(till, EARPHONES, "9100000017")
    points, value = shown(till).points, shown(till).value
    assert points is not None and (points.usable, bool(points.why_not)) == (0, True)
    assert value is not None and (value.balance, bool(value.why_not)) == (None, True)
    assert await refused(till, "points") == "CARD_ONLY_IDENTIFIES"
    assert await refused(till, "value", amount_minor=1) == "CARD_ONLY_IDENTIFIES"


async def test_the_digits_that_a_member_tells_let_points_pay_and_no_stored_value(till: Faces) -> None:
    """R8: a number that proves nothing, and four digits that only its member knows."""
    number = Presented("barcode", "9100000017", 0, "typed")
    await till.bench.buy(await till.bench.join("Bob", number, phone="13800001234"), EARPHONES)
    await enter(till, EARPHONES, "9100000017")
    points = shown(till).points
    assert points is not None and points.asks_tail
    for wrong in ("1235", "234", "", "12345", "１２３４"):
        assert await refused(till, "step-up", tail=wrong) in ("PHONE_TAIL_WRONG", "TOO_MANY_TRIES")
    assert await refused(till, "step-up", tail="1234") == "TOO_MANY_TRIES"
    till.bench.clock.move(31)
    await till.did("/api/till/step-up", tail="1234")
    points, value = shown(till).points, shown(till).value
    assert points is not None and (points.usable, points.asks_tail, points.why_not) == (200, False, None)
    assert value is not None and value.why_not
    member = shown(till).member
    assert member is not None and "1234" not in str(member)
    await till.did("/api/till/points")
    await till.did("/api/till/pay", tender="mobile")
    ((raw,),) = till.bench.rows("SELECT raw FROM event WHERE kind = 'sale' ORDER BY seq DESC LIMIT 1")
    body = decode_event(raw).body
    assert body.sale is not None and body.sale.points_used == 200
    assert body.evidence == "scanned + phone digits"


async def test_who_is_named_by_a_phone_number_has_told_its_digits_already(till: Faces) -> None:
    await till.bench.buy(await till.bench.join("Bob", phone="13800001234"), EARPHONES)
    await enter(till, EARPHONES, "13800001234")
    points = shown(till).points
    assert points is not None and (points.usable, points.asks_tail) == (0, False)
    assert await refused(till, "step-up", tail="1234") == "CARD_ONLY_IDENTIFIES"


async def test_a_card_once_more_keeps_what_was_told_and_another_member_does_not(till: Faces) -> None:
    number = Presented("barcode", "9100000017", 0, "typed")
    await till.bench.buy(await till.bench.join("Bob", number, phone="13800001234"), EARPHONES)
    await enter(till, EARPHONES, "9100000017")
    await till.did("/api/till/step-up", tail="1234")
    await enter(till, "9100000017")
    points = shown(till).points
    assert points is not None and not points.asks_tail
    await till.daemon.till.card(card("a"))
    await enter(till, "9100000017")
    points = shown(till).points
    assert points is not None and points.asks_tail
    await till.did("/api/till/member-off")
    assert await refused(till, "step-up", tail="1234") == "MEMBERS_ONLY"


# ---- stored value ----------------------------------------------------------------------------------------
async def test_a_top_up_shows_its_bonus_and_then_pays(till: Faces) -> None:
    await till.did("/api/till/top-up-amount", amount_minor=10_000)
    value = shown(till).value
    assert value is not None and value.top_up is not None
    assert (value.top_up.bonus, value.top_up.after) == ("¥10.00", "¥110.00")
    await till.did("/api/till/top-up", tender="cash", received_minor=20_000)
    member = shown(till).member
    assert member is not None and (code(till), member.value) == ("TOPPED_UP", "¥110.00")
    assert "¥10.00 bonus" in " ".join(shown(till).why.last)
    await enter(till, EARPHONES)
    await till.did("/api/till/value")
    assert (shown(till).totals.value_paid, due(till)) == ("-¥110.00", 26_910 - 11_000)
    await till.did("/api/till/value", amount_minor=0)
    await till.did("/api/till/value", amount_minor=5_000)
    await till.did("/api/till/pay", tender="card")
    await till.daemon.till.card(card("a"))
    member = shown(till).member
    assert member is not None and member.value == "¥60.00"


async def test_stored_value_alone_closes_a_basket(till: Faces) -> None:
    await till.did("/api/till/top-up-amount", amount_minor=10_000)
    await till.did("/api/till/top-up", tender="card")
    await enter(till, TOWEL)
    assert await refused(till, "pay", tender="value") == "TENDER_TOO_SMALL"
    await till.did("/api/till/value")
    assert due(till) == 0
    await till.did("/api/till/pay", tender="value")
    last = shown(till).last_sale
    assert last is not None and (last.total, last.change) == ("¥10.80", "¥0.00")
    assert "Stored value" in last.tender


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        ("value", {"amount_minor": 1}, "VALUE_TOO_MUCH"),
        ("value", {"amount_minor": -1}, "AMOUNT_IMPOSSIBLE"),
        ("top-up-amount", {"amount_minor": -1}, "AMOUNT_IMPOSSIBLE"),
        ("top-up-amount", {"amount_minor": 2**63}, "AMOUNT_IMPOSSIBLE"),
        ("top-up", {"tender": "cash"}, "AMOUNT_IMPOSSIBLE"),
    ],
)
async def test_stored_value_that_cannot_be(
    till: Faces, path: str, body: dict[str, object], said: str
) -> None:
    await enter(till, TOWEL)
    assert await refused(till, path, **body) == said


async def test_a_top_up_beyond_the_limit_takes_no_money(till: Faces) -> None:
    await till.did("/api/till/top-up-amount", amount_minor=60_000)
    assert await refused(till, "top-up", tender="cash") == "TOP_UP_TOO_LARGE"


# ---- nothing is lost -------------------------------------------------------------------------------------
async def test_after_a_restart_everything_that_was_asked_for_is_there(till: Faces) -> None:
    await till.did("/api/till/top-up-amount", amount_minor=10_000)
    await till.did("/api/till/top-up", tender="card")
    await enter(till, "THIRTY", "FIVE", "SUMMER", EARPHONES)
    await till.did("/api/till/coupon", number=1)
    await till.did("/api/till/points", points=200)
    await till.did("/api/till/value", amount_minor=5_000)
    before = shown(till)
    await till.start()
    await till.sign_in()
    after = shown(till)
    assert (after.lines, after.totals, after.coupons, after.member) == (
        before.lines, before.totals, before.coupons, before.member,
    )  # fmt: skip
    await till.did("/api/till/pay", tender="card")
    assert till.bench.rows("SELECT count(*) FROM event WHERE kind = 'sale'") == [(2,)]


async def test_another_member_does_not_pay_with_what_the_first_one_chose(till: Faces) -> None:
    await till.rich_member("Zoe", "z")
    await enter(till, EARPHONES)
    await till.did("/api/till/points", points=100)
    await till.daemon.till.card(card("z"))
    points = shown(till).points
    assert points is not None and points.used == 0


async def test_signed_out_nothing_of_coupons_value_or_reasons_is_shown(till: Faces) -> None:
    await enter(till, "FIVE", TOWEL)
    await till.did("/api/till/sign-out")
    now = shown(till)
    assert (now.coupons.coupons, now.points, now.value, now.why.quote, now.why.last, now.returning) == (
        [], None, None, [], [], None,
    )  # fmt: skip
    assert (await till.post("/api/till/points", points=1))[1]["code"] == "SIGN_IN_FIRST"


async def test_two_members_take_the_same_code_beside_one_basket(till: Faces) -> None:
    await till.rich_member("Zoe", "z")
    await enter(till, "FIVE")
    await till.daemon.till.card(card("z"))
    await enter(till, "FIVE", EARPHONES)
    assert (code(till), chosen(till)) == ("", {"5 off": True})


async def test_a_quote_is_honoured_for_a_quarter_of_an_hour(till: Faces) -> None:
    await enter(till, "FIVE", EARPHONES)
    till.bench.clock.move(14 * 60)
    shown_due = due(till)
    till.bench.clock.move(2 * 60)
    assert await refused(till, "pay", tender="card") == "QUOTE_EXPIRED"
    assert due(till) == shown_due, "the new quote is shown"
    await till.did("/api/till/pay", tender="card")


async def test_a_coupon_that_ends_while_the_customer_pays_still_counts(till: Faces) -> None:
    till.bench.clock.move(-10 * 60)
    await enter(till, "FIVE")
    till.bench.clock.move(10 * 86_400 + 7 * 3_600 - 5 * 60)
    await till.daemon.till.card(card("a"))
    await enter(till, EARPHONES)
    with_coupon = due(till)
    till.bench.clock.move(10 * 60)
    await till.did("/api/till/pay", tender="card")
    last = shown(till).last_sale
    assert last is not None and last.total == f"¥{with_coupon / 100:.2f}"
    assert with_coupon == 26_410

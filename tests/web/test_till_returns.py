"""Goods come back at the till, over HTTP: what would happen is shown before anybody confirms it."""

from __future__ import annotations

import pytest

from tapledger.loyalty import program as programs
from tapledger.membership import sign_in
from tapledger.web.checkout_snapshots import ReturnSale
from tests.store.shops import EARPHONES, PROGRAM, TOWEL, card
from tests.web.faces import PIN, Faces
from tests.web.test_till import code, enter, shown
from tests.web.test_till_offers import OFFERS, refused, stored

DAY_S = 86_400.0


@pytest.fixture
async def till(faces: Faces) -> Faces:
    """A till where Ann bought three towels and earphones for 335.00 a moment ago."""
    await faces.bench.join("Ann", card("a"))
    await faces.sign_in()
    await faces.daemon.till.card(card("a"))
    await enter(faces, f"3*{TOWEL}", EARPHONES)
    await faces.did("/api/till/pay", tender="cash")
    return faces


def receipt(faces: Faces) -> str:
    last = shown(faces).last_sale
    assert last is not None
    return last.receipt


def sale(faces: Faces) -> ReturnSale:
    returning = shown(faces).returning
    assert returning is not None and returning.sale is not None
    return returning.sale


async def points(faces: Faces) -> int:
    await faces.daemon.till.card(card("a"))
    member = shown(faces).member
    assert member is not None
    return member.points


async def test_one_line_comes_back_with_its_points(till: Faces) -> None:
    assert await points(till) == 335
    await enter(till, receipt(till))
    assert [(line.name, line.sold, line.left) for line in sale(till).lines] == [
        ("Towel", "3", "3"), ("Earphones", "1", "1"),
    ]  # fmt: skip
    assert (sale(till).refund, sale(till).can_void) == (None, True)
    before = stored(till)
    await till.did("/api/till/return-line", number=1, quantity="2")
    now = sale(till)
    assert (now.refund, now.points_taken, now.lines[0].chosen) == ("¥24.00", 24, "2")
    assert [(one.tender, one.amount) for one in now.tenders] == [("Cash", "¥24.00")]
    assert stored(till) == before, "looking changes nothing"
    await till.did("/api/till/return-confirm")
    assert (code(till), shown(till).returning) == ("RETURNED", None)
    message = shown(till).message
    assert message is not None and "Cash ¥24.00" in message.sentence
    assert "24 points taken back" in " ".join(shown(till).why.last)
    assert await points(till) == 311
    await enter(till, receipt(till))
    assert [(line.left, line.chosen) for line in sale(till).lines] == [("1", "0"), ("1", "0")]
    assert sale(till).can_void is False


async def test_the_receipts_code_and_the_list_open_the_same_sale(till: Faces) -> None:
    await till.did("/api/till/returns")
    returning = shown(till).returning
    assert returning is not None
    assert [(row.receipt, row.total) for row in returning.recent] == [(receipt(till), "¥335.00")]
    await till.did("/api/till/return-receipt", number=1)
    listed = sale(till)
    await till.did("/api/till/return-close")
    await enter(till, f"{receipt(till)}:{'ab' * 32}")
    assert sale(till) == listed


async def test_while_goods_come_back_the_box_takes_their_codes(till: Faces) -> None:
    await enter(till, receipt(till), TOWEL, TOWEL, EARPHONES)
    assert [line.chosen for line in sale(till).lines] == ["2", "1"]
    assert sale(till).refund == "¥323.00"
    await enter(till, EARPHONES)
    assert code(till) == "NOT_ON_RECEIPT"
    await enter(till, "6901234567892")
    assert code(till) == "NOT_ON_RECEIPT"
    assert shown(till).lines == [], "nothing was sold meanwhile"


async def test_a_late_scan_is_never_paid_back_unseen(till: Faces) -> None:
    await enter(till, receipt(till), TOWEL)
    seen = sale(till).refund_minor
    await enter(till, TOWEL)
    assert await refused(till, "return-confirm", refund_minor=seen) == "RETURN_CHANGED"
    assert (sale(till).refund, sale(till).refund_minor) == ("¥24.00", 2400), "it is still there"
    await till.did("/api/till/return-confirm", refund_minor=2400)
    assert code(till) == "RETURNED"


async def test_all_of_it_comes_back_for_a_reason(till: Faces) -> None:
    await enter(till, receipt(till))
    await till.did("/api/till/return-all")
    await till.did("/api/till/return-reason", reason="faulty", shop_fault=True)
    now = sale(till)
    assert (now.refund, now.points_taken, now.reason, now.shop_fault) == ("¥335.00", 335, "faulty", True)
    await till.did("/api/till/return-reason", reason="wrong")
    await till.did("/api/till/return-reason", shop_fault=False)
    assert (sale(till).reason, sale(till).shop_fault) == ("wrong", False), "each leaves the other alone"
    await till.did("/api/till/return-confirm")
    assert await points(till) == 0
    await enter(till, receipt(till))
    await till.did("/api/till/return-all")
    assert sale(till).refund is None
    assert await refused(till, "return-confirm") == "RETURN_EMPTY"


async def test_a_sale_of_today_is_undone_and_one_of_yesterday_is_not(till: Faces) -> None:
    await enter(till, receipt(till))
    await till.did("/api/till/return-void", on=True)
    assert (sale(till).refund, sale(till).void) == ("¥335.00", True)
    till.bench.clock.move(DAY_S)
    assert await refused(till, "return-confirm") == "VOID_ONLY_SAME_DAY"
    till.bench.clock.move(-DAY_S)
    await till.did("/api/till/return-confirm")
    assert till.bench.rows("SELECT count(*) FROM event WHERE kind = 'void'") == [(1,)]
    assert await points(till) == 0


async def test_a_line_comes_back_step_by_step_as_far_as_it_goes(till: Faces) -> None:
    await enter(till, receipt(till))
    chosen = []
    for by in (1, 1, 1, 1, -1, -1, -1, -1):
        await till.did("/api/till/return-step", number=1, by=by)
        chosen.append(sale(till).lines[0].chosen)
    assert chosen == ["1", "2", "3", "3", "2", "1", "0", "0"]


async def test_too_late_needs_a_manager(till: Faces) -> None:
    shop = till.bench.shop
    number = receipt(till)
    till.bench.clock.move(20 * DAY_S)
    await enter(till, number)
    await till.did("/api/till/return-line", number=1, quantity="1")
    problem = sale(till).problem
    assert problem is not None and (problem.code, sale(till).refund) == ("RETURN_TOO_LATE", None)
    assert await refused(till, "return-confirm") == "RETURN_TOO_LATE"
    await sign_in.add_person(shop, "m-1", "Manager", "manager", PIN)
    await till.did("/api/till/sign-in", staff="m-1", pin=PIN)
    await enter(till, number)
    await till.did("/api/till/return-line", number=1, quantity="1")
    await till.did("/api/till/return-confirm")
    assert code(till) == "RETURNED"


@pytest.mark.parametrize("text", ["nowhere-1-1", "x", "6901234567892", "-1-1"])
async def test_a_receipt_that_is_none_of_this_shop(till: Faces, text: str) -> None:
    await till.did("/api/till/returns")
    before = stored(till)
    await enter(till, text)
    assert code(till) in ("SALE_UNKNOWN", "RECEIPT_INVALID")
    assert stored(till) == before
    assert shown(till).returning is not None, "the desk stays open"


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        ("return-line", {"number": 1, "quantity": "4"}, "RETURN_TOO_MUCH"),
        ("return-line", {"number": 1, "quantity": "99999"}, "RETURN_TOO_MUCH"),
        ("return-line", {"number": 1, "quantity": "0.5"}, "QUANTITY_IMPOSSIBLE"),
        ("return-line", {"number": 1, "quantity": "-1"}, "QUANTITY_IMPOSSIBLE"),
        ("return-line", {"number": 0, "quantity": "1"}, "LINE_UNKNOWN"),
        ("return-line", {"number": 3, "quantity": "1"}, "LINE_UNKNOWN"),
        ("return-step", {"number": 0, "by": 1}, "LINE_UNKNOWN"),
        ("return-step", {"number": 3, "by": -1}, "LINE_UNKNOWN"),
        ("return-step", {"number": 1, "by": 3}, "BODY_INVALID"),
        ("return-reason", {"reason": "whim", "shop_fault": False}, "REASON_UNKNOWN"),
        ("return-reason", {"shop_fault": "yes"}, "BODY_INVALID"),
        ("return-confirm", {}, "RETURN_EMPTY"),
        ("return-receipt", {"number": 1}, "CHOICE_UNKNOWN"),
    ],
)
async def test_what_cannot_come_back(till: Faces, path: str, body: dict[str, object], said: str) -> None:
    await enter(till, receipt(till))
    shown_before = sale(till)
    assert await refused(till, path, **body) == said
    assert sale(till) == shown_before


@pytest.mark.parametrize("path", ["return-all", "return-confirm"])
async def test_with_nothing_open_nothing_comes_back(till: Faces, path: str) -> None:
    assert await refused(till, path) == "NO_RETURN_OPEN"


async def test_a_sensitive_article_has_no_name_when_it_comes_back(till: Faces) -> None:
    till.bench.shop.program = programs.load(
        PROGRAM | {"version": "2", "sensitive": {"categories": ["phone"]}}
    )
    await enter(till, receipt(till))
    assert [line.name for line in sale(till).lines] == ["Towel", "Article"]


async def test_what_points_and_coupons_paid_goes_back_too(faces: Faces) -> None:
    await faces.rich_member("Ann")
    faces.bench.shop.program = programs.load(OFFERS)
    await faces.sign_in()
    await faces.daemon.till.card(card("a"))
    await enter(faces, "FIVE", EARPHONES)
    await faces.did("/api/till/points")
    await faces.did("/api/till/pay", tender="card")
    await enter(faces, receipt(faces))
    await faces.did("/api/till/return-all")
    assert (sale(faces).refund, sale(faces).points_given) == ("¥262.10", 200)
    await faces.did("/api/till/return-confirm")
    assert await points(faces) == 299
    await enter(faces, TOWEL)
    assert [one.title for one in shown(faces).coupons.coupons] == ["5 off"]

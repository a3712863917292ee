"""Baskets that wait, changes that are taken back, and the business day, as a till's page asks for them."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.store.shops import EARPHONES, TOWEL, card
from tests.web.faces import Faces
from tests.web.test_till import shown


def basket(faces: Faces) -> list[tuple[str, str]]:
    return [(line.sku, line.quantity) for line in shown(faces).lines]


async def scan(faces: Faces, *codes: str) -> None:
    for code in codes:
        await faces.daemon.till.enter(code)


def trust(faces: Faces) -> int:
    member = shown(faces).member
    assert member is not None
    return member.trust


async def test_a_basket_is_put_aside_and_taken_up_with_its_member(faces: Faces) -> None:
    await faces.rich_member("Annabel")
    await faces.sign_in()
    await faces.daemon.till.card(card("a"))
    await scan(faces, TOWEL, EARPHONES)
    await faces.did("/api/till/park")
    assert (basket(faces), shown(faces).member) == ([], None)
    (waiting,) = shown(faces).parked
    assert (waiting.number, waiting.member, waiting.articles, waiting.due) == (1, "A**", 2, "¥311.00")
    await scan(faces, TOWEL)
    await faces.start()  # nothing of either is lost
    await faces.sign_in()
    assert basket(faces) == [(TOWEL, "1")]
    await faces.did("/api/till/recall", number=1)
    assert basket(faces) == [(TOWEL, "1"), (EARPHONES, "1")]
    member = shown(faces).member
    assert member is not None and member.name == "A**"
    (other,) = shown(faces).parked  # what lay there was put aside for it
    assert (other.articles, other.member) == (1, "")


async def test_of_two_who_take_up_the_same_one_gets_it(faces: Faces) -> None:
    await faces.sign_in()
    await scan(faces, TOWEL)
    await faces.did("/api/till/park")
    answers: list[tuple[int, dict[str, Any]]] = await asyncio.gather(
        *(faces.post("/api/till/recall", number=1) for _ in range(2))
    )
    codes = sorted((status, answer.get("code", "")) for status, answer in answers)
    assert codes[0] == (200, "")
    assert codes[1][1] in ("PARKED_GONE", "CHOICE_UNKNOWN")
    assert basket(faces) == [(TOWEL, "1")]


async def test_the_sale_of_a_parked_basket_is_one_sale(faces: Faces) -> None:
    await faces.sign_in()
    await scan(faces, TOWEL)
    await faces.did("/api/till/park")
    await faces.did("/api/till/recall", number=1)
    await faces.did("/api/till/pay", tender="cash", received_minor=1200)
    assert faces.bench.rows("SELECT count(*) FROM event WHERE kind = 'sale'") == [(1,)]
    assert shown(faces).parked == []


async def test_nothing_is_not_put_aside_and_not_too_many(faces: Faces) -> None:
    await faces.sign_in()
    assert (await faces.post("/api/till/park"))[1]["code"] == "NOTHING_TO_PARK"
    for _ in range(9):
        await scan(faces, TOWEL)
        await faces.did("/api/till/park")
    await scan(faces, EARPHONES)
    assert (await faces.post("/api/till/park"))[1]["code"] == "TOO_MANY_PARKED"
    assert basket(faces) == [(EARPHONES, "1")]
    await faces.did("/api/till/recall", number=9)
    assert basket(faces) == [(TOWEL, "1")]
    assert len(shown(faces).parked) == 9


async def test_a_card_counts_for_a_quarter_of_an_hour_of_waiting(faces: Faces) -> None:
    await faces.rich_member()
    await faces.sign_in()
    await scan(faces, EARPHONES)
    for waited_min, kept in ((14, True), (15, False)):
        await faces.daemon.till.card(card("a"))
        proved = trust(faces)
        assert proved > 0
        await faces.did("/api/till/park")
        faces.bench.clock.move(waited_min * 60)
        await faces.did("/api/till/recall", number=1)
        assert trust(faces) == (proved if kept else 0)
        assert shown(faces).member is not None


async def test_ten_changes_are_taken_back_one_by_one_over_a_restart(faces: Faces) -> None:
    await faces.rich_member()
    await faces.sign_in()
    await scan(faces, TOWEL, EARPHONES)
    await faces.daemon.till.card(card("a"))
    for _ in range(7):
        await faces.did("/api/till/step", sku=TOWEL, by=1)
    await faces.did("/api/till/quantity", sku=EARPHONES, quantity="0")
    await faces.did("/api/till/member-off")
    await faces.start()
    await faces.sign_in()
    await faces.did("/api/till/undo")
    assert shown(faces).member is not None
    await faces.did("/api/till/undo")
    assert basket(faces) == [(TOWEL, "8"), (EARPHONES, "1")]
    for _ in range(8):
        await faces.did("/api/till/undo")
    assert basket(faces) == [(TOWEL, "1"), (EARPHONES, "1")]
    assert shown(faces).member is None
    assert (await faces.post("/api/till/undo"))[1]["code"] == "NOTHING_UNDONE"


async def test_what_was_paid_is_not_taken_back(faces: Faces) -> None:
    await faces.sign_in()
    await scan(faces, TOWEL)
    await faces.did("/api/till/pay", tender="cash", received_minor=1200)
    assert (await faces.post("/api/till/undo"))[1]["code"] == "NOTHING_UNDONE"
    assert faces.bench.rows("SELECT count(*) FROM event WHERE kind = 'sale'") == [(1,)]


# ---- the business day --------------------------------------------------------------------------------------
async def test_a_day_is_opened_read_counted_and_closed(faces: Faces) -> None:
    await faces.sign_in()
    await faces.did("/api/till/shift-open", amount_minor=20_000)
    shift = shown(faces).shift
    assert shift is not None and (shift.number, shift.opened, shift.float) == (1, "17:00", "¥200.00")
    await scan(faces, TOWEL)
    await faces.did("/api/till/pay", tender="cash", received_minor=1200)
    await faces.did("/api/till/shift-report")
    shift = shown(faces).shift
    assert shift is not None and shift.report is not None
    assert not shift.report.is_final
    named = {section.title: [row.amount for row in section.rows] for section in shift.report.sections}
    assert named["Sales"] == ["¥12.00", "¥0.00"]
    assert named["Tenders"] == []  # whoever counts must not read it before
    await faces.did("/api/till/shift-close", number=1, amount_minor=21_000)
    shift = shown(faces).shift
    assert shift is not None and shift.report is not None
    assert (shift.number, shift.report.is_final, shift.report.difference) == (2, True, "-¥2.00")
    jobs = faces.bench.rows("SELECT kind FROM print_job WHERE id = 'z-1'")
    assert jobs == [("shift",)]
    await faces.did("/api/till/shift-done")
    shift = shown(faces).shift
    assert shift is not None and shift.report is None


async def test_two_touches_close_one_day(faces: Faces) -> None:
    await faces.sign_in()
    for _ in range(2):
        await faces.did("/api/till/shift-close", number=1, amount_minor=0)
    assert faces.bench.rows("SELECT number FROM shift") == [(1,)]
    status, refused = await faces.post("/api/till/shift-close", number=1, amount_minor=5)
    assert (status, refused["code"]) == (409, "SHIFT_CLOSED")
    assert (await faces.post("/api/till/shift-close", number=7, amount_minor=5))[1]["code"] == "SHIFT_UNKNOWN"


async def test_only_whoever_is_signed_in_sees_the_day(faces: Faces) -> None:
    assert shown(faces).shift is None
    assert (await faces.post("/api/till/shift-open", amount_minor=1))[1]["code"] == "SIGN_IN_FIRST"

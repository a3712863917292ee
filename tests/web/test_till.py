"""The till over HTTP: one box, one basket, one sale."""

from __future__ import annotations

import asyncio

import pytest

from tapledger.errors import Corrupt
from tapledger.membership import sign_in
from tapledger.membership.identity import Presented
from tapledger.membership.redemption import Redeemed
from tapledger.store import drafts, facts, keys
from tapledger.web.snapshots import Till
from tests.store.shops import EARPHONES, TOWEL, card
from tests.web.faces import Faces

GTIN_UNKNOWN = "6901234567892"


def shown(faces: Faces) -> Till:
    snapshot = faces.daemon.live._channels["till"].snapshot
    assert isinstance(snapshot, Till)
    return snapshot


def code(faces: Faces) -> str:
    message = shown(faces).message
    return "" if message is None else message.code


async def enter(faces: Faces, *texts: str) -> None:
    for text in texts:
        await faces.did("/api/till/enter", text=text)


async def test_a_sale_with_a_member(faces: Faces) -> None:
    member = await faces.bench.join("Ann", card("a"))
    await faces.sign_in()
    await faces.daemon.till.card(card("a"))
    await enter(faces, TOWEL, "2*", EARPHONES, f"3*{TOWEL}")
    till = shown(faces)
    assert [(line.sku, line.quantity) for line in till.lines] == [(TOWEL, "4"), (EARPHONES, "2")]
    assert (till.totals.due_minor, till.totals.earn_points) == (64_600, 646)
    assert till.member is not None and till.member.name == "A**"
    await faces.did("/api/till/pay", tender="cash", received_minor=70_000)
    till = shown(faces)
    assert till.last_sale is not None
    assert (till.last_sale.change, till.last_sale.earned_points, till.lines) == ("¥54.00", 646, [])
    assert till.member is None
    assert await faces.bench.points(member) == 646


async def test_paying_many_times_at_once_is_one_sale(faces: Faces) -> None:
    await faces.sign_in()
    await enter(faces, TOWEL)
    answers = await asyncio.gather(*(faces.post("/api/till/pay", tender="cash") for _ in range(20)))
    assert sorted(status for status, _ in answers) == [200] + [400] * 19
    assert {answer["code"] for status, answer in answers if status != 200} == {"BASKET_EMPTY"}
    assert faces.bench.rows("SELECT count(*) FROM event") == [(1,)]


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"tender": "cash", "received_minor": 1199}, 422, "TENDER_TOO_SMALL"),
        ({"tender": "cash", "received_minor": -1}, 400, "AMOUNT_IMPOSSIBLE"),
        ({"tender": "cash", "received_minor": 2**63}, 400, "AMOUNT_IMPOSSIBLE"),
        ({"tender": "cash", "received_minor": 10**30}, 400, "AMOUNT_TOO_LARGE"),
        ({"tender": "cash", "received_minor": 1200.5}, 400, "BODY_INVALID"),
        ({"tender": "card", "received_minor": 1300}, 422, "CHANGE_ONLY_FROM_CASH"),
        ({"tender": "barter"}, 400, "TENDER_UNKNOWN"),
    ],
)
async def test_money_that_cannot_be_meant_leaves_the_basket(
    faces: Faces, body: dict[str, object], status: int, said: str
) -> None:
    await faces.sign_in()
    await enter(faces, TOWEL)
    before = faces.bench.tables()
    answer = await faces.post("/api/till/pay", **body)
    assert (answer[0], answer[1]["code"]) == (status, said)
    assert answer[1]["sentence"] and answer[1]["next_step"]
    assert faces.bench.tables() == before
    assert len(shown(faces).lines) == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "CODE_EMPTY"),
        ("x" * 513, "CODE_TOO_LONG"),
        ("A\x1b@B", "CODE_CONTROL_CHARACTERS"),
        (GTIN_UNKNOWN, "NOTHING_FOUND"),
        ("4111111111111111", "CARD_NUMBER_REFUSED"),
        ("6212345678901234567", "PAYMENT_CODE_REFUSED"),
        ("0*" + TOWEL, "QUANTITY_IMPOSSIBLE"),
    ],
    ids=lambda value: ascii(value)[:20],
)
async def test_what_the_box_cannot_take_is_said_and_the_basket_stays(
    faces: Faces, text: str, said: str
) -> None:
    await faces.sign_in()
    await enter(faces, TOWEL)
    before = faces.bench.tables()
    await enter(faces, text)
    assert (code(faces), len(shown(faces).lines)) == (said, 1)
    assert faces.bench.tables() == before
    await enter(faces, TOWEL)
    assert shown(faces).lines[0].quantity == "2"


@pytest.mark.parametrize("typed", ["13812345678", "138-1234-5678", "138 1234 5678"])
async def test_a_stranger_joins_with_the_number_however_it_was_typed(faces: Faces, typed: str) -> None:
    await faces.sign_in()
    await enter(faces, TOWEL, typed)
    assert shown(faces).stranger == "…5678"
    await faces.did("/api/till/join", name="Zoe")
    till = shown(faces)
    assert code(faces) == "MEMBER_JOINED"
    assert till.member is not None and till.member.name == "Z**"
    await faces.did("/api/till/pay", tender="card")
    await enter(faces, "13812345678")
    found = shown(faces).member
    assert found is not None and found.points == 12


async def test_a_stranger_joins_with_a_card(faces: Faces) -> None:
    await faces.sign_in()
    assert (await faces.post("/api/till/join", name="Zoe"))[1]["code"] == "NOBODY_TO_JOIN"
    await faces.daemon.till.card(Presented("uid", "04A1B2C3", 0, "uid-only"))
    assert (shown(faces).stranger, code(faces)) == ("…B2C3", "CARD_UNKNOWN")
    status, answer = await faces.post("/api/till/join", name="A\x1b@")
    assert (status, answer["code"]) == (400, "NAME_CONTROL_CHARACTERS")
    await faces.did("/api/till/join", name="Zoe")
    member = shown(faces).member
    assert member is not None and (member.name, member.trust) == ("Z**", 0)


async def test_a_voucher_is_handed_in_once_and_then_said_to_be_used(faces: Faces) -> None:
    member = await faces.rich_member()
    redeemed: Redeemed = await faces.bench.redeem(member)
    await faces.sign_in()
    await enter(faces, redeemed.voucher)
    assert code(faces) == "VOUCHER_TAKEN"
    await enter(faces, redeemed.voucher.lower())
    assert code(faces) == "VOUCHER_USED"
    assert faces.bench.rows("SELECT count(*) FROM event WHERE kind = 'fulfil'") == [(1,)]


async def test_signed_out_the_till_shows_nobody_and_takes_nothing(faces: Faces) -> None:
    await faces.rich_member("Annabel")
    await faces.sign_in()
    await faces.daemon.till.card(card("a"))
    await enter(faces, TOWEL)
    await faces.did("/api/till/sign-out")
    till = shown(faces)
    assert (till.member, till.lines, till.last_sale, till.stranger, till.totals.due_minor) == (
        None, [], None, None, 0,
    )  # fmt: skip
    watcher = await faces.watch("till")
    await watcher.until(lambda snapshot: True)
    assert "A**" not in str(watcher.frames)
    await faces.sign_in()
    assert len(shown(faces).lines) == 1, "the basket was kept"


async def test_the_basket_is_there_again_after_a_restart(faces: Faces) -> None:
    await faces.rich_member()
    await faces.sign_in()
    await faces.daemon.till.card(card("a"))
    await enter(faces, TOWEL, TOWEL)
    await faces.start()
    await faces.sign_in()
    till = shown(faces)
    assert [line.quantity for line in till.lines] == ["2"]
    assert till.member is not None and till.member.points == 299
    await faces.did("/api/till/pay", tender="cash")
    await faces.start()
    await faces.sign_in()
    till = shown(faces)
    assert till.lines == []
    assert till.last_sale is not None and till.last_sale.total == "¥24.00"


async def test_a_damaged_basket_does_not_keep_the_shop_shut(faces: Faces) -> None:
    await faces.bench.shop.store.transact(lambda tx: drafts.save(tx, "till-1", b"\xc1 damaged"))
    await faces.start()
    assert code(faces) == "DRAFT_UNREADABLE"
    await faces.sign_in()
    await enter(faces, TOWEL)
    await faces.did("/api/till/pay", tender="cash")


async def test_the_set_up_code_makes_one_owner(faces: Faces) -> None:
    await sign_in.keep_setup_code(faces.bench.shop, "ABCD-EFGH")
    body = {"code": "wrong", "name": "Owner", "pin": "1357"}
    assert (await faces.post("/api/till/set-up", **body))[1]["code"] == "SETUP_CODE_WRONG"
    body["code"] = " abcd-efgh "
    assert (await faces.post("/api/till/set-up", **(body | {"pin": "12"})))[1]["code"] == "PIN_INVALID"
    await faces.did("/api/till/set-up", **body)
    assert (await faces.post("/api/till/set-up", **body))[1]["code"] == "SETUP_CODE_WRONG"
    assert [person.id for person in shown(faces).staff_known] == ["s-1", "owner"]
    assert await faces.bench.shop.store.transact(lambda tx: facts.get(tx, "setup_code")) == b""


async def test_quantities_are_whole_and_within_reason(faces: Faces) -> None:
    await faces.sign_in()
    await enter(faces, TOWEL)
    for quantity in ("-1", "1.5", "", "１", "99999", "1" * 6, "x"):
        status, answer = await faces.post("/api/till/quantity", sku=TOWEL, quantity=quantity)
        assert (status, answer["code"]) == (400, "QUANTITY_IMPOSSIBLE"), quantity
    for sku in ("", EARPHONES, "x" * 99):
        for path, body in (("quantity", {"quantity": "1"}), ("step", {"by": 1})):
            assert (await faces.post(f"/api/till/{path}", sku=sku, **body))[1]["code"] == "NOT_IN_BASKET"
    for by in (0, 2, -2, 10**30, "1", 1.5, None):
        assert (await faces.post("/api/till/step", sku=TOWEL, by=by))[1]["code"] == "BODY_INVALID"
    await faces.did("/api/till/quantity", sku=TOWEL, quantity="7")
    assert shown(faces).lines[0].quantity == "7"
    for by, quantity in ((1, "8"), (-1, "7")):
        await faces.did("/api/till/step", sku=TOWEL, by=by)
        assert shown(faces).lines[0].quantity == quantity
    await faces.did("/api/till/quantity", sku=TOWEL, quantity="1")
    await faces.did("/api/till/step", sku=TOWEL, by=-1)
    assert shown(faces).lines[0].quantity == "1", "never down to nothing"
    await faces.did("/api/till/quantity", sku=TOWEL, quantity="9999")
    assert (await faces.post("/api/till/step", sku=TOWEL, by=1))[1]["code"] == "QUANTITY_IMPOSSIBLE"
    await faces.did("/api/till/quantity", sku=TOWEL, quantity="0")
    assert shown(faces).lines == []


async def test_a_light_that_changes_meanwhile_shows_nothing_half_done(faces: Faces) -> None:
    """What is typed into a panel of theirs would be lost."""
    await faces.rich_member()
    await faces.sign_in()
    till = faces.daemon.till
    await till.card(card("a"))
    await enter(faces, TOWEL)
    await enter(faces, EARPHONES)
    for changing in (till.greet_again(), till.set_quantity(TOWEL, 0)):
        task = asyncio.create_task(changing)
        while not task.done():
            till.refresh()
            assert shown(faces).member is not None
            assert not any(line.gift for line in shown(faces).lines), "a basket with the price of another"
            await asyncio.sleep(0)
        await task
    assert [line.sku for line in shown(faces).lines] == [EARPHONES]


async def test_a_member_that_the_store_lost_stops_no_start(faces: Faces) -> None:
    member = await faces.rich_member()
    await faces.sign_in()
    await faces.daemon.till.card(card("a"))
    await enter(faces, TOWEL)
    delete = "DELETE FROM member WHERE id = ?"
    await faces.bench.shop.store.transact(lambda tx: tx.exec_driver_sql(delete, (keys.of_uuid(member),)))
    await faces.start()
    assert code(faces) == Corrupt("MEMBER_MISSING").code

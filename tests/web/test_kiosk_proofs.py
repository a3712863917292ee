"""What a card alone does not open: a dear reward, the history, stored value; and taking a reward back."""

from __future__ import annotations

import pytest

from tapledger.loyalty import program as programs
from tapledger.loyalty.facts import Tender
from tapledger.membership import pins, stored_value
from tapledger.membership.identity import Presented
from tapledger.membership.stored_value import TopUpCommand
from tapledger.store import prints
from tests.store.shops import EARPHONES, card
from tests.web.faces import Faces, Watcher, kiosk_settings
from tests.web.test_kiosk import NOW_S, at_balance, told
from tests.web.test_till_offers import OFFERS

PIN, PHONE = "135792", "13800138000"
BARE = Presented("uid", "04A1B2C3D4E5F6", 0, "uid-only")


async def careful(faces: Faces) -> None:
    """Let nothing go by a touch alone."""
    await faces.start(kiosk_settings(touch_points=50))


async def choose_tea(faces: Faces, watcher: Watcher) -> str:
    await faces.did("/api/kiosk/choose", reward="tea")
    return str((await watcher.screen("confirm"))["how"])


async def test_a_card_that_proves_itself_confirms_by_lying_down_again(faces: Faces) -> None:
    strong = Presented("card", "a", 2, "code that changes")
    member = await faces.bench.join("Ann", strong)
    await faces.bench.buy(member, EARPHONES)
    await careful(faces)
    watcher = await faces.watch("kiosk")
    await faces.daemon.kiosk.card(strong, NOW_S)
    await watcher.screen("balance")
    assert await choose_tea(faces, watcher) == "tap"
    assert (await faces.post("/api/kiosk/confirm", reward="tea"))[1]["code"] == "NOT_CONFIRMING"
    await faces.daemon.kiosk.card(strong, NOW_S)
    assert (await watcher.screen("done"))["points"] == 199
    assert faces.bench.rows("SELECT count(*) FROM event WHERE kind = 'hold'") == [(1,)]


async def test_a_signed_card_is_asked_for_its_pin_once_a_visit(faces: Faces) -> None:
    member = await faces.rich_member()
    await pins.set_pin(faces.bench.shop, member, PIN)
    await careful(faces)
    watcher, _ = await at_balance(faces)
    assert await choose_tea(faces, watcher) == "pin"
    await faces.did("/api/kiosk/confirm", reward="tea")
    asked = await watcher.screen("prove")
    assert (asked["how"], asked["digits"], asked["other_way"]) == ("pin", 6, False)
    status, refused = await faces.post("/api/kiosk/prove", digits="000001")
    assert (status, refused["code"]) == (403, "PIN_WRONG") and "4" in refused["sentence"]
    await faces.did("/api/kiosk/prove", digits=PIN)
    assert (await watcher.screen("done"))["points"] == 199
    await faces.did("/api/kiosk/back")
    await watcher.screen("balance")
    await faces.did("/api/kiosk/choose", reward="tea")
    assert (await watcher.screen("confirm"))["how"] == "touch"
    ledger = faces.bench.rows("SELECT count(*) FROM event WHERE kind = 'hold'")
    assert ledger == [(1,)]


async def test_a_wrong_pin_redeems_nothing_and_five_lock_it(faces: Faces) -> None:
    member = await faces.rich_member()
    await pins.set_pin(faces.bench.shop, member, PIN)
    await careful(faces)
    watcher, _ = await at_balance(faces)
    await choose_tea(faces, watcher)
    await faces.did("/api/kiosk/confirm", reward="tea")
    codes = [(await faces.post("/api/kiosk/prove", digits="246810"))[1]["code"] for _ in range(5)]
    assert codes == ["PIN_WRONG"] * 4 + ["PIN_LOCKED"]
    assert (await faces.post("/api/kiosk/prove", digits=PIN))[1]["code"] == "PIN_LOCKED"
    assert await faces.bench.points(member) == 299


async def test_a_bare_card_shows_its_history_to_whoever_has_the_phone(faces: Faces) -> None:
    member = await faces.bench.join("Bob", BARE, phone=PHONE)
    await faces.bench.buy(member, EARPHONES)
    await faces.sign_in()
    watcher, till = await faces.watch("kiosk"), await faces.watch("till")
    await faces.daemon.kiosk.card(BARE, NOW_S)
    await watcher.screen("balance")
    await faces.did("/api/kiosk/history")
    assert (await watcher.screen("prove"))["how"] == "code"
    shown = (await till.until(lambda snapshot: bool(snapshot["phone_codes"])))["phone_codes"]
    assert shown[0]["phone"] == "*** 8000"
    await faces.did("/api/kiosk/prove", digits=shown[0]["code"])
    assert len((await watcher.screen("history"))["entries"]) == 1
    await till.until(lambda snapshot: not snapshot["phone_codes"])
    assert PHONE not in told(watcher.frames)


async def test_stored_value_is_shown_to_whoever_proves_whose_it_is(faces: Faces) -> None:
    member = await faces.rich_member()
    shop = faces.bench.shop
    shop.program = programs.load(OFFERS)
    topped = TopUpCommand("up-1", member, card("a"), 10_000, (Tender("cash", 10_000),), "s-1", "en")
    await stored_value.top_up(shop, topped)
    await pins.set_pin(shop, member, PIN)
    watcher, screen = await at_balance(faces)
    assert (screen["has_value"], screen["value"]) == (True, None)
    await faces.did("/api/kiosk/value")
    await watcher.screen("prove")
    await faces.did("/api/kiosk/prove", digits=PIN)
    assert (await watcher.screen("balance"))["value"] == "¥110.00"
    await faces.did("/api/kiosk/finish")
    await watcher.screen("attract")
    await faces.daemon.kiosk.card(card("a"), NOW_S)
    assert (await watcher.screen("balance"))["value"] is None


async def test_the_phone_code_stands_in_for_a_forgotten_pin(faces: Faces) -> None:
    member = await faces.bench.join("Ann", card("a"), phone=PHONE)
    await faces.bench.buy(member, EARPHONES)
    await pins.set_pin(faces.bench.shop, member, PIN)
    await careful(faces)
    watcher, _ = await at_balance(faces)
    await choose_tea(faces, watcher)
    await faces.did("/api/kiosk/confirm", reward="tea")
    assert (await watcher.screen("prove"))["other_way"] is True
    await faces.did("/api/kiosk/phone-code")
    (waiting,) = faces.daemon.codes.waiting()
    assert (await faces.post("/api/kiosk/prove", digits="x"))[1]["code"] == "PHONE_CODE_WRONG"
    await faces.did("/api/kiosk/prove", digits=waiting.code)
    assert (await watcher.screen("done"))["points"] == 199


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("prove", {"digits": "1"}),
        ("phone-code", {}),
        ("undo", {}),
        ("draw", {"word": "abcdefgh"}),
        ("answer", {"number": 0}),
        ("agree", {}),
        ("phone", {"digits": "1"}),
        ("code", {"digits": "1"}),
        ("score", {"score": 5}),
        ("reason", {"number": 0}),
    ],
)
async def test_what_nobody_was_asked_for_is_refused(faces: Faces, path: str, body: dict[str, object]) -> None:
    await faces.rich_member()
    watcher, _ = await at_balance(faces)
    status, refused = await faces.post(f"/api/kiosk/{path}", **body)
    assert status == 409, refused
    await faces.did("/api/kiosk/coupons")
    await watcher.screen("coupons")


async def test_a_reward_is_taken_back_while_nothing_was_delivered(faces: Faces) -> None:
    member = await faces.rich_member()
    watcher, _ = await at_balance(faces)
    await faces.did("/api/kiosk/choose", reward="tea")
    await faces.did("/api/kiosk/confirm", reward="tea")
    assert (await watcher.screen("done"))["undo_s"] == 10
    faces.bench.clock.move(4)
    await faces.did("/api/kiosk/undo")
    assert (await watcher.screen("balance"))["points"] == 299
    assert await faces.bench.points(member) == 299
    assert (await faces.post("/api/kiosk/undo"))[1]["code"] == "NOTHING_TO_UNDO"


async def test_what_is_on_its_way_to_the_paper_cannot_be_taken_back(faces: Faces) -> None:
    member = await faces.rich_member()
    watcher, _ = await at_balance(faces)
    await faces.did("/api/kiosk/choose", reward="tea")
    await faces.did("/api/kiosk/confirm", reward="tea")
    await watcher.screen("done")
    ((job,),) = faces.bench.rows("SELECT id FROM print_job WHERE kind = 'voucher'")
    await faces.bench.shop.store.transact(lambda tx: prints.settle(tx, job, "printed", "", ""))
    await faces.daemon.kiosk.slip_settled(job)
    done = await watcher.until(lambda snapshot: snapshot["screen"].get("slip") == "printed")
    assert done["screen"]["undo_s"] is None
    assert (await faces.post("/api/kiosk/undo"))[1]["code"] == "VOUCHER_DELIVERED"
    assert await faces.bench.points(member) == 199

"""The kiosk's session: who it shows, when it ends, and that nothing of a member stays behind."""

from __future__ import annotations

import asyncio
import json
import threading

import msgspec
import pytest

from tapledger.errors import Refused
from tapledger.membership.identity import Presented
from tapledger.store import prints
from tapledger.web.kiosk.face import LONGEST_SESSION_S
from tests.store.shops import card
from tests.web.faces import Faces, Snapshot, Watcher, kiosk_settings

SOON_S = 0.05
NOW_S = 0.0


async def at_balance(faces: Faces, value: str = "a") -> tuple[Watcher, Snapshot]:
    watcher = await faces.watch("kiosk")
    await faces.daemon.kiosk.card(card(value), NOW_S)
    return watcher, await watcher.screen("balance")


def told(frames: list[tuple[int, Snapshot]]) -> str:
    return json.dumps([snapshot for _, snapshot in frames], ensure_ascii=False)


async def test_a_tap_shows_the_masked_name_and_the_exact_points(faces: Faces) -> None:
    await faces.rich_member("Annabel")
    watcher, screen = await at_balance(faces)
    assert (screen["member"]["name"], screen["member"]["trust"], screen["points"]) == ("A**", 1, 299)
    assert [one["id"] for one in screen["rewards"]] == ["tea", "cup"]
    assert "nnabel" not in told(watcher.frames)


async def test_a_read_that_takes_long_is_said_and_then_shown(faces: Faces) -> None:
    """K2: whoever holds a card there knows it was seen, and nothing of anybody stands there meanwhile."""
    await faces.rich_member()
    watcher = await faces.watch("kiosk")
    busy = threading.Event()
    holding = asyncio.create_task(faces.bench.shop.store.transact(lambda tx: busy.wait()))
    tapping = asyncio.create_task(faces.daemon.kiosk.card(card("a"), NOW_S))
    try:
        assert await watcher.screen("reading") == {"screen": "reading"}
    finally:
        busy.set()
    assert (await watcher.screen("balance"))["points"] == 299
    assert await holding and await tapping


async def test_two_touches_to_a_reward(faces: Faces) -> None:
    await faces.rich_member()
    watcher, _ = await at_balance(faces)
    await faces.did("/api/kiosk/choose", reward="tea")
    assert (await watcher.screen("confirm"))["points_after"] == 199
    await faces.did("/api/kiosk/confirm", reward="tea")
    done = await watcher.screen("done")
    assert (done["points"], done["slip"], len(done["voucher"])) == (199, "printing", 16)
    status, again = await faces.post("/api/kiosk/confirm", reward="tea")
    assert (status, again["code"]) == (409, "NOT_CONFIRMING")
    assert faces.bench.rows("SELECT count(*) FROM event WHERE kind = 'hold'") == [(1,)]


@pytest.mark.parametrize("path", ["rewards", "back", "stay"])
async def test_without_a_session_a_touch_does_nothing(faces: Faces, path: str) -> None:
    status, answer = await faces.post(f"/api/kiosk/{path}")
    assert (status, answer["code"]) == (409, "SESSION_OVER")
    await faces.did("/api/kiosk/finish")


async def test_what_cannot_be_chosen_is_refused(faces: Faces) -> None:
    await faces.rich_member()
    await at_balance(faces)
    assert (await faces.post("/api/kiosk/choose", reward="none"))[1]["code"] == "REWARD_UNKNOWN"
    await faces.did("/api/kiosk/choose", reward="tea")
    assert (await faces.post("/api/kiosk/confirm", reward="cup"))[1]["code"] == "NOT_CONFIRMING"
    assert (await faces.post("/api/kiosk/language", language="fr"))[1]["code"] == "LANGUAGE_UNKNOWN"
    assert faces.bench.rows("SELECT count(*) FROM event WHERE kind = 'hold'") == [(0,)]


async def test_points_that_went_meanwhile_are_told_at_the_second_touch(faces: Faces) -> None:
    member = await faces.rich_member()
    watcher, _ = await at_balance(faces)
    await faces.did("/api/kiosk/choose", reward="tea")
    for _ in range(2):
        await faces.bench.redeem(member)
    status, headers, answer = await faces.ask("POST", "/api/kiosk/confirm", b'{"reward": "tea"}')
    assert (status, json.loads(answer)["code"]) == (422, "POINTS_MISSING")
    shown = await watcher.until(lambda shown: shown["screen"].get("points") == 99)
    assert shown["screen"]["screen"] == "balance"
    assert headers["Live-Version"] == str(watcher.frames[-1][0]), "the page knows which frame came with it"


@pytest.mark.parametrize("cost", [None, 150])
async def test_rules_that_change_between_two_touches_take_nothing(faces: Faces, cost: int | None) -> None:
    await faces.rich_member()
    watcher, _ = await at_balance(faces)
    await faces.did("/api/kiosk/choose", reward="tea")
    await watcher.screen("confirm")
    program = faces.bench.shop.program
    tea = next(one for one in program.rewards if one.id == "tea")
    new = [] if cost is None else [msgspec.structs.replace(tea, cost_points=cost)]
    faces.bench.shop.program = msgspec.structs.replace(program, version="2", rewards=new)
    assert (await faces.post("/api/kiosk/confirm", reward="tea"))[1]["code"] == "NOT_CONFIRMING"
    await watcher.screen("balance")
    assert faces.bench.rows("SELECT count(*) FROM event WHERE kind = 'hold'") == [(0,)]


async def test_a_reward_that_is_no_more_can_be_shown_in_no_language(faces: Faces) -> None:
    await faces.rich_member()
    watcher, _ = await at_balance(faces)
    await faces.did("/api/kiosk/choose", reward="tea")
    faces.bench.shop.program = msgspec.structs.replace(faces.bench.shop.program, version="2", rewards=[])
    await faces.daemon.kiosk.card(card("a"), NOW_S)
    await faces.did("/api/kiosk/language", language="ja")
    await watcher.screen("balance")


# ---- whose session it is ---------------------------------------------------------------------------------
async def test_another_card_ends_the_session(faces: Faces) -> None:
    await faces.rich_member("Ann", "a")
    await faces.rich_member("Zoe", "z")
    watcher, _ = await at_balance(faces)
    await faces.did("/api/kiosk/choose", reward="tea")
    shown = len(watcher.frames)
    await faces.daemon.kiosk.card(card("z"), NOW_S)
    assert (await watcher.screen("balance"))["member"]["name"] == "Z**"
    assert "A**" not in told(watcher.frames[-1:])
    assert len(watcher.frames) > shown
    assert (await faces.post("/api/kiosk/confirm", reward="tea"))[1]["code"] == "NOT_CONFIRMING"


async def test_the_next_member_is_spoken_to_in_the_shops_language(faces: Faces) -> None:
    await faces.rich_member("Ann", "a")
    await faces.rich_member("Zoe", "z")
    watcher, _ = await at_balance(faces)
    await faces.did("/api/kiosk/language", language="zh-Hans")
    await watcher.until(lambda shown: shown["language"] == "zh-Hans")
    await faces.daemon.kiosk.card(card("z"), NOW_S)
    await watcher.until(lambda shown: shown["screen"]["screen"] == "balance" and shown["language"] == "en")
    await faces.did("/api/kiosk/language", language="zh-Hans")
    await faces.did("/api/kiosk/finish")
    await watcher.screen("goodbye")
    await faces.start(kiosk_settings(goodbye_s=SOON_S))
    watcher, _ = await at_balance(faces)
    await faces.did("/api/kiosk/language", language="zh-Hans")
    await faces.did("/api/kiosk/finish")
    await watcher.screen("goodbye")
    await watcher.until(lambda shown: shown["screen"]["screen"] == "attract" and shown["language"] == "en")


async def test_a_language_chosen_before_the_tap_stays_for_that_visit_only(faces: Faces) -> None:
    await faces.rich_member()
    await faces.start(kiosk_settings(list_s=SOON_S))
    watcher = await faces.watch("kiosk")
    await faces.did("/api/kiosk/language", language="zh-Hans")
    await watcher.until(lambda shown: shown["language"] == "zh-Hans")
    await watcher.until(lambda shown: shown["language"] == "en")
    await faces.start()
    await faces.did("/api/kiosk/language", language="zh-Hans")
    await faces.daemon.kiosk.card(card("a"), NOW_S)
    assert faces.daemon.kiosk.language == "zh-Hans"


async def test_the_same_card_again_goes_on_where_the_member_was(faces: Faces) -> None:
    await faces.rich_member()
    watcher, _ = await at_balance(faces)
    await faces.did("/api/kiosk/choose", reward="tea")
    await watcher.screen("confirm")
    await faces.daemon.kiosk.card(card("a"), NOW_S)
    await faces.did("/api/kiosk/confirm", reward="tea")
    await watcher.screen("done")


@pytest.mark.parametrize(
    ("shown", "code"),
    [
        (card("stranger"), "CARD_UNKNOWN"),
        (card("a", 0), "CARD_LEVEL_TOO_LOW"),
        (Presented("uid", "04", 0, "uid-only"), "CARD_UNKNOWN"),
    ],
)
async def test_a_card_in_trouble_ends_the_session_and_says_what_to_do(
    faces: Faces, shown: Presented, code: str
) -> None:
    await faces.rich_member()
    await faces.start(kiosk_settings(trouble_s=SOON_S))
    watcher, _ = await at_balance(faces)
    await faces.daemon.kiosk.card(shown, NOW_S)
    problem = (await watcher.screen("trouble"))["problem"]
    assert problem["code"] == code and problem["sentence"] and problem["next_step"]
    await watcher.screen("attract")
    assert (await faces.post("/api/kiosk/rewards"))[1]["code"] == "SESSION_OVER"


async def test_a_torn_read_is_told(faces: Faces) -> None:
    watcher = await faces.watch("kiosk")
    await faces.daemon.kiosk.card_trouble(Refused("CARD_TORN"), NOW_S)
    assert (await watcher.screen("trouble"))["problem"]["code"] == "CARD_TORN"


# ---- when it ends ----------------------------------------------------------------------------------------
async def test_an_idle_session_warns_and_ends_and_leaves_nothing(faces: Faces) -> None:
    await faces.rich_member("Annabel")
    times = kiosk_settings(balance_s=SOON_S, warning_s=SOON_S, goodbye_s=SOON_S)
    await faces.start(times)
    watcher, _ = await at_balance(faces)
    assert watcher.frames[-1][1]["still_here_s"] is None
    await watcher.until(lambda shown: shown["still_here_s"] is not None)
    await watcher.screen("goodbye")
    ended = len(watcher.frames)
    assert "A**" not in told(watcher.frames[-1:])
    await watcher.screen("attract")
    late = await faces.watch("kiosk")
    await late.screen("attract")
    assert "A**" not in told(watcher.frames[ended:] + late.frames)
    assert not faces.daemon.kiosk.serving


async def test_a_touch_in_the_countdown_keeps_the_session(faces: Faces) -> None:
    await faces.rich_member()
    await faces.start(kiosk_settings(balance_s=SOON_S, warning_s=30.0))
    watcher, _ = await at_balance(faces)
    warned = await watcher.until(lambda shown: shown["still_here_s"] is not None)
    assert warned["still_here_s"] == 30
    await faces.did("/api/kiosk/stay")
    kept = await watcher.until(lambda shown: shown["still_here_s"] is None)
    assert kept["screen"]["screen"] == "balance"


async def test_no_session_is_endless(faces: Faces) -> None:
    await faces.rich_member()
    watcher, _ = await at_balance(faces)
    faces.bench.clock.move(LONGEST_SESSION_S + 1)
    assert (await faces.post("/api/kiosk/stay"))[1]["code"] == "SESSION_OVER"
    await watcher.screen("goodbye")


async def test_the_same_card_after_the_longest_session_begins_another(faces: Faces) -> None:
    await faces.rich_member()
    watcher, _ = await at_balance(faces)
    faces.bench.clock.move(LONGEST_SESSION_S + 1)
    await faces.daemon.kiosk.greet_again()  # news from central about whoever is still shown
    await faces.daemon.kiosk.card(card("a"), NOW_S)
    await faces.did("/api/kiosk/choose", reward="tea")
    await watcher.screen("confirm")


async def test_news_from_central_show_at_once(faces: Faces) -> None:
    member = await faces.rich_member()
    watcher, _ = await at_balance(faces)
    await faces.bench.buy(member)
    await faces.daemon.kiosk.greet_again()
    await watcher.until(lambda shown: shown["screen"].get("points") == 311)
    assert (await faces.post("/api/kiosk/confirm", reward="tea"))[1]["code"] == "NOT_CONFIRMING"


# ---- what became of the slip -----------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("state", "reason", "shown"),
    [
        ("printed", "", "printed"),
        ("unknown", "mute", "unknown"),
        ("failed", "bad_job", "failed"),
        ("expired", "expired", "failed"),
        ("queued", "paper_out", "failed"),
        ("sending", "", "printing"),
    ],
)
async def test_the_screen_says_what_became_of_the_slip(
    faces: Faces, state: str, reason: str, shown: str
) -> None:
    await faces.rich_member()
    watcher, _ = await at_balance(faces)
    await faces.did("/api/kiosk/choose", reward="tea")
    await faces.did("/api/kiosk/confirm", reward="tea")
    await watcher.screen("done")
    ((job,),) = faces.bench.rows("SELECT id FROM print_job WHERE kind = 'voucher'")
    await faces.bench.shop.store.transact(lambda tx: prints.settle(tx, job, state, reason, "evidence"))
    await faces.daemon.kiosk.slip_settled("slip-of-somebody-else")
    await faces.daemon.kiosk.slip_settled(job)
    screen = faces.daemon.kiosk._screen
    assert getattr(screen, "slip", None) == shown
    if shown != "printing":
        await watcher.until(lambda snapshot: snapshot["screen"].get("slip") == shown)


async def test_many_touches_at_once_are_one_redemption(faces: Faces) -> None:
    await faces.rich_member()
    await at_balance(faces)
    await faces.did("/api/kiosk/choose", reward="tea")
    answers = await asyncio.gather(*(faces.post("/api/kiosk/confirm", reward="tea") for _ in range(20)))
    assert sorted(status for status, _ in answers) == [200] + [409] * 19
    assert faces.bench.rows("SELECT count(*) FROM event WHERE kind = 'hold'") == [(1,)]

"""What there is to do at a kiosk beside rewards: each brings what the programme says, once."""

from __future__ import annotations

import dataclasses
import hashlib

import pytest

from tapledger.loyalty import program as programs
from tapledger.loyalty.rewards.lottery import verify
from tapledger.membership import lottery as lotteries
from tests.store.shops import PROGRAM, card
from tests.web.faces import Faces, Snapshot, Watcher
from tests.web.test_kiosk import NOW_S, at_balance

QUESTION = {"id": "q", "text": {"en": "Which?"}, "answers": [{"en": "Red"}, {"en": "Blue"}], "right": 1}
FUN = PROGRAM | {
    "version": "fun",
    "check_in": {"gain": {"points": 10}},
    "missions": [
        {"id": "three", "name": {"en": "Three visits"}, "metric": "visits", "at_least": 3, "days": 30,
         "gain": {"points": 100}},
    ],
    "surveys": [
        {"id": "quiz", "name": {"en": "Quiz"}, "questions": [QUESTION, QUESTION | {"id": "r"}],
         "points_per_right": 5},
    ],
    "lotteries": [
        {"id": "wheel", "name": {"en": "Wheel"}, "cost_points": 50, "fallback": "thanks",
         "prizes": [
             {"id": "hundred", "name": {"en": "100 points"}, "weight": 1, "gain": {"points": 100}},
             {"id": "thanks", "name": {"en": "Thanks"}, "weight": 3},
         ]},
    ],
    "rewards": [
        *PROGRAM["rewards"],
        {"id": "tasting", "title": {"en": "Tea tasting"}, "cost_points": 20, "kind": "event",
         "ends": "2026-12-31T20:00:00", "attend_points": 7},
    ],
    "faq": [{"question": {"en": "Do points expire?"}, "answer": {"en": "After a year."}}],
}  # fmt: skip


async def at_activities(faces: Faces) -> tuple[Watcher, Snapshot]:
    await faces.rich_member()
    faces.bench.shop.program = programs.load(FUN)
    watcher, screen = await at_balance(faces)
    assert screen["activities"] == 4
    await faces.did("/api/kiosk/activities")
    return watcher, await watcher.screen("activities")


async def test_everything_there_is_to_do_is_named_with_what_it_brings(faces: Faces) -> None:
    _, screen = await at_activities(faces)
    assert [(one["kind"], one["available"]) for one in screen["items"]] == [
        ("check_in", True), ("lottery", True), ("survey", True), ("mission", False),
    ]  # fmt: skip
    mission = screen["items"][3]
    assert (mission["progress_pct"], mission["detail"]) == (33, "1 of 3 · +100 points")


async def test_a_check_in_brings_its_gift_once_a_day(faces: Faces) -> None:
    watcher, _ = await at_activities(faces)
    await faces.did("/api/kiosk/activity", kind="check_in", id="")
    gift = await watcher.screen("gift")
    assert gift["points"] == 309 and gift["sentences"]
    await faces.did("/api/kiosk/back")
    again = (await watcher.screen("activities"))["items"][-1]
    assert (again["kind"], again["available"]) == ("check_in", False) and again["why_not"]
    assert (await faces.post("/api/kiosk/activity", kind="check_in", id=""))[1]["code"] == "CHECK_IN_ALREADY"


async def test_a_draw_can_be_checked_by_anybody_later(faces: Faces) -> None:
    watcher, _ = await at_activities(faces)
    await faces.did("/api/kiosk/activity", kind="lottery", id="wheel")
    before = await watcher.screen("wheel")
    assert [one["odds"] for one in before["prizes"]] == ["25.00%", "75.00%"]
    assert (before["drawn"], before["points"], before["why_not"]) == (None, 299, None)
    await faces.did("/api/kiosk/draw", word="abcd1234")
    drawn = (await watcher.until(lambda snapshot: snapshot["screen"].get("drawn") is not None))["screen"]
    assert drawn["commit"] == before["commit"]
    assert drawn["proof"] == "1 · abcd1234"
    assert drawn["points"] == 249 + (100 if drawn["drawn"] == 0 else 0)
    revealed = await lotteries.reveal(faces.bench.shop, "wheel")
    seed = bytes.fromhex(revealed.seed)
    assert hashlib.sha256(seed).hexdigest() == drawn["commit"]
    (made,) = revealed.draws
    assert verify(seed, drawn["commit"], (1, 3), [made]) == []
    other = dataclasses.replace(made, prize=1 - made.prize)
    assert verify(seed, drawn["commit"], (1, 3), [other])


@pytest.mark.parametrize("word", ["", "short", "x" * 65, "a b c d e f", "<script>"])
async def test_a_word_that_is_none_draws_nothing(faces: Faces, word: str) -> None:
    watcher, _ = await at_activities(faces)
    await faces.did("/api/kiosk/activity", kind="lottery", id="wheel")
    await watcher.screen("wheel")
    assert (await faces.post("/api/kiosk/draw", word=word))[1]["code"] == "WORD_IMPOSSIBLE"
    assert faces.bench.rows("SELECT count(*) FROM event WHERE kind = 'draw'") == [(0,)]


async def test_a_quiz_counts_after_its_last_question(faces: Faces) -> None:
    watcher, _ = await at_activities(faces)
    await faces.did("/api/kiosk/activity", kind="survey", id="quiz")
    first = await watcher.screen("questions")
    assert (first["number"], first["of"], first["answers"]) == (1, 2, ["Red", "Blue"])
    await faces.did("/api/kiosk/answer", number=0)
    await faces.did("/api/kiosk/back")
    await faces.did("/api/kiosk/answer", number=1)
    assert faces.bench.rows("SELECT count(*) FROM event WHERE kind = 'survey'") == [(0,)]
    assert (await faces.post("/api/kiosk/answer", number=2))[1]["code"] == "ANSWER_UNKNOWN"
    await faces.did("/api/kiosk/answer", number=1)
    assert (await watcher.screen("gift"))["points"] == 309


async def test_a_ticket_lets_its_holder_in(faces: Faces) -> None:
    watcher, _ = await at_activities(faces)
    await faces.did("/api/kiosk/choose", reward="tasting")
    await faces.did("/api/kiosk/confirm", reward="tasting")
    await watcher.screen("done")
    await faces.did("/api/kiosk/activities")
    items = (await watcher.screen("activities"))["items"]
    assert ("ticket", "tasting") in [(one["kind"], one["id"]) for one in items]
    await faces.did("/api/kiosk/activity", kind="ticket", id="tasting")
    assert (await watcher.screen("gift"))["points"] == 286


async def test_answers_to_what_people_ask(faces: Faces) -> None:
    faces.bench.shop.program = programs.load(FUN)
    watcher = await faces.watch("kiosk")
    await faces.did("/api/kiosk/help")
    assert (await watcher.screen("help"))["faq"] is True
    await faces.did("/api/kiosk/faq")
    assert (await watcher.screen("faq"))["entries"] == [
        {"question": "Do points expire?", "answer": "After a year."}
    ]
    await faces.did("/api/kiosk/back")
    await watcher.screen("help")
    await faces.did("/api/kiosk/back")
    await watcher.screen("attract")


@pytest.mark.parametrize(
    ("kind", "code"),
    [("mission", "MISSION_COUNTS_BY_ITSELF"), ("survey", "SURVEY_UNKNOWN"), ("lottery", "LOTTERY_UNKNOWN"),
     ("ticket", "TICKET_MISSING"), ("dance", "ACTIVITY_UNKNOWN")],
)  # fmt: skip
async def test_what_is_not_there_is_said(faces: Faces, kind: str, code: str) -> None:
    watcher, _ = await at_activities(faces)
    assert (await faces.post("/api/kiosk/activity", kind=kind, id="nothing"))[1]["code"] == code
    await faces.did("/api/kiosk/back")
    await watcher.screen("balance")


async def test_another_card_in_the_middle_of_a_quiz_ends_it(faces: Faces) -> None:
    watcher, _ = await at_activities(faces)
    await faces.bench.join("Bea", card("b"))
    await faces.did("/api/kiosk/activity", kind="survey", id="quiz")
    await watcher.screen("questions")
    await faces.daemon.kiosk.card(card("b"), NOW_S)
    assert (await watcher.screen("balance"))["member"]["name"] == "B**"
    assert (await faces.post("/api/kiosk/answer", number=0))[1]["code"] == "NOT_ASKED"

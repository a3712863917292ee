"""What became of a slip, on every face: a person says what the printer did not."""

from __future__ import annotations

from typing import Any

import pytest

from tapledger.devices.paper_forecast import Forecast
from tapledger.floor import paper_views
from tapledger.languages import LANGUAGES
from tapledger.store import drawers, prints
from tapledger.store.prints import Job
from tapledger.web import print_views
from tapledger.web.print_snapshots import PrintView
from tapledger.web.snapshots import Console, Till
from tests.store.shops import START, TOWEL
from tests.web.faces import Faces

WORD = "2026-05-04T09:00:00Z"


def till(faces: Faces) -> Till:
    snapshot = faces.daemon.live._channels["till"].snapshot
    assert isinstance(snapshot, Till)
    return snapshot


async def sold(faces: Faces, state: str = "unknown", reason: str = "mute") -> str:
    """Sell something, and let its slip meet a fate."""
    await faces.sign_in()
    await faces.did("/api/till/enter", text=TOWEL)
    await faces.did("/api/till/pay", tender="cash")
    last = till(faces).last_sale
    assert last is not None
    await faces.bench.shop.store.transact(lambda tx: prints.settle(tx, last.job, state, reason, "evidence"))
    await faces.daemon._slip_settled(last.job)
    return last.job


def row(faces: Faces, job: str) -> tuple[Any, ...]:
    (found,) = faces.bench.rows(f"SELECT state, copies, word FROM print_job WHERE id = '{job}'")
    return found


async def test_the_cashier_is_asked_and_answers_yes(faces: Faces) -> None:
    job = await sold(faces)
    (asked,) = till(faces).doubtful
    assert (asked.job, asked.asks, asked.number) == (job, True, job.removeprefix("slip-"))
    assert "Did it?" in asked.sentence
    await faces.did("/api/till/slip-came-out", job=job, yes=True)
    assert row(faces, job) == ("printed", 0, f"s-1 {WORD}")
    shown = till(faces)
    assert (shown.doubtful, shown.last_sale is not None and shown.last_sale.slip) == ([], "printed")
    status, answer = await faces.post("/api/till/slip-came-out", job=job, yes=False)
    assert (status, answer["code"]) == (409, "SLIP_SETTLED")


async def test_the_cashier_answers_no_and_a_copy_waits(faces: Faces) -> None:
    job = await sold(faces)
    await faces.did("/api/till/slip-came-out", job=job, yes=False)
    assert row(faces, job) == ("queued", 1, f"s-1 {WORD}")


@pytest.mark.parametrize(
    ("state", "reason", "copies"), [("expired", "expired", 0), ("failed", "bad_job", 0), ("printed", "", 1)]
)
async def test_the_cashier_wants_a_slip_again(faces: Faces, state: str, reason: str, copies: int) -> None:
    job = await sold(faces, state, reason)
    await faces.did("/api/till/slip-again", job=job)
    assert row(faces, job) == ("queued", copies, f"s-1 {WORD}")
    status, answer = await faces.post("/api/till/slip-again", job=job)
    assert (status, answer["code"]) == (409, "SLIP_NOT_AGAIN")


async def test_nobody_asks_for_a_slip_without_signing_in(faces: Faces) -> None:
    job = await sold(faces)
    await faces.did("/api/till/sign-out")
    assert till(faces).doubtful == []
    for path, body in (("slip-came-out", {"job": job, "yes": True}), ("slip-again", {"job": job})):
        status, answer = await faces.post(f"/api/till/{path}", **body)
        assert (status, answer["code"]) == (403, "SIGN_IN_FIRST")
    assert row(faces, job)[0] == "unknown"


async def test_the_technician_answers_too(faces: Faces) -> None:
    job = await sold(faces)
    watcher = await faces.watch("console")
    shown = await watcher.until(lambda snapshot: any(one["asks"] for one in snapshot["prints"]))
    assert shown["paper"] is None
    await faces.did("/api/console/slip-came-out", job=job, yes=True)
    assert row(faces, job)[2] == f"technician {WORD}"
    shown = await watcher.until(lambda snapshot: snapshot["prints"][0]["state"] == "printed")
    assert shown["prints"][0]["sentence"] == "By the word of the technician."
    await faces.did("/api/console/slip-again", job=job)
    assert row(faces, job)[:2] == ("queued", 1)
    status, answer = await faces.post("/api/console/slip-again", job="slip-nothing")
    assert (status, answer["code"]) == (404, "SLIP_UNKNOWN")
    await faces.did("/api/console/roll-changed")


async def test_a_status_slip_is_queued_on_demand(faces: Faces) -> None:
    await faces.did("/api/console/print-status")
    ((job, kind),) = faces.bench.rows("SELECT id, kind FROM print_job")
    assert (job.startswith("status-"), kind) == (True, "status")
    console = faces.daemon.live._channels["console"].snapshot
    assert isinstance(console, Console)


async def test_no_request_opens_the_drawer(faces: Faces) -> None:
    for face in ("till", "console", "kiosk"):
        status, _, _ = await faces.ask("POST", f"/api/{face}/drawer", b"{}")
        assert status == 404


async def test_a_drawer_that_did_not_open_is_said_at_the_till(faces: Faces) -> None:
    faces.bench.shop.has_drawer = True
    job = await sold(faces, "printed", "")
    await faces.bench.shop.store.transact(lambda tx: drawers.settle(tx, job, "failed"))
    await faces.daemon._slip_settled(job)
    drawer = till(faces).drawer
    assert drawer is not None and (drawer.state, drawer.sentence) == (
        "failed",
        "The cash drawer did not open.",
    )


# ---- in words ----------------------------------------------------------------------------------------
def job(state: str, reason: str = "", copies: int = 0, word: str = "") -> Job:
    return Job("slip-0001-1-7", 7, "sale", b"", state, reason, "evidence", 0, copies, word)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("of", "asks", "can_repeat", "is_said"),
    [
        (job("queued"), False, False, False),
        (job("queued", "paper_out"), False, False, True),
        (job("queued", "printer_not_ready"), False, False, True),
        (job("queued", "cut_off", 1), False, False, True),
        (job("sending"), False, False, False),
        (job("waiting_device"), False, False, False),
        (job("printed"), False, True, False),
        (job("printed", word="s-1 2026"), False, True, True),
        (job("failed", "bad_job"), False, True, True),
        (job("unknown", "mute"), True, True, True),
        (job("expired", "expired"), False, True, True),
        (job("expired", prints.UNDONE), False, False, False),
    ],
    ids=str,
)
def test_a_slip_in_words(language: str, of: Job, asks: bool, can_repeat: bool, is_said: bool) -> None:
    said = print_views.print_view(of, language)
    assert isinstance(said, PrintView)
    assert (said.asks, said.can_repeat, bool(said.sentence)) == (asks, can_repeat, is_said)
    assert "{" not in said.sentence


@pytest.mark.parametrize("language", LANGUAGES)
def test_paper_in_words(language: str) -> None:
    assert paper_views.paper_view(None, language) is None
    for left, is_low in ((None, False), (10, False), (9, True), (0, True)):
        forecast = Forecast(left, "learned", 1200, START)
        said = paper_views.paper_view(forecast, language)
        assert said is not None
        assert (said.receipts_left, said.is_low, bool(said.sentence)) == (left, is_low, is_low)
        assert paper_views.paper_left(forecast) == (left if is_low else None)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_drawer_is_shown_when_somebody_has_to_do_something(language: str) -> None:
    assert print_views.drawer_view(None, None, language) is None
    assert print_views.drawer_view(job("printed"), False, language) is None
    said = print_views.drawer_view(None, True, language)
    assert said is not None and said.state == "open" and said.next_step

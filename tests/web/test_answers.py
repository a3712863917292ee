"""What the server answers: a code, a sentence and a next step, with the headers that keep pages apart."""

from __future__ import annotations

import asyncio
import json

import pytest

from tapledger.errors import Denied
from tapledger.web import problems
from tapledger.web.guard import HEADERS, MAX_BODY_BYTES
from tests.web.faces import Faces

OWN = {"Origin": "", "Content-Type": ""}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/kiosk", 200),
        ("/till", 200),
        ("/console", 200),
        ("/assets/app.js", 200),
        ("/nowhere", 404),
        ("/assets/none.js", 404),
        ("/assets/", 404),
        ("/assets/../kiosk.html", 404),
        ("/assets/%2e%2e/kiosk.html", 404),
        ("/assets/%2e%2e/%2e%2e/shop/shop.db", 404),
        ("/live/kiosk", 400),
        ("/live/nobody", 404),
        ("/api/kiosk/rewards", 405),
        ("/" + "x" * 4000, 404),
    ],
)
async def test_every_answer_has_the_security_headers(faces: Faces, path: str, status: int) -> None:
    answer = await faces.ask("GET", path, headers=OWN)
    assert answer[0] == status
    assert HEADERS.items() <= answer[1].items()
    if status != 200 and path != "/assets/none.js":  # which aiohttp answers itself, without a word
        assert set(json.loads(answer[2])) == {"code", "sentence", "next_step"}


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "BODY_INVALID"),
        (b"{", 400, "BODY_INVALID"),
        (b"\xff\xfe", 400, "BODY_INVALID"),
        (b'"text"', 400, "BODY_INVALID"),
        (b"[]", 400, "BODY_INVALID"),
        (b"{}", 400, "BODY_INVALID"),
        (b'{"reward": 1}', 400, "BODY_INVALID"),
        (b'{"reward": null}', 400, "BODY_INVALID"),
        (b'{"reward": "tea", "more": 1}', 400, "BODY_INVALID"),
        (b'{"reward": "\\ud800"}', 400, "BODY_INVALID"),
        (b'{"reward": "\xff"}', 400, "BODY_INVALID"),
        (b"[" * 50_000, 400, "BODY_INVALID"),
        (b'{"a": ' * 10_000, 400, "BODY_INVALID"),
        (b'{"reward": "' + b"x" * MAX_BODY_BYTES + b'"}', 413, "BODY_TOO_LARGE"),
        (b'{"reward": "tea"}', 409, "SESSION_OVER"),
    ],
    ids=lambda value: repr(value)[:24],
)
async def test_a_bad_body_is_told_and_changes_nothing(
    faces: Faces, body: bytes, status: int, code: str
) -> None:
    before = faces.bench.tables()
    answer = await faces.ask("POST", "/api/kiosk/choose", body)
    assert (answer[0], json.loads(answer[2])["code"]) == (status, code)
    assert HEADERS.items() <= answer[1].items()
    assert faces.bench.tables() == before


async def test_the_till_needs_its_cookie(faces: Faces) -> None:
    bodies: dict[str, dict[str, object]] = {
        "enter": {"text": "6901234567908"},
        "choose": {"number": 1},
        "quantity": {"sku": "6901234567908", "quantity": "1"},
        "step": {"sku": "6901234567908", "by": 1},
        "pay": {"tender": "cash"},
        "join": {"name": "Eve"},
        "member-off": {},
        "clear": {},
    }
    for name, body in bodies.items():
        assert (await faces.post(f"/api/till/{name}", **body))[1]["code"] == "SIGN_IN_FIRST", name
    await faces.sign_in()
    await faces.did("/api/till/enter", text="6901234567908")
    for cookie in ("tapledger_till=", "tapledger_till=00", "tapledger_till=é", "other=1"):
        faces.session.cookie_jar.clear()
        for name, body in bodies.items():
            answer = await faces.ask(
                "POST", f"/api/till/{name}", json.dumps(body).encode(), {"Cookie": cookie}
            )
            assert (answer[0], json.loads(answer[2])["code"]) == (403, "SIGN_IN_FIRST"), (name, cookie)


async def test_signing_in_elsewhere_ends_the_session_before(faces: Faces) -> None:
    await faces.sign_in()
    first = {cookie.key: cookie.value for cookie in faces.session.cookie_jar}
    await faces.sign_in()
    stale = {"Cookie": "; ".join(f"{key}={value}" for key, value in first.items())}
    faces.session.cookie_jar.clear()
    assert (await faces.ask("POST", "/api/till/clear", b"{}", stale))[0] == 403
    await faces.sign_in()
    await faces.did("/api/till/clear")
    await faces.did("/api/till/sign-out")
    assert (await faces.post("/api/till/clear"))[1]["code"] == "SIGN_IN_FIRST"


async def test_the_cookie_is_out_of_a_scripts_reach(faces: Faces) -> None:
    body = json.dumps({"staff": "s-1", "pin": "2468"}).encode()
    _, headers, _ = await faces.ask("POST", "/api/till/sign-in", body)
    parts = {part.strip().lower() for part in headers["Set-Cookie"].split(";")}
    assert {"httponly", "samesite=strict", "path=/api/till"} <= parts


async def test_wrong_pins_cost_more_and_more_time(faces: Faces) -> None:
    """Told alike for a wrong person and a wrong PIN; while it waits even the right PIN is not tried."""

    async def told(staff: str, pin: str) -> dict[str, object]:
        return (await faces.post("/api/till/sign-in", staff=staff, pin=pin))[1]

    wrong = [await told(staff, "0000") for staff in ("s-1", "nobody", "s-1", "", "s-1")]
    assert {one["code"] for one in wrong} == {"SIGN_IN_WRONG"}
    assert len({json.dumps(one) for one in wrong}) == 1
    assert (await told("s-1", "2468"))["code"] == "TOO_MANY_TRIES"
    faces.bench.clock.move(29)
    assert (await told("s-1", "2468"))["code"] == "TOO_MANY_TRIES"
    faces.bench.clock.move(2)
    assert (await told("s-1", "0000"))["code"] == "SIGN_IN_WRONG"
    faces.bench.clock.move(31)
    answer = await told("s-1", "2468")
    assert answer["code"] == "TOO_MANY_TRIES", "the wait has doubled"
    assert "30 s" in str(answer["sentence"]) + str(answer["next_step"])
    faces.bench.clock.move(30)
    await faces.sign_in()
    assert (await told("s-1", "0000"))["code"] == "SIGN_IN_WRONG", "a right one begins anew"


async def test_a_code_that_this_version_does_not_know_still_has_a_sentence(faces: Faces) -> None:
    """Central and drivers may be newer than this shop."""
    for language in ("en", "zh-Hans"):
        told = problems.problem(language, Denied("CODE_OF_TOMORROW", some="figure"))
        assert told.code == "CODE_OF_TOMORROW" and told.sentence and told.next_step
        told = problems.problem(language, Denied("TOO_MANY_TRIES"))
        assert told.code == "TOO_MANY_TRIES" and told.sentence, "a figure that its sentence needs is missing"


async def test_half_a_request_holds_up_nobody(faces: Faces) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", faces.port)
    writer.write(
        b"POST /api/kiosk/finish HTTP/1.1\r\nHost: localhost:%d\r\nOrigin: %s\r\n"
        b"Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{" % (faces.port, faces.origin.encode())
    )
    await writer.drain()
    await faces.did("/api/kiosk/finish")
    writer.write(b"}")
    async with asyncio.timeout(10):
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
    writer.close()
    await writer.wait_closed()

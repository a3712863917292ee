"""What a technician's page asks of the devices, over the real server."""

from __future__ import annotations

import json
from typing import Any

import aiohttp

from tapledger.devices.reasons import REASONS
from tapledger.devices.repairs import help_of
from tapledger.devices.state import DeviceState
from tapledger_drivers.traffic import Traffic
from tests.web.faces import Faces

PAGE, OTHER_PAGE = "page-one-session", "page-two-session"


async def get(faces: Faces, path: str) -> tuple[int, Any]:
    status, _, answer = await faces.ask("GET", path)
    return status, json.loads(answer)


async def test_an_unknown_device_is_told_so(faces: Faces) -> None:
    status, answer = await get(faces, "/api/devices/nobody")
    assert (status, answer["code"]) == (404, "DEVICE_UNKNOWN")
    for path, body in (
        ("devices/nobody/health", {"level": "internal"}),
        ("devices/nobody/claim", {"session": PAGE}),
        ("devices/nobody/enable", {"enabled": False}),
        ("devices/nobody/reopen", {}),
        ("devices/nobody/record", {}),
        ("devices/nobody/recorded", {}),
        ("console/wake", {"role": "nobody"}),
    ):
        status, answer = await faces.post(f"/api/{path}", **body)
        assert (status, answer["code"]) == (404, "DEVICE_UNKNOWN"), path


async def test_bodies_are_strict(faces: Faces) -> None:
    for path, body in (
        ("health", {"level": "everything"}),
        ("claim", {}),
        ("claim", {"session": PAGE, "more": 1}),
        ("enable", {"enabled": "no"}),
    ):
        status, answer = await faces.post(f"/api/devices/till-scanner/{path}", **body)
        assert (status, answer["code"]) == (400, "BODY_INVALID")


async def test_events_are_read_from_a_number_on(faces: Faces) -> None:
    assert await get(faces, "/api/devices/events?since=0") == (200, [])
    assert (await get(faces, "/api/devices/events?since=x"))[0] == 400
    assert (await get(faces, f"/api/devices/events?since={10**30}"))[0] == 200
    assert (await get(faces, "/api/devices/events?since=-5"))[0] == 200
    assert (await get(faces, f"/api/devices/events?since=0&session={PAGE}"))[0] == 200
    status, answer = await get(faces, "/api/devices/events?since=0&session=till")
    assert (status, answer["code"]) == (400, "SESSION_IMPOSSIBLE")


async def test_a_claim_ends_with_the_page(faces: Faces) -> None:
    """Two tabs, one device: the second is told who has it, and gets it when the first is closed."""
    daemon = faces.daemon
    daemon.devices.states["till-scanner"] = DeviceState("till-scanner", "fake", link="online", ready=True)
    daemon.devices.traffic["till-scanner"] = Traffic(lambda: 0.0)
    url = f"http://127.0.0.1:{faces.port}/live/console?session={PAGE}"
    socket = await faces.session.ws_connect(url, headers={"Origin": faces.origin})
    status, claim = await faces.post("/api/devices/till-scanner/claim", session=PAGE)
    assert (status, claim["yours"], claim["holder"]) == (200, True, "console 1")
    status, answer = await faces.post("/api/devices/till-scanner/claim", session=OTHER_PAGE)
    assert (status, answer["code"]) == (409, "DEVICE_CLAIMED")
    assert "console 1" in answer["sentence"]
    watcher = await faces.watch("console")
    shown = await watcher.until(lambda snapshot: bool(snapshot["devices"]))
    assert PAGE not in json.dumps(shown)
    again = await faces.session.ws_connect(url, headers={"Origin": faces.origin})
    await again.receive()
    await socket.close()
    still = await faces.post("/api/devices/till-scanner/claim", session=PAGE)
    assert still[1]["holder"] == "console 1", "the page was back before its first connection ended"
    assert (await faces.post("/api/devices/till-scanner/claim", session=OTHER_PAGE))[0] == 409
    await again.close()
    await watcher.until(lambda snapshot: snapshot["devices"][0]["holder"] == "till")
    assert (await faces.post("/api/devices/till-scanner/claim", session=OTHER_PAGE))[0] == 200


async def test_metrics_are_for_this_machine(faces: Faces) -> None:
    async with aiohttp.ClientSession() as session:
        async with session.get(f"http://127.0.0.1:{faces.port}/metrics") as answer:
            assert answer.status == 200
            assert "# TYPE tapledger_device_up gauge" in await answer.text()
        url, foreign = f"http://127.0.0.1:{faces.port}/metrics", {"Host": "shop.example"}
        async with session.get(url, headers=foreign) as answer:
            assert answer.status == 421


async def test_nothing_is_simulated_without_devices(faces: Faces) -> None:
    for face in ("kiosk", "till", "console"):
        watcher = await faces.watch(face)
        shown = await watcher.until(lambda snapshot: True)
        assert shown["simulated"] is False


async def test_the_story_of_every_reason_is_a_page(faces: Faces) -> None:
    """A help link of the console leads to a heading of its own."""
    async with faces.session.get(f"http://127.0.0.1:{faces.port}/help/devices/problems.md") as answer:
        page = await answer.text()
        assert answer.content_type == "text/html"
    for reason in REASONS:
        assert f'<h3 id="{reason}">' in page
        assert help_of(reason) == f"docs/devices/problems.md#{reason}"

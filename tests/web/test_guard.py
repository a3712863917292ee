"""The guard: only our own pages on this machine reach a route, whatever the route is."""

from __future__ import annotations

import asyncio
import json

import aiohttp
import pytest

from tapledger.web.guard import HEADERS
from tests.web.faces import Faces

HOST, ORIGIN = "HOST_FOREIGN", "ORIGIN_FOREIGN"
FOREIGN: dict[str, tuple[dict[str, str], int, str]] = {
    # DNS rebinding: the page's own name, which now resolves to this machine
    "rebound host": ({"Host": "evil.test:{port}", "Origin": "http://evil.test:{port}"}, 421, HOST),
    "rebound, no origin": ({"Host": "evil.test:{port}", "Origin": "", "Sec-Fetch-Site": ""}, 421, HOST),
    "host without port": ({"Host": "localhost"}, 421, HOST),
    "host of another port": ({"Host": "localhost:1"}, 421, HOST),
    "host with our name inside": ({"Host": "localhost:{port}.evil.test"}, 421, HOST),
    "any address": ({"Host": "0.0.0.0:{port}"}, 421, HOST),
    "cross-site page": ({"Origin": "http://evil.test", "Sec-Fetch-Site": "cross-site"}, 403, ORIGIN),
    "old browser": ({"Origin": "http://evil.test", "Sec-Fetch-Site": ""}, 403, ORIGIN),
    "sandboxed page": ({"Origin": "null", "Sec-Fetch-Site": ""}, 403, ORIGIN),
    "other port's page": ({"Origin": "http://localhost:1", "Sec-Fetch-Site": "same-site"}, 403, ORIGIN),
    "https page": ({"Origin": "https://localhost:{port}", "Sec-Fetch-Site": ""}, 403, ORIGIN),
    "image or link": ({"Origin": "", "Sec-Fetch-Site": "cross-site"}, 403, ORIGIN),
    "same site only": ({"Origin": "", "Sec-Fetch-Site": "same-site"}, 403, ORIGIN),
}  # fmt: skip
POST_ONLY: dict[str, tuple[dict[str, str], int, str]] = {
    "no origin": ({"Origin": "", "Sec-Fetch-Site": ""}, 403, ORIGIN),
    "plain text": ({"Content-Type": "text/plain"}, 400, "BODY_NOT_JSON"),
    "form": ({"Content-Type": "application/x-www-form-urlencoded"}, 400, "BODY_NOT_JSON"),
    "no type": ({"Content-Type": ""}, 400, "BODY_NOT_JSON"),
}
BODIES = {
    "/api/kiosk/choose": {"reward": "tea"},
    "/api/kiosk/confirm": {"reward": "tea"},
    "/api/kiosk/language": {"language": "zh-Hans"},
    "/api/till/sign-in": {"staff": "s-1", "pin": "2468"},
    "/api/till/set-up": {"code": "x", "name": "x", "pin": "1234"},
    "/api/till/enter": {"text": "6901234567908"},
    "/api/till/choose": {"number": 1},
    "/api/till/quantity": {"sku": "6901234567908", "quantity": "2"},
    "/api/till/pay": {"tender": "cash"},
    "/api/till/join": {"name": "Eve"},
    "/api/till/language": {"language": "zh-Hans"},
    "/api/console/wake": {"role": "receipt-printer"},
    "/api/console/test-print": {"role": "receipt-printer"},
    "/api/console/language": {"language": "zh-Hans"},
}


def routes(faces: Faces) -> list[tuple[str, str]]:
    """List every route that the server has."""
    found = set()
    for route in faces.daemon.server()._app.router.routes():
        assert route.resource is not None
        path = route.resource.canonical
        path = "/assets/app.js" if path == "/assets" else path.replace("{face}", "kiosk")
        if route.method in ("GET", "POST"):
            found.add((route.method, path))
    return sorted(found)


def state(faces: Faces) -> object:
    frames = {face: channel.frame for face, channel in faces.daemon.live._channels.items()}
    return frames, faces.bench.tables(), faces.daemon.till.staff


async def test_every_kind_of_route_is_there(faces: Faces) -> None:
    found = routes(faces)
    assert {path for method, path in found if method == "POST"} >= set(BODIES)
    assert {("GET", "/kiosk"), ("GET", "/live/kiosk"), ("GET", "/assets/app.js")} <= set(found)


@pytest.mark.parametrize("attack", [*FOREIGN, *POST_ONLY])
async def test_a_foreign_request_runs_nothing(faces: Faces, attack: str) -> None:
    await faces.sign_in()  # the cashier's browser has the cookie
    await faces.did("/api/till/enter", text="6901234567908")
    before = state(faces)
    headers, status, code = (FOREIGN | POST_ONLY)[attack]
    headers = {name: value.format(port=faces.port) for name, value in headers.items()}
    for method, path in routes(faces):
        if method == "GET" and attack in POST_ONLY:
            continue
        body = json.dumps(BODIES.get(path, {})).encode() if method == "POST" else b""
        answer = await faces.ask(method, path, body, headers)
        assert (answer[0], json.loads(answer[2])["code"]) == (status, code), (method, path)
        assert HEADERS.items() <= answer[1].items(), path
        assert not any(name.startswith("Access-Control") for name in answer[1]), path
    assert state(faces) == before


@pytest.mark.parametrize("method", ["OPTIONS", "HEAD", "PUT", "DELETE", "PATCH", "TRACE", "PROPFIND"])
async def test_other_methods_run_nothing(faces: Faces, method: str) -> None:
    before = state(faces)
    for _, path in routes(faces):
        status, headers, _ = await faces.ask(method, path, json.dumps(BODIES.get(path, {})).encode())
        assert status == 405, (method, path)
        assert HEADERS.items() <= headers.items()
    assert state(faces) == before


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "[::1]"])
async def test_our_own_pages_get_through_under_every_name_of_this_machine(faces: Faces, name: str) -> None:
    own = {"Host": f"{name}:{faces.port}", "Origin": f"http://{name}:{faces.port}"}
    assert (await faces.ask("GET", "/kiosk", headers=own | {"Origin": ""}))[0] == 200
    body = json.dumps({"language": "zh-Hans"}).encode()
    assert (await faces.ask("POST", "/api/kiosk/language", body, own))[0] == 200
    assert (await faces.ask("POST", "/api/kiosk/language", body, own | {"Sec-Fetch-Site": ""}))[0] == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),
        ({"Origin": "http://evil.test"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "{own}", "Host": "evil.test:{port}"}, 421),
        ({"Origin": "{own}", "Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
async def test_a_foreign_websocket_reads_nothing(faces: Faces, headers: dict[str, str], status: int) -> None:
    headers = {name: value.format(own=faces.origin, port=faces.port) for name, value in headers.items()}
    for face in ("kiosk", "till", "display", "console", "dock"):
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await faces.session.ws_connect(f"http://127.0.0.1:{faces.port}/live/{face}", headers=headers)
        assert caught.value.status == status


async def test_only_loopback_listens(faces: Faces) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", faces.port)
    assert writer.get_extra_info("peername")[0] == "127.0.0.1"
    writer.close()
    await writer.wait_closed()
    with pytest.raises(OSError):
        await asyncio.open_connection("127.0.0.2", faces.port)

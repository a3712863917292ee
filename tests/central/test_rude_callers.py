"""Oversized, slow and half-closed requests over real sockets: answered or closed, and honest shops go on."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
import structlog
from yarl import URL

from tapledger import incoming
from tapledger.wire.messages import MAX_BATCH_BYTES
from tapledger_central.web import server
from tests.central.world import World

PATIENCE_S = 10.0
"""Far more than any answer here takes."""
MEBIBYTE = bytes(1 << 20)


@pytest.fixture
def database_url() -> str:
    """Who keeps the rows does not matter before a request is understood."""
    return ""


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Central as it is, but for how long it waits."""
    monkeypatch.setattr(incoming, "BODY_DEADLINE_S", 0.5)
    monkeypatch.setattr(server, "IDLE_S", 3.0)


class Line:
    """A connection to central, byte by byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def say(self, data: bytes) -> None:
        """Send, as far as the other side listens."""
        try:
            self.writer.write(data)
            await self.writer.drain()
        except OSError:
            return

    async def status(self) -> bytes:
        """Return the first line that comes; nothing when the connection is closed before."""
        async with asyncio.timeout(PATIENCE_S):
            try:
                return await self.reader.readline()
            except ConnectionError:
                return b""

    async def heard(self) -> bytes:
        """Return all that comes until central closes the connection."""
        async with asyncio.timeout(PATIENCE_S):
            try:
                return await self.reader.read()
            except ConnectionResetError:
                return b""


@asynccontextmanager
async def line_to(world: World) -> AsyncIterator[Line]:
    reader, writer = await asyncio.open_connection("127.0.0.1", URL(world.address).port)
    try:
        yield Line(reader, writer)
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


def head(world: World, *more: str, method: str = "POST", path: str = "/v1/enrol") -> bytes:
    host = URL(world.address).authority
    return "\r\n".join([f"{method} {path} HTTP/1.1", f"Host: {host}", *more, "", ""]).encode()


async def honest_shop_goes_on(world: World, name: str = "honest") -> None:
    shop = await world.shop(name)
    await shop.join("honest-1")
    assert await shop.push() == 1


async def test_a_body_said_to_be_too_large_is_not_waited_for(world: World) -> None:
    path = "/v1/nodes/n/events"
    async with line_to(world) as line:
        await line.say(head(world, f"Content-Length: {MAX_BATCH_BYTES + 1}", "Connection: close", path=path))
        await line.say(MEBIBYTE)
        assert b" 400 " in await line.status()
    await honest_shop_goes_on(world)


async def test_a_body_that_grows_too_large_is_cut_off(world: World) -> None:
    async with line_to(world) as line:
        path = "/v1/nodes/n/events"
        await line.say(head(world, "Transfer-Encoding: chunked", "Connection: close", path=path))
        for _ in range(2 * MAX_BATCH_BYTES // len(MEBIBYTE)):
            await line.say(b"%x\r\n" % len(MEBIBYTE) + MEBIBYTE + b"\r\n")
            if line.writer.transport.is_closing():
                break
        answer = await line.status()
        assert not answer or b" 400 " in answer
    await honest_shop_goes_on(world)


@pytest.mark.parametrize(
    "flood",
    [
        [f"X-{n}: {'x' * 100}" for n in range(20_000)],
        ["X: " + "x" * 1_000_000],
        ["Cookie: " + "a=b; " * 10_000],
        ["Content-Length: 5", "Content-Length: 7"],
        ["Content-Length: -1"],
        ["Content-Length: 5", "Transfer-Encoding: chunked"],
        ["Host: other.test"],
    ],
)
async def test_a_flood_of_headers_is_refused(world: World, flood: list[str]) -> None:
    async with line_to(world) as line:
        await line.say(head(world, *flood, "Connection: close", method="GET", path="/v1/health"))
        answer = await line.heard()
        assert b" 200 " not in answer.split(b"\r\n")[0]
    await honest_shop_goes_on(world)


GARBAGE = (
    b"\0" * 100,
    b"\xff\xfe\r\n\r\n",
    b"GET\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00",
    b"PRI * HTTP/2.0\r\n\r\n",
)


@pytest.mark.parametrize("garbage", GARBAGE)
async def test_garbage_behind_a_good_request_closes_the_line(world: World, garbage: bytes) -> None:
    async with line_to(world) as line:
        await line.say(head(world, method="GET", path="/v1/health") + garbage + b"\r\n\r\n")
        answer = await line.heard()
        assert b" 400 " in answer and answer.count(b" 200 OK") <= 1
    await honest_shop_goes_on(world)


@pytest.mark.parametrize("path", ["/v1/enrol", "/v1/nodes/n/events"])
async def test_a_caller_who_hangs_up_in_the_middle_is_no_fault_of_ours(world: World, path: str) -> None:
    with structlog.testing.capture_logs() as logs:
        async with line_to(world) as line:
            await line.say(head(world, "Content-Length: 1000", path=path) + b"half")
            line.writer.write_eof()
            await line.heard()
        async with line_to(world) as line:
            await line.say(head(world, "Content-Length: 1000", path=path) + b"half")
            rude = line.writer.get_extra_info("socket")
            rude.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        await honest_shop_goes_on(world)
    assert not [one for one in logs if one["log_level"] == "error"]


async def test_hundreds_of_slow_callers_keep_nobody_from_selling(world: World) -> None:
    """Heads that never end, and bodies that never come: each is closed when its time is over."""
    lines = [line_to(world) for _ in range(150)]
    opened = [await line.__aenter__() for line in lines]
    try:
        for number, line in enumerate(opened):
            whole = head(world, "Content-Length: 1000")
            await line.say(whole if number % 2 else whole[:40])
        await honest_shop_goes_on(world)
        assert all([b" 503 " in await line.status() for line in opened[1::2]])
        await honest_shop_goes_on(world, "honest, too")
        assert {await line.heard() for line in opened[::2]} == {b""}
    finally:
        for made in lines:
            await made.__aexit__(None, None, None)

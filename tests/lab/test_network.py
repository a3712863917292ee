"""The line between a shop and central, over real sockets: each fault is what its name says, and counted."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web

from tapledger.lab.network import WELL, Counts, Fault, FaultProxy, seeded

LONGEST_S = 10.0
BIG = b"x" * 100_000
GET = b"GET /plain HTTP/1.1\r\nHost: x\r\n\r\n"


class Server:
    """Something to ask: counts what reaches it, and answers one path only when it is told to."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.waiting = asyncio.Event()
        self.answer = asyncio.Event()
        self.left = asyncio.Event()
        self.port = 0
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application()
        app.add_routes(
            [
                web.post("/echo", self._echo),
                web.get("/plain", self._plain),
                web.get("/chunked", self._chunked),
                web.get("/later", self._later),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    async def _echo(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.heard.append(body)
        return web.Response(body=body)

    async def _plain(self, request: web.Request) -> web.Response:
        self.heard.append(request.path.encode())
        return web.Response(text="well")

    async def _chunked(self, request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        for _ in range(3):
            await answer.write(b"part")
        return answer

    async def _later(self, request: web.Request) -> web.Response:
        self.heard.append(request.path.encode())
        self.waiting.set()
        try:
            await self.answer.wait()
        except asyncio.CancelledError:
            self.left.set()
            raise
        return web.Response(text="late")


@pytest_asyncio.fixture
async def server() -> AsyncIterator[Server]:
    made = Server()
    await made.start()
    yield made
    await made.stop()


@pytest_asyncio.fixture
async def line(server: Server) -> AsyncIterator[FaultProxy]:
    proxy = FaultProxy(server.port)
    faults: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: faults.append(context))
    await proxy.start()
    yield proxy
    await proxy.close()
    assert faults == []


@asynccontextmanager
async def shop(line: FaultProxy) -> AsyncIterator[aiohttp.ClientSession]:
    """Yield somebody who asks over the line, and who does not wait for ever."""
    async with asyncio.timeout(LONGEST_S), aiohttp.ClientSession(line.url) as session:
        yield session


@asynccontextmanager
async def wire(line: FaultProxy) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Yield a bare connection over the line."""
    async with asyncio.timeout(LONGEST_S):
        reader, writer = await asyncio.open_connection("127.0.0.1", line.port)
        try:
            yield reader, writer
        finally:
            writer.close()


async def text(session: aiohttp.ClientSession, path: str) -> str:
    async with session.get(path) as answer:
        return await answer.text()


async def echo(session: aiohttp.ClientSession, body: bytes) -> bytes:
    async with session.post("/echo", data=body) as answer:
        return await answer.read()


async def test_a_good_line_passes_everything_on(server: Server, line: FaultProxy) -> None:
    async with shop(line) as session:
        assert await echo(session, BIG) == BIG
        assert await echo(session, b"") == b""
        assert await text(session, "/chunked") == "partpartpart"
        assert await text(session, "/plain") == "well"
    assert line.counts == Counts(connections=1, requests=4, replies=4)
    assert server.heard == [BIG, b"", b"/plain"]


async def test_a_cut_line_resets_what_is_open_and_what_comes(server: Server, line: FaultProxy) -> None:
    async with shop(line) as session:
        asked = asyncio.create_task(text(session, "/later"))
        await server.waiting.wait()
        await line.set(Fault(cut=True))
        for attempt in (asked, asyncio.create_task(text(session, "/plain"))):
            with pytest.raises(aiohttp.ClientError):
                await attempt
        assert server.heard == [b"/later"]
        await line.set(WELL)
        assert await text(session, "/plain") == "well"
    assert (line.counts.requests, line.counts.replies) == (2, 1)
    assert line.counts.resets >= 2


async def test_a_line_that_hangs_takes_connections_and_goes_on_later(
    server: Server, line: FaultProxy
) -> None:
    await line.set(Fault(hang=True))
    async with shop(line) as session:
        asked = asyncio.create_task(text(session, "/plain"))
        await line.until(lambda counts: counts.connections == 1)
        async with wire(line) as (reader, writer):
            writer.write(GET)
            await line.until(lambda counts: counts.connections == 2)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await reader.read(1)
        assert (server.heard, line.counts.requests) == ([], 0)
        await line.set(WELL)
        assert await asked == "well"


@pytest.mark.parametrize("bad", [Fault(lose_replies=True), Fault(cut_reply_after=0)])
async def test_a_lost_reply_is_one_to_a_request_that_arrived(
    server: Server, line: FaultProxy, bad: Fault
) -> None:
    await line.set(bad)
    async with shop(line) as session:
        asked = asyncio.create_task(echo(session, b"once"))
        await line.until(lambda counts: counts.lost == 1)
        assert server.heard == [b"once"]
        await line.set(WELL)
        with pytest.raises(aiohttp.ClientError):
            await asked
        assert await echo(session, b"again") == b"again"
    assert (line.counts.requests, line.counts.replies, line.counts.lost) == (2, 1, 1)
    assert server.heard == [b"once", b"again"]


async def test_a_reply_is_lost_also_when_the_line_went_bad_after_the_request(
    server: Server, line: FaultProxy
) -> None:
    async with shop(line) as session:
        asked = asyncio.create_task(text(session, "/later"))
        await server.waiting.wait()
        await line.set(Fault(cut_reply_after=0))
        server.answer.set()
        with pytest.raises(aiohttp.ClientError):
            await asked
    # aiohttp sends a GET once more by itself.
    assert line.counts.lost == line.counts.requests >= 1
    assert line.counts.replies == 0


async def test_a_reply_ends_after_so_many_bytes(line: FaultProxy) -> None:
    await line.set(Fault(cut_reply_after=20))
    async with wire(line) as (reader, writer):
        writer.write(GET)
        assert await reader.readexactly(20) == b"HTTP/1.1 200 OK\r\nCon"
        with pytest.raises(ConnectionResetError):
            await reader.read()
    await line.set(Fault(cut_reply_after=100_000))
    async with wire(line) as (reader, writer):
        writer.write(GET)
        assert (await reader.readuntil(b"well")).endswith(b"well")
    assert (line.counts.lost, line.counts.replies) == (1, 1)


async def test_a_copied_request_arrives_twice_and_is_answered_once(server: Server, line: FaultProxy) -> None:
    await line.set(Fault(duplicate=True))
    async with shop(line) as session:
        assert await echo(session, b"me") == b"me"
    assert server.heard == [b"me", b"me"]
    assert (line.counts.requests, line.counts.copies, line.counts.replies) == (2, 1, 1)


async def test_a_half_closed_request_has_arrived(server: Server, line: FaultProxy) -> None:
    await line.set(Fault(half_close=True))
    async with wire(line) as (reader, writer):
        writer.write(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi")
        await line.until(lambda counts: counts.requests == 1)
        # aiohttp gives up a connection that was half closed; whoever asked hears nothing, or all of it.
        with contextlib.suppress(ConnectionResetError):
            await reader.read(1)
    assert line.counts.requests == 1


async def test_a_slow_line_is_late_and_thin(line: FaultProxy) -> None:
    clock = asyncio.get_running_loop().time
    async with shop(line) as session:
        await line.set(Fault(delay_ms=60))
        begun = clock()
        await text(session, "/plain")
        assert clock() - begun >= 0.12
        await line.set(Fault(bytes_per_s=200_000))
        begun = clock()
        assert await echo(session, b"y" * 20_000) == b"y" * 20_000
        assert clock() - begun >= 0.18


async def test_who_leaves_is_not_answered_and_the_server_is_let_go(server: Server, line: FaultProxy) -> None:
    async with wire(line) as (_, writer):
        writer.write(GET.replace(b"/plain", b"/later"))
        await server.waiting.wait()
    await server.left.wait()
    assert (line.counts.requests, line.counts.replies, line.counts.lost) == (1, 0, 0)


async def test_without_a_server_a_connection_is_reset(server: Server, line: FaultProxy) -> None:
    await server.stop()
    async with shop(line) as session:
        with pytest.raises(aiohttp.ClientError):
            await text(session, "/plain")
    assert line.counts.requests == 0


@pytest.mark.parametrize(
    "nonsense",
    [
        b"POST / HTTP/1.1\r\ncontent-length: 999999999\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nnot a size\r\n",
        b"x" * 200_000,
    ],
)
async def test_what_is_no_request_is_not_passed_on(line: FaultProxy, nonsense: bytes) -> None:
    async with wire(line) as (reader, writer):
        writer.write(nonsense)
        with pytest.raises(ConnectionResetError):
            await reader.read()
    assert line.counts.requests == 0


async def test_a_long_run_chooses_by_its_seed(line: FaultProxy) -> None:
    kinds = ((3, WELL), (1, Fault(cut_reply_after=0)), (1, Fault(cut=True)))
    assert _picks(7, kinds) == _picks(7, kinds) != _picks(8, kinds)
    line.choose = seeded(random.Random(7), kinds)
    fates = []
    for _ in range(30):
        async with wire(line) as (reader, writer):
            writer.write(GET)
            try:
                await reader.readuntil(b"well")
                fates.append("well")
            except ConnectionResetError:
                fates.append("reset")
    assert fates == ["well" if fault == WELL else "reset" for fault in _picks(7, kinds)]
    assert line.counts.replies + line.counts.lost == line.counts.requests < 30


def _picks(seed: int, kinds: tuple[tuple[int, Fault], ...]) -> list[Fault]:
    choose = seeded(random.Random(seed), kinds)
    return [choose() for _ in range(30)]

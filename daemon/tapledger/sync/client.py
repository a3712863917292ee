"""Requests to central: signed, with deadlines, and with typed errors instead of the library's."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import TypeVar

import aiohttp
import msgspec
from yarl import URL

from tapledger.clock import Clock
from tapledger.errors import Denied, Invalid, TapledgerError, Unavailable
from tapledger.identifiers import Randomness
from tapledger.store.keyring import Keyring
from tapledger.wire import signing
from tapledger.wire.codec import CONTENT_TYPE, pack, unpack
from tapledger.wire.messages import (
    MAX_BATCH_BYTES,
    MAX_FEED_ROWS,
    Batch,
    BatchAnswer,
    FeedPage,
    Refusal,
)
from tapledger.wire.problems import error_from
from tapledger.wire.requests import NONCE_BYTES, Request, sign_request

CONNECT_DEADLINE_S = 5.0
ANSWER_DEADLINE_S = 30.0
MAX_CONNECTIONS = 2

T = TypeVar("T", bound=msgspec.Struct)


def open_session() -> aiohttp.ClientSession:
    """Open a session for talking to central; the caller closes it."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=MAX_CONNECTIONS),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
    )


class CentralClient:
    """Asks one central as one enrolled node. The session is the caller's, who closes it."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        central_url: str,
        keyring: Keyring,
        clock: Clock,
        randomness: Randomness,
    ) -> None:
        self._session = session
        self._base = central_address(central_url)
        self._keyring = keyring
        self._clock = clock
        self._randomness = randomness
        self._ahead = dt.timedelta()
        """How far central's clock is ahead of ours, learnt from its last signed refusal."""

    async def send(self, batch: Batch) -> BatchAnswer:
        """Upload a batch; raise what central raised, or ``Unavailable`` when it cannot be reached."""
        path = f"v1/nodes/{self._keyring.node}/events"
        return await self._ask("POST", self._base / path, pack(batch), BatchAnswer)

    async def feed(self, cursor: int, limit: int = MAX_FEED_ROWS) -> FeedPage:
        """Return the members that changed after a version."""
        url = (self._base / "v1/feed").with_query(cursor=cursor, limit=limit)
        return await self._ask("GET", url, b"", FeedPage)

    async def _ask(self, method: str, url: URL, body: bytes, kind: type[T]) -> T:
        try:
            return await self._ask_once(method, url, body, kind, self._nonce())
        except _OtherClock as error:
            self._ahead = error.server_time - self._clock.now()
            return await self._ask_once(method, url, body, kind, self._nonce(), last=True)

    async def _ask_once(
        self, method: str, url: URL, body: bytes, kind: type[T], nonce: str, *, last: bool = False
    ) -> T:
        request = Request(method, str(url))
        now = self._clock.now() + self._ahead
        sign_request(request, body, self._keyring.node, self._keyring.signing_key, now, nonce)
        try:
            return await exchange(self._session, method, url, request.headers, body, kind)
        except Denied as error:
            if last or error.code != "CLOCK_OFF":
                raise
            raise _OtherClock(self._server_time(error, nonce)) from error

    def _server_time(self, error: Denied, nonce: str) -> dt.datetime:
        """Return the time that central has signed for this request; raise the refusal when it has not."""
        server_ms, proof = error.data.get("server_ms"), error.data.get("proof")
        if not isinstance(server_ms, int) or not isinstance(proof, str):
            raise error
        try:
            statement = signing.time_statement(nonce, server_ms)
            signing.verify(self._keyring.central_public_key, statement, bytes.fromhex(proof))
            return dt.datetime.fromtimestamp(server_ms / 1000, dt.UTC)
        except (Denied, ValueError, OverflowError, OSError):
            raise error from None

    def _nonce(self) -> str:
        return self._randomness(NONCE_BYTES).hex()


class _OtherClock(Exception):
    def __init__(self, server_time: dt.datetime) -> None:
        super().__init__(server_time)
        self.server_time = server_time


def central_address(text: str) -> URL:
    """Return central's address; raise ``Invalid`` for one over which keys must not travel."""
    try:
        url = URL(text)
    except ValueError as error:
        raise Invalid("CENTRAL_URL_INVALID", url=text) from error
    if url.scheme not in ("http", "https") or not url.host or url.query_string or url.fragment or url.user:
        raise Invalid("CENTRAL_URL_INVALID", url=text)
    if url.scheme == "http" and url.host not in ("127.0.0.1", "localhost", "::1"):
        raise Invalid("CENTRAL_URL_INSECURE", url=text)
    return url


async def exchange(
    session: aiohttp.ClientSession,
    method: str,
    url: URL,
    headers: dict[str, str],
    body: bytes,
    kind: type[T],
) -> T:
    """Send one request and return its answer; raise the error that the answer carries.

    Trouble on the way, and answers that are none, are ``Unavailable``: the same request may succeed later.
    """
    if body:
        headers = {**headers, "Content-Type": CONTENT_TYPE}
    try:
        async with session.request(
            method,
            url,
            data=body or None,
            headers=headers,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=ANSWER_DEADLINE_S, sock_connect=CONNECT_DEADLINE_S),
        ) as response:
            answer = await _read_limited(response)
            status = response.status
    except (aiohttp.ClientError, TimeoutError, OSError, asyncio.IncompleteReadError) as error:
        raise Unavailable("CENTRAL_UNREACHABLE", why=str(error) or type(error).__name__) from error
    try:
        if status == 200:
            return unpack(answer, kind)
        refusal = unpack(answer, Refusal)
    except TapledgerError as error:
        raise Unavailable("CENTRAL_ANSWER_UNREADABLE", status=status) from error
    raise error_from(status, refusal)


async def _read_limited(response: aiohttp.ClientResponse) -> bytes:
    answer = bytearray()
    async for chunk in response.content.iter_chunked(64 * 1024):
        answer += chunk
        if len(answer) > MAX_BATCH_BYTES:
            raise aiohttp.ClientPayloadError("the answer is too large")
    return bytes(answer)

"""How a request reaches central and its answer comes back; everything above this knows no HTTP library."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

import aiohttp
from yarl import URL

from tapledger.errors import Invalid, Unavailable
from tapledger.wire.codec import CONTENT_TYPE
from tapledger.wire.messages import MAX_BATCH_BYTES

CONNECT_DEADLINE_S = 5.0
MAX_CONNECTIONS = 4
"""Pushing, waiting for news, a lease for somebody at the counter, and a report."""


@dataclass(frozen=True, slots=True)
class Received:
    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes


class Transport(Protocol):
    """Carries one request at a time for each caller."""

    async def exchange(
        self, method: str, url: URL, headers: Mapping[str, str], body: bytes, timeout_s: float
    ) -> Received:
        """Send a request and return its answer, whatever its status.

        Raises ``Unavailable`` CENTRAL_UNREACHABLE for all trouble on the way: the request may have arrived.
        """
        ...


class HttpTransport:
    """Over HTTP. The session is the caller's, who closes it.

    ``through`` is the address of the shop's hub: every request goes there as it is, and names central as its
    host.
    """

    def __init__(self, session: aiohttp.ClientSession, through: str = "") -> None:
        self._session = session
        self._through = hub_address(through) if through else None

    async def exchange(
        self, method: str, url: URL, headers: Mapping[str, str], body: bytes, timeout_s: float
    ) -> Received:
        if body:
            headers = {**headers, "Content-Type": CONTENT_TYPE}
        if self._through is not None:
            headers = {**headers, "Host": url.host_port_subcomponent or ""}
            url = URL(f"{self._through.origin()}{url.raw_path_qs}", encoded=True)
        try:
            async with self._session.request(
                method,
                url,
                data=body or None,
                headers=headers,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=timeout_s, sock_connect=CONNECT_DEADLINE_S),
            ) as response:
                answer = await _read_limited(response)
                named = {name.lower(): value for name, value in response.headers.items()}
                return Received(response.status, named, answer)
        except (aiohttp.ClientError, TimeoutError, OSError, asyncio.IncompleteReadError) as error:
            raise Unavailable("CENTRAL_UNREACHABLE", why=str(error) or type(error).__name__) from error


@asynccontextmanager
async def http(through: str = "", connections: int = MAX_CONNECTIONS) -> AsyncIterator[HttpTransport]:
    """Open a way to central for as long as the context; ``through`` the shop's hub, when it has one."""
    async with open_session(connections) as session:
        yield HttpTransport(session, through)


def hub_address(text: str) -> URL:
    """Return a hub's address; raise ``Invalid`` for what is none.

    It is in the shop's own network, where plain HTTP is enough: all is signed, and no keys travel.
    """
    try:
        url = URL(text)
    except ValueError as error:
        raise Invalid("CENTRAL_URL_INVALID", url=text) from error
    if url.scheme not in ("http", "https") or not url.host or url.path != "/" or url.query_string or url.user:
        raise Invalid("CENTRAL_URL_INVALID", url=text)
    return url


def open_session(connections: int = MAX_CONNECTIONS) -> aiohttp.ClientSession:
    """Open a session for talking to central; the caller closes it."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=connections),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
    )


async def _read_limited(response: aiohttp.ClientResponse) -> bytes:
    answer = bytearray()
    async for chunk in response.content.iter_chunked(64 * 1024):
        answer += chunk
        if len(answer) > MAX_BATCH_BYTES:
            raise aiohttp.ClientPayloadError("the answer is too large")
    return bytes(answer)

"""What comes in by HTTP from somebody who is not known yet: read no more, and no longer, than was agreed."""

from __future__ import annotations

import asyncio

from aiohttp import ClientError, web

from tapledger.errors import Invalid, Unavailable

BODY_DEADLINE_S = 20.0
CHUNK_BYTES = 64 * 1024


def headers_of(request: web.Request) -> dict[str, str]:
    """Return the headers; one that comes more than once is one, as signatures have it (RFC 9421)."""
    return {name: ", ".join(request.headers.getall(name)) for name in request.headers}


async def read_body(request: web.Request, limit: int) -> bytes:
    """Return the body of a request.

    Raises ``Invalid`` MESSAGE_TOO_LARGE beyond ``limit`` bytes and MESSAGE_UNREADABLE for one that is encoded
    or breaks off, ``Unavailable`` BODY_TOO_SLOW.
    """
    if (request.content_length or 0) > limit:
        raise Invalid("MESSAGE_TOO_LARGE", limit=limit)
    if request.headers.get("Content-Encoding"):
        raise Invalid("MESSAGE_UNREADABLE", why="Content-Encoding is not used here")
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_DEADLINE_S):
            async for chunk in request.content.iter_chunked(CHUNK_BYTES):
                body += chunk
                if len(body) > limit:
                    raise Invalid("MESSAGE_TOO_LARGE", limit=limit)
    except TimeoutError as error:
        raise Unavailable("BODY_TOO_SLOW") from error
    except (ClientError, web.RequestPayloadError, ConnectionError) as error:  # they have hung up
        raise Invalid("MESSAGE_UNREADABLE", why=type(error).__name__) from error
    return bytes(body)

"""Records a device of the running daemon into a file."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from tapledger.devices import cassettes
from tapledger.errors import Invalid, Unavailable
from tapledger.settings import Settings

ANSWER_TIMEOUT_S = 20.0


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a recording came to."""

    file: Path
    frames: int
    pseudonyms: int
    model: str


async def record(settings: Settings, role: str, seconds: float, file: Path) -> Recorded:
    """Record a device of the daemon that runs with these settings, and write the file."""
    url = f"http://127.0.0.1:{settings.web.port}/api/devices/{role}"
    await _ask(f"{url}/record")
    await asyncio.sleep(seconds)
    data = await _ask(f"{url}/recorded")
    await asyncio.to_thread(file.write_bytes, data)
    cassette = cassettes.read(file)
    return Recorded(file, len(cassette.frames), cassette.head.pseudonyms, cassette.head.model)


async def _ask(url: str) -> bytes:
    timeout = aiohttp.ClientTimeout(total=ANSWER_TIMEOUT_S)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as session, session.post(url, json={}) as answer:
            body = await answer.read()
            if answer.status != 200:
                problem = await answer.json()
                raise Invalid("RECORDING_REFUSED", why=str(problem.get("sentence", answer.status)))
            return body
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise Unavailable("DAEMON_NOT_THERE", url=url) from error

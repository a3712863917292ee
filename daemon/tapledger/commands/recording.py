"""Records a device of the running daemon into a file."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
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


async def record(
    settings: Settings, role: str, meanwhile: Callable[[], Awaitable[object]], file: Path
) -> Recorded:
    """Record a device of the daemon that runs with these settings until ``meanwhile`` ends; write the file.

    One that is interrupted is written as well, so that the daemon does not record on for nobody.
    """
    if not await asyncio.to_thread(_is_writable, file):
        raise Invalid("CONFIG_INVALID", path=str(file), why="it cannot be written")
    daemon, device = f"http://127.0.0.1:{settings.web.port}", f"/api/devices/{role}"
    await _ask(daemon, f"{device}/record")
    try:
        await meanwhile()
    finally:
        data = await _ask(daemon, f"{device}/recorded")
        await asyncio.to_thread(file.write_bytes, data)
    cassette = cassettes.read(file)
    return Recorded(file, len(cassette.frames), cassette.head.pseudonyms, cassette.head.model)


def _is_writable(file: Path) -> bool:
    return not file.is_dir() and os.access(file if file.exists() else file.parent, os.W_OK)


async def _ask(daemon: str, path: str) -> bytes:
    timeout, url = aiohttp.ClientTimeout(total=ANSWER_TIMEOUT_S), daemon + path
    headers = {"Origin": daemon}  # as its own pages ask; the daemon listens to no others
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, headers=headers) as session,
            session.post(url, json={}) as answer,
        ):
            body = await answer.read()
            if answer.status != 200:
                problem = await answer.json()
                raise Invalid("RECORDING_REFUSED", why=str(problem.get("sentence", answer.status)))
            return body
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise Unavailable("DAEMON_NOT_THERE", url=url) from error

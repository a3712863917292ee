"""Records a device of the running daemon, and replays recordings without it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from tapledger.errors import Invalid, Unavailable
from tapledger.settings import Settings
from tapledger_drivers.cassettes import tape
from tapledger_drivers.cassettes.replaying import Replayed, replay

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
    cassette = tape.read(data)
    return Recorded(file, len(cassette.frames), cassette.head.pseudonyms, cassette.head.model)


def play(file: Path, *, strict: bool) -> Replayed:
    """Replay a recording through its driver; raise ``Invalid`` for a file that is none."""
    try:
        return replay(tape.read(file.read_bytes()), strict=strict)
    except FileNotFoundError as error:
        raise Invalid("CONFIG_MISSING", path=str(file)) from error
    except tape.CassetteUnreadable as error:
        raise Invalid("RECORDING_UNREADABLE", path=str(file), why=str(error)) from error


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

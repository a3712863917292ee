"""Speaks to a bench over its UNIX socket: for the dock in a shop's process, and for the command line."""

from __future__ import annotations

from pathlib import Path

import aiohttp
import msgspec

from tapledger.errors import Invalid, Unavailable
from tapledger.web.snapshots import Dock

ANSWER_S = 30.0
"""Starting pcscd anew takes the longest of all."""
ACTIONS = ("insert", "remove", "scan", "fault", "shut", "network")


class BenchDoor:
    """One connection at a time; raises ``Unavailable`` when no bench answers there."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket

    def session(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            "http://bench",
            connector=aiohttp.UnixConnector(str(self._socket)),
            timeout=aiohttp.ClientTimeout(ANSWER_S),
        )

    async def do(self, action: str, body: bytes) -> None:
        """Move a device; raise what the bench refused it for."""
        try:
            async with self.session() as session, session.post(f"/{action}", data=body) as answer:
                if answer.status != 200:
                    refused = await answer.json()
                    raise Invalid(refused["code"], **refused["data"])
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise Unavailable("DOCK_GONE") from error

    async def state(self) -> Dock:
        """Return every device with its faults."""
        try:
            async with self.session() as session, session.get("/state") as answer:
                return msgspec.json.decode(await answer.read(), type=Dock)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise Unavailable("DOCK_GONE") from error

    async def picture(self, number: int) -> tuple[int, bytes]:
        """Return the answer's status and the PNG of a slip."""
        try:
            async with self.session() as session, session.get(f"/slips/{number}.png") as answer:
                return answer.status, await answer.read()
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise Unavailable("DOCK_GONE") from error

"""Makes a backup now and then, and keeps the newest of them."""

from __future__ import annotations

import asyncio
import datetime as dt
from pathlib import Path

import structlog

from tapledger.clock import Clock
from tapledger.errors import TapledgerError
from tapledger.settings import BackupSettings
from tapledger.store import backups
from tapledger.store.keyring import Keyring
from tapledger.store.store import Store

log = structlog.get_logger("backup")

AGAIN_S = 600.0
"""After one that failed."""
STAMP = "%Y%m%dT%H%M%SZ"


class Safekeeping:
    """The backups of one ledger in a folder of their own; without a folder, none are made."""

    def __init__(self, ledger: Path, keyring: Keyring, settings: BackupSettings, clock: Clock) -> None:
        self._ledger = ledger
        self._keyring = keyring
        self._folder = Path(settings.folder) if settings.folder else None
        self._every = dt.timedelta(hours=settings.every_hours)
        self._keep = settings.keep
        self._clock = clock

    async def run(self) -> None:
        """Make one whenever it is time, for ever; one that was missed is made at the start."""
        if self._folder is None:
            return
        while True:
            await asyncio.sleep(self.wait_s())
            try:
                await self.make()
            except TapledgerError as error:
                log.error("no backup", code=error.code, **error.data)
                await asyncio.sleep(AGAIN_S)

    def wait_s(self) -> float:
        """Return how long it is until the next is due; never longer, even after the clock was put back."""
        found = self._found()
        if not found:
            return 0.0
        made = dt.datetime.strptime(found[-1].stem.rpartition("-")[2], STAMP).replace(tzinfo=dt.UTC)
        left = made + self._every - self._clock.now()
        return min(max(left, dt.timedelta()), self._every).total_seconds()

    async def make(self) -> Path:
        """Write one beside the running daemon, then let the oldest go that are too many."""
        assert self._folder is not None
        now = self._clock.now()
        path = self._folder / f"{self._keyring.node}-{now.astimezone(dt.UTC):{STAMP}}.db"
        store = await Store.open(self._ledger, self._keyring, read_only=True)
        try:
            await store.transact(lambda tx: backups.write(tx, path, self._keyring.node, now))
        finally:
            await store.close()
        for old in self._found()[: -self._keep]:
            old.unlink(missing_ok=True)
        return path

    def _found(self) -> list[Path]:
        """Return ours, the oldest first."""
        assert self._folder is not None
        return sorted(self._folder.glob(f"{self._keyring.node}-????????T??????Z.db"))

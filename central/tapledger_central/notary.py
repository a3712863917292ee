"""The background job of the log: enters what was filed, signs checkpoints and tells them to every shop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec
import structlog

from tapledger.clock import Clock
from tapledger.errors import TapledgerError
from tapledger.wire.news import CheckpointNews
from tapledger_central import audit, rounds
from tapledger_central.keys import CentralKeys
from tapledger_central.store import CentralStore, Transaction, news

ENTER_EVERY_S = 10.0
KIND, KEY = "checkpoint", "log"

_log = structlog.get_logger("central")


class Notary:
    """Keeps one tenant's log. ``told`` is called after a checkpoint was put into the feed; ``busy`` says
    whether a batch is being filed now."""

    def __init__(
        self,
        store: CentralStore,
        keys: CentralKeys,
        clock: Clock,
        told: Callable[[], None] = lambda: None,
        busy: Callable[[], bool] = lambda: False,
    ) -> None:
        self._store = store
        self._keys = keys
        self._clock = clock
        self._told = told
        self._busy = busy

    async def run(self) -> None:
        """Do it for ever; what goes wrong is logged and tried again."""
        while True:
            await asyncio.sleep(ENTER_EVERY_S)
            try:
                await self.round()
            except TapledgerError as error:
                _log.error("the log waits", code=error.code, **error.data)
            except Exception:
                _log.exception("the log waits")

    async def round(self) -> None:
        """Enter everything that waits; raise ``Corrupt`` when an event is gone that was filed."""
        more = True
        while more:
            began_s = self._clock.monotonic_s()
            more, signed = await self._store.transact(self._advance)
            if signed:
                self._told()
            if more:
                await rounds.give_way(self._busy, self._clock.monotonic_s() - began_s)

    def _advance(self, tx: Transaction) -> tuple[bool, bool]:
        """Return whether more is waiting and whether a checkpoint was signed."""
        now, signed = self._clock.now(), list[str]()
        more = audit.advance(tx, self._keys, now, signed.append)
        for note in signed:
            item = news.Item(KIND, KEY, msgspec.msgpack.encode(CheckpointNews(text=note)))
            news.publish_everywhere(tx, item, int(now.timestamp() * 1000))
        return more, bool(signed)

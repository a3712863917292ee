"""Card readers as pcscd lists them; it is asked anew whenever it was away."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from tapledger.devices.discovery.source import Change, HotplugEvent

if TYPE_CHECKING:
    from tapledger_drivers.io import Io, Pcsc

CALL_S = 5.0
WAIT_S = 30.0
GRACE_S = 5.0
"""How much longer than it was told a wait may take before pcscd counts as hung."""


class PcscSource:
    """The names of the readers. Raises what PC/SC says once, taking every reader back first."""

    name = "pcsc"

    def __init__(self, io: Io) -> None:
        self._io = io
        self._known: set[str] = set()

    def scan(self) -> list[HotplugEvent]:
        """Nothing: pcscd is asked in a thread, by ``events``."""
        return []

    async def events(self) -> AsyncIterator[HotplugEvent]:
        context: Pcsc | None = None
        given_up = threading.Event()
        try:
            context = await self._io.run(CALL_S, self._context, given_up)
            while True:
                for event in self._changes(set(await self._io.run(CALL_S, context.readers))):
                    yield event
                # No reader is named, so nothing but a change of their number ends the wait early.
                await self._io.run(WAIT_S + GRACE_S, context.wait, (), WAIT_S)
        except Exception:
            for event in self._changes(set()):
                yield event
            raise
        finally:
            given_up.set()
            if context is not None:
                context.cancel()
                # Whoever cancels this must not be told of a pcscd that had nothing to release instead.
                with contextlib.suppress(Exception):
                    await self._io.run(CALL_S, context.release)

    def _context(self, given_up: threading.Event) -> Pcsc:
        context = self._io.pcsc()
        if given_up.is_set():
            context.release()  # pcscd stood still meanwhile: nobody is left who would
        return context

    def _changes(self, names: set[str]) -> list[HotplugEvent]:
        gone = [HotplugEvent(Change.REMOVED, "pcsc", name) for name in sorted(self._known - names)]
        said = sorted(names - self._known)
        self._known = names
        return [*gone, *(HotplugEvent(Change.ADDED, "pcsc", n, {"ID_MODEL": n}) for n in said)]

"""What devices report, in one envelope: on disk before anybody acts on it, and there again after a crash.

Many that wait are one commit. What is personal (a card's number, a code) is sealed; technicians see the rest.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import msgspec
import structlog

from tapledger.clock import Clock
from tapledger.database import Transaction
from tapledger.devices.roles import class_of
from tapledger.errors import TapledgerError
from tapledger.identifiers import Randomness
from tapledger.store import device_events
from tapledger.store.device_events import Row
from tapledger.store.people import NONCE_BYTES, close_box, open_box
from tapledger.store.store import Store

log = structlog.get_logger()

EventType = Literal["data", "status", "error", "output", "lifecycle"]
WAITING_MAX = 1024
"""Beyond it a device that reports has to wait."""
BATCH_MAX = 64
TRACE_BYTES = 8


@dataclass(frozen=True, slots=True)
class Draft:
    """An event before it is stored."""

    device: str
    type: EventType
    shown: Mapping[str, str | int | bool]
    """For everybody who may look at the machine."""
    private: bytes = b""
    """Personal: for whom the event is, sealed on disk."""
    claim: str = ""
    """Who holds the device: the only one who gets ``private``."""
    open: bool = False
    """Somebody has to handle it, after a crash too."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event of the ring. ``at`` dates it, ``mono_s`` measures."""

    seq: int
    at: dt.datetime
    mono_s: float
    device: str
    class_: str
    type: EventType
    claim: str
    trace: str
    shown: Mapping[str, str | int | bool]
    private: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class _Waiting:
    draft: Draft
    at: dt.datetime
    mono_s: float
    stored: asyncio.Future[Event]


class DeviceEvents:
    """Writes and reads the ring. ``run`` writes until it is cancelled."""

    def __init__(self, store: Store, clock: Clock, randomness: Randomness) -> None:
        self._store = store
        self._clock = clock
        self._randomness = randomness
        self._waiting: asyncio.Queue[_Waiting | int] = asyncio.Queue(WAITING_MAX)
        self.on_stored: Callable[[Sequence[Event]], None] = lambda events: None

    def record(self, draft: Draft) -> asyncio.Future[Event]:
        """Return what becomes the event once it is on disk; raise ``asyncio.QueueFull`` when too much waits.

        The future raises ``TapledgerError`` when the store fails.
        """
        future: asyncio.Future[Event] = asyncio.get_running_loop().create_future()
        self._waiting.put_nowait(_Waiting(draft, self._clock.now(), self._clock.monotonic_s(), future))
        return future

    async def record_when_there_is_room(self, draft: Draft) -> asyncio.Future[Event]:
        future: asyncio.Future[Event] = asyncio.get_running_loop().create_future()
        await self._waiting.put(_Waiting(draft, self._clock.now(), self._clock.monotonic_s(), future))
        return future

    def tell(self, draft: Draft) -> None:
        """Record what nobody waits for; of a flood of such news some is dropped."""
        try:
            self.record(draft).add_done_callback(_ignore)
        except asyncio.QueueFull:
            log.warning("device event dropped", device=draft.device, type=draft.type)

    async def handled(self, seq: int) -> None:
        """Say that an event has had its effect, with the next commit."""
        await self._waiting.put(seq)

    async def run(self) -> None:
        while True:
            batch = [await self._waiting.get()]
            while len(batch) < BATCH_MAX and not self._waiting.empty():
                batch.append(self._waiting.get_nowait())
            await self._write(batch)

    async def _write(self, batch: list[_Waiting | int]) -> None:
        waiting = [one for one in batch if isinstance(one, _Waiting)]
        settled = [one for one in batch if isinstance(one, int)]
        traces = [self._randomness(TRACE_BYTES).hex() for _ in waiting]

        def work(tx: Transaction) -> list[Row]:
            first = device_events.next_seq(tx)
            rows = [
                self._row(first + place, one, trace)
                for place, (one, trace) in enumerate(zip(waiting, traces, strict=True))
            ]
            if rows:
                device_events.append(tx, rows)
            device_events.settle(tx, settled)
            return rows

        try:
            rows = await self._store.transact(work)
        except TapledgerError as error:
            log.error("device events not stored", count=len(waiting), code=error.code)
            for one in waiting:
                if not one.stored.done():
                    one.stored.set_exception(error)
            return
        events = [self._event(row, one.draft.private) for row, one in zip(rows, waiting, strict=True)]
        for one, event in zip(waiting, events, strict=True):
            if not one.stored.done():
                one.stored.set_result(event)
        if events:
            self.on_stored(events)

    def _row(self, seq: int, one: _Waiting, trace: str) -> Row:
        draft, key = one.draft, self._store.keyring.profile_key
        box = None
        if draft.private:
            box = close_box(key, _name(seq), draft.private, self._randomness(NONCE_BYTES))
        return Row(
            seq=seq,
            at_ms=int(one.at.timestamp() * 1000),
            mono_s=one.mono_s,
            device=draft.device,
            class_=class_of(draft.device),
            type=draft.type,
            claim=draft.claim,
            trace=trace,
            shown=msgspec.json.encode(draft.shown).decode(),
            box=box,
            open=draft.open,
        )

    def _event(self, row: Row, private: bytes) -> Event:
        return Event(
            seq=row.seq,
            at=dt.datetime.fromtimestamp(row.at_ms / 1000, dt.UTC),
            mono_s=row.mono_s,
            device=row.device,
            class_=row.class_,
            type=row.type,  # type: ignore[arg-type]
            claim=row.claim,
            trace=row.trace,
            shown=msgspec.json.decode(row.shown),
            private=private,
        )

    # Read again.
    async def since(self, seq: int, claim: str = "") -> list[Event]:
        """Return the events after ``seq``; what is personal only of those that were for ``claim``."""
        rows = await self._store.transact(lambda tx: device_events.since(tx, seq))
        return [self._event(row, self._opened(row) if claim and row.claim == claim else b"") for row in rows]

    async def newest(self, limit: int, device: str | None = None) -> list[Event]:
        rows = await self._store.transact(lambda tx: device_events.newest(tx, limit, device))
        return [self._event(row, b"") for row in rows]

    async def unhandled(self) -> list[Event]:
        """Return what was stored and never handled, whole, in its order."""
        rows = await self._store.transact(device_events.unhandled)
        return [self._event(row, self._opened(row)) for row in rows]

    async def settle(self, seqs: Sequence[int]) -> None:
        """Mark events as handled, at once."""
        await self._store.transact(lambda tx: device_events.settle(tx, seqs))

    def _opened(self, row: Row) -> bytes:
        if row.box is None:
            return b""
        try:
            return open_box(self._store.keyring.profile_key, _name(row.seq), row.box)
        except ValueError:
            log.warning("device event unreadable", seq=row.seq)
            return b""


def _name(seq: int) -> str:
    return f"device-event-{seq}"


def _ignore(future: asyncio.Future[Event]) -> None:
    if not future.cancelled():
        future.exception()

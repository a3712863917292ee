"""Keeps what is known of the paper in each printer, across restarts; the sums are in ``paper_forecast``."""

from __future__ import annotations

import datetime as dt

import msgspec

from tapledger.clock import Clock
from tapledger.database import Transaction
from tapledger.devices import paper_forecast
from tapledger.devices.paper_forecast import Forecast, Roll
from tapledger.store import paper_rolls
from tapledger.store.store import Store
from tapledger_drivers.device import DeviceInfo
from tapledger_drivers.ports import PrintOutcome, PrintVerdict

PAPER_OUT = "paper_out"


class PaperKeeper:
    """The paper of the receipt printer that is there. ``stated_mm`` is the configured length of a roll."""

    def __init__(self, store: Store, clock: Clock, stated_mm: int = 0) -> None:
        self._store = store
        self._clock = clock
        self._stated_mm = stated_mm
        self._printer = ""
        self._roll: Roll | None = None

    async def attach(self, info: DeviceInfo) -> bool:
        """Take up what is known of a printer; return whether it is here for the first time."""
        printer = name_of(info)
        if printer == self._printer:
            return False
        now = self._clock.now()

        def work(tx: Transaction) -> tuple[Roll, bool]:
            if (body := paper_rolls.get(tx, printer)) is not None:
                return _read(body, now), False
            roll = Roll(since=now)
            paper_rolls.put(tx, printer, msgspec.json.encode(roll))
            return roll, True

        self._roll, first = await self._store.insist(work)
        self._printer = printer
        return first

    async def seen(self, *, reason: str, near_end: bool) -> bool:
        """Take what the printer says of its paper; return whether that is news."""

        def work(tx: Transaction) -> bool:
            if self._roll is None:
                return False
            out = reason == PAPER_OUT
            roll = paper_forecast.seen(self._roll, self._clock.now(), out=out, near_end=near_end)
            return roll != self._roll and self._keep(tx, roll)

        return await self._store.insist(work)

    def printed(self, tx: Transaction, outcome: PrintOutcome) -> None:
        """Count what a slip took, in the transaction that records its fate."""
        if self._roll is not None and outcome.paper_mm > 0:
            whole = outcome.verdict is PrintVerdict.PRINTED
            self._keep(tx, paper_forecast.printed(self._roll, outcome.paper_mm, whole_receipt=whole))

    async def roll_changed(self) -> None:
        """Take a technician's word that a new roll is in."""

        def work(tx: Transaction) -> None:
            if self._roll is not None:
                self._keep(tx, paper_forecast.changed(self._roll, self._clock.now()))

        await self._store.transact(work)

    def forecast(self) -> Forecast | None:
        """Say how long the paper lasts; None before any printer was there."""
        return None if self._roll is None else paper_forecast.forecast(self._roll, self._stated_mm)

    def _keep(self, tx: Transaction, roll: Roll) -> bool:
        paper_rolls.put(tx, self._printer, msgspec.json.encode(roll))
        self._roll = roll
        return True


def name_of(info: DeviceInfo) -> str:
    """Name a printer so that it is known again: by its serial number, else by where it is connected."""
    return f"{info.model} {info.serial or info.address}"


def _read(body: bytes, now: dt.datetime) -> Roll:
    """A forecast that cannot be read is begun again: nothing hangs on it."""
    try:
        return msgspec.json.decode(body, type=Roll)
    except msgspec.DecodeError:
        return Roll(since=now)

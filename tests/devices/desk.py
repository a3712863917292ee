"""A shop's print loop over a printer that does what a test tells it, without a supervisor."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tapledger.devices.paper_keeper import PaperKeeper
from tapledger.devices.prints import PrintLoop
from tapledger.devices.receipts.templates import shipped
from tapledger.devices.roles import RECEIPT_PRINTER
from tapledger.devices.state import DeviceState, Doing, next_activity
from tapledger_drivers.device import DeviceInfo, HealthLevel, HealthReport
from tapledger_drivers.ports import (
    PrinterStatus,
    PrintJob,
    PrintOutcome,
    PrintVerdict,
    ReceiptPrinter,
    Text,
)
from tests.store.shops import Bench

PATIENCE_S = 10.0
INFO = DeviceInfo("fake", "here")
READY = PrinterStatus(True, "ok", "16 12")
PAPER_OUT = PrinterStatus(False, "paper_out", "1e 72")
PRINTED = PrintOutcome(PrintVerdict.PRINTED, "ok", "gs_r answered", 120)
FAILED = PrintOutcome(PrintVerdict.FAILED, "paper_out", "nothing was sent")


def doubt(reason: str) -> PrintOutcome:
    return PrintOutcome(PrintVerdict.UNKNOWN, reason, "what was seen", 60)


class ToldPrinter:
    """``outcomes`` are given one after the other, then every slip is printed; ``paper`` is what came out."""

    def __init__(self) -> None:
        self.state = READY
        self.outcomes: list[PrintOutcome | Exception] = []
        self.asked: list[str] = []
        self.begun: list[PrintJob] = []
        self.paper: list[PrintJob] = []
        self.may_print = asyncio.Event()
        self.may_print.set()
        self.may_send = asyncio.Event()
        self.may_send.set()
        self.printing = asyncio.Event()
        self.kicks = 0
        self.kick: bool | Exception = True

    async def open(self) -> DeviceInfo:
        return INFO

    async def close(self) -> None:
        pass

    async def health(self, level: HealthLevel) -> HealthReport:
        return HealthReport(level, ())

    async def status(self) -> PrinterStatus:
        return self.state

    async def changes(self) -> AsyncIterator[PrinterStatus]:
        yield self.state

    async def print(self, job: PrintJob) -> PrintOutcome:
        self.asked.append(job.job_id)
        self.begun.append(job)
        self.printing.set()
        await self.may_send.wait()
        job.on_sent()
        await self.may_print.wait()
        outcome = self.outcomes.pop(0) if self.outcomes else PRINTED
        if isinstance(outcome, Exception):
            raise outcome
        if outcome.verdict is PrintVerdict.PRINTED:
            self.paper.append(job)
        return outcome

    async def kick_drawer(self) -> bool:
        self.kicks += 1
        if isinstance(self.kick, Exception):
            raise self.kick
        return self.kick


class Desk:
    """A shop's print loop with a told printer; also what the loop asks of a supervisor."""

    def __init__(self, bench: Bench, printer: ToldPrinter, *, there: bool = True) -> None:
        self.bench = bench
        self.told = printer
        self.real: ReceiptPrinter | None = None
        """A driver that prints instead."""
        self.there = there
        self.states = {RECEIPT_PRINTER: DeviceState(RECEIPT_PRINTER, "told", info=INFO, ready=there)}
        self.settled: list[str] = []
        self._settled = asyncio.Event()
        self.paper = PaperKeeper(bench.shop.store, bench.clock)
        self.loop = PrintLoop(bench.shop, self, self._on_settled, shipped(), self.paper)

    # What the loop asks of the supervisor.
    def printer(self, role: str) -> ReceiptPrinter | None:
        return (self.real or self.told) if self.there else None

    def note(self, role: str, what: str, doing: Doing = Doing.DONE) -> None:
        self.states[role].activity = next_activity(self.states[role].activity, doing)
        if doing is not Doing.BEGIN and self.real is None:
            self.states[role].ready = self.told.state.ready  # it says by itself how it is

    # What happens, and what is seen.
    async def _on_settled(self, job: str) -> None:
        self.settled.append(job)
        self._settled.set()

    def fates(self) -> list[tuple[str, str]]:
        return self.bench.rows("SELECT state, reason FROM print_job ORDER BY number")

    async def until(self, *fates: tuple[str, str]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while self.fates() != list(fates):
                self._settled.clear()
                await self._settled.wait()

    async def sell(self) -> str:
        recorded = await self.bench.buy(None)
        self.loop.poke()
        return f"slip-{recorded.receipt}"

    def set_printer(self, state: PrinterStatus | None) -> None:
        """Let the printer be so; None takes it away."""
        self.there = state is not None
        if state is not None:
            self.told.state = state
        self.states[RECEIPT_PRINTER].ready = state is not None and state.ready
        self.loop.poke()


@asynccontextmanager
async def desk(
    bench: Bench, printer: ToldPrinter | None = None, *, there: bool = True
) -> AsyncIterator[Desk]:
    made = Desk(bench, printer or ToldPrinter(), there=there)
    await made.paper.attach(INFO)
    task = asyncio.create_task(made.loop.run())
    try:
        yield made
    finally:
        task.cancel()
        ended = await asyncio.gather(task, return_exceptions=True)
        assert [one for one in ended if not isinstance(one, asyncio.CancelledError)] == []


def said(job: PrintJob) -> list[str]:
    return [item.text for item in job.items if isinstance(item, Text)]

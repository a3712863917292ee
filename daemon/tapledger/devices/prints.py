"""The print loop: each slip in the queue meets exactly one fate, and the printer's own word decides it.

What the line, the power or this daemon cut short is printed again as a whole and says that it is a copy; it
is never resumed. What nobody can know waits for a person's word (``membership.slips``).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import structlog

from tapledger.database import Transaction
from tapledger.devices.keeper import DRIVER_FAULT
from tapledger.devices.paper_keeper import PaperKeeper
from tapledger.devices.receipts.drawing import WIDE_COLUMNS, Paper, lay_out
from tapledger.devices.receipts.templates import Templates
from tapledger.devices.roles import RECEIPT_PRINTER
from tapledger.devices.state import DeviceState, Doing
from tapledger.membership import slips
from tapledger.membership.shop import Shop
from tapledger.store import prints
from tapledger.store.prints import Job
from tapledger_drivers.device import DeviceInfo
from tapledger_drivers.errors import DeviceError, DeviceLost
from tapledger_drivers.ports import PrintJob, PrintOutcome, PrintVerdict, ReceiptPrinter

log = structlog.get_logger()

BAD_JOB = "bad_job"
CUT_SHORT = frozenset({"cut_off", "power_cycled", "unreachable", "stalled"})
"""Why nobody knows, when the line or the power went in the middle: the slip is printed again as a copy."""
AFTER_FAILURE_S = 1.0
"""A printer that calls itself ready and then is not is tried this often, not as fast as it can refuse."""
IDLE_CHECK_S = 5.0
"""Queued slips expire even when nobody prints, so the queue is looked at now and then."""


class Printers(Protocol):
    """What the loop needs of the supervisor."""

    @property
    def states(self) -> Mapping[str, DeviceState]: ...

    def printer(self, role: str) -> ReceiptPrinter | None: ...

    def note(self, role: str, what: str, doing: Doing = Doing.DONE) -> None: ...


@dataclass(frozen=True, slots=True)
class Next:
    """What one look at the queue found."""

    changed: list[str]
    job: Job | None


class PrintLoop:
    """Prints what is queued; it alone speaks to the printer. ``poke`` when something was queued or the
    printer changed; ``on_settled`` tells the faces that a slip has another fate than before."""

    def __init__(
        self,
        shop: Shop,
        devices: Printers,
        on_settled: Callable[[str], Awaitable[None]],
        templates: Templates,
        paper: PaperKeeper,
    ) -> None:
        self._shop = shop
        self._devices = devices
        self._on_settled = on_settled
        self._templates = templates
        self._paper = paper
        self._poked = asyncio.Event()
        self._telling: set[asyncio.Task[None]] = set()

    def poke(self) -> None:
        self._poked.set()

    async def run(self) -> None:
        while True:
            self._poked.clear()
            while await self._print_one():
                pass
            try:
                async with asyncio.timeout(IDLE_CHECK_S):
                    await self._poked.wait()
            except TimeoutError:
                pass

    async def _print_one(self) -> bool:
        """Print the oldest slip; False when there is none or no printer that could print it now."""
        printer = self._devices.printer(RECEIPT_PRINTER)
        ready = printer is not None and self._devices.states[RECEIPT_PRINTER].ready
        found = await self._shop.store.insist(lambda tx: self._next(tx, ready=ready))
        for job_id in found.changed:
            await self._on_settled(job_id)
        if found.job is None or printer is None:
            return False
        job = found.job
        self._devices.note(RECEIPT_PRINTER, f"printing {job.id}", Doing.BEGIN)
        outcome, cut_short = await self._attempt(printer, job)
        await self._settle(job, outcome, cut_short)
        if outcome.verdict is not PrintVerdict.PRINTED and outcome.reason != BAD_JOB:
            # Its own word on how it is comes by itself; asking beside it could be answered out of turn.
            await asyncio.sleep(AFTER_FAILURE_S)
        return True

    def _next(self, tx: Transaction, *, ready: bool) -> Next:
        changed = prints.expire(tx, int(self._shop.clock.now().timestamp() * 1000))
        if not ready:
            return Next([*changed, *prints.mark_waiting(tx)], None)
        return Next(changed, prints.take_next(tx))

    async def _attempt(self, printer: ReceiptPrinter, job: Job) -> tuple[PrintOutcome, bool]:
        """Draw and print a slip; return what came of it, and whether it was cut short.

        One that cannot be drawn is at fault itself; a driver that raises may have printed.
        """
        try:
            document = self._draw(job)
        except Exception as error:
            log.exception("slip cannot be drawn", job=job.id)
            return PrintOutcome(PrintVerdict.FAILED, BAD_JOB, type(error).__name__), False
        try:
            outcome = await printer.print(document)
            return outcome, outcome.reason in CUT_SHORT
        except DeviceError as error:
            lost = isinstance(error, DeviceLost)
            return PrintOutcome(PrintVerdict.UNKNOWN, error.reason, error.detail), lost
        except Exception as error:
            log.exception("driver fault", role=RECEIPT_PRINTER)
            return PrintOutcome(PrintVerdict.UNKNOWN, DRIVER_FAULT, type(error).__name__), False

    def _draw(self, job: Job) -> PrintJob:
        info = self._devices.states[RECEIPT_PRINTER].info
        paper = Paper(
            columns=_columns(info),
            copy_of="" if not job.copies else slips.name_of(job),
            simulated=info is not None and info.virtual,
        )
        slip = slips.read(self._shop, job.id, job.document)
        items = lay_out(slip, self._shop, self._templates, paper)
        return PrintJob(job.id, items, lambda: self._sent(job))

    def _sent(self, job: Job) -> None:
        """All of it was handed over; tell whoever looks that only the printer's word is missing."""

        async def tell() -> None:
            if await self._shop.store.insist(lambda tx: prints.mark_sent(tx, job.id)):
                await self._on_settled(job.id)

        task = asyncio.get_running_loop().create_task(tell())
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _settle(self, job: Job, outcome: PrintOutcome, cut_short: bool) -> None:
        """Record the fate. A slip of which nothing is on paper goes back to the queue, with its reason; one
        that no printer can print does not, for it would hold up all others."""
        reason, evidence = outcome.reason, outcome.evidence
        if outcome.never_says and not _asks(self._devices.states[RECEIPT_PRINTER].info):
            reason = prints.CANNOT_SAY

        def work(tx: Transaction) -> None:
            self._paper.printed(tx, outcome)
            if outcome.verdict is PrintVerdict.PRINTED:
                prints.settle(tx, job.id, "printed", "", evidence)
            elif outcome.verdict is PrintVerdict.FAILED:
                prints.settle(tx, job.id, "failed" if reason == BAD_JOB else "queued", reason, evidence)
            elif not (cut_short and prints.copy(tx, job.id, reason, evidence)):
                prints.settle(tx, job.id, "unknown", reason, evidence)

        await self._shop.store.insist(work)
        log.info("slip", job=job.id, verdict=outcome.verdict.value, reason=outcome.reason)
        went = Doing.DONE if outcome.verdict is PrintVerdict.PRINTED else Doing.FAIL
        self._devices.note(RECEIPT_PRINTER, f"{outcome.verdict.value} {job.id}", went)
        await self._on_settled(job.id)


def _asks(info: DeviceInfo | None) -> bool:
    """Whether a person is asked about a slip of which the printer never says that it came out."""
    said = None if info is None else info.capabilities.get("ask")
    return said is None or said.value is not False


def _columns(info: DeviceInfo | None) -> int:
    said = None if info is None else info.capabilities.get("columns")
    return said.value if said is not None and isinstance(said.value, int) else WIDE_COLUMNS

"""The print loop: each slip in the queue meets exactly one fate, and the printer's own word decides it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from tapledger.devices.slips import lay_out
from tapledger.devices.supervisor import DRIVER_FAULT, DeviceSupervisor
from tapledger.membership import slips
from tapledger.membership.shop import Shop
from tapledger.store import prints
from tapledger.store.prints import Job
from tapledger_drivers.errors import DeviceError
from tapledger_drivers.ports import PrintOutcome, PrintVerdict, ReceiptPrinter

log = structlog.get_logger()

PRINTER_ROLE = "receipt-printer"
BAD_JOB = "bad_job"
AFTER_FAILURE_S = 1.0
"""A printer that calls itself ready and then is not is tried this often, not as fast as it can refuse."""
IDLE_CHECK_S = 5.0
"""Queued slips expire even when nobody prints, so the queue is looked at now and then."""


class PrintLoop:
    """Prints what is queued. ``poke`` when something was queued or the printer changed; ``on_settled`` tells
    the faces that a slip has another fate than before."""

    def __init__(
        self, shop: Shop, devices: DeviceSupervisor, on_settled: Callable[[str], Awaitable[None]]
    ) -> None:
        self._shop = shop
        self._devices = devices
        self._on_settled = on_settled
        self._poked = asyncio.Event()

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
        now_ms = int(self._shop.clock.now().timestamp() * 1000)
        for job_id in await self._shop.store.transact(lambda tx: prints.expire(tx, now_ms)):
            await self._on_settled(job_id)
        printer = self._devices.printer(PRINTER_ROLE)
        if printer is None or not self._devices.printer_ready.is_set():
            for job_id in await self._shop.store.transact(prints.mark_waiting):
                await self._on_settled(job_id)
            return False
        job = await self._shop.store.transact(prints.take_next)
        if job is None:
            return False
        self._devices.note(PRINTER_ROLE, f"printing {job.id}", busy=True)
        outcome = await self._attempt(printer, job)
        await self._settle(job, outcome)
        if outcome.verdict is PrintVerdict.PRINTED or outcome.reason == BAD_JOB:
            return True
        await asyncio.sleep(AFTER_FAILURE_S)
        return False

    async def _attempt(self, printer: ReceiptPrinter, job: Job) -> PrintOutcome:
        """Draw and print a slip. One that cannot be drawn is at fault itself; a driver that raises may have
        printed."""
        try:
            document = lay_out(job.id, slips.read(self._shop, job.id, job.document), self._shop)
        except Exception as error:
            log.exception("slip cannot be drawn", job=job.id)
            return PrintOutcome(PrintVerdict.FAILED, BAD_JOB, type(error).__name__)
        try:
            return await printer.print(document)
        except DeviceError as error:
            return PrintOutcome(PrintVerdict.UNKNOWN, error.reason, error.detail)
        except Exception as error:
            log.exception("driver fault", role=PRINTER_ROLE)
            return PrintOutcome(PrintVerdict.UNKNOWN, DRIVER_FAULT, type(error).__name__)

    async def _settle(self, job: Job, outcome: PrintOutcome) -> None:
        """Record the fate. A slip of which nothing is on paper goes back to the queue, with its reason; one
        that no printer can print does not, for it would hold up all others."""
        state, reason = outcome.verdict.value, outcome.reason
        if outcome.verdict is PrintVerdict.FAILED and reason != BAD_JOB:
            state = "queued"
        elif outcome.verdict is PrintVerdict.PRINTED:
            reason = ""
        await self._shop.store.transact(lambda tx: prints.settle(tx, job.id, state, reason, outcome.evidence))
        log.info("slip", job=job.id, verdict=outcome.verdict.value, reason=outcome.reason)
        if outcome.verdict is not PrintVerdict.PRINTED and reason != BAD_JOB:
            self._devices.printer_ready.clear()
            self._devices.states[PRINTER_ROLE].busy = False
            self._devices.wake(PRINTER_ROLE)
        self._devices.note(PRINTER_ROLE, f"{outcome.verdict.value} {job.id}")
        await self._on_settled(job.id)

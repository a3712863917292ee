"""The print loop: each slip in the queue meets exactly one fate, and the printer's own word decides it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from tapledger.devices.slips import lay_out
from tapledger.devices.supervisor import DeviceSupervisor
from tapledger.membership import slips
from tapledger.membership.shop import Shop
from tapledger.store import prints
from tapledger.store.prints import Job
from tapledger_drivers.ports import PrintOutcome, PrintVerdict

log = structlog.get_logger()

PRINTER_ROLE = "receipt-printer"
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
        """Print the oldest slip; False when there is none or no printer that could print it."""
        printer = self._devices.printer(PRINTER_ROLE)
        if printer is None or not self._devices.printer_ready.is_set():
            for job_id in await self._shop.store.transact(prints.mark_waiting):
                await self._on_settled(job_id)
            return False
        now_ms = int(self._shop.clock.now().timestamp() * 1000)
        job = await self._shop.store.transact(lambda tx: prints.take_next(tx, now_ms))
        if job is None:
            return False
        self._devices.note(PRINTER_ROLE, f"printing {job.id}", busy=True)
        document = lay_out(job.id, slips.read(self._shop, job.id, job.document), self._shop)
        outcome = await printer.print(document)
        await self._settle(job, outcome)
        return outcome.verdict is PrintVerdict.PRINTED

    async def _settle(self, job: Job, outcome: PrintOutcome) -> None:
        """Record the fate. A slip of which nothing is on paper goes back to the queue, with its reason."""
        state = "queued" if outcome.verdict is PrintVerdict.FAILED else outcome.verdict.value
        reason = "" if outcome.verdict is PrintVerdict.PRINTED else outcome.reason
        await self._shop.store.transact(lambda tx: prints.settle(tx, job.id, state, reason, outcome.evidence))
        log.info("slip", job=job.id, verdict=outcome.verdict.value, reason=outcome.reason)
        if outcome.verdict is not PrintVerdict.PRINTED:
            self._devices.printer_ready.clear()
            self._devices.states[PRINTER_ROLE].busy = False
            self._devices.wake(PRINTER_ROLE)
        self._devices.note(PRINTER_ROLE, f"{outcome.verdict.value} {job.id}")
        await self._on_settled(job.id)

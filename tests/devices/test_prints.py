"""The print loop: a slip meets one fate, and paper comes out once or somebody is told to look."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tapledger.devices import prints as print_loop
from tapledger.devices import supervisor
from tapledger.devices.prints import PRINTER_ROLE, PrintLoop
from tapledger.store import prints
from tapledger_drivers.errors import DeviceAbsent, DeviceLost
from tapledger_drivers.ports import PrinterStatus, PrintOutcome, PrintVerdict, Text
from tests.devices.fakes import FAILED, PAPER_OUT, PATIENCE_S, READY, FakePrinter, Room
from tests.store.shops import EARPHONES, Bench, card

NEVER_S = 1e6


@pytest.fixture(autouse=True)
def only_events(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing happens because time passes: only because something happened."""
    for name in ("FIRST_WAIT_S", "LONGEST_WAIT_S", "PRINTER_POLL_S"):
        monkeypatch.setattr(supervisor, name, NEVER_S)
    monkeypatch.setattr(print_loop, "IDLE_CHECK_S", NEVER_S)
    monkeypatch.setattr(print_loop, "AFTER_FAILURE_S", 0.0)


class Desk:
    """A shop's print loop with a fake printer."""

    def __init__(self, bench: Bench, printer: FakePrinter) -> None:
        self.bench = bench
        self.printer = printer
        self.room = Room({PRINTER_ROLE: printer})
        self._settled = asyncio.Event()
        self.loop = PrintLoop(bench.shop, self.room.devices, self._on_settled)
        self.room.on_change = self.loop.poke

    async def _on_settled(self, job: str) -> None:
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

    def set_printer(self, state: PrinterStatus) -> None:
        self.printer.state = state
        self.room.devices.wake(PRINTER_ROLE)


@asynccontextmanager
async def desk(bench: Bench, printer: FakePrinter | None = None) -> AsyncIterator[Desk]:
    made = Desk(bench, printer or FakePrinter())
    tasks = [asyncio.create_task(made.room.devices.run()), asyncio.create_task(made.loop.run())]
    try:
        yield made
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        assert [one for one in ended if not isinstance(one, asyncio.CancelledError)] == []


async def test_slips_are_printed_in_the_order_of_their_sales(bench: Bench) -> None:
    jobs = [f"slip-{(await bench.buy(None)).receipt}" for _ in range(5)]
    async with desk(bench) as at:
        await at.until(*[("printed", "")] * 5)
        assert at.printer.asked == jobs
        assert at.room.devices.states[PRINTER_ROLE].busy is False


async def test_a_slip_waits_for_an_absent_printer_and_is_printed_once(bench: Bench) -> None:
    printer = FakePrinter()
    printer.openings = [DeviceAbsent("unreachable"), None]
    async with desk(bench, printer) as at:
        await at.sell()
        await at.until(("queued", "printer_not_ready"))
        assert printer.asked == []
        at.room.devices.wake(PRINTER_ROLE)
        await at.until(("printed", ""))
        await at.sell()
        await at.until(("printed", ""), ("printed", ""))
        assert len(printer.paper) == 2


async def test_a_slip_that_failed_for_paper_is_printed_once_when_it_is_back(bench: Bench) -> None:
    printer = FakePrinter()
    printer.outcomes = [FAILED]
    async with desk(bench, printer) as at:
        await at.room.until(lambda: at.room.devices.printer_ready.is_set())
        printer.state = PAPER_OUT
        job = await at.sell()
        await at.until(("queued", "paper_out"))
        await at.room.until(lambda: at.room.link(PRINTER_ROLE) == "degraded")
        assert printer.asked == [job], "not tried while the paper is out"
        at.set_printer(READY)
        await at.until(("printed", ""))
        assert (printer.asked, [one.job_id for one in printer.paper]) == ([job, job], [job])


async def test_paper_that_is_back_before_anybody_asked_is_noticed(bench: Bench) -> None:
    """The printer says 'out' to the job and 'ready' right after: no change is seen, the slip goes on."""
    printer = FakePrinter()
    printer.outcomes = [FAILED]
    async with desk(bench, printer) as at:
        await at.room.until(lambda: at.room.devices.printer_ready.is_set())
        await at.sell()
        await at.until(("printed", ""))
        assert len(printer.paper) == 1


@pytest.mark.parametrize("reason", ["mute", "stalled", "cut_off", "no_completion", "paper_out"])
async def test_a_slip_that_may_be_on_paper_is_never_printed_again(bench: Bench, reason: str) -> None:
    printer = FakePrinter()
    printer.outcomes = [PrintOutcome(PrintVerdict.UNKNOWN, reason, "what was seen")]
    async with desk(bench, printer) as at:
        first = await at.sell()
        await at.until(("unknown", reason))
        second = await at.sell()
        at.set_printer(READY)
        await at.until(("unknown", reason), ("printed", ""))
        assert printer.asked == [first, second]
        assert bench.rows("SELECT evidence FROM print_job WHERE number = 1") == [("what was seen",)]


async def test_a_driver_that_raises_in_the_middle_may_have_printed(bench: Bench) -> None:
    printer = FakePrinter()
    printer.outcomes = [DeviceLost("unplugged", "usb"), ZeroDivisionError("a mistake in a driver")]
    async with desk(bench, printer) as at:
        await at.sell()
        await at.until(("unknown", "unplugged"))
        at.set_printer(READY)
        await at.sell()
        await at.until(("unknown", "unplugged"), ("unknown", "driver_fault"))
        at.set_printer(READY)
        await at.sell()
        await at.until(("unknown", "unplugged"), ("unknown", "driver_fault"), ("printed", ""))


async def test_a_slip_that_cannot_be_printed_holds_up_no_other(bench: Bench) -> None:
    """Neither one that the printer cannot draw, nor one whose document cannot be read."""
    printer = FakePrinter()
    printer.outcomes = [PrintOutcome(PrintVerdict.FAILED, "bad_job", "a QR code too long")]
    for _ in range(3):
        await bench.buy(None)
    spoil = "UPDATE print_job SET document = x'00' WHERE number = 2"
    await bench.shop.store.transact(lambda tx: tx.exec_driver_sql(spoil))
    async with desk(bench, printer) as at:
        await at.until(("failed", "bad_job"), ("failed", "bad_job"), ("printed", ""))
        assert len(printer.asked) == 2


async def test_a_stale_slip_is_not_printed(bench: Bench) -> None:
    await bench.buy(None)
    bench.clock.move(15 * 60)
    async with desk(bench) as at:
        await at.sell()
        await at.until(("expired", "expired"), ("printed", ""))
        assert len(at.printer.asked) == 1


async def test_a_slip_expires_while_no_printer_is_there(bench: Bench) -> None:
    printer = FakePrinter()
    printer.openings = [DeviceAbsent("unreachable")]
    async with desk(bench, printer) as at:
        await at.sell()
        await at.until(("queued", "printer_not_ready"))
        bench.clock.move(15 * 60)
        at.loop.poke()
        await at.until(("expired", "expired"))


async def test_a_daemon_that_stopped_in_the_middle_prints_no_second_slip(bench: Bench) -> None:
    printer = FakePrinter()
    printer.may_print.clear()
    async with desk(bench, printer) as at:
        job = await at.sell()
        async with asyncio.timeout(PATIENCE_S):
            await printer.printing.wait()
        assert at.fates() == [("sending", "")]
    await bench.restart()
    assert bench.rows("SELECT state, reason FROM print_job") == [("unknown", "interrupted")]
    async with desk(bench) as at:
        await at.sell()
        await at.until(("unknown", "interrupted"), ("printed", ""))
        assert job not in at.printer.asked


async def test_a_voucher_is_drawn_from_the_ledger(bench: Bench) -> None:
    member = await bench.join("Annabel", card("a"))
    await bench.buy(member, EARPHONES)
    redeemed = await bench.redeem(member)
    async with desk(bench) as at:
        await at.until(("printed", ""), ("printed", ""))
        texts = [item.text for item in at.printer.paper[1].items if isinstance(item, Text)]
        assert {redeemed.voucher, redeemed.recorded.receipt, redeemed.recorded.proof, "Tea"} <= set(texts)
        assert "nnabel" not in str(at.printer.paper)


async def test_the_same_slip_is_queued_once(bench: Bench) -> None:
    await bench.shop.store.transact(lambda tx: prints.enqueue(tx, "slip-1", "sale", b"first", 1))
    await bench.shop.store.transact(lambda tx: prints.enqueue(tx, "slip-1", "sale", b"second", 2))
    assert bench.rows("SELECT number, document FROM print_job") == [(1, b"first")]

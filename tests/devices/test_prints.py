"""The print loop: a slip meets one fate, and paper comes out once, or says that it is a copy."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from tapledger import texts
from tapledger.devices import prints as print_loop
from tapledger.devices.roles import RECEIPT_PRINTER
from tapledger.errors import Conflict, NotFound
from tapledger.languages import LANGUAGES
from tapledger.loyalty.effects import Held
from tapledger.membership import redemption, slips
from tapledger.store import prints
from tapledger.web import print_views, views
from tapledger_drivers.device import Capability, Source
from tapledger_drivers.errors import DeviceLost
from tapledger_drivers.ports import PrintOutcome, PrintVerdict
from tests.devices.desk import FAILED, INFO, PAPER_OUT, PATIENCE_S, READY, ToldPrinter, desk, doubt, said
from tests.store.shops import EARPHONES, Bench, card

NEVER_S = 1e6
CUT_SHORT = sorted(print_loop.CUT_SHORT)


@pytest.fixture(autouse=True)
def only_events(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing happens because time passes: only because something happened."""
    monkeypatch.setattr(print_loop, "IDLE_CHECK_S", NEVER_S)
    monkeypatch.setattr(print_loop, "AFTER_FAILURE_S", 0.0)


async def test_slips_are_printed_in_the_order_of_their_sales(bench: Bench) -> None:
    jobs = [f"slip-{(await bench.buy(None)).receipt}" for _ in range(5)]
    async with desk(bench) as at:
        await at.until(*[("printed", "")] * 5)
        assert at.told.asked == jobs
        assert not any("COPY" in str(job.items) for job in at.told.paper)


async def test_a_slip_waits_for_an_absent_printer_and_is_printed_once(bench: Bench) -> None:
    async with desk(bench, there=False) as at:
        await at.sell()
        await at.until(("queued", "printer_not_ready"))
        assert at.told.asked == []
        at.set_printer(READY)
        await at.until(("printed", ""))
        await at.sell()
        await at.until(("printed", ""), ("printed", ""))
        assert len(at.told.paper) == 2


async def test_a_slip_that_failed_for_paper_is_printed_once_when_it_is_back(bench: Bench) -> None:
    printer = ToldPrinter()
    printer.outcomes = [FAILED]
    async with desk(bench, printer) as at:
        printer.state = PAPER_OUT
        job = await at.sell()
        await at.until(("queued", "paper_out"))
        assert printer.asked == [job], "not tried while the paper is out"
        at.set_printer(READY)
        await at.until(("printed", ""))
        assert (printer.asked, [one.job_id for one in printer.paper]) == ([job, job], [job])
        assert "COPY" not in str(printer.paper), "nothing of it was on paper"


async def test_paper_that_is_back_before_anybody_asked_is_noticed(bench: Bench) -> None:
    """The printer says 'out' to the job and 'ready' right after: no change is seen, the slip goes on."""
    printer = ToldPrinter()
    printer.outcomes = [FAILED]
    async with desk(bench, printer) as at:
        await at.sell()
        await at.until(("printed", ""))
        assert len(printer.paper) == 1


async def test_a_slip_that_was_handed_over_waits_for_the_printers_word(bench: Bench) -> None:
    printer = ToldPrinter()
    printer.may_send.clear()
    printer.may_print.clear()
    async with desk(bench, printer) as at:
        await at.sell()
        async with asyncio.timeout(PATIENCE_S):
            await printer.printing.wait()
        assert at.fates() == [("sending", "")]
        printer.may_send.set()
        await at.until(("waiting_device", ""))
        printer.may_print.set()
        await at.until(("printed", ""))


# ---- copies ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("reason", [*CUT_SHORT, "unplugged"])
async def test_what_was_cut_short_is_printed_again_whole_as_a_copy(bench: Bench, reason: str) -> None:
    printer = ToldPrinter()
    printer.outcomes = [DeviceLost(reason, "usb") if reason == "unplugged" else doubt(reason)]
    async with desk(bench, printer) as at:
        job = await at.sell()
        await at.until(("printed", ""))
        assert printer.asked == [job, job]
        receipt = job.removeprefix("slip-")
        first, copy = map(said, printer.begun)
        assert f"COPY of {receipt}" not in first
        assert copy == [f"COPY of {receipt}", *first]
        assert bench.rows("SELECT copies FROM print_job") == [(1,)]


async def test_copies_come_to_an_end(bench: Bench) -> None:
    """A line that breaks each time does not empty the roll."""
    printer = ToldPrinter()
    printer.outcomes = [doubt("cut_off")] * 9
    async with desk(bench, printer) as at:
        job = await at.sell()
        await at.until(("unknown", "cut_off"))
        assert printer.asked == [job] * (1 + prints.COPIES_MAX)
        printer.outcomes = []
        await at.sell()
        await at.until(("unknown", "cut_off"), ("printed", ""))


async def test_a_copy_is_not_printed_after_its_time(bench: Bench) -> None:
    printer = ToldPrinter()
    printer.state = PAPER_OUT
    printer.outcomes = [doubt("power_cycled")]
    async with desk(bench, printer) as at:
        await at.sell()
        await at.until(("queued", "power_cycled"))
        bench.clock.move(15 * 60)
        at.set_printer(READY)
        await at.until(("unknown", "power_cycled"))
        assert len(printer.begun) == 1


async def test_a_daemon_that_stopped_in_the_middle_prints_a_copy(bench: Bench) -> None:
    printer = ToldPrinter()
    printer.may_print.clear()
    async with desk(bench, printer) as at:
        job = await at.sell()
        await at.until(("waiting_device", ""))
    await bench.restart()
    assert bench.rows("SELECT state, reason FROM print_job") == [("queued", "interrupted")]
    async with desk(bench) as at:
        await at.until(("printed", ""))
        assert at.told.asked == [job]
        assert said(at.told.paper[0])[0] == f"COPY of {job.removeprefix('slip-')}"


async def test_a_daemon_that_stops_each_time_leaves_it_to_a_person(bench: Bench) -> None:
    await bench.buy(None)
    for _ in range(1 + prints.COPIES_MAX):
        await bench.shop.store.transact(prints.take_next)
        await bench.restart()
    assert bench.rows("SELECT state, reason, copies FROM print_job") == [
        ("unknown", "interrupted", prints.COPIES_MAX)
    ]


# ---- a person's word -------------------------------------------------------------------------------------
@pytest.mark.parametrize("reason", ["mute", "no_completion", "paper_out"])
async def test_what_nobody_can_know_waits_for_a_person(bench: Bench, reason: str) -> None:
    printer = ToldPrinter()
    printer.outcomes = [doubt(reason)]
    async with desk(bench, printer) as at:
        first = await at.sell()
        await at.until(("unknown", reason))
        second = await at.sell()
        await at.until(("unknown", reason), ("printed", ""))
        assert printer.asked == [first, second]
        assert bench.rows("SELECT evidence FROM print_job WHERE number = 1") == [("what was seen",)]
        await slips.came_out(bench.shop, first, True, "s-1")
        assert at.fates() == [("printed", "")] * 2
        assert bench.rows("SELECT word FROM print_job WHERE number = 1") == [("s-1 2026-05-04T09:00:00Z",)]
        with pytest.raises(Conflict, match="SLIP_SETTLED"):
            await slips.came_out(bench.shop, first, False, "technician")


async def test_what_did_not_come_out_comes_out_as_a_copy_however_late(bench: Bench) -> None:
    printer = ToldPrinter()
    printer.outcomes = [doubt("mute")]
    async with desk(bench, printer) as at:
        job = await at.sell()
        await at.until(("unknown", "mute"))
        bench.clock.move(3600)
        await slips.came_out(bench.shop, job, False, "technician")
        at.loop.poke()
        await at.until(("printed", ""))
        assert said(printer.paper[0])[0].startswith("COPY of ")


async def test_a_driver_at_fault_may_have_printed(bench: Bench) -> None:
    printer = ToldPrinter()
    printer.outcomes = [ZeroDivisionError("a mistake in a driver")]
    async with desk(bench, printer) as at:
        await at.sell()
        await at.until(("unknown", "driver_fault"))


async def test_what_expired_can_be_asked_for_again(bench: Bench) -> None:
    recorded = await bench.buy(None)
    bench.clock.move(15 * 60)
    async with desk(bench) as at:
        await at.until(("expired", "expired"))
        await slips.print_again(bench.shop, slips.job_id(recorded), "s-1")
        at.loop.poke()
        await at.until(("printed", ""))
        assert "COPY" not in str(at.told.paper), "it had never been begun"
        await slips.print_again(bench.shop, slips.job_id(recorded), "s-1")
        at.loop.poke()
        await at.until(("printed", ""))
        assert "COPY" in str(at.told.paper[-1])


async def test_only_what_has_met_its_fate_is_printed_again(bench: Bench) -> None:
    with pytest.raises(NotFound, match="SLIP_UNKNOWN"):
        await slips.print_again(bench.shop, "slip-nothing", "s-1")
    recorded = await bench.buy(None)
    with pytest.raises(Conflict, match="SLIP_NOT_AGAIN"):
        await slips.print_again(bench.shop, slips.job_id(recorded), "s-1")


async def test_the_voucher_of_a_reward_that_was_undone_never_comes_out(bench: Bench) -> None:
    member = await bench.join("Ann", card("a"))
    await bench.buy(member, EARPHONES)
    redeemed = await bench.redeem(member)
    (hold,) = [one.hold.id for one in redeemed.recorded.event.body.effects if isinstance(one, Held)]
    await redemption.undo_reward(bench.shop, "undo", member, hold)
    with pytest.raises(Conflict, match="SLIP_NOT_AGAIN"):
        await slips.print_again(bench.shop, redeemed.job, "technician")


# ---- what holds up nobody ----------------------------------------------------------------------------------
async def test_a_slip_that_cannot_be_printed_holds_up_no_other(bench: Bench) -> None:
    """Neither one that the printer cannot draw, nor one whose document cannot be read."""
    printer = ToldPrinter()
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
        assert len(at.told.asked) == 1


async def test_a_slip_expires_while_no_printer_is_there(bench: Bench) -> None:
    async with desk(bench, there=False) as at:
        await at.sell()
        await at.until(("queued", "printer_not_ready"))
        bench.clock.move(15 * 60)
        at.loop.poke()
        await at.until(("expired", "expired"))


async def test_a_voucher_is_drawn_from_the_ledger(bench: Bench) -> None:
    member = await bench.join("Annabel", card("a"))
    await bench.buy(member, EARPHONES)
    redeemed = await bench.redeem(member)
    async with desk(bench) as at:
        await at.until(("printed", ""), ("printed", ""))
        texts = said(at.told.paper[1])
        assert {redeemed.voucher, redeemed.recorded.receipt, redeemed.recorded.proof, "Tea"} <= set(texts)
        assert "nnabel" not in str(at.told.paper)


async def test_the_same_slip_is_queued_once(bench: Bench) -> None:
    await bench.shop.store.transact(lambda tx: prints.enqueue(tx, "slip-1", "sale", b"first", 1))
    await bench.shop.store.transact(lambda tx: prints.enqueue(tx, "slip-1", "sale", b"second", 2))
    assert bench.rows("SELECT number, document FROM print_job") == [(1, b"first")]


# ---- printers that never say ---------------------------------------------------------------------------
NEVER_SAYS = replace(doubt("no_completion"), never_says=True)
QUIET = {"ask": Capability(False, Source.OPERATOR)}


async def doubtful(bench: Bench) -> list[prints.Job]:
    return await bench.shop.store.transact(lambda tx: prints.unknown(tx, 0))


@pytest.mark.parametrize(
    ("outcome", "capabilities", "reason"),
    [
        (NEVER_SAYS, QUIET, prints.CANNOT_SAY),
        (NEVER_SAYS, {}, "no_completion"),
        (doubt("no_completion"), QUIET, "no_completion"),
        (doubt("paper_out"), QUIET, "paper_out"),
    ],
)
async def test_nobody_is_asked_about_a_printer_that_never_says_when_the_operator_wants_it_so(
    bench: Bench, outcome: PrintOutcome, capabilities: dict[str, Capability], reason: str
) -> None:
    printer = ToldPrinter()
    printer.outcomes = [outcome]
    async with desk(bench, printer) as at:
        at.states[RECEIPT_PRINTER].info = replace(INFO, capabilities=capabilities)
        job_id = await at.sell()
        await at.until(("unknown", reason))
        await at.sell()
        await at.until(("unknown", reason), ("printed", ""))
    assert len(printer.asked) == 2, "no copy comes by itself"
    quiet = reason == prints.CANNOT_SAY
    assert [job.id for job in await doubtful(bench)] == ([] if quiet else [job_id])
    job = await bench.shop.store.transact(lambda tx: prints.get(tx, job_id))
    assert job is not None
    assert views.slip_state(job) == ("sent" if quiet else "unknown")
    for language in LANGUAGES:
        view = print_views.print_view(job, language)
        assert (view.state, view.asks, view.can_repeat) == ("unknown", not quiet, True)
        key = "print.cannot_say" if quiet else "print.asks"
        assert view.sentence == texts.say(language, key)


async def test_a_slip_that_nobody_was_asked_about_comes_again_as_a_copy(bench: Bench) -> None:
    printer = ToldPrinter()
    printer.outcomes = [NEVER_SAYS]
    async with desk(bench, printer) as at:
        at.states[RECEIPT_PRINTER].info = replace(INFO, capabilities=QUIET)
        job = await at.sell()
        await at.until(("unknown", prints.CANNOT_SAY))
        await slips.print_again(bench.shop, job, "Anna")
        at.loop.poke()
        await at.until(("printed", ""))
    assert "COPY" in str(printer.paper[0].items)

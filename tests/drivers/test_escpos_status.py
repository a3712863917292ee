"""How an ESC/POS printer is, told in time; and its cash drawer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest

from tapledger_drivers.emulators.escpos_models import Condition
from tapledger_drivers.emulators.escpos_printer import EscposPrinterEmulator, Mute
from tapledger_drivers.emulators.faults import Verb
from tapledger_drivers.emulators.memory import MemoryIo, MemoryWire
from tapledger_drivers.errors import DeviceLost
from tapledger_drivers.ports import (
    PrintVerdict,
)
from tapledger_drivers.printers import escpos
from tapledger_drivers.printers.escpos import IDLE_ASK_S, EscposPrinter
from tests.drivers.printing import (
    JOB,
    PATIENCE,
    at_line,
    driver,
    driving,
    emulated,
    fast,
    live_io,
    next_status,
    printer,
    until,
)

PRINTED, FAILED, UNKNOWN = PrintVerdict.PRINTED, PrintVerdict.FAILED, PrintVerdict.UNKNOWN


@pytest.mark.parametrize(
    ("line", "model"), [("tcp", "epson"), ("pty", "no_process_id"), ("tcp", "stops_asb")]
)
async def test_what_happens_to_the_printer_is_told_within_a_second(line: str, model: str) -> None:
    async with emulated(line, model) as printer, driving(printer) as driver:
        changes = driver.changes()
        assert (await next_status(changes)).ready
        for change, reason in (
            (printer.set_cover_open, "cover_open"),
            (printer.set_paper_out, "paper_out"),
            (printer.set_cutter_jam, "cutter_error"),
            (printer.set_overheated, "overheated"),
        ):
            for on, expected in ((True, reason), (False, "ok")):
                began_s = time.monotonic()
                change(on)
                status = await next_status(changes)
                assert (status.reason, status.ready) == (expected, expected == "ok")
                took_s = time.monotonic() - began_s
                assert took_s < 1.0, f"{reason} {on} took {took_s:.2f} s"
        printer.set_near_end(True)
        status = await next_status(changes)
        assert status.ready and status.near_end
        counters = driver.traffic.counters
        assert counters["ReceiptCoverOpenCount"] == counters["FailedPaperCutCount"] == 1
        assert counters["PrinterFaultCount"] == 1


async def test_automatic_status_tells_at_once(printer: EscposPrinterEmulator, driver: EscposPrinter) -> None:
    """Much faster than asking would, so it is what told."""
    changes = driver.changes()
    await next_status(changes)
    took_s = []
    for on in (True, False) * 5:
        began_s = time.monotonic()
        printer.set_cover_open(on)
        await next_status(changes)
        took_s.append(time.monotonic() - began_s)
    assert sorted(took_s)[len(took_s) // 2] < IDLE_ASK_S / 4


async def test_the_cover_is_told_while_a_slip_is_at_work(
    printer: EscposPrinterEmulator, driver: EscposPrinter
) -> None:
    at_line(printer, 3, lambda: printer.set_cover_open(True))
    changes = driver.changes()
    assert (await next_status(changes)).ready
    job = asyncio.create_task(driver.print(JOB))
    assert (await next_status(changes)).reason == "cover_open"
    assert (await job).reason == "cover_open"


async def test_an_old_word_is_not_told_again_while_a_slip_is_at_work() -> None:
    """Its automatic status has stopped at the open cover, which has been shut since."""
    async with emulated(model="stops_asb") as printer, driving(printer, job_timeout_s=10.0) as driver:
        changes = driver.changes()
        assert (await next_status(changes)).ready
        printer.set_cover_open(True)
        assert (await next_status(changes)).reason == "cover_open"
        printer.set_cover_open(False)
        assert (await next_status(changes)).ready
        printer.line_delay_s = IDLE_ASK_S / 2
        told = asyncio.ensure_future(next_status(changes))
        assert (await driver.print(JOB)).verdict is PRINTED
        assert not told.done(), told
        printer.set_near_end(True)
        assert (await told).near_end


async def test_one_wrong_bit_is_no_trouble(printer: EscposPrinterEmulator, driver: EscposPrinter) -> None:
    """One answer of noise that has all the fixed bits of an answer says that the cover is open."""
    answer = printer.condition.answer
    spoilt = iter([0x16])
    printer.condition = _Answers(lambda number: next(spoilt, 0x12) if number == 2 else answer(number))
    assert (await driver.status()).reason == "ok"
    assert next(spoilt, None) is None, "it was never said"


async def test_trouble_that_is_true_is_believed(
    printer: EscposPrinterEmulator, driver: EscposPrinter
) -> None:
    printer.set_cover_open(True)
    for _ in range(2):
        assert (await driver.status()).reason == "cover_open"


@pytest.mark.parametrize("slow_ms", [95, 105, 130])
async def test_late_answers_do_not_stand_in_the_place_of_others(slow_ms: int) -> None:
    """Near the end of its roll a printer is slower than it is waited for: its paper's answer, read in the
    place of another, would be an open cover."""
    async with emulated() as printer, driving(printer) as driver:
        printer.set_near_end(True)
        assert (await driver.status()).near_end
        await printer.pull(Verb.SLOW, amount=slow_ms)
        reasons = {(await driver.status()).reason for _ in range(4)}
        await printer.pull(Verb.SLOW, on=False)
        for _ in range(4):
            reasons.add((await driver.status()).reason)
        assert "ok" in reasons and reasons <= {"ok", "mute", "noise"}
        assert (await driver.status()).near_end


@pytest.mark.parametrize("lost", range(4))
async def test_an_answer_that_is_lost_shifts_no_other(lost: int) -> None:
    async with emulated() as printer, driving(printer) as driver:
        printer.set_near_end(True)
        assert (await driver.status()).near_end
        send, answers = printer.wire.send, [0]

        def losing(data: bytes) -> bool:
            answers[0] += 1
            return send(b"" if answers[0] == lost + 1 else data)

        printer.wire.send = losing  # type: ignore[method-assign]
        for _ in range(3):
            status = await driver.status()
            assert (status.reason, status.near_end) == ("ok", True)


class _Answers(Condition):
    """A printer's condition that answers what it is told to."""

    def __init__(self, answer: Callable[[int], int]) -> None:
        super().__init__()
        self._answer = answer

    def answer(self, number: int) -> int:
        return self._answer(number)


async def test_the_drawers_switch_is_learnt_from_a_kick(
    printer: EscposPrinterEmulator, driver: EscposPrinter
) -> None:
    assert (await driver.status()).drawer_open is None
    assert await driver.kick_drawer()
    assert printer.drawer_kicks == 1
    await until(lambda: printer.condition.drawer_open, "the drawer stays shut")
    assert (await driver.status()).drawer_open is True
    printer.set_drawer_open(False)
    assert (await driver.status()).drawer_open is False
    assert driver.traffic.counters["DrawerGoodOpenCount"] == 1


async def test_a_kick_over_an_empty_roll_comes_now_and_never_again(
    printer: EscposPrinterEmulator, driver: EscposPrinter
) -> None:
    printer.set_paper_out(True)
    assert await driver.kick_drawer()
    await until(lambda: printer.drawer_kicks == 1, "the drawer stays shut")
    printer.set_paper_out(False)
    assert (await driver.print(JOB)).verdict is PRINTED
    assert printer.drawer_kicks == 1


async def test_no_drawer_opens_at_a_mute_printer(
    printer: EscposPrinterEmulator, driver: EscposPrinter
) -> None:
    printer.set_mute(Mute.SILENT)
    assert not await driver.kick_drawer()
    assert printer.drawer_kicks == 0
    assert driver.traffic.counters["DrawerFailedOpenCount"] == 1


@pytest.mark.parametrize("mute", [Mute.DEAF, Mute.SILENT])
async def test_a_printer_that_says_nothing_any_more_is_mute_and_then_lost(
    printer: EscposPrinterEmulator, driver: EscposPrinter, mute: Mute, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(escpos, "IDLE_ASK_S", 0.05)
    changes = driver.changes()
    assert (await next_status(changes)).ready
    printer.set_mute(mute)
    assert (await next_status(changes)).reason == "mute"
    with pytest.raises(DeviceLost, match="mute"):
        await next_status(changes)
    await driver.close()
    printer.set_mute(Mute.NO)
    await driver.open()
    assert (await driver.print(JOB)).verdict is PRINTED


async def test_slips_that_wait_do_not_hide_that_the_printer_fell_silent(
    printer: EscposPrinterEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each slip asks and gets no answer; the next one asks before anybody else can."""
    monkeypatch.setattr(escpos, "IDLE_ASK_S", 0.05)
    async with driving(
        printer, query=fast(printer), answer_timeout_s=0.2, liveness_timeout_s=0.2, send_timeout_s=0.2
    ) as driver:
        changes = driver.changes()
        assert (await next_status(changes)).ready

        async def print_on_and_on() -> None:
            while True:
                await driver.print(JOB)

        printer.set_mute(Mute.DEAF)
        slips = [asyncio.create_task(print_on_and_on()) for _ in range(2)]
        try:
            assert (await next_status(changes)).reason == "mute"
            with pytest.raises(DeviceLost, match="mute"):
                await next_status(changes)
        finally:
            for slip in slips:
                slip.cancel()
            await asyncio.gather(*slips, return_exceptions=True)


async def test_a_short_silence_is_forgiven(
    printer: EscposPrinterEmulator, driver: EscposPrinter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(escpos, "IDLE_ASK_S", 0.05)
    changes = driver.changes()
    assert (await next_status(changes)).ready
    printer.set_mute(Mute.DEAF)
    assert (await next_status(changes)).reason == "mute"
    printer.set_mute(Mute.NO)
    assert (await next_status(changes)).ready
    assert (await driver.print(JOB)).verdict is PRINTED


async def test_unplugged_within_a_second_and_usable_two_seconds_after(
    printer: EscposPrinterEmulator, driver: EscposPrinter
) -> None:
    changes = driver.changes()
    assert (await next_status(changes)).ready
    began_s = time.monotonic()
    await printer.pull(Verb.UNPLUG)
    with pytest.raises(DeviceLost):
        await next_status(changes)
    assert time.monotonic() - began_s < 1.0
    assert (await driver.print(JOB)).verdict is FAILED
    assert (await driver.status()).reason == "unreachable"
    await driver.close()
    await printer.pull(Verb.REPLUG)
    began_s = time.monotonic()
    await driver.open()
    assert (await driver.print(JOB)).verdict is PRINTED
    assert time.monotonic() - began_s < 2.0


async def test_the_kernels_printer_device_is_the_same_line() -> None:
    """This kernel has no USB: a terminal in its place, opened as ``/dev/usb/lp0`` is."""
    async with emulated("pty") as printer:
        io = live_io()
        driver = EscposPrinter(io, "usblp:" + printer.address.removeprefix("tty:"), PATIENCE)
        info = await driver.open()
        assert (info.model, info.virtual) == ("tapledger emulator", True)
        assert (await driver.print(JOB)).verdict is PRINTED
        changes = driver.changes()
        assert (await next_status(changes)).ready
        await printer.pull(Verb.UNPLUG)
        with pytest.raises(DeviceLost):
            await next_status(changes)
        await driver.close()
        await printer.pull(Verb.REPLUG)
        await driver.open()
        assert (await driver.print(JOB)).verdict is PRINTED
        await driver.close()
        await io.close()


async def test_it_works_without_a_kernel_between() -> None:
    printer = EscposPrinterEmulator(wire=lambda machine: MemoryWire(machine, "printer"))
    await printer.start()
    wire = printer.wire
    assert isinstance(wire, MemoryWire)
    driver = EscposPrinter(MemoryIo({wire.address: wire}, live_io().traffic), wire.address, PATIENCE)
    await driver.open()
    assert (await driver.print(JOB)).verdict is PRINTED
    await driver.close()
    await printer.close()


__all__ = ["driver", "printer"]

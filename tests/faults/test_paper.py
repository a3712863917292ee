"""Printers in trouble: a slip waits, or somebody is told to look; it never counts as printed for nothing."""

from __future__ import annotations

from typing import Any

import pytest

from tapledger_drivers.emulators.escpos_printer import Mute
from tests.faults.counter import Counter

pytestmark = pytest.mark.asyncio(loop_scope="session")


def slip(at: Counter, receipt: str) -> tuple[Any, ...]:
    query = f"SELECT state, reason, evidence FROM print_job WHERE id = 'slip-{receipt}'"
    return at.rows(query)[0]


async def sold(at: Counter) -> str:
    await at.fill_basket()
    return await at.pay()


async def printer_light(at: Counter, light: str) -> None:
    await at.till.until(lambda s: bool(s["printer"] == light), f"the printer's light is not {light}")


async def test_a_slip_waits_for_paper_and_comes_out_once(counter: Counter) -> None:
    printer = counter.bench.printer
    printer.set_paper_out(True)
    receipt = await sold(counter)
    await counter.till.until(lambda s: s["last_sale"]["slip"] == "failed", "the till does not say so")
    await printer_light(counter, "trouble")
    assert slip(counter, receipt)[:2] in {("queued", "paper_out"), ("queued", "printer_not_ready")}
    assert counter.paper(receipt) == 0
    printer.set_paper_out(False)
    await counter.till.until(lambda s: s["last_sale"]["slip"] == "printed", "it does not come out")
    await printer_light(counter, "ok")
    assert counter.paper(receipt) == 1


async def test_paper_that_ends_in_the_middle_is_not_a_receipt(counter: Counter) -> None:
    """What is on paper is an uncut piece; after the new roll the whole slip comes out, once."""
    printer = counter.bench.printer
    printer.line_delay_s = 0.01
    printer.set_paper_lines_left(3)
    receipt = await sold(counter)
    await counter.till.until(lambda s: s["last_sale"]["slip"] == "failed", "the till does not say so")
    assert slip(counter, receipt)[0] == "queued"
    assert counter.paper(receipt) == 0
    printer.line_delay_s = 0.0
    printer.set_paper_out(False)
    await counter.till.until(lambda s: s["last_sale"]["slip"] == "printed", "it does not come out")
    assert counter.paper(receipt) == 1


async def test_a_mute_printer_has_printed_nothing(counter: Counter) -> None:
    """It takes the connection and never reads a byte: a receipt sent blindly would be 'sent'."""
    printer = counter.bench.printer
    printer.set_mute(Mute.DEAF)
    receipt = await sold(counter)
    await counter.till.until(lambda s: s["last_sale"]["slip"] == "failed", "the till does not say so")
    assert slip(counter, receipt)[0] == "queued"
    await printer_light(counter, "trouble")
    printer.set_mute(Mute.NO)
    await counter.till.until(lambda s: s["last_sale"]["slip"] == "printed", "it does not come out")
    assert counter.paper(receipt) == 1


async def test_a_printer_that_falls_silent_in_the_middle_is_unknown_for_ever(counter: Counter) -> None:
    printer = counter.bench.printer

    async def fall_silent() -> None:
        printer.set_mute(Mute.SILENT)

    printer.after_line = fall_silent
    receipt = await sold(counter)
    await counter.till.until(lambda s: s["last_sale"]["slip"] == "unknown", "the till does not say so")
    printer.after_line = None
    state, reason, evidence = slip(counter, receipt)
    assert (state, reason) == ("unknown", "mute") and evidence
    printer.set_mute(Mute.NO)
    await printer_light(counter, "ok")
    after = await sold(counter)
    await counter.till.until(lambda s: s["last_sale"]["slip"] == "printed", "the next slip is not printed")
    assert (counter.paper(receipt), counter.paper(after)) in {(0, 1), (1, 1)}
    assert slip(counter, receipt) == (state, reason, evidence)

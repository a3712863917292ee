"""A Chinese receipt of 40 lines: built how fast, how large, and how fast it leaves on a serial line."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.device_bench import PATIENCE_S, PRINTER, running
from benchmarks.seeded_shop import SEED, SeededShop, basket
from tapledger.devices.paper_keeper import PaperKeeper
from tapledger.devices.prints import PrintLoop
from tapledger.devices.receipts import templates
from tapledger.membership.sale import record_sale
from tapledger_drivers.device import DeviceConfig
from tapledger_drivers.emulators.escpos_printer import EscposPrinterEmulator
from tapledger_drivers.emulators.pty_wire import BITS_PER_BYTE, PtyWire
from tapledger_drivers.emulators.wire import Machine, TcpWire, Wire
from tapledger_drivers.ports import PaperItem, PrintJob, PrintVerdict, Row, Rule, Text
from tapledger_drivers.printers.escpos import EscposPrinter
from tapledger_drivers.printers.layout import lay_out
from tapledger_drivers.printers.slip import build_slip
from tapledger_drivers.traffic import Traffic
from tapledger_drivers.transports.live import LiveIo

LINES, COLUMNS, DOTS = 40, 48, 576
BAUD = 38_400
SMALL_BYTES = 30
"""Questions to a printer are shorter, pieces of a slip are longer."""
WARM_UP = 5
_GOODS = ("保温杯 500毫升", "纯棉毛巾", "茉莉花茶礼盒", "手冲咖啡壶", "有机酱油", "儿童水彩笔")


@dataclass(frozen=True, slots=True)
class Printing:
    build_cpu_ms: list[float]
    bytes_over_text: float
    first_byte_ms: list[float]
    serial_over_baud: float


def receipt() -> tuple[PaperItem, ...]:
    """Return the items of a receipt that is ``LINES`` lines long on paper of 80 mm."""
    goods = [
        Row(f"{place:2} {_GOODS[place % len(_GOODS)]}", f"￥{place * 1.75 + 9:.2f}")
        for place in range(1, LINES - 4)
    ]
    return (
        Text("茶山路店"),
        Rule(),
        *goods,
        Rule(),
        Row("合计", "￥1,234.50", bold=True),
        Row("积分", "+1234"),
    )


def build(times: int) -> tuple[list[float], float]:
    """Return the CPU milliseconds of each build, and the bytes over what the text alone would take."""
    items = receipt()
    spent_ms, data = [], b""
    for _ in range(times):
        began_ns = time.thread_time_ns()
        data = build_slip(lay_out(items, COLUMNS), DOTS).data
        spent_ms.append((time.thread_time_ns() - began_ns) / 1e6)
    lines = lay_out(items, COLUMNS)
    assert len(lines) == LINES, f"{len(lines)} lines"
    text = sum(len(getattr(line, "text", "").encode("gbk")) + 1 for line in lines)
    return spent_ms, len(data) / text


class _TimedPrinter(EscposPrinterEmulator):
    """A printer that notes when bytes reach it."""

    arrived: list[tuple[float, int]]

    def received(self, data: bytes) -> None:
        self.arrived.append((time.perf_counter(), len(data)))
        super().received(data)


def _timed(wire: Callable[[Machine], Wire]) -> _TimedPrinter:
    printer = _TimedPrinter(wire=wire)
    printer.arrived = []
    return printer


async def over_a_serial_line(baud: int = BAUD) -> float:
    """Print four receipts in one slip by the driver; return its speed as a share of what ``baud`` carries."""
    printer = _timed(lambda machine: PtyWire(machine, baud=baud))
    await printer.start()
    io = LiveIo(PRINTER, Traffic(time.monotonic))
    driver = EscposPrinter(io, f"{printer.wire.address}?baud={baud}")
    try:
        await driver.open()
        printer.arrived.clear()
        outcome = await driver.print(PrintJob("serial", receipt() * 4))
        assert outcome.verdict is PrintVerdict.PRINTED, outcome
        # Before the slip the printer is asked how it is, after it whether it is done: small pieces apart.
        pieces = [(at_s, size) for at_s, size in printer.arrived if size > SMALL_BYTES]
        carried = sum(size for _, size in pieces[1:])
        return carried * BITS_PER_BYTE / baud / (pieces[-1][0] - pieces[0][0])
    finally:
        await driver.close()
        await io.close()
        await printer.close()


async def first_bytes(seeded: SeededShop, sales: int) -> list[float]:
    """Return the milliseconds from each sale's commit to the first byte of its slip at the printer."""
    spent_ms = []
    printer = _timed(TcpWire)
    await printer.start()
    config = DeviceConfig(PRINTER, "escpos", {"port": printer.wire.address})
    randomness = random.Random(SEED)
    async with seeded.open() as shop, running(shop, [config]) as watched:
        settled = asyncio.Event()

        async def on_settled(job: str) -> None:
            del job
            settled.set()

        paper = PaperKeeper(shop.store, shop.clock)
        prints = PrintLoop(shop, watched.devices, on_settled, templates.load(None), paper)
        loop = asyncio.create_task(prints.run())
        try:
            await watched.until(lambda: watched.is_up(PRINTER))
            for _ in range(WARM_UP + sales):
                command = basket(shop, seeded.customers[0], randomness)
                slips = printer.slips_begun
                await record_sale(shop, command)
                began_s = time.perf_counter()
                printer.arrived.clear()
                prints.poke()
                async with asyncio.timeout(PATIENCE_S):
                    while printer.slips_begun == slips or not printer.slips[-1].cut:
                        settled.clear()
                        await settled.wait()
                first_s = next(at_s for at_s, size in printer.arrived if size > SMALL_BYTES)
                spent_ms.append((first_s - began_s) * 1000)
        finally:
            loop.cancel()
            await asyncio.gather(loop, return_exceptions=True)
            await printer.close()
    return spent_ms[WARM_UP:]


async def measure(seeded: SeededShop, builds: int) -> Printing:
    spent_ms, size = build(builds)
    return Printing(spent_ms, size, await first_bytes(seeded, builds // 3), await over_a_serial_line())

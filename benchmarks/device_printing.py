"""A Chinese receipt of 40 lines: how long it is built, how large it is, how fast it leaves on a serial line."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from tapledger_drivers.emulators.pty_wire import BITS_PER_BYTE, PtyWire
from tapledger_drivers.ports import PaperItem, Row, Rule, Text
from tapledger_drivers.printers.layout import lay_out
from tapledger_drivers.printers.slip import build_slip
from tapledger_drivers.traffic import Traffic
from tapledger_drivers.transports.live import LiveIo

LINES, COLUMNS, DOTS = 40, 48, 576
BAUD = 115_200
WRITE_TIMEOUT_S = 30.0
_GOODS = ("保温杯 500毫升", "纯棉毛巾", "茉莉花茶礼盒", "手冲咖啡壶", "有机酱油", "儿童水彩笔")


@dataclass(frozen=True, slots=True)
class Printing:
    build_cpu_ms: list[float]
    bytes_over_text: float
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


class _Paper:
    """A printer that only takes bytes, and says when it has all of them."""

    def __init__(self, wanted: int) -> None:
        self._left = wanted
        self.done = asyncio.Event()

    def attached(self) -> None: ...

    def detached(self) -> None: ...

    def received(self, data: bytes) -> None:
        self._left -= len(data)
        if self._left <= 0:
            self.done.set()


async def over_a_serial_line(data: bytes, baud: int = BAUD) -> float:
    """Return how fast the bytes went over a line of ``baud``, as a share of what it can carry."""
    paper = _Paper(len(data))
    wire = PtyWire(paper, baud=baud)
    await wire.start()
    io = LiveIo("printer", Traffic(time.monotonic))
    try:
        stream = await io.stream(f"{wire.address}?baud={baud}")
        began_s = time.perf_counter()
        await stream.write(data, WRITE_TIMEOUT_S)
        await paper.done.wait()
        spent_s = time.perf_counter() - began_s
    finally:
        await io.close()
        await wire.close()
    return len(data) * BITS_PER_BYTE / baud / spent_s


async def measure(builds: int) -> Printing:
    spent_ms, size = build(builds)
    data = build_slip(lay_out(receipt(), COLUMNS), DOTS).data * 4
    return Printing(spent_ms, size, await over_a_serial_line(data))

"""A customer display with two lines of 20 characters that speaks Epson's display commands (DM-D and clones).

Sources: Epson DM-D110 specification; the same commands are the power-on default of Posiflex PD-300, POS-X
XP8200 and others. The display never answers.
"""

from __future__ import annotations

from tapledger_drivers.device import DeviceInfo, Finding, HealthLevel, HealthReport
from tapledger_drivers.io import Io
from tapledger_drivers.quirks import capabilities
from tapledger_drivers.registry import Making
from tapledger_drivers.transports.one_way import OneWay

COLUMNS = 20
TEST_UPPER, TEST_LOWER = "12345678901234567890", "TEST 测试"

INITIALIZE, CLEAR = b"\x1b@", b"\x0c"
OVERWRITE, CURSOR_OFF = b"\x1f\x01", b"\x1fC\x00"
ENCODINGS = ("ascii", "gb18030")


class SerialLineDisplay:
    """Show two lines at ``address``. ``encoding`` is ``gb18030`` for a model with Chinese characters."""

    def __init__(self, address: str, io: Io, encoding: str = "ascii") -> None:
        self._line = OneWay(address, io)
        self._encoding = encoding

    async def open(self) -> DeviceInfo:
        """Open the port and bring the display to a known state."""
        virtual = await self._line.open()
        await self._line.write(INITIALIZE + OVERWRITE + CURSOR_OFF + CLEAR)
        operator = {} if self._encoding == "ascii" else {"encoding": self._encoding}
        return DeviceInfo(
            model="line display",
            address=self._line.address,
            virtual=virtual,
            capabilities=capabilities({"columns": COLUMNS, "encoding": "ascii"}, {}, None, operator),
        )

    async def close(self) -> None:
        await self._line.close()

    async def health(self, level: HealthLevel) -> HealthReport:
        """See that the port is there; ``external`` and above show a test text for a person to read."""
        await self._line.check()
        if level is HealthLevel.INTERNAL:
            return HealthReport(level, (Finding("port_open", True, self._line.address),))
        await self.show_lines(TEST_UPPER, TEST_LOWER)
        return HealthReport(HealthLevel.EXTERNAL, (Finding("text", True),))

    async def show_lines(self, upper: str, lower: str) -> None:
        # Whole lines over the old ones: clearing first would flicker.
        await self._line.write(_line(1, upper, self._encoding) + _line(2, lower, self._encoding))

    async def clear(self) -> None:
        await self._line.write(CLEAR)


def _line(row: int, text: str, encoding: str) -> bytes:
    """Return the commands that fill one row; a wide character takes two columns and is never halved."""
    line = b""
    for character in text:
        cell = _encoded(character, encoding)
        if len(line) + len(cell) > COLUMNS:
            break
        line += cell
    return b"\x1f$" + bytes([1, row]) + line.ljust(COLUMNS)


def _encoded(character: str, encoding: str) -> bytes:
    """Return one byte or two; ``?`` for what the display lacks, control characters above all."""
    if not character.isprintable():
        return b"?"
    if encoding != "ascii" and character == "¥":
        character = "￥"  # GB18030 has the narrow one only as four bytes, which no display knows
    cell = character.encode(encoding, "replace")
    return cell if len(cell) <= 2 else b"?"


def make(making: Making) -> SerialLineDisplay:
    encoding = making.options.choice("encoding", "ascii", ENCODINGS)
    return SerialLineDisplay(making.options.text("port"), making.io, encoding)

"""A barcode scanner on a serial port (USB-CDC, RS-232): one code, one line.

A scanner that sends no line end is framed by its silence. What comes from the port is input from a stranger:
nothing is ever kept beyond one code's limit, and a code with control characters in it is refused.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import select
import threading
import time
import unicodedata
from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING, TypeAlias

from tapledger_drivers.device import DeviceInfo
from tapledger_drivers.errors import DeviceAbsent, DeviceBlocked, DeviceError, DeviceLost
from tapledger_drivers.ports import Scan, ScanEvent, ScanRefused
from tapledger_drivers.registry import Making

if TYPE_CHECKING:
    from serial import Serial

BAUD = 9600
CODE_BYTES_MAX = 512
QUIET_S = 0.05
EVENTS_MAX = 256
"""Codes that wait for the till. Beyond it the port is not read: none is lost, the scanner has to wait."""
READ_BYTES = 4096
OPEN_TIMEOUT_S = 5.0
CLOSE_TIMEOUT_S = 2.0

_LINE_ENDS = b"\r\n"
_GROUP_SEPARATOR = "\x1d"
"""GS1 codes use it between their fields."""
_INVISIBLE = frozenset({"Cc", "Cf", "Cn", "Co", "Cs"})


class SerialLineScanner:
    """Yield the codes that arrive on the serial port at ``path``, in their order, each exactly once."""

    def __init__(self, path: str, baud: int = BAUD, quiet_s: float = QUIET_S) -> None:
        self._path = path
        self._baud = baud
        self._quiet_s = quiet_s
        self._port: _PortThread | None = None
        self._events: asyncio.Queue[_Delivery] = asyncio.Queue()

    async def open(self) -> DeviceInfo:
        """Open the port for this process alone; raise ``DeviceAbsent`` or ``DeviceBlocked``."""
        await self.close()
        try:
            async with asyncio.timeout(OPEN_TIMEOUT_S):
                port, info = await asyncio.to_thread(_open_port, self._path, self._baud)
        except TimeoutError as error:
            raise DeviceAbsent("port_silent", f"{self._path}: not open in {OPEN_TIMEOUT_S} s") from error
        loop = asyncio.get_running_loop()
        events: asyncio.Queue[_Delivery] = asyncio.Queue()

        def deliver(delivery: _Delivery) -> None:
            try:
                loop.call_soon_threadsafe(events.put_nowait, delivery)
            except RuntimeError:
                return  # the loop has ended, and with it everybody who could listen

        self._events = events
        self._port = _PortThread(port, self._quiet_s, deliver)
        self._port.start()
        return info

    async def scans(self) -> AsyncIterator[ScanEvent]:
        """Yield codes until ``close``; raise ``DeviceLost`` on unplug, after every code read before it."""
        events, port = self._events, self._port
        if port is None:
            return
        while (delivery := await events.get()) is not None:
            if isinstance(delivery, DeviceError):
                raise delivery
            port.room.release()
            yield delivery

    async def close(self) -> None:
        """Close the port and end ``scans``."""
        port, self._port = self._port, None
        if port is not None:
            await asyncio.to_thread(port.stop)


_Delivery: TypeAlias = ScanEvent | DeviceError | None
"""None says that the thread has ended because it was told to."""


def _open_port(path: str, baud: int) -> tuple[Serial, DeviceInfo]:
    import serial

    is_pty = os.path.realpath(path).startswith("/dev/pts/")
    info = DeviceInfo(model="serial scanner", address=f"serial:{path}", virtual=is_pty)
    try:
        return serial.Serial(path, baud, timeout=0, exclusive=True), info
    except (serial.SerialException, OSError, ValueError) as error:
        raise _why_not_open(path, error) from error


def _why_not_open(path: str, error: Exception) -> DeviceError:
    # pyserial keeps a termios.error's number only in the error that it was raised from.
    number = getattr(error, "errno", None) or next(iter(getattr(error.__context__, "args", ())), None)
    if number in (errno.EACCES, errno.EPERM):
        return DeviceBlocked("not_permitted", f"{path}: add this user to the group dialout")
    if number == errno.EAGAIN:
        return DeviceBlocked("in_use", f"{path} is open in another program")
    if number == errno.ENOTTY:
        return DeviceBlocked("not_a_serial_port", path)
    return DeviceAbsent("port_absent", f"{path}: {error}")


class _PortThread(threading.Thread):
    """Reads one open port until it is told to stop or the port goes."""

    def __init__(self, port: Serial, quiet_s: float, deliver: Callable[[_Delivery], None]) -> None:
        super().__init__(name=f"serial {port.port}", daemon=True)
        self._port = port
        self._quiet_s = quiet_s
        self._deliver = deliver
        self._wake_reader, self._wake_writer = os.pipe()
        self._stopping = threading.Event()
        self.room = threading.Semaphore(EVENTS_MAX)
        """Released by the consumer, one for each event it has taken."""

    def stop(self) -> None:
        """End the thread, whatever it waits for; waits at most ``CLOSE_TIMEOUT_S``."""
        self._stopping.set()
        os.close(self._wake_writer)
        self.room.release()
        self.join(CLOSE_TIMEOUT_S)

    def run(self) -> None:
        import serial

        end: _Delivery = None
        try:
            self._read()
        except (OSError, serial.SerialException) as cause:
            end = DeviceLost("unplugged", f"{self._port.port}: {cause}")
            end.__cause__ = cause
        finally:
            self._close()
            self._deliver(end)

    def _read(self) -> None:
        framer = LineFramer()
        while not self._stopping.is_set():
            patience_s = self._quiet_s if framer.pending else None
            ready, _, _ = select.select([self._port.fileno(), self._wake_reader], [], [], patience_s)
            if not ready:
                self._pass_on(framer.end_of_code())
            elif self._port.fileno() in ready:
                self._pass_on(framer.feed(self._port.read(READ_BYTES)))

    def _pass_on(self, events: Iterator[ScanEvent]) -> None:
        for event in events:
            self.room.acquire()
            if self._stopping.is_set():
                return
            self._deliver(event)

    def _close(self) -> None:
        with contextlib.suppress(OSError):  # a device that has gone cannot be set back
            self._port.close()
        os.close(self._wake_reader)


class LineFramer:
    """Cuts a byte stream into codes; keeps at most one code's bytes."""

    def __init__(self) -> None:
        self._code = bytearray()
        self._length = 0

    @property
    def pending(self) -> bool:
        """Whether a code has begun and not ended."""
        return self._length > 0

    def feed(self, data: bytes) -> Iterator[ScanEvent]:
        """Yield the codes that ``data`` completes."""
        for line in data.replace(b"\r", b"\n").splitlines(keepends=True):
            self._add(line.rstrip(b"\n"))
            if line.endswith(b"\n"):
                yield from self.end_of_code()

    def _add(self, part: bytes) -> None:
        self._length += len(part)
        if self._length <= CODE_BYTES_MAX:
            self._code += part

    def end_of_code(self) -> Iterator[ScanEvent]:
        """Yield the code that has begun, if any; the next byte begins another."""
        raw, length = bytes(self._code), self._length
        self._code.clear()
        self._length = 0
        if length:
            yield _judge(raw, length)


def _judge(raw: bytes, length: int) -> ScanEvent:
    seen_at_s = time.monotonic()
    if length > CODE_BYTES_MAX:
        return ScanRefused("too_long", length, seen_at_s)
    text = _decode(raw)
    if text is None:
        return ScanRefused("not_text", length, seen_at_s)
    if any(unicodedata.category(char) in _INVISIBLE and char != _GROUP_SEPARATOR for char in text):
        return ScanRefused("control_characters", length, seen_at_s)
    return Scan(raw, text, seen_at_s)


def _decode(raw: bytes) -> str | None:
    """Scanners send UTF-8 or GB18030, by a setting; valid UTF-8 is hardly ever meant as GB18030."""
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def make(making: Making) -> SerialLineScanner:
    return SerialLineScanner(
        making.options.text("path"), making.options.integer("baud", BAUD, 300, 4_000_000)
    )

"""A receipt printer that speaks ESC/POS over TCP (port 9100).

"No exception" is no proof of paper: a peer that accepts and never reads swallows a whole receipt (devices.md
M3). So every job begins and ends with questions:

1. "Forget what an earlier job has left" (a broken connection may leave half a command, which would swallow
   the beginning of this slip), then DLE EOT 1, 2, 4. Not answered or not ready: ``failed``, nothing was sent.
2. The slip, its cut, and GS r 1, which a printer answers only after it has done all before it.
3. Answered: DLE EOT once more, and if clean ``printed``. Not answered: DLE EOT tells why. When the printer
   says that it stopped before the cut and confirms that it has forgotten the rest, ``failed``: what is on
   paper is an uncut piece of a slip and no more of it will come. Everything else is ``unknown``.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from tapledger_drivers.device import DeviceInfo
from tapledger_drivers.errors import DeviceAbsent
from tapledger_drivers.ports import PrinterStatus, PrintJob, PrintOutcome, PrintVerdict
from tapledger_drivers.printers.layout import lay_out
from tapledger_drivers.printers.slip import Slip, build_slip
from tapledger_drivers.printers.status import (
    ASK_COMPLETION,
    ASK_STATUS,
    AUTOMATIC_STATUS_BYTES,
    BLOCK_HEADER,
    BUFFERS_CLEARED,
    CLEAR_BUFFERS,
    STATUS_ANSWERS,
    StatusBytes,
    is_automatic_status,
    is_completion,
    is_status,
)
from tapledger_drivers.registry import Making

CONNECT_TIMEOUT_S = 2.0
ANSWER_TIMEOUT_S = 2.0
SEND_TIMEOUT_S = 10.0
JOB_TIMEOUT_S = 20.0
POLL_INTERVAL_S = 0.5
CLOSE_TIMEOUT_S = 1.0
RECEIVED_BYTES_MAX = 4096

_ASK_MODEL = b"\x1dIC"
"""GS I 67: the model's name, between 5F and 00."""


class EscposPrinter:
    """Print on a printer with a resident GBK font; ``dots`` and ``columns`` are the width of its paper.

    One TCP connection a job, for such printers serve one client at a time; jobs wait for each other.
    """

    def __init__(
        self,
        host: str,
        port: int = 9100,
        columns: int = 48,
        dots: int = 576,
        answer_timeout_s: float = ANSWER_TIMEOUT_S,
        job_timeout_s: float = JOB_TIMEOUT_S,
    ) -> None:
        self._host = host
        self._port = port
        self._columns = columns
        self._dots = dots
        self._answer_timeout_s = answer_timeout_s
        self._job_timeout_s = job_timeout_s
        self._one_at_a_time = asyncio.Lock()

    async def open(self) -> DeviceInfo:
        """Ask the printer for its status and its model; raise ``DeviceAbsent`` when it does not answer."""
        try:
            async with self._connected() as connection:
                if await connection.ask_status() is None:
                    raise DeviceAbsent("mute", self._no_answer())
                model = await connection.ask_model()
        except _Gone as error:
            raise DeviceAbsent(error.reason, str(error)) from error
        return DeviceInfo(
            model=model or "ESC/POS printer",
            address=f"tcp:{self._host}:{self._port}",
            virtual="emulator" in model.casefold(),
        )

    async def status(self) -> PrinterStatus:
        try:
            async with self._connected() as connection:
                status = await connection.ask_status()
        except _Gone as error:
            return PrinterStatus(False, error.reason, str(error))
        if status is None:
            return PrinterStatus(False, "mute", self._no_answer())
        return PrinterStatus(status.reason == "ok", status.reason, str(status))

    async def print(self, job: PrintJob) -> PrintOutcome:
        try:
            # In a thread: the first slip loads python-escpos, the first picture loads the fonts.
            slip = await asyncio.to_thread(self._build, job)
        except ValueError as error:
            return PrintOutcome(PrintVerdict.FAILED, "bad_job", str(error))
        try:
            async with self._connected() as connection:
                status = await connection.ask_status(before=CLEAR_BUFFERS)
                if status is None:
                    return PrintOutcome(PrintVerdict.FAILED, "mute", f"{self._no_answer()}, slip not sent")
                if status.reason != "ok":
                    return PrintOutcome(PrintVerdict.FAILED, status.reason, f"{status}, slip not sent")
                return await self._print_on(connection, slip)
        except _Gone as error:
            return PrintOutcome(PrintVerdict.FAILED, error.reason, f"{error}, slip not sent")

    async def close(self) -> None:
        """Nothing to do: no connection outlives its job."""

    def _build(self, job: PrintJob) -> Slip:
        return build_slip(lay_out(job.items, self._columns), self._dots)

    async def _print_on(self, connection: _Connection, slip: Slip) -> PrintOutcome:
        try:
            outcome = await self._send_and_prove(connection, slip.data)
        except _Gone as error:
            outcome = PrintOutcome(PrintVerdict.UNKNOWN, error.reason, f"{error} after the slip was begun")
        evidence = "; ".join([outcome.evidence, *slip.notes])
        return PrintOutcome(outcome.verdict, outcome.reason, evidence)

    async def _send_and_prove(self, connection: _Connection, slip: bytes) -> PrintOutcome:
        unknown = PrintVerdict.UNKNOWN
        deadline_s = time.monotonic() + self._job_timeout_s
        connection.completed = False
        if not await connection.send(slip + ASK_COMPLETION):
            return PrintOutcome(unknown, "stalled", f"printer took no bytes for {SEND_TIMEOUT_S} s")
        while not await connection.wait_for(lambda: connection.completed, POLL_INTERVAL_S):
            status = await connection.ask_status()
            if connection.completed:
                break
            if status is None:
                return PrintOutcome(unknown, "mute", f"{self._no_answer()} after the slip")
            if status.reason != "ok":
                return await self._stopped(connection, status)
            if time.monotonic() > deadline_s:
                return PrintOutcome(unknown, "no_completion", f"{status}, no answer to GS r after the cut")
        status = await connection.ask_status()
        if status is None:
            return PrintOutcome(unknown, "mute", f"cut answered, then {self._no_answer()}")
        if status.reason != "ok":
            return PrintOutcome(unknown, status.reason, f"{status} after the cut")
        return PrintOutcome(PrintVerdict.PRINTED, "ok", f"gs_r answered, {status} after the cut")

    async def _stopped(self, connection: _Connection, status: StatusBytes) -> PrintOutcome:
        """The printer stopped in the middle: make sure that the rest never comes out by itself."""
        if await connection.clear_buffers():
            evidence = f"{status}, no cut, printer confirmed that the rest is cleared"
            return PrintOutcome(PrintVerdict.FAILED, status.reason, evidence)
        evidence = f"{status}, the rest may still come out"
        return PrintOutcome(PrintVerdict.UNKNOWN, status.reason, evidence)

    def _no_answer(self) -> str:
        return f"no answer to DLE EOT in {self._answer_timeout_s} s"

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[_Connection]:
        async with self._one_at_a_time:
            try:
                async with asyncio.timeout(CONNECT_TIMEOUT_S):
                    reader, writer = await asyncio.open_connection(self._host, self._port)
            except (OSError, TimeoutError) as error:
                raise _Gone("unreachable", f"no connection: {error or 'timed out'}") from error
            connection = _Connection(reader, writer, self._answer_timeout_s)
            try:
                yield connection
            finally:
                await connection.close()


class _Gone(Exception):
    """The connection could not be made, or ended."""

    def __init__(self, reason: str, evidence: str) -> None:
        super().__init__(evidence)
        self.reason = reason


class _Connection:
    """Bytes to the printer, and its answers told apart by their fixed bits."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answer_timeout_s: float
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._answer_timeout_s = answer_timeout_s
        self._received = bytearray()
        self._statuses: list[int] = []
        self._automatic_left = 0
        self._in_block = False
        self.completed = False

    async def send(self, data: bytes) -> bool:
        """Send all of ``data``; False when the printer did not take it in time."""
        self._writer.write(data)
        try:
            async with asyncio.timeout(SEND_TIMEOUT_S):
                await self._writer.drain()
        except TimeoutError:
            return False
        except OSError as error:
            raise _Gone("cut_off", f"connection lost while sending {len(data)} bytes") from error
        return True

    async def wait_for(self, satisfied: Callable[[], bool], timeout_s: float) -> bool:
        """Take answers until ``satisfied``; False when that does not happen in time."""
        try:
            async with asyncio.timeout(timeout_s):
                while not satisfied():
                    self._take(await self._reader.read(256))
        except TimeoutError:
            return False
        except OSError as error:
            raise _Gone("cut_off", "connection lost") from error
        return True

    def _take(self, chunk: bytes) -> None:
        if not chunk:
            raise _Gone("cut_off", "printer closed the connection")
        self._received += chunk
        del self._received[:-RECEIVED_BYTES_MAX]
        for byte in chunk:
            if self._in_block:
                self._in_block = byte != 0
            elif self._automatic_left:
                self._automatic_left -= 1
            elif byte == BLOCK_HEADER:
                self._in_block = True
            elif is_automatic_status(byte):
                self._automatic_left = AUTOMATIC_STATUS_BYTES - 1
            elif is_status(byte):
                self._statuses.append(byte)
            elif is_completion(byte):
                self.completed = True

    async def ask_status(self, before: bytes = b"") -> StatusBytes | None:
        """Return the printer's own word, None when it says nothing; ``before`` is sent first."""
        self._statuses.clear()
        if not await self.send(before + ASK_STATUS):
            return None
        if not await self.wait_for(lambda: len(self._statuses) >= STATUS_ANSWERS, self._answer_timeout_s):
            return None
        return StatusBytes(*self._statuses[-STATUS_ANSWERS:])

    async def ask_model(self) -> str:
        """Return the model's name, empty when the printer does not know the question."""
        self._received.clear()
        await self.send(_ASK_MODEL)
        await self.wait_for(lambda: self._received.endswith(b"\x00"), self._answer_timeout_s)
        name = self._received.partition(b"_")[2].rstrip(b"\x00")
        return name.decode("ascii", errors="replace")

    async def clear_buffers(self) -> bool:
        """Make the printer forget what it has not printed; True when it confirms, and the cut never came."""
        self._received.clear()
        if not await self.send(CLEAR_BUFFERS):
            return False
        cleared = await self.wait_for(lambda: BUFFERS_CLEARED in self._received, self._answer_timeout_s)
        return cleared and not self.completed

    async def close(self) -> None:
        self._writer.close()
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await self._writer.wait_closed()
        except TimeoutError:
            self._writer.transport.abort()  # bytes that nobody reads would keep the socket open
        except OSError:
            pass  # the peer was faster


def make(making: Making) -> EscposPrinter:
    options = making.options
    return EscposPrinter(
        options.text("host"),
        options.integer("port", 9100, 1, 65535),
        options.integer("columns", 48, 24, 96),
        options.integer("dots", 576, 288, 1152),
    )

"""An ESC/POS receipt printer on a TCP port of loopback, with a lever for each thing that goes wrong."""

from __future__ import annotations

import asyncio
import enum
from collections.abc import Callable

from tapledger_drivers.emulators.escpos_parser import EscposParser
from tapledger_drivers.emulators.paper import PaperSlip, Printed

SLIPS_MAX = 200
MODEL = "tapledger emulator"

_ONLINE = 0x12
_OFFLINE_BIT = 0x08
_COVER_BIT = 0x04
_PAPER_END_BITS = 0x60
_PAPER_STOP_BIT = 0x20
_STATUS_QUESTION = b"\x10\x04"
_CLEAR_QUESTION = bytes.fromhex("10140801031401060208")
_CLEARED = bytes.fromhex("372500")


class Mute(enum.StrEnum):
    NO = "no"
    DEAF = "deaf"
    """Accepts the connection and never reads a byte."""
    SILENT = "silent"
    """Reads and prints, and never answers."""


class EscposPrinterEmulator:
    """Serves one client at a time; ``slips`` is the paper that came out, the uncut one last."""

    def __init__(self, columns: int = 48) -> None:
        self.columns = columns
        self.port = 0
        self.slips: list[PaperSlip] = []
        self.slips_begun = 0
        self.drawer_kicks = 0
        self.line_delay_s = 0.0
        self.received = bytearray()
        """Every byte of the last connection, as it came."""
        self.connections = 0
        self.on_change: list[Callable[[], None]] = []
        """Called after anything changed on the paper or the levers; must not block."""
        self._paper_out = False
        self._cover_open = False
        self._mute = Mute.NO
        self._hears = asyncio.Event()
        self._hears.set()
        self._lines_left: int | None = None
        self._line_done = False
        self._bytes_left: int | None = None
        self._bytes_until_mute: int | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._parser = EscposParser(columns, self._print, self._cut, self._answer, self._kick)
        self._wake = asyncio.Event()
        self._one_client = asyncio.Lock()
        self._server: asyncio.Server | None = None
        self._mechanics: asyncio.Task[None] | None = None
        self._clients: set[asyncio.Task[None]] = set()

    # ---- the levers ------------------------------------------------------------------------------------
    def set_paper_out(self, value: bool) -> None:
        self._paper_out = value
        self._lines_left = None
        self._changed()

    def set_paper_lines_left(self, lines: int) -> None:
        """Let the paper run out after so many more lines."""
        self._lines_left = lines

    def set_cover_open(self, value: bool) -> None:
        self._cover_open = value
        self._changed()

    def cut_off_after(self, byte_count: int | None) -> None:
        """Break the connection after so many more bytes from clients; None mends the cable."""
        self._bytes_left = byte_count

    def set_mute(self, mute: Mute) -> None:
        self._mute = mute
        if mute is Mute.DEAF:
            self._hears.clear()
        else:
            self._hears.set()
        self._changed()

    def mute_after(self, byte_count: int) -> None:
        """Fall silent after so many more bytes from clients."""
        self._bytes_until_mute = byte_count

    @property
    def paper_out(self) -> bool:
        return self._paper_out

    @property
    def cover_open(self) -> bool:
        return self._cover_open

    @property
    def mute(self) -> Mute:
        return self._mute

    @property
    def unknown_commands(self) -> list[bytes]:
        return self._parser.unknown

    @property
    def ready(self) -> bool:
        return not (self._paper_out or self._cover_open)

    # ---- life ------------------------------------------------------------------------------------------
    async def start(self, port: int = 0) -> int:
        """Listen on 127.0.0.1 and return the ``port``, a free one unless told."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", port)
        self._mechanics = asyncio.create_task(self._work())
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self.port

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        tasks = [*self._clients, *([self._mechanics] if self._mechanics else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._server is not None:
            await self._server.wait_closed()

    # ---- the interface board: takes bytes and answers at once, whatever the mechanics do ---------------
    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._clients.add(task)
        try:
            async with self._one_client:
                await self._serve(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass  # the client is gone, or the emulator closes
        finally:
            self._clients.discard(task)
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.received.clear()
        self._writer = writer
        answered = 0
        try:
            while await self._hears.wait() and (chunk := await reader.read(4096)):
                chunk = self._worn_by(chunk)
                self.received += chunk
                self._parser.feed(chunk)
                answered = self._answer_at_once(answered)
                self._wake.set()
                if self._bytes_left == 0:
                    return
                await writer.drain()
        finally:
            self._writer = None

    def _worn_by(self, chunk: bytes) -> bytes:
        """Count down to the faults that were ordered; return what of ``chunk`` still arrives."""
        if self._bytes_left is not None:
            chunk = chunk[: self._bytes_left]
            self._bytes_left -= len(chunk)
        if self._bytes_until_mute is not None:
            self._bytes_until_mute -= len(chunk)
            if self._bytes_until_mute <= 0:
                self._bytes_until_mute = None
                self.set_mute(Mute.SILENT)
        return chunk

    def _answer_at_once(self, start: int) -> int:
        """Answer real-time questions, as printers do wherever such bytes stand; return where to go on."""
        at = start
        while (at := self.received.find(b"\x10", at)) >= 0:
            rest = bytes(self.received[at : at + len(_CLEAR_QUESTION)])
            if rest[:2] == _STATUS_QUESTION and len(rest) >= 3:
                self._send(bytes([self._status(rest[2])]))
            elif rest == _CLEAR_QUESTION:
                self._parser.clear()
                self._parser.feed(bytes(self.received[at + len(_CLEAR_QUESTION) :]))
                self._send(_CLEARED)
            elif rest in (_STATUS_QUESTION[: len(rest)], _CLEAR_QUESTION[: len(rest)]):
                return at
            at += 1
        return len(self.received)

    def _status(self, number: int) -> int:
        if number == 1:
            return _ONLINE | (0 if self.ready else _OFFLINE_BIT)
        if number == 2:
            return (
                _ONLINE
                | (_COVER_BIT if self._cover_open else 0)
                | (_PAPER_STOP_BIT if self._paper_out else 0)
            )
        return _ONLINE | (_PAPER_END_BITS if number == 4 and self._paper_out else 0)

    def _send(self, data: bytes) -> None:
        if self._writer is not None and self._mute is Mute.NO:
            self._writer.write(data)

    # ---- the mechanics: print what is in the buffer while there is paper and the cover is shut ---------
    async def _work(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self.ready and self._parser.step():
                if self.line_delay_s and self._line_done:
                    self._line_done = False
                    await asyncio.sleep(self.line_delay_s)

    def _print(self, printed: Printed) -> None:
        if not self.slips or self.slips[-1].cut:
            self.slips_begun += 1
            self.slips.append(PaperSlip(self.columns, number=self.slips_begun))
            del self.slips[:-SLIPS_MAX]
        self.slips[-1].content.append(printed)
        self._line_done = True
        if self._lines_left is not None:
            self._lines_left -= 1
            if self._lines_left <= 0:
                self._paper_out, self._lines_left = True, None
        self._changed()

    def _cut(self) -> None:
        if self.slips and not self.slips[-1].cut:
            self.slips[-1].cut = True
            self._changed()

    def _answer(self, question: str) -> None:
        self._send(b"\x00" if question == "paper" else b"_" + MODEL.encode() + b"\x00")

    def _kick(self, pin: int) -> None:
        del pin
        self.drawer_kicks += 1

    def _changed(self) -> None:
        self._wake.set()
        for listener in self.on_change:
            listener()

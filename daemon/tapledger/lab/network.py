"""The line between a shop and central, as bad as one likes: a TCP proxy that loses, delays, cuts and copies.

It knows just enough of HTTP/1.1 to tell where a request or a reply ends, so that it can lose a reply to a
request that has arrived. Each request goes to the server on a connection of its own. Loopback only.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
import socket
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass

MESSAGE_BYTES_MAX = 16 * 1024 * 1024
SLICES_PER_S = 50
"""On a slow line bytes trickle in so many portions a second."""
END_OF_HEAD = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,9})[ \t]*\r\n", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:[ \t]*chunked[ \t]*\r\n", re.IGNORECASE)
_CHUNK = re.compile(rb"([0-9a-fA-F]{1,7})(;[^\r\n]*)?\r\n")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a line; several things may be at once, and of a good line nothing is."""

    cut: bool = False
    """Open connections are reset, new ones too: nothing arrives."""
    hang: bool = False
    """Connections are taken and bytes swallowed until this ends; then what was sent goes on."""
    delay_ms: int = 0
    """Each request and each reply is so late."""
    bytes_per_s: int = 0
    """No more than that in either direction; 0: no limit."""
    lose_replies: bool = False
    """Requests arrive; whoever asked hears nothing, and is cut off when this ends."""
    cut_reply_after: int | None = None
    """Requests arrive; the connection is reset after so many bytes of the reply; 0: just after the commit."""
    duplicate: bool = False
    """Each request arrives twice at the same time, on two connections; the first one's reply comes back."""
    half_close: bool = False
    """The direction to the server is closed as soon as the request is through."""


WELL = Fault()
Chooser = Callable[[], Fault]


@dataclass(slots=True)
class Counts:
    connections: int = 0
    requests: int = 0
    """That reached the server, copies too."""
    copies: int = 0
    replies: int = 0
    """That came back whole to whoever asked."""
    lost: int = 0
    """Replies that the server gave and that did not come back whole."""
    resets: int = 0
    """Connections of a shop that were reset."""


def seeded(rng: random.Random, faults: Sequence[tuple[int, Fault]]) -> Chooser:
    """Return a choice, anew for each request, among faults with their weights."""
    weights = [weight for weight, _ in faults]
    kinds = [fault for _, fault in faults]
    return lambda: rng.choices(kinds, weights)[0]


class FaultProxy:
    """Listens on a loopback port and forwards to another; ``choose``, while set, goes before ``fault``."""

    def __init__(self, port: int) -> None:
        self.counts = Counts()
        self.fault = WELL
        self.choose: Chooser | None = None
        self.on_change: Callable[[], None] = lambda: None
        self._target = port
        self._server: asyncio.Server | None = None
        self._lines: set[asyncio.Task[None]] = set()
        self._news = asyncio.Event()
        self._other_fault = asyncio.Event()

    @property
    def port(self) -> int:
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self, port: int = 0) -> None:
        """Listen; 0 is any free port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port)

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._reset_all()
            await self._server.wait_closed()

    async def set(self, fault: Fault) -> None:
        """Make the line as bad as this from now on, for what is under way too."""
        self.fault = fault
        self._other_fault.set()
        self._other_fault = asyncio.Event()
        if fault.cut:
            await self._reset_all()
        self._tell()

    async def until(self, holds: Callable[[Counts], bool]) -> None:
        """Wait until something holds of the counts; the caller sets the time limit."""
        while not holds(self.counts):
            await self._news.wait()

    # ---- one connection of a shop ------------------------------------------------------------------------
    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._lines.add(task)
        self.counts.connections += 1
        self._tell()
        left = False
        try:
            if not self.fault.cut:
                await self._exchanges(reader, writer)
                left = True
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, _NoMessage):
            pass  # the server is not there, or it left in the middle
        except asyncio.CancelledError:
            pass  # the line is cut, or closed; not raised, for asyncio would report it as a fault of ours
        finally:
            self._lines.discard(task)
            if not left:
                self.counts.resets += 1
                _reset(writer)
            writer.close()
            self._tell()

    async def _exchanges(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass on one request after the other until whoever asks has left."""
        asking = asyncio.create_task(_message(reader))
        answering: asyncio.Task[None] | None = None
        try:
            while True:
                try:
                    request = await asking
                except (OSError, asyncio.IncompleteReadError):
                    return
                # Reading on tells when whoever asked has left before the reply came.
                asking = asyncio.create_task(_message(reader))
                answering = asyncio.create_task(self._exchange(request, writer))
                await asyncio.wait({asking, answering}, return_when=asyncio.FIRST_COMPLETED)
                if answering.done() or asking.exception() is None:
                    await answering
        finally:
            tasks = [task for task in (asking, answering) if task is not None]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _exchange(self, request: bytes, writer: asyncio.StreamWriter) -> None:
        chosen = None if self.choose is None else self.choose()
        fault = await self._past_hanging(chosen)
        if fault.cut:
            raise _NoMessage
        await asyncio.sleep(fault.delay_ms / 1000)
        if fault.duplicate:
            self.counts.copies += 1
            both = (self._ask(request, fault), self._ask(request, fault))
            # Both end here, whatever becomes of one of them.
            reply, _ = await asyncio.gather(*both, return_exceptions=True)
            if isinstance(reply, BaseException):
                raise reply
        else:
            reply = await self._ask(request, fault)
        # The line may have become another one since the request went through.
        fault = await self._past_hanging(chosen)
        await asyncio.sleep(fault.delay_ms / 1000)
        await self._answer(reply, writer, fault)

    async def _past_hanging(self, chosen: Fault | None) -> Fault:
        while (fault := chosen or self.fault).hang:
            await self._other_fault.wait()
            chosen = None
        return fault

    async def _ask(self, request: bytes, fault: Fault) -> bytes:
        """Send a request to the server on a connection of its own and return the reply."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._target)
        try:
            await _trickle(writer, request, fault.bytes_per_s)
            if fault.half_close:
                writer.write_eof()
            self.counts.requests += 1
            self._tell()
            return await _message(reader)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _answer(self, reply: bytes, writer: asyncio.StreamWriter, fault: Fault) -> None:
        cut = fault.cut_reply_after
        whole = not fault.cut and not fault.lose_replies and (cut is None or cut >= len(reply))
        if whole:
            await _trickle(writer, reply, fault.bytes_per_s)
            self.counts.replies += 1
            self._tell()
            return
        self.counts.lost += 1
        self._tell()
        if fault.lose_replies:
            await self._other_fault.wait()
        elif cut:
            await _trickle(writer, reply[:cut], fault.bytes_per_s)
        raise _NoMessage

    async def _reset_all(self) -> None:
        lines = list(self._lines)
        for line in lines:
            line.cancel()
        await asyncio.gather(*lines, return_exceptions=True)

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()
        self.on_change()


class _NoMessage(Exception):
    """There is nothing to pass on: the connection ends here."""


async def _trickle(writer: asyncio.StreamWriter, data: bytes, bytes_per_s: int) -> None:
    portion = max(1, bytes_per_s // SLICES_PER_S) if bytes_per_s else len(data)
    for start in range(0, len(data), portion):
        writer.write(data[start : start + portion])
        await writer.drain()
        if bytes_per_s:
            await asyncio.sleep(portion / bytes_per_s)


async def _message(reader: asyncio.StreamReader) -> bytes:
    """Return the next request or reply as it came; raise ``IncompleteReadError`` where the bytes end."""
    head = await reader.readuntil(END_OF_HEAD)
    if _CHUNKED.search(head):
        return head + await _chunks(reader)
    length = _LENGTH.search(head)
    count = 0 if length is None else int(length[1])
    if count > MESSAGE_BYTES_MAX:
        raise _NoMessage
    return head + await reader.readexactly(count)


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = bytearray()
    while len(body) < MESSAGE_BYTES_MAX:
        line = await reader.readuntil(b"\r\n")
        size = _CHUNK.fullmatch(line)
        if size is None:
            raise _NoMessage
        count = int(size[1], 16)
        body += line + await reader.readexactly(count + len(b"\r\n"))
        if count == 0:
            return bytes(body)
    raise _NoMessage


def _reset(writer: asyncio.StreamWriter) -> None:
    """Let the connection end as a router's reset ends it, not with a proper close."""
    with contextlib.suppress(OSError):
        at_once = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
        writer.transport.abort()

"""An ``Io`` that answers as the device did when it was recorded."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import ParamSpec, TypeVar

from tapledger_drivers.cassettes.reel import Reel
from tapledger_drivers.errors import DeviceAbsent, DeviceBlocked, DeviceError, DeviceLost
from tapledger_drivers.io import (
    READ_BYTES_MAX,
    KeyEvent,
    Keys,
    Pcsc,
    PcscCard,
    PcscFailed,
    Port,
    ReaderState,
    Stream,
    WriteStalled,
)
from tapledger_drivers.traffic import Direction, Frame, Traffic

A = ParamSpec("A")
T = TypeVar("T")

OPEN_TIMEOUT_S = 60.0
"""How long a replay waits for what the recording says was opened; in virtual time."""
_ERRORS: dict[str, type[DeviceError]] = {
    error.__name__: error for error in (DeviceAbsent, DeviceBlocked, DeviceLost)
}


class _Later(Exception):
    """A blocking call waits for something that happens only once others move the reel."""


class ReplayIo:
    """Runs under virtual time: nothing waits for real, and blocking calls are made on the loop."""

    def __init__(self, reel: Reel, traffic: Traffic) -> None:
        self._reel = reel
        self._opened: list[ReplayStream | ReplayKeys] = []
        self.traffic = traffic

    async def stream(self, address: str) -> Stream:
        await self._open("stream")
        stream = ReplayStream(self._reel, address)
        self._opened.append(stream)
        return stream

    async def keys(self, path: str) -> Keys:
        note = await self._open("key")
        keys = ReplayKeys(self._reel, path, note)
        self._opened.append(keys)
        return keys

    def port(self, address: str) -> Port:
        frame = self._next_note("stream")
        _raise_if_failed(frame.note)
        return ReplayPort(self._reel, address)

    def pcsc(self) -> Pcsc:
        frame = self._next_note("pcsc")
        _raise_if_failed(frame.note)
        if frame.note != "opened":
            _raise_if_pcsc_failed("SCardEstablishContext", frame.note)
        return ReplayPcsc(self._reel)

    async def run(
        self, deadline_s: float | None, call: Callable[A, T], *args: A.args, **kwargs: A.kwargs
    ) -> T:
        async with asyncio.timeout(deadline_s):
            while True:
                try:
                    return call(*args, **kwargs)
                except _Later:
                    await self._reel.moved()

    async def close(self) -> None:
        opened, self._opened = self._opened, []
        for transport in opened:
            await transport.close()

    async def _open(self, channel: str) -> str:
        frame = await self._reel.until(lambda head: _is_note(head, channel), OPEN_TIMEOUT_S)
        self._reel.take()
        _raise_if_failed(frame.note)
        return frame.note

    def _next_note(self, channel: str) -> Frame:
        head = self._reel.head
        if head is None or not _is_note(head, channel):
            raise _Later
        return self._reel.take()


class ReplayStream:
    def __init__(self, reel: Reel, address: str) -> None:
        self._reel = reel
        self._left = b""
        self._closed = False
        self.address = address
        self.virtual = True

    async def read(self, timeout_s: float | None, limit: int = READ_BYTES_MAX) -> bytes:
        if not self._left:
            frame = await self._reel.until(self._is_heard, timeout_s)
            if self._closed:
                raise DeviceLost("closed", self.address)
            if frame.direction is Direction.NOTE:
                self._reel.take()
                raise self._lost(frame.note) from EOFError(self.address)
            self._left = self._reel.take().data
        data, self._left = self._left[:limit], self._left[limit:]
        return data

    async def write(self, data: bytes, timeout_s: float) -> None:
        left = data
        while left:
            if not self._reel.strict and not self._reel.seek("stream", left):
                return  # nothing is known of what the device would say to this
            frame = await self._reel.until(self._is_taken, timeout_s)
            if frame.direction is Direction.NOTE:
                self._reel.take()
                if frame.note.startswith("stalled"):
                    raise WriteStalled(len(data) - len(left), len(data))
                raise self._lost(frame.note)
            if not left.startswith(frame.data):
                raise self._reel.fail(f"sent {left.hex()}")
            left = left[len(frame.data) :]
            self._reel.take()

    async def close(self) -> None:
        self._closed = True
        self._reel.wake()

    def _lost(self, note: str) -> DeviceLost:
        return DeviceLost("unplugged", f"{self.address}: {note.removeprefix('lost: ')}")

    def _is_heard(self, head: Frame) -> bool:
        if self._closed:
            return True
        from_device = head.direction is Direction.FROM_DEVICE and head.channel == "stream"
        return from_device or (_is_note(head, "stream") and head.note.startswith("lost"))

    def _is_taken(self, head: Frame) -> bool:
        to_device = head.direction is Direction.TO_DEVICE and head.channel == "stream"
        return to_device or (_is_note(head, "stream") and head.note.startswith(("lost", "stalled")))


class ReplayPort:
    """Blocking, so it never waits: what is not there now has timed out then."""

    def __init__(self, reel: Reel, address: str) -> None:
        self._reel = reel
        self._left = b""
        self._closed = False
        self.address = address
        self.virtual = True

    def read(self, limit: int, timeout_s: float) -> bytes:
        del timeout_s
        head = self._reel.head
        if self._closed:
            raise OSError(f"{self.address} is closed")
        if not self._left:
            if head is None:
                raise OSError("the recording has ended")
            if _is_note(head, "stream"):
                note = self._reel.take().note
                if note.startswith("lost"):
                    raise OSError(note)
                return b""
            if head.direction is not Direction.FROM_DEVICE:
                raise _Later
            self._left = self._reel.take().data
        data, self._left = self._left[:limit], self._left[limit:]
        return data

    def write(self, data: bytes) -> None:
        head = self._reel.head
        if head is None:
            raise OSError("the recording has ended")
        expected = head.direction is Direction.TO_DEVICE and head.data == data
        if not expected and (self._reel.strict or not self._reel.seek("stream", data)):
            raise self._reel.fail(f"sent {data.hex()}")
        self._reel.take()

    def set_baud(self, baud: int) -> None:
        del baud

    def flush_input(self) -> None:
        while self.read(READ_BYTES_MAX, 0.0):
            pass

    def close(self) -> None:
        self._closed = True
        self._reel.wake()


class ReplayPcsc:
    def __init__(self, reel: Reel) -> None:
        self._reel = reel
        self._cancelled = False

    def readers(self) -> list[str]:
        frame = self._note("readers")
        return [name for name in frame.note.split("; ") if name]

    def wait(self, known: Sequence[ReaderState], timeout_s: float) -> list[ReaderState] | None:
        del known, timeout_s
        states: list[ReaderState] = []
        while (head := self._reel.head) is not None and head.channel == "status_change":
            if head.direction is Direction.NOTE:
                self._reel.take()
                _raise_if_pcsc_failed("SCardGetStatusChange", head.note)
                return None
            if states and not head.note.startswith("+"):
                break
            frame = self._reel.take()
            flags, count, name = frame.note.removeprefix("+").split(" ", 2)
            states.append(ReaderState(name, int(flags, 16), int(count), frame.data))
        if states:
            return states
        if self._cancelled or self._reel.head is None:
            self._cancelled = False
            return None
        raise _Later

    def connect(self, reader: str, *, direct: bool = False) -> PcscCard:
        del reader, direct
        _raise_if_pcsc_failed("SCardConnect", self._note("connect").note)
        return ReplayCard(self._reel)

    def cancel(self) -> None:
        self._cancelled = True
        self._reel.wake()

    def release(self) -> None:
        self._reel.wake()

    def _note(self, channel: str) -> Frame:
        head = self._reel.head
        if head is None or head.channel != channel:
            raise self._reel.fail(f"asked for {channel}")
        return self._reel.take()


class ReplayCard:
    def __init__(self, reel: Reel) -> None:
        self._reel = reel

    def transmit(self, apdu: bytes) -> bytes:
        return self._exchange("apdu", apdu)

    def control(self, code: int, data: bytes) -> bytes:
        del code
        return self._exchange("control", data)

    def disconnect(self) -> None:
        return

    def _exchange(self, channel: str, data: bytes) -> bytes:
        head = self._reel.head
        wanted = (Direction.TO_DEVICE, channel, data)
        expected = head is not None and (head.direction, head.channel, head.data) == wanted
        if not expected and (self._reel.strict or not self._reel.seek(channel, data)):
            raise self._reel.fail(f"sent {channel} {data.hex()}")
        self._reel.take()
        answer = self._reel.take()
        _raise_if_pcsc_failed("SCardTransmit", answer.note)
        return answer.data


class ReplayKeys:
    def __init__(self, reel: Reel, path: str, note: str) -> None:
        self._reel = reel
        self._closed = False
        self.address = path
        self.virtual = True
        _, self.usb_id, self.name = (*note.split(" ", 2), "", "")[:3]

    async def events(self) -> AsyncIterator[KeyEvent]:
        while True:
            frame = await self._reel.until(lambda head: self._closed or head.channel == "key", None)
            if self._closed:
                return
            self._reel.take()
            if frame.direction is Direction.NOTE:
                raise DeviceLost("unplugged", f"{self.address}: {frame.note}") from EOFError(self.address)
            yield KeyEvent.unpack(frame.data)

    async def close(self) -> None:
        self._closed = True
        self._reel.wake()


def _is_note(head: Frame, channel: str) -> bool:
    return head.direction is Direction.NOTE and head.channel == channel


def _raise_if_failed(note: str) -> None:
    """Raise what opening raised: ``failed DeviceAbsent port_absent``."""
    if note.startswith("failed "):
        _, name, reason = note.split(" ", 2)
        raise _ERRORS.get(name, DeviceAbsent)(reason, "as recorded")


def _raise_if_pcsc_failed(call: str, note: str) -> None:
    """Raise what the call raised: its code in eight hex digits."""
    code = note[:8]
    if len(code) == 8 and int(code, 16):
        raise PcscFailed(call, int(code, 16), "as recorded")

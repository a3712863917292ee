"""The seam between a driver and its device: a driver asks its ``Io`` for a transport and never opens a file.

Whoever gives out the ``Io`` decides what is behind it: the real device (transports/live.py), an emulator in
the same process (emulators/memory.py) or a recording (cassettes). The first two write what passes into
``traffic``, so recording and counting cost a driver nothing; only a recording of the first can be replayed.

Addresses are one text, as a person writes them into daemon.toml:

* ``tcp:HOST:PORT``
* ``tty:PATH?baud=9600&parity=N&bits=8&stop=1&flow=none|rtscts|xonxoff`` – all after ``?`` may be left out
* ``usblp:/dev/usb/lp0`` – the kernel's printer device, both directions
* ``hidraw:/dev/hidraw0`` – one read or write is one report
* ``usb:VVVV:PPPP`` – bulk transfers by libusb, for ``port`` only
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import ParamSpec, Protocol, TypeVar, runtime_checkable

from tapledger_drivers.traffic import Traffic

A = ParamSpec("A")
T = TypeVar("T")

READ_BYTES_MAX = 4096


class Stream(Protocol):
    """Bytes both ways, on the event loop. Nothing waits longer than it was told to."""

    address: str
    virtual: bool
    """Whether the transport itself says that no thing is at the other end (a pseudo-terminal, a memory)."""

    async def read(self, timeout_s: float | None, limit: int = READ_BYTES_MAX) -> bytes:
        """Return what is there, at least one byte; wait for it ``timeout_s`` (None: until ``close``).

        Raises ``TimeoutError`` when nothing came, ``DeviceLost`` when the device went or ``close`` was
        called.
        """
        ...

    async def write(self, data: bytes, timeout_s: float) -> None:
        """Hand over all of ``data``; raise ``WriteStalled`` when that did not end in time."""
        ...

    async def close(self) -> None:
        """Give the device back at once, whatever it was doing, and end a waiting ``read``; twice is once."""
        ...


class WriteStalled(Exception):
    """The device took no more bytes in time; ``taken`` of them had been handed over."""

    def __init__(self, taken: int, of: int) -> None:
        super().__init__(f"{taken} of {of} bytes taken")
        self.taken = taken
        self.of = of


class Port(Protocol):
    """A blocking serial port or USB device, for libraries that block (nfcpy). Inside ``Io.run`` only."""

    address: str
    virtual: bool

    def read(self, limit: int, timeout_s: float) -> bytes:
        """Return up to ``limit`` bytes, empty when none came; raise ``OSError`` when the port is gone."""
        ...

    def write(self, data: bytes) -> None: ...

    def set_baud(self, baud: int) -> None: ...

    def flush_input(self) -> None: ...

    def close(self) -> None:
        """May be called from any thread; a read that waits ends with ``OSError``."""
        ...


@dataclass(frozen=True, slots=True)
class ReaderState:
    """What SCardGetStatusChange says of one reader. ``flags`` are the SCARD_STATE_ bits of the low half."""

    name: str
    flags: int
    count: int
    """Insertions and removals so far: a card swapped between two looks shows only here."""
    atr: bytes


class Pcsc(Protocol):
    """One PC/SC context. Blocking: use it inside ``Io.run`` or the driver's own thread, ``cancel`` excepted.

    Every method raises ``PcscFailed``; a failure of the context itself needs a new one.
    """

    def readers(self) -> list[str]: ...

    def wait(self, known: Sequence[ReaderState], timeout_s: float) -> list[ReaderState] | None:
        """Return the new states once one differs from ``known``; None when nothing did in time or
        ``cancel`` was called. A reader that is new to ``known`` ends the wait too."""
        ...

    def connect(self, reader: str, *, direct: bool = False) -> PcscCard:
        """Connect to the card, or with ``direct`` to the reader without a card."""
        ...

    def cancel(self) -> None:
        """Wake ``wait``; from any thread."""
        ...

    def release(self) -> None: ...


class PcscCard(Protocol):
    def transmit(self, apdu: bytes) -> bytes:
        """Return the answer with its status word."""
        ...

    def control(self, code: int, data: bytes) -> bytes:
        """Send an escape command to the reader."""
        ...

    def disconnect(self) -> None: ...


class PcscFailed(Exception):
    """One PC/SC call failed; ``code`` is the standard's 32-bit number."""

    def __init__(self, call: str, code: int, message: str = "") -> None:
        super().__init__(f"{call}: 0x{code & 0xFFFFFFFF:08X} {message}".rstrip())
        self.call = call
        self.code = code & 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class KeyEvent:
    """One EV_KEY event of the kernel: ``value`` is 1 pressed, 0 released, 2 repeated."""

    code: int
    value: int

    @classmethod
    def unpack(cls, data: bytes) -> KeyEvent:
        return cls(int.from_bytes(data[:2], "little"), data[2])

    def pack(self) -> bytes:
        """Return the key as traffic and recordings hold it: two bytes of code, one of value."""
        return self.code.to_bytes(2, "little") + bytes([self.value])


KEYS_LOST = KeyEvent(0, 0)
"""Stands where the kernel's queue ran over: some keys before the next one never arrived."""


class Keys(Protocol):
    """A keyboard held for this process alone (EVIOCGRAB)."""

    address: str
    name: str
    usb_id: str
    """``VVVV:PPPP`` in upper-case hex, empty when the kernel does not say."""
    virtual: bool

    def events(self) -> AsyncIterator[KeyEvent]:
        """Yield keys, and ``KEYS_LOST`` where some are missing, until ``close``; raise ``DeviceLost`` when
        the keyboard goes."""
        ...

    async def close(self) -> None: ...


@runtime_checkable
class Io(Protocol):
    """Opens the transports of one device. Opening raises ``DeviceAbsent`` or ``DeviceBlocked``."""

    traffic: Traffic

    async def stream(self, address: str) -> Stream: ...

    async def keys(self, path: str) -> Keys: ...

    def port(self, address: str) -> Port:
        """Open a blocking port; call it inside ``run``."""
        ...

    def pcsc(self) -> Pcsc:
        """Make a PC/SC context; blocking. Raises ``DeviceBlocked`` when polkit refuses, or ``PcscFailed``."""
        ...

    async def run(
        self, deadline_s: float | None, call: Callable[A, T], *args: A.args, **kwargs: A.kwargs
    ) -> T:
        """Run a blocking call in the device's own thread; no other device's calls are ever in it.

        Raises ``DeviceLost("hung")`` when it is not done by the deadline; the thread is then given up and
        the next call gets a fresh one, so one hung device never delays itself for ever or another at all.
        None waits without end, for a call that the driver itself can wake (``Pcsc.wait``).
        """
        ...

    async def close(self) -> None:
        """Close everything this ``Io`` has opened; the driver's own ``close`` comes before it."""
        ...

"""The real thing: sockets, serial ports, device files, pcscd, keyboards."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import termios
from collections.abc import Callable
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from tapledger_drivers.errors import DeviceAbsent, DeviceBlocked, DeviceError
from tapledger_drivers.io import Keys, Pcsc, PcscFailed, Port, Stream
from tapledger_drivers.traffic import Traffic
from tapledger_drivers.transports.addresses import (
    FileAddress,
    TcpAddress,
    TtyAddress,
    UsbAddress,
    parse_address,
)
from tapledger_drivers.transports.device_thread import DeviceThread
from tapledger_drivers.transports.fd_stream import FdStream
from tapledger_drivers.transports.holders import holders_of

if TYPE_CHECKING:
    from serial import Serial

A = ParamSpec("A")
T = TypeVar("T")

OPEN_TIMEOUT_S = 5.0
CONNECT_TIMEOUT_S = 2.0


class LiveIo:
    """The ``Io`` of one device; ``name`` is its role, for thread names and logs."""

    def __init__(self, name: str, traffic: Traffic) -> None:
        self.traffic = traffic
        self._thread = DeviceThread(name)
        self._opened: set[Stream | Keys] = set()

    async def run(
        self, deadline_s: float | None, call: Callable[A, T], *args: A.args, **kwargs: A.kwargs
    ) -> T:
        return await self._thread.run(deadline_s, call, *args, **kwargs)

    async def stream(self, address: str) -> Stream:
        parsed = parse_address(address)
        if isinstance(parsed, UsbAddress):
            raise DeviceBlocked("bad_address", f"{address!r} is no stream")
        try:
            if isinstance(parsed, TcpAddress):
                stream = await self._tcp(parsed, address)
            else:
                stream = await self._file(parsed, address)
        except DeviceError as error:
            self._failed("stream", error)
            raise
        self.traffic.note("stream", f"opened {address}")
        self._opened.add(stream)
        return stream

    def port(self, address: str) -> Port:
        from tapledger_drivers.transports.serial_port import BlockingPort
        from tapledger_drivers.transports.usb_port import UsbPort

        parsed = parse_address(address)
        if not isinstance(parsed, TtyAddress | UsbAddress):
            raise DeviceBlocked("bad_address", f"{address!r} is neither a serial port nor a USB device")
        port: Port
        try:
            if isinstance(parsed, UsbAddress):
                port = UsbPort(parsed, address, self.traffic)
            else:
                port = BlockingPort(open_tty(parsed), address, self.traffic)
        except DeviceError as error:
            self._failed("stream", error)
            raise
        self.traffic.note("stream", f"opened {address}")
        return port

    def pcsc(self) -> Pcsc:
        try:
            from tapledger_drivers.transports.pcsc import PcscContext
        except ImportError as error:
            advice = "apt-get install libpcsclite-dev gcc, then install the extra tapledger[devices]"
            raise self._failed("pcsc", DeviceBlocked("pyscard_missing", advice)) from error
        try:
            context = PcscContext(self.traffic)
        except DeviceError as error:
            self._failed("pcsc", error)
            raise
        except PcscFailed as error:
            self.traffic.note("pcsc", f"{error.code:08X}")
            raise
        self.traffic.note("pcsc", "opened")
        return context

    async def keys(self, path: str) -> Keys:
        try:
            from tapledger_drivers.transports.evdev_keys import open_keys
        except ImportError as error:
            advice = "apt-get install gcc linux-libc-dev, then install the extra tapledger[devices]"
            raise self._failed("key", DeviceBlocked("evdev_missing", advice)) from error
        try:
            keys = await self.run(OPEN_TIMEOUT_S, open_keys, path, self.traffic)
        except DeviceError as error:
            self._failed("key", error)
            raise
        self._opened.add(keys)
        return keys

    def _failed(self, channel: str, error: DeviceError) -> DeviceError:
        """Leave a note that a replay can raise again; return the error."""
        self.traffic.note(channel, f"failed {type(error).__name__} {error.reason}")
        return error

    async def close(self) -> None:
        opened, self._opened = self._opened, set()
        for transport in opened:
            await transport.close()
        self._thread.close()

    async def _tcp(self, address: TcpAddress, text: str) -> Stream:
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                reachable = await asyncio.get_running_loop().getaddrinfo(
                    address.host, address.port, type=socket.SOCK_STREAM
                )
                family, kind, protocol, _, where = reachable[0]
                connection = socket.socket(family, kind, protocol)
                connection.setblocking(False)
                try:
                    await asyncio.get_running_loop().sock_connect(connection, where)
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                except BaseException:
                    connection.close()
                    raise
        except TimeoutError as error:
            raise DeviceAbsent("unreachable", f"{text}: no answer in {CONNECT_TIMEOUT_S} s") from error
        except OSError as error:
            raise DeviceAbsent("unreachable", f"{text}: {error}") from error
        return self._stream(connection.fileno(), text, connection.close)

    async def _file(self, address: TtyAddress | FileAddress, text: str) -> Stream:
        if isinstance(address, TtyAddress):
            port = await self.run(OPEN_TIMEOUT_S, open_tty, address)
            return self._stream(port.fileno(), text, port.close, virtual=is_pty(address.path))
        file = await self.run(OPEN_TIMEOUT_S, _open_file, address.path)
        return self._stream(file.fileno(), text, file.close, virtual=is_pty(address.path))

    def _stream(
        self, fd: int, address: str, release: Callable[[], None], *, virtual: bool = False
    ) -> FdStream:
        def give_back() -> None:
            self._opened.discard(stream)
            release()

        stream = FdStream(fd, address, self.traffic, give_back, virtual=virtual)
        return stream


def is_pty(path: str) -> bool:
    """A pseudo-terminal has a program at its other end, so what it is the port of is no thing."""
    return os.path.realpath(path).startswith("/dev/pts/")


def open_tty(address: TtyAddress) -> Serial:
    """Open a serial port for this process alone; raise ``DeviceAbsent`` or ``DeviceBlocked``."""
    import serial

    try:
        port = serial.Serial(
            address.path,
            address.baud,
            bytesize=address.bits,
            parity=address.parity,
            stopbits=address.stop,
            rtscts=address.flow == "rtscts",
            xonxoff=address.flow == "xonxoff",
            timeout=0,
            exclusive=True,
        )
        # pyserial lets an empty read mean both "nothing yet" and "gone"; with VMIN 1 it means "gone" alone.
        settings = termios.tcgetattr(port.fileno())
        settings[6][termios.VMIN] = 1
        termios.tcsetattr(port.fileno(), termios.TCSANOW, settings)
        return port
    except (serial.SerialException, OSError, ValueError, termios.error) as error:
        # pyserial keeps a termios.error's number only in the error that it was raised from.
        number = getattr(error, "errno", None) or next(
            iter(getattr(error.__context__ or error, "args", ())), None
        )
        raise why_not_open(address.path, number, error) from error


def _open_file(path: str) -> FileIO:
    """Open a device file. A file object closes itself when nobody waited for it to be opened."""
    try:
        return FileIO(path, "r+b", opener=lambda path, flags: os.open(path, flags | os.O_NONBLOCK))
    except OSError as error:
        raise why_not_open(path, error.errno, error) from error


def why_not_open(path: str, number: object, error: Exception) -> DeviceError:
    """Name what keeps a device file shut, in the caller's terms."""
    match number:
        case errno.EACCES | errno.EPERM:
            return DeviceBlocked("not_permitted", f"{path}: {_permission(path)}")
        case errno.EAGAIN | errno.EBUSY:
            return DeviceBlocked("in_use", f"{path} is open in {holders_of(path) or 'another program'}")
        case errno.ENOTTY:
            return DeviceBlocked("not_a_serial_port", path)
        case _:
            return DeviceAbsent("port_absent", f"{path}: {error}")


def _permission(path: str) -> str:
    import grp

    try:
        status = Path(path).stat()
        group = grp.getgrgid(status.st_gid).gr_name
    except (OSError, KeyError):
        return "this user may not open it"
    if group == "root":
        return "only root may open it: a udev rule has to give it to a group"
    return f"add this user to the group {group}"

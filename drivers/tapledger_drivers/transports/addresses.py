"""Addresses of streams, as a person writes them into daemon.toml (the list stands in io.py)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import parse_qsl

from tapledger_drivers.errors import DeviceBlocked

PORT_MAX = 65535
BAUD_MIN, BAUD_MAX = 300, 4_000_000
_PARITIES, _BITS, _STOPS, _FLOWS = "NEO", ("7", "8"), ("1", "2"), ("none", "rtscts", "xonxoff")


@dataclass(frozen=True, slots=True)
class TcpAddress:
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class TtyAddress:
    path: str
    baud: int = 9600
    parity: str = "N"
    bits: int = 8
    stop: int = 1
    flow: str = "none"


@dataclass(frozen=True, slots=True)
class FileAddress:
    """A device file that is simply opened: ``usblp`` or ``hidraw``."""

    kind: str
    path: str


@dataclass(frozen=True, slots=True)
class UsbAddress:
    vendor: int
    product: int


Address: TypeAlias = TcpAddress | TtyAddress | FileAddress | UsbAddress


def parse_address(text: str) -> Address:
    """Return what ``text`` means; raise ``DeviceBlocked("bad_address")`` that says what was expected."""
    kind, _, rest = text.partition(":")
    try:
        match kind:
            case "tcp":
                return _tcp(rest)
            case "tty":
                return _tty(rest)
            case "usblp" | "hidraw" if rest.startswith("/"):
                return FileAddress(kind, rest)
            case "usb":
                return _usb(rest)
    except ValueError as error:
        raise DeviceBlocked("bad_address", f"{text!r}: {error}") from error
    expected = "tcp:HOST:PORT, tty:PATH?baud=9600, usblp:/dev/usb/lp0, hidraw:/dev/hidraw0 or usb:VVVV:PPPP"
    raise DeviceBlocked("bad_address", f"{text!r} is none of {expected}")


def _tcp(rest: str) -> TcpAddress:
    host, _, port = rest.rpartition(":")
    if not host or not port.isdigit() or not 1 <= int(port) <= PORT_MAX:
        raise ValueError("expected tcp:HOST:PORT")
    host.encode("idna")  # as the resolver does, which would fail in its own words: a host with an empty part
    return TcpAddress(host.strip("[]"), int(port))


def _usb(rest: str) -> UsbAddress:
    numbers = re.fullmatch(r"([0-9a-fA-F]{4}):([0-9a-fA-F]{4})", rest)
    if numbers is None:
        raise ValueError("expected usb:VVVV:PPPP, four hexadecimal digits each")
    return UsbAddress(int(numbers[1], 16), int(numbers[2], 16))


def _tty(rest: str) -> TtyAddress:
    path, _, query = rest.partition("?")
    if not path.startswith("/"):
        raise ValueError("a tty's path begins with /")
    given = dict(parse_qsl(query, strict_parsing=True)) if query else {}
    baud = given.pop("baud", "9600")
    parity, bits = given.pop("parity", "N"), given.pop("bits", "8")
    stop, flow = given.pop("stop", "1"), given.pop("flow", "none")
    if given:
        raise ValueError(f"unknown: {', '.join(given)}; known: baud, parity, bits, stop, flow")
    if not baud.isdigit() or not BAUD_MIN <= int(baud) <= BAUD_MAX:
        raise ValueError(f"baud is a whole number from {BAUD_MIN} to {BAUD_MAX}")
    if parity not in _PARITIES or len(parity) != 1 or bits not in _BITS or stop not in _STOPS:
        raise ValueError("parity is N, E or O, bits 7 or 8, stop 1 or 2")
    if flow not in _FLOWS:
        raise ValueError(f"flow is one of {', '.join(_FLOWS)}")
    return TtyAddress(path, int(baud), parity, int(bits), int(stop), flow)

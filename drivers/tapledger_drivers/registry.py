"""Every driver by its name in daemon.toml, one line each.

A driver's module is imported when it is first made, and its libraries when it is opened, so that a missing
one blocks its own device and no other.
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from tapledger_drivers.device import DeviceConfig, DeviceInfo
from tapledger_drivers.errors import DeviceBlocked
from tapledger_drivers.io import Io
from tapledger_drivers.ports import Driver, TrustPolicy


class Options:
    """The options of one device, each asked for once by name; ``finish`` refuses what nobody asked for."""

    def __init__(self, config: DeviceConfig) -> None:
        self._role = config.role
        self._left = dict(config.options)
        self._known: list[str] = []

    def text(self, name: str) -> str:
        """Return a required, non-empty text."""
        value = self._take(name, None)
        if not isinstance(value, str) or not value:
            raise DeviceBlocked("bad_option", f'device {self._role!r} needs {name} = "some text"')
        return value

    def integer(self, name: str, default: int, lowest: int, highest: int) -> int:
        value = self._take(name, default)
        if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= highest:
            message = f"device {self._role!r}: {name} must be a whole number from {lowest} to {highest}"
            raise DeviceBlocked("bad_option", message)
        return value

    def optional_text(self, name: str, default: str = "") -> str:
        value = self._take(name, default)
        if not isinstance(value, str):
            raise DeviceBlocked("bad_option", f'device {self._role!r}: {name} = "some text"')
        return value

    def choice(self, name: str, default: str, known: Iterable[str]) -> str:
        value, known = self._take(name, default), tuple(known)
        if value not in known:
            message = f"device {self._role!r}: {name} is one of {', '.join(known)}"
            raise DeviceBlocked("bad_option", message)
        return str(value)

    def flag(self, name: str, default: bool | None = None) -> bool | None:
        value = self._take(name, default)
        if value is not None and not isinstance(value, bool):
            raise DeviceBlocked("bad_option", f"device {self._role!r}: {name} is true or false")
        return value

    def finish(self) -> None:
        """Raise ``DeviceBlocked`` for an option that the driver does not have."""
        for name in self._left:
            raise DeviceBlocked("unknown_option", _unknown(f"device {self._role!r}", name, self._known))

    def _take(self, name: str, default: object) -> object:
        self._known.append(name)
        return self._left.pop(name, default)


@dataclass(frozen=True, slots=True)
class Sibling:
    """An open device on which another one hangs."""

    driver: Driver
    info: DeviceInfo


@dataclass(frozen=True, slots=True)
class Making:
    """What a driver is made from."""

    options: Options
    io: Io
    trust: TrustPolicy
    sibling: Callable[[str], Sibling | None]
    """The open device of another role: a cash drawer hangs on a printer, a reader's light on the reader."""


def create_driver(
    config: DeviceConfig,
    trust: TrustPolicy,
    io: Io,
    sibling: Callable[[str], Sibling | None] = lambda role: None,
) -> Driver:
    """Return the configured device, not yet open; raise ``DeviceBlocked`` when it cannot be made."""
    module = DRIVERS.get(config.driver)
    if module is None:
        raise DeviceBlocked("unknown_driver", _unknown(f"device {config.role!r}", config.driver, DRIVERS))
    make: Callable[[Making], Driver] = importlib.import_module(module).make
    options = Options(config)
    driver = make(Making(options, io, trust, sibling))
    options.finish()
    return driver


def _unknown(where: str, name: str, known: Iterable[str]) -> str:
    nearest = difflib.get_close_matches(name, known, n=1)
    hint = f", did you mean {nearest[0]!r}?" if nearest else f"; known: {', '.join(sorted(known))}"
    return f"{where} has {name!r}{hint}"


DRIVERS: Mapping[str, str] = {
    "pcsc": "tapledger_drivers.cards.pcsc",
    "escpos": "tapledger_drivers.printers.escpos",
    "escpos_tcp": "tapledger_drivers.printers.escpos_tcp",
    "star_raster": "tapledger_drivers.printers.star",
    "serial_line": "tapledger_drivers.scanners.serial_line",
    "evdev_keyboard": "tapledger_drivers.scanners.evdev_keyboard",
    "nfcpy": "tapledger_drivers.cards.nfcpy",
    "printer_drawer": "tapledger_drivers.drawers.printer_port",
    "reader_light": "tapledger_drivers.indicators.reader_light",
    "serial_light": "tapledger_drivers.indicators.serial_light",
    "serial_line_display": "tapledger_drivers.displays.serial_line_display",
}
"""The module whose ``make(Making)`` returns the driver."""

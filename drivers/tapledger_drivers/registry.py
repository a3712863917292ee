"""Every driver by its name in daemon.toml: one function and one line each.

A driver's libraries are imported when it is first made, so a missing one blocks its own device and no other.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping

from tapledger_drivers.errors import DeviceBlocked
from tapledger_drivers.ports import DeviceConfig, Driver, TrustPolicy

_PORT_MAX = 65535


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

    def finish(self) -> None:
        """Raise ``DeviceBlocked`` for an option that the driver does not have."""
        for name in self._left:
            raise DeviceBlocked("unknown_option", _unknown(f"device {self._role!r}", name, self._known))

    def _take(self, name: str, default: object) -> object:
        self._known.append(name)
        return self._left.pop(name, default)


def create_driver(config: DeviceConfig, trust: TrustPolicy) -> Driver:
    """Return the configured device, not yet open; raise ``DeviceBlocked`` when it cannot be made."""
    factory = DRIVERS.get(config.driver)
    if factory is None:
        raise DeviceBlocked("unknown_driver", _unknown(f"device {config.role!r}", config.driver, DRIVERS))
    options = Options(config)
    return factory(options, trust)


def _unknown(where: str, name: str, known: Iterable[str]) -> str:
    nearest = difflib.get_close_matches(name, known, n=1)
    hint = f", did you mean {nearest[0]!r}?" if nearest else f"; known: {', '.join(sorted(known))}"
    return f"{where} has {name!r}{hint}"


def _pcsc(options: Options, trust: TrustPolicy) -> Driver:
    reader_name = options.text("reader_name")
    options.finish()
    try:
        from tapledger_drivers.cards.pcsc import PcscCardReader
    except ImportError as error:
        advice = "apt-get install libpcsclite-dev gcc, then install the extra tapledger[cards]"
        raise DeviceBlocked("pyscard_missing", advice) from error
    return PcscCardReader(reader_name, trust)


def _escpos_tcp(options: Options, trust: TrustPolicy) -> Driver:
    del trust
    host = options.text("host")
    port = options.integer("port", 9100, 1, _PORT_MAX)
    columns = options.integer("columns", 48, 24, 96)
    dots = options.integer("dots", 576, 288, 1152)
    options.finish()
    from tapledger_drivers.printers.escpos import EscposPrinter

    return EscposPrinter(host, port, columns, dots)


def _serial_line(options: Options, trust: TrustPolicy) -> Driver:
    del trust
    path = options.text("path")
    baud = options.integer("baud", 9600, 300, 4_000_000)
    options.finish()
    from tapledger_drivers.scanners.serial_line import SerialLineScanner

    return SerialLineScanner(path, baud)


DRIVERS: Mapping[str, Callable[[Options, TrustPolicy], Driver]] = {
    "pcsc": _pcsc,
    "escpos_tcp": _escpos_tcp,
    "serial_line": _serial_line,
}

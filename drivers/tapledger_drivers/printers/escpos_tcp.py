"""``escpos_tcp``, as the first releases knew it: ``host`` and ``port``, one connection for each job."""

from __future__ import annotations

from tapledger_drivers.printers.escpos import EscposPrinter
from tapledger_drivers.printers.escpos_options import read_options
from tapledger_drivers.registry import Making


def make(making: Making) -> EscposPrinter:
    host = making.options.text("host")
    port = making.options.integer("port", 9100, 1, 65535)
    address = f"tcp:[{host}]:{port}" if ":" in host else f"tcp:{host}:{port}"
    return EscposPrinter(making.io, address, read_options(making.options, hold_line=False))

"""Which devices stand in which demo shop: two shops with different ones, so that the demo shows many."""

from __future__ import annotations

from tapledger.lab.bench.counter import (
    BenchScanner,
    CustomerDisplay,
    EscposTcpPrinter,
    PrinterDrawer,
    StarTcpPrinter,
    TowerLight,
)
from tapledger.lab.bench.device import BenchDevice
from tapledger.lab.bench.readers import BenchReader, PcscReader, Pn532Reader, SimulatedReader
from tapledger_drivers.emulators.reader_station import ReaderStation

KIOSK, TILL = "kiosk-reader", "till-reader"


def tea_hill(station: ReaderStation | None) -> list[BenchDevice]:
    """Two readers behind pcscd, a network printer with a drawer at its port."""
    printer = EscposTcpPrinter("receipt-printer")
    return [
        _reader(KIOSK, station, 0),
        _reader(TILL, station, 1),
        BenchScanner("till-scanner"),
        printer,
        PrinterDrawer("cash-drawer", printer),
    ]


def riverside(station: ReaderStation | None) -> list[BenchDevice]:
    """A kiosk without pcscd, a printer that prints pictures, a display and a light on serial lines."""
    return [
        Pn532Reader(KIOSK),
        _reader(TILL, station, 0),
        BenchScanner("till-scanner"),
        StarTcpPrinter("receipt-printer"),
        CustomerDisplay("customer-display"),
        TowerLight("till-light"),
    ]


SETS = {"shop-a": tea_hill, "shop-b": riverside}


def _reader(role: str, station: ReaderStation | None, number: int) -> BenchReader:
    return SimulatedReader(role) if station is None else PcscReader(role, station, number)

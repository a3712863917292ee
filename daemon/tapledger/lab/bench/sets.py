"""Which devices stand in which demo shop: two shops with different ones, so that the demo shows many."""

from __future__ import annotations

from tapledger.lab.bench.counter import BenchPrinter, BenchScanner
from tapledger.lab.bench.device import BenchDevice
from tapledger.lab.bench.readers import BenchReader, PcscReader, SimulatedReader, StationFaults
from tapledger_drivers.emulators.reader_station import ReaderStation

READERS = ("kiosk-reader", "till-reader")


def shop_sets(station: ReaderStation | None) -> dict[str, list[BenchDevice]]:
    """Return the devices of each shop; without a station the readers are simulated."""
    killed = [False]

    def reader(role: str, place: int) -> BenchReader:
        if station is None:
            return SimulatedReader(role)
        return PcscReader(role, station, place, StationFaults(station, killed))

    return {
        shop: [
            *(reader(role, place * len(READERS) + number) for number, role in enumerate(READERS)),
            BenchScanner("till-scanner"),
            BenchPrinter("receipt-printer"),
        ]
        for place, shop in enumerate(("shop-a", "shop-b"))
    }

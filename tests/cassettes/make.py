"""Records the corpus again with the emulators: ``python -m tests.cassettes.make``."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from tapledger_drivers.cassettes.tape import Cassette
from tapledger_drivers.device import DeviceConfig
from tapledger_drivers.emulators.escpos_printer import EscposPrinterEmulator
from tapledger_drivers.emulators.faults import Verb
from tapledger_drivers.emulators.nfc_cards import FelicaLite, IsoDepCard, Ntag
from tapledger_drivers.emulators.pn532 import Pn532Emulator
from tapledger_drivers.emulators.serial_scanner import SerialScannerEmulator
from tapledger_drivers.emulators.star_printer import StarPrinterEmulator
from tapledger_drivers.ports import CardReader, Driver, ReceiptPrinter
from tests.drivers.cards import UID, token
from tests.drivers.test_cassettes import JOB, record, take

FOLDER = Path(__file__).parent


async def scanner_codes() -> Cassette:
    """Products, a member's code in a QR code, GS1, Chinese in GB18030, and something too long."""
    scanner = SerialScannerEmulator()
    await scanner.start()

    async def scan() -> None:
        for code in ("6901234567892", "]Q3TL-90012345", "]C1010401234567890117211231\x1d10LOT7"):
            await scanner.scan(code)
        await scanner.send_raw("会员卡".encode("gb18030") + b"\r" + b"9" * 600 + b"\r")

    config = DeviceConfig("till-scanner", "serial_line", {"path": scanner.path})
    try:
        return await record(config, lambda driver: take(driver, 5, scan))
    finally:
        await scanner.close()


async def printer_cover_and_cut_line() -> Cassette:
    """A slip, a slip with the cover open, a slip whose line is cut in the middle."""
    printer = EscposPrinterEmulator()
    await printer.start()

    async def session(driver: Driver) -> None:
        assert isinstance(driver, ReceiptPrinter)
        await driver.print(JOB)
        printer.set_cover_open(True)
        await driver.print(replace(JOB, job_id="slip-2"))
        printer.set_cover_open(False)
        await driver.status()
        await printer.wire.pull(Verb.DROP_AFTER, amount=60)
        await driver.print(replace(JOB, job_id="slip-3"))

    config = DeviceConfig("receipt-printer", "escpos", {"port": printer.wire.address})
    try:
        return await record(config, session)
    finally:
        await printer.close()


async def star_slip() -> Cassette:
    """One slip on a Star raster printer."""
    printer = StarPrinterEmulator()
    await printer.start()

    async def session(driver: Driver) -> None:
        assert isinstance(driver, ReceiptPrinter)
        await driver.print(JOB)

    config = DeviceConfig("receipt-printer", "star_raster", {"port": printer.wire.address})
    try:
        return await record(config, session)
    finally:
        await printer.close()


async def chip_three_cards() -> Cassette:
    """An NTAG with a token, an ISO 14443-4 card with one, a FeliCa card, on a PN532."""
    chip = Pn532Emulator()
    await chip.start()
    cards = (
        Ntag(UID, token()),
        IsoDepCard(UID, token()),
        FelicaLite(bytes.fromhex("012E4CD2F1A09B33"), b"\xd0\0\0"),
    )

    async def session(driver: Driver) -> None:
        assert isinstance(driver, CardReader)
        taps = driver.taps()
        for card in cards:
            chip.insert(card)
            await anext(taps)
            chip.remove()
            await anext(taps)

    config = DeviceConfig("kiosk-reader", "nfcpy", {"port": chip.address})
    try:
        return await record(config, session)
    finally:
        await chip.close()


MAKERS: tuple[Callable[[], Awaitable[Cassette]], ...] = (
    scanner_codes,
    printer_cover_and_cut_line,
    star_slip,
    chip_three_cards,
)


async def main() -> None:
    for make in MAKERS:
        file = FOLDER / f"{make.__name__}.jsonl"
        file.write_bytes((await make()).to_bytes())


if __name__ == "__main__":
    asyncio.run(main())

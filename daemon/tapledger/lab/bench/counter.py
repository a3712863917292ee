"""What stands beside the readers: scanner, printer with its drawer, the customer's display, lights."""

from __future__ import annotations

from tapledger.lab.bench.device import BenchDevice
from tapledger_drivers.emulators.escpos_printer import EscposPrinterEmulator, Mute
from tapledger_drivers.emulators.faults import Fault, Verb
from tapledger_drivers.emulators.serial_scanner import SerialScannerEmulator


class BenchScanner(BenchDevice):
    """A scanner on a pseudo-terminal."""

    kind = "scanner"

    def __init__(self, role: str) -> None:
        self.emulator = SerialScannerEmulator()
        super().__init__(role, "serial_line", self.emulator)

    def options(self) -> dict[str, object]:
        return {"path": self.emulator.path}

    async def start(self) -> None:
        await self.emulator.start()

    async def close(self) -> None:
        await self.emulator.close()


class PrinterFaults:
    """The printer's levers in the words of faults.py."""

    def __init__(self, printer: EscposPrinterEmulator) -> None:
        self._printer = printer

    def verbs(self) -> tuple[Verb, ...]:
        return (Verb.GO_AWOL, Verb.PAPER_OUT, Verb.COVER_OPEN)

    def faults(self) -> tuple[Fault, ...]:
        levers = {
            Verb.GO_AWOL: self._printer.mute is not Mute.NO,
            Verb.PAPER_OUT: self._printer.paper_out,
            Verb.COVER_OPEN: self._printer.cover_open,
        }
        return tuple(Fault(verb) for verb, on in levers.items() if on)

    async def pull(self, verb: Verb, *, on: bool = True, amount: int | None = None) -> None:
        del amount
        if verb is Verb.PAPER_OUT:
            self._printer.set_paper_out(on)
        elif verb is Verb.COVER_OPEN:
            self._printer.set_cover_open(on)
        else:
            self._printer.set_mute(Mute.DEAF if on else Mute.NO)


class BenchPrinter(BenchDevice):
    """An ESC/POS printer on TCP."""

    kind = "printer"

    def __init__(self, role: str) -> None:
        self.emulator = EscposPrinterEmulator()
        super().__init__(role, "escpos_tcp", PrinterFaults(self.emulator))

    def options(self) -> dict[str, object]:
        return {"host": "127.0.0.1", "port": self.emulator.port}

    async def start(self) -> None:
        await self.emulator.start()

    async def close(self) -> None:
        await self.emulator.close()

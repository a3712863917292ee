"""What stands beside the readers: scanner, printers with a drawer, the customer's display, a light."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from tapledger.lab.bench.device import BenchDevice
from tapledger_drivers.emulators.escpos_printer import EscposPrinterEmulator
from tapledger_drivers.emulators.faults import Emulated
from tapledger_drivers.emulators.line_display import LineDisplayEmulator
from tapledger_drivers.emulators.paper import PaperSlip
from tapledger_drivers.emulators.serial_scanner import SerialScannerEmulator
from tapledger_drivers.emulators.star_printer import StarPrinterEmulator
from tapledger_drivers.emulators.tower_light import TowerLightEmulator


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


class PrinterEmulator(Emulated, Protocol):
    """What the bench asks of any emulated printer."""

    on_change: list[Callable[[], None]]

    @property
    def slips(self) -> list[PaperSlip]: ...

    async def start(self) -> object: ...

    async def close(self) -> None: ...


class BenchPrinter(BenchDevice):
    """A printer, and the paper that came out of it."""

    kind = "printer"

    def __init__(self, role: str, driver: str, printer: PrinterEmulator) -> None:
        self.printer = printer
        super().__init__(role, driver, printer)

    async def start(self) -> None:
        await self.printer.start()

    async def close(self) -> None:
        await self.printer.close()


class EscposTcpPrinter(BenchPrinter):
    def __init__(self, role: str) -> None:
        self.emulator = EscposPrinterEmulator()
        super().__init__(role, "escpos", self.emulator)

    def options(self) -> dict[str, object]:
        return {"port": self.emulator.address}


class StarTcpPrinter(BenchPrinter):
    """A printer that knows no letters: every slip comes as a picture."""

    def __init__(self, role: str) -> None:
        self.emulator = StarPrinterEmulator()
        super().__init__(role, "star_raster", self.emulator)

    def options(self) -> dict[str, object]:
        return {"port": self.emulator.wire.address}


class PrinterDrawer(BenchDevice):
    """The drawer at a printer's port. Its faults are the printer's."""

    kind = "drawer"

    def __init__(self, role: str, printer: EscposTcpPrinter) -> None:
        self._printer = printer
        super().__init__(role, "printer_drawer", None)

    def options(self) -> dict[str, object]:
        return {"printer": self._printer.role}

    def is_open(self) -> bool | None:
        return self._printer.emulator.condition.drawer_open

    def shut(self) -> None:
        """Push it in, as the cashier does."""
        self._printer.emulator.set_drawer_open(False)


class CustomerDisplay(BenchDevice):
    kind = "display"

    def __init__(self, role: str) -> None:
        self._display = LineDisplayEmulator()
        super().__init__(role, "serial_line_display", self._display)

    def options(self) -> dict[str, object]:
        return {"port": self._display.address}

    async def start(self) -> None:
        await self._display.start()

    async def close(self) -> None:
        await self._display.close()

    def lines(self) -> list[str]:
        return list(self._display.lines)


class TowerLight(BenchDevice):
    kind = "light"

    def __init__(self, role: str) -> None:
        self._tower = TowerLightEmulator()
        super().__init__(role, "serial_light", self._tower)

    def options(self) -> dict[str, object]:
        return {"port": self._tower.address}

    async def start(self) -> None:
        await self._tower.start()

    async def close(self) -> None:
        await self._tower.close()

    def light(self) -> str:
        """Return the colours that are lit, such as ``green`` or ``red yellow``."""
        parts = (part for part, state in self._tower.state.items() if state != "off")
        return " ".join(part for part in parts if part != "buzzer")

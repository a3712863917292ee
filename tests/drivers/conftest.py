from __future__ import annotations

from collections.abc import AsyncIterator

import hypothesis
import pytest

from tapledger_drivers.emulators.escpos_printer import EscposPrinterEmulator
from tests.drivers.station import reader_station as reader_station
from tests.drivers.station import started_station as started_station

# A shared machine may stop any example for longer than hypothesis' 200 ms.
hypothesis.settings.register_profile("drivers", deadline=None)
hypothesis.settings.load_profile("drivers")


@pytest.fixture
async def emulator() -> AsyncIterator[EscposPrinterEmulator]:
    """Yield a printer that listens on ``emulator.port``."""
    printer = EscposPrinterEmulator()
    await printer.start()
    yield printer
    await printer.close()

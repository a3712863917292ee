"""The cash drawer at a printer's port, on an emulated printer over TCP."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import pytest

from tapledger_drivers.device import Capability, DeviceConfig, DeviceInfo, HealthLevel, Source
from tapledger_drivers.drawers.printer_port import PrinterPortDrawer
from tapledger_drivers.emulators.escpos_printer import EscposPrinterEmulator
from tapledger_drivers.emulators.faults import Verb
from tapledger_drivers.errors import DeviceAbsent, DeviceBlocked, DeviceLost
from tapledger_drivers.registry import Sibling, create_driver
from tapledger_drivers.testing import DriverContract, DriverLab
from tapledger_drivers.traffic import Traffic
from tapledger_drivers.transports.live import LiveIo
from tests.drivers.cards import TRUST

ROLE = "receipt-printer"


@pytest.fixture
async def siblings(emulator: EscposPrinterEmulator) -> AsyncIterator[dict[str, Sibling]]:
    """What is open in the shop: the printer."""
    io = LiveIo(ROLE, Traffic(time.monotonic))
    printer = create_driver(DeviceConfig(ROLE, "escpos", {"port": emulator.wire.address}), TRUST, io)
    yield {ROLE: Sibling(printer, await printer.open())}
    await printer.close()
    await io.close()


@pytest.fixture
def drawer(siblings: dict[str, Sibling]) -> PrinterPortDrawer:
    return PrinterPortDrawer(ROLE, siblings.get)


class TestContract(DriverContract):
    @pytest.fixture
    async def lab(self, siblings: dict[str, Sibling]) -> DriverLab:
        config = DeviceConfig("cash-drawer", "printer_drawer", {"printer": ROLE})
        io = LiveIo("cash-drawer", Traffic(time.monotonic))
        driver = create_driver(config, TRUST, io, siblings.get)
        return DriverLab(driver, PrinterPortDrawer("no-such-printer", siblings.get))


async def test_it_springs_open_and_its_switch_says_so(
    drawer: PrinterPortDrawer, emulator: EscposPrinterEmulator
) -> None:
    await drawer.open()
    assert await drawer.kick() is True
    assert emulator.drawer_kicks == 1
    assert await drawer.is_open() is True
    emulator.set_drawer_open(False)
    assert await drawer.is_open() is False


async def test_no_health_check_opens_it(drawer: PrinterPortDrawer, emulator: EscposPrinterEmulator) -> None:
    await drawer.open()
    for level in HealthLevel:
        assert (await drawer.health(level)).ok
    assert emulator.drawer_kicks == 0


async def test_without_its_printer_it_is_not_opened(
    drawer: PrinterPortDrawer, siblings: dict[str, Sibling], emulator: EscposPrinterEmulator
) -> None:
    await drawer.open()
    del siblings[ROLE]
    assert await drawer.kick() is False
    assert await drawer.is_open() is None
    with pytest.raises(DeviceLost) as lost:
        await drawer.health(HealthLevel.INTERNAL)
    assert lost.value.reason == "parent_absent"
    with pytest.raises(DeviceAbsent) as absent:
        await drawer.open()
    assert absent.value.reason == "parent_absent"
    assert emulator.drawer_kicks == 0


async def test_a_printer_that_is_away_kicks_nothing(
    drawer: PrinterPortDrawer, emulator: EscposPrinterEmulator
) -> None:
    await drawer.open()
    await emulator.close()
    assert await drawer.kick() is False
    report = await drawer.health(HealthLevel.EXTERNAL)
    assert not report.ok


async def test_without_paper_it_is_well_and_is_kicked(
    drawer: PrinterPortDrawer, emulator: EscposPrinterEmulator
) -> None:
    await drawer.open()
    await emulator.pull(Verb.PAPER_OUT)
    assert (await drawer.health(HealthLevel.INTERNAL)).ok
    assert await drawer.kick() is True
    assert await drawer.is_open() is True


async def test_a_printer_without_a_drawer_port(siblings: dict[str, Sibling]) -> None:
    known = siblings[ROLE]
    without = {"drawer_kick": Capability(False, Source.QUIRK)}
    siblings[ROLE] = Sibling(known.driver, DeviceInfo("POS-58", "tcp:x", capabilities=without))
    with pytest.raises(DeviceBlocked) as blocked:
        await PrinterPortDrawer(ROLE, siblings.get).open()
    assert blocked.value.reason == "wrong_device"


async def test_a_role_that_is_no_printer(siblings: dict[str, Sibling]) -> None:
    drawer = PrinterPortDrawer(ROLE, siblings.get)
    siblings["other"] = Sibling(drawer, DeviceInfo("drawer", "x"))
    with pytest.raises(DeviceBlocked) as blocked:
        await PrinterPortDrawer("other", siblings.get).open()
    assert blocked.value.reason == "bad_option"

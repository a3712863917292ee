"""Devices that hang on another one: a drawer on its printer, a light on its reader."""

from __future__ import annotations

import asyncio

import pytest

from tapledger_drivers.drawers.printer_port import PrinterPortDrawer
from tapledger_drivers.errors import DeviceAbsent
from tests.devices.fakes import PAPER_OUT, FakePrinter, HangsOn, Room
from tests.devices.test_supervisor import PRINTER, run, running
from tests.devices.test_supervisor import patient as patient

DRAWER, LIGHT = "cash-drawer", "till-light"
MANY_TURNS = 100
"""Of the event loop: a device that is tried without a wait is tried again within a few."""


def drawer_of(role: str) -> HangsOn:
    return HangsOn(lambda sibling: PrinterPortDrawer(role, sibling))


async def test_what_hangs_on_another_comes_and_goes_with_it_at_once(patient: None) -> None:
    printer = FakePrinter()
    printer.openings = [DeviceAbsent("unreachable"), None]
    async with running(receipt_printer=printer, cash_drawer=drawer_of(PRINTER)) as room:
        await room.until(lambda: room.link(DRAWER) == "absent")
        room.devices.wake(PRINTER)
        await room.until(lambda: room.link(DRAWER) == "online")
        printer.state = PAPER_OUT
        await room.until(lambda: room.link(PRINTER) == "degraded")
        assert room.link(DRAWER) == "online", "it is kicked without paper too"
        printer.openings = [DeviceAbsent("unreachable")]
        room.devices.reopen(PRINTER)
        await room.until(lambda: room.link(PRINTER) == "absent")
        await room.until(lambda: room.devices.states[DRAWER].reason == "parent_absent")


@pytest.mark.parametrize(
    "parents", [{DRAWER: DRAWER}, {DRAWER: LIGHT, LIGHT: DRAWER}], ids=["itself", "ring"]
)
async def test_what_hangs_on_itself_waits_like_anything_that_is_absent(
    patient: None, parents: dict[str, str]
) -> None:
    """A mistake in daemon.toml: two that wake one another would never come to rest."""
    room = Room({child: drawer_of(parent) for child, parent in parents.items()})
    async with run(room.devices):
        await room.until(lambda: all(room.link(role) == "absent" for role in parents))
        room.devices.wake(DRAWER)
        await room.until(lambda: room.link(DRAWER) == "absent")
        for _ in range(MANY_TURNS):
            await asyncio.sleep(0)
        assert room.built == len(parents) + 1

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


@pytest.mark.parametrize("parent", [DRAWER, LIGHT])
async def test_what_hangs_on_itself_or_on_nothing_is_a_mistake_of_the_configuration(
    patient: None, parent: str
) -> None:
    """It would be waited for in vain, and whoever looks would be sent to a device that is not there."""
    async with running(receipt_printer=FakePrinter(), cash_drawer=drawer_of(parent)) as room:
        await room.until(lambda: room.link(DRAWER) == "blocked")
        state = room.devices.states[DRAWER]
        assert state.reason == "bad_option"
        assert state.detail == f"device 'cash-drawer': no other is '{parent}'; known: receipt-printer"


async def test_two_that_hang_on_one_another_wait_like_anything_that_is_absent(patient: None) -> None:
    """A mistake in daemon.toml: if each try of one woke the other, they would never come to rest."""
    room = Room({DRAWER: drawer_of(LIGHT), LIGHT: drawer_of(DRAWER)})
    async with run(room.devices):
        await room.until(lambda: room.link(DRAWER) == room.link(LIGHT) == "absent")
        room.devices.wake(DRAWER)
        await room.until(lambda: room.link(DRAWER) == "absent")
        for _ in range(MANY_TURNS):
            await asyncio.sleep(0)
        assert room.built == 3

"""What members and cashiers are told of the devices of their face."""

from __future__ import annotations

from typing import Any

import pytest

from tapledger.devices.state import DeviceState
from tapledger.floor.views import troubles

PRINTER, DRAWER, READER, LIGHT = "receipt-printer", "cash-drawer", "till-reader", "till-light"


def told(**states: Any) -> dict[str, str]:
    """Return what the till is told of devices that are as ``role=(link, reason)``."""
    made = {
        role.replace("_", "-"): DeviceState(role, "fake", link=link, reason=reason, ready=link == "online")
        for role, (link, reason) in states.items()
    }
    made["receipt-printer"].near_end = made["receipt-printer"].reason == "near_end"
    return {one.device: one.plain for one in troubles(made, "till")}


@pytest.mark.parametrize(
    ("printer", "plain"),
    [(("online", ""), None), (("degraded", "near_end"), "paper_low"), (("disabled", ""), "off")],
)
def test_a_drawer_has_trouble_of_its_own_however_its_printer_is(
    printer: tuple[str, str], plain: str | None
) -> None:
    shown = {} if plain is None else {"printer": plain}
    said = told(receipt_printer=printer, cash_drawer=("blocked", "wrong_device"))
    assert said == {**shown, "drawer": "technician"}


def test_of_what_hangs_on_another_that_is_away_only_the_other_is_told() -> None:
    away, hanging = ("absent", "unreachable"), ("absent", "parent_absent")
    said = told(receipt_printer=away, cash_drawer=hanging, till_reader=away, till_light=hanging)
    assert said == {"printer": "absent", "reader": "absent"}

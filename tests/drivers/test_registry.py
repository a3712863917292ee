from __future__ import annotations

import sys

import pytest

from tapledger_drivers.device import DeviceConfig
from tapledger_drivers.errors import DeviceBlocked
from tapledger_drivers.registry import create_driver
from tests.drivers.cards import TRUST
from tests.drivers.scanners import live_io


@pytest.mark.parametrize(
    ("driver", "options", "reason", "words"),
    [
        ("escpos_tpc", {}, "unknown_driver", "did you mean 'escpos_tcp'?"),
        ("fax", {}, "unknown_driver", "known: escpos, escpos_tcp, evdev_keyboard"),
        ("escpos_tcp", {"host": "p", "colums": 48}, "unknown_option", "did you mean 'columns'?"),
        ("escpos_tcp", {}, "bad_option", "host"),
        ("escpos_tcp", {"host": "p", "port": "9100"}, "bad_option", "from 1 to 65535"),
        ("escpos_tcp", {"host": "p", "port": True}, "bad_option", "port"),
        ("serial_line", {"path": ""}, "bad_option", "path"),
        ("pcsc", {"reader": "ACS"}, "bad_option", "reader_name"),
    ],
)
def test_wrong_configuration_is_blocked_with_its_repair(
    driver: str, options: dict[str, object], reason: str, words: str
) -> None:
    with pytest.raises(DeviceBlocked) as caught:
        create_driver(DeviceConfig("some-role", driver, options), TRUST, live_io())
    assert caught.value.reason == reason
    assert words in caught.value.detail
    assert "some-role" in caught.value.detail


async def test_without_pyscard_only_the_card_reader_is_blocked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "tapledger_drivers.transports.pcsc", raising=False)
    monkeypatch.setitem(sys.modules, "smartcard", None)
    with pytest.raises(DeviceBlocked, match="pyscard_missing") as caught:
        await create_driver(
            DeviceConfig("kiosk-reader", "pcsc", {"reader_name": "ACS"}), TRUST, live_io()
        ).open()
    assert "libpcsclite-dev" in caught.value.detail
    assert create_driver(
        DeviceConfig("till-scanner", "serial_line", {"path": "/dev/ttyACM0"}), TRUST, live_io()
    )

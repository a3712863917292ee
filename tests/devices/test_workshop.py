"""What a technician sees of a device and does with it."""

from __future__ import annotations

import msgspec
import pytest

from tapledger.languages import LANGUAGES
from tapledger.web.device_snapshots import DeviceView
from tapledger_drivers.device import DeviceInfo, Finding, HealthLevel, HealthReport
from tapledger_drivers.errors import DeviceBlocked
from tests.devices.test_serving import PAGE, Shop, shop
from tests.devices.test_serving import cashier as cashier
from tests.store.shops import TOWEL, Bench, card

SMALL_BYTES = 1200
"""A device on the console, which is pushed at each change."""


def view(at: Shop, role: str) -> DeviceView:
    return next(one for one in at.daemon.technician.devices("en") if one.role == role)


async def test_the_rest_of_a_device_is_told_when_it_is_asked_for(bench: Bench) -> None:
    await bench.join("Ann", card("a"))
    async with shop(bench) as at:
        at.tap(at.kiosk_reader, "a")
        await at.until(lambda: at.kiosk == "Balance")
        told = await at.daemon.technician.details("kiosk-reader")
        assert (told.device.link, told.device.holder, told.device.virtual) == ("online", "kiosk", True)
        assert told.statistics.opened == 1
        assert {timing.name for timing in told.statistics.timings} >= {"report_to_disk"}
        assert [event.type for event in told.events] == ["status", "data"]
        assert told.events[-1].data["what"] == "card"
        assert told.events[-1].private is None
        assert len(msgspec.json.encode(view(at, "kiosk-reader"))) < SMALL_BYTES


async def test_what_is_good_to_know_of_a_model_is_told(bench: Bench) -> None:
    async with shop(bench) as at:
        await at.until(lambda: view(at, "kiosk-reader").link == "online")
        assert (await at.daemon.technician.details("kiosk-reader")).advice == []
        at.daemon.devices.states["kiosk-reader"].info = DeviceInfo("ACS ACR122U PICC 00 00", "pcsc:x")
        advice = (await at.daemon.technician.details("kiosk-reader")).advice
        assert len(advice) == 2
        assert advice[1].startswith("It beeps as soon as")


async def test_a_check_is_told_in_words(bench: Bench) -> None:
    async with shop(bench) as at:
        await at.until(lambda: view(at, "till-scanner").link == "online")
        at.scanner.healthy = HealthReport(
            HealthLevel.EXTERNAL, (Finding("port_open", True), Finding("noise", False, "40 %"))
        )
        told = await at.daemon.technician.check("till-scanner", "interactive")
        assert (told.level, told.ok) == ("external", False), "the level that it can do"
        assert [finding.sentence for finding in told.findings] == [
            "The port is open",
            "What arrives from it is garbled.",
        ]


@pytest.mark.parametrize("language", LANGUAGES)
async def test_trouble_says_what_it_means_and_what_to_do(bench: Bench, language: str) -> None:
    async with shop(bench) as at:
        await at.until(lambda: view(at, "till-scanner").link == "online")
        assert view(at, "till-scanner").consequence == ""
        at.scanner.openings = [DeviceBlocked("in_use", "/dev/ttyACM0 is open in ModemManager (612)")]
        at.daemon.devices.reopen("till-scanner")
        await at.until(lambda: view(at, "till-scanner").link == "blocked")
        [told] = [one for one in at.daemon.technician.devices(language) if one.role == "till-scanner"]
        assert told.sentence
        assert told.consequence
        assert "ModemManager (612)" in told.next_step
        assert told.help == "docs/devices/problems.md#in_use"
        [repair] = at.daemon.technician.repairs(language)
        assert (repair.device, repair.severity, repair.sentence) == ("till-scanner", "error", told.sentence)
        at.daemon.technician.acknowledge(repair.id)
        assert at.daemon.technician.repairs(language) == []


async def test_an_override_takes_it_from_a_face_that_serves_somebody(bench: Bench) -> None:
    async with shop(bench) as at:
        await at.sign_in()
        at.scan(TOWEL)
        await at.until(lambda: at.basket == {TOWEL: 1})
        given = at.daemon.technician.change("override", "till-scanner", PAGE)
        assert given is not None
        assert given.yours
        assert view(at, "till-scanner").holder == "console 1"
        rows = "SELECT shown FROM device_event WHERE type = 'lifecycle' AND device = 'till-scanner'"
        await at.until(lambda: bool(bench.rows(rows)))
        assert "console 1 from till" in bench.rows(rows)[-1][0]
        at.daemon.claims.left(PAGE)
        assert view(at, "till-scanner").holder == "till"

"""Which device is meant: the same one whatever its number, and never one of two."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapledger.devices.discovery.identity import (
    Candidate,
    Match,
    candidate,
    guess,
    read_match,
    resolve,
    suggest,
    swap_candidates,
)
from tapledger.devices.discovery.source import Change, HotplugEvent
from tapledger_drivers.errors import DeviceAbsent, DeviceBlocked

SCANNER = "0C2E:0B61"

serials = st.sampled_from(["", "", "A1", "A2", "0001"])
names = st.sampled_from(["", "usb-Acme_A1-if00", "usb-Acme-if00"])


@st.composite
def shops(draw: st.DrawFn) -> list[Candidate]:
    """What may be plugged in at once: any serial numbers, and no two things in one port."""
    ports = draw(st.lists(st.integers(1, 9), min_size=1, max_size=6, unique=True))
    return [
        Candidate(
            "tty",
            f"/dev/ttyACM{number}",
            draw(st.sampled_from([SCANNER, "1A86:7523"])),
            draw(serials),
            draw(names),
            f"pci-usb-0:1.{port}:1.0",
            f"1-1.{port}",
        )
        for number, port in enumerate(ports)
    ]


@given(shops())
def test_what_is_suggested_means_that_device_and_no_other(there: list[Candidate]) -> None:
    for one in there:
        assert resolve("till-scanner", suggest(one, there), there) is one


@given(shops(), st.randoms(use_true_random=False))
def test_numbers_and_order_do_not_matter(there: list[Candidate], dice: random.Random) -> None:
    """After a restart of the machine the same devices have other numbers."""
    written = {one.by_path: suggest(one, there) for one in there}
    numbers = list(range(len(there)))
    dice.shuffle(numbers)
    moved = [
        Candidate("tty", f"/dev/ttyACM{number}", o.usb_id, o.usb_serial, o.by_id, o.by_path, o.port)
        for number, o in zip(numbers, there, strict=True)
    ]
    dice.shuffle(moved)
    for place, match in written.items():
        assert resolve("till-scanner", match, moved).by_path == place


@given(shops(), serials, names, st.sampled_from(["", SCANNER]))
def test_a_match_means_one_or_is_refused(there: list[Candidate], serial: str, name: str, usb_id: str) -> None:
    match = Match(usb_serial=serial, by_id=name, usb_id=usb_id)
    fitting = [one for one in there if match.fits(one)]
    try:
        assert [resolve("till-scanner", match, there)] == fitting
    except DeviceAbsent:
        assert fitting == []
    except DeviceBlocked as refused:
        assert refused.reason == "two_devices" and len(fitting) > 1
        for one in fitting:
            assert one.path in refused.detail and f"port {one.port}" in refused.detail


def test_the_serial_number_lasts_longest_and_the_port_is_the_last_resort() -> None:
    one = Candidate("tty", "/dev/ttyACM0", SCANNER, "A1", "usb-A1", "port-1", "1-1")
    assert suggest(one, [one]) == Match(usb_serial="A1")
    alike = Candidate("tty", "/dev/ttyACM1", SCANNER, "A1", "usb-A1-if02", "port-2", "1-2")
    assert suggest(one, [one, alike]) == Match(by_id="usb-A1")
    twin = Candidate("tty", "/dev/ttyACM1", SCANNER, "A1", "usb-A1", "port-2", "1-2")
    assert suggest(one, [one, twin]) == Match(by_path="port-1")


@pytest.mark.parametrize(
    ("table", "reason", "says"),
    [
        ({}, "bad_option", "match = {"),
        ("A1", "bad_option", "match = {"),
        ({"serial": "A1"}, "unknown_option", "did you mean 'usb_serial'?"),
        ({"colour": "red"}, "unknown_option", "known: usb_serial, by_id, by_path, usb_id"),
        ({"usb_serial": 1234}, "bad_option", "match.usb_serial"),
        ({"usb_serial": ""}, "bad_option", "match.usb_serial"),
        ({"by_path": "x" * 300}, "bad_option", "match.by_path"),
    ],
)
def test_a_match_that_cannot_be_meant_says_what_was_expected(table: object, reason: str, says: str) -> None:
    with pytest.raises(DeviceBlocked) as refused:
        read_match("till-scanner", table)
    assert refused.value.reason == reason
    assert says in refused.value.detail


def test_a_link_may_be_copied_whole_and_an_id_in_small_letters() -> None:
    match = read_match("till-scanner", {"by_id": "/dev/serial/by-id/usb-Acme-if00", "usb_id": "0c2e:0b61"})
    assert match == Match(by_id="usb-Acme-if00", usb_id=SCANNER)


@given(st.dictionaries(st.sampled_from(["ID_VENDOR_ID", "DEVLINKS", "ID_PATH", "ID_MODEL"]), st.text()))
def test_whatever_a_device_says_of_itself_is_read(said: dict[str, str]) -> None:
    one = candidate(HotplugEvent(Change.ADDED, "tty", "/dev/ttyACM0", said))
    guess(one)
    assert one.path in one.where()


def test_a_broken_scanner_is_replaced_by_what_is_in_its_port() -> None:
    broken = Candidate("tty", "/dev/ttyACM0", SCANNER, "A1", "", "port-1", "1-1")
    new = Candidate("tty", "/dev/ttyACM3", "1EAB:0C06", "B7", "", "port-1", "1-1")
    other = Candidate("tty", "/dev/ttyACM2", SCANNER, "C3", "", "port-2", "1-2")
    printer = Candidate("usbmisc", "/dev/usb/lp0", "04B8:0E15", "", "", "port-3", "1-3")
    taken = Candidate("tty", "/dev/ttyACM1", SCANNER, "D4", "", "port-4", "1-4")
    there = [printer, other, taken, new]
    assert swap_candidates("scanner", broken, there, lambda one: one is taken) == [new, other]
    assert swap_candidates("scanner", None, [printer], lambda one: False) == []

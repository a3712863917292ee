"""Which reader a role gets: names as pcscd gives them."""

from __future__ import annotations

import pytest

from tapledger_drivers import quirks
from tapledger_drivers.cards.choosing import Wanted, choose
from tapledger_drivers.cards.reader_models import SIGNALS
from tapledger_drivers.errors import DeviceAbsent, DeviceBlocked

PICC = "ACS ACR1252 Dual Reader [ACR1252 Dual Reader PICC] 00 00"
SAM = "ACS ACR1252 Dual Reader [ACR1252 Dual Reader SAM] 01 00"
SECOND_PICC = "ACS ACR1252 Dual Reader [ACR1252 Dual Reader PICC] 02 00"
SECOND_SAM = "ACS ACR1252 Dual Reader [ACR1252 Dual Reader SAM] 03 00"
ACR122U = "ACS ACR122U PICC Interface 04 00"
CONTACTS = "ACS ACR39U ICC Reader 05 00"
SONY = "SONY FeliCa RC-S300/P (0012345) 06 00"
SONY_TOO = "SONY FeliCa RC-S300/P (0067890) 07 00"
DUAL_CL = "HID Global OMNIKEY 5422 Smartcard Reader [OMNIKEY 5422 CL Interface] 08 00"
DUAL_CT = "HID Global OMNIKEY 5422 Smartcard Reader [OMNIKEY 5422 Interface] 09 00"


@pytest.mark.parametrize("names", [(PICC, SAM), (SAM, PICC), (SAM, ACR122U, PICC, CONTACTS)])
def test_the_contactless_slot_is_chosen_and_never_the_sam(names: tuple[str, ...]) -> None:
    assert choose(names, Wanted("acr1252")) == PICC


def test_a_lone_sam_slot_is_no_reader() -> None:
    with pytest.raises(DeviceAbsent, match="reader_absent"):
        choose([SAM], Wanted("ACR1252"))


def test_a_whole_name_is_that_reader() -> None:
    assert choose([PICC, SAM, SECOND_PICC, SECOND_SAM], Wanted(SECOND_PICC)) == SECOND_PICC


def test_two_alike_ask_for_a_person_or_a_number() -> None:
    names = [PICC, SAM, SECOND_PICC, SECOND_SAM]
    with pytest.raises(DeviceBlocked, match="two_readers") as caught:
        choose(names, Wanted("ACR1252"))
    assert PICC in caught.value.detail and SECOND_PICC in caught.value.detail
    assert SAM not in caught.value.detail
    assert [choose(names, Wanted("ACR1252", number=number)) for number in (1, 2)] == [PICC, SECOND_PICC]
    with pytest.raises(DeviceAbsent, match="only 2"):
        choose(names, Wanted("ACR1252", number=3))


def test_a_serial_number_tells_two_alike_apart() -> None:
    assert choose([SONY, SONY_TOO], Wanted("RC-S300", serial="0067890")) == SONY_TOO
    with pytest.raises(DeviceAbsent, match="0000001"):
        choose([SONY, SONY_TOO], Wanted("RC-S300", serial="0000001"))


def test_of_a_reader_with_both_kinds_of_slot_the_wanted_one_is_chosen() -> None:
    assert choose([DUAL_CL, DUAL_CT], Wanted("5422")) == DUAL_CL
    assert choose([DUAL_CL, DUAL_CT], Wanted("5422", contact=True)) == DUAL_CT
    assert choose([CONTACTS], Wanted("ACR39U", contact=True)) == CONTACTS


def test_without_any_reader_it_is_absent() -> None:
    with pytest.raises(DeviceAbsent, match="none"):
        choose([], Wanted("ACS"))


@pytest.mark.parametrize(
    ("name", "model", "says"),
    [
        (PICC, "ACS ACR1252U", {"signals": "acr1252", "felica": True}),
        (ACR122U, "ACS ACR122U", {"signals": "acr122", "felica": False}),
        (CONTACTS, "ACS ACR39U", {"contact": True}),
        ("ACS ACR3901U ICC Reader 00 00", "ACS ACR39U", {"contact": True}),
        (SONY, "Sony RC-S300", {"felica": True}),
    ],
)
def test_known_models_are_known_by_pcscds_name(name: str, model: str, says: dict[str, object]) -> None:
    quirk = quirks.find("reader", name=name)
    assert quirk is not None and quirk.model == model
    assert says.items() <= dict(quirk.capabilities).items()


def test_the_table_is_sound() -> None:
    readers = [quirk for quirk in quirks.QUIRKS if quirk.kind == "reader"]
    assert all(quirk.source and quirk.names and quirk.usb_ids for quirk in readers)
    assert all(quirk.capabilities.get("signals", "acr122") in SIGNALS for quirk in readers)
    assert quirks.find("reader", name="Some Other Reader 00 00") is None
    assert quirks.find("printer", name=ACR122U) is None

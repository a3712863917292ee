"""Every reason has its row, its sentences and its story; repairs come and go with the trouble."""

from __future__ import annotations

import re

import pytest

from tapledger import texts
from tapledger.devices.reasons import REASONS
from tapledger.devices.repairs import HELP_PAGE, Repairs, help_of, repair_of
from tapledger.devices.roles import ROLES
from tapledger.devices.state import UNDECIDED, DeviceState
from tapledger.languages import LANGUAGES
from tapledger.settings import DeviceSettings
from tapledger_drivers.quirks import QUIRKS
from tests.source_tree import ROOT
from tests.texts.said import device_reasons


def test_every_reason_of_a_driver_has_its_row() -> None:
    assert device_reasons() - set(REASONS) == set(), "add these to devices/reasons.py"


def test_every_reason_has_its_story() -> None:
    page = (ROOT / HELP_PAGE).read_text(encoding="utf-8")
    told = re.findall(r"^### (\S+)$", page, re.MULTILINE)
    assert sorted(told) == sorted(REASONS)
    assert help_of("paper_out").split("#")[1] in told


def test_every_role_of_the_settings_is_known() -> None:
    for role in ROLES:
        assert DeviceSettings(role=role, driver="pcsc").role == role  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="kiosk-reader"):
        DeviceSettings(role="kiosk-oven", driver="pcsc")  # type: ignore[arg-type]


@pytest.mark.parametrize("language", LANGUAGES)
def test_sentences_are_for_people(language: str) -> None:
    """No code of ours and no name of a call stands in a sentence."""
    for reason in REASONS:
        assert "_" not in texts.catalogue(language)[f"device.{reason}"], reason
        assert texts.say(language, f"device.{reason}.next", detail="x"), reason


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_good_to_know_of_a_model_has_its_sentence(language: str) -> None:
    told = {key for key in texts.catalogue(language) if key.startswith("device.advice.")}
    assert told == {f"device.advice.{code}" for quirk in QUIRKS for code in quirk.advice}


def trouble(reason: str, link: str = "degraded", detail: str = "") -> DeviceState:
    return DeviceState("receipt-printer", "fake", link=link, reason=reason, detail=detail)  # type: ignore[arg-type]


def test_a_repair_goes_with_its_trouble_and_comes_back_with_it() -> None:
    repairs, state = Repairs(), trouble("paper_out")
    [repair] = repairs.open([state])
    assert (repair.severity, repair.device, repair.fix) == ("error", "receipt-printer", "health")
    assert repair.learn_more == "docs/devices/problems.md#paper_out"
    repairs.acknowledge(repair.id)
    assert repairs.open([state]) == []
    assert repairs.open([trouble("", "online")]) == []
    assert repairs.open([state]) == [repair], "it is told again when it comes again"


@pytest.mark.parametrize(("reason", "link"), [("reader_absent", "absent"), ("in_use", "blocked")])
def test_a_try_that_finds_nothing_does_not_tell_it_again(reason: str, link: str) -> None:
    """Whatever is plugged in anywhere has every absent device tried; what was wrong stands meanwhile."""
    repairs, absent = Repairs(), trouble(reason, link)
    [repair] = repairs.open([absent])
    for tried in UNDECIDED:
        assert repairs.open([trouble(reason, tried)]) == [repair]
    repairs.acknowledge(repair.id)
    for tried in UNDECIDED:
        assert repairs.open([trouble(reason, tried)]) == []
    assert repairs.open([absent]) == []
    assert repairs.open([trouble("", "online")]) == []
    assert len(repairs.open([absent])) == 1


def test_a_repair_that_was_seen_is_not_another_one() -> None:
    repairs = Repairs()
    first, other = (
        trouble("not_permitted", "blocked", "dialout"),
        trouble("not_permitted", "blocked", "plugdev"),
    )
    repairs.acknowledge(repairs.open([first])[0].id)
    assert repairs.open([first]) == []
    assert len(repairs.open([other])) == 1


def test_what_passes_by_itself_is_nobodys_task() -> None:
    assert repair_of(trouble("power_cycled")) is None
    assert repair_of(trouble("", "online")) is None
    assert repair_of(trouble("paper_out", "disabled")) is None
    assert repair_of(trouble("a_reason_of_another_maker", "blocked")) is not None

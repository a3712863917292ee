"""The two axes of a device's state, and the waits."""

from __future__ import annotations

from typing import get_args

import pytest

from tapledger.devices import waiting
from tapledger.devices.state import (
    ACTIVITIES,
    CLOSED,
    LINKS,
    OPEN,
    Activity,
    Cue,
    Doing,
    Link,
    next_activity,
    next_link,
)
from tapledger.devices.waiting import Waits, back_off_s

MIDDLE = 0.5
"""Dice that leave a wait as it is."""


def test_every_cue_has_its_row_and_every_link_is_reached() -> None:
    assert set(LINKS) == set(Cue)
    links = set(get_args(Link))
    assert {link for row in LINKS.values() for link in row.values()} == links
    assert all(set(row) <= links for row in LINKS.values())


def test_every_link_can_be_left() -> None:
    for link in get_args(Link):
        assert any(row.get(link, link) != link for row in LINKS.values()), link


@pytest.mark.parametrize(
    ("cues", "links"),
    [
        (["found", "try", "opened", "went", "try", "missing"],
         ["discovered", "opening", "online", "lost", "opening", "absent"]),
        (["try", "opened", "unwell", "well", "unwell", "went"],
         ["opening", "online", "degraded", "online", "degraded", "lost"]),
        (["try", "refused", "found", "try", "failed"],
         ["opening", "blocked", "discovered", "opening", "backing_off"]),
        (["try", "opened", "went", "failed", "disable", "enable"],
         ["opening", "online", "lost", "backing_off", "disabled", "discovered"]),
    ],
)  # fmt: skip
def test_a_device_goes_through_its_links(cues: list[str], links: list[str]) -> None:
    link: Link = "absent"
    passed = [link := next_link(link, Cue(cue)) for cue in cues]
    assert passed == links


@pytest.mark.parametrize("cue", [Cue.OPENED, Cue.WELL, Cue.UNWELL, Cue.MISSING])
def test_a_cue_that_cannot_come_is_a_mistake(cue: Cue) -> None:
    with pytest.raises(KeyError):
        next_link("blocked", cue)


def test_only_an_open_device_can_be_well() -> None:
    assert set(LINKS[Cue.WELL]) == set(LINKS[Cue.UNWELL]) == set(OPEN)
    assert not OPEN & CLOSED


def test_activity_is_total() -> None:
    for doing in Doing:
        assert set(ACTIVITIES[doing]) == set(get_args(Activity))
    assert next_activity("busy", Doing.FAIL) == "error"
    assert next_activity("error", Doing.BEGIN) == "busy"
    assert next_activity("busy", Doing.DONE) == "idle"


# ---- waits -----------------------------------------------------------------------------------------------
def test_back_off_grows_to_its_longest() -> None:
    waits = [back_off_s(failures) for failures in range(12)]
    assert waits[0] == waiting.FIRST_S
    assert waits == sorted(waits)
    assert waits[3] == pytest.approx(0.2 * 1.8**3)
    assert waits[-1] == back_off_s(10**9) == waiting.LONGEST_S


def test_a_quick_look_for_an_absent_device_is_repeated_soon_for_ever() -> None:
    waits = Waits()
    looks = [waits.after_absence(0.001, MIDDLE) for _ in range(1000)]
    assert looks[0] == waiting.FIRST_S
    assert max(looks) == waiting.LOOK_S < 2.0 / 1.1, "usable within 2 s of its return"


def test_a_dear_look_is_repeated_seldom() -> None:
    waits = Waits()
    looks = [waits.after_absence(2.0, MIDDLE) for _ in range(20)]
    assert looks[-1] == 2.0 * waiting.LOOKING_SHARE
    assert [waits.after_absence(60.0, MIDDLE) for _ in range(20)][-1] == waiting.LONGEST_S


def test_a_device_that_keeps_failing_is_tried_ever_more_seldom() -> None:
    waits = Waits()
    tries = [waits.after_failure(0.1, MIDDLE) for _ in range(12)]
    assert tries == sorted(tries)
    assert tries[-1] == waiting.LONGEST_S


@pytest.mark.parametrize("cure", ["steady", "absent", "woken"])
def test_what_ends_a_row_of_failures(cure: str) -> None:
    waits = Waits()
    for _ in range(6):
        waits.after_failure(0.1, MIDDLE)
    if cure == "absent":  # it was really unplugged
        waits.after_absence(0.0, MIDDLE)
    if cure == "woken":
        waits.woken()
    assert waits.after_failure(waiting.STEADY_S if cure == "steady" else 0.1, MIDDLE) == waiting.FIRST_S


def test_waits_are_spread_by_a_tenth() -> None:
    waits = [Waits().after_refusal(dice) for dice in (0.0, 0.5, 0.999)]
    assert waits[0] == pytest.approx(27.0)
    assert waits[1] == waiting.LONGEST_S
    assert 32.9 < waits[2] < 33.0

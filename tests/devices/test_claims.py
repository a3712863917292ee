"""Whose a device's data are."""

from __future__ import annotations

import pytest

from tapledger.devices.claims import LEASE_S, REFUSE_S, Claims
from tapledger.errors import Conflict, Invalid
from tests.store.shops import HandClock

ROLE, OTHER_ROLE = "till-scanner", "kiosk-reader"
ONE, TWO, THREE = "page-one-session", "page-two-session", "page-three-session"


class Desk:
    def __init__(self) -> None:
        self.clock = HandClock()
        self.busy: set[str] = set()
        self.told: list[tuple[str, str]] = []
        self.claims = Claims(
            self.clock, lambda face: face in self.busy, lambda role, what, who: self.told.append((what, who))
        )


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_device_is_its_faces_while_nobody_claims_it(desk: Desk) -> None:
    assert (desk.claims.holder(ROLE), desk.claims.holder(OTHER_ROLE)) == ("till", "kiosk")


def test_two_pages_want_one_device_and_one_gets_it(desk: Desk) -> None:
    assert desk.claims.claim(ROLE, ONE).holder == "console 1"
    with pytest.raises(Conflict) as refusal:
        desk.claims.claim(ROLE, TWO)
    assert refusal.value.data == {"role": ROLE, "holder": "console 1"}
    assert desk.claims.holder(ROLE) == ONE
    assert desk.claims.holder(OTHER_ROLE) == "kiosk", "one device says nothing of another"


def test_a_face_that_serves_somebody_lets_nothing_go(desk: Desk) -> None:
    desk.busy.add("till")
    for ask in (desk.claims.claim, desk.claims.take_over):
        with pytest.raises(Conflict, match="DEVICE_SERVING"):
            ask(ROLE, ONE)
    desk.claims.claim(OTHER_ROLE, ONE)
    desk.busy.clear()
    assert desk.claims.take_over(ROLE, ONE).session == ONE


def test_a_lease_lives_by_signs_of_life(desk: Desk) -> None:
    desk.claims.claim(ROLE, ONE)
    for _ in range(3):
        desk.clock.move(LEASE_S - 1)
        desk.claims.claim(ROLE, ONE)
    desk.clock.move(LEASE_S)
    assert desk.claims.holder(ROLE) == "till"
    assert desk.told == [("claimed", "console 1"), ("lease_ended", "console 1")]


def test_a_page_that_is_gone_holds_nothing(desk: Desk) -> None:
    desk.claims.claim(ROLE, ONE)
    desk.claims.claim(OTHER_ROLE, ONE)
    desk.claims.left(ONE)
    assert (desk.claims.holder(ROLE), desk.claims.holder(OTHER_ROLE)) == ("till", "kiosk")
    desk.claims.left("a page that never claimed anything")


def test_who_does_not_refuse_in_time_gives_it(desk: Desk) -> None:
    desk.claims.claim(ROLE, ONE)
    asked = desk.claims.take_over(ROLE, TWO)
    assert (asked.session, asked.asked_by) == (ONE, TWO)
    assert desk.claims.take_over(ROLE, TWO).given_at_s == asked.given_at_s, "asking again gains no time"
    with pytest.raises(Conflict, match="DEVICE_CLAIMED"):
        desk.claims.take_over(ROLE, THREE)
    desk.clock.move(REFUSE_S - 1)
    assert desk.claims.holder(ROLE) == ONE
    desk.clock.move(1)
    assert desk.claims.holder(ROLE) == TWO
    assert [what for what, _ in desk.told] == ["claimed", "asked_for", "taken_over"]


def test_a_holder_may_keep_it(desk: Desk) -> None:
    desk.claims.claim(ROLE, ONE)
    desk.claims.take_over(ROLE, TWO)
    desk.claims.refuse(ROLE, ONE)
    desk.clock.move(REFUSE_S + 1)
    assert desk.claims.holder(ROLE) == ONE
    with pytest.raises(Conflict, match="DEVICE_NOT_YOURS"):
        desk.claims.refuse(ROLE, TWO)


def test_who_asked_may_want_it_no_more(desk: Desk) -> None:
    desk.claims.claim(ROLE, ONE)
    desk.claims.take_over(ROLE, TWO)
    desk.claims.release(ROLE, TWO)
    desk.clock.move(REFUSE_S + 1)
    assert desk.claims.holder(ROLE) == ONE
    assert desk.told[-1] == ("withdrawn", "console 2")
    with pytest.raises(Conflict, match="DEVICE_NOT_YOURS"):
        desk.claims.release(ROLE, TWO)


@pytest.mark.parametrize("how", ["release", "left", "lease"])
def test_who_asked_gets_what_becomes_free(desk: Desk, how: str) -> None:
    desk.claims.claim(ROLE, ONE)
    if how == "lease":
        desk.clock.move(LEASE_S - 1)
    desk.claims.take_over(ROLE, TWO)
    match how:
        case "release":
            desk.claims.release(ROLE, ONE)
        case "left":
            desk.claims.left(ONE)
        case _:
            desk.clock.move(1)
    assert desk.claims.holder(ROLE) == TWO


def test_who_asked_and_left_gets_nothing(desk: Desk) -> None:
    desk.claims.claim(ROLE, ONE)
    desk.claims.take_over(ROLE, TWO)
    desk.claims.left(TWO)
    desk.clock.move(REFUSE_S)
    assert desk.claims.holder(ROLE) == ONE


def test_an_override_is_at_once_and_on_record(desk: Desk) -> None:
    desk.busy.add("till")
    desk.claims.override(ROLE, ONE)
    desk.claims.override(ROLE, TWO)
    assert desk.claims.holder(ROLE) == TWO
    assert desk.told == [("overridden", "console 1 from till"), ("overridden", "console 2 from console 1")]


@pytest.mark.parametrize("role", ["receipt-printer", "cash-drawer", "nobody"])
def test_what_is_shared_has_no_holder(desk: Desk, role: str) -> None:
    with pytest.raises(Invalid, match="DEVICE_NOT_CLAIMABLE"):
        desk.claims.claim(role, ONE)
    assert desk.claims.holder(role) == ""


@pytest.mark.parametrize("session", ["", "short", "x" * 65, "tab\tinside", "会话会话会话会话"])
def test_a_page_names_itself_possibly(desk: Desk, session: str) -> None:
    with pytest.raises(Invalid, match="SESSION_IMPOSSIBLE"):
        desk.claims.claim(ROLE, session)

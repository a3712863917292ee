"""Freezing, leaving, coming back and being forgotten: what stays, what waits, what lapses."""

from __future__ import annotations

import datetime as dt

import msgspec
import pytest

from tapledger.errors import Invalid, Refused
from tapledger.loyalty import lots, members
from tapledger.loyalty.decisions import Decision
from tapledger.loyalty.effects import Consent, Coupon, Credential, Credited, Hold, Lot, LotTake
from tapledger.loyalty.ledger import EventBody
from tapledger.loyalty.life import lifecycle, standing
from tapledger.loyalty.life.lifecycle import Change, Erase
from tapledger.loyalty.members import Member
from tests.loyalty.givens import DAY, NOON, PROGRAM, after, code_of, lot, posted

BY = Change("s-1", "asked at the till")
CLOSES = dt.datetime(2026, 6, 3, 16, 0, tzinfo=dt.UTC)
"""The first instant after 3 June in Shanghai: thirty days after NOON."""


def full() -> Member:
    """A member with points that lapse, points that wait, a voucher, a coupon and stored value."""
    held = Hold("h", "coffee", "Coffee", 80, (LotTake("p", 80, CLOSES + DAY),), NOON, "v", NOON + 30 * DAY)
    return Member(
        "m-1",
        NOON - 30 * DAY,
        lots=(
            lot("p", 20, CLOSES + DAY),
            lot("q", 5, CLOSES - DAY),
            Lot("w", 7, 7, NOON + DAY, None),
            Lot("v", 5000, 5000, NOON - DAY, None, "principal"),
            Lot("b", 300, 300, NOON - DAY, None, "bonus"),
        ),
        holds=(held,),
        coupons=(Coupon("c", "ten", NOON, CLOSES + DAY),),
        credentials=(Credential("card", "idx", 1),),
        consents=(Consent("marketing_sms", True, "1", NOON, "till"),),
    )


def step(kind: str, member: Member, now: dt.datetime = NOON) -> Decision:
    decide = {
        "freeze": lifecycle.decide_freeze,
        "unfreeze": lifecycle.decide_unfreeze,
        "cancel": lifecycle.decide_cancel,
        "restore": lifecycle.decide_restore,
    }[kind]
    return decide(member, BY, PROGRAM, now)


def test_a_frozen_members_points_wait_and_their_expiry_goes_on() -> None:
    frozen = after(step("freeze", full()))
    assert frozen.status == "frozen"
    earned = Lot("n", 50, 50, standing.credit_available_at(frozen, NOON), CLOSES)
    body = EventBody(kind="sale", at=NOON, program="1", member="m-1", effects=(Credited(earned),))
    frozen = members.fold(frozen, body)
    have = members.points(frozen, NOON + 5 * DAY)
    assert (have.available, have.pending) == (32, 50)
    back = after(step("unfreeze", frozen, NOON + 2 * DAY))
    assert members.points(back, NOON + 2 * DAY).available == 82
    assert {one.id: one.expires_at for one in back.lots}["n"] == CLOSES
    assert members.points(back, CLOSES).available == 27, "what lapsed while frozen has lapsed"


def test_points_that_wait_for_something_else_go_on_waiting() -> None:
    frozen = after(step("freeze", full()))
    back = after(step("unfreeze", frozen))
    assert members.points(back, NOON).pending == 7


def test_who_comes_back_in_time_has_everything_with_its_own_expiry() -> None:
    before = full()
    gone = after(step("cancel", before))
    assert (gone.status, gone.restore_until) == ("cancelled", CLOSES)
    back = after(step("restore", gone, CLOSES - dt.timedelta(seconds=1)))
    assert (back.status, back.lots, back.coupons, back.holds) == (
        "active", before.lots, before.coupons, before.holds,
    )  # fmt: skip
    with pytest.raises(Refused, match="RESTORE_TOO_LATE"):
        step("restore", gone, CLOSES)


def test_what_lapses_after_the_window_and_what_is_still_owed() -> None:
    gone = after(step("cancel", full()))
    assert not lifecycle.is_lapsing(gone, CLOSES - dt.timedelta(seconds=1))
    with pytest.raises(Refused, match="MEMBER_NOT_CANCELLED"):
        lifecycle.decide_lapse(gone, PROGRAM, NOON)
    lapse = lifecycle.decide_lapse(gone, PROGRAM, CLOSES)
    left = after(lapse)
    assert [(one.id, one.remaining) for one in left.lots] == [("v", 5000)]
    assert (left.status, left.holds, left.coupons[0].state) == ("cancelled", (), "void")
    assert posted(lapse, "member/m-1/points") == -32
    assert posted(lapse, "member/m-1/held") == -80
    assert posted(lapse, "member/m-1/bonus", "CNY") == 300
    assert members.value(left, "principal", CLOSES) == 5000
    assert not lifecycle.is_lapsing(left, CLOSES), "it lapses once"
    with pytest.raises(Refused, match="RESTORE_TOO_LATE"):
        step("restore", left, CLOSES)


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("freeze", "frozen", "MEMBER_FROZEN"),
        ("freeze", "cancelled", "MEMBER_CANCELLED"),
        ("unfreeze", "active", "MEMBER_NOT_FROZEN"),
        ("cancel", "cancelled", "MEMBER_CANCELLED"),
        ("cancel", "erased", "MEMBER_ERASED"),
        ("restore", "active", "MEMBER_NOT_CANCELLED"),
        ("restore", "erased", "MEMBER_NOT_CANCELLED"),
    ],
)
def test_a_step_that_does_not_follow_is_refused(kind: str, status: str, code: str) -> None:
    with pytest.raises(Refused, match=code):
        step(kind, msgspec.structs.replace(full(), status=status))


def test_a_frozen_member_may_leave() -> None:
    assert after(step("cancel", after(step("freeze", full())))).status == "cancelled"


def test_smaller_d_who_has_paid_in_is_paid_out_or_signs() -> None:
    with pytest.raises(Refused) as caught:
        lifecycle.decide_erase(full(), Erase("s-1"), PROGRAM, NOON)
    assert code_of(caught.value) == ("PRINCIPAL_LEFT", {"owed_minor": 5000, "currency": "CNY"})
    with pytest.raises(Refused, match="PRINCIPAL_LEFT"):
        lifecycle.decide_erase(full(), Erase("s-1", "  "), PROGRAM, NOON)
    erased = lifecycle.decide_erase(full(), Erase("s-1", "paper 12"), PROGRAM, NOON)
    assert posted(erased, "member/m-1/principal", "CNY") == 5000
    assert posted(erased, "program/forfeited", "CNY") == -5000
    assert erased.body.facts == {"why": "paper 12"}
    paid_out = msgspec.structs.replace(full(), lots=())
    assert after(lifecycle.decide_erase(paid_out, Erase("s-1"), PROGRAM, NOON)).status == "erased"


def test_an_erased_member_has_nothing_that_is_personal() -> None:
    left = after(lifecycle.decide_erase(full(), Erase("s-1", "paper 12"), PROGRAM, NOON))
    assert (left.status, left.credentials, left.consents, left.birthday) == ("erased", (), (), None)
    assert lots.available(left.lots, NOON) == 0
    with pytest.raises(Refused, match="MEMBER_ERASED"):
        lifecycle.decide_erase(left, Erase("s-1"), PROGRAM, NOON)


def test_a_note_has_a_length() -> None:
    with pytest.raises(Invalid, match="WHY_TOO_LONG"):
        lifecycle.decide_freeze(full(), Change("s-1", "x" * 201), PROGRAM, NOON)

"""What two shops gave though it is given once goes back, all but one (decisions R19)."""

from __future__ import annotations

import datetime as dt

import msgspec
import pytest

from tapledger.loyalty import members, tallies
from tapledger.loyalty.effects import Coupon, CouponMoved, Grant, Lot, Tallied, Ungranted
from tapledger.loyalty.members import Member
from tapledger.loyalty.people import duplicates, surveys, visiting
from tapledger.loyalty.people.surveys import Answer
from tapledger.loyalty.program import Program, Tier
from tapledger.loyalty.program.people import Birthday, CheckIn, Gain, Gift, Question, Streak, Survey
from tapledger.loyalty.program.values import Returns
from tapledger.loyalty.tiers import tiering

AT = dt.datetime(2026, 3, 2, 2, tzinfo=dt.UTC)
TODAY = dt.date(2026, 3, 2).toordinal()
RULES = Program(
    version="1",
    currency="CNY",
    timezone="Asia/Shanghai",
    tiers=[Tier("normal", {"en": "Member"})],
    birthday=Birthday(gain=Gain(points=100, coupon="cake", entitlement="lounge", growth=7)),
)


def lot(id_: str, remaining: int, minute: int, source: str = "birthday") -> Lot:
    return Lot(id_, 100, remaining, AT + dt.timedelta(minutes=minute), None, source=source)


def coupon(id_: str, state: str = "issued", minute: int = 0) -> Coupon:
    at = AT + dt.timedelta(minutes=minute)
    return Coupon(id_, "cake", at, None, state=state, source="birthday")


def li(times: int, *lots: Lot, **more: object) -> Member:
    member = Member("li", AT, lots=lots, tallies={"birthday/2026": {TODAY: times}} if times else {})
    return msgspec.structs.replace(member, **more)


def taken_back(member: Member, program: Program = RULES) -> Member:
    decision = duplicates.decide_taken_back(member, program, AT + dt.timedelta(hours=1))
    assert decision is not None and decision.after is not None
    assert duplicates.decide_taken_back(decision.after, program, AT + dt.timedelta(hours=2)) is None
    return decision.after


def test_once_is_once() -> None:
    for times in (0, 1):
        assert duplicates.decide_taken_back(li(times, lot("a", 100, 0)), RULES, AT) is None


def test_the_later_lot_goes_and_the_first_stays() -> None:
    after = taken_back(li(2, lot("b", 100, 5), lot("a", 100, 0)))
    assert [(one.id, one.remaining) for one in after.lots] == [("a", 100)]
    assert tallies.total(after.tallies, "birthday/2026") == 1
    assert tallies.total(after.tallies, tallies.GROWTH) == -7


def test_three_times_goes_back_twice() -> None:
    after = taken_back(li(3, lot("a", 100, 0), lot("b", 100, 5), lot("c", 100, 9)))
    assert [one.id for one in after.lots] == ["a"]


def test_what_was_spent_comes_from_other_points_and_then_is_owed() -> None:
    after = taken_back(li(2, lot("a", 30, 0), lot("sale", 20, 1, "sale")))
    assert (members.points(after, AT + dt.timedelta(hours=1)).available, after.deficit) == (0, 50)


def test_a_programme_that_clamps_forgives_what_is_missing() -> None:
    rules = msgspec.structs.replace(RULES, returns=Returns(negative="clamp"))
    assert taken_back(li(2, lot("a", 30, 0)), rules).deficit == 0


def test_of_two_coupons_one_is_void_and_a_used_one_stays_used() -> None:
    member = li(2, lot("a", 200, 0), coupons=(coupon("one"), coupon("two", minute=5)))
    assert [one.state for one in taken_back(member).coupons] == ["issued", "void"]
    member = li(2, lot("a", 200, 0), coupons=(coupon("one"), coupon("two", "redeemed", 5)))
    assert [one.state for one in taken_back(member).coupons] == ["void", "redeemed"]
    member = li(2, lot("a", 200, 0), coupons=(coupon("one", "redeemed"), coupon("two", "redeemed", 5)))
    assert [one.state for one in taken_back(member).coupons] == ["redeemed", "redeemed"]


def test_a_right_is_kept_once() -> None:
    grants = tuple(Grant(id_, "lounge", None, None, "birthday") for id_ in ("one", "two"))
    decision = duplicates.decide_taken_back(li(2, lot("a", 200, 0), grants=grants), RULES, AT)
    assert decision is not None
    assert Ungranted("two") in decision.body.effects
    assert Ungranted("one") not in decision.body.effects
    assert not any(isinstance(effect, CouponMoved) for effect in decision.body.effects)


def test_gifts_of_a_check_in_are_once_a_day() -> None:
    rules = msgspec.structs.replace(RULES, check_in=CheckIn(gifts=[Gift("normal", Gain(points=9))]))
    member = li(0, lot("a", 100, 0, "check-in"), tallies={visiting.GIFT: {TODAY: 2, TODAY + 1: 1}})
    after = taken_back(member, rules)
    assert after.tallies[visiting.GIFT] == {TODAY: 1, TODAY + 1: 1}
    assert after.lots[0].remaining == 91


def test_the_gift_of_a_streak_is_once_a_day() -> None:
    rule = CheckIn(streaks=[Streak(3, Gain(points=30)), Streak(7, Gain(points=70))])
    rules = msgspec.structs.replace(RULES, check_in=rule)
    counted = {f"{visiting.STREAK}/3": {TODAY: 2, TODAY + 9: 1}, f"{visiting.STREAK}/7": {TODAY + 4: 1}}
    after = taken_back(li(0, lot("a", 100, 0, "check-in"), tallies=counted), rules)
    assert after.tallies[f"{visiting.STREAK}/3"] == {TODAY: 1, TODAY + 9: 1}
    assert after.lots[0].remaining == 70


@pytest.mark.parametrize(
    ("rounds", "kept"),
    [((3,), 30), ((0, 3), 30), ((3, 1), 30), ((1, 3), 30), ((2, 2), 20), ((3, 1, 1), 30), ((0, 0), 0)],
)
def test_of_two_rounds_of_a_quiz_the_better_one_stays(rounds: tuple[int, ...], kept: int) -> None:
    questions = [Question(f"q{i}", {}, [{}, {}], right=0) for i in range(3)]
    survey = Survey("quiz", {}, questions, gain=Gain(points=5), points_per_right=10)
    rules, member = msgspec.structs.replace(RULES, surveys=[survey]), li(0)
    for place, right in enumerate(rounds):
        # Each shop has not heard of the other's.
        answer = Answer("quiz", tuple(0 if i < right else 1 for i in range(3)), f"round-{place}")
        given = surveys.decide_answer(li(0), answer, rules, AT).body.effects
        member = tiering.with_effects(member, given, AT)
    after = taken_back(member, rules) if len(rounds) > 1 else member
    assert members.points(after, AT + dt.timedelta(hours=1)).available == 5 + kept


def test_what_came_together_by_a_merge_is_left_to_the_owner() -> None:
    member = li(2, lot("a", 100, 0), lot("b", 100, 5), aliases=("wu",))
    assert duplicates.decide_taken_back(member, RULES, AT) is None


def test_who_has_left_is_left_alone() -> None:
    assert duplicates.decide_taken_back(li(2, lot("a", 100, 0), status="cancelled"), RULES, AT) is None


def test_the_member_is_told_and_the_books_are_even() -> None:
    decision = duplicates.decide_taken_back(li(2, lot("a", 30, 0)), RULES, AT)
    assert decision is not None and decision.after is not None
    assert [line.amount for line in decision.body.lines] == [-100, 100]
    assert [note.reason.code for note in decision.after.notes] == ["GIVEN_TWICE"]
    assert Tallied("birthday/2026", TODAY, -1) in decision.body.effects

"""Check-in: once a day and shop, gifts once a day, streaks by the days of the programme (3.19, R28)."""

from __future__ import annotations

import pytest

from tapledger.errors import Refused
from tapledger.loyalty import members
from tapledger.loyalty.decisions import Decision
from tapledger.loyalty.effects import StatusSet
from tapledger.loyalty.members import Member
from tapledger.loyalty.people import visiting
from tapledger.loyalty.people.visiting import Visit
from tapledger.loyalty.program import Program, Reward
from tapledger.loyalty.program.people import CheckIn, Gain, Gift, Streak
from tests.loyalty.givens import after, program
from tests.loyalty.lives import MACHINES, ZONES, apply, at, codes, machine_in, nobody

RULE = CheckIn(
    gain=Gain(points=1),
    gifts=[Gift("normal", Gain(gift="sweet")), Gift("gold", Gain(gift="cake"))],
    streaks=[Streak(days, Gain(points=10 * days)) for days in (3, 7, 30)],
)
RULES = program(check_in=RULE, rewards=[Reward("sweet", {}, 0, stock=2), Reward("cake", {}, 0)])


def visit(id_: str, store: str = "s1", credential: str = "card", **more: object) -> Visit:
    return Visit(store, f"{id_}/{store}", credential, **more)  # type: ignore[arg-type]


def check_in(
    member: Member, day: str, clock: str = "12:00", rules: Program = RULES, **more: object
) -> Decision:
    return visiting.decide_check_in(member, visit(day, **more), rules, at(day, clock, rules.timezone))  # type: ignore[arg-type]


def streak_of(*days: str) -> int:
    member, row = nobody(), 0
    for day in days:
        decision = check_in(member, day)
        member, row = after(decision), int(decision.body.facts["streak"])
    return row


def test_G88_a_missed_day_begins_again() -> None:
    assert streak_of("2026-05-04", "2026-05-05", "2026-05-07") == 1
    assert streak_of("2026-05-04", "2026-05-05", "2026-05-06", "2026-05-07") == 4
    assert streak_of("2026-02-28", "2026-03-01") == 2


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("machine", MACHINES)
def test_G88_a_minute_before_and_after_midnight_are_two_days(zone: str, machine: str) -> None:
    rules = program(check_in=CheckIn(), timezone=zone)
    with machine_in(machine):
        member = after(check_in(nobody(), "2026-05-04", "23:59", rules))
        assert visiting.streak(member, rules, at("2026-05-05", "00:00", zone)) == 1
        again = check_in(member, "2026-05-05", "00:01", rules)
        assert again.body.facts["streak"] == 2
        with pytest.raises(Refused, match="CHECK_IN_ALREADY"):
            check_in(after(again), "2026-05-05", "23:59:59", rules)


def test_streaks_give_at_three_seven_and_thirty_days_once_each() -> None:
    member, bonuses = nobody(), []
    for day in range(1, 32):
        decision = check_in(member, f"2026-05-{day:02}")
        member = after(decision)
        if "STREAK" in codes(decision):
            bonuses.append(day)
    assert bonuses == [3, 7, 30]
    assert members.points(member, at("2026-05-31")).available == 31 + 30 + 70 + 300


def test_each_shop_counts_but_gifts_and_streaks_come_once_a_day() -> None:
    member = after(check_in(after(check_in(nobody(), "2026-05-04")), "2026-05-05"))
    first = check_in(member, "2026-05-06", store="s1")
    second = check_in(after(first), "2026-05-06", store="s2")
    assert codes(first) == ["CHECKED_IN", "GAINED_POINTS", "GAINED_GIFT", "STREAK", "GAINED_POINTS"]
    assert codes(second) == ["CHECKED_IN", "GAINED_POINTS"]
    with pytest.raises(Refused, match="CHECK_IN_ALREADY"):
        check_in(after(second), "2026-05-06", store="s2")


@pytest.mark.parametrize(("tier", "gift"), [("normal", "sweet"), ("gold", "cake"), ("silver", None)])
def test_gifts_are_those_of_the_tier(tier: str, gift: str | None) -> None:
    decision = check_in(nobody(tier), "2026-05-04")
    given = [reason.data["reward"] for reason in decision.body.reasons if reason.code == "GAINED_GIFT"]
    assert given == ([] if gift is None else [gift])


def test_a_gift_that_has_run_out_is_said_and_the_visit_counts() -> None:
    decision = check_in(nobody(), "2026-05-04", exhausted=frozenset({"reward/sweet"}))
    assert "GAIN_EXHAUSTED" in codes(decision) and "GAINED_GIFT" not in codes(decision)
    assert visiting.streak(after(decision), RULES, at("2026-05-04")) == 1


@pytest.mark.parametrize(
    ("member", "asked", "rules", "code"),
    [
        (nobody(), {}, program(check_in=None), "CHECK_IN_OFF"),
        (nobody(), {"credential": "phone"}, RULES, "CHECK_IN_NEEDS_CARD"),
        (nobody(), {"credential": "barcode"}, RULES, "CHECK_IN_NEEDS_CARD"),
        (apply(nobody(), StatusSet("frozen", at("2026-01-06"))), {}, RULES, "MEMBER_FROZEN"),
        (apply(nobody(), StatusSet("cancelled", at("2026-01-06"))), {}, RULES, "MEMBER_CANCELLED"),
    ],
)
def test_who_cannot_check_in(member: Member, asked: dict[str, str], rules: Program, code: str) -> None:
    with pytest.raises(Refused) as caught:
        check_in(member, "2026-05-04", rules=rules, **asked)
    assert caught.value.code == code


def test_at_the_till_staff_may_type_a_number() -> None:
    assert check_in(nobody(), "2026-05-04", credential="phone", at_kiosk=False, staff="s-1").after is not None


def test_a_streak_is_not_lost_before_the_day_is_over() -> None:
    member = after(check_in(after(check_in(nobody(), "2026-05-04")), "2026-05-05"))
    assert visiting.streak(member, RULES, at("2026-05-06", "23:59:59")) == 2
    assert visiting.streak(member, RULES, at("2026-05-07", "00:00")) == 0

"""Birthdays: the day by the programme's clock, once a year, and rarely changed (3.16, X9)."""

from __future__ import annotations

import msgspec
import pytest

from tapledger.errors import Invalid, Refused
from tapledger.loyalty import eligibility, members
from tapledger.loyalty.effects import StatusSet
from tapledger.loyalty.members import Member
from tapledger.loyalty.people import birthdays, occasions
from tapledger.loyalty.people.birthdays import SetBirthday
from tapledger.loyalty.program import Program
from tapledger.loyalty.program.people import Birthday, Gain
from tests.loyalty.givens import after, program
from tests.loyalty.lives import MACHINES, ZONES, apply, at, codes, machine_in, nobody

RULE = Birthday(gain=Gain(points=100))
RULES = program(birthday=RULE)


def born(
    month: int, day: int, year: int | None = None, rules: Program = RULES, on: str = "2024-02-01"
) -> Member:
    return apply(nobody(), birthdays.at_join(month, day, year, rules, at(on, zone=rules.timezone)))


def is_birthday(member: Member, day: str, rules: Program = RULES, clock: str = "12:00") -> bool:
    return eligibility.birthday_year(member, rules, at(day, clock, rules.timezone)) is not None


@pytest.mark.parametrize(
    ("leap_day", "day", "expected"),
    [
        ("feb28", "2025-02-28", True), ("feb28", "2025-03-01", False), ("mar1", "2025-03-01", True),
        ("mar1", "2025-02-28", False), ("feb28", "2028-02-29", True), ("feb28", "2028-02-28", False),
        ("mar1", "2028-02-29", True), ("mar1", "2028-03-01", False),
    ],
)  # fmt: skip
def test_G81_who_is_born_on_the_29th(leap_day: str, day: str, expected: bool) -> None:
    rules = program(birthday=msgspec.convert({"leap_day": leap_day}, Birthday))
    assert is_birthday(born(2, 29, 2000, rules), day, rules) is expected


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("machine", MACHINES)
def test_the_day_begins_and_ends_by_the_programmes_clock(zone: str, machine: str) -> None:
    rules = program(birthday=RULE, timezone=zone)
    member = born(5, 4, rules=rules)
    with machine_in(machine):
        assert [
            is_birthday(member, day, rules, clock)
            for day, clock in (
                ("2026-05-03", "23:59:59"), ("2026-05-04", "00:00:00"),
                ("2026-05-04", "23:59:59"), ("2026-05-05", "00:00:00"),
            )
        ] == [False, True, True, False]  # fmt: skip


def test_a_birthday_given_at_joining_counts_at_once() -> None:
    member = born(5, 4, on="2026-05-04")
    assert is_birthday(member, "2026-05-04")


def test_one_added_later_waits_thirty_days() -> None:
    added = after(birthdays.decide_birthday(nobody(), SetBirthday(5, 4), RULES, at("2026-04-05")))
    assert not is_birthday(added, "2026-05-04")
    in_time = after(birthdays.decide_birthday(nobody(), SetBirthday(5, 4), RULES, at("2026-04-04")))
    assert is_birthday(in_time, "2026-05-04")


def test_it_is_changed_once_in_365_days() -> None:
    member = born(5, 4, on="2026-01-10")
    with pytest.raises(Refused) as caught:
        birthdays.decide_birthday(member, SetBirthday(6, 1), RULES, at("2027-01-09", "23:59:59"))
    assert (caught.value.code, caught.value.data) == ("BIRTHDAY_CHANGED_LATELY", {"day": "2027-01-10"})
    moved = after(birthdays.decide_birthday(member, SetBirthday(2, 9), RULES, at("2027-01-10", "00:00")))
    assert is_birthday(moved, "2027-02-09")
    with pytest.raises(Refused):
        birthdays.decide_birthday(moved, SetBirthday(5, 4), RULES, at("2027-02-09"))


def test_a_year_may_be_added_at_any_time() -> None:
    member = born(5, 4, on="2026-04-30")
    aged = after(birthdays.decide_birthday(member, SetBirthday(5, 4, 1990), RULES, at("2026-05-01")))
    assert aged.birthday is not None and aged.birthday.year == 1990
    assert is_birthday(aged, "2026-05-04")


@pytest.mark.parametrize(
    ("month", "day", "year"),
    [
        (0, 1, None), (13, 1, None), (4, 31, None), (2, 30, None), (2, 29, 2001), (5, 0, None), (1, 1, 1899),
        (5, 5, 2026), (1, 1, 2027), (-1, -1, -1), (2**63, 1, None), (1, 2**63, None), (1, 1, 2**63),
    ],
)  # fmt: skip
def test_a_day_that_is_in_no_calendar_is_refused(month: int, day: int, year: int | None) -> None:
    with pytest.raises(Invalid, match="BIRTHDAY_IMPOSSIBLE"):
        birthdays.decide_birthday(nobody(), SetBirthday(month, day, year), RULES, at("2026-05-04"))


def test_who_has_left_sets_none() -> None:
    gone = apply(nobody(), StatusSet("cancelled", at("2026-01-06")))
    with pytest.raises(Refused, match="MEMBER_CANCELLED"):
        birthdays.decide_birthday(gone, SetBirthday(5, 4), RULES, at("2026-05-04"))


def test_the_gain_comes_once_a_year_at_the_first_tap_in_the_window() -> None:
    rules = program(birthday=Birthday("days", 3, gain=Gain(points=100)))
    member, given = born(1, 1, rules=rules), []
    for day in (
        "2025-12-28",
        "2025-12-29",
        "2026-01-01",
        "2026-01-04",
        "2026-01-05",
        "2026-12-29",
        "2027-01-02",
    ):
        now = at(day)
        for thing in occasions.due(member, rules, now):
            decision = occasions.decide_due(member, thing, rules, now, id_=f"e-{day}")
            member = after(decision)
            given.append((day, codes(decision)))
    assert given == [(day, ["BIRTHDAY_GAIN", "GAINED_POINTS"]) for day in ("2025-12-29", "2026-12-29")]
    assert members.points(member, at("2027-01-02")).available == 100, "the first hundred has lapsed"


def test_a_changed_birthday_is_not_a_second_one_in_its_year() -> None:
    member = born(5, 4, on="2025-01-10")
    (thing,) = occasions.due(member, RULES, at("2026-05-04"))
    member = after(occasions.decide_due(member, thing, RULES, at("2026-05-04"), id_="e"))
    moved = after(birthdays.decide_birthday(member, SetBirthday(9, 9), RULES, at("2026-05-05")))
    assert is_birthday(moved, "2026-09-09")
    assert occasions.due(moved, RULES, at("2026-09-09")) == []


@pytest.mark.parametrize("status", ["frozen", "cancelled", "merged", "erased"])
def test_nothing_is_due_to_who_is_not_active(status: str) -> None:
    member = apply(born(5, 4), StatusSet(status, at("2026-01-06")))
    assert occasions.due(member, RULES, at("2026-05-04")) == []


@pytest.mark.parametrize(
    ("month", "day", "year"), [(1, 1, 1900), (5, 4, 2026), (2, 29, 2000), (12, 31, None), (2, 29, None)]
)
def test_the_first_and_the_last_day_that_can_be_meant(month: int, day: int, year: int | None) -> None:
    decision = birthdays.decide_birthday(nobody(), SetBirthday(month, day, year), RULES, at("2026-05-04"))
    set_on = after(decision).birthday
    assert set_on is not None and (set_on.month, set_on.day, set_on.year) == (month, day, year)

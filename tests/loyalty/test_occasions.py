"""What is due at a moment: campaigns to those meant, once, without those held out, within the budget."""

from __future__ import annotations

import datetime as dt

import msgspec
import pytest

from tapledger.loyalty import members, tallies
from tapledger.loyalty.conditions import Condition
from tapledger.loyalty.effects import StatusSet, Tagged, Tallied
from tapledger.loyalty.insight import targeting
from tapledger.loyalty.members import Member
from tapledger.loyalty.people import campaigns, occasions
from tapledger.loyalty.people.campaigns import Moment
from tapledger.loyalty.program import Program
from tapledger.loyalty.program.people import Campaign, Gain, Membership
from tests.loyalty.givens import after, program
from tests.loyalty.lives import apply, at, bought, codes, nobody, ordinal


def campaign(trigger: str, **more: object) -> Campaign:
    table = {"id": "c", "name": {}, "trigger": trigger, "gain": {"points": 50}, **more}
    return msgspec.convert(table, Campaign)


def rules_of(*campaigns: Campaign) -> Program:
    return program(campaigns=list(campaigns))


def due(
    member: Member, rules: Program, day: str, moment: Moment = "tap", spent: frozenset[str] = frozenset()
) -> list[str]:
    return [thing.key for thing in occasions.due(member, rules, at(day), moment, spent)]


def give(member: Member, rules: Program, day: str, moment: Moment = "tap") -> tuple[Member, list[str]]:
    said: list[str] = []
    for thing in occasions.due(member, rules, at(day), moment):
        decision = occasions.decide_due(member, thing, rules, at(day), id_=f"e-{day}-{thing.key}")
        member, said = after(decision), said + codes(decision)
    return member, said


@pytest.mark.parametrize(
    ("trigger", "moment", "expected"),
    [
        ("tap", "tap", True), ("tap", "join", False), ("tap", "day", False), ("join", "join", True),
        ("join", "tap", False), ("none", "tap", False), ("none", "join", False), ("none", "day", False),
    ],
)  # fmt: skip
def test_a_campaign_comes_at_its_moment(trigger: str, moment: Moment, expected: bool) -> None:
    assert bool(due(nobody(), rules_of(campaign(trigger)), "2026-05-04", moment)) is expected


def test_once_a_campaign() -> None:
    rules = rules_of(campaign("tap"))
    member, said = give(nobody(), rules, "2026-05-04")
    assert said == ["CAMPAIGN_GAIN", "GAINED_POINTS"]
    assert give(member, rules, "2026-05-05")[1] == []
    assert members.points(member, at("2026-05-05")).available == 50


def test_only_the_audience() -> None:
    rules = rules_of(campaign("tap", segments=["asleep", "gold"]))
    assert due(nobody(), rules, "2026-05-04") == []
    assert due(apply(nobody(), Tagged("segments", ("gold",))), rules, "2026-05-04") == ["campaign/c"]


def test_the_condition_is_half_open() -> None:
    from_, to = dt.datetime(2026, 5, 4, 12), dt.datetime(2026, 5, 5, 12)  # noqa: DTZ001
    rules = rules_of(msgspec.structs.replace(campaign("tap"), when=Condition(from_=from_, to=to)))
    clocks = [
        ("2026-05-04", "11:59:59"),
        ("2026-05-04", "12:00"),
        ("2026-05-05", "11:59:59"),
        ("2026-05-05", "12:00"),
    ]
    found = [bool(occasions.due(nobody(), rules, at(*clock))) for clock in clocks]
    assert found == [False, True, True, False]


def test_a_tier_gift_is_given_when_the_tier_is_held() -> None:
    rules = rules_of(campaign("tier", tier="gold"))
    assert due(nobody("silver"), rules, "2026-05-04") == []
    assert due(nobody("gold"), rules, "2026-05-04") == ["campaign/c"]


@pytest.mark.parametrize("moment", ["day", "tap"])
def test_a_sleeper_is_woken_once(moment: Moment) -> None:
    """G96's edge: last bought on 28 February, on 31 May that is three months, on 1 June it is more."""
    rules = rules_of(campaign("sleeping"))
    member = bought(nobody(), "2026-02-28")
    assert due(member, rules, "2026-05-31", moment) == []
    assert due(member, rules, "2026-06-01", moment) == ["campaign/c"]
    woken, _ = give(member, rules, "2026-06-01", moment)
    assert due(woken, rules, "2026-06-02", moment) == []
    assert due(nobody(), rules, "2026-04-06", moment) == ["campaign/c"], "never bought: since joining"
    assert due(nobody(), rules, "2026-04-05", moment) == []


def test_who_is_held_out_is_remembered_and_told_nothing() -> None:
    rules = rules_of(campaign("tap", holdout_pct=20))
    groups: dict[bool, int] = {True: 0, False: 0}
    for number in range(400):
        member = msgspec.structs.replace(nobody(), id=f"m-{number}")
        held_out = targeting.is_held_out("c", member.id, 20)
        groups[held_out] += 1
        after_tap, said = give(member, rules, "2026-05-04")
        assert bool(said) is not held_out
        assert members.points(after_tap, at("2026-05-04")).available == (0 if held_out else 50)
        assert tallies.total(after_tap.tallies, campaigns.held_out_key(rules.campaigns[0])) == held_out
        assert give(after_tap, rules, "2026-05-05")[1] == []
        everybody = rules_of(campaign("tap", holdout_pct=0))
        assert bool(due(after_tap, everybody, "2026-05-05")) is False, (
            "assigned once, whatever the file says later"
        )
    assert 50 < groups[True] < 110


def test_a_budget_that_is_spent_gives_nothing_more() -> None:
    rules = rules_of(campaign("tap", budget_points=100))
    assert due(nobody(), rules, "2026-05-04", spent=frozenset({"budget/c"})) == []
    member, _ = give(nobody(), rules, "2026-05-04")
    assert tallies.total(member.tallies, "budget/c") == 50


def test_welcome_at_joining_and_never_later() -> None:
    rules = program(membership=Membership(welcome=Gain(points=30)))
    assert due(nobody(), rules, "2026-05-04") == []
    member, said = give(nobody(), rules, "2026-01-05", "join")
    assert said == ["WELCOME_GAIN", "GAINED_POINTS"]
    assert due(member, rules, "2026-01-05", "join") == []
    frozen = apply(nobody(), StatusSet("frozen", at("2026-01-05")))
    assert due(frozen, rules, "2026-01-05", "join") == []


def test_when_somebody_will_sleep_is_known_to_the_instant() -> None:
    one = campaign("sleeping")
    rules = rules_of(one, msgspec.structs.replace(campaign("tap"), id="t"))
    for member in (nobody(), bought(nobody(), "2026-02-01", "2026-02-28", "2026-02-10")):
        sleeps = campaigns.sleeps_at(member, one, rules)
        assert campaigns.is_sleeping(member, 3, rules, sleeps)
        assert not campaigns.is_sleeping(member, 3, rules, sleeps - dt.timedelta(seconds=1))
        assert campaigns.waking(member, rules) == [one]
    woken, _ = give(bought(nobody(), "2026-02-28"), rules, "2026-06-01", "day")
    assert campaigns.waking(woken, rules) == []


def test_a_purchase_that_came_back_keeps_nobody_awake() -> None:
    member = bought(nobody(), "2026-02-28", "2026-05-01")
    returned = apply(member, Tallied(tallies.SALES, ordinal("2026-05-01"), -1))
    rules = rules_of(campaign("sleeping"))
    assert due(member, rules, "2026-06-01") == []
    assert due(returned, rules, "2026-06-01") == ["campaign/c"]

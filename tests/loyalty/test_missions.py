"""Missions, surveys, quizzes, shares and the gate: each given once, or as often as the rule says."""

from __future__ import annotations

import pytest

from tapledger.errors import Invalid, NotFound, Refused, TapledgerError
from tapledger.loyalty import members, tallies
from tapledger.loyalty.effects import RefereeCounted, StatusSet, Tallied
from tapledger.loyalty.members import Member
from tapledger.loyalty.people import joining, missions, occasions, sharing, surveys
from tapledger.loyalty.people.sharing import Approve
from tapledger.loyalty.people.surveys import Answer
from tapledger.loyalty.program import Clause, Limit, Program, Tier
from tapledger.loyalty.program.people import Gain, Membership, Mission, Question, Share, Survey
from tapledger.loyalty.tiers import tiering
from tests.loyalty.givens import after, program
from tests.loyalty.lives import apply, at, bought, codes, nobody, ordinal

VISITS = Mission("v", {}, "visits", 3, 30, Gain(points=50))


def rules_of(mission: Mission) -> Program:
    return program(missions=[mission])


def mission_at(member: Member, rules: Program, day: str) -> tuple[int, bool]:
    (one,) = missions.progress(member, rules, at(day))
    return one.have, one.is_done


def give_due(member: Member, rules: Program, day: str) -> tuple[Member, int]:
    count = 0
    for thing in occasions.due(member, rules, at(day)):
        member, count = after(occasions.decide_due(member, thing, rules, at(day), id_=f"e-{day}")), count + 1
    return member, count


# ---- missions ---------------------------------------------------------------------------------------------
def test_three_visits_in_thirty_days() -> None:
    rules = rules_of(VISITS)
    member = bought(nobody(), "2026-05-01", "2026-05-01", "2026-05-15")
    assert mission_at(member, rules, "2026-05-15") == (2, False)
    member = bought(member, "2026-05-30")
    assert mission_at(member, rules, "2026-05-30") == (3, True)
    assert mission_at(member, rules, "2026-05-31") == (2, False)


def test_a_mission_is_gained_once_and_then_begins_anew_if_it_repeats() -> None:
    member = bought(nobody(), "2026-05-01", "2026-05-02", "2026-05-03")
    once, count = give_due(member, rules_of(VISITS), "2026-05-03")
    assert count == 1 and give_due(once, rules_of(VISITS), "2026-05-03")[1] == 0
    assert (
        give_due(bought(once, "2026-05-04", "2026-05-05", "2026-05-06"), rules_of(VISITS), "2026-05-06")[1]
        == 0
    )
    again = rules_of(Mission("v", {}, "visits", 3, 30, Gain(points=50), repeat=Limit(2, "month")))
    member, _ = give_due(member, again, "2026-05-03")
    assert mission_at(member, again, "2026-05-03") == (0, False)
    member, count = give_due(bought(member, "2026-05-04", "2026-05-05", "2026-05-06"), again, "2026-05-06")
    assert count == 1
    member, count = give_due(bought(member, "2026-05-07", "2026-05-08", "2026-05-09"), again, "2026-05-09")
    assert count == 0, "twice a month"
    assert members.points(member, at("2026-05-09")).available == 100


def test_what_else_a_mission_counts() -> None:
    spend = rules_of(Mission("s", {}, "spend", 3000, 10, Gain()))
    assert mission_at(bought(nobody(), "2026-05-01", "2026-05-10", minor=1500), spend, "2026-05-10") == (
        3000,
        True,
    )
    assert mission_at(bought(nobody(), "2026-05-01", minor=2999), spend, "2026-05-01") == (2999, False)
    checks = rules_of(Mission("c", {}, "check_ins", 1, 1, Gain()))
    here = apply(nobody(), Tallied(missions.CHECK_INS, ordinal("2026-05-04"), 1))
    assert mission_at(here, checks, "2026-05-04") == (1, True)
    assert mission_at(here, checks, "2026-05-05") == (0, False)
    sent = rules_of(Mission("r", {}, "referrals", 1, 30, Gain()))
    counted = apply(nobody(), RefereeCounted("x", "bought", ordinal("2026-05-10")))
    assert mission_at(counted, sent, "2026-05-09") == (0, False)
    assert mission_at(counted, sent, "2026-05-10") == (1, True)


# ---- surveys and quizzes ----------------------------------------------------------------------------------
def question(id_: str, right: int | None = None) -> Question:
    return Question(id_, {}, [{}, {}, {}], right)


SURVEY = Survey("s", {}, [question("q1"), question("q2")], Gain(points=20))
QUIZ = Survey("z", {}, [question("q1", 0), question("q2", 2), question("q3")], points_per_right=5)
ASKED = program(surveys=[SURVEY, QUIZ])


def answer(member: Member, survey: str, *answers: int) -> tuple[Member, list[str]]:
    decision = surveys.decide_answer(member, Answer(survey, answers, f"e-{survey}"), ASKED, at("2026-05-04"))
    return after(decision), codes(decision)


def test_a_survey_gives_its_points_once() -> None:
    member, said = answer(nobody(), "s", 0, 2)
    assert said == ["SURVEY_THANKS", "GAINED_POINTS"]
    assert members.points(member, at("2026-05-04")).available == 20
    with pytest.raises(Refused, match="SURVEY_ANSWERED"):
        answer(member, "s", 0, 2)
    can_be_answered = [
        surveys.why_not(member, one, ASKED, at("2026-05-04")) is None for one in (SURVEY, QUIZ)
    ]
    assert can_be_answered == [False, True]


@pytest.mark.parametrize(("answers", "points"), [((0, 2, 0), 10), ((0, 1, 2), 5), ((2, 0, 1), 0)])
def test_a_quiz_gives_points_for_each_right_answer_in_one_attempt(
    answers: tuple[int, ...], points: int
) -> None:
    member, said = answer(nobody(), "z", *answers)
    assert said[0] == "QUIZ_RIGHT"
    assert members.points(member, at("2026-05-04")).available == points
    with pytest.raises(Refused, match="SURVEY_ANSWERED"):
        answer(member, "z", 0, 2, 0)


@pytest.mark.parametrize(
    ("survey", "answers", "code"),
    [
        ("s", (0,), "ANSWERS_MISSING"), ("s", (0, 0, 0), "ANSWERS_MISSING"), ("s", (), "ANSWERS_MISSING"),
        ("s", (0, 3), "ANSWER_UNKNOWN"), ("s", (-1, 0), "ANSWER_UNKNOWN"),
        ("s", (0, 2**63), "ANSWER_UNKNOWN"),
        ("x", (0, 0), "SURVEY_UNKNOWN"),
    ],
)  # fmt: skip
def test_answers_that_answer_nothing(survey: str, answers: tuple[int, ...], code: str) -> None:
    with pytest.raises((Invalid, NotFound)) as caught:
        answer(nobody(), survey, *answers)
    assert caught.value.code == code


def test_a_frozen_members_points_wait() -> None:
    member, _ = answer(apply(nobody(), StatusSet("frozen", at("2026-01-06"))), "s", 0, 0)
    have = members.points(member, at("2026-05-04"))
    assert (have.available, have.pending) == (0, 20)


# ---- shares -----------------------------------------------------------------------------------------------
SHARED = program(shares=[Share("story", {}, 30), Share("link", {}, 5, Limit(2, "day"))])


def share(member: Member, id_: str, what: str, day: str = "2026-05-04") -> Member:
    return after(sharing.decide_share(member, Approve(id_, what, f"e-{what}", "s-1"), SHARED, at(day)))


def test_an_approved_story_gives_points_once_and_a_day_has_its_limit() -> None:
    member = share(share(nobody(), "link", "visitor-1"), "link", "visitor-2")
    for what, code in (("visitor-1", "SHARE_COUNTED"), ("visitor-3", "SHARE_LIMIT")):
        with pytest.raises(Refused) as caught:
            share(member, "link", what)
        assert caught.value.code == code
    member = share(member, "link", "visitor-3", "2026-05-05")
    with pytest.raises(Refused, match="SHARE_COUNTED"):
        share(member, "link", "visitor-1", "2026-05-05")
    assert members.points(share(member, "story", "s1"), at("2026-05-05")).available == 45


@pytest.mark.parametrize(("id_", "what"), [("film", "x"), ("story", ""), ("story", "x" * 65)])
def test_shares_that_cannot_be_meant(id_: str, what: str) -> None:
    with pytest.raises(TapledgerError) as caught:
        share(nobody(), id_, what)
    assert caught.value.code in ("SHARE_UNKNOWN", "SHARE_WITHOUT_ID")


# ---- growth -----------------------------------------------------------------------------------------------
def test_growth_points_lift_the_tier_at_once() -> None:
    rules = program(
        tiers=[Tier("normal", {}), Tier("silver", {}, reach=[[Clause("growth", 10)]], valid_days=30)],
        surveys=[Survey("s", {}, [question("q")], Gain(growth=10))],
    )
    decision = surveys.decide_answer(nobody(), Answer("s", (0,), "e"), rules, at("2026-05-04"))
    assert codes(decision) == ["SURVEY_THANKS", "TIER_REACHED"]
    member = after(decision)
    assert tallies.total(member.tallies, tallies.GROWTH) == 10
    assert tiering.recorded(member, rules).until == at("2026-06-04", "00:00")


# ---- free after a spend -----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("gate", "spent", "missing"),
    [
        ("open", [], None), ("single_spend", [], 5000), ("single_spend", [4999, 4999], 1),
        ("single_spend", [100, 5000], None), ("cumulative_spend", [2500, 2499], 1),
        ("cumulative_spend", [2500, 2500], None), ("cumulative_spend", [], 5000),
    ],
)  # fmt: skip
def test_a_card_is_free_after_a_spend(gate: str, spent: list[int], missing: int | None) -> None:
    rules = program(membership=Membership(gate=gate, gate_minor=5000))  # type: ignore[arg-type]
    why = joining.why_not(spent, rules)
    assert (None if why is None else why.data["missing_minor"]) == missing


def test_a_mission_looks_back_so_many_days_and_no_further() -> None:
    sent = rules_of(Mission("r", {}, "referrals", 1, 10, Gain()))
    counted = apply(nobody(), RefereeCounted("x", "bought", ordinal("2026-05-10")))
    assert [mission_at(counted, sent, f"2026-05-{day}")[0] for day in (10, 19, 20)] == [1, 1, 0]
    spend = rules_of(Mission("s", {}, "spend", 1, 10, Gain()))
    returned = apply(nobody(), Tallied(tallies.SPEND, ordinal("2026-05-10"), -5))
    assert mission_at(returned, spend, "2026-05-10") == (0, False)

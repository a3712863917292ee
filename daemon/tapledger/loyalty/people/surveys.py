"""Surveys and quizzes: one answer a member, points once; a quiz gives points for each right answer."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from tapledger.errors import Invalid, NotFound, Refused
from tapledger.loyalty import days, eligibility, gains, tallies
from tapledger.loyalty.decisions import Decision
from tapledger.loyalty.effects import Tallied
from tapledger.loyalty.facts import Reason
from tapledger.loyalty.gains import Gained
from tapledger.loyalty.life import standing
from tapledger.loyalty.members import Member
from tapledger.loyalty.people import giving
from tapledger.loyalty.program import Program
from tapledger.loyalty.program.people import Gain, Survey


@dataclass(frozen=True, slots=True)
class Answer:
    survey: str
    answers: tuple[int, ...]
    """For each question the number of the answer, from 0."""
    id: str
    """Unique to the event; begins the ids of what is given."""
    staff: str | None = None
    exhausted: Collection[str] = frozenset()


def key(survey: Survey) -> str:
    return f"survey/{survey.id}"


def _round_key(survey: Survey, right: int) -> str:
    return f"{key(survey)}/right/{right}"


def rounds(member: Member, survey: Survey) -> list[tuple[str, int, int]]:
    """Return the rounds of a quiz that brought points, best first: tally, right answers, count."""
    found = []
    for right in range(len(survey.questions), 0, -1):
        if times := tallies.total(member.tallies, _round_key(survey, right)):
            found.append((_round_key(survey, right), right, times))
    return found


def find(program: Program, survey: str) -> Survey:
    """Return a survey; raise ``NotFound``."""
    for one in program.surveys:
        if one.id == survey:
            return one
    raise NotFound("SURVEY_UNKNOWN")


def why_not(member: Member, survey: Survey, program: Program, now: dt.datetime) -> Reason | None:
    """Return why a member cannot answer a survey now, or None."""
    if tallies.total(member.tallies, key(survey)):
        return Reason("SURVEY_ANSWERED", {})
    return eligibility.why_not(member, survey.when, program, now)


def decide_answer(member: Member, command: Answer, program: Program, now: dt.datetime) -> Decision:
    """Take a member's answers, once, and give what they bring."""
    standing.check_earn(member, now)
    survey = find(program, command.survey)
    why = why_not(member, survey, program, now)
    if why is not None:
        raise Refused(why.code, **why.data)
    _check(survey, command.answers)
    right = sum(
        answer == question.right
        for question, answer in zip(survey.questions, command.answers, strict=True)
        if question.right is not None
    )
    today = days.local_day(now, program.zone()).toordinal()
    counted = [Tallied(key(survey), today, 1)]
    if right and survey.points_per_right:
        counted.append(Tallied(_round_key(survey, right), today, 1))
    given = Gained(effects=tuple(counted), reasons=_said(survey, right))
    available_at = standing.credit_available_at(member, now)
    for part, gain in (("g", survey.gain), ("q", Gain(points=right * survey.points_per_right))):
        given = given.plus(
            gains.give(
                member.id,
                gain,
                key(survey),
                program,
                now,
                id_=f"{command.id}/{part}",
                available_at=available_at,
                exhausted=command.exhausted,
            )
        )
    facts: dict[str, int | str] = {
        "survey": survey.id,
        "answers": ",".join(map(str, command.answers)),
        "right": right,
    }
    return giving.posted(member, "survey", given, program, now, facts=facts, staff=command.staff)


def _check(survey: Survey, answers: tuple[int, ...]) -> None:
    if len(answers) != len(survey.questions):
        raise Invalid("ANSWERS_MISSING", questions=len(survey.questions))
    for question, answer in zip(survey.questions, answers, strict=True):
        if not 0 <= answer < len(question.answers):
            raise Invalid("ANSWER_UNKNOWN", question=question.id)


def _said(survey: Survey, right: int) -> tuple[Reason, ...]:
    asked = sum(question.right is not None for question in survey.questions)
    if not asked:
        return (Reason("SURVEY_THANKS", {}),)
    return (Reason("QUIZ_RIGHT", {"right": right, "questions": asked}),)

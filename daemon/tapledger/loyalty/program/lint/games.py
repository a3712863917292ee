"""Lotteries, surveys and quizzes: fair odds, right answers, and no prize that pays for its own draw."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

from tapledger.loyalty.facts import Reason
from tapledger.loyalty.program.findings import Finding, Path
from tapledger.loyalty.program.lint.references import is_empty
from tapledger.loyalty.program.people import Lottery, Survey

if TYPE_CHECKING:
    from tapledger.loyalty.program import Program

COMMIT = re.compile(r"[0-9a-f]{64}")
FEWEST_ANSWERS = 2


def lint_games(program: Program) -> Iterator[Finding]:
    for place, lottery in enumerate(program.lotteries):
        yield from _lottery(("lotteries", place), lottery)
    for place, survey in enumerate(program.surveys):
        yield from _survey(("surveys", place), survey)


def _lottery(path: Path, one: Lottery) -> Iterator[Finding]:
    total = sum(prize.weight for prize in one.prizes if prize.weight > 0)
    if not total:
        yield Finding((*path, "prizes"), Reason("PROGRAM_LOTTERY_WEIGHTS", {"lottery": one.id}))
    fallback = next((prize for prize in one.prizes if prize.id == one.fallback), None)
    if fallback is None:
        listed = ", ".join(prize.id for prize in one.prizes)
        figures: dict[str, int | str] = {"given": one.fallback, "known": listed}
        yield Finding((*path, "fallback"), Reason("PROGRAM_LOTTERY_FALLBACK", figures))
    elif fallback.stock is not None:
        more: dict[str, int | str] = {"prize": one.fallback}
        yield Finding((*path, "fallback"), Reason("PROGRAM_LOTTERY_FALLBACK_STOCK", more))
    if one.commit and not COMMIT.fullmatch(one.commit):
        yield Finding((*path, "commit"), Reason("PROGRAM_LOTTERY_COMMIT", {}))
    won = sum(prize.weight * prize.gain.points for prize in one.prizes if prize.weight > 0)
    if total and one.cost_points and Fraction(won, total) >= one.cost_points:
        even: dict[str, int | str] = {"points": won // total, "cost": one.cost_points}
        yield Finding((*path, "cost_points"), Reason("PROGRAM_LOTTERY_PAYS", even))
    if not one.cost_points and one.limit is None:
        yield Finding((*path, "cost_points"), Reason("PROGRAM_LOTTERY_ENDLESS", {"lottery": one.id}))


def _survey(path: Path, one: Survey) -> Iterator[Finding]:
    if not one.questions:
        yield Finding((*path, "questions"), Reason("PROGRAM_SURVEY_EMPTY", {"survey": one.id}))
    for place, question in enumerate(one.questions):
        at = (*path, "questions", place)
        count = len(question.answers)
        if count < FEWEST_ANSWERS:
            yield Finding((*at, "answers"), Reason("PROGRAM_ANSWERS_FEW", {"question": question.id}))
        if question.right is not None and not 0 <= question.right < count:
            figures: dict[str, int | str] = {"right": question.right, "last": count - 1}
            yield Finding((*at, "right"), Reason("PROGRAM_ANSWER_RANGE", figures))
    if one.points_per_right and all(question.right is None for question in one.questions):
        yield Finding((*path, "points_per_right"), Reason("PROGRAM_QUIZ_NO_RIGHT", {"survey": one.id}))
    if not one.points_per_right and is_empty(one.gain):
        yield Finding((*path, "gain"), Reason("PROGRAM_GAIN_EMPTY", {"what": one.id}))

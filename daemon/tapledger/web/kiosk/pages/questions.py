"""A survey or quiz, one question a screen; answers count together, after the last."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec

from tapledger.errors import Conflict, Invalid
from tapledger.loyalty.people import surveys
from tapledger.loyalty.program import name_in
from tapledger.membership import participation
from tapledger.store.journal import Recorded
from tapledger.web.kiosk.here import Act, Here, Page
from tapledger.web.kiosk_snapshots import KioskScreen, Questions


class Number(msgspec.Struct, forbid_unknown_fields=True):
    number: int
    """From 0."""


class QuestionsPage(Page):
    def __init__(
        self,
        survey: str,
        then: Callable[[Here, Recorded], Awaitable[None]],
        answers: tuple[int, ...] = (),
    ) -> None:
        self.survey = survey
        self.then = then
        self.answers = answers

    async def screen(self, here: Here) -> KioskScreen:
        survey, language = surveys.find(here.shop.program, self.survey), here.language
        question = survey.questions[len(self.answers)]
        return Questions(
            member=here.member_view(),
            name=name_in(survey.name, language),
            number=len(self.answers) + 1,
            of=len(survey.questions),
            question=name_in(question.text, language),
            answers=[name_in(one, language) for one in question.answers],
        )

    async def tapped(self, here: Here) -> bool:
        return True

    def before(self, here: Here) -> Page | None:
        return QuestionsPage(self.survey, self.then, self.answers[:-1]) if self.answers else None


async def answer(here: Here, body: Number) -> None:
    page = here.page
    if not isinstance(page, QuestionsPage):
        raise Conflict("NOT_ASKED")
    survey = surveys.find(here.shop.program, page.survey)
    question = survey.questions[len(page.answers)]
    if not 0 <= body.number < len(question.answers):
        raise Invalid("ANSWER_UNKNOWN", question=question.id)
    answers = (*page.answers, body.number)
    if len(answers) < len(survey.questions):
        here.turn(QuestionsPage(page.survey, page.then, answers))
        return
    key = here.visit().key
    recorded = await participation.answer_survey(here.shop, key, here.member_id(), page.survey, answers)
    await page.then(here, recorded)


ACTS = (Act("answer", Number, answer),)

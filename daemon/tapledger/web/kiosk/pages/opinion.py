"""How was it? Five faces and, if somebody likes, one reason; the ledger keeps no name beside it (K13)."""

from __future__ import annotations

import msgspec

from tapledger.errors import Conflict, Denied, Invalid
from tapledger.membership import feedback
from tapledger.web.kiosk.here import Act, Here, Page
from tapledger.web.kiosk.pages.front import GoodbyePage
from tapledger.web.kiosk_snapshots import Feedback, KioskScreen
from tapledger.web.server import Nothing


class Score(msgspec.Struct, forbid_unknown_fields=True):
    score: int
    """1 to 5."""


class ReasonNumber(msgspec.Struct, forbid_unknown_fields=True):
    number: int
    """From 0, in the list that was shown."""


class FeedbackPage(Page):
    def __init__(self, score: int | None = None) -> None:
        self.score = score

    async def screen(self, here: Here) -> KioskScreen:
        reasons = (
            [] if self.score is None else [here.say(f"kiosk.feedback.{one}") for one in feedback.REASONS]
        )
        return Feedback(self.score, reasons)


async def show(here: Here, body: Nothing) -> None:
    if not here.settings.feedback:
        raise Denied("FEEDBACK_OFF")
    here.visit()
    here.turn(FeedbackPage())


async def score(here: Here, body: Score) -> None:
    """Take a face; it counts even if nobody says why."""
    if not isinstance(here.page, FeedbackPage) or here.page.score is not None:
        raise Conflict("NOT_ASKED")
    await feedback.give(here.shop, here.next_key(), body.score)
    here.turn(FeedbackPage(body.score))
    here.queued()


async def reason(here: Here, body: ReasonNumber) -> None:
    page = here.page
    if not isinstance(page, FeedbackPage) or page.score is None:
        raise Conflict("NOT_ASKED")
    if not 0 <= body.number < len(feedback.REASONS):
        raise Invalid("ANSWER_UNKNOWN", question="reason")
    await feedback.add_reason(here.shop, here.next_key(), page.score, feedback.REASONS[body.number])
    here.leave()
    here.turn(GoodbyePage())
    here.queued()


ACTS = (
    Act("feedback", Nothing, show, of="anybody"),
    Act("score", Score, score, of="session"),
    Act("reason", ReasonNumber, reason, of="session"),
)

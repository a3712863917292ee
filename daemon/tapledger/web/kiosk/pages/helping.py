"""Somebody to talk to, and answers to what people ask most (K17)."""

from __future__ import annotations

from tapledger.loyalty.program import name_in
from tapledger.web.kiosk.here import Act, Here, Page
from tapledger.web.kiosk_snapshots import Faq, FaqEntry, Help, KioskScreen
from tapledger.web.server import Nothing


class HelpPage(Page):
    def __init__(self, back: Page) -> None:
        self.back = back
        """Where somebody was before."""

    async def screen(self, here: Here) -> KioskScreen:
        return Help(faq=bool(here.shop.program.faq))

    def before(self, here: Here) -> Page | None:
        return self.back


class FaqPage(Page):
    def __init__(self, back: Page) -> None:
        self.back = back

    async def screen(self, here: Here) -> KioskScreen:
        language = here.language
        return Faq(
            [
                FaqEntry(name_in(one.question, language), name_in(one.answer, language))
                for one in here.shop.program.faq
            ]
        )

    def before(self, here: Here) -> Page | None:
        return self.back


async def show(here: Here, body: Nothing) -> None:
    here.visit()
    if not isinstance(here.page, HelpPage):
        here.turn(HelpPage(here.page))


async def call(here: Here, body: Nothing) -> None:
    """Call staff: the till says so until somebody answers."""
    here.help.call()


async def faq(here: Here, body: Nothing) -> None:
    here.visit()
    here.turn(FaqPage(here.page))


ACTS = (
    Act("help", Nothing, show, of="anybody"),
    Act("call", Nothing, call, of="anybody"),
    Act("faq", Nothing, faq, of="anybody"),
)

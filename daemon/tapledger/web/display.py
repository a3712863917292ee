"""The second screen of a till: the basket as it grows, and for some seconds what was paid."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from tapledger import texts
from tapledger.loyalty.life import sensitivity
from tapledger.membership import explaining
from tapledger.membership.shop import Shop
from tapledger.store.journal import Recorded
from tapledger.store.people import mask
from tapledger.web import checkout_views, views
from tapledger.web.counter import Counter
from tapledger.web.display_snapshots import Display, DisplayLine, PaidSale
from tapledger.web.live import LiveFeed

CLEARED_AFTER_S = 5.0


class CustomerDisplay:
    """Follows one till. A sale that was paid before the daemon started is nobody's who stands there."""

    def __init__(self, shop: Shop, live: LiveFeed, is_simulated: Callable[[], bool]) -> None:
        self._shop = shop
        self._live = live
        self._is_simulated = is_simulated
        self._counter: Counter | None = None
        self._last: str | None = None
        self._paid: Recorded | None = None
        self._timer: asyncio.TimerHandle | None = None

    def show(self, counter: Counter | None) -> None:
        """Show what lies on the counter; None while nobody serves."""
        receipt = "" if counter is None or counter.last is None else counter.last.receipt
        if counter is not None and self._last not in (None, receipt) and counter.last is not None:
            self._now_paid(counter.last)
        if counter is not None:
            self._last = receipt
        if counter is None or counter.in_use:
            self._paid = None
        self._counter = counter
        self._push()

    def _now_paid(self, sale: Recorded) -> None:
        self._paid = sale
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(CLEARED_AFTER_S, self._clear, sale)

    def _clear(self, sale: Recorded) -> None:
        if self._paid is sale:
            self._paid = None
            self._push()

    def _push(self) -> None:
        counter = self._counter or Counter(self._shop)
        totals = checkout_views.totals(self._shop, counter)
        greeting, notes = counter.greeting, counter.quoted.hints
        program, language = self._shop.program, counter.language
        self._live.show(
            "display",
            Display(
                language=language,
                shop=self._shop.name,
                simulated=self._is_simulated(),
                member=None if greeting is None else mask(greeting.known.name),
                lines=self._lines(counter),
                due=totals.due,
                saved=totals.saved,
                earn_points=totals.earn_points if greeting is not None else 0,
                hint=explaining.sentence(notes[0].reason, program, language) if notes else None,
                paid=self._as_paid(language),
            ),
        )

    def _lines(self, counter: Counter) -> list[DisplayLine]:
        sale, hidden = counter.quoted.sale, set[int]()
        if sale is not None:
            sold = enumerate(sale.lines, 1)
            hidden = {n for n, line in sold if sensitivity.is_sensitive(line, self._shop.program)}
        unnamed = texts.say(counter.language, "display.unnamed")
        return [
            DisplayLine(unnamed if one.number in hidden else one.name, one.quantity, one.total, one.gross)
            for one in checkout_views.lines(self._shop, counter)
        ]

    def _as_paid(self, language: str) -> PaidSale | None:
        recorded = self._paid
        if recorded is None or recorded.event.body.sale is None:
            return None
        sale = recorded.event.body.sale
        return PaidSale(
            total=texts.money(language, sale.total_minor, sale.currency),
            change=texts.money(language, sale.change_minor, sale.currency) if sale.change_minor else None,
            earned_points=sale.earned,
            receipt=recorded.receipt,
            receipt_svg=views.qr_svg(f"{recorded.receipt}:{recorded.hash.hex()}"),
        )

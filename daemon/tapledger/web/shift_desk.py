"""The till's business day while somebody looks at it: open, read, counted and closed."""

from __future__ import annotations

from collections.abc import Callable

from tapledger.database import Transaction
from tapledger.errors import Conflict
from tapledger.membership import shifts, slips
from tapledger.membership.shifts import Report, Shift
from tapledger.membership.shop import Shop
from tapledger.membership.slips import Slip
from tapledger.store.shifts import BEGINNING
from tapledger.store.staff import Person

ReportSlip = Callable[[Report, str], Slip]
"""Writes a report out for paper, in a language."""


class ShiftDesk:
    """One till's day. ``report`` is on the screen until somebody puts it away."""

    def __init__(self, shop: Shop, report_slip: ReportSlip) -> None:
        self._shop = shop
        self._slip = report_slip
        self.now = Shift(number=1, after=BEGINNING)
        self.report: Report | None = None

    async def read(self) -> None:
        """Look which day it is."""
        self.now = await shifts.current(self._shop)

    async def open(self, person: Person, float_minor: int) -> None:
        self.now = await shifts.open_shift(self._shop, person.name, float_minor)

    async def x_report(self) -> None:
        self.report = await shifts.x_report(self._shop)

    async def close(self, number: int, person: Person, counted_minor: int) -> None:
        """Close the day; its Z is queued for paper in the same breath and stays on the screen."""

        def queue(tx: Transaction, report: Report) -> None:
            slips.enqueue(tx, self._shop, _z(report), self._slip(report, self._shop.language))

        self.report = await shifts.close_shift(self._shop, number, person.name, counted_minor, queue)
        await self.read()

    async def print(self, person: Person, language: str) -> None:
        """Put the report that is shown on paper; a Z, which was put there when it was closed, as a copy.

        Raises ``Conflict`` without a report, and while its Z is on its way to the printer.
        """
        report = self.report
        if report is None:
            raise Conflict("NO_REPORT")
        if report.shift.upto is not None:
            await slips.print_again(self._shop, _z(report), person.name)
            return
        job, slip = f"x-{self._shop.new_id()}", self._slip(report, language)
        await self._shop.store.transact(lambda tx: slips.enqueue(tx, self._shop, job, slip))

    async def done(self) -> None:
        """Put the report away."""
        self.report = None
        await self.read()


def _z(report: Report) -> str:
    """Return the print job of a closed day."""
    return f"z-{report.shift.number}"

"""A business day's figures by name: the same rows on the screen and on paper."""

from __future__ import annotations

from dataclasses import dataclass

from tapledger import texts
from tapledger.loyalty.program import name_in
from tapledger.loyalty.sales.shifts import CASH
from tapledger.membership.shifts import Report
from tapledger.membership.shop import Shop

Row = tuple[str, str]
"""A name and its amount, both as they are shown."""


@dataclass(frozen=True, slots=True)
class ShiftWords:
    """Says one report in one language. What was nothing has no row."""

    shop: Shop
    report: Report
    language: str

    def money(self, minor: int) -> str:
        return texts.money(self.language, minor, self.shop.program.currency)

    def tenders(self, *, blind: bool = False) -> list[Row]:
        """Return what came in by each tender; ``blind`` leaves out what whoever counts must not read."""
        return [
            (texts.say(self.language, f"tender.{kind}"), self.money(amount))
            for kind, amount in self.report.figures.tenders.items()
            if not (blind and kind == CASH)
        ]

    def discounts(self) -> list[Row]:
        """Return what each promotion and coupon took off."""
        program = self.shop.program
        named = {one.id: name_in(one.name, self.language) for one in (*program.promotions, *program.coupons)}
        off = self.report.figures.discounts.items()
        return [(named.get(id_) or id_, self.money(-minor)) for id_, minor in off]

    def points(self) -> list[Row]:
        figures = self.report.figures
        rows = (
            (texts.say(self.language, "shift.points_issued"), figures.points_issued),
            (texts.say(self.language, "shift.points_redeemed"), -figures.points_redeemed),
            (texts.say(self.language, "shift.points_expired"), -figures.points_expired),
            (texts.say(self.language, "shift.points_taken_back"), -figures.points_taken_back),
            (texts.say(self.language, "shift.points_owed"), figures.points_owed),
        )
        return [(name, f"{count:+,}") for name, count in rows if count]

    def value(self) -> list[Row]:
        """Return how stored value moved, and what the shop owes more than before."""
        figures = self.report.figures
        rows = (
            (texts.say(self.language, "shift.value_in"), figures.value_in_minor),
            (texts.say(self.language, "shift.value_out"), -figures.value_out_minor),
            (texts.say(self.language, "shift.value_owed"), figures.value_owed_minor),
        )
        return [(name, self.money(minor)) for name, minor in rows if minor]

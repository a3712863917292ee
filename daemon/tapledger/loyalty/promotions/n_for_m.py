"""Buy some, get some more for less: 买二送一, second at half price."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from tapledger.loyalty.facts import Reason
from tapledger.loyalty.promotions.protocol import Rule, Slate, Taken, by_unit_value, value_of_units


class NForM(Rule, frozen=True, tag="n_for_m"):
    """For each ``buy`` units of the scope, ``get`` more of them at ``rate_bp`` off: whole rounds only."""

    lane: ClassVar[int] = 2
    buy: int
    get: int = 1
    rate_bp: int = 10_000
    max_units: int | None = None
    """How many units may be given in one order."""
    give: Literal["cheapest", "in_turn"] = "cheapest"
    """Give the cheapest units of all; or go through the lines from the dearest line on, buying and giving."""

    def take(self, slate: Slate, lines: Sequence[int], left: int, basis: int) -> Taken | None:
        rounds = sum([slate.units(i) for i in lines]) // (self.buy + self.get)
        if self.max_units is not None:
            rounds = min(rounds, self.max_units // self.get)
        if not rounds:
            return None
        given = self._cheapest if self.give == "cheapest" else self._in_turn
        return value_of_units(slate, given(slate, lines, rounds), self.rate_bp)

    def _cheapest(self, slate: Slate, lines: Sequence[int], rounds: int) -> dict[int, int]:
        wanted, given = rounds * self.get, {}
        for i in by_unit_value(slate, lines):
            given[i] = min(wanted, slate.units(i))
            wanted -= given[i]
            if not wanted:
                break
        return given

    def _in_turn(self, slate: Slate, lines: Sequence[int], rounds: int) -> dict[int, int]:
        """Number all units, dearest line first: of each ``buy + get`` of them the last ``get`` are given."""
        gross, cycle, get = slate.gross, self.buy + self.get, self.get
        last, start, before, given = rounds * cycle, 0, 0, {}
        for i in sorted(lines, key=lambda line: -gross[line]) if len(lines) > 1 else lines:
            end = min(start + slate.units(i), last)
            turns, over = divmod(end, cycle)
            after = turns * get + max(0, over - self.buy)
            if after > before:
                given[i] = after - before
            start, before = end, after
        return given

    def reason(
        self, promotion: str, basis_minor: int, amount_minor: int, rounding_bp: int, currency: str
    ) -> Reason:
        return Reason(
            "DISCOUNT_N_FOR_M",
            {
                "promotion": promotion,
                "basis_minor": basis_minor,
                "buy": self.buy,
                "get": self.get,
                "rate_bp": self.rate_bp,
                "rounding_bp": rounding_bp,
                "amount_minor": amount_minor,
                "currency": currency,
            },
        )

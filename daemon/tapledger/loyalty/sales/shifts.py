"""What a shift comes to: a fold over the events of one computer, from one Z to the next (decisions R38, X8).

Every figure is a sum of ledger lines, so a report balances to the ledger to the unit.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from tapledger.loyalty import ledger
from tapledger.loyalty.facts import Discount
from tapledger.loyalty.ledger import EventBody, Line

CASH = "cash"
BACK = frozenset({"return", "void", "giveback"})
"""Kinds by which money and goods go the other way."""
EXPIRED = frozenset({"expire", "lapse"})
TENDER = "tender/"
ONLY_MOVE = frozenset({"lease", "lease_recall", "lease_close", "lease_share"}) | ledger.MOVES
"""Kinds by which a shop owes as much as before."""


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """Counts are of events; money is in minor units, points are whole."""

    events: int = 0
    sales: int = 0
    sold_minor: int = 0
    """What customers were asked for."""
    returns: int = 0
    voids: int = 0
    refunded_minor: int = 0
    """By both."""
    tenders: dict[str, int] = {}
    """What each kind of tender took in, less what it paid out."""
    discounts: dict[str, int] = {}
    """What was taken off, by the id of promotion, coupon or reason."""
    points_issued: int = 0
    points_taken_back: int = 0
    """By returns and voids: what they took from members, less what they gave back."""
    points_redeemed: int = 0
    points_expired: int = 0
    value_in_minor: int = 0
    """Stored value that the shop owes more, bonus included."""
    value_out_minor: int = 0
    """And less: spent, paid back, lapsed."""

    @property
    def points_owed(self) -> int:
        """Return by how much the points that members hold have changed."""
        gone = self.points_taken_back + self.points_redeemed + self.points_expired
        return self.points_issued - gone

    @property
    def value_owed_minor(self) -> int:
        return self.value_in_minor - self.value_out_minor

    def drawer_minor(self, float_minor: int) -> int:
        """Return the cash that should lie in the drawer."""
        return float_minor + self.tenders.get(CASH, 0)


def figures(bodies: Iterable[EventBody]) -> Figures:
    """Add events up, in any order."""
    found: dict[str, int] = dict.fromkeys(Figures.__struct_fields__, 0)
    tenders: dict[str, int] = {}
    discounts: dict[str, int] = {}
    for body in bodies:
        found["events"] += 1
        _count(body, found)
        if body.sale is not None and body.kind == "sale":
            for one in body.sale.discounts:
                _add(discounts, _named(one), one.amount_minor)
        for line in body.lines:
            _line(body.kind, line, found, tenders)
    sums = {name: found[name] for name in found if name not in ("tenders", "discounts")}
    kept = {kind: amount for kind, amount in sorted(tenders.items()) if amount}
    return Figures(**sums, tenders=kept, discounts=dict(sorted(discounts.items())))


def _count(body: EventBody, found: dict[str, int]) -> None:
    if body.kind == "sale" and body.sale is not None:
        found["sales"] += 1
        found["sold_minor"] += body.sale.total_minor
    elif body.returned is not None:
        found["voids" if body.returned.kind == "void" else "returns"] += 1
        found["refunded_minor"] += body.returned.refund_minor


def _line(kind: str, line: Line, found: dict[str, int], tenders: dict[str, int]) -> None:
    if line.account.startswith(TENDER):
        _add(tenders, line.account.removeprefix(TENDER), line.amount)
    elif line.account == ledger.PROGRAM_POINTS and kind in BACK:
        found["points_taken_back"] += line.amount
    elif line.account == ledger.PROGRAM_POINTS:
        found[_points(kind, line.amount)] += abs(line.amount)
    elif kind in ONLY_MOVE:
        return
    elif line.account.startswith("member/") and line.unit != ledger.POINT:
        found["value_in_minor" if line.amount < 0 else "value_out_minor"] += abs(line.amount)


def _points(kind: str, amount: int) -> str:
    """Return what points of the programme are: given out is below 0, coming back above."""
    if amount < 0:
        return "points_issued"
    return "points_expired" if kind in EXPIRED else "points_redeemed"


def _named(one: Discount) -> str:
    return one.id or one.kind


def _add(to: dict[str, int], key: str, amount: int) -> None:
    to[key] = to.get(key, 0) + amount

"""A counter of pure rules: sells, takes back, and remembers the events as a store would."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from tapledger.errors import TapledgerError
from tapledger.loyalty import ledger, lots, members
from tapledger.loyalty.decisions import Decision
from tapledger.loyalty.effects import BONUS, POINTS, PRINCIPAL, Lot
from tapledger.loyalty.facts import ReturnFacts, SaleFacts, Tender
from tapledger.loyalty.ledger import EventBody
from tapledger.loyalty.members import Member
from tapledger.loyalty.pricing import BasketLine
from tapledger.loyalty.program import Program
from tapledger.loyalty.program.earning import Earning, EarnRule
from tapledger.loyalty.program.prices import PointsAsCash
from tapledger.loyalty.program.values import StoredValue
from tapledger.loyalty.sales import selling, sold
from tapledger.loyalty.sales.returning import Return, ReturnedLine, Void, decide_return, decide_void
from tapledger.loyalty.sales.selling import Sale, Wants
from tapledger.loyalty.sales.sold import Sold
from tapledger.loyalty.sales.tenders import Payer
from tests.loyalty.givens import NOON, member, program

WHOLE = 1000
TRUSTED = 3


def goods(price_minor: int, pieces: int = 1, sku: str = "a", **more: Any) -> BasketLine:
    return BasketLine(sku, sku.upper(), pieces * WHOLE, price_minor, more.pop("tax_bp", 0), "all", **more)


def weighed(price_minor: int, milli: int, sku: str = "w") -> BasketLine:
    return BasketLine(sku, sku.upper(), milli, price_minor, 0, "all", weighed=True)


def value(pool: str, amount: int, ends: dt.datetime | None = None, id_: str = "") -> Lot:
    return Lot(id_ or pool, amount, amount, NOON - dt.timedelta(days=1), ends, pool)


def rules(**changes: Any) -> Program:
    """Return a programme with points as cash and stored value."""
    return msgspec.structs.replace(
        program(points_as_cash=PointsAsCash(1, 1), stored_value=StoredValue()), **changes
    )


@dataclass
class Counter:
    """One customer, or nobody, and one programme."""

    member: Member | None
    program: Program
    now: dt.datetime = NOON
    sale: EventBody | None = None
    returned: list[EventBody] = field(default_factory=list)
    spent_elsewhere: int = 0

    def quote(self, lines: Sequence[BasketLine], wants: Wants, sale: str = "") -> selling.Quote:
        payer = Payer(self.member, TRUSTED)
        return selling.quote(self.member, tuple(lines), self.program, self.now, wants, payer, sale=sale)

    def spend_elsewhere(self, points: int) -> None:
        """Let the member spend points on something else."""
        assert self.member is not None
        takes = lots.take(self.member.lots, points, self.now)
        self.spent_elsewhere = lots.taken_amount(takes)
        left, _ = lots.subtract(self.member.lots, takes)
        self.member = msgspec.structs.replace(self.member, lots=tuple(one for one in left if one.remaining))

    def sell(
        self,
        lines: Sequence[BasketLine],
        tenders: Sequence[Tender] | None = None,
        wants: Wants | None = None,
        id_: str = "s",
        trust: int = TRUSTED,
        **more: Any,
    ) -> SaleFacts:
        """Sell; without tenders: what is due, by bank card."""
        wants = wants or Wants()
        due = self.quote(lines, wants, id_).total_minor
        paid = [Tender("card", due)] if tenders is None else tenders
        sale = Sale(id_, tuple(lines), tuple(paid), f"lot-{id_}", "staff", trust, wants=wants, **more)
        decision = selling.decide_sale(self.member, sale, self.program, self.now)
        check_ledger(self.member, decision)
        self.member, self.sale, self.returned = decision.after, decision.body, []
        assert decision.body.sale is not None
        return decision.body.sale

    def sold(self) -> Sold:
        assert self.sale is not None
        return sold.read(self.sale, self.returned)

    def back(self, *lines: tuple[int, int], **more: Any) -> ReturnFacts:
        """Take (line, thousandths) back."""
        back = tuple(ReturnedLine(line, milli) for line, milli in lines)
        command = Return(f"r{len(self.returned)}", back, "staff", **more)
        return self._posted(decide_return(self.member, self.sold(), command, self.program, self.now))

    def void(self, **more: Any) -> ReturnFacts:
        command = Void("v", "staff", **more)
        return self._posted(decide_void(self.member, self.sold(), command, self.program, self.now))

    def everything(self) -> tuple[tuple[int, int], ...]:
        assert self.sale is not None and self.sale.sale is not None
        return tuple((i, line.quantity_milli) for i, line in enumerate(self.sale.sale.lines))

    def points(self) -> members.Points:
        assert self.member is not None
        return members.points(self.member, self.now)

    def worth(self) -> tuple[int, int]:
        """Return (principal, bonus)."""
        assert self.member is not None
        return (
            members.value(self.member, PRINCIPAL, self.now),
            members.value(self.member, BONUS, self.now),
        )

    def _posted(self, decision: Decision) -> ReturnFacts:
        check_ledger(self.member, decision)
        self.member = decision.after
        self.returned.append(decision.body)
        assert decision.body.returned is not None
        return decision.body.returned


def check_ledger(before: Member | None, decision: Decision) -> None:
    """I1: what is posted on a member's accounts is what their lots and deficits change by."""
    after, body = decision.after, decision.body
    assert ledger.is_balanced(body.lines)
    if before is None or after is None:
        return
    for pool, sign in ((POINTS, 1), (PRINCIPAL, -1), (BONUS, -1)):
        account = f"member/{after.id}/{pool}"
        posted = sum(one.amount for one in body.lines if one.account == account)
        assert worth_of(after, pool) - worth_of(before, pool) == sign * posted, pool


def worth_of(who: Member, pool: str) -> int:
    return sum(one.remaining for one in who.lots if one.pool == pool) - members.deficit_of(who, pool)


def by_kind(facts: ReturnFacts | SaleFacts) -> dict[str, int]:
    found: dict[str, int] = {}
    for tender in facts.tenders:
        found[tender.kind] = found.get(tender.kind, 0) + tender.amount_minor
    return found


def earns(**changes: Any) -> Program:
    return rules(earning=Earning(rules=[EarnRule("all", 1, 100)], **changes))


def who(*lots: Any, **changes: Any) -> Member:
    return msgspec.structs.replace(member(*lots), **changes)


def refused(counter: Counter, *lines: Any, **more: Any) -> TapledgerError:
    """Sell what must be refused and leave the member as they were."""
    before, raw = counter.member, msgspec.msgpack.encode(counter.member)
    tenders = more.pop("tenders", [Tender("card", 10_000)])
    with pytest.raises(TapledgerError) as error:
        counter.sell(lines or [goods(10_000)], tenders, **more)
    assert counter.member is before
    assert msgspec.msgpack.encode(counter.member) == raw
    return error.value

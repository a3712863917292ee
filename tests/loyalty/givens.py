"""What the tests of the rules start from: one programme, members with lots, baskets and commands."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TypeVar

import msgspec

from tapledger.errors import TapledgerError
from tapledger.loyalty import members, tallies
from tapledger.loyalty.decisions import Decision
from tapledger.loyalty.effects import Credited, Effect, Held, Hold, Lot, TierSet
from tapledger.loyalty.facts import Tender
from tapledger.loyalty.ledger import POINT, Line, is_balanced
from tapledger.loyalty.members import Member
from tapledger.loyalty.program import Expiry, Program, Reward, Tier, TrustLimits
from tapledger.loyalty.rewards.redeeming import Redeem
from tapledger.loyalty.sales.selling import BasketLine, Sale, decide_sale

NOON = dt.datetime(2026, 5, 4, 4, 0, tzinfo=dt.UTC)
"""12:00 of Monday, 4 May 2026 in Shanghai."""
DAY = dt.timedelta(days=1)
TODAY = dt.date(2026, 5, 4).toordinal()
MEMBER = "m-1"

PROGRAM = Program(
    version="test-1",
    currency="CNY",
    timezone="Asia/Shanghai",
    tiers=[
        Tier("normal", {"en": "Member"}, 0, 1, 100),
        Tier("silver", {"en": "Silver"}, 100_000, 1, 100, 1200),
        Tier("gold", {"en": "Gold"}, 500_000, 1, 100, 1500),
    ],
    rewards=[
        Reward("coffee", {"en": "Coffee", "zh-Hans": "咖啡"}, 80),
        Reward("mug", {"en": "Mug"}, 500, stock=2),
        Reward("earphones", {"en": "Earphones"}, 1800, tiers=["silver", "gold"]),
    ],
    expiry=Expiry("end_of_month", 12),
    trust=TrustLimits(0, 2000, 20_000, 1_000_000),
    unsettled_points=2000,
)


def program(**changes: object) -> Program:
    return msgspec.structs.replace(PROGRAM, **changes)


def earning(points: int, per_minor: int, multiplier_milli: int = 1000) -> Program:
    """Return a programme with one tier that earns so."""
    return program(tiers=[Tier("only", {"en": "Only"}, 0, points, per_minor, multiplier_milli)])


def lot(id_: str, points: int, ends: dt.datetime | None = None, begins: dt.datetime = NOON - DAY) -> Lot:
    return Lot(id_, points, points, begins, ends)


def member(*lots: Lot, tier: str = "normal", spend_minor: int = 0, deficit: int = 0) -> Member:
    spent = {tallies.SPEND: {TODAY: spend_minor}} if spend_minor else {}
    return Member(MEMBER, NOON - 30 * DAY, tier, tuple(lots), tallies=spent, deficit=deficit)


def rich(points: int = 10_000, tier: str = "normal") -> Member:
    return member(lot("savings", points), tier=tier)


def line(price_minor: int, quantity_milli: int = 1000, tax_bp: int = 1300, earns: bool = True) -> BasketLine:
    return BasketLine("sku", "Article", quantity_milli, price_minor, tax_bp, "all", earns)


def buy(
    who: Member | None,
    lines: Sequence[BasketLine],
    rules: Program = PROGRAM,
    now: dt.datetime = NOON,
    tenders: Sequence[Tender] | None = None,
    lot_id: str = "lot-of-sale",
) -> Decision:
    """Sell; without tenders: paid in cash to the unit."""
    total = sum(-(-one.unit_minor * one.quantity_milli // 1000) for one in lines)
    paid = [Tender("cash", total)] if tenders is None else tenders
    return decide_sale(
        who, Sale(f"sale of {lot_id}", tuple(lines), tuple(paid), lot_id, "staff-1"), rules, now
    )


def redeem(
    reward: str,
    hold: str = "hold-1",
    trust: int = 3,
    stock_left: int | None = None,
    unsettled_points: int = 0,
    language: str = "en",
) -> Redeem:
    return Redeem(
        reward, hold, f"voucher of {hold}", trust, "test", stock_left, unsettled_points, language, "staff-1"
    )


def after(decision: Decision) -> Member:
    assert decision.after is not None
    return decision.after


E = TypeVar("E", bound=Effect)


def of_kind(decision: Decision, kind: type[E]) -> list[E]:
    """Return what a decision changes in one way."""
    return [effect for effect in decision.body.effects if isinstance(effect, kind)]


def lots_added(decision: Decision) -> tuple[Lot, ...]:
    return tuple(effect.lot for effect in of_kind(decision, Credited))


def hold_of(decision: Decision) -> Hold:
    """Return the one hold that a decision makes."""
    (held,) = of_kind(decision, Held)
    return held.hold


def tier_of(decision: Decision) -> str | None:
    """Return the tier that a decision gives, if any."""
    return next((effect.tier for effect in of_kind(decision, TierSet)), None)


def spend_of(who: Member) -> int:
    return tallies.total(who.tallies, tallies.SPEND) + who.earlier_spend_minor


def available(who: Member, now: dt.datetime = NOON) -> int:
    return members.points(who, now).available


def code_of(error: TapledgerError) -> tuple[str, dict[str, str | int]]:
    return error.code, error.data


def posted(decision: Decision, account: str, unit: str = POINT) -> int:
    """Return what a decision posts on an account; its lines must balance."""
    assert is_balanced(decision.body.lines)
    assert all(isinstance(one, Line) and one.amount for one in decision.body.lines)
    return sum(one.amount for one in decision.body.lines if (one.account, one.unit) == (account, unit))

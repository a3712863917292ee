"""What the tests of coupons start from."""

from __future__ import annotations

import datetime as dt
from typing import Any

from tapledger.loyalty import members
from tapledger.loyalty.coupons import couponing, issuing
from tapledger.loyalty.coupons.couponing import ONLINE, Reach
from tapledger.loyalty.coupons.issuing import Issue
from tapledger.loyalty.effects import Effect
from tapledger.loyalty.facts import SaleFacts
from tapledger.loyalty.members import Member
from tapledger.loyalty.program import Program, Template
from tapledger.loyalty.promotions.amount import Amount
from tests.loyalty.givens import NOON, TODAY, after, program

SECOND = dt.timedelta(seconds=1)
SHANGHAI_MIDNIGHT = dt.datetime(2026, 5, 4, 16, tzinfo=dt.UTC)
"""The end of the local day of NOON."""


def template(id_: str = "ten", **terms: Any) -> Template:
    return Template(id_, Amount(1000), **terms)


def rules(*templates: Template, **changes: Any) -> Program:
    return program(coupons=list(templates or [template()]), **changes)


def issue(who: Member, rule: Program, id_: str = "c-1", now: dt.datetime = NOON, **how: Any) -> Member:
    command = Issue(rule.coupons[0].id, id_, "staff", staff="s-1", **how)
    return after(issuing.decide_issue(who, command, rule, now))


def applied(who: Member, effects: tuple[Effect, ...], now: dt.datetime = NOON) -> Member:
    for effect in effects:
        who = members.APPLY[type(effect)](who, effect, now)
    return who


def sold(*coupons: str, sale: str = "sale-1", day: int = TODAY) -> SaleFacts:
    return SaleFacts(sale, "CNY", (), 0, 0, (), 0, 0, coupons=coupons, day=day)


def reason(who: Member, rule: Program, now: dt.datetime = NOON, reach: Reach = ONLINE, sale: str = "") -> str:
    """Return why the one coupon of a wallet cannot be used; empty when it can."""
    told = couponing.usable(who, rule, now, reach, sale)
    assert len(told.chosen) + len(told.left_out) == 1
    return told.left_out[0].reason.code if told.left_out else ""


def code_reason(who: Member | None, rule: Program, **how: Any) -> str:
    why = couponing.why_not_code(who, rule.coupons[0], rule, NOON, how.pop("gone", set()), **how)
    return "" if why is None else why.code

"""Stored value and returns: nothing to be gained by paying in and taking out again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tapledger.loyalty.facts import Reason
from tapledger.loyalty.program.findings import Finding, Path
from tapledger.loyalty.program.values import StoredValue

if TYPE_CHECKING:
    from tapledger.loyalty.program import Program


def lint_values(program: Program) -> Iterator[Finding]:
    if program.stored_value is not None:
        yield from _top_up(program.stored_value, program.currency)
    returns = program.returns
    if returns.restore_expired == "grace_days" and not returns.grace_days:
        yield Finding(("returns", "grace_days"), Reason("PROGRAM_GRACE_MISSING", {}))
    if returns.restore_expired == "expire_at_once" and returns.grace_days:
        yield Finding(("returns", "grace_days"), Reason("PROGRAM_GRACE_USELESS", {}))


def _top_up(rules: StoredValue, currency: str) -> Iterator[Finding]:
    best = -1
    paid: set[int] = set()
    for place, row in enumerate(rules.top_up):
        path: Path = ("stored_value", "top_up", place)
        if row.bonus_minor and row.bonus_bp:
            yield Finding((*path, "bonus_bp"), Reason("PROGRAM_BONUS_TWICE", {}))
        if row.pay_minor <= 0:
            continue
        pay, bonus = row.pay_minor, row.bonus(row.pay_minor)
        figures: dict[str, int | str] = {"pay_minor": pay, "bonus_minor": bonus, "currency": currency}
        if pay in paid:
            again: dict[str, int | str] = {"pay_minor": pay, "currency": currency}
            yield Finding((*path, "pay_minor"), Reason("PROGRAM_TOP_UP_TWICE", again))
        if bonus >= pay:
            yield Finding(path, Reason("PROGRAM_BONUS_EXCEEDS_PAID", figures))
        elif bonus < best:
            yield Finding(path, Reason("PROGRAM_TOP_UP_FALLS", figures))
        paid.add(pay)
        best = max(best, bonus)
        limit = rules.max_top_up_minor
        if limit is not None and pay > limit > 0:
            over: dict[str, int | str] = {"pay_minor": pay, "limit_minor": limit, "currency": currency}
            yield Finding((*path, "pay_minor"), Reason("PROGRAM_TOP_UP_ABOVE_MAX", over))
        full = rules.max_balance_minor
        if full is not None and pay + bonus > full > 0:
            most: dict[str, int | str] = {"pay_minor": pay, "limit_minor": full, "currency": currency}
            yield Finding((*path, "pay_minor"), Reason("PROGRAM_TOP_UP_ABOVE_BALANCE", most))

"""What can never work in a programme, or can be farmed: every mistake with its place, its code and figures.

A room for each kind of mistake; each has its sentence in ``locales/*/program.po``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

from tapledger.loyalty.program.findings import Finding, Path
from tapledger.loyalty.program.lint.earning import lint_earning
from tapledger.loyalty.program.lint.frame import has_zone, lint_frame
from tapledger.loyalty.program.lint.games import lint_games
from tapledger.loyalty.program.lint.numbers import lint_numbers
from tapledger.loyalty.program.lint.people import lint_people
from tapledger.loyalty.program.lint.prices import lint_prices
from tapledger.loyalty.program.lint.references import lint_references
from tapledger.loyalty.program.lint.rewards import lint_rewards
from tapledger.loyalty.program.lint.shelf import Shelf, Sold, lint_shelf
from tapledger.loyalty.program.lint.tiers import lint_tiers
from tapledger.loyalty.program.lint.values import lint_values

if TYPE_CHECKING:
    from tapledger.loyalty.program import Program

__all__ = ["Shelf", "Sold", "lint", "without_consequences"]


def lint(program: Program, shelf: Shelf | None = None) -> list[Finding]:
    """Name every mistake of a programme; with a shelf, also what it says of articles."""
    first = [*lint_frame(program), *lint_numbers(program)]
    if not has_zone(program):
        program = msgspec.structs.replace(program, timezone="UTC")  # the rest can still be asked
    rest = [
        *lint_references(program),
        *lint_tiers(program),
        *lint_earning(program),
        *lint_prices(program),
        *lint_rewards(program),
        *lint_values(program),
        *lint_people(program),
        *lint_games(program),
        *(() if shelf is None else lint_shelf(program, shelf)),
    ]
    return first + [one for one in rest if one.path not in {found.path for found in first}]


NAMED_BY = {
    "PROGRAM_TIER": "tiers",
    "PROGRAM_COUPON_UNKNOWN": "coupons",
    "PROGRAM_CAMPAIGN_UNKNOWN": "campaigns",
    "PROGRAM_WINDOW_UNKNOWN": "windows",
    "PROGRAM_ENTITLEMENT_UNKNOWN": "entitlements",
    "PROGRAM_GIFT_UNKNOWN": "rewards",
    "PROGRAM_RULE_UNKNOWN": "earning",
    "PROGRAM_BUDGET_USELESS": "earning",
    "PROGRAM_HOLIDAYS": "holidays",
    "PROGRAM_LOTTERY": "lotteries",
    "PROGRAM_QUIZ": "surveys",
    "PROGRAM_SURVEY": "surveys",
    "PROGRAM_MISSION_NO_REFERRAL": "referral",
    "PROGRAM_MISSION_NO_CHECK_IN": "check_in",
}
"""What may be said only because an entry of a section could not be read, by the begin of its code."""
OF_ANY = ("PROGRAM_GRANTS", "PROGRAM_GROUP", "PROGRAM_CLASS", "PROGRAM_GAIN_EMPTY", "PROGRAM_REWARD_FREE")


def without_consequences(findings: Iterable[Finding], left_out: Iterable[Path]) -> list[Finding]:
    """Return what is wrong in itself, not only because something that was left out is missing."""
    sections = {str(path[0]) for path in left_out}

    def follows(code: str) -> bool:
        named = any(code.startswith(begin) and section in sections for begin, section in NAMED_BY.items())
        return named or code.startswith(OF_ANY)

    return [one for one in findings if not follows(one.why.code)]

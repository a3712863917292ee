"""What can never work in a programme, or can be farmed: every mistake with its place, its code and figures.

A room for each kind of mistake; each has its sentence in ``locales/*/program.po``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tapledger.loyalty.program.findings import Finding
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

__all__ = ["Shelf", "Sold", "lint"]


def lint(program: Program, shelf: Shelf | None = None) -> list[Finding]:
    """Name every mistake of a programme, in the order of its sections; with a shelf, articles too.

    Where the frame or a number is impossible, what follows from it is not asked.
    """
    first = [*lint_frame(program), *lint_numbers(program)]
    if not has_zone(program) or not program.tiers:
        return [*first, *(lint_tiers(program) if not program.tiers else ())]
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

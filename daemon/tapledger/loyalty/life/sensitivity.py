"""Articles that no screen, slip or message of a member ever names, such as those of a pharmacy (3.26)."""

from __future__ import annotations

from tapledger.loyalty.facts import SaleLine
from tapledger.loyalty.program import Program
from tapledger.loyalty.promotions.articles import Articles


def is_sensitive(line: SaleLine, program: Program) -> bool:
    """Tell whether a line must not be named to anybody: as it was sold, or as the programme says now."""
    return line.sensitive or (program.sensitive is not None and Articles(program.sensitive).has(line))


def shown(lines: tuple[SaleLine, ...], program: Program) -> tuple[SaleLine, ...]:
    """Return the lines that may be shown."""
    return tuple(line for line in lines if not is_sensitive(line, program))

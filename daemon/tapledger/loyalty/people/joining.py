"""Who may have a card: everybody, or who has spent enough (article 001-3, "free after a spend")."""

from __future__ import annotations

from collections.abc import Sequence

from tapledger.loyalty.facts import Reason
from tapledger.loyalty.program import Program


def why_not(spent_minor: Sequence[int], program: Program) -> Reason | None:
    """Return what is missing before a card is free to have, or None.

    ``spent_minor`` are the sales without a member whose receipts were shown, or the one being paid, net of
    returns.
    """
    rule = program.membership
    match rule.gate:
        case "single_spend":
            have = max(spent_minor, default=0)
        case "cumulative_spend":
            have = sum(spent_minor)
        case _:
            return None
    if have >= rule.gate_minor:
        return None
    figures: dict[str, int | str] = {"missing_minor": rule.gate_minor - have, "currency": program.currency}
    return Reason("GATE_SPEND_MISSING", figures)

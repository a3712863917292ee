"""Who may have a card: everybody, or who has spent enough (article 001-3, "free after a spend")."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from tapledger.loyalty.decisions import Decision, decision
from tapledger.loyalty.effects import BirthdaySet, Credential, Linked, TierSet
from tapledger.loyalty.facts import Reason
from tapledger.loyalty.ledger import EventBody
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


@dataclass(frozen=True, slots=True)
class Join:
    member: str
    credentials: tuple[Credential, ...]
    profile_digest: str | None
    staff: str | None
    birthday: BirthdaySet | None = None


def decide_join(command: Join, program: Program, now: dt.datetime) -> Decision:
    """Make a member in the lowest tier with their first credentials."""
    body = EventBody(
        kind="join",
        at=now,
        program=program.version,
        member=command.member,
        effects=(
            *(Linked(one) for one in command.credentials),
            TierSet(program.tiers[0].id),
            *(() if command.birthday is None else (command.birthday,)),
        ),
        profile_digest=command.profile_digest,
        staff=command.staff,
    )
    return decision(None, body)

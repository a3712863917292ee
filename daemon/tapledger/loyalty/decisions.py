"""What a command does: the event to post, and the member after it."""

from __future__ import annotations

from dataclasses import dataclass

from tapledger.loyalty import ledger, members
from tapledger.loyalty.ledger import EventBody
from tapledger.loyalty.members import Member


@dataclass(frozen=True, slots=True)
class Decision:
    """What a command does: the event to post and the member after it."""

    body: EventBody
    after: Member | None


def decision(member: Member | None, body: EventBody) -> Decision:
    """Return the decision to post a body; an unbalanced one is a bug here, never an input's fault."""
    if not ledger.is_balanced(body.lines):
        raise AssertionError(f"unbalanced {body.kind}: {body.lines}")
    return Decision(body, None if body.member is None else members.fold(member, body))

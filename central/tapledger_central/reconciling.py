"""What shops that could not hear each other did to one member, for the owner's list: it all stands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tapledger.loyalty import sharing
from tapledger.loyalty.coupons import wallet
from tapledger.loyalty.effects import BONUS, POINTS, PRINCIPAL, Lease, Leased, Overdrawn
from tapledger.loyalty.ledger import EventBody
from tapledger.loyalty.members import Member, deficit_of, fold
from tapledger_central.store.inbox import Filed
from tapledger_central.store.members import Applied, Difference

POOLS = (POINTS, PRINCIPAL, BONUS)


def differences(
    before: Applied | None, after: Applied | None, news: Sequence[tuple[Filed, EventBody | None]]
) -> Iterator[Difference]:
    """Yield what a member's news have made worse: more spent than there was, a coupon used again.

    A deficit that its event foresaw, such as the points of what is returned, is none of these.
    """
    told = [(event, body) for event, body in news if body is not None]
    if after is None or not told or any(_foreseen(body) for _, body in told):
        return
    event = told[-1][0]
    place = (event.node, event.epoch, event.seq)
    for pool in POOLS:
        more = deficit_of(after.state, pool) - (0 if before is None else deficit_of(before.state, pool))
        if more > 0:
            yield Difference("OVERDRAWN", *place, f"{more} {pool}", event.member)
    if _overused(after.state) > (0 if before is None else _overused(before.state)):
        yield Difference("COUPON_OVERUSED", *place, "", event.member)


def given_away(
    before: Applied | None, news: Sequence[tuple[Filed, EventBody | None]]
) -> Iterator[Difference]:
    """Yield what a shop's node has leased to another beyond what it drew from leases of its own for that."""
    state = None if before is None else before.state
    for event, body in news:
        if body is None:
            continue
        for pool, amount in sharing.beyond(state, event.node, body).items():
            yield Difference(
                "OVERDRAWN", event.node, event.epoch, event.seq, f"{amount} {pool}", event.member
            )
        state = fold(state, body)


def leased(news: Sequence[tuple[Filed, EventBody | None]]) -> Iterator[tuple[Filed, Lease]]:
    """Yield the leases that events give."""
    for event, body in news:
        for effect in () if body is None else body.effects:
            if isinstance(effect, Leased):
                yield event, effect.lease


def _foreseen(body: EventBody) -> bool:
    return any(isinstance(effect, Overdrawn) for effect in body.effects)


def _overused(member: Member) -> int:
    return sum(member.tallies.get(wallet.OVERUSE, {}).values())

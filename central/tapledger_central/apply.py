"""Stage two: bring each member's state up to date with the events just filed.

A state is the fold of all the member's events in one order: hybrid clock, node, epoch, seq (decisions R4).
So it does not depend on the order in which batches arrive. An event that comes after all others is folded
onto the state; one that comes late makes the member's events be folded again from the first.
"""

from __future__ import annotations

from collections import defaultdict

import msgspec

from tapledger.loyalty.effects import Linked, Unlinked
from tapledger.loyalty.ledger import EventBody, linked
from tapledger.loyalty.life import merging
from tapledger.loyalty.members import Member, fold
from tapledger.wire.codec import decode_event
from tapledger_central.store import Transaction, inbox, members
from tapledger_central.store.inbox import Filed
from tapledger_central.store.members import Applied, Difference

Entry = tuple[Filed, EventBody | None]
"""A filed event and its body; None when it is kept but not applied."""


def apply(tx: Transaction, tenant: str, entries: list[Entry], now_ms: int) -> None:
    """Apply events that have just been filed, and move every changed member to a new feed version."""
    by_member: defaultdict[str, list[Entry]] = defaultdict(list)
    for event, body in entries:
        if event.member is None:
            continue
        by_member[event.member].append((event, body))
        if body is not None:
            _claim(tx, tenant, event, body, now_ms)
            if body.profile_digest is not None:
                members.expect_profile(tx, event.member, body.profile_digest, event.order)
    heirs: dict[str, None] = {}
    for member, news in by_member.items():
        after = _advance(tx, tenant, member, news, now_ms)
        if after is not None:
            members.save(tx, after)
            if after.state.merged_into:
                heirs[after.state.merged_into] = None
            if after.state.status == "erased":
                members.forget(tx, tenant, after.state)
    _tell_heirs(tx, tenant, list(heirs), now_ms)


def _tell_heirs(tx: Transaction, tenant: str, heirs: list[str], now_ms: int) -> None:
    """Bring those up to date whose aliases have news, and those they were merged into in turn (X4)."""
    for heir in heirs:  # grows
        after = _advance(tx, tenant, heir, [], now_ms)
        if after is not None:
            members.save(tx, after)
            if after.state.merged_into and after.state.merged_into not in heirs:
                heirs.append(after.state.merged_into)


def _claim(tx: Transaction, tenant: str, event: Filed, body: EventBody, now_ms: int) -> None:
    """Give each credential to the member whose claim arrived first; list the others for the owner.

    First come stays: news from a shop that was away never takes a card from whoever has been using it.
    """
    for effect in body.effects:
        if isinstance(effect, Unlinked):
            members.release_claim(tx, tenant, effect.index, event.member or "")
    for credential in linked(body):
        owner = members.claim(tx, tenant, credential.index, event.member or "")
        if owner != event.member:
            found = Difference(
                "CREDENTIAL_CLAIMED_TWICE",
                event.node,
                event.epoch,
                event.seq,
                detail=credential.index,
                member=event.member,
                other_member=owner,
            )
            members.list_difference(tx, [found], now_ms)


def _advance(tx: Transaction, tenant: str, member: str, news: list[Entry], now_ms: int) -> Applied | None:
    """Return a member with new events; None while nothing of theirs could be applied."""
    known = members.load(tx, member)
    if known is None or known.state.aliases or not news or news[0][0].order < known.last:
        events = inbox.of_member(tx, member)
        known, news = None, [(one, None if one.verdict else decode_event(one.raw).body) for one in events]
    after = _fold(tx, tenant, known, news) if news else None
    return after and _with_late(tx, after, now_ms)


def _with_late(tx: Transaction, applied: Applied, now_ms: int) -> Applied:
    """Add what was recorded in the name of aliases by shops that did not know of the merge (X4).

    What a member has once a day or once for ever, and both had, is listed for the owner.
    """
    state, settled = applied.state, dict(applied.settled)
    for alias in state.aliases:
        rest = members.load(tx, alias)
        if rest is not None:
            _, node, epoch, seq = rest.last
            found = [
                Difference("HAD_TWICE", node, epoch, seq, f"{key} {day}", applied.state.id, alias)
                for key, day in merging.had_twice(rest.state, state)
            ]
            members.list_difference(tx, found, now_ms)
            state = merging.with_late(state, rest.state)
            for chain, seq in rest.settled.items():
                settled[chain] = max(seq, settled.get(chain, 0))
    return Applied(state, applied.last, settled)


def _fold(tx: Transaction, tenant: str, known: Applied | None, entries: list[Entry]) -> Applied | None:
    state: Member | None = None if known is None else known.state
    settled = {} if known is None else dict(known.settled)
    for event, body in entries:
        settled[f"{event.node}/{event.epoch}"] = event.seq
        if body is not None:
            state = fold(state, _own_credentials(tx, tenant, body))
    return None if state is None else Applied(state, entries[-1][0].order, settled)


def _own_credentials(tx: Transaction, tenant: str, body: EventBody) -> EventBody:
    """Return the body without credentials that belong to another member."""
    own = tuple(
        effect
        for effect in body.effects
        if not isinstance(effect, Linked) or members.owner(tx, tenant, effect.credential.index) == body.member
    )
    return msgspec.structs.replace(body, effects=own) if len(own) < len(body.effects) else body

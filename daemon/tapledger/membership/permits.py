"""What pays for spending here: leases of this shop first, asked for while central answers (sync.md 2.4).

The ladder: central sets aside what is about to be spent, so that nothing is spent twice. When it does not
answer, what this shop holds on lease pays; then its quota (``loyalty.rights``), which has a bound; then
nothing does. Deciding what is spent is not done here: a use case decides for the member ``ready`` to spend,
and ``draw`` names the leases in the event that was decided.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import structlog

from tapledger.database import Transaction
from tapledger.errors import Refused, TapledgerError, Unavailable
from tapledger.loyalty import decisions, escrow, leases, lots
from tapledger.loyalty.decisions import Decision
from tapledger.loyalty.effects import BONUS, POINTS, PRINCIPAL, Lease
from tapledger.loyalty.ledger import EventBody
from tapledger.loyalty.life import merging
from tapledger.loyalty.members import Member, fold
from tapledger.loyalty.program import Program
from tapledger.membership import timekeeping
from tapledger.membership.shop import Shop, operation
from tapledger.store import leases as held
from tapledger.store import members
from tapledger.store.journal import Operation

ASK_DEADLINE_S = 1.5
"""A customer waits."""
SILENT_S = 15.0
"""After a question that was not answered in time none is asked: others would wait as long for nothing."""
MAX_CLOSED = 200
"""Leases closed in one go; the next round takes the others."""

Wanted = Callable[[Member], Mapping[str, int]]
"""What a command spends of each pool, for the member ready to spend; empty when it can spend nothing."""

_log = structlog.get_logger("permits")


# ---- before the transaction -------------------------------------------------------------------------------
async def secure(shop: Shop, same: Operation, member: str | None, wanted: Wanted) -> None:
    """Ask for what a command is about to spend and this shop has no lease of, whoever answers now: central,
    or else the shop's hub.

    Raises ``Refused`` when central says that it is not there to be spent. When nobody says anything in time,
    or nothing that helps, the shop goes on as one that is away: bound by its quota.
    """
    if member is None or shop.permits is None or not shop.store.keyring.enrolled:
        return
    if not shop.online and not shop.has_hub:
        return
    missing = await shop.store.transact(lambda tx: _missing(tx, shop, same, member, wanted))
    for pool, amount in missing.items():
        if not await _central_gives(shop, member, pool, amount):
            await _hub_gives(shop, member, pool, amount)


async def _central_gives(shop: Shop, member: str, pool: str, amount: int) -> bool:
    if shop.permits is None or not shop.online:
        return False
    try:
        async with asyncio.timeout(ASK_DEADLINE_S):
            await shop.permits.ask(member, pool, amount)
    except Refused:
        raise
    except (TapledgerError, TimeoutError) as error:
        _log.warning("no lease", pool=pool, why=getattr(error, "code", "TIMEOUT"))
        shop.silent_until_s = shop.clock.monotonic_s() + SILENT_S
        return False
    return True


async def _hub_gives(shop: Shop, member: str, pool: str, amount: int) -> None:
    """Get a part of the hub's leases; what it does not have is no reason to refuse, for a quota is left."""
    if shop.hub is None or not shop.has_hub:
        return
    try:
        async with asyncio.timeout(ASK_DEADLINE_S):
            await shop.hub.ask(member, pool, amount)
    except (Unavailable, TimeoutError) as error:
        _log.warning("the hub is silent", pool=pool, why=getattr(error, "code", "TIMEOUT"))
        shop.hub_silent_until_s = shop.clock.monotonic_s() + SILENT_S
    except TapledgerError as error:
        _log.info("nothing of the hub's", pool=pool, why=error.code)


def _missing(tx: Transaction, shop: Shop, same: Operation, member: str, wanted: Wanted) -> dict[str, int]:
    """Return what to ask for: nothing for a command that came before, or that nobody could pay."""
    stored = members.load(tx, member)
    if stored is None or shop.store.journal.find(tx, same) is not None:
        return {}
    hand = hand_of(tx, shop, stored.member)
    found = {}
    for pool, amount in wanted(hand.ready).items():
        own = hand.leased(pool)
        elsewhere = escrow.worth(hand.ready.leases, hand.ready.lots, hand.at, pool)
        if own < amount <= leases.available(hand.ready, pool, hand.at) + elsewhere:
            found[pool] = amount - own
    return found


# ---- inside it --------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Hand:
    """A member, and what of their balance this shop may spend."""

    member: Member
    """As they are."""
    ready: Member
    """With this shop's leases among what can be spent: decide for this one."""
    node: str
    at: dt.datetime
    strict: bool = False
    """Central was asked: stored value that no lease pays is not spent."""

    def leases(self, pool: str) -> tuple[Lease, ...]:
        if self.ready is self.member:
            return ()
        return tuple(one for one in leases.own(self.member, self.node, self.at) if one.pool == pool)

    def leased(self, pool: str) -> int:
        """Return what leases of this shop pay of a pool now."""
        return escrow.worth(self.leases(pool), self.member.lots, self.at, pool)

    def draw(self, decision: Decision, program: Program) -> Decision:
        """Let leases pay first for what was decided; raise ``Refused`` when they must pay and cannot."""
        body, has_leases = decision.body, self.ready is not self.member
        if has_leases:
            body = leases.drawn(self.member, body, self.node, program, self.at)
        if self.strict:
            self._check(decision, body, program)
        return decisions.decision(self.member, body) if has_leases else decision

    def after(self, decision: Decision) -> Hand:
        """Return the hand once another event of the member was decided, which spends of no lease."""
        assert decision.after is not None
        same = self.ready is self.member
        return replace(self, member=decision.after, ready=decision.after if same else self.ready)

    def _check(self, decision: Decision, body: EventBody, program: Program) -> None:
        for pool, takes in leases.spent(decision.body).items():
            paid = leases.paid(body, pool)
            if pool in (PRINCIPAL, BONUS) and lots.taken_amount(takes) > paid:
                raise Refused("VALUE_NOT_HERE", available_minor=paid, currency=program.currency)


def hand_of(tx: Transaction, shop: Shop, member: Member) -> Hand:
    """Return what this shop may spend of a member's; costs nothing for one who has no lease.

    While the clock is not believed nobody knows whether a lease is over, so none pays (R25).
    """
    node, now = shop.store.keyring.node, shop.clock.now()
    strict = shop.permits is not None and shop.online and shop.store.keyring.enrolled
    if not any(one.node == node for one in member.leases) or timekeeping.is_suspect(tx, shop):
        return Hand(member, member, node, now, strict)
    at = timekeeping.now_or_later(tx, shop)
    if not leases.own(member, node, at):
        return Hand(member, member, node, now, strict)
    return Hand(member, leases.in_hand(member, node, at), node, at, strict)


def points(amount: int) -> Wanted:
    """Return the ``Wanted`` of a command that spends points alone."""
    return lambda ready: {POINTS: amount} if amount > 0 else {}


# ---- giving back ------------------------------------------------------------------------------------------
async def close_due(shop: Shop) -> int:
    """Close the leases whose time is over and those that central wants back; return how many.

    To be called in each round of sync: central has them back with the next push. One that is over by a clock
    that is not believed waits.
    """

    def work(tx: Transaction) -> int:
        suspect = timekeeping.is_suspect(tx, shop)
        until = held.AT_ONCE if suspect else int(timekeeping.now_or_later(tx, shop).timestamp() * 1000)
        return sum(close(tx, shop, id_, member) for id_, member in held.due(tx, until, MAX_CLOSED))

    return await shop.store.transact(work)


def close(tx: Transaction, shop: Shop, id_: str, member: str) -> bool:
    """Close one lease in the name in which it stands; tell whether there was anything to close."""
    held.forget(tx, id_)
    stored = members.load_alias(tx, member)
    lease = None if stored is None else escrow.find(stored.member.leases, id_)
    if stored is None or lease is None:
        return False
    now = shop.clock.now()
    decision = leases.decide_close(stored.member, lease, shop.program, now)
    shop.record(tx, operation(f"lease-close/{id_}", id_), decision, now)
    if stored.member.merged_into:
        _tell_heir(tx, member, decision)
    return True


def _tell_heir(tx: Transaction, alias: str, decision: Decision) -> None:
    """Bring whom the alias is part of now in step, as central will (X4)."""
    heir = members.load(tx, alias)
    if heir is not None:
        body = merging.late(decision.body, heir.member.id)
        members.record(tx, fold(heir.member, body), body)


def closed(tx: Transaction, shop: Shop, hand: Hand, pool: str) -> Member:
    """Close this shop's leases of a pool, for what takes the whole of it; return the member after it."""
    for lease in hand.leases(pool):
        close(tx, shop, lease.id, hand.member.id)
    stored = members.load(tx, hand.member.id) if hand.leases(pool) else None
    return hand.member if stored is None else stored.member

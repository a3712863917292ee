"""What central sets aside for shops: on demand, for whom they see often, and until it is given back.

Central is a node here: what it decides are events of a chain of its own, filed, applied and told like those
of shops, in the transaction that decides them. So nothing is granted twice, whoever asks at the same time.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace

import msgspec
import structlog

from tapledger.clock import Clock
from tapledger.errors import Conflict, NotFound, Refused, Unavailable
from tapledger.identifiers import Randomness, uuid7
from tapledger.loyalty import escrow, leases, ledger, rights
from tapledger.loyalty.decisions import Decision
from tapledger.loyalty.effects import POINTS, Lease
from tapledger.loyalty.leases import Asked
from tapledger.loyalty.members import Member
from tapledger.loyalty.program import Program, Tier
from tapledger.wire.asking import LeaseAnswer, LeaseAsked, StatusReport
from tapledger.wire.codec import decode_event
from tapledger.wire.messages import EVERYWHERE, FeedRow
from tapledger.wire.news import ExposureNews
from tapledger_central import rounds, telling
from tapledger_central.keys import CentralKeys
from tapledger_central.own_chain import OwnChain, ms
from tapledger_central.store import CentralStore, Transaction, inbox, members, news, nodes, reports
from tapledger_central.store import leases as granted
from tapledger_central.store.following import FOR_LEASES, Unseen
from tapledger_central.store.leases import Granted
from tapledger_central.store.members import Applied, Difference
from tapledger_central.store.nodes import Node

MAX_A_MINUTE = 600
"""Leases that one node is granted in a minute: more than any till sells."""
MAX_MERGES = 32
OFFLINE_AFTER = dt.timedelta(minutes=2)
"""A node that was not heard for so long counts as out of reach."""
EVENTS_AT_ONCE = 20
"""Looked at in one transaction: a customer at another till waits for its end."""
TOO_LITTLE = frozenset({"POINTS_RESERVED", "VALUE_RESERVED", "POINTS_MISSING", "INSUFFICIENT"})
WRITTEN_OFF = "LEASE_WRITTEN_OFF"

_log = structlog.get_logger("central")


class Leases:
    """Grants, shares out, recalls and writes off leases of one tenant. ``told`` is called when shops have
    something to hear of it."""

    def __init__(
        self,
        store: CentralStore,
        keys: CentralKeys,
        clock: Clock,
        randomness: Randomness,
        told: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._randomness = randomness
        self._told = told
        self._chain = OwnChain(keys, randomness)

    # ---- on demand ----------------------------------------------------------------------------------------
    async def ask(self, node: Node, asked: LeaseAsked) -> LeaseAnswer:
        """Set aside what a node is about to spend, or say why there is too little of it.

        The caller has let the applier catch up with what the node pushed. The same id is one lease for ever:
        asked again, it is answered again. What other shops hold in the way is recalled. Raises ``NotFound``
        MEMBER_UNKNOWN, ``Conflict`` for an id of another lease, ``Unavailable`` for a node that asks too
        often, and ``Refused`` for a member who may not spend.
        """
        answer = await self._store.transact(lambda tx: self._ask(tx, node, asked))
        self._told()
        return answer

    def _ask(self, tx: Transaction, node: Node, asked: LeaseAsked) -> LeaseAnswer:
        news.lock(tx)
        now = self._clock.now()
        before = granted.find(tx, asked.id)
        who = _heir(tx, asked.member)
        if before is not None:
            whose = _heir(tx, before.member).state.id
            said = (whose, before.node, before.pool, before.amount)
            if said != (who.state.id, node.node, asked.pool, asked.amount):
                raise Conflict("IDEMPOTENCY_MISMATCH", op_key=asked.id)
            return self._answer(tx, node, who.state, asked.pool, before.amount, now)
        if granted.count_since(tx, node.node, ms(now) - 60_000) >= MAX_A_MINUTE:
            raise Unavailable("LEASES_ASKED_TOO_OFTEN", limit=MAX_A_MINUTE, retry_after_s=60)
        command = Asked(asked.id, node.node, asked.pool, asked.amount)
        program = telling.told_program(tx) or _stand_in(tx, who.state, asked.pool)
        try:
            decision = leases.decide_grant(who.state, command, program, now)
        except Refused as error:
            if error.code not in TOO_LITTLE:
                raise
            self._recall_others(tx, who.state, asked.pool, node.node, program, now)
            return self._answer(tx, node, who.state, asked.pool, 0, now)
        self._grant(tx, decision, command, now)
        assert decision.after is not None
        return self._answer(tx, node, decision.after, asked.pool, asked.amount, now)

    def _grant(self, tx: Transaction, decision: Decision, command: Asked, now: dt.datetime) -> None:
        assert decision.body.member is not None
        self._chain.record(tx, decision, nodes.scope_of(tx, command.node), now)
        amount = sum(take.amount for take in _leased(decision, command.id).taken)
        granted.add(
            tx, Granted(command.id, decision.body.member, command.node, command.pool, amount, ms(now))
        )

    def _answer(
        self, tx: Transaction, node: Node, state: Member, pool: str, amount: int, now: dt.datetime
    ) -> LeaseAnswer:
        """Answer with the member as they are now, which the node takes like a row of the feed."""
        known = members.load(tx, state.id)
        assert known is not None
        others = [one for one in known.state.leases if one.pool == pool and one.node != node.node]
        version = news.scope_of(tx, node.scope).version
        row = FeedRow.of(known.state, version=version, settled=known.settled)
        return LeaseAnswer(
            granted=amount,
            available=leases.available(known.state, pool, now),
            reserved=escrow.worth(others, known.state.lots, now, pool),
            reserved_at=list(dict.fromkeys(_shop(tx, one.node) for one in others)),
            row=row,
            hlc=inbox.latest(tx),
        )

    # ---- for whom shops see -------------------------------------------------------------------------------
    async def share_out(self) -> int:
        """Lease shops their shares of the members they saw since this was done last; return how many.

        A share that is more than half spent is filled up again: spending is seeing, too.
        """
        count = sum(await rounds.through(self._store, FOR_LEASES, self._chain.node, self._share))
        if count:
            self._told()
        return count

    def _share(self, chain: Unseen, tx: Transaction) -> int:
        program, node = telling.told_program(tx), nodes.find(tx, chain.node)
        is_wanted = program is not None and program.offline.lease_share_pct
        if program is None or not is_wanted or node is None or node.status != nodes.ACTIVE:
            FOR_LEASES.set(tx, chain)
            return 0
        chain = replace(chain, upto=min(chain.upto, chain.after + EVENTS_AT_ONCE))
        news.lock(tx)
        FOR_LEASES.set(tx, chain)
        holder = _holder(tx, node)
        return sum(self._share_of(tx, holder, who, program) for who in granted.members_in(tx, chain))

    def _share_of(self, tx: Transaction, node: str, member: str, program: Program) -> int:
        count, now = 0, self._clock.now()
        for pool in leases.PRE_LEASED:
            who = members.load(tx, member)
            if who is None or who.state.merged_into:
                return count
            id_ = uuid7(now, self._randomness)
            decision = leases.decide_pre_lease(who.state, id_, node, pool, program, now)
            if decision is not None:
                self._grant(tx, decision, Asked(id_, node, pool, 0), now)
                count += 1
        return count

    # ---- given back ---------------------------------------------------------------------------------------
    def _recall_others(
        self, tx: Transaction, state: Member, pool: str, node: str, program: Program, now: dt.datetime
    ) -> None:
        for lease in state.leases:
            if lease.pool == pool and lease.node != node and not lease.recalled:
                self._recall(tx, lease.alias or state.id, lease, program, now)

    def _recall(self, tx: Transaction, member: str, lease: Lease, program: Program, now: dt.datetime) -> None:
        """Ask a holder for its lease, in the name in which it stands (X4)."""
        known = members.load(tx, member)
        if known is not None:
            decision = leases.decide_recall(known.state, lease, program, now)
            self._chain.record(tx, decision, nodes.scope_of(tx, lease.node), now)

    async def recall(self, lease: str) -> None:
        """Ask the holder of one lease to give it back; raise ``NotFound`` when there is nothing to give."""

        def work(tx: Transaction) -> None:
            news.lock(tx)
            known, found = _open(tx, lease)
            program = telling.told_program(tx) or _stand_in(tx, known.state, found.pool)
            self._recall(tx, known.state.id, found, program, self._clock.now())

        await self._store.transact(work)
        self._told()

    async def write_off(self, lease: str, operator: str) -> int:
        """Give back what is left of a lease whose holder is gone for good; return how much.

        That is what can be lost at most by it: it is listed as a difference. Raises ``NotFound``.
        """

        def work(tx: Transaction) -> int:
            news.lock(tx)
            now = self._clock.now()
            known, found = _open(tx, lease)
            program = telling.told_program(tx) or _stand_in(tx, known.state, found.pool)
            decision = leases.decide_write_off(known.state, found, operator, program, now)
            rest, scope = sum(take.amount for take in found.taken), nodes.scope_of(tx, found.node)
            where = self._chain.record(tx, decision, scope, now)
            detail = f"{lease} {found.pool} {rest}"
            listed = Difference(WRITTEN_OFF, found.node, where.epoch, where.seq, detail, known.state.id)
            news.publish(tx, scope, members.list_differences(tx, [listed], ms(now)), ms(now))
            return rest

        rest = await self._store.transact(work)
        self._told()
        return rest

    # ---- what it can cost ---------------------------------------------------------------------------------
    async def exposure(self) -> ExposureNews:
        """Return what can be lost at most right now: by the quotas of those who are out of reach (R6)."""
        return await self._store.transact(self._exposure)

    def _exposure(self, tx: Transaction) -> ExposureNews:
        now = self._clock.now()
        active = [one for one in nodes.everyone(tx) if one.status == nodes.ACTIVE]
        heard_ms = ms(now - OFFLINE_AFTER)
        away = sum(one.last_seen_ms < heard_ms for one in active)
        worst = rights.exposure(telling.told_program(tx) or _plain(""), away)
        return ExposureNews(points=worst.total, nodes_offline=away, nodes=len(active), at=now)

    async def tell_exposure(self) -> bool:
        """Tell every shop the worst case when it is another than was told; return whether it was."""

        def work(tx: Transaction) -> bool:
            now = self._exposure(tx)
            before = news.told(tx, EVERYWHERE, "exposure", "now")
            if before is not None and _same(msgspec.msgpack.decode(before, type=ExposureNews), now):
                return False
            item = news.Item("exposure", "now", msgspec.msgpack.encode(now))
            news.publish_everywhere(tx, item, ms(now.at))
            return True

        told = await self._store.transact(work)
        if told:
            self._told()
        return told


def _holder(tx: Transaction, node: Node) -> str:
    """Return who holds leases for whom a node sees: its shop's hub, when it told that it has one."""
    told = reports.newest(tx, node.node, "status")
    try:
        name = "" if told is None else msgspec.msgpack.decode(told[1], type=StatusReport).hub
    except msgspec.DecodeError:
        return node.node
    hub = nodes.find(tx, name) if name else None
    is_hub = hub is not None and hub.status == nodes.ACTIVE and hub.shop == node.shop
    return name if is_hub else node.node


def _same(one: ExposureNews, other: ExposureNews) -> bool:
    return msgspec.structs.replace(one, at=other.at) == other


def _leased(decision: Decision, lease: str) -> Lease:
    found = None if decision.after is None else escrow.find(decision.after.leases, lease)
    assert found is not None
    return found


def _heir(tx: Transaction, member: str) -> Applied:
    """Return a member, or whom they were merged into; raise ``NotFound``."""
    for _ in range(MAX_MERGES):
        known = members.load(tx, member)
        if known is None:
            break
        if not known.state.merged_into:
            return known
        member = known.state.merged_into
    raise NotFound("MEMBER_UNKNOWN")


def _open(tx: Transaction, lease: str) -> tuple[Applied, Lease]:
    """Return a lease that was not closed, and in whose name it stands."""
    before = granted.find(tx, lease)
    known = None if before is None else members.load(tx, before.member)
    found = None if known is None else escrow.find(known.state.leases, lease)
    if known is None or found is None:
        raise NotFound("LEASE_UNKNOWN", lease=lease)
    return known, found


def _shop(tx: Transaction, node: str) -> str:
    known = nodes.find(tx, node)
    return node if known is None else known.shop


def _stand_in(tx: Transaction, member: Member, pool: str) -> Program:
    """Return what of a programme a lease needs, where central has told none: hours, and a currency that the
    member's own money says."""
    if pool == POINTS:
        return _plain("")
    accounts = {ledger.member_value(name, pool) for name in (member.id, *member.aliases)}
    found = inbox.of_members(tx, [member.id, *member.aliases]).values()
    bodies = (decode_event(one.raw).body for events in found for one in events if not one.verdict)
    lines = (line for body in bodies for line in body.lines)
    return _plain(next((line.unit for line in lines if line.account in accounts), ""))


def _plain(currency: str) -> Program:
    tiers = [Tier("", {}, 0, 0, 1)]
    return Program(version="", currency=currency, timezone="UTC", tiers=tiers)

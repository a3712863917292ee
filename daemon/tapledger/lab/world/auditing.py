"""What must be true of the chain at every step, and more of it once it is quiet."""

from __future__ import annotations

from collections import Counter, defaultdict

import msgspec

from tapledger.database import Transaction as ShopTransaction
from tapledger.lab.world.headquarters import Headquarters
from tapledger.lab.world.kiosks import Disk, Kiosk
from tapledger.lab.world.trace import (
    ACKNOWLEDGED,
    APPLIED,
    BALANCED,
    BOUND,
    CLOCKS,
    EQUAL,
    KEPT,
    LEDGER,
    NO_OVERDRAFT,
    ONCE,
    QUIET,
    WHOLE,
    Broken,
)
from tapledger.loyalty import rights
from tapledger.loyalty.effects import BONUS, POINTS, PRINCIPAL, Debited, LeaseClosed, Overdrawn
from tapledger.loyalty.ledger import POINT, EventBody, is_balanced, member_held, member_points, member_value
from tapledger.loyalty.lots import taken_amount
from tapledger.loyalty.members import Member, deficit_of
from tapledger.loyalty.program import Program
from tapledger.store import history, journal, outbox
from tapledger.store import members as shop_members
from tapledger.store.journal import Broken as BrokenChain
from tapledger.store.members import SPENDING
from tapledger.wire.codec import GENESIS, decode_event, encode_event, link
from tapledger_central.store import Transaction, inbox, members, nodes
from tapledger_central.store.inbox import Filed

PAGE = 500
VALUE = (PRINCIPAL, BONUS)
LEASES = frozenset({"lease", "lease_recall", "lease_close", "lease_share"})
MONEY = "money"


class Auditor:
    """Reads central's ledger as it grows, by itself: nothing that the product has added up is believed."""

    def __init__(self, headquarters: Headquarters, program: Program) -> None:
        self._headquarters = headquarters
        self._program = program
        self._read: dict[tuple[str, int], int] = {}
        self._hashes: dict[tuple[str, int], list[bytes]] = defaultdict(lambda: [GENESIS])
        self._clocks: dict[tuple[str, int], int] = defaultdict(int)
        self._ids: set[str] = set()
        self._balance: defaultdict[tuple[str, str], int] = defaultdict(int)
        """By (member, unit), as the lines of all applied events add up."""
        self._clawed: defaultdict[tuple[str, str], int] = defaultdict(int)
        """What members may owe without having spent it: goods that came back, write-offs."""
        self.most_owed: Counter[str] = Counter()
        self.events = 0

    async def look(self, disks: int) -> None:
        """Check what is new at central: chains, lines, and states against them. ``disks`` have spent."""
        bodies, states = await self._headquarters.look(self._news)
        for body in bodies:
            self._add(body)
        for member in states.values():
            self._check_member(member)
        self._check_bound(list(states.values()), disks)

    def _news(self, tx: Transaction) -> tuple[list[EventBody], dict[str, Member]]:
        bodies: list[EventBody] = []
        for node in (*(one.node for one in nodes.everyone(tx)), self._headquarters.node):
            for epoch, seq, digest in inbox.heads(tx, node):
                bodies += self._follow(tx, node, epoch, seq, digest)
        names = sorted({name for name, _ in self._balance} | {one.member for one in bodies if one.member})
        return bodies, {name: one.state for name, one in members.load_all(tx, names).items()}

    def _follow(self, tx: Transaction, node: str, epoch: int, seq: int, digest: bytes) -> list[EventBody]:
        """Read on in one chain as far as it is applied; check that it is one."""
        place = (node, epoch)
        chain, at = self._hashes[place], self._read.get(place, 0)
        if len(chain) - 1 > seq:
            raise Broken(ACKNOWLEDGED, f"{node}/{epoch} ends at {seq} after {len(chain) - 1}")
        while len(chain) - 1 < seq:
            for event in inbox.events(tx, node, epoch, len(chain) - 1, PAGE):
                self._check_link(event, chain)
        if chain[seq] != digest:
            raise Broken(WHOLE, f"{node}/{epoch}: the head is not its last event")
        upto = inbox.applied(tx, node, epoch)
        if upto < at:
            raise Broken(ACKNOWLEDGED, f"{node}/{epoch} is applied to {upto} after {at}")
        found = inbox.events(tx, node, epoch, at, upto - at) if upto > at else []
        self._read[place] = upto
        return [decode_event(one.raw).body for one in found if not one.verdict]

    def _check_link(self, event: Filed, chain: list[bytes]) -> None:
        place, where = (event.node, event.epoch), f"{event.node}/{event.epoch}/{event.seq}"
        if event.seq != len(chain) or link(chain[-1], event.raw) != event.hash:
            raise Broken(WHOLE, where)
        read = decode_event(event.raw)
        if read.id in self._ids:
            raise Broken(ONCE, where)
        if event.hlc < self._clocks[place]:
            raise Broken(CLOCKS, where)
        if event.verdict:
            raise Broken(APPLIED, f"{where} {event.verdict}")
        self._ids.add(read.id)
        self._clocks[place] = event.hlc
        chain.append(event.hash)
        self.events += 1

    def _add(self, body: EventBody) -> None:
        if not is_balanced(body.lines):
            raise Broken(BALANCED, body.kind)
        if body.member is None:
            return
        accounts = {member_points(body.member), member_held(body.member)}
        accounts |= {member_value(body.member, pool) for pool in VALUE}
        for line in body.lines:
            if line.account in accounts or line.account.startswith(f"member/{body.member}/leased/"):
                self._balance[body.member, POINT if line.unit == POINT else MONEY] += line.amount
        for effect in body.effects:
            match effect:
                case Overdrawn(amount=amount, pool=pool):
                    self._clawed[body.member, pool] += amount
                case Debited(takes=takes, pool=pool) if body.kind not in SPENDING:
                    self._clawed[body.member, pool] += taken_amount(takes)
                case LeaseClosed(written_off=True):
                    rest = max((line.amount for line in body.lines), default=0)
                    for pool in (POINTS, *VALUE):
                        self._clawed[body.member, pool] += rest

    def _check_member(self, member: Member) -> None:
        """available + leased + held + spent = earned: what the state holds is what the ledger says."""
        holds = sum(hold.points for hold in member.holds)
        for unit, pools, sign in ((POINT, (POINTS,), 1), (MONEY, VALUE, -1)):
            has = sum(lot.remaining for lot in member.lots if lot.pool in pools)
            leased = sum(taken_amount(one.taken) for one in member.leases if one.pool in pools)
            owed = sum(deficit_of(member, pool) for pool in pools)
            there = has + leased - owed + (holds if unit == POINT else 0)
            if there != sign * self._balance[member.id, unit]:
                what = f"{member.id} {unit}: state {there}, ledger {sign * self._balance[member.id, unit]}"
                raise Broken(LEDGER, what)

    def _check_bound(self, states: list[Member], disks: int) -> None:
        bound, in_all = rights.exposure(self._program, disks), 0
        for member in states:
            for pool in (POINTS, *VALUE):
                owed = deficit_of(member, pool)
                self.most_owed[pool] = max(self.most_owed[pool], owed)
                lost = max(0, owed - self._clawed[member.id, pool])
                in_all += lost if pool == POINTS else 0
                if lost > (bound.per_member if pool == POINTS else 0):
                    rule = BOUND if bound.per_member else NO_OVERDRAFT
                    raise Broken(rule, f"{member.id} owes {owed} {pool}, bound {bound.per_member}")
        if in_all > bound.total:
            raise Broken(BOUND, f"{in_all} in all, bound {bound.total}")

    def has(self, node: str, epoch: int, seq: int) -> bytes | None:
        """Return the hash of an event that central holds; None when it holds none."""
        chain = self._hashes.get((node, epoch), [])
        return chain[seq] if 0 < seq < len(chain) else None

    # Once all is quiet.
    async def kept(self, node: str, disk: Disk) -> int:
        """Check that central has every event that customers were shown as done; return how many."""
        for (epoch, seq), promised in disk.promised.items():
            if self.has(node, epoch, seq) != promised.hash:
                what = f"{promised.kind} {node}-{epoch}-{seq}"
                raise Broken(KEPT, what)
        return len(disk.promised)

    async def replica(self, kiosk: Kiosk) -> int:
        """Check that a kiosk knows what central knows, in a sound chain; return of how many members."""

        def read(tx: ShopTransaction) -> tuple[dict[str, Member], int, list[BrokenChain | int]]:
            found: dict[str, Member] = {}
            last = ""
            while page := history.members_after(tx, last, PAGE):
                last = page[-1]
                stored = [shop_members.load_alias(tx, name) for name in page]
                found |= {one.member.id: one.member for one in stored if one is not None}
            unsettled = shop_members.unsettled_in_all(tx)
            return found, unsettled + outbox.unsynced(tx), list(journal.verify(tx, kiosk.node))

        ours, left, walked = await kiosk.look(read)
        broken = [one for one in walked if isinstance(one, BrokenChain)]
        if broken:
            raise Broken(WHOLE, f"{kiosk.name}: {broken[0]}")
        if left:
            raise Broken(QUIET, f"{kiosk.name}: {left} left")
        names = sorted({name for name, _ in self._balance})
        theirs = await self._headquarters.look(lambda tx: members.load_all(tx, names))
        if sorted(ours) != sorted(theirs):
            raise Broken(EQUAL, f"{kiosk.name}: other members")
        for name, one in theirs.items():
            if msgspec.msgpack.encode(one.state) != msgspec.msgpack.encode(ours[name]):
                what = f"{kiosk.name} {name}: {ours[name]} and not {one.state}"
                raise Broken(EQUAL, what)
        return len(ours)


def check_recorded(kiosk: Kiosk, recorded: journal.Recorded) -> None:
    """Check an event that a customer is shown as done."""
    event = recorded.event
    where = f"{kiosk.name} {recorded.receipt} {event.body.kind}"
    if encode_event(event) != recorded.raw or not is_balanced(event.body.lines):
        raise Broken(BALANCED, where)
    if recorded.replayed:
        return
    if event.hlc <= kiosk.last_hlc and event.epoch == kiosk.last_epoch:
        raise Broken(CLOCKS, where)
    kiosk.last_hlc, kiosk.last_epoch = event.hlc, event.epoch

"""Central and shops that hear each other or not, as lists of events: what leases must stand (sync.md 2.4)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field

from tapledger.errors import Refused
from tapledger.loyalty import escrow, leases, ledger, lots, members
from tapledger.loyalty.effects import POINTS, Credited, Debited, Effect, LeaseClosed, Lot
from tapledger.loyalty.leases import Asked
from tapledger.loyalty.ledger import EventBody
from tapledger.loyalty.members import Member
from tapledger.loyalty.program.values import StoredValue
from tests.loyalty.givens import MEMBER, NOON, PROGRAM, after, program

VALUE = program(stored_value=StoredValue())
MINUTE = dt.timedelta(minutes=1)
CENTRAL = "central"

Event = tuple[int, str, EventBody]
"""When, by whom, what: the order in which everybody folds."""


def folded(events: Iterable[Event]) -> Member:
    state = Member(MEMBER, NOON)
    for _, _, body in sorted(events, key=lambda one: one[:2]):
        state = members.fold(state, body)
    return state


def net(state: Member, pool: str = POINTS) -> int:
    """Return what a member has in all: free, held and leased, less what is owed."""
    held = sum(hold.points for hold in state.holds) if pool == POINTS else 0
    free = lots.taken_amount(lots.everything(state.lots, pool))
    return free + held + escrow.everything(state.leases, pool) - members.deficit_of(state, pool)


def on_accounts(events: Iterable[Event], prefix: str = f"member/{MEMBER}/") -> int:
    """Return the points that lines have posted on all accounts of the member."""
    return sum(
        line.amount
        for _, _, body in events
        for line in body.lines
        if line.account.startswith(prefix) and line.unit == ledger.POINT
    )


@dataclass
class Chain:
    """Central with its shops. Nobody learns anything but by ``push`` and ``pull``."""

    seen: dict[str, list[Event]] = field(default_factory=lambda: {CENTRAL: []})
    told: dict[str, int] = field(default_factory=dict)
    """How many of its own events a shop has pushed."""
    own: dict[str, list[Event]] = field(default_factory=dict)
    minute: int = 0
    losses: int = 0

    def now(self) -> dt.datetime:
        return NOON + self.minute * MINUTE

    def view(self, node: str) -> Member:
        return folded(self.seen.get(node, []))

    def record(self, node: str, body: EventBody) -> None:
        event = (self.minute, node, body)
        self.seen.setdefault(node, []).append(event)
        if node != CENTRAL:
            self.own.setdefault(node, []).append(event)

    def everything(self) -> list[Event]:
        shops = [event for events in self.own.values() for event in events]
        return [*(one for one in self.seen[CENTRAL] if one[1] == CENTRAL), *shops]

    # ---- what happens -----------------------------------------------------------------------------------
    def earn(self, node: str, points: int, ends_in: int = 0) -> None:
        lot = Lot(
            f"{node}-{self.minute}",
            points,
            points,
            self.now(),
            self.now() + ends_in * MINUTE if ends_in else None,
        )
        self.record(node, self._body("sale", (Credited(lot),), ledger.points_given(MEMBER, points)))

    def grant(self, node: str, points: int) -> bool:
        asked = Asked(f"lease-{self.minute}", node, POINTS, points)
        try:
            decision = leases.decide_grant(self.view(CENTRAL), asked, PROGRAM, self.now())
        except Refused:
            return False
        self.record(CENTRAL, decision.body)
        return True

    def spend(self, node: str, points: int) -> bool:
        """Spend what the shop's own leases cover, and nothing else."""
        state = self.view(node)
        if escrow.worth(leases.own(state, node, self.now()), state.lots, self.now()) < points:
            return False
        ready = leases.in_hand(state, node, self.now())
        takes = lots.take(ready.lots, points, self.now())
        body = self._body("sale", (Debited(takes),), ledger.points_given(MEMBER, -points))
        body = leases.drawn(state, body, node, PROGRAM, self.now())
        assert sum(line.amount for line in body.lines if "/leased/" in line.account) == -points
        self.record(node, body)
        return True

    def close(self, node: str) -> None:
        for lease in leases.own(self.view(node), node, self.now()):
            self.record(node, leases.decide_close(self.view(node), lease, PROGRAM, self.now()).body)

    def recall(self) -> None:
        for lease in self.view(CENTRAL).leases:
            if not lease.recalled:
                decision = leases.decide_recall(self.view(CENTRAL), lease, PROGRAM, self.now())
                self.record(CENTRAL, decision.body)

    def return_by_timer(self) -> None:
        """Do what must never be done: give a lease back because its time is over."""
        for lease in self.view(CENTRAL).leases:
            self.record(CENTRAL, self._body("lease_close", (LeaseClosed(lease.id),), ()))

    def push(self, node: str) -> None:
        own = self.own.get(node, [])
        self.seen[CENTRAL] += own[self.told.get(node, 0) :]
        self.told[node] = len(own)

    def pull(self, node: str) -> None:
        """Learn all that central knows, and fold what central does not know onto it."""
        own = self.own.get(node, [])
        self.seen[node] = [*self.seen[CENTRAL], *own[self.told.get(node, 0) :]]

    def spent(self) -> int:
        """Return what was spent of all that central knows."""
        return sum(
            lots.taken_amount(effect.takes)
            for _, _, body in self.seen[CENTRAL]
            for effect in body.effects
            if isinstance(effect, Debited)
        )

    def earned(self) -> int:
        return sum(
            effect.lot.amount
            for _, _, body in self.seen[CENTRAL]
            for effect in body.effects
            if isinstance(effect, Credited)
        )

    def _body(self, kind: str, effects: tuple, lines: tuple) -> EventBody:  # type: ignore[type-arg]
        return EventBody(kind=kind, at=self.now(), program="p", member=MEMBER, effects=effects, lines=lines)


# ---- members with leases ----------------------------------------------------------------------------------
def granted(
    who: Member, amount: int, node: str = "shop-a", pool: str = POINTS, id_: str = "lease-1"
) -> Member:
    return after(leases.decide_grant(who, Asked(id_, node, pool, amount), VALUE, NOON))


def happened(who: Member, *effects: Effect) -> Member:
    return members.fold(who, EventBody(kind="sale", at=NOON, program="p", member=MEMBER, effects=effects))

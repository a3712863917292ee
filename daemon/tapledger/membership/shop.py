"""What every use case needs: the store, the rules, the articles, a clock and randomness."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import msgspec

from tapledger.clock import Clock
from tapledger.database import Transaction
from tapledger.errors import Invalid, NotFound
from tapledger.identifiers import Randomness, uuid7
from tapledger.languages import Language
from tapledger.loyalty.coupons import claiming
from tapledger.loyalty.decisions import Decision
from tapledger.loyalty.members import Member
from tapledger.loyalty.program import Program
from tapledger.loyalty.sales.catalogue import Catalogue
from tapledger.loyalty.tiers import tiering
from tapledger.store import allotments, bearers, claims, members
from tapledger.store.journal import Operation, Recorded
from tapledger.store.members import Stored
from tapledger.store.store import Store


class Mark(msgspec.Struct, frozen=True):
    """What two clocks of a machine said at one moment: of the day, and since it was started."""

    wall: dt.datetime
    monotonic_s: float
    boot: str


@dataclass(frozen=True, slots=True)
class Coming:
    """A version of the programme that counts from an instant on."""

    program: Program
    since: dt.datetime


class Permits(Protocol):
    """How a shop gets the right to spend: central sets a part of a member's balance aside for it."""

    async def ask(self, member: str, pool: str, amount: int) -> None:
        """Get a lease and take the member's new state into the store.

        Pushes first what was recorded here, so that central knows all of it. Raises ``Refused`` with what is
        free and where the rest is reserved, when central will not; ``Unavailable`` when it does not answer.
        """
        ...


@dataclass(slots=True)
class Shop:
    store: Store
    program: Program
    catalogue: Catalogue
    clock: Clock
    randomness: Randomness
    name: str
    language: Language
    """Of slips and screens until somebody chooses another."""
    coming: Coming | None = None
    """The version that takes the programme's place later (``membership.programs``)."""
    reachable: bool = False
    """Central answered when it was last asked; who syncs says so. A shop that stands alone needs none."""
    permits: Permits | None = None
    """Asks central before something is spent; None: nobody is there to be asked."""
    silent_until_s: float = float("-inf")
    """Of the monotonic clock: central let a question wait too long and is not asked again before then."""
    hub: Permits | None = None
    """Asks the shop's hub for a part of its leases while central does not answer; None: there is none."""
    hub_silent_until_s: float = float("-inf")
    """The same of the hub."""
    boot: str = ""
    """Names this start of the machine: its monotonic clock means nothing to another one."""
    mark: Mark | None = None
    """What the clocks said together (``membership.timekeeping``)."""
    stopped: str = ""
    """Why nothing may be spent here, as a code; who syncs says so."""
    has_drawer: bool = False
    """A cash drawer opens with each cash sale (``devices.drawer``)."""

    @property
    def online(self) -> bool:
        """Tell whether central answers now, as far as anybody here knows."""
        return self.reachable and self.clock.monotonic_s() >= self.silent_until_s

    @property
    def has_hub(self) -> bool:
        """Tell whether there is a hub that may answer now."""
        return self.hub is not None and self.clock.monotonic_s() >= self.hub_silent_until_s

    def new_id(self) -> str:
        return uuid7(self.clock.now(), self.randomness)

    def tier_of(self, member: Member) -> str:
        """Return the tier that counts for a member, as screens show it."""
        return tiering.current(member, self.program, self.clock.now()).id

    def record(self, tx: Transaction, operation: Operation, decision: Decision, now: dt.datetime) -> Recorded:
        """Claim what a decision uses up, then append it; raise ``Refused`` when something has run out, and
        ``Invalid`` for a text that is too long to be kept."""
        claimed = claiming.claims(decision.body, self.program)
        mine = allotments.told(tx, self.store.keyring) if claimed else None
        for claim in claimed:
            here = allotments.within(mine, claim.key, claim.limit)
            if not claims.settle(tx, dataclasses.replace(claim, limit=here)):
                raise claiming.refusal(claim)
        for effect in claiming.of_bearers(decision.body):
            if not bearers.apply(tx, effect, now):
                raise claiming.bearer_refusal()
        recorded = self.store.journal.append(tx, operation, decision, uuid7(now, self.randomness), now)
        if len(recorded.raw) > MAX_TEXT:  # nearly all are shorter as a whole
            check_texts(decision.body)
        return recorded


Decide = Callable[[Transaction, Stored, dt.datetime], Decision]
"""Decides one command of one member from what the store holds now."""


async def once(shop: Shop, same: Operation, work: Callable[[Transaction], Recorded]) -> Recorded:
    """Run a command in one transaction, or answer what it recorded when it came before.

    Raises ``Conflict`` for a key that another command had, and whatever ``work`` refuses: nothing is changed.
    """

    def first(tx: Transaction) -> Recorded:
        before = shop.store.journal.find(tx, same)
        return work(tx) if before is None else before

    return await shop.store.transact(first)


async def change_member(shop: Shop, same: Operation, member: str, decide: Decide) -> Recorded:
    """Run one command of one member, once.

    Raises ``NotFound`` for a member this shop does not know, and whatever ``decide`` refuses; nothing is
    changed then.
    """

    def work(tx: Transaction) -> Recorded:
        stored, now = known_member(tx, member), shop.clock.now()
        return shop.record(tx, same, decide(tx, stored, now), now)

    return await once(shop, same, work)


def known_member(tx: Transaction, member: str) -> Stored:
    """Return a member by pseudonym, or whom they were merged into; raise ``NotFound``."""
    stored = members.load(tx, member)
    if stored is None:
        raise NotFound("MEMBER_UNKNOWN")
    return stored


MAX_KEY = 2000
"""Characters of an idempotency key."""

MAX_TEXT = 4000
"""Characters of any text that is kept: nothing in the ledger can be made shorter afterwards. The longest that
are right are ids made of a key."""


def check_texts(kept: object) -> None:
    """Raise ``Invalid`` when an event, or a command that waits, holds a text that is too long to be kept."""
    if _is_too_long(msgspec.to_builtins(kept, builtin_types=(bytes, dt.datetime))):
        raise Invalid("TEXT_TOO_LONG", limit=MAX_TEXT)


def _is_too_long(value: object) -> bool:
    if isinstance(value, str):
        return len(value) > MAX_TEXT
    if isinstance(value, dict):
        return any(map(_is_too_long, value)) or any(map(_is_too_long, value.values()))
    return isinstance(value, list | tuple) and any(map(_is_too_long, value))


def operation(key: str, *inputs: object) -> Operation:
    """Name a command by its key and the hash of what it was asked to do; raise ``Invalid`` for a number that
    no amount can be, and for a text or key that cannot be written."""
    if not 0 < len(key) <= MAX_KEY:
        raise Invalid("KEY_IMPOSSIBLE", limit=MAX_KEY)
    try:
        asked = msgspec.msgpack.encode(inputs)
    except OverflowError as error:
        raise Invalid("AMOUNT_TOO_LARGE") from error
    except UnicodeEncodeError as error:
        raise Invalid("TEXT_IMPOSSIBLE") from error
    return Operation(key, hashlib.sha256(asked).digest())

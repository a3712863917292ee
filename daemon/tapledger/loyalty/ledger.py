"""One command makes one event: double-entry lines that sum to zero per unit, and the lots they touch.

``EventBody`` is what a decision posts. The journal adds who recorded it (node, epoch, seq, hlc) and seals it.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

POINT = "POINT"
"""The unit of points; every other unit is an ISO 4217 currency in minor units."""

PROGRAM_POINTS = "program/points"
SALES = "sales"
TAX = "tax"


def member_points(member: str) -> str:
    return f"member/{member}/points"


def member_held(member: str) -> str:
    return f"member/{member}/held"


def tender_account(kind: str) -> str:
    return f"tender/{kind}"


@dataclass(frozen=True, slots=True)
class Line:
    """One posting: a signed amount of a unit on an account."""

    account: str
    unit: str
    amount: int


def is_balanced(lines: Iterable[Line]) -> bool:
    """Tell whether the lines sum to zero in every unit."""
    sums: defaultdict[str, int] = defaultdict(int)
    for line in lines:
        sums[line.unit] += line.amount
    return not any(sums.values())


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a number is what it is: a code and its figures, turned into a sentence by ``texts.reason``."""

    code: str
    data: dict[str, int | str]


@dataclass(frozen=True, slots=True)
class Lot:
    """Points earned together; worth something from ``available_at`` until before ``expires_at``."""

    id: str
    points: int
    remaining: int
    available_at: dt.datetime
    expires_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class LotTake:
    lot: str
    points: int


@dataclass(frozen=True, slots=True)
class Hold:
    """Points set aside for a reward until it is fulfilled or released; names the lots they came from."""

    id: str
    reward: str
    title: str
    points: int
    taken: tuple[LotTake, ...]
    at: dt.datetime
    voucher: str
    """Index of the voucher code; the code itself is only on the slip."""
    until: dt.datetime


@dataclass(frozen=True, slots=True)
class Credential:
    """One thing that names a member. ``index`` is a keyed hash; the value itself is never in the ledger."""

    kind: str
    """``card`` (signed token), ``uid``, ``phone`` or ``barcode``."""
    index: str
    min_level: int
    """Trust level at enrolment; a lower read of the same credential is refused."""


@dataclass(frozen=True, slots=True)
class SaleLine:
    sku: str
    name: str
    quantity_milli: int
    unit_minor: int
    net_minor: int
    tax_bp: int
    category: str
    earns: bool


@dataclass(frozen=True, slots=True)
class Tender:
    """How money came in. ``card`` and ``mobile`` were taken outside and are only recorded."""

    kind: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class SaleFacts:
    id: str
    currency: str
    lines: tuple[SaleLine, ...]
    total_minor: int
    tax_minor: int
    tenders: tuple[Tender, ...]
    change_minor: int
    earned: int


@dataclass(frozen=True, slots=True)
class EventBody:
    """The content of one event. Fields that a kind does not use keep their empty value."""

    kind: str
    """``join``, ``link``, ``sale``, ``hold``, ``fulfil`` or ``release``."""
    at: dt.datetime
    program: str
    """Version of the programme it was decided by."""
    member: str | None = None
    lines: tuple[Line, ...] = ()
    lots_added: tuple[Lot, ...] = ()
    lots_taken: tuple[LotTake, ...] = ()
    credentials: tuple[Credential, ...] = ()
    hold: Hold | None = None
    hold_id: str | None = None
    sale: SaleFacts | None = None
    tier: str | None = None
    """The tier the member holds from now on, when this event changes it."""
    qualifying_minor: int = 0
    reasons: tuple[Reason, ...] = ()
    staff: str | None = None
    trust: int | None = None
    evidence: str = ""
    """What the trust level rests on, as the driver reported it."""
    profile_digest: str | None = None
    """SHA-256 of the sealed personal data that travels beside the ledger."""

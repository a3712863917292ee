"""What a node asks beside sending its events: where it stands, what it lost, what it may spend."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from tapledger.wire.messages import (
    EVERYWHERE,
    MAX_BATCH_EVENTS,
    VERSION,
    Count,
    FeedRow,
    Hash,
    Instant,
    ToldHlc,
)

MAX_REPORTS = 100
MAX_REPORT_BYTES = 16 * 1024
MAX_NAME = 64
MAX_SHARE_BYTES = 64 * 1024
MAX_MEMBER_NAME = 200
"""Characters of a member's pseudonym: central has it in keys of its tables."""


Pool = Literal["points", "principal", "bonus"]


class ChainHead(msgspec.Struct, frozen=True, kw_only=True):
    """Where one of the node's chains ends at central."""

    epoch: Count
    seq: Count
    hash: Hash


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What central knows of the node that asks. One that is behind was rolled back (R23)."""

    v: int = VERSION
    heads: list[ChainHead]
    hlc: ToldHlc
    at: Instant
    scope: str = EVERYWHERE
    """The part of the chain that this node follows."""


class Tail(msgspec.Struct, frozen=True, kw_only=True):
    """Events of the node's own that its disk has lost, in order; ``head`` is the chain's hash then."""

    v: int = VERSION
    epoch: Count
    first_seq: Count
    raws: Annotated[list[bytes], msgspec.Meta(min_length=1, max_length=MAX_BATCH_EVENTS)]
    head: Hash


class LeaseAsked(msgspec.Struct, frozen=True, kw_only=True):
    """A node asks for the right to spend so much of one member's balance. The same ``id`` is one lease."""

    v: int = VERSION
    id: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_NAME)]
    member: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_MEMBER_NAME)]
    pool: Pool
    amount: Annotated[int, msgspec.Meta(ge=1, le=10**12)]


class LeaseAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What was granted, and the member as they are with it: the node takes the row like one of the feed."""

    v: int = VERSION
    granted: int
    """0 when less than asked is there: nothing is granted then."""
    available: int
    """What anybody could still be granted now."""
    reserved: int = 0
    """What other shops hold and could not be asked for."""
    reserved_at: list[str] = []
    """Their names."""
    row: FeedRow | None = None
    hlc: ToldHlc = 0
    """The latest that central has heard: to be taken over before the row is, for what is drawn from a lease
    counts after its grant alone."""


class ShareAsked(LeaseAsked, frozen=True, kw_only=True):
    """A node asks the hub of its shop for a part of the hub's own leases, because central is away."""

    hlc: ToldHlc = 0
    """The latest that the node has recorded or heard: what it is given counts after that."""


class Shared(msgspec.Struct, frozen=True, kw_only=True):
    """The hub's answer: the event that gives what was asked for, as the hub has sealed it."""

    v: int = VERSION
    raw: Annotated[bytes, msgspec.Meta(min_length=1, max_length=MAX_SHARE_BYTES)]


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a node tells about itself; it may be lost and never delays the ledger."""

    at_ms: Annotated[int, msgspec.Meta(ge=0, le=2**53)]
    kind: Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z_]{0,31}$")]
    body: Annotated[bytes, msgspec.Meta(max_length=MAX_REPORT_BYTES)]


class Telemetry(msgspec.Struct, frozen=True, kw_only=True):
    v: int = VERSION
    reports: Annotated[list[Report], msgspec.Meta(max_length=MAX_REPORTS)]


class StatusReport(msgspec.Struct, frozen=True, kw_only=True):
    """How a node does; kind ``status``."""

    unsynced: int
    stopped: str
    """Why it spends nothing; empty when it may."""
    given_out: int
    """Points that central has not confirmed yet."""
    clock_ms: int
    hub: str = ""
    """The shop's hub, which holds leases for this node; empty: it holds its own."""


class Erasures(msgspec.Struct, frozen=True, kw_only=True):
    """A node's receipt: what names these members is destroyed on its disk. Signed as every request is."""

    v: int = VERSION
    members: Annotated[
        list[Annotated[str, msgspec.Meta(max_length=MAX_MEMBER_NAME)]],
        msgspec.Meta(min_length=1, max_length=MAX_REPORTS),
    ]


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """Central has what was told."""

    v: int = VERSION

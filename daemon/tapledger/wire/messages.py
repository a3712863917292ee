"""Messages between a shop and central. Each is versioned; unknown fields of newer versions are ignored.

An event is encoded once, when it is sealed; those bytes are stored, hashed, sent and verified unchanged
(decisions R1). Docs: docs/sync-protocol.md has one row a message.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Annotated, Any

import msgspec

from tapledger.errors import Unavailable
from tapledger.loyalty.ledger import EventBody
from tapledger.loyalty.members import Member

VERSION = 2
OLDEST_READ, NEWEST_READ = 1, 3
"""Versions that either side takes: a release may be two behind or one ahead of the other side."""
EVENT_VERSION = 2
MAX_BATCH_EVENTS = 500
MAX_BATCH_BYTES = 8 * 1024 * 1024
"""Largest message in its plain form; the way through zstd makes it smaller, never larger than this."""
MAX_FEED_ROWS = 2000
MAX_NAME_LENGTH = 60
MAX_PROFILE_BYTES = 64 * 1024
MAX_WAIT_S = 25
"""How long central keeps a question for news open."""
MAX_ERASED = 1000
NIL = msgspec.Raw(b"\xc0")
"""What stands where there is nothing."""
EVERYWHERE = "all"
"""The scope of a chain that is not divided into regions."""

_decode_state: Callable[[msgspec.Raw], Member | None] = msgspec.msgpack.Decoder(Member | None).decode

Count = Annotated[int, msgspec.Meta(ge=1, le=2**53)]
"""A number that counts from 1."""
HlcInt = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
ToldHlc = Annotated[int, msgspec.Meta(ge=0, le=2**62)]
"""What one side hears of the other's clock: whatever it is, later ones can still be written."""
Instant = Annotated[dt.datetime, msgspec.Meta(tz=True)]
Hash = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
PublicKey = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
Signature = Annotated[bytes, msgspec.Meta(min_length=64, max_length=64)]


class LedgerEvent(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """One command's record as its node sealed it."""

    v: int
    """``EVENT_VERSION`` when it is sealed; events of the first release leave it out (``wire.old``)."""
    id: str
    """UUIDv7."""
    node: str
    epoch: Count
    seq: Count
    """Dense within (node, epoch), from 1."""
    hlc: HlcInt
    """Hybrid logical clock: 48 bits of milliseconds, 16 bits of counter."""
    body: EventBody


class SealedProfile(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Personal data of a member, encrypted by a key that central does not need to read it."""

    member: str
    digest: str
    """SHA-256 of ``sealed``, as the join event names it."""
    sealed: Annotated[bytes, msgspec.Meta(max_length=MAX_PROFILE_BYTES)]


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """Events ``first_seq ..`` of one node and epoch, in order; ``head`` is the chain hash after the last."""

    v: int = VERSION
    node: str
    epoch: Count
    first_seq: Count
    raws: Annotated[list[bytes], msgspec.Meta(min_length=1, max_length=MAX_BATCH_EVENTS)]
    head: Hash
    signature: Signature
    """Ed25519 over ``signing.batch_statement``."""
    profiles: Annotated[list[SealedProfile], msgspec.Meta(max_length=MAX_BATCH_EVENTS)] = []


class Pending(msgspec.Struct, frozen=True, kw_only=True):
    """What a store has to send next: consecutive events of one epoch and the chain hash after the last."""

    epoch: int
    first_seq: int
    raws: list[bytes]
    head: bytes
    profiles: list[SealedProfile] = []


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What central made of one event that it holds but does not apply."""

    seq: int
    verdict: str
    """``quarantined``, or a word of a newer version."""
    why: str = ""
    """The code of the difference that is listed for the owner."""


class BatchAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """``ack`` is the highest seq that central holds without a gap."""

    v: int = VERSION
    ack: int
    hlc: ToldHlc = 0
    """The latest that central has heard: the node's own clock goes on from there."""
    verdicts: list[Verdict] = []
    """Of the batch's events, those that are not plainly good."""


class Enrol(msgspec.Struct, frozen=True, kw_only=True):
    """A node asks to be known: a one-time code, its new public key, and proof that it has the private one."""

    v: int = VERSION
    code: Annotated[str, msgspec.Meta(max_length=32)]
    public_key: PublicKey
    name: Annotated[str, msgspec.Meta(max_length=MAX_NAME_LENGTH)]
    proof: Signature
    """Ed25519 over ``signing.enrol_statement``."""


class Enrolled(msgspec.Struct, frozen=True, kw_only=True):
    """What a node is told once: who it is, whom to trust, and its tenant's keys."""

    v: int = VERSION
    node: str
    tenant: str
    central_public_key: PublicKey
    token_keys: dict[str, bytes]
    """Public keys of card tokens by key id."""
    index_key: bytes
    """HMAC key of credential indexes."""
    profile_key: bytes
    """AEAD key of personal data."""


MEMBER = "member"
"""The kind of a row of the feed that is a member's state."""


class FeedRow(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """The latest state of one thing that a shop knows of: a member, or what ``wire.news`` lists.

    Versions are given one by one under the scope's lock, so none appears behind a cursor that has passed it.
    A version that a later change of the same thing has superseded is not sent: pages skip numbers.
    """

    version: int
    member: str = ""
    """Of kind ``member``: whose state this is."""
    raw_state: Annotated[
        msgspec.Raw, msgspec.Meta(extra_json_schema={"$ref": "#/components/schemas/Member"})
    ] = msgspec.field(name="state", default_factory=lambda: NIL)
    """That state, encoded: a page may have thousands, and most are kept as they come."""
    settled: dict[str, int] = {}
    """For each ``node/epoch``, the seq of the last event of this member that ``state`` contains."""
    profile: SealedProfile | None = None
    kind: str = MEMBER
    """A kind that a node does not know is passed over; it comes again when the node starts from 0."""
    key: str = ""
    """Of every other kind: which one of them."""
    body: bytes = b""
    """Of every other kind: its msgpack, a struct of ``wire.news``."""
    gone: bool = False
    """It is no more; told for 90 days."""

    @classmethod
    def of(cls, state: Member, **fields: Any) -> FeedRow:
        """Return the row of a member; ``fields`` are the others, the version at least."""
        return cls(member=state.id, raw_state=msgspec.Raw(msgspec.msgpack.encode(state)), **fields)

    @property
    def has_state(self) -> bool:
        return self.raw_state != NIL

    @property
    def state(self) -> Member | None:
        """The state, read anew each time; raises ``Unavailable`` when it cannot be read."""
        try:
            return _decode_state(self.raw_state)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Unavailable("CENTRAL_ANSWER_UNREADABLE", status=200) from error


class FeedPage(msgspec.Struct, frozen=True, kw_only=True):
    v: int = VERSION
    rows: list[FeedRow]
    cursor: int
    """Ask for rows after this version next."""
    more: bool
    at: Instant
    """Central's time, for the stamp 'as of'."""
    hlc: ToldHlc = 0
    """The latest that central has heard."""
    scope: str = EVERYWHERE
    erased: Annotated[list[str], msgspec.Meta(max_length=MAX_ERASED)] = []
    """Members past the cursor who were erased: told first, on whatever page they would come."""


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """Why central did not take a request: the code and figures of a ``TapledgerError``."""

    v: int = VERSION
    code: Annotated[str, msgspec.Meta(pattern=r"^[A-Z][A-Z0-9_]{0,63}$")]
    data: dict[str, str | int] = {}

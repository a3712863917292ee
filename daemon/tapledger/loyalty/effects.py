"""What an event changes of its member: small values that ``members.fold`` applies one by one.

A decision says what changes as effects; nothing else changes a member. To add one: its struct here, its line
in ``Effect``, its function in ``members`` and its line in ``members.APPLY``.
Days are local days of the programme as proleptic ordinals; instants are UTC. Frozen values hold no cycles, so
the collector need not walk them (``gc=False``): a shop reads a million.
"""

from __future__ import annotations

import datetime as dt

import msgspec

from tapledger.loyalty.belongings import Consent as Consent
from tapledger.loyalty.belongings import Coupon as Coupon
from tapledger.loyalty.belongings import Grant as Grant
from tapledger.loyalty.facts import Reason

POINTS = "points"
"""The pool of points; ``principal`` and ``bonus`` are the pools of stored value, in minor units."""
PRINCIPAL = "principal"
BONUS = "bonus"


class Lot(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """An amount credited at once; worth something from ``available_at`` until before ``expires_at``."""

    id: str
    amount: int = msgspec.field(name="points")
    remaining: int
    available_at: dt.datetime
    expires_at: dt.datetime | None
    pool: str = POINTS
    source: str = ""
    """The sale, top-up, campaign, ... it came from."""
    slides: bool = False
    """Its expiry moves on with every earn and spend (expiry mode ``inactivity``)."""


class LotTake(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """An amount taken from one lot, or given back to it."""

    lot: str
    amount: int = msgspec.field(name="points")
    expires_at: dt.datetime | None = None
    """The lot's own expiry: given back when the lot is kept no more, the amount gets it again."""


class Hold(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
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
    day: int = 0
    """Local day on which it counts for the limits of the reward and of the credential."""
    money_minor: int = 0
    """What is to be paid beside the points when it is handed over."""
    leased: int = 0
    """Of the points: drawn from a lease of the shop, so that its quota never counted them."""


class Lease(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A slice of a member's balance that one node alone may spend, until it says itself what was left of it.

    No timer ever gives it back: only the holder's own close does, or a write-off that somebody answers for.
    """

    id: str
    node: str
    """Who may spend it."""
    pool: str
    taken: tuple[LotTake, ...]
    """What is left of it, by the lots it came from."""
    at: dt.datetime
    until: dt.datetime
    """The holder stops at this instant of its own clock; what is left stays taken until it is closed."""
    recalled: bool = False
    """Central wants it back: the holder spends no more of it and closes it."""
    alias: str = ""
    """The member in whose name it stands when that one is part of another now; never in their own state."""


class Credential(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One thing that names a member. ``index`` is a keyed hash; the value itself is never in the ledger."""

    kind: str
    """``card`` (signed token), ``uid``, ``phone``, ``barcode`` or ``wechat``."""
    index: str
    min_level: int
    """Trust level at enrolment; a lower read of the same credential is refused."""
    blocked: str = ""
    """Why it is refused: ``lost``, ``stolen``, ``replaced``; empty while it is good."""
    day_limit_minor: int | None = None
    """What this card may spend a day (family cards); null is without limit."""


class Credited(msgspec.Struct, frozen=True, gc=False, tag="credit"):
    lot: Lot


class Debited(msgspec.Struct, frozen=True, gc=False, tag="debit"):
    """Taken from the lots named; what a lot cannot pay becomes the pool's deficit."""

    takes: tuple[LotTake, ...]
    pool: str = POINTS


class Overdrawn(msgspec.Struct, frozen=True, gc=False, tag="overdraw"):
    """A debit that no lot pays: a deficit, filled by the next credits."""

    amount: int
    pool: str = POINTS


class Lapsed(msgspec.Struct, frozen=True, gc=False, tag="lapse"):
    """What was left of expired lots. A lot that has less now was spent in time by a shop that was away: the
    difference was booked wrongly and is no deficit (X10)."""

    takes: tuple[LotTake, ...]
    pool: str = POINTS


class Restored(msgspec.Struct, frozen=True, gc=False, tag="restore"):
    """Given back to the lots named, which keep their own expiry."""

    takes: tuple[LotTake, ...]
    pool: str = POINTS


class AvailableFrom(msgspec.Struct, frozen=True, gc=False, tag="available"):
    """Lots become available at another instant than was said before."""

    lots: tuple[str, ...]
    at: dt.datetime


class Slid(msgspec.Struct, frozen=True, gc=False, tag="slide"):
    """Every sliding lot now expires at this instant: the member was active."""

    expires_at: dt.datetime


class Held(msgspec.Struct, frozen=True, gc=False, tag="hold"):
    hold: Hold


class HoldSettled(msgspec.Struct, frozen=True, gc=False, tag="settle"):
    hold: str
    given_back: bool
    """True: the points go back to their lots. False: the reward was handed over."""


class Leased(msgspec.Struct, frozen=True, gc=False, tag="lease"):
    """Central sets a slice aside for a node; what the lots cannot pay becomes the pool's deficit."""

    lease: Lease


class LeaseDrawn(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, tag="lease-draw"):
    """The holder moves a part of its lease to the free lots, in the event that spends it.

    What the lease does not have is not given back, and the spending meets a deficit.
    """

    lease: str
    takes: tuple[LotTake, ...]
    pool: str = POINTS


class LeaseRecalled(msgspec.Struct, frozen=True, gc=False, tag="lease-recall"):
    """Central asks the holder to close a lease."""

    lease: str


class LeaseClosed(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, tag="lease-close"):
    """What is left of a lease goes back to its lots, which keep their own expiry."""

    lease: str
    written_off: bool = False
    """Not by its holder, who may have spent of it: the loss is the lease's rest at most."""


class Linked(msgspec.Struct, frozen=True, gc=False, tag="link"):
    credential: Credential


class Blocked(msgspec.Struct, frozen=True, gc=False, tag="block"):
    """A credential is refused from now on; an empty reason makes it good again."""

    index: str
    why: str


class Unlinked(msgspec.Struct, frozen=True, gc=False, tag="unlink"):
    """A credential names this member no more."""

    index: str


class CardLimited(msgspec.Struct, frozen=True, gc=False, tag="card-limit"):
    index: str
    day_limit_minor: int | None


class TierSet(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, tag="tier"):
    tier: str
    gained_on: int = 0
    """Local day it was reached."""
    valid_until: dt.datetime | None = None
    """First instant of the review; null is for ever."""
    locked_until: dt.datetime | None = None
    """Staff fixed it until then."""
    why: str = ""
    """``spend``, ``growth``, ``referral``, ``review``, ``refund``, ``staff``, ``merge``."""


class Tallied(msgspec.Struct, frozen=True, gc=False, tag="tally"):
    """Something was counted on a local day: spend, visits, uses of a reward, answers, draws, check-ins.

    Metrics of tiers, limits of rewards and once-only keys are all tallies (``loyalty.tallies``).
    """

    key: str
    day: int
    amount: int


class CouponIssued(msgspec.Struct, frozen=True, gc=False, tag="coupon"):
    coupon: Coupon


class CouponMoved(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, tag="coupon-move"):
    coupon: str
    state: str
    sale: str = ""
    until: dt.datetime | None = None


class Granted(msgspec.Struct, frozen=True, gc=False, tag="grant"):
    grant: Grant


class Ungranted(msgspec.Struct, frozen=True, gc=False, tag="ungrant"):
    grant: str


class StatusSet(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, tag="status"):
    """``active``, ``frozen``, ``cancelled``, ``merged`` or ``erased``."""

    status: str
    at: dt.datetime
    until: dt.datetime | None = None
    """Of a cancelled member: the end of the window in which everything comes back."""
    into: str = ""
    """Of a merged member: who they are now."""


class BirthdaySet(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, tag="birthday"):
    month: int
    day: int
    year: int | None
    counts_from: int
    """First local day on which it gives anything (X9)."""
    set_on: int


class Referred(msgspec.Struct, frozen=True, gc=False, tag="referred"):
    """Who sent this member, set once."""

    by: str


class RefereeCounted(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, tag="referee"):
    """What one of the members this one sent has reached: 3-by-3 counts them."""

    member: str
    reached: str
    """``joined``, ``bought`` (a qualifying sale, may still be returned), ``qualified`` (its return window is
    over), ``returned`` (it came back), a tier's id, or ``dropped`` (no referee any more)."""
    counts_on: int = 0
    """Local day on which a purchase counts, when nothing is returned until then."""


class Own(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What is not added up but chosen when two members become one; the names are those of ``Member``."""

    joined_at: dt.datetime
    tier: str
    gained_on: int = 0
    tier_until: dt.datetime | None = None
    tier_locked_until: dt.datetime | None = None
    referrer: str = ""
    birthday: BirthdaySet | None = None


class Merged(msgspec.Struct, frozen=True, gc=False, tag="merge"):
    """Another member became part of this one: whatever comes in their name is this one's."""

    member: str
    now: Own
    before: Own
    """To undo it."""


class Unmerged(msgspec.Struct, frozen=True, gc=False, tag="unmerge"):
    """A member that became part of this one is one of their own again."""

    member: str
    now: Own


class ConsentGiven(msgspec.Struct, frozen=True, gc=False, tag="consent"):
    consent: Consent


class Tagged(msgspec.Struct, frozen=True, gc=False, tag="tags"):
    """Segments and preferences, replaced as a whole: by central for segments, by the member for choices."""

    kind: str
    tags: tuple[str, ...]


class Noted(msgspec.Struct, frozen=True, gc=False, tag="note"):
    """Something to show at the member's next tap, such as a tier's end or an answer; no amounts."""

    reason: Reason
    until: dt.datetime


Effect = (
    Credited
    | Debited
    | Lapsed
    | Overdrawn
    | Restored
    | AvailableFrom
    | Slid
    | Held
    | HoldSettled
    | Leased
    | LeaseDrawn
    | LeaseRecalled
    | LeaseClosed
    | Linked
    | Unlinked
    | Blocked
    | CardLimited
    | TierSet
    | Tallied
    | CouponIssued
    | CouponMoved
    | Granted
    | Ungranted
    | StatusSet
    | BirthdaySet
    | Referred
    | RefereeCounted
    | Merged
    | Unmerged
    | ConsentGiven
    | Tagged
    | Noted
)

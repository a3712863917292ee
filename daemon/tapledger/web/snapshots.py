"""What a browser may know: one typed snapshot per face, sent whole with a version number.

A page is a pure function of its snapshot. Everything a person may not see is absent here, so nothing can be
left behind in the browser. Sentences arrive ready in the session's language where they explain a decision
(``sentence``); fixed labels are the page's own, from its catalogue. Money arrives formatted, so that screen
and paper agree; points are integers. ``kiosk_ui/src/shared/snapshots.d.ts`` is generated from this module.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from tapledger.languages import Language
from tapledger.web.checkout_snapshots import (
    CouponChooser,
    LineDiscount,
    PointsAsCash,
    Problem,
    Return,
    StoredValue,
    Why,
)
from tapledger.web.device_snapshots import DeviceView, RepairView, TroubleView
from tapledger.web.dock_snapshots import Dock as Dock
from tapledger.web.dock_snapshots import DockCard as DockCard
from tapledger.web.dock_snapshots import DockCode as DockCode
from tapledger.web.dock_snapshots import DockDevice as DockDevice
from tapledger.web.dock_snapshots import DockFault as DockFault
from tapledger.web.dock_snapshots import DockKind as DockKind
from tapledger.web.dock_snapshots import DockNetwork as DockNetwork
from tapledger.web.dock_snapshots import DockSlip as DockSlip
from tapledger.web.dock_snapshots import NetworkChoice as NetworkChoice
from tapledger.web.dock_snapshots import NetworkState as NetworkState
from tapledger.web.print_snapshots import DrawerView, PaperView, PrintView

DeviceLight = Literal["ok", "trouble", "missing"]
SlipState = Literal["printing", "printed", "failed", "unknown", "sent"]
"""``sent``: by a printer that never says whether a slip came out, and nobody is to be asked; not printed."""


class MemberView(msgspec.Struct, frozen=True):
    name: str
    """Masked: 王**."""
    tier: str
    trust: int
    """0 to 3: how sure we are who this is."""


class Expiring(msgspec.Struct, frozen=True):
    points: int
    last_day: str
    """ISO date, the last day on which they are worth something."""


class NextTier(msgspec.Struct, frozen=True):
    name: str
    missing: str
    """Formatted money still to be spent."""


class RewardView(msgspec.Struct, frozen=True):
    id: str
    title: str
    cost_points: int
    available: bool
    why_not: str | None = None
    """The reason in one sentence when it cannot be had now."""


class CouponView(msgspec.Struct, frozen=True):
    title: str
    last_day: str | None
    """ISO date, the last day on which it can be used."""
    why_not: str | None = None
    """The reason in one sentence when it cannot be used now."""


# ---- kiosk ---------------------------------------------------------------------------------------------
class Starting(msgspec.Struct, frozen=True, tag_field="screen", tag="starting"):
    pass


class Attract(msgspec.Struct, frozen=True, tag_field="screen", tag="attract"):
    pass


class Trouble(msgspec.Struct, frozen=True, tag_field="screen", tag="trouble"):
    """A card that could not be used; goes away by itself."""

    problem: Problem


class Balance(msgspec.Struct, frozen=True, tag_field="screen", tag="balance"):
    member: MemberView
    points: int
    rewards: list[RewardView]
    """At most three, those that can be had now first."""
    more_rewards: bool
    """There are rewards beyond these; ``POST /api/kiosk/rewards`` shows all."""
    given: list[str]
    """What this tap brought, in sentences: a birthday gift, a welcome coupon."""
    ways_up: list[str]
    """What the next tier still asks for, where money alone does not say it."""
    coupons: int
    """How many can be used now."""
    best_coupons: list[CouponView]
    """At most three of them, those that end first."""
    has_history: bool
    """``POST /api/kiosk/history`` shows it: only to a card that proved itself (decisions R10)."""
    expiring: Expiring | None = None
    next_tier: NextTier | None = None


class Coupons(msgspec.Struct, frozen=True, tag_field="screen", tag="coupons"):
    member: MemberView
    coupons: list[CouponView]
    """Those that can be used now first."""


class HistoryEntry(msgspec.Struct, frozen=True):
    """One thing that happened to a member. No article is named."""

    day: str
    """ISO date."""
    what: str
    points: int
    """What it changed of the points."""
    why: list[str]
    """The sentences of the receipt."""


class History(msgspec.Struct, frozen=True, tag_field="screen", tag="history"):
    member: MemberView
    points: int
    entries: list[HistoryEntry]
    """The newest first."""


class Rewards(msgspec.Struct, frozen=True, tag_field="screen", tag="rewards"):
    member: MemberView
    points: int
    rewards: list[RewardView]


class Confirm(msgspec.Struct, frozen=True, tag_field="screen", tag="confirm"):
    member: MemberView
    reward: RewardView
    points_after: int


class Done(msgspec.Struct, frozen=True, tag_field="screen", tag="done"):
    member: MemberView
    reward_title: str
    points: int
    """What is left."""
    voucher: str
    """The code that the till takes; shown large when paper does not come out."""
    slip: SlipState
    voucher_svg: str = ""
    """The same as a QR code to take a picture of, while paper does not come out."""


class Goodbye(msgspec.Struct, frozen=True, tag_field="screen", tag="goodbye"):
    pass


class OutOfService(msgspec.Struct, frozen=True, tag_field="screen", tag="out_of_service"):
    problem: Problem


KioskScreen = (
    Starting
    | Attract
    | Trouble
    | Balance
    | Rewards
    | Coupons
    | History
    | Confirm
    | Done
    | Goodbye
    | OutOfService
)


class Kiosk(msgspec.Struct, frozen=True):
    language: Language
    languages: list[Language]
    reader: DeviceLight
    printer: DeviceLight
    as_of: str | None
    """hh:mm of the last word from central when it is out of reach, else null."""
    simulated: bool
    """A reader, scanner or printer of this face is no thing: the page is watermarked."""
    still_here_s: int | None
    """Seconds until sign-out when the countdown shows, else null; the server decides, the page draws."""
    screen: KioskScreen
    paper_left: int | None = None
    """Receipts that the paper is still good for, when they are few."""
    troubles: list[TroubleView] = []
    """What does not work of what stands here."""
    takes_codes: bool = False
    """A scanner stands here and works."""


# ---- till ----------------------------------------------------------------------------------------------
class Staff(msgspec.Struct, frozen=True):
    id: str
    name: str


class TillLine(msgspec.Struct, frozen=True):
    number: int
    sku: str
    name: str
    quantity: str
    unit_price: str
    total: str
    """What is paid for it after every discount."""
    gross: str | None
    """Before them, when there is any."""
    discounts: list[LineDiscount]
    gift: bool
    """Given by a promotion or coupon; it cannot be changed."""


class TillMember(msgspec.Struct, frozen=True):
    name: str
    tier: str
    points: int
    trust: int
    coupons: int
    """How many can be used for this basket."""
    value: str | None
    """Stored value; null is not shown before somebody proved who they are."""


class Totals(msgspec.Struct, frozen=True):
    due: str
    """Still to be paid by cash, card or mobile."""
    due_minor: int
    tax: str
    earn_points: int
    earn_why: str
    """One sentence: how the points were reckoned, or why there are none."""
    minor_digits: int = 2
    """Decimal digits of the currency, so that a typed amount becomes ``received_minor`` without a float."""
    cash_due_minor: int = 0
    """``due_minor`` in coins that exist."""
    gross: str | None = None
    """Before every discount, when there is any."""
    saved: str | None = None
    """All discounts together, points as cash left out."""
    points_paid: str | None = None
    value_paid: str | None = None
    """Of it, what stored value pays."""


class Choice(msgspec.Struct, frozen=True):
    """One of several things an ambiguous code may mean; its number chooses it."""

    number: int
    label: str


class Message(msgspec.Struct, frozen=True):
    kind: Literal["info", "error"]
    code: str
    sentence: str
    next_step: str = ""


class LastSale(msgspec.Struct, frozen=True):
    receipt: str
    """node-epoch-seq, as printed."""
    total: str
    tender: str
    change: str
    earned_points: int
    slip: SlipState
    job: str
    """Names the slip, for ``slip-again``."""


class Till(msgspec.Struct, frozen=True):
    language: Language
    languages: list[Language]
    staff_known: list[Staff]
    """Who may sign in; empty in a shop that has not been set up."""
    staff: Staff | None
    reader: DeviceLight
    printer: DeviceLight
    scanner: DeviceLight
    simulated: bool
    """A reader, scanner or printer of this face is no thing: the page is watermarked."""
    online: bool
    unsynced: int
    member: TillMember | None
    lines: list[TillLine]
    totals: Totals
    choices: list[Choice]
    message: Message | None
    stranger: str | None
    """End of the card or number that names nobody yet; the till offers to join its owner."""
    last_sale: LastSale | None
    coupons: CouponChooser
    points: PointsAsCash | None
    """Null without a member or articles."""
    value: StoredValue | None
    """Null without a member."""
    why: Why
    returning: Return | None
    """Something comes back: everything else waits."""
    doubtful: list[PrintView]
    """Slips of which only a person can say whether they came out, the newest first."""
    drawer: DrawerView | None
    paper_left: int | None
    """Receipts that the paper is still good for, when they are few."""
    troubles: list[TroubleView] = []
    """What does not work of what stands here."""


# ---- console -------------------------------------------------------------------------------------------
class WorstCase(msgspec.Struct, frozen=True):
    """The most that can be lost right now, in points, by the owner's own limits."""

    sentence: str
    points: int
    shops: int
    """Out of reach of central, this one among them when it is."""
    given_out: int
    """By this shop and not confirmed by central."""
    still_possible: int
    leased: int
    """Set aside for this shop: spending them costs nothing."""


class DifferenceView(msgspec.Struct, frozen=True):
    at: str
    """ISO instant at which central found it."""
    sentence: str
    next_step: str


class SyncView(msgspec.Struct, frozen=True):
    enrolled: bool
    online: bool
    unsynced: int
    last_contact: str
    """ISO instant or empty."""
    problem: Problem | None
    worst: WorstCase | None
    """Null at a shop that stands alone: nobody else could spend the same."""
    differences: list[DifferenceView]
    """What was recorded here or elsewhere and does not fit, the newest first."""


class Latency(msgspec.Struct, frozen=True):
    """Card reported by the reader until the frame was painted, over the last taps."""

    taps: int
    p50_ms: float
    p99_ms: float


class Console(msgspec.Struct, frozen=True):
    language: Language
    languages: list[Language]
    shop: str
    node: str
    faces: list[str]
    """Live feeds that this server offers; ``dock`` is among them only where a lab runs."""
    simulated: bool
    """A device of this shop is no thing."""
    devices: list[DeviceView]
    repairs: list[RepairView]
    """What a person has to do something about and nobody has acknowledged."""
    prints: list[PrintView]
    paper: PaperView | None
    """Null before any printer was here."""
    sync: SyncView
    latency: Latency


FACES: dict[str, type[msgspec.Struct]] = {"kiosk": Kiosk, "till": Till, "console": Console, "dock": Dock}


class Frame(msgspec.Struct, frozen=True):
    """What the WebSocket carries: the version grows by one per change; the newest replaces all before it."""

    version: int
    snapshot: Kiosk | Till | Console | Dock

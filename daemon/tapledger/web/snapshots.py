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
from tapledger.web.display_snapshots import Display as Display
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
from tapledger.web.kiosk_snapshots import DeviceLight as DeviceLight
from tapledger.web.kiosk_snapshots import HelpState
from tapledger.web.kiosk_snapshots import Kiosk as Kiosk
from tapledger.web.kiosk_snapshots import SlipState as SlipState
from tapledger.web.print_snapshots import DrawerView, PaperView, PrintView
from tapledger.web.shift_snapshots import ParkedView, ShiftView


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


class PhoneCode(msgspec.Struct, frozen=True):
    """A code that somebody at the kiosk waits for; staff tell it to whoever shows that number (R29)."""

    phone: str
    """Masked: *** 8000."""
    code: str


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
    help: HelpState = "none"
    """Somebody at the kiosk asks for staff; ``POST /api/till/help`` says that one comes."""
    phone_codes: list[PhoneCode] = []
    parked: list[ParkedView] = []
    """Baskets that wait, the longest waiting first."""
    shift: ShiftView | None = None
    """The business day; null while nobody is signed in."""


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


FACES: dict[str, type[msgspec.Struct]] = {
    "kiosk": Kiosk,
    "till": Till,
    "display": Display,
    "console": Console,
    "dock": Dock,
}


class Frame(msgspec.Struct, frozen=True):
    """What the WebSocket carries: the version grows by one per change; the newest replaces all before it."""

    version: int
    snapshot: Kiosk | Till | Display | Console | Dock

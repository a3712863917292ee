"""What the kiosk's page may know: one screen of one session, and what surrounds it.

A screen is whole: its page needs nothing of the screen before. What a person may not see is absent. K numbers
are those of the storyboard in docs/kiosk.md.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from tapledger.languages import Language
from tapledger.web.checkout_snapshots import Problem
from tapledger.web.device_snapshots import TroubleView

DeviceLight = Literal["ok", "trouble", "missing"]
SlipState = Literal["printing", "printed", "failed", "unknown", "sent"]
"""``sent``: by a printer that never says whether a slip came out, and nobody is to be asked; not printed."""
HelpState = Literal["none", "called", "coming", "busy"]
"""Nobody was called; staff see it; somebody has said that they come; nobody has for a while."""


class MemberView(msgspec.Struct, frozen=True):
    name: str
    """Masked: 王**; empty for somebody who never told one."""
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


class Comfort(msgspec.Struct, frozen=True):
    """How somebody wants to be served; it lasts for a session, or follows the card that asked for it."""

    large: bool = False
    contrast: bool = False
    longer: bool = False
    """Three times as long before the countdown."""
    speech: bool = False
    """Each screen is read aloud."""


# ---- nobody is here ------------------------------------------------------------------------------------
class Starting(msgspec.Struct, frozen=True, tag_field="screen", tag="starting"):
    pass


class Attract(msgspec.Struct, frozen=True, tag_field="screen", tag="attract"):
    pass


class Reading(msgspec.Struct, frozen=True, tag_field="screen", tag="reading"):
    """A card is being looked up and that takes a moment (K2)."""


class Trouble(msgspec.Struct, frozen=True, tag_field="screen", tag="trouble"):
    """A card that could not be used; goes away by itself (K3)."""

    problem: Problem
    can_join: bool = False
    """Nobody has this card: ``POST /api/kiosk/join`` makes it somebody's."""


class Goodbye(msgspec.Struct, frozen=True, tag_field="screen", tag="goodbye"):
    pass


class OutOfService(msgspec.Struct, frozen=True, tag_field="screen", tag="out_of_service"):
    """Nobody can be served here: it is being cleaned, or staff have closed it (K16)."""

    why: Literal["cleaning", "closed"]
    left_s: int | None = None
    """Of ``cleaning``: seconds until it ends by itself."""


class Gate(msgspec.Struct, frozen=True, tag_field="screen", tag="gate"):
    """The answer of a door that members open by a tap; goes away by itself."""

    opened: bool
    title: str
    """The right, such as Lounge."""
    sentences: list[str]


# ---- somebody is here ----------------------------------------------------------------------------------
class OfflineLimit(msgspec.Struct, frozen=True):
    """What can be redeemed while central is away (K19)."""

    left_points: int
    limit_points: int


class Balance(msgspec.Struct, frozen=True, tag_field="screen", tag="balance"):
    member: MemberView
    points: int
    rewards: list[RewardView]
    """At most three, those that can be had now first."""
    more_rewards: bool
    """There are rewards beyond these; ``POST /api/kiosk/rewards`` shows all."""
    given: list[str]
    """What this tap brought, in sentences: a birthday gift, a welcome coupon, a tier since the last days."""
    ways_up: list[str]
    """What the next tier still asks for, where money alone does not say it."""
    coupons: int
    """How many can be used now."""
    best_coupons: list[CouponView]
    """At most three of them, those that end first."""
    activities: int
    """Things to do beside rewards; ``POST /api/kiosk/activities`` shows them."""
    value: str | None = None
    """Stored value, once a PIN or a phone code was given."""
    has_value: bool = False
    """There is stored value; ``POST /api/kiosk/value`` asks for what proves whose it is."""
    expiring: Expiring | None = None
    next_tier: NextTier | None = None
    offline: OfflineLimit | None = None


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
    """One step before a reward (K6)."""

    member: MemberView
    reward: RewardView
    points_after: int
    how: Literal["touch", "tap", "pin"] = "touch"
    """By a button; by the card once more; by the button, which leads to the PIN."""


class Prove(msgspec.Struct, frozen=True, tag_field="screen", tag="prove"):
    """The masked numpad: a PIN, or the code that went to the member's phone (K20)."""

    member: MemberView
    how: Literal["pin", "code"]
    digits: int
    purpose: str
    """What it is for, in one sentence."""
    other_way: bool
    """A phone code can be had in place of the PIN: ``POST /api/kiosk/phone-code``."""


class Done(msgspec.Struct, frozen=True, tag_field="screen", tag="done"):
    member: MemberView
    reward_title: str
    points: int
    """What is left."""
    voucher: str
    """The code that the till takes, shown large when paper does not come out; empty for what needs none."""
    slip: SlipState
    voucher_svg: str = ""
    """The same as a QR code to take a picture of, while paper does not come out."""
    undo_s: int | None = None
    """Seconds in which ``POST /api/kiosk/undo`` takes it back; null once something was delivered."""


class Gift(msgspec.Struct, frozen=True, tag_field="screen", tag="gift"):
    """Something was done and this is what it brought: a check-in, a survey, a ticket (K12)."""

    member: MemberView
    title: str
    sentences: list[str]
    points: int


ActivityKind = Literal["check_in", "lottery", "mission", "survey", "ticket"]


class Activity(msgspec.Struct, frozen=True):
    """One thing to do: ``POST /api/kiosk/activity`` with kind and id begins it."""

    kind: ActivityKind
    id: str
    title: str
    detail: str
    """What it brings, or how far it has come, in one line."""
    available: bool
    """A mission is never begun: it counts by itself."""
    why_not: str | None = None
    progress_pct: int | None = None
    """Of a mission."""


class Activities(msgspec.Struct, frozen=True, tag_field="screen", tag="activities"):
    member: MemberView
    items: list[Activity]


class PrizeView(msgspec.Struct, frozen=True):
    name: str
    odds: str
    """Such as 12.50%."""
    sold_out: bool


class Wheel(msgspec.Struct, frozen=True, tag_field="screen", tag="wheel"):
    """A lottery, before its draw and after; anybody can check it later by what stands here."""

    member: MemberView
    lottery: str
    name: str
    cost_points: int
    points: int
    prizes: list[PrizeView]
    commit: str
    """SHA-256 of the secret seed in hex, published before the first draw."""
    why_not: str | None = None
    drawn: int | None = None
    """Number of the prize, from 0; null before the draw."""
    sentences: list[str] = []
    """What was drawn and what it brought."""
    proof: str = ""
    """Number of this draw and the word of this kiosk, of which, with the seed, the prize follows."""


class Questions(msgspec.Struct, frozen=True, tag_field="screen", tag="questions"):
    """One question of a survey or quiz."""

    member: MemberView
    name: str
    number: int
    """From 1."""
    of: int
    question: str
    answers: list[str]


class Feedback(msgspec.Struct, frozen=True, tag_field="screen", tag="feedback"):
    """How was it? Nothing tells who said it (K13)."""

    score: int | None
    """1 to 5 once a face was touched; then a reason may follow."""
    reasons: list[str]


class Join(msgspec.Struct, frozen=True, tag_field="screen", tag="join"):
    """Becoming a member: what it means, the phone, its code, done (K11)."""

    step: Literal["consent", "phone", "code", "joined"]
    has_card: bool
    """A card that nobody has was tapped: it will be theirs."""
    phone: str = ""
    """Masked: *** 8000."""
    digits: int = 6
    """Of the code."""
    member: MemberView | None = None
    points: int = 0
    given: list[str] = []
    """What joining brought."""


class Faq(msgspec.Struct, frozen=True, tag_field="screen", tag="faq"):
    entries: list[FaqEntry]


class FaqEntry(msgspec.Struct, frozen=True):
    question: str
    answer: str


class Help(msgspec.Struct, frozen=True, tag_field="screen", tag="help"):
    """Somebody to talk to, answers, and how this screen can be made easier (K17)."""

    faq: bool


class StaffMenu(msgspec.Struct, frozen=True, tag_field="screen", tag="staff"):
    """A member of staff laid down their card: a greeting, or with the PIN the maintenance menu (K18)."""

    name: str
    step: Literal["hello", "pin", "menu"]
    closed: bool = False
    """The kiosk is out of service by staff's word."""


KioskScreen = (
    Starting
    | Attract
    | Reading
    | Trouble
    | Goodbye
    | OutOfService
    | Gate
    | Balance
    | Rewards
    | Coupons
    | History
    | Confirm
    | Prove
    | Done
    | Gift
    | Activities
    | Wheel
    | Questions
    | Feedback
    | Join
    | Faq
    | Help
    | StaffMenu
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
    mode: Literal["service", "register", "gate"] = "service"
    comfort: Comfort = Comfort()
    remembers: bool | None = None
    """These wishes follow the member's card; null when nobody's card is here."""
    speaks: bool = False
    """Somebody reads aloud here: a daemon with a voice."""
    help: HelpState = "none"
    visit: int = 0
    """Grows when a visit ends: a page keeps nothing of its own from one to the next."""
    in_session: bool = False
    """There is something to finish."""
    feedback: bool = False
    """Opinions are taken here: ``POST /api/kiosk/feedback``."""

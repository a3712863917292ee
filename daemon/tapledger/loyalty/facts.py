"""What an event records of a sale or a return: enough to explain it, to print it again and to take it back.

A return never looks at today's programme: each line keeps its own shares, and ``EarnFacts`` keeps the
arithmetic by which the sale earned (loyalty.md section 3.13, ``as_if``).
"""

from __future__ import annotations

import msgspec


class Reason(msgspec.Struct, frozen=True, gc=False):
    """Why a number is what it is: a code and its figures, turned into a sentence by ``texts.reason``."""

    code: str
    data: dict[str, int | str]


class SaleLine(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One line as it was sold. Amounts are for the whole quantity, in minor units."""

    sku: str
    name: str
    quantity_milli: int
    unit_minor: int
    """Price of 1000 thousandths: the list price, or the one that staff set by hand."""
    net_minor: int
    """What is paid for the line after every discount, points as cash included."""
    tax_bp: int
    category: str
    earns: bool
    gross_minor: int = 0
    """Before any discount."""
    tax_minor: int = 0
    """The line's share of its rate's tax: inside ``net_minor``, or on top of it where tax is exclusive."""
    points_minor: int = 0
    """The part of the gross that points paid."""
    basis_minor: int = 0
    """What of the line may earn points; whether a rule takes the line is in ``EarnFacts``."""
    kind: str = ""
    """Empty for goods; ``gift`` (given by a coupon, price 0) or ``deposit`` (refundable, X6)."""
    shadow_minor: int = 0
    """What a gift would have cost: kept, it is deducted from a refund of what it came with."""
    gift_of: str = ""
    """The discount that added this gift line."""
    list_minor: int = 0
    """List price of 1000 thousandths when staff changed it by hand; else 0."""
    weighed: bool = False
    """Sold by weight or length: a part of it comes back by share of its net (X6)."""
    sensitive: bool = False
    """No screen, slip or message of a member ever names it."""
    gift_lines: tuple[int, ...] = ()
    """Of a gift: the lines it was given for ..."""
    gift_min_minor: int = 0
    """... and what must be kept of them so that it need not come back."""


class Discount(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One thing that made the sale cheaper, and by how much on each line."""

    id: str
    """Of the promotion, coupon template, or ``tier``, ``member_price``, ``manual``, ``points``."""
    kind: str
    lane: int
    """1 member price or tier, 2 lines, 3 order, 4 points as cash."""
    amount_minor: int
    shares: dict[int, int]
    """By line number from 0; lines with no share are left out. They sum to ``amount_minor``."""
    reason: Reason
    coupon: str = ""
    """The member's coupon or claimed code that was used."""


class EarnBoost(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """Lines of a group whose part of it is multiplied; no line has two boosts."""

    lines: tuple[int, ...]
    milli: tuple[int, ...]
    """What ``stack`` makes of the multipliers that matched: thousandths, each a factor."""
    by: tuple[str, ...] = ()
    """Ids of the multipliers that count in it."""


class EarnGroup(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """Lines that earn by one rule. Their basis is summed first, so a boost never costs anybody a full step:
    what its lines earn by themselves is multiplied, the rest of the group is not."""

    rule: str
    lines: tuple[int, ...]
    points: int
    per_minor: int
    boosts: tuple[EarnBoost, ...] = ()
    continuous: bool = False


class EarnFlat(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """Extra points that stay as long as the basis of their lines reaches ``min_minor``."""

    id: str
    points: int
    lines: tuple[int, ...]
    min_minor: int = 0


class EarnFacts(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """How a sale earned, as arithmetic that can be run again on what is kept of it."""

    groups: tuple[EarnGroup, ...] = ()
    flats: tuple[EarnFlat, ...] = ()
    tier_milli: int = 1000
    rounding: str = "down"
    cap: int | None = None
    """The tighter of the caps per order and per member and day that were left when the sale was made."""
    bonus_cap: int | None = None
    """What was left of the campaign budget: the most that boosts and flats may give."""


TENDER_KINDS = ("cash", "card", "mobile")
"""Money from outside; ``card`` and ``mobile`` were taken by a terminal and are only recorded."""


class Tender(msgspec.Struct, frozen=True, omit_defaults=True):
    """How money came in."""

    kind: str
    """One of ``TENDER_KINDS``; stored value ``principal``, ``bonus``; ``rounding`` (signed, X7)."""
    amount_minor: int
    shares: tuple[int, ...] = ()
    """What it paid of each line, where that matters for a return (X2); else empty."""


class SaleFacts(msgspec.Struct, frozen=True, omit_defaults=True):
    id: str
    currency: str
    lines: tuple[SaleLine, ...]
    total_minor: int
    tax_minor: int
    tenders: tuple[Tender, ...]
    change_minor: int
    earned: int
    discounts: tuple[Discount, ...] = ()
    earn: EarnFacts = EarnFacts()
    points_used: int = 0
    coupons: tuple[str, ...] = ()
    """Ids of the coupons it redeemed."""
    day: int = 0
    """Local business day as a proleptic ordinal."""
    till: str = ""
    tax_exclusive: bool = False
    exchange: str = ""
    """Shared by the return and the sale of one exchange."""
    tallied: dict[str, int] = {}
    """What the sale counted for the member, by tally key, so that a full return takes it back."""
    growth_per_minor: int = 0
    """By how much spend it counted one growth point."""


class ReturnLine(msgspec.Struct, frozen=True, omit_defaults=True):
    line: int
    """Of the sale, from 0."""
    quantity_milli: int
    refund_minor: int
    name: str = ""
    """Empty for what nobody is to be shown."""


class ReturnFacts(msgspec.Struct, frozen=True, omit_defaults=True):
    """What came back of a sale. Everything is this return's own part; sums over returns are cumulative."""

    id: str
    sale: str
    kind: str
    """``void``, ``return``, ``giveback`` (a deposit) or ``exchange``."""
    currency: str
    lines: tuple[ReturnLine, ...]
    refund_minor: int
    tenders: tuple[Tender, ...]
    carried_minor: int = 0
    """The part of the money from outside that went on into the new sale of an exchange."""
    clawed: int = 0
    """Earned points taken back; negative when an earlier return took too many."""
    forgiven: int = 0
    """Of them, what ``clamp`` could not take."""
    restored: int = 0
    """Spent points given back."""
    gifts_kept_minor: int = 0
    tax_minor: int = 0
    """The tax in what is repaid."""
    taken: dict[str, int] = {}
    """The part of ``clawed`` that lots gave, by lot; below 0 where one got back what was taken before."""
    shop_fault: bool = False
    complete: bool = False
    """Everything of the sale has come back now."""
    reason: str = ""
    day: int = 0
    exchange: str = ""

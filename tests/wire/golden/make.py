"""Writes golden/v2.txt, the events of this release: ``python -m tests.wire.golden.make``.

An effect or fact that changes its shape makes the file new until version 2 is released; never after.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from tapledger.loyalty import effects as fx
from tapledger.loyalty.facts import (
    Discount,
    EarnFacts,
    EarnFlat,
    EarnGroup,
    Reason,
    ReturnFacts,
    ReturnLine,
    SaleFacts,
    SaleLine,
    Tender,
)
from tapledger.loyalty.ledger import POINT, EventBody, Line
from tapledger.loyalty.tallies import SALES, SPEND
from tapledger.wire.codec import encode_event
from tapledger.wire.messages import LedgerEvent

V2 = Path(__file__).with_name("v2.txt")
AT = dt.datetime(2026, 5, 4, 17, 0, tzinfo=dt.UTC)
ENDS = dt.datetime(2027, 5, 31, 16, 0, tzinfo=dt.UTC)
DAY = AT.date().toordinal()
LOT = fx.Lot("lot-1", 323, 323, AT, ENDS)
TAKES = (fx.LotTake("lot-1", 30, ENDS), fx.LotTake("lot-2", 5))
WHY = Reason("REDEEM", {"points": 30, "reward": "tea"})
BORN = fx.BirthdaySet(2, 29, 1990, DAY, DAY)
EVERY_EFFECT: tuple[fx.Effect, ...] = (
    fx.Credited(LOT),
    fx.Credited(fx.Lot("lot-2", 9, 4, AT, ENDS, fx.BONUS, "top-up-1", slides=True)),
    fx.Debited(TAKES),
    fx.Debited(TAKES, fx.PRINCIPAL),
    fx.Lapsed(TAKES, fx.BONUS),
    fx.Overdrawn(7),
    fx.Restored(TAKES),
    fx.AvailableFrom(("lot-1",), AT),
    fx.Slid(ENDS),
    fx.Held(fx.Hold("hold-1", "tea", "Tea", 35, TAKES, AT, "voucher-1", ENDS, DAY, 900)),
    fx.HoldSettled("hold-1", given_back=True),
    fx.Linked(fx.Credential("card", "index-1", 1, "lost", 5000)),
    fx.Unlinked("index-1"),
    fx.Blocked("index-1", "stolen"),
    fx.CardLimited("index-1", None),
    fx.TierSet("gold", DAY, ENDS, ENDS, "staff"),
    fx.Tallied(SPEND, DAY, -1200),
    fx.CouponIssued(
        fx.Coupon("c-1", "five-off", AT, ENDS, AT, "held", "sale-1", ENDS, "birthday", "k7m2p9qx", "code-1")
    ),
    fx.CouponMoved("c-1", "redeemed", "sale-1", ENDS),
    fx.Granted(fx.Grant("g-1", "lounge", 3, ENDS, "mission")),
    fx.Ungranted("g-1"),
    fx.StatusSet("merged", AT, ENDS, "m-2"),
    BORN,
    fx.Referred("m-2"),
    fx.RefereeCounted("m-3", "bought", DAY),
    fx.Merged("m-4", fx.Own(AT, "gold", DAY, ENDS, ENDS, "m-2", BORN), fx.Own(AT, "base")),
    fx.Unmerged("m-4", fx.Own(AT, "base")),
    fx.ConsentGiven(fx.Consent("marketing", True, "2026-1", AT, "kiosk", "s-0", "s-1")),
    fx.Tagged("segment", ("tea", "evening")),
    fx.Noted(WHY, ENDS),
    fx.Leased(fx.Lease("lease-1", "k7m2p9qx", fx.POINTS, TAKES, AT, ENDS)),
    fx.LeaseDrawn("lease-1", TAKES, fx.PRINCIPAL),
    fx.LeaseRecalled("lease-1"),
    fx.LeaseClosed("lease-1", written_off=True),
)
SOLD = SaleFacts(
    id="sale-1",
    currency="CNY",
    lines=(
        SaleLine(
            sku="690",
            name="Towel",
            quantity_milli=2000,
            unit_minor=1200,
            net_minor=2000,
            tax_bp=1300,
            category="home",
            earns=True,
            gross_minor=2400,
            tax_minor=230,
            points_minor=100,
            basis_minor=1900,
            kind="gift",
            shadow_minor=50,
            gift_of="p-1",
            list_minor=1500,
        ),
    ),
    total_minor=2000,
    tax_minor=230,
    tenders=(Tender(kind="principal", amount_minor=2000, shares=(2000,)),),
    change_minor=0,
    earned=20,
    discounts=(
        Discount(
            id="p-1", kind="percent", lane=2, amount_minor=400, shares={0: 400}, reason=WHY, coupon="c-1"
        ),
    ),
    earn=EarnFacts(
        groups=(EarnGroup(rule="tier", lines=(0,), points=1, per_minor=100, continuous=True),),
        flats=(EarnFlat(id="welcome", points=5, lines=(0,), min_minor=100),),
        tier_milli=1200,
        rounding="half_up",
        cap=50,
    ),
    points_used=10,
    coupons=("c-1",),
    day=DAY,
    till="till-1",
    tax_exclusive=True,
    exchange="x-1",
    tallied={SPEND: 2000, SALES: 1},
)
RETURNED = ReturnFacts(
    id="return-1",
    sale="sale-1",
    kind="return",
    currency="CNY",
    lines=(ReturnLine(line=0, quantity_milli=1000, refund_minor=1000),),
    refund_minor=1000,
    tenders=(Tender(kind="cash", amount_minor=1000),),
    clawed=10,
    forgiven=1,
    restored=5,
    gifts_kept_minor=50,
    complete=True,
    reason="broken",
    day=DAY,
    exchange="x-1",
)


def event(**content: object) -> LedgerEvent:
    body = EventBody(kind="sale", at=AT, program="1", member="m-1", **content)  # type: ignore[arg-type]
    return LedgerEvent(v=2, id="019dee00-0000-7000-8000-000000000000", node="k7m2p9qx", epoch=1, seq=1,
                       hlc=1777885200000 << 16, body=body)  # fmt: skip


EVENTS = {
    **{f"{type(one).__name__}-{n}": event(effects=(one,)) for n, one in enumerate(EVERY_EFFECT)},
    "sold": event(sale=SOLD),
    "returned": event(returned=RETURNED),
    "rest": event(
        lines=(Line("member/m-1/points", POINT, 5), Line("program/points", POINT, -5)),
        effects=EVERY_EFFECT[:3],
        reasons=(WHY,),
        facts={"nonce": "n", "answers": 3},
        staff="s-1",
        trust=1,
        evidence="signed",
        profile_digest="digest",
    ),
}


def read() -> dict[str, bytes]:
    return {name: bytes.fromhex(raw) for name, raw in map(str.split, V2.read_text().splitlines())}


if __name__ == "__main__":
    V2.write_text("".join(f"{name} {encode_event(one).hex()}\n" for name, one in EVENTS.items()))

"""Events as releases sealed them: they are read for ever, and say today what they changed then."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from tapledger.errors import Invalid
from tapledger.loyalty import effects as fx
from tapledger.loyalty.facts import (
    EarnFacts,
    EarnGroup,
    Tender,
)
from tapledger.loyalty.ledger import is_balanced, linked
from tapledger.loyalty.members import Member, fold
from tapledger.loyalty.tallies import SALES, SPEND
from tapledger.wire.codec import decode_event, encode_event
from tapledger.wire.messages import EVENT_VERSION
from tests.wire.golden import make

GOLDEN = Path(__file__).with_name("golden")
AT = dt.datetime(2026, 5, 4, 17, 0, tzinfo=dt.UTC)
DAY = AT.date().toordinal()
MINUTE = dt.timedelta(minutes=1)

# ---- the first release -----------------------------------------------------------------------------------
V1 = [
    (kind, bytes.fromhex(raw)) for kind, raw in map(str.split, (GOLDEN / "v1.txt").read_text().splitlines())
]
"""A member's events in their order, sealed by release 1, and a sale without a member."""
V1_STATE = bytes.fromhex((GOLDEN / "v1_member.txt").read_text())
"""The member after them, as release 1 stored it."""

CARD, PHONE = fx.Credential("card", "index-1", 1), fx.Credential("phone", "index-2", 0)
ENDS = dt.datetime(2027, 5, 31, 16, 0, tzinfo=dt.UTC)
LOT = fx.Lot("lot-1", 323, 323, AT + 2 * MINUTE, ENDS)


def hold(number: int) -> fx.Hold:
    taken = (fx.LotTake("lot-1", 100),)
    at, until = AT + (2 + number) * MINUTE, dt.datetime(2026, 6, 4, 16, 0, tzinfo=dt.UTC)
    return fx.Hold(f"hold-{number}", "tea", "Tea", 100, taken, at, f"voucher-{number}", until)


V1_EFFECTS: list[tuple[str, tuple[fx.Effect, ...]]] = [
    ("join", (fx.Linked(CARD), fx.TierSet("base"))),
    ("link", (fx.Linked(PHONE),)),
    (
        "sale",
        (
            fx.Credited(LOT),
            fx.Tallied(SPEND, DAY, 32_330),
            fx.Tallied(SALES, DAY, 1),
            fx.TierSet("silver"),
        ),
    ),
    ("hold", (fx.Held(hold(1)),)),
    ("hold", (fx.Held(hold(2)),)),
    ("fulfil", (fx.HoldSettled("hold-1", given_back=False),)),
    ("release", (fx.HoldSettled("hold-2", given_back=True),)),
    ("sale", ()),
]


@pytest.mark.parametrize("place", range(len(V1)))
def test_an_event_of_the_first_release_is_read_as_effects(place: int) -> None:
    kind, raw = V1[place]
    event = decode_event(raw)
    assert (event.v, event.node, event.epoch, event.seq) == (1, "k7m2p9qx", 1, place + 1)
    assert event.hlc == int((AT + place * MINUTE).timestamp() * 1000) << 16
    assert (event.body.kind, event.body.effects) == (kind, V1_EFFECTS[place][1])
    assert V1_EFFECTS[place][0] == kind
    assert is_balanced(event.body.lines)
    assert event.body.member == ("m-1" if place < 7 else None)


def test_every_kind_of_the_first_release_has_its_golden_event() -> None:
    assert {kind for kind, _ in V1} == {"join", "link", "sale", "hold", "fulfil", "release"}


def test_what_is_no_effect_stays_as_it_was() -> None:
    bodies = [decode_event(raw).body for _, raw in V1]
    assert (bodies[0].profile_digest, bodies[0].staff) == ("digest", "s-1")
    assert linked(bodies[1]) == (PHONE,)
    assert (bodies[3].trust, bodies[3].evidence, bodies[3].reasons[0].code) == (1, "signed", "REDEEM")
    assert sum(line.amount for line in bodies[3].lines if line.account == "member/m-1/points") == -100


def test_a_sale_of_the_first_release_can_be_returned() -> None:
    """It had no discounts and one rate; what earned, and how, is said as later sales say it."""
    sale = decode_event(V1[2][1]).body.sale
    assert sale is not None
    assert (sale.total_minor, sale.tax_minor, sale.earned, sale.change_minor) == (32_330, 3719, 323, 7670)
    assert sale.tenders == (Tender("card", 20_000), Tender("cash", 20_000))
    assert [(line.sku, line.gross_minor, line.net_minor, line.basis_minor) for line in sale.lines] == [
        ("690", 2400, 2400, 2400),
        ("691", 29_900, 29_900, 29_900),
        ("bag", 30, 30, 0),
    ]
    assert sale.earn == EarnFacts((EarnGroup("tier", (0, 1), 1, 100),), tier_milli=1000)
    assert (sale.day, sale.tallied) == (DAY, {SPEND: 32_330, SALES: 1})


def test_a_sale_without_a_member_earned_nothing_then_and_counts_nothing_now() -> None:
    sale = decode_event(V1[7][1]).body.sale
    assert sale is not None
    assert (sale.earned, sale.earn, sale.tallied) == (0, EarnFacts(), {})


def test_folding_the_first_releases_events_gives_the_member_it_stored() -> None:
    """But for spend: the state had one sum, the events have it by day."""
    stored = msgspec.msgpack.decode(V1_STATE, type=Member)
    folded: Member | None = None
    for _, raw in V1[:7]:
        folded = fold(folded, decode_event(raw).body)
    assert folded is not None
    assert stored.earlier_spend_minor == 32_330
    assert folded.tallies == {SPEND: {DAY: 32_330}, SALES: {DAY: 1}}
    assert msgspec.structs.replace(folded, tallies={}) == msgspec.structs.replace(
        stored, earlier_spend_minor=0
    )


@pytest.mark.parametrize(
    "changes", [{"epoch": 0}, {"seq": 0}, {"seq": 2**60}, {"hlc": -1}, {"hlc": 2**63}, {"v": "one"}]
)
def test_a_first_release_event_of_no_possible_place_is_unreadable(changes: dict[str, object]) -> None:
    fields = msgspec.msgpack.decode(V1[0][1])
    with pytest.raises(Invalid, match="EVENT_UNREADABLE"):
        decode_event(msgspec.msgpack.encode(fields | changes))


# ---- this release ----------------------------------------------------------------------------------------
def test_every_effect_has_a_golden_event() -> None:
    assert {type(effect) for effect in make.EVERY_EFFECT} == set(get_args(fx.Effect))


@pytest.mark.parametrize("name", make.EVENTS)
def test_an_event_of_this_release_has_its_golden_bytes(name: str) -> None:
    event, raw = make.EVENTS[name], make.read()[name]
    assert event.v == EVENT_VERSION
    assert encode_event(event) == raw
    assert decode_event(raw) == event


def test_no_golden_event_is_taken_away() -> None:
    assert list(make.read()) == list(make.EVENTS)


def test_an_effect_that_this_release_does_not_know_is_unreadable() -> None:
    """Half an event must never be folded: central waits until it is updated."""
    fields = msgspec.msgpack.decode(encode_event(make.EVENTS["rest"]))
    fields["body"]["effects"].append({"type": "levitate"})
    with pytest.raises(Invalid, match="EVENT_UNREADABLE"):
        decode_event(msgspec.msgpack.encode(fields))

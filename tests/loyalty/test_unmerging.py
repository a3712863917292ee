"""Two members that became one are two again: whole lives with a merge and its undoing."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tapledger.loyalty import lots, members, tallies
from tapledger.loyalty.effects import (
    Blocked,
    Coupon,
    CouponMoved,
    Credential,
    Credited,
    Debited,
    Effect,
    Grant,
    Held,
    Hold,
    HoldSettled,
    Lot,
    LotTake,
    Overdrawn,
    RefereeCounted,
)
from tapledger.loyalty.ledger import EventBody
from tapledger.loyalty.members import Member
from tapledger.loyalty.people.referees import Referee
from tests.loyalty.givens import DAY, NOON, after, lot
from tests.loyalty.merges import TODAY, account, merge, net, someone, undo

# ---- whole lives -----------------------------------------------------------------------------------------
amounts = st.integers(1, 200)
steps = st.lists(
    st.tuples(st.sampled_from(["earn", "spend", "owe", "hold", "release", "fulfil"]), amounts), max_size=8
)


def live(member: Member, life: list[tuple[str, int]], name: str) -> tuple[Member, int]:
    """Let a member do things; return them and what they have and hold in all, as the ledger counts it."""
    change = 0
    for number, (what, amount) in enumerate(life):
        id_ = f"{name}{number}"
        effects: tuple[Effect, ...] = ()
        match what:
            case "earn":
                ends = NOON + (100 + amount) * DAY if amount % 2 else None
                effects, change = (Credited(Lot(id_, amount, amount, NOON, ends)),), change + amount
            case "spend":
                takes = lots.take(member.lots, amount, NOON)
                effects, change = (Debited(takes),), change - lots.taken_amount(takes)
            case "owe":
                effects, change = (Overdrawn(amount),), change - amount
            case "hold":
                takes = lots.take(member.lots, amount, NOON)
                points = lots.taken_amount(takes)
                effects = (Held(Hold(id_, "coffee", "Coffee", points, takes, NOON, id_, NOON + DAY)),)
            case "release" | "fulfil" if member.holds:
                hold = member.holds[-1]
                effects = (HoldSettled(hold.id, given_back=what == "release"),)
                change -= hold.points if what == "fulfil" else 0
        body = EventBody(kind="sale", at=NOON, program="1", member=member.id, effects=effects)
        member = members.fold(member, body)
    return member, change


@given(steps, steps, steps)
def test_a_life_with_a_merge_and_its_undoing_conserves_everything(
    of_old: list[tuple[str, int]], of_into: list[tuple[str, int]], together: list[tuple[str, int]]
) -> None:
    old, old_has = live(someone("a"), of_old, "a")
    into, into_has = live(someone("b"), of_into, "b")
    assert (net(old), net(into)) == (old_has, into_has)
    merged = merge(old, into)
    gone, one = after(merged[0]), after(merged[1])
    assert (net(gone), net(one)) == (0, old_has + into_has)
    one, change = live(one, together, "c")
    assert net(one) == old_has + into_has + change
    back, again, decisions = undo(merged, gone, one, NOON)
    assert net(back) + net(again) == old_has + into_has + change
    accounts = {line.account for d in decisions for line in d.body.lines}
    for member, state, had in (("a", back, 0), ("b", again, net(one))):
        posted = sum(account(decisions, f"member/{member}/{part}") for part in ("points", "held"))
        assert net(state) == had + posted
    assert "transfer/t-2" in accounts or not accounts
    assert (back.status, back.aliases, again.aliases) == ("active", (), ())
    ends = {x.id: x.expires_at for x in (*old.lots, *into.lots)}
    assert all(x.expires_at == ends[x.id] for x in back.lots if x.id in ends)


@given(steps, steps)
def test_undone_at_once_both_are_as_before(
    of_old: list[tuple[str, int]], of_into: list[tuple[str, int]]
) -> None:
    old, _ = live(someone("a"), of_old, "a")
    into, _ = live(someone("b"), of_into, "b")
    merged = merge(old, into)
    back, again, _ = undo(merged, after(merged[0]), after(merged[1]), NOON)
    for was, now in ((old, back), (into, again)):
        assert members.points(now, NOON).available == members.points(was, NOON).available
        assert members.points(now, NOON).held == members.points(was, NOON).held
        assert net(now) == net(was)


@given(steps, steps, st.lists(st.tuples(st.sampled_from(["earn", "spend", "owe"]), amounts), max_size=8))
def test_what_came_after_the_merge_is_the_remaining_members(
    of_old: list[tuple[str, int]], of_into: list[tuple[str, int]], together: list[tuple[str, int]]
) -> None:
    old, old_has = live(someone("a"), of_old, "a")
    into, into_has = live(someone("b"), of_into, "b")
    merged = merge(old, into)
    one, change = live(after(merged[1]), together, "c")
    back, again, _ = undo(merged, after(merged[0]), one, NOON)
    assert (net(back), net(again)) == (old_has, into_has + change)


def test_undo_gives_back_cards_coupons_rights_and_tallies() -> None:
    card = Credential("card", "idx-a", 1)
    old = someone(
        "a",
        credentials=(card,),
        coupons=(Coupon("c", "ten", NOON, None), Coupon("d", "ten", NOON, None)),
        grants=(Grant("g", "lounge", 3, None),),
        tallies={tallies.SPEND: {TODAY: 5}},
        referees={"x": Referee(("joined",))},
        tier="gold",
    )
    into = someone("b", tier="silver", tier_until=NOON + DAY)
    merged = merge(old, into)
    one = after(merged[1])
    moved = EventBody(
        kind="sale",
        at=NOON,
        program="1",
        member="b",
        effects=(
            CouponMoved("d", "redeemed", "s"),
            Blocked("idx-a", "lost"),
            RefereeCounted("x", "bought", 9),
        ),
    )
    back, again, _ = undo(merged, after(merged[0]), members.fold(one, moved))
    assert {c.id: c.state for c in back.coupons} == {"c": "issued", "d": "redeemed"}
    assert {c.state for c in again.coupons} == {"void"}
    assert back.credentials == (msgspec.structs.replace(card, blocked="lost"),) and again.credentials == ()
    assert (back.grants, again.grants) == (old.grants, ())
    assert back.tallies == old.tallies and tallies.total(again.tallies, tallies.SPEND) == 0
    assert back.referees == {"x": Referee(("joined", "bought"), 9)} and again.referees == {}
    assert (back.tier, again.tier, again.tier_until) == ("gold", "silver", NOON + DAY)


def test_a_lot_that_lapsed_in_the_meantime_does_not_come_back() -> None:
    old = someone("a", lot("a1", 100, NOON + DAY), lot("a2", 10))
    merged = merge(old, someone("b"))
    lapsed = EventBody(
        kind="expire", at=NOON + DAY, program="1", member="b", effects=(Debited((LotTake("a1", 100),)),)
    )
    one = members.fold(after(merged[1]), lapsed)
    back, again, _ = undo(merged, after(merged[0]), one, NOON + 2 * DAY)
    assert (net(back), net(again)) == (10, 0)


def test_r40_no_number_of_a_draw_comes_again() -> None:
    """Draws are numbered by how many there were: a number used while merged must not be reached again."""
    draws = tallies.of_draws("wheel")
    merged = merge(someone("a", tallies={draws: {TODAY: 5}}), someone("b", tallies={draws: {TODAY: 3}}))
    back, again, _ = undo(merged, after(merged[0]), after(merged[1]))
    assert tallies.total(back.tallies, draws) == 5
    assert tallies.total(again.tallies, draws) == 8

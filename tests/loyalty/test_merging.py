"""Two members become one: nothing is lost, nothing is made, nothing lives longer."""

from __future__ import annotations

import datetime as dt

import pytest

from tapledger.errors import Refused
from tapledger.loyalty import members, tallies
from tapledger.loyalty.effects import (
    BirthdaySet,
    Consent,
    Coupon,
    Credential,
    Credited,
    Debited,
    Grant,
    Held,
    Hold,
    Linked,
    Lot,
    LotTake,
    Tallied,
)
from tapledger.loyalty.ledger import EventBody
from tapledger.loyalty.life import merging
from tapledger.loyalty.people.referees import Referee
from tapledger.loyalty.tiers import tiering
from tests.loyalty.givens import DAY, NOON, PROGRAM, after, lot
from tests.loyalty.merges import TODAY, account, merge, net, someone, undo


# ---- merging ---------------------------------------------------------------------------------------------
def test_lots_move_with_their_own_expiry() -> None:
    old = someone("a", lot("a1", 100, NOON + 10 * DAY), Lot("a2", 50, 50, NOON + DAY, None))
    merged = merge(old, someone("b", lot("b1", 30)))
    gone, one = after(merged[0]), after(merged[1])
    assert (gone.status, gone.merged_into, gone.lots, net(gone)) == ("merged", "b", (), 0)
    assert {x.id: (x.remaining, x.expires_at, x.available_at) for x in one.lots} == {
        "a1": (100, NOON + 10 * DAY, NOON - DAY),
        "a2": (50, None, NOON + DAY),
        "b1": (30, None, NOON - DAY),
    }
    assert members.points(one, NOON).available == 130
    assert account(merged, "member/a/points") == -150
    assert account(merged, "member/b/points") == 150
    assert account(merged, "transfer/t-1") == 0


def test_stored_value_and_vouchers_move() -> None:
    money = Lot("v", 5000, 5000, NOON - DAY, None, "principal")
    held = Hold("h", "coffee", "Coffee", 80, (LotTake("a1", 80, None),), NOON, "voucher", NOON + DAY)
    old = someone("a", lot("a1", 20), money, holds=(held,))
    merged = merge(old, someone("b"))
    one = after(merged[1])
    assert members.value(one, "principal", NOON) == 5000
    assert (members.points(one, NOON).available, members.points(one, NOON).held) == (20, 80)
    assert account(merged, "member/b/held") == 80 == -account(merged, "member/a/held")
    assert account(merged, "member/b/principal") == -5000


def test_deficits_net() -> None:
    merged = merge(someone("a", deficit=70), someone("b", lot("b1", 100)))
    one = after(merged[1])
    assert (members.points(one, NOON).available, one.deficit, net(after(merged[0]))) == (30, 0, 0)


def test_visits_are_days_and_spend_is_summed() -> None:
    def visits(*days: int) -> dict[str, dict[int, int]]:
        return {tallies.SALES: dict.fromkeys(days, 1), tallies.SPEND: dict.fromkeys(days, 100)}

    old = someone("a", tallies=visits(TODAY, TODAY - 1), earlier_spend_minor=7)
    gone, one, *_ = (after(d) for d in merge(old, someone("b", tallies=visits(TODAY, TODAY - 2))))
    assert tallies.days_counted(one.tallies, tallies.SALES) == 3
    assert tallies.total(one.tallies, tallies.SPEND) == 407
    assert tallies.total(gone.tallies, tallies.SPEND) + gone.earlier_spend_minor == 0


@pytest.mark.parametrize(
    ("one", "other", "kept"),
    [
        (("gold", NOON + DAY), ("silver", NOON + 9 * DAY), ("gold", NOON + DAY)),
        (("normal", None), ("silver", NOON + 9 * DAY), ("silver", NOON + 9 * DAY)),
        (("gold", NOON + DAY), ("gold", NOON + 9 * DAY), ("gold", NOON + 9 * DAY)),
        (("gold", None), ("gold", NOON + 9 * DAY), ("gold", None)),
    ],
)
def test_the_higher_tier_is_kept_until_its_end(
    one: tuple[str, dt.datetime | None],
    other: tuple[str, dt.datetime | None],
    kept: tuple[str, dt.datetime | None],
) -> None:
    for left, right in ((one, other), (other, one)):
        old = someone("a", tier=left[0], tier_until=left[1])
        merged = merge(old, someone("b", tier=right[0], tier_until=right[1]))
        state = after(merged[1])
        assert (state.tier, state.tier_until) == kept
        assert tiering.current(state, PROGRAM, NOON).id == kept[0]


def test_the_earlier_join_date_the_birthday_cards_coupons_and_rights_move() -> None:
    born = BirthdaySet(2, 29, None, TODAY, TODAY)
    card = Credential("card", "idx-a", 1, blocked="lost", day_limit_minor=500)
    old = someone(
        "a",
        joined=NOON - 400 * DAY,
        birthday=born,
        credentials=(card,),
        coupons=(Coupon("c", "ten", NOON, NOON + DAY), Coupon("d", "ten", NOON, None, state="void")),
        grants=(Grant("g", "lounge", 3, None),),
        consents=(Consent("marketing_sms", True, "1", NOON, "till"),),
    )
    gone, one, *_ = (after(d) for d in merge(old, someone("b")))
    assert (one.joined_at, one.birthday, one.credentials) == (old.joined_at, born, (card,))
    assert ([c.id for c in one.coupons], one.grants, one.aliases) == (["c"], old.grants, ("a",))
    assert one.consents == old.consents
    assert (gone.credentials, gone.grants, {c.state for c in gone.coupons}) == ((), (), {"void"})


def test_of_two_statements_about_messages_the_withdrawal_stays() -> None:
    yes = Consent("marketing_sms", True, "1", NOON, "till", id="1")
    no = Consent("marketing_sms", False, "1", NOON - DAY, "till", id="2")
    for left, right in ((yes, no), (no, yes)):
        one = after(merge(someone("a", consents=(left,)), someone("b", consents=(right,)))[1])
        assert [c.granted for c in one.consents] == [False]


def test_what_both_had_once_is_named() -> None:
    once = {"birthday/2026": {TODAY: 1}, tallies.SPEND: {TODAY: 1}}
    merged = merge(someone("a", tallies=once), someone("b", tallies=once))
    assert [r.data for r in merged[1].body.reasons if r.code == "MERGED_HAD_TWICE"] == [{"count": 1}]


# ---- referrals -------------------------------------------------------------------------------------------
def test_x4_a_referrer_who_did_not_join_earlier_is_dropped() -> None:
    """A (day 5) refers X (10), X refers B (20), A merges into B: B joined on day 5, so X sent nobody."""
    old = someone("a", joined=NOON - 25 * DAY, referees={"x": Referee(("joined", "qualified"))})
    between = someone("x", joined=NOON - 20 * DAY, referrer="a", referees={"b": Referee(("joined",))})
    into = someone("b", joined=NOON - 10 * DAY, referrer="x")
    merged = merge(old, into, [between])
    gone, one, sender = (after(d) for d in merged)
    assert (one.referrer, one.referees, gone.referees) == ("", old.referees, {})
    assert sender.referees == {}
    back, again, decisions = undo(merged, gone, one, referrers=[sender])
    assert (back.referees, again.referrer, again.joined_at) == (old.referees, "x", into.joined_at)
    assert after(decisions[2]).referees == between.referees


def test_a_member_does_not_send_themselves() -> None:
    into = someone("b", joined=NOON - 60 * DAY, referees={"a": Referee(("joined", "bought"), 5)})
    old = someone("a", referrer="b")
    merged = merge(old, into, [into])
    gone, one = after(merged[0]), after(merged[1])
    assert (one.referrer, one.referees, len(merged)) == ("", {}, 2)
    back, again, _ = undo(merged, gone, one)
    assert (back.referrer, again.referees) == ("b", into.referees)


def test_the_referrer_of_the_old_one_becomes_the_referrer() -> None:
    sender = someone("r", joined=NOON - 90 * DAY, referees={"a": Referee(("joined", "qualified"), 9)})
    merged = merge(someone("a", referrer="r"), someone("b"), [sender])
    assert after(merged[1]).referrer == "r"
    assert after(merged[2]).referees == {"b": Referee(("joined", "qualified"), 9)}
    _, one, decisions = undo(merged, after(merged[0]), after(merged[1]), referrers=[after(merged[2])])
    assert (one.referrer, after(decisions[2]).referees) == ("", sender.referees)


# ---- refusals --------------------------------------------------------------------------------------------
def test_who_cannot_be_merged() -> None:
    with pytest.raises(Refused, match="MERGE_SAME_MEMBER"):
        merge(someone("a"), someone("a"))
    for status, code in (
        ("frozen", "MEMBER_FROZEN"),
        ("merged", "MEMBER_MERGED"),
        ("erased", "MEMBER_ERASED"),
    ):
        for old, into in ((status, "active"), ("active", status)):
            with pytest.raises(Refused, match=code):
                merge(someone("a", status=old), someone("b", status=into))


def test_undo_has_thirty_days() -> None:
    merged = merge(someone("a"), someone("b"))
    gone, one = after(merged[0]), after(merged[1])
    last = dt.datetime(2026, 6, 3, 15, 59, 59, tzinfo=dt.UTC)
    undo(merged, gone, one, last)
    with pytest.raises(Refused, match="MERGE_UNDO_TOO_LATE"):
        undo(merged, gone, one, last + dt.timedelta(seconds=1))
    with pytest.raises(Refused, match="MERGE_NOT_THERE"):
        undo(merged, someone("a"), one)


# ---- what comes late -------------------------------------------------------------------------------------
def test_x4_what_comes_late_in_the_old_name_is_the_new_ones() -> None:
    """A shop that was offline sold to A, gave A's points for a reward and linked a card."""
    merged = merge(someone("a", lot("a1", 100)), someone("b", lot("b1", 10)))
    held = Hold("h", "coffee", "Coffee", 80, (LotTake("a1", 80, None),), NOON, "voucher", NOON + DAY)
    late = EventBody(
        kind="sale",
        at=NOON,
        program="1",
        member="a",
        effects=(
            Credited(Lot("late", 12, 12, NOON, None)),
            Tallied(tallies.SPEND, TODAY, 1200),
            Held(held),
            Linked(Credential("card", "new", 1)),
        ),
    )
    rest = members.fold(after(merged[0]), late)
    one = merging.with_late(after(merged[1]), rest)
    have = members.points(one, NOON)
    assert (have.available, have.held, have.deficit) == (42, 80, 0)
    assert tallies.total(one.tallies, tallies.SPEND) == 1200
    assert [c.index for c in one.credentials] == ["new"]
    assert merging.with_late(after(merged[1]), after(merged[0])) == after(merged[1])


def test_x4_a_late_event_counts_the_same_before_and_after_the_merge() -> None:
    old, into = someone("a", lot("a1", 100)), someone("b", lot("b1", 10))
    merged = merge(old, into)
    spent = EventBody(
        kind="sale", at=NOON - DAY, program="1", member="a", effects=(Debited((LotTake("a1", 60),)),)
    )
    before = members.fold(members.fold(old, spent), merged[0].body)
    later = members.fold(after(merged[0]), spent)
    states = [merging.with_late(after(merged[1]), rest) for rest in (before, later)]
    assert [members.points(one, NOON).available for one in states] == [50, 50]

"""Coupons: held, redeemed, restored, offline, public codes (loyalty.md 3.11, decisions X2, X3, R30)."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapledger.errors import Refused
from tapledger.loyalty.coupons import couponing, issuing, wallet
from tapledger.loyalty.coupons.couponing import ONLINE, Reach
from tapledger.loyalty.effects import Coupon, CouponMoved
from tapledger.loyalty.program.values import Returns
from tapledger.loyalty.rights import Rights
from tests.loyalty.coupon_givens import (
    SECOND,
    SHANGHAI_MIDNIGHT,
    applied,
    code_reason,
    issue,
    reason,
    rules,
    sold,
    template,
)
from tests.loyalty.givens import DAY, NOON, after, member


def test_a_coupon_is_taken_away_before_it_is_redeemed() -> None:
    rule = rules()
    who = issue(member(), rule)
    gone = after(issuing.decide_void(who, "c-1", "given by mistake", "s-1", rule, NOON))
    assert wallet.state(gone.coupons[0], NOON) == "void"
    for again, code in ((gone, "COUPON_USED"), (member(), "COUPON_UNKNOWN")):
        with pytest.raises(Refused, match=code):
            issuing.decide_void(again, "c-1", "twice", "s-1", rule, NOON)


# ---- states ----------------------------------------------------------------------------------------------
def test_a_held_coupon_is_kept_for_its_sale_only() -> None:
    rule = rules()
    who = applied(issue(member(), rule), couponing.hold_effects(issue(member(), rule), ["c-1"], "s-1", NOON))
    assert reason(who, rule, sale="s-1") == ""
    assert reason(who, rule, sale="s-2") == "COUPON_HELD"
    assert reason(who, rule) == "COUPON_HELD"
    with pytest.raises(Refused, match="COUPON_HELD"):
        couponing.redeem_effects(who, ["c-1"], "s-2", rule, NOON)
    assert couponing.redeem_effects(who, ["c-1"], "s-1", rule, NOON) == (
        CouponMoved("c-1", "redeemed", "s-1"),
    )


def test_a_hold_ends_by_itself_and_by_release() -> None:
    rule = rules()
    who = issue(member(), rule)
    who = applied(who, couponing.hold_effects(who, ["c-1"], "s-1", NOON))
    ends = NOON + couponing.HOLD_LIFE
    assert dt.timedelta(minutes=15) == couponing.HOLD_LIFE
    assert reason(who, rule, ends - SECOND) == "COUPON_HELD"
    assert reason(who, rule, ends) == ""
    assert couponing.release_effects(who, ["c-1"], "s-2") == ()
    assert couponing.release_effects(None, ["c-1"], "s-1") == ()
    released = applied(who, couponing.release_effects(who, ["c-1"], "s-1"))
    assert released == issue(member(), rule)


def test_a_hold_that_began_in_time_outlives_the_coupon() -> None:
    rule = rules(template(valid_days=0))
    begun = SHANGHAI_MIDNIGHT - SECOND
    who = issue(member(), rule)
    who = applied(who, couponing.hold_effects(who, ["c-1"], "s-1", begun), begun)
    late = SHANGHAI_MIDNIGHT + dt.timedelta(minutes=14)
    (chosen,) = couponing.usable(who, rule, late, ONLINE, "s-1").chosen
    assert chosen.expires_at == begun + couponing.HOLD_LIFE
    assert couponing.redeem_effects(who, ["c-1"], "s-1", rule, late)
    too_late = begun + couponing.HOLD_LIFE
    assert reason(who, rule, too_late, sale="s-1") == "COUPON_EXPIRED"
    with pytest.raises(Refused, match="COUPON_EXPIRED"):
        couponing.redeem_effects(who, ["c-1"], "s-1", rule, too_late)


def test_a_quote_that_was_shown_is_honoured_until_its_end() -> None:
    """X5: the coupon was good when the quote was made; another sale may still have taken it since."""
    rule = rules(template(valid_days=0))
    shown, paid = SHANGHAI_MIDNIGHT - SECOND, SHANGHAI_MIDNIGHT + SECOND
    who = issue(member(), rule)
    with pytest.raises(Refused, match="COUPON_EXPIRED"):
        couponing.redeem_effects(who, ["c-1"], "s-1", rule, paid)
    effects = couponing.redeem_effects(who, ["c-1"], "s-1", rule, paid, shown)
    assert applied(who, effects, paid).coupons[0].state == "redeemed"
    with pytest.raises(Refused, match="COUPON_USED"):
        couponing.redeem_effects(applied(who, effects, paid), ["c-1"], "s-2", rule, paid, shown)


def test_a_redeemed_coupon_is_offered_no_more() -> None:
    rule = rules()
    who = issue(member(), rule)
    who = applied(who, couponing.redeem_effects(who, ["c-1"], "s-1", rule, NOON))
    assert couponing.usable(who, rule, NOON) == couponing.Usable((), ())
    with pytest.raises(Refused, match="COUPON_USED"):
        couponing.redeem_effects(who, ["c-1"], "s-2", rule, NOON)
    with pytest.raises(Refused, match="COUPON_UNKNOWN"):
        couponing.redeem_effects(None, ["c-1"], "s-2", rule, NOON)


@given(st.lists(st.sampled_from(["hold", "release", "redeem", "restore", "void", "wait"]), max_size=12))
def test_a_coupon_has_at_most_one_live_redemption(steps: list[str]) -> None:
    """I3, whatever is tried in whatever order by two sales."""
    rule, now = rules(), NOON
    who, redeemed_by = issue(member(), rule), ""
    for number, step in enumerate(steps):
        sale = f"s-{number % 2}"
        try:
            match step:
                case "hold":
                    who = applied(who, couponing.hold_effects(who, ["c-1"], sale, now), now)
                case "release":
                    who = applied(who, couponing.release_effects(who, ["c-1"], sale), now)
                case "redeem":
                    who = applied(who, couponing.redeem_effects(who, ["c-1"], sale, rule, now), now)
                    assert redeemed_by == ""
                    redeemed_by = sale
                case "restore":
                    effects = couponing.restore_effects(who, sold("c-1", sale=sale), rule, now)
                    assert bool(effects) == (redeemed_by == sale)
                    who = applied(who, effects, now)
                    redeemed_by = "" if redeemed_by == sale else redeemed_by
                case "void":
                    who = after(issuing.decide_void(who, "c-1", "", "s", rule, now))
                case "wait":
                    now += dt.timedelta(minutes=10)
        except Refused:
            continue
    assert (wallet.state(who.coupons[0], now) == "redeemed") == bool(redeemed_by)


# ---- back again ------------------------------------------------------------------------------------------
def test_a_full_return_gives_the_coupon_back_as_it_was() -> None:
    rule = rules(template(valid_days=3))
    who = issue(member(), rule)
    used = applied(who, couponing.redeem_effects(who, ["c-1"], "sale-1", rule, NOON))
    assert applied(used, couponing.restore_effects(used, sold("c-1"), rule, NOON)) == who


def test_restoring_never_lengthens_a_life_without_a_grace() -> None:
    """I6."""
    rule = rules(template(valid_days=0))
    who = issue(member(), rule)
    used = applied(who, couponing.redeem_effects(who, ["c-1"], "sale-1", rule, NOON))
    back = applied(used, couponing.restore_effects(used, sold("c-1"), rule, NOON + DAY))
    assert [(one.id, wallet.state(one, NOON + DAY)) for one in back.coupons] == [("c-1", "expired")]


def test_a_grace_gives_another_coupon_for_an_expired_one() -> None:
    rule = rules(template(valid_days=0), returns=Returns(restore_coupons_days=2))
    who = issue(member(), rule)
    used = applied(who, couponing.redeem_effects(who, ["c-1"], "sale-1", rule, NOON))
    back = applied(used, couponing.restore_effects(used, sold("c-1"), rule, NOON + DAY), NOON + DAY)
    assert [(one.id, wallet.state(one, NOON + DAY), one.expires_at) for one in back.coupons] == [
        ("c-1", "void", SHANGHAI_MIDNIGHT),
        ("c-1/r", "issued", SHANGHAI_MIDNIGHT + 3 * DAY),
    ]
    assert couponing.restore_effects(back, sold("c-1"), rule, NOON + DAY) == ()


@pytest.mark.parametrize(("late", "left"), [(-SECOND, ["c-1"]), (0 * SECOND, ["c-1", "c-1/r"])])
def test_a_grace_begins_at_the_instant_of_the_end(late: dt.timedelta, left: list[str]) -> None:
    rule = rules(template(valid_days=0), returns=Returns(restore_coupons_days=2))
    who = issue(member(), rule)
    used = applied(who, couponing.redeem_effects(who, ["c-1"], "sale-1", rule, NOON))
    effects = couponing.restore_effects(used, sold("c-1"), rule, SHANGHAI_MIDNIGHT + late)
    assert [one.id for one in applied(used, effects).coupons] == left


def test_a_sale_restores_only_what_it_redeemed() -> None:
    rule = rules()
    who = issue(member(), rule)
    used = applied(who, couponing.redeem_effects(who, ["c-1"], "other", rule, NOON))
    assert couponing.restore_effects(used, sold("c-1"), rule, NOON) == ()
    assert couponing.restore_effects(who, sold("c-1"), rule, NOON) == ()


# ---- offline ---------------------------------------------------------------------------------------------
AWAY = Reach("n-1", online=False)


def test_offline_only_coupons_of_this_node_are_taken() -> None:
    rule = rules()
    here, there = issue(member(), rule, node="n-1"), issue(member(), rule, node="n-2")
    assert reason(here, rule, reach=AWAY) == ""
    assert reason(there, rule, reach=AWAY) == "COUPON_ONLINE_ONLY"
    assert reason(there, rule, reach=Reach("", online=False)) == "COUPON_ONLINE_ONLY"
    assert reason(here, rule, reach=Reach("n-1", online=False, bound=False)) == "COUPON_ONLINE_ONLY"
    assert reason(there, rule, reach=Reach("n-1", online=False, plain_minor=1)) == ""


def test_offline_risk_is_bounded_by_the_owners_number() -> None:
    rule = rules()
    here = issue(member(), rule, node="n-1")
    far = Reach("n-1", online=False, plain_minor=3000)
    couponing.check_offline(here, {"c-1": 10_000}, far)
    couponing.check_offline(here, {"c-1": 10_000, "code/ten": 3000}, far)
    with pytest.raises(Refused, match="COUPON_OFFLINE_LIMIT"):
        couponing.check_offline(here, {"code/ten": 3001}, far)
    with pytest.raises(Refused, match="COUPON_OFFLINE_LIMIT"):
        couponing.check_offline(None, {"c-1": 3001}, far)
    couponing.check_offline(None, {"code/ten": 10**9}, ONLINE)
    used = {"c-1": 10_000, "code/ten": 3000}
    assert couponing.offline_risk(here, used, far) == 3000
    assert couponing.offline_risk(None, used, far) == 13_000
    assert couponing.offline_risk(here, used, ONLINE) == 0


def test_what_this_shop_may_do_follows_from_its_rights() -> None:
    rule = rules()
    assert couponing.reach_of("n-1", Rights(), rule, NOON) == Reach("n-1")
    away = Rights(online=False, last_feed_at=NOON - dt.timedelta(hours=1), coupon_left_minor=700)
    assert couponing.reach_of("n-1", away, rule, NOON) == Reach("n-1", False, True, 700)
    long = Rights(online=False, last_feed_at=NOON - dt.timedelta(days=30))
    assert couponing.reach_of("n-1", long, rule, NOON) == Reach("n-1", False, False, 0)


def test_a_coupon_used_twice_makes_the_members_coupons_online_only() -> None:
    """X3: both sales stand, the first redeems; for 90 days this member's coupons need central."""
    rule = rules()
    who = issue(member(), rule)
    who = applied(who, (CouponMoved("c-1", "redeemed", "s-1"), CouponMoved("c-1", "redeemed", "s-2")))
    assert who.coupons[0].sale == "s-1"
    who = issue(who, rule, "c-2")
    far = Reach("n-1", online=False, plain_minor=5000)
    assert reason(who, rule) == ""
    assert reason(who, rule, reach=far) == "COUPON_OVERUSED"
    assert reason(who, rule, NOON + 90 * DAY, far) == "COUPON_OVERUSED"
    assert reason(who, rule, NOON + 91 * DAY, far) == ""
    mine = issue(who, rule, "c-3", node="n-1")
    assert {one.id for one in couponing.usable(mine, rule, NOON, far).chosen} == {"c-3"}


# ---- public codes ----------------------------------------------------------------------------------------


def test_a_public_code_is_for_anybody_within_its_limits() -> None:
    rule = rules(template(code="MAY"))
    assert code_reason(None, rule) == code_reason(member(), rule) == ""
    assert code_reason(None, rule, gone={"coupon/ten"}) == "COUPON_EXHAUSTED"
    assert code_reason(None, rule, reach=AWAY) == "COUPON_ONLINE_ONLY"
    assert code_reason(None, rules(template(code="MAY", per_member=1))) == "MEMBERS_ONLY"


def test_uses_of_a_public_code_count_for_the_member() -> None:
    rule = rules(template(code="MAY", per_member=1))
    who = member()
    used = applied(who, couponing.redeem_effects(who, ["code/ten"], "sale-1", rule, NOON))
    assert code_reason(used, rule) == "LIMIT_REACHED"
    assert issuing.spent_limits(used, rule) == {"coupon/ten"}
    back = applied(used, couponing.restore_effects(used, sold("code/ten"), rule, NOON))
    assert (code_reason(back, rule), back) == ("", who)


def test_a_strangers_coupons_move_by_the_same_effects() -> None:
    rule = rules(template(code="MAY"))
    names = ["code/ten", "bearer/b-1"]
    assert couponing.redeem_effects(None, names, "s-1", rule, NOON) == (
        CouponMoved("code/ten", "redeemed", "s-1"),
        CouponMoved("bearer/b-1", "redeemed", "s-1"),
    )
    assert couponing.release_effects(None, names, "s-1") == (
        CouponMoved("code/ten", "issued", "s-1"),
        CouponMoved("bearer/b-1", "issued", "s-1"),
    )
    assert len(couponing.restore_effects(None, sold(*names), rule, NOON)) == 2


def test_only_the_hold_of_the_sale_itself_lengthens_a_coupon() -> None:
    ends, until = NOON + SECOND, NOON + DAY
    held = Coupon("c-1", "ten", NOON, ends, state="held", sale="s-1", until=until)
    assert couponing.ends(held, "s-1", NOON) == until
    assert couponing.ends(held, "s-2", NOON) == couponing.ends(held, "", NOON) == ends
    assert couponing.ends(held, "s-1", until) == ends

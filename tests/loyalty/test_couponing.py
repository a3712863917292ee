"""Coupons: given, offered, held, redeemed, restored, and why not (loyalty.md 3.11, decisions X2, X3, R30)."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapledger.errors import Refused
from tapledger.loyalty import couponing, gains, issuing, members, pricing, tallies, wallet
from tapledger.loyalty.conditions import Condition
from tapledger.loyalty.couponing import ONLINE, Reach
from tapledger.loyalty.effects import BirthdaySet, Coupon, CouponIssued, CouponMoved, Effect, Tallied
from tapledger.loyalty.facts import SaleFacts
from tapledger.loyalty.issuing import Issue
from tapledger.loyalty.members import Member
from tapledger.loyalty.program import Program, Template
from tapledger.loyalty.program.people import Campaign, Gain
from tapledger.loyalty.program.values import Returns
from tapledger.loyalty.promotions.amount import Amount
from tapledger.loyalty.promotions.percent import Percent
from tapledger.loyalty.promotions.threshold import Threshold
from tapledger.loyalty.rights import Rights
from tapledger.loyalty.windows import Window
from tests.loyalty.givens import DAY, MEMBER, NOON, TODAY, after, member, of_kind, program

SECOND = dt.timedelta(seconds=1)
SHANGHAI_MIDNIGHT = dt.datetime(2026, 5, 4, 16, tzinfo=dt.UTC)
"""The end of the local day of NOON."""


def template(id_: str = "ten", **terms: Any) -> Template:
    return Template(id_, Amount(1000), **terms)


def rules(*templates: Template, **changes: Any) -> Program:
    return program(coupons=list(templates or [template()]), **changes)


def issue(who: Member, rule: Program, id_: str = "c-1", now: dt.datetime = NOON, **how: Any) -> Member:
    command = Issue(rule.coupons[0].id, id_, "staff", staff="s-1", **how)
    return after(issuing.decide_issue(who, command, rule, now))


def applied(who: Member, effects: tuple[Effect, ...], now: dt.datetime = NOON) -> Member:
    for effect in effects:
        who = members.APPLY[type(effect)](who, effect, now)
    return who


def sold(*coupons: str, sale: str = "sale-1", day: int = TODAY) -> SaleFacts:
    return SaleFacts(sale, "CNY", (), 0, 0, (), 0, 0, coupons=coupons, day=day)


def reason(who: Member, rule: Program, now: dt.datetime = NOON, reach: Reach = ONLINE, sale: str = "") -> str:
    """Return why the one coupon of a wallet cannot be used; empty when it can."""
    told = couponing.usable(who, rule, now, reach, sale)
    assert len(told.chosen) + len(told.left_out) == 1
    return told.left_out[0].reason.code if told.left_out else ""


# ---- given -----------------------------------------------------------------------------------------------
def test_an_issued_coupon_is_counted_for_its_limits() -> None:
    who = issue(member(), rules())
    (coupon,) = who.coupons
    assert (coupon.id, coupon.template, coupon.source, coupon.state) == ("c-1", "ten", "staff", "issued")
    assert tallies.total(who.tallies, "coupon/ten", TODAY, TODAY) == 1


@pytest.mark.parametrize(
    ("terms", "ends"),
    [
        ({}, None),
        ({"valid_days": 0}, SHANGHAI_MIDNIGHT),
        ({"valid_days": 1}, SHANGHAI_MIDNIGHT + DAY),
        ({"valid_to": dt.datetime(2026, 6, 1)}, dt.datetime(2026, 5, 31, 16, tzinfo=dt.UTC)),  # noqa: DTZ001
        ({"valid_days": 30, "valid_to": dt.datetime(2026, 5, 5)}, SHANGHAI_MIDNIGHT),  # noqa: DTZ001
        ({"valid_days": 0, "valid_to": dt.datetime(2026, 6, 1)}, SHANGHAI_MIDNIGHT),  # noqa: DTZ001
    ],
)
def test_a_coupon_is_good_for_whole_local_days(terms: dict[str, Any], ends: dt.datetime | None) -> None:
    who = issue(member(), rules(template(**terms)))
    assert who.coupons[0].expires_at == ends
    if ends is not None:
        assert reason(who, rules(template(**terms)), ends - SECOND) == ""
        assert reason(who, rules(template(**terms)), ends) == "COUPON_EXPIRED"


def test_a_member_gets_no_more_than_their_limit() -> None:
    rule = rules(template(per_member=2))
    who = issue(issue(member(), rule), rule, "c-2")
    with pytest.raises(Refused) as refused:
        issue(who, rule, "c-3")
    assert (refused.value.code, refused.value.data) == ("LIMIT_REACHED", {"times": 2})


def test_none_is_issued_of_what_is_gone_or_over_or_unknown() -> None:
    with pytest.raises(Refused, match="COUPON_EXHAUSTED"):
        issue(member(), rules(), exhausted={"coupon/ten"})
    over = rules(template(valid_to=dt.datetime(2026, 5, 4, 12)))  # noqa: DTZ001
    assert issue(member(), over, now=NOON - SECOND).coupons
    with pytest.raises(Refused, match="COUPON_EXPIRED"):
        issue(member(), over)
    with pytest.raises(Refused, match="COUPON_UNKNOWN"):
        issuing.decide_issue(member(), Issue("none", "c", "staff"), rules(), NOON)


def test_a_claim_must_meet_the_condition_and_a_gift_need_not() -> None:
    rule = rules(template(claimable=True, code="MAY", when=Condition(tiers=["gold"])))
    with pytest.raises(Refused, match="OTHER_TIER"):
        issue(member(), rule, kind="claim")
    assert issue(member(tier="gold"), rule, kind="claim").coupons
    assert issue(member(), rule).coupons
    with pytest.raises(Refused, match="COUPON_UNKNOWN"):
        issue(member(tier="gold"), rules(template(code="MAY")), kind="claim")


def test_a_gain_gives_a_coupon_and_says_so() -> None:
    given_ = gains.give("m-1", Gain(coupon="ten"), "birthday", rules(), NOON, id_="e-1", node="n-1")
    (issued,) = [effect for effect in given_.effects if isinstance(effect, CouponIssued)]
    assert (issued.coupon.id, issued.coupon.source, issued.coupon.node) == ("e-1/c", "birthday", "n-1")
    assert Tallied("coupon/ten", TODAY, 1) in given_.effects
    assert [one.code for one in given_.reasons] == ["COUPON_ISSUED"]


@pytest.mark.parametrize(
    ("gain", "gone"),
    [
        (Gain(coupon="ten"), {"coupon/ten"}),
        (Gain(coupon="none"), set()),
        (Gain(gift="mug"), {"reward/mug"}),
        (Gain(gift="none"), set()),
    ],
)
def test_a_gain_leaves_out_what_is_gone(gain: Gain, gone: set[str]) -> None:
    given_ = gains.give("m-1", gain, "birthday", rules(), NOON, id_="e-1", exhausted=gone)
    assert given_.effects == ()
    assert [one.code for one in given_.reasons] == ["GAIN_EXHAUSTED"]


def test_a_gift_is_counted_against_its_stock() -> None:
    given_ = gains.give("m-1", Gain(gift="mug"), "check-in", rules(), NOON, id_="e-1")
    assert given_.effects == (Tallied("reward/mug", TODAY, 1),)


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
    who = applied(
        issue(member(), rule), couponing.hold_effects(issue(member(), rule), ["c-1"], "s-1", rule, NOON)
    )
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
    who = applied(who, couponing.hold_effects(who, ["c-1"], "s-1", rule, NOON))
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
    who = applied(who, couponing.hold_effects(who, ["c-1"], "s-1", rule, begun), begun)
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
                    who = applied(who, couponing.hold_effects(who, ["c-1"], sale, rule, now), now)
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
def code_reason(who: Member | None, rule: Program, **how: Any) -> str:
    why = couponing.why_not_code(who, rule.coupons[0], rule, NOON, how.pop("gone", set()), **how)
    return "" if why is None else why.code


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


# ---- why not ---------------------------------------------------------------------------------------------
BIRTHDAY = BirthdaySet(5, 4, 1990, TODAY, 0)
CHANGED = BirthdaySet(5, 4, 1990, TODAY + 1, 0)
"""Changed lately: it gives nothing until tomorrow (X9)."""
HAPPY = Window("happy", weekdays=["tue"])


@pytest.mark.parametrize(
    ("when", "who", "code"),
    [
        (Condition(), member(), ""),
        (Condition(members_only=True), member(), ""),
        (Condition(tiers=["silver"]), member(), "OTHER_TIER"),
        (Condition(tiers=["silver"]), member(tier="silver"), ""),
        (Condition(segments=["vip"]), member(), "OTHER_SEGMENT"),
        (Condition(segments=["vip"]), msgspec.structs.replace(member(), tags={"segments": ("vip",)}), ""),
        (Condition(campaign="back"), member(), "OTHER_SEGMENT"),
        (Condition(birthday=True), member(), "BIRTHDAY_ONLY"),
        (Condition(birthday=True), msgspec.structs.replace(member(), birthday=BIRTHDAY), ""),
        (Condition(birthday=True), msgspec.structs.replace(member(), birthday=CHANGED), "BIRTHDAY_ONLY"),
        (Condition(window="happy"), member(), "NOT_NOW"),
        (Condition(window="gone"), member(), "NOT_NOW"),
        (Condition(from_=dt.datetime(2026, 5, 4, 12)), member(), ""),  # noqa: DTZ001
        (Condition(from_=dt.datetime(2026, 5, 4, 12, 0, 1)), member(), "NOT_YET"),  # noqa: DTZ001
        (Condition(to=dt.datetime(2026, 5, 4, 12)), member(), "NO_LONGER"),  # noqa: DTZ001
        (Condition(to=dt.datetime(2026, 5, 4, 12, 0, 1)), member(), ""),  # noqa: DTZ001
    ],
)
def test_each_part_of_a_condition_has_its_reason(when: Condition, who: Member, code: str) -> None:
    """From and to are half-open local instants: at ``from`` it holds, at ``to`` it holds no more."""
    held_out = Campaign("back", {"en": "Back"}, holdout_pct=100)
    rule = rules(template(when=when), windows=[HAPPY], campaigns=[held_out])
    assert reason(issue(who, rule), rule) == code


@pytest.mark.parametrize(
    "when", [Condition(tiers=["normal"]), Condition(segments=["a"]), Condition(birthday=True),
             Condition(campaign="back"), Condition(members_only=True)]
)  # fmt: skip
def test_a_stranger_meets_no_condition_about_members(when: Condition) -> None:
    assert code_reason(None, rules(template(code="MAY", when=when))) == "MEMBERS_ONLY"


def test_a_coupon_of_later_says_when() -> None:
    rule = rules(template(valid_from=dt.datetime(2026, 5, 5)))  # noqa: DTZ001
    who = issue(member(), rule)
    (left,) = couponing.usable(who, rule, NOON).left_out
    assert (left.reason.code, left.reason.data) == ("NOT_YET", {"from": "2026-05-05 00:00"})
    assert reason(who, rule, SHANGHAI_MIDNIGHT) == ""


def test_who_may_not_spend_may_not_use_coupons() -> None:
    rule = rules()
    who = issue(member(), rule)
    for status, code in (("frozen", "MEMBER_FROZEN"), ("cancelled", "MEMBER_CANCELLED")):
        assert reason(msgspec.structs.replace(who, status=status), rule) == code
    with pytest.raises(Refused, match="MEMBER_CANCELLED"):
        issue(msgspec.structs.replace(member(), status="cancelled"), rule)


def test_a_template_that_is_gone_makes_its_coupons_useless_not_lost() -> None:
    who = issue(member(), rules())
    assert reason(who, rules(template("other"))) == "COUPON_UNKNOWN"
    assert reason(who, rules()) == ""


# ---- shown -----------------------------------------------------------------------------------------------
def test_a_wallet_is_shown_in_four_piles_first_to_end_first() -> None:
    rule = rules(template(valid_days=3), template("later", valid_from=dt.datetime(2026, 6, 1)))  # noqa: DTZ001
    ends = NOON + DAY

    def coupon(id_: str, expires_at: dt.datetime | None, **changes: Any) -> Coupon:
        return Coupon(id_, changes.pop("template", "ten"), NOON, expires_at, **changes)

    who = msgspec.structs.replace(
        member(),
        coupons=(
            coupon("never", None),
            coupon("late", ends + DAY),
            coupon("soon", ends),
            coupon("past", NOON),
            coupon("used", ends, state="redeemed", sale="s-1"),
            coupon("void", ends, state="void"),
            coupon("busy", ends, state="held", sale="s-2", until=NOON + SECOND),
            coupon("june", None, template="later", valid_from=NOON + 20 * DAY),
        ),
    )
    shown = couponing.view(who, rule, NOON)
    piles = {
        name: [
            (one.coupon.id, "" if one.why_not is None else one.why_not.code) for one in getattr(shown, name)
        ]
        for name in ("usable", "not_yet", "used", "expired")
    }
    assert piles == {
        "usable": [("soon", ""), ("late", ""), ("never", "")],
        "not_yet": [("busy", "COUPON_HELD"), ("june", "NOT_YET")],
        "used": [("used", "COUPON_USED"), ("void", "COUPON_USED")],
        "expired": [("past", "COUPON_EXPIRED")],
    }
    assert {one.id for one in couponing.usable(who, rule, NOON).chosen} == {"soon", "late", "never"}


# ---- what pricing makes of a wallet ----------------------------------------------------------------------
@pytest.mark.parametrize(
    ("basket_minor", "used", "saved"),
    [(20_000, {"solo45"}, 4500), (22_500, {"A", "B"}, 5250), (30_000, {"A", "B"}, 6000)],
)
def test_G60_the_best_of_a_wallet_is_chosen(basket_minor: int, used: set[str], saved: int) -> None:
    """200.00: C alone; 225.00 and 300.00: A and B; D is of A's group (corrected by R15)."""
    rule = rules(
        Template("A", Threshold(20_000, 3000), priority=2, group="g", lane=3),
        Template("B", Percent(1000), priority=1, lane=3),
        Template("solo45", Amount(4500), priority=3, solo=True),
        Template("D", Threshold(19_000, 2500), priority=2, group="g", lane=3),
    )
    coupons = tuple(Coupon(one.id, one.id, NOON, None) for one in rule.coupons)
    wallet_of = couponing.usable(msgspec.structs.replace(member(), coupons=coupons), rule, NOON)
    assert wallet_of.left_out == ()
    line = pricing.BasketLine("sku", "Article", 1000, basket_minor, 1300, "all")
    best = pricing.best(
        pricing.Basket((line,), coupons=wallet_of.chosen),
        pricing.Shopper(MEMBER, "normal"),
        pricing.compile_program(rule),
        pricing.Moment(NOON),
    )
    assert (set(best.coupons), best.saving_minor) == (used, saved)
    who = applied(
        msgspec.structs.replace(member(), coupons=coupons),
        couponing.redeem_effects(
            msgspec.structs.replace(member(), coupons=coupons), best.coupons, "s-1", rule, NOON
        ),
    )
    assert {one.id for one in who.coupons if one.state == "redeemed"} == used


# ---- what a programme can say ----------------------------------------------------------------------------
def test_a_template_reads_like_a_promotion_with_a_life() -> None:
    table = {
        "id": "hi", "benefit": {"type": "percent", "rate_bp": 1000, "cap_minor": 5000}, "class": "welcome",
        "group": "g", "solo": True, "valid_days": 30, "per_member": 1, "total": 100, "code": "HELLO",
    }  # fmt: skip
    read = msgspec.convert(table, Template)
    assert (read.class_, read.total, read.lane_number()) == ("welcome", 100, 3)
    assert of_kind(issuing.decide_issue(member(), Issue("hi", "c", "join"), rules(read), NOON), CouponIssued)

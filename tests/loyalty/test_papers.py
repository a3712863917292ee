"""Papers that belong to nobody, and coupons that another shop signed (loyalty.md 3.11)."""

from __future__ import annotations

import datetime as dt

import msgspec
import pytest

from tapledger.errors import Refused
from tapledger.loyalty import tallies
from tapledger.loyalty.coupons import issuing
from tapledger.loyalty.coupons.issuing import Issue
from tapledger.loyalty.effects import Coupon, CouponIssued, CouponMoved, StatusSet, Tallied
from tapledger.loyalty.facts import Reason
from tapledger.loyalty.members import Member
from tests.loyalty.coupon_givens import SECOND, SHANGHAI_MIDNIGHT, rules, template
from tests.loyalty.givens import DAY, NOON, TODAY, after, member, rich
from tests.loyalty.lives import apply

PAPER = Coupon("bearer/p-1", "ten", NOON - DAY, NOON + 3 * DAY, node="north", code="index of the paper")
TAKE = Issue("ten", "c-9", "till", node="south", staff="s-1")
UNTIL_JUNE = rules(template(valid_to=dt.datetime(2026, 6, 1)))  # noqa: DTZ001
JUNE = dt.datetime(2026, 5, 31, 16, tzinfo=dt.UTC)


def frozen() -> Member:
    return apply(rich(), StatusSet("frozen", NOON - DAY))


def erased() -> Member:
    return apply(rich(), StatusSet("erased", NOON - DAY))


# ---- printed ----------------------------------------------------------------------------------------------
def test_a_paper_is_issued_to_nobody_and_counted_for_the_shop() -> None:
    command = Issue("ten", "p-1", "campaign", node="north", code="index", staff="s-1")
    done = issuing.decide_bearer(command, rules(template(valid_days=0)), NOON)
    assert done.after is None
    assert done.body.effects == (
        CouponIssued(
            Coupon(
                "bearer/p-1", "ten", NOON, SHANGHAI_MIDNIGHT, source="campaign", node="north", code="index"
            )
        ),
        Tallied(tallies.of_coupon("ten"), TODAY, 1),
    )
    assert done.body.reasons == (Reason("COUPON_ISSUED", {"coupon": "ten", "source": "campaign"}),)


def test_no_paper_is_printed_that_is_over_or_unknown() -> None:
    issuing.decide_bearer(Issue("ten", "p-1", "till"), UNTIL_JUNE, JUNE - SECOND)
    with pytest.raises(Refused) as over:
        issuing.decide_bearer(Issue("ten", "p-1", "till"), UNTIL_JUNE, JUNE)
    assert (over.value.code, over.value.data) == ("COUPON_EXPIRED", {"coupon": "ten"})
    with pytest.raises(Refused) as unknown:
        issuing.decide_bearer(Issue("none", "p-1", "till"), rules(), NOON)
    assert unknown.value.code == "COUPON_UNKNOWN"


# ---- put into a wallet ------------------------------------------------------------------------------------
def test_a_paper_that_is_taken_is_used_up_and_keeps_its_end() -> None:
    done = issuing.decide_take(rich(), PAPER, TAKE, rules(template(valid_days=30)), NOON)
    own = Coupon("c-9", "ten", NOON, PAPER.expires_at, source="till", node="south")
    assert done.body.effects == (CouponMoved(PAPER.id, "redeemed", "c-9"), CouponIssued(own))
    assert done.body.reasons == (Reason("COUPON_ISSUED", {"coupon": "ten", "source": "till"}),)
    assert (after(done).coupons, after(done).lots) == ((own,), rich().lots)
    # It was counted when it was printed, so it is not counted again.
    assert after(done).tallies == {}


def test_a_paper_cannot_be_taken_by_who_is_gone_or_without_its_rule() -> None:
    assert after(issuing.decide_take(frozen(), PAPER, TAKE, rules(), NOON)).coupons
    with pytest.raises(Refused) as gone:
        issuing.decide_take(erased(), PAPER, TAKE, rules(), NOON)
    assert gone.value.code == "MEMBER_ERASED"
    with pytest.raises(Refused) as unknown:
        issuing.decide_take(member(), msgspec.structs.replace(PAPER, template="none"), TAKE, rules(), NOON)
    assert unknown.value.code == "COUPON_UNKNOWN"


# ---- signed elsewhere -------------------------------------------------------------------------------------
@pytest.mark.parametrize("who", [None, member()])
def test_a_coupon_of_another_shop_is_believed_as_it_is(who: Member | None) -> None:
    done = issuing.decide_admit(who, PAPER, TAKE, rules(), NOON)
    assert done.body.effects == (CouponIssued(PAPER),)
    assert done.body.member == (None if who is None else who.id)
    assert done.body.reasons == (Reason("COUPON_ISSUED", {"coupon": "ten", "source": "till"}),)
    assert (None if done.after is None else done.after.coupons) == (None if who is None else (PAPER,))
    with pytest.raises(Refused) as unknown:
        issuing.decide_admit(who, msgspec.structs.replace(PAPER, template="none"), TAKE, rules(), NOON)
    assert unknown.value.code == "COUPON_UNKNOWN"


def test_why_a_coupon_was_taken_away_is_kept() -> None:
    who = apply(member(), CouponIssued(Coupon("c-1", "ten", NOON, None)))
    body = issuing.decide_void(who, "c-1", "torn", "s-1", rules(), NOON).body
    assert (body.effects, body.facts) == ((CouponMoved("c-1", "void"),), {"why": "torn"})

"""What an event uses up of limited things, read from its effects alone."""

from __future__ import annotations

import pytest

from tapledger.loyalty.coupons import claiming
from tapledger.loyalty.coupons.claiming import Claim
from tapledger.loyalty.effects import Coupon, CouponIssued, CouponMoved, Effect, Tallied
from tapledger.loyalty.ledger import EventBody
from tapledger.loyalty.program.people import Campaign, Lottery, Prize
from tests.loyalty.coupon_givens import template
from tests.loyalty.givens import MEMBER, NOON, TODAY, program

MUG, MANY = Prize("mug", {"en": "Mug"}, 1, stock=3), Prize("mug", {"en": "Mug"}, 1, stock=99)
TEA = Prize("tea", {"en": "Tea"}, 1)
DRAWS = [
    Lottery("other", {"en": "Other"}, 10, [MANY], "mug"),
    Lottery("spring", {"en": "Spring"}, 10, [TEA, MUG], "tea"),
]
RULES = program(
    coupons=[template("few", total=7), template("many")],
    lotteries=DRAWS,
    campaigns=[Campaign("c", {"en": "C"}, budget_points=500), Campaign("free", {"en": "F"})],
)
PAPER = CouponIssued(Coupon("bearer/p", "few", NOON, None))
OWN = CouponIssued(Coupon("c-1", "few", NOON, None))


def claimed(*effects: Effect, kind: str = "sale") -> tuple[Claim, ...]:
    body = EventBody(kind=kind, at=NOON, program="p", member=MEMBER, effects=effects)
    return claiming.claims(body, RULES)


@pytest.mark.parametrize(
    ("effect", "claims"),
    [
        (Tallied("reward/mug", TODAY, 2), [Claim("reward/mug", 2, 2)]),
        (Tallied("reward/coffee", TODAY, 1), [Claim("reward/coffee", None, 1)]),
        (Tallied("reward/mug", TODAY, -1), []),
        (Tallied("reward/mug", TODAY, 0), []),
        (Tallied("coupon/few", TODAY, 1), [Claim("coupon/few", 7)]),
        (Tallied("prize/spring/mug", TODAY, 1), [Claim("prize/spring/mug", 3)]),
        (Tallied("budget/c", TODAY, 40), [Claim("budget/c", 500, 40)]),
        (Tallied("spend", TODAY, 1), []),
        (PAPER, []),
        (OWN, []),
        (CouponMoved("c-1", "redeemed", "s"), [Claim("redeemed/c-1", 1)]),
        (CouponMoved("c-1", "issued"), [Claim("redeemed/c-1", None, -1)]),
        (CouponMoved("c-1", "held", "s"), []),
        (CouponMoved("c-1", "void"), []),
        (CouponMoved("bearer/p", "redeemed", "s"), []),
        (CouponMoved("code/few", "held", "s"), [Claim("coupon/few", 7, 1, "code/few/s")]),
        (CouponMoved("code/few", "redeemed", "s"), [Claim("coupon/few", 7, 1, "code/few/s")]),
        (CouponMoved("code/few", "issued", "s"), [Claim("coupon/few", None, -1, "code/few/s")]),
    ],
)
def test_each_effect_claims_what_it_uses_up(effect: Effect, claims: list[Claim]) -> None:
    assert list(claimed(effect)) == claims


def test_claims_come_in_the_order_of_the_effects_and_what_is_handed_on_claims_nothing() -> None:
    both = (CouponMoved("c-1", "redeemed", "s"), Tallied("reward/mug", TODAY, 1))
    assert [one.key for one in claimed(*both)] == ["redeemed/c-1", "reward/mug"]
    for kind in ("merge_out", "merge_in", "unmerge_out", "unmerge_in"):
        assert claimed(*both, kind=kind) == ()


def test_what_happens_to_papers_is_kept_by_the_store() -> None:
    used, own = CouponMoved("bearer/p", "redeemed", "s"), CouponMoved("c-1", "redeemed", "s")
    body = EventBody(
        kind="sale",
        at=NOON,
        program="p",
        effects=(Tallied("spend", TODAY, 1), PAPER, OWN, own, used),
    )
    assert claiming.of_bearers(body) == (PAPER, used)


@pytest.mark.parametrize(
    ("key", "most"),
    [
        ("reward/mug", 2),
        ("reward/none", None),
        ("coupon/few", 7),
        ("coupon/many", None),
        ("coupon/none", None),
        ("prize/spring/mug", 3),
        ("prize/other/mug", 99),
        ("prize/spring/tea", None),
        ("prize/spring/none", None),
        ("budget/c", 500),
        ("budget/free", None),
        ("budget/none", None),
        ("spend", None),
    ],
)
def test_how_many_there_are_is_in_the_programme(key: str, most: int | None) -> None:
    assert claiming.limit(key, RULES) == most


def test_all_limits_of_a_shop() -> None:
    limits = {"reward/mug": 2, "coupon/few": 7, "prize/spring/mug": 3, "prize/other/mug": 99}
    assert claiming.limits(RULES) == limits


def test_who_comes_too_late_is_told_of_what() -> None:
    told = {key: claiming.refusal(Claim(key, 1)).code for key in ("redeemed/c-1", "coupon/few", "reward/mug")}
    assert told == {
        "redeemed/c-1": "COUPON_USED",
        "coupon/few": "COUPON_EXHAUSTED",
        "reward/mug": "OUT_OF_STOCK",
    }
    assert claiming.bearer_refusal().code == "COUPON_CODE_WRONG"

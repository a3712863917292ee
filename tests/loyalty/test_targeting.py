"""Control groups and what a campaign brought (loyalty.md 3.24)."""

from __future__ import annotations

import hashlib
import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapledger.errors import Invalid
from tapledger.loyalty.insight.targeting import Return, bucket, is_held_out, returns, uplift, wilson


def test_a_bucket_is_the_hash_of_campaign_and_member() -> None:
    digest = hashlib.sha256(b"spring\x00m-1").digest()
    assert bucket("spring", "m-1") == int.from_bytes(digest[:8], "big") % 100


@pytest.mark.parametrize(("campaign", "member", "place"), [("C1", "M001", 93), ("C1", "M002", 82)])
def test_buckets_stay_what_they_are(campaign: str, member: str, place: int) -> None:
    assert bucket(campaign, member) == place


def test_campaign_and_member_are_kept_apart() -> None:
    assert bucket("ab", "c") != bucket("a", "bc")


def test_nobody_or_everybody_is_held_out() -> None:
    members = [f"m-{number}" for number in range(500)]
    assert not any(is_held_out("spring", member, 0) for member in members)
    assert all(is_held_out("spring", member, 100) for member in members)


def test_a_share_is_held_out_and_another_campaign_holds_out_others() -> None:
    members = [f"m-{number}" for number in range(5000)]
    spring = {member for member in members if is_held_out("spring", member, 20)}
    summer = {member for member in members if is_held_out("summer", member, 20)}
    assert 900 < len(spring) < 1100
    assert 150 < len(spring & summer) < 250, "a fifth of a fifth: independent"
    assert spring > {member for member in members if is_held_out("spring", member, 10)}


def test_G89_uplift_of_the_golden_campaign() -> None:
    result = uplift(2000, 260, 500, 40)
    assert (result.targeted_bp, result.control_bp, result.uplift_bp) == (1300, 800, 500)
    assert result.incremental_buyers == 100
    assert (result.low_bp, result.high_bp) == (194, 759)
    assert result.is_certain


def test_nothing_is_claimed_of_a_few() -> None:
    result = uplift(20, 3, 5, 0)
    assert result.uplift_bp == 1500
    assert result.low_bp < 0 < result.high_bp
    assert not result.is_certain


def test_harm_is_certain_too() -> None:
    result = uplift(2000, 100, 500, 100)
    assert result.high_bp < 0 and result.is_certain
    assert result.incremental_buyers == -300


@pytest.mark.parametrize(
    "counts", [(0, 0, 5, 1), (5, 1, 0, 0), (5, 6, 5, 1), (5, 1, 5, -1), (10**10, 1, 5, 1)]
)
def test_counts_that_cannot_be(counts: tuple[int, int, int, int]) -> None:
    with pytest.raises(Invalid, match="CAMPAIGN_COUNTS_IMPOSSIBLE"):
        uplift(*counts)


@given(st.integers(1, 5000), st.data())
def test_wilson_is_wilson(people: int, data: st.DataObject) -> None:
    """Against the formula in floating point; 0 and everybody are bounded by 0 and 1."""
    hits = data.draw(st.integers(0, people))
    share, z = hits / people, 1.96
    middle = (share + z * z / (2 * people)) / (1 + z * z / people)
    spread = z / (1 + z * z / people) * math.sqrt(share * (1 - share) / people + z * z / (4 * people**2))
    low, high = wilson(hits, people)
    assert math.isclose(low, max(0, middle - spread), abs_tol=1e-9)
    assert math.isclose(high, min(1, middle + spread), abs_tol=1e-9)
    assert 0 <= low <= Fraction(hits, people) <= high <= 1


@given(st.integers(1, 10_000), st.integers(1, 10_000), st.data())
def test_the_uplift_lies_inside_its_interval(targeted: int, control: int, data: st.DataObject) -> None:
    bought, control_bought = data.draw(st.integers(0, targeted)), data.draw(st.integers(0, control))
    result = uplift(targeted, bought, control, control_bought)
    assert result.low_bp <= result.uplift_bp <= result.high_bp
    turned = uplift(control, control_bought, targeted, bought)
    assert (turned.uplift_bp, turned.low_bp, turned.high_bp) == (
        -result.uplift_bp,
        -result.high_bp,
        -result.low_bp,
    )


@pytest.mark.parametrize(
    ("arguments", "result"),
    [
        ((2000, 500_000, 500, 100_000, 40_000), Return(100_000, 60_000, 15_000)),
        ((2000, 500_000, 500, 100_000, 0), Return(100_000, 100_000, None)),
        ((10, 0, 10, 1000, 500), Return(-1000, -1500, -30_000)),
        ((1, 10, 2, 3, 3), Return(9, 6, 20_000)),  # 10 - 1.5 = 8.5, half-up
    ],
)
def test_the_return_on_what_a_campaign_cost(
    arguments: tuple[int, int, int, int, int], result: Return
) -> None:
    assert returns(*arguments) == result


@pytest.mark.parametrize("people", [(0, 5), (5, 0)])
def test_there_is_no_return_without_people(people: tuple[int, int]) -> None:
    with pytest.raises(Invalid, match="CAMPAIGN_COUNTS_IMPOSSIBLE"):
        returns(people[0], 100, people[1], 100, 10)

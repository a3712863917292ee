"""The lottery can be checked by anybody, and nobody can choose its result (loyalty.md 3.18, R40)."""

from __future__ import annotations

import hashlib
import hmac
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from tapledger.errors import Invalid
from tapledger.loyalty.rewards.lottery import Draw, commit, draw, given, number_below, odds_bp, verify

SEED = bytes(range(32))
COMMIT = "630dcd2966c4336691125448bbb25b4ff412a49c732db2c8abc1b8581bd710dd"
WEIGHTS = [10, 490, 1500, 8000]


def drawn(nonce: int, member: str = "M001", weights: list[int] = WEIGHTS) -> Draw:
    return draw(SEED, weights, "C1", member, nonce, "kiosk-7")


@pytest.mark.parametrize(
    ("nonce", "begins", "rest", "prize"),
    [
        (1, "a1ddba812c1f86ea", 3850, 3),
        (7, "f554f7cef16683ae", 510, 2),
        (22, "938e4cce97986444", 452, 1),
        (1041, "98c20832e4649ea7", 7, 0),
    ],
)
def test_G86_draws_are_those_of_the_golden_seed(nonce: int, begins: str, rest: int, prize: int) -> None:
    digest = hmac.new(SEED, f"C1|M001|{nonce}|kiosk-7|0".encode(), hashlib.sha256).hexdigest()
    assert digest[:16] == begins
    assert int(begins, 16) % 10_000 == rest
    assert drawn(nonce) == Draw("C1", "M001", nonce, "kiosk-7", prize)


def test_G86_the_commit_is_the_hash_of_the_seed() -> None:
    assert commit(SEED) == COMMIT


def test_G87_odds_are_shown_as_weights_say() -> None:
    assert odds_bp(WEIGHTS) == [10, 490, 1500, 8000]


@pytest.mark.parametrize(
    ("weights", "odds"),
    [([1, 1, 1], [3334, 3333, 3333]), ([1], [10_000]), ([0, 5], [0, 10_000]), ([1, 999_999], [0, 10_000])],
)
def test_odds_sum_to_exactly_one_hundred_percent(weights: list[int], odds: list[int]) -> None:
    assert odds_bp(weights) == odds
    assert sum(odds) == 10_000


def test_a_number_that_would_favour_some_prizes_is_redrawn() -> None:
    """With just above half of all numbers wanted, every second one is skipped for the next counter's."""
    whole, counters = 2**63 + 1, Counter[int]()
    for nonce in range(1, 101):
        text = f"C1|M001|{nonce}|kiosk-7"
        for counter in range(100):
            digest = hmac.new(SEED, f"{text}|{counter}".encode(), hashlib.sha256).digest()
            number = int.from_bytes(digest[:8], "big")
            if number < whole:
                break
        counters[counter] += 1
        assert number_below(SEED, text, whole) == number
    assert 35 < counters[0] < 65 and counters[1] and counters[2]


def test_a_prize_without_weight_is_never_drawn() -> None:
    assert {drawn(nonce, weights=[0, 1, 0, 1, 0]).prize for nonce in range(1, 200)} == {1, 3}


def test_prizes_come_as_often_as_their_weights_say() -> None:
    counts = Counter(drawn(nonce, weights=[1, 2, 7]).prize for nonce in range(1, 5001))
    assert 400 < counts[0] < 600 and 850 < counts[1] < 1150 and 3300 < counts[2] < 3700


@pytest.mark.parametrize("weights", [[], [0], [0, 0], [-1, 5], [10**12, 1]])
def test_weights_that_cannot_be_drawn_with(weights: list[int]) -> None:
    with pytest.raises(Invalid, match="LOTTERY_WEIGHTS_INVALID"):
        drawn(1, weights=weights)
    with pytest.raises(Invalid, match="LOTTERY_WEIGHTS_INVALID"):
        odds_bp(weights)


@pytest.mark.parametrize("field", ["C1|M001", "|", "x" * 101])
def test_a_field_never_holds_the_separator(field: str) -> None:
    for fields in ((field, "M001", "k"), ("C1", field, "k"), ("C1", "M001", field)):
        campaign, member, client_seed = fields
        with pytest.raises(Invalid, match="LOTTERY_FIELD_INVALID"):
            draw(SEED, WEIGHTS, campaign, member, 1, client_seed)


@pytest.mark.parametrize("nonce", [0, -1])
def test_draws_are_counted_from_one(nonce: int) -> None:
    with pytest.raises(Invalid, match="LOTTERY_NONCE_INVALID"):
        drawn(nonce)


@pytest.mark.parametrize(("stock_left", "prize"), [(None, 1), (1, 1), (0, 3), (-1, 3)])
def test_what_is_out_of_stock_is_replaced(stock_left: int | None, prize: int) -> None:
    assert given(1, stock_left, fallback=3) == prize


# ---- the reveal ------------------------------------------------------------------------------------------
DRAWS = [drawn(nonce, member) for member in ("M001", "M002") for nonce in (1, 2, 3)]


def test_honest_draws_are_verified_in_any_order() -> None:
    assert verify(SEED, COMMIT, WEIGHTS, DRAWS) == []
    assert verify(SEED, COMMIT, WEIGHTS, reversed(DRAWS)) == []


def test_another_seed_is_found() -> None:
    assert [why.code for why in verify(SEED, commit(b"other"), WEIGHTS, DRAWS)] == ["LOTTERY_SEED_WRONG"]


def test_another_prize_is_found() -> None:
    wrong = [*DRAWS[1:], replace(DRAWS[0], prize=0)]
    found = verify(SEED, COMMIT, WEIGHTS, wrong)
    assert [(why.code, why.data) for why in found] == [
        ("LOTTERY_PRIZE_WRONG", {"member": "M001", "nonce": 1, "expected": DRAWS[0].prize})
    ]


def test_a_gap_is_found() -> None:
    found = verify(SEED, COMMIT, WEIGHTS, [DRAWS[0], DRAWS[2]])
    assert [(why.code, why.data) for why in found] == [
        ("LOTTERY_NONCE_WRONG", {"member": "M001", "nonce": 3, "expected": 2})
    ]


def test_a_second_try_is_found() -> None:
    again = draw(SEED, WEIGHTS, "C1", "M001", 2, "kiosk-8")
    assert [why.code for why in verify(SEED, COMMIT, WEIGHTS, [*DRAWS, again])] == ["LOTTERY_NONCE_WRONG"]


@for_all(st.binary(min_size=32, max_size=32), st.lists(st.integers(0, 1000), min_size=1, max_size=8))
def test_every_draw_verifies_under_its_own_seed(seed: bytes, weights: list[int]) -> None:
    if not any(weights):
        return
    draws = [draw(seed, weights, "C", "M", nonce, "k") for nonce in range(1, 6)]
    assert verify(seed, commit(seed), weights, draws) == []
    assert all(weights[one.prize] > 0 for one in draws)

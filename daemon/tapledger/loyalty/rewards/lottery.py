"""A lottery that anybody can check: commit before the first draw, reveal after the last (3.18, R40).

The server's seed is secret until the end; its SHA-256 is published before the start. Each draw mixes the seed
with the member's own number of draws and with a word from the kiosk, so neither side can choose the result.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tapledger.errors import Invalid
from tapledger.loyalty import money
from tapledger.loyalty.facts import Reason

SEED_BYTES = 32
MAX_WEIGHT_SUM = 10**12
MAX_FIELD_CHARS = 100
SEPARATOR = "|"
_RANGE = 2**64


@dataclass(frozen=True, slots=True)
class Draw:
    """One draw as the receipt prints it and the ledger keeps it."""

    campaign: str
    member: str
    nonce: int
    """The member's draws under this seed, counted from 1 without gaps."""
    client_seed: str
    prize: int
    """The prize that was drawn, counted from 0; given or replaced when out of stock."""


def commit(seed: bytes) -> str:
    """Return what is published before the first draw."""
    return hashlib.sha256(seed).hexdigest()


def draw(
    seed: bytes, weights: Sequence[int], campaign: str, member: str, nonce: int, client_seed: str
) -> Draw:
    """Draw a prize; raise ``Invalid`` for weights or fields that cannot be drawn with."""
    whole = _whole(weights)
    for field in (campaign, member, client_seed):
        if SEPARATOR in field or len(field) > MAX_FIELD_CHARS:
            raise Invalid("LOTTERY_FIELD_INVALID", field=field[:MAX_FIELD_CHARS])
    if nonce < 1:
        raise Invalid("LOTTERY_NONCE_INVALID", nonce=nonce)
    rest = number_below(seed, f"{campaign}|{member}|{nonce}|{client_seed}", whole)
    return Draw(campaign, member, nonce, client_seed, _prize_at(weights, rest))


def _whole(weights: Sequence[int]) -> int:
    whole = sum(weights)
    if any(weight < 0 for weight in weights) or not 0 < whole <= MAX_WEIGHT_SUM:
        raise Invalid("LOTTERY_WEIGHTS_INVALID", limit=MAX_WEIGHT_SUM)
    return whole


def number_below(seed: bytes, text: str, whole: int) -> int:
    """Return a number below ``whole`` <= 2**64, equally likely: one that would favour some is redrawn."""
    counter = 0
    while True:
        digest = hmac.digest(seed, f"{text}|{counter}".encode(), hashlib.sha256)
        number = int.from_bytes(digest[:8], "big")
        if number < _RANGE - _RANGE % whole:
            return number % whole
        counter += 1


def _prize_at(weights: Sequence[int], rest: int) -> int:
    for prize, weight in enumerate(weights):
        if rest < weight:
            return prize
        rest -= weight
    raise AssertionError("the number is below the sum of the weights")


def odds_bp(weights: Sequence[int]) -> list[int]:
    """Return the odds to be shown, before stock: hundredths of a percent that sum to exactly 100.00 %."""
    _whole(weights)
    return money.allocate(weights, 10_000)


def given(prize: int, stock_left: int | None, fallback: int) -> int:
    """Return the prize that is handed over: the fallback when the one drawn is out of stock."""
    return prize if stock_left is None or stock_left > 0 else fallback


def verify(seed: bytes, committed: str, weights: Sequence[int], draws: Iterable[Draw]) -> list[Reason]:
    """Check draws against the revealed seed; return what is wrong, nothing when all is right.

    The draws are all those of the members they name: a gap or a second try in a member's numbers is wrong.
    """
    wrong = []
    if not hmac.compare_digest(commit(seed), committed):
        wrong.append(Reason("LOTTERY_SEED_WRONG", {}))
    next_nonce: dict[tuple[str, str], int] = {}
    for one in sorted(draws, key=lambda one: (one.campaign, one.member, one.nonce)):
        key = (one.campaign, one.member)
        expected = next_nonce.get(key, 1)
        if one.nonce != expected:
            wrong.append(
                Reason(
                    "LOTTERY_NONCE_WRONG", {"member": one.member, "nonce": one.nonce, "expected": expected}
                )
            )
        next_nonce[key] = one.nonce + 1
        right = draw(seed, weights, one.campaign, one.member, one.nonce, one.client_seed)
        if right.prize != one.prize:
            wrong.append(
                Reason(
                    "LOTTERY_PRIZE_WRONG", {"member": one.member, "nonce": one.nonce, "expected": right.prize}
                )
            )
    return wrong

"""One rule says who may spend and who may earn."""

from __future__ import annotations

import msgspec
import pytest

from tapledger.loyalty.life import standing
from tests.loyalty.givens import DAY, NOON, rich


@pytest.mark.parametrize(
    ("status", "spend", "earn"),
    [
        ("active", None, None),
        ("frozen", "MEMBER_FROZEN", None),
        ("cancelled", "MEMBER_CANCELLED", "MEMBER_CANCELLED"),
        ("merged", "MEMBER_MERGED", "MEMBER_MERGED"),
        ("erased", "MEMBER_ERASED", "MEMBER_ERASED"),
    ],
)
def test_who_may_spend_and_earn(status: str, spend: str | None, earn: str | None) -> None:
    member = msgspec.structs.replace(rich(), status=status)
    no_spend, no_earn = standing.why_not_spend(member, NOON), standing.why_not_earn(member, NOON)
    assert (no_spend.code if no_spend else None) == spend
    assert (no_earn.code if no_earn else None) == earn


def test_what_a_frozen_member_earns_waits() -> None:
    frozen = msgspec.structs.replace(rich(), status="frozen")
    assert standing.credit_available_at(frozen, NOON) == standing.WHEN_UNFROZEN
    assert standing.credit_available_at(frozen, NOON, NOON + DAY) == standing.WHEN_UNFROZEN
    assert standing.credit_available_at(rich(), NOON, NOON + DAY) == NOON + DAY
    assert standing.credit_available_at(rich(), NOON) == NOON

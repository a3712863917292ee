"""What a shop may do while central is away: every row of the table, every limit at its edge (section 4)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapledger.loyalty import lots, members, rights
from tapledger.loyalty.effects import Credited, Debited, Lot, Tallied
from tapledger.loyalty.facts import Reason
from tapledger.loyalty.ledger import EventBody
from tapledger.loyalty.members import Member
from tapledger.loyalty.program import Program, TrustLimits
from tapledger.loyalty.program.people import Offline
from tapledger.loyalty.rights import (
    OPERATIONS,
    STAGES,
    Difference,
    Exposure,
    Rights,
    Stage,
    difference,
    limit,
)
from tapledger.loyalty.tallies import TRUST
from tests.loyalty.givens import MEMBER, NOON, TODAY, program, rich

HOUR, SECOND = dt.timedelta(hours=1), dt.timedelta(seconds=1)
RULES = program(unsettled_points=500, trust=TrustLimits(100, 2000, 20_000, 1_000_000))
HEARD = NOON - HOUR
FAR = Rights(online=False, last_feed_at=HEARD, quota_left_member=500, quota_left_node=20_000)


def away(age: dt.timedelta, **changes: Any) -> Rights:
    return replace(FAR, last_feed_at=NOON - age, **changes)


BY_STAGE: dict[Stage, Rights] = {
    "online": Rights(quota_left_member=500, quota_left_node=20_000),
    "full": FAR,
    "lease": away(25 * HOUR),
    "earn_only": away(73 * HOUR),
}


def points(
    may: Rights, trust: int = 3, who: Member | None = None, rules: Program = RULES
) -> tuple[int | None, str]:
    found = limit("points_as_cash", who or rich(), trust, may, rules, NOON)
    return found.amount, "" if found.why is None else found.why.code


@pytest.mark.parametrize(
    ("age", "stage"),
    [
        (-HOUR, "full"),  # a clock a little behind; far behind it is not believed
        (0 * HOUR, "full"),
        (24 * HOUR, "full"),
        (24 * HOUR + SECOND, "lease"),
        (72 * HOUR, "lease"),
        (72 * HOUR + SECOND, "earn_only"),
        (9000 * HOUR, "earn_only"),
    ],
)
def test_how_far_central_is(age: dt.timedelta, stage: Stage) -> None:
    assert rights.stage(away(age), RULES, NOON) == stage


def test_never_heard_is_earning_only_and_a_shop_alone_is_never_away() -> None:
    assert rights.stage(Rights(online=False), RULES, NOON) == "earn_only"
    assert rights.stage(Rights(), RULES, NOON) == "online"


def test_the_hours_are_the_owners() -> None:
    rules = program(offline=Offline(full_hours=1, lease_hours=2))
    assert [rights.stage(away(age * HOUR), rules, NOON) for age in (1, 2, 3)] == [
        "full",
        "lease",
        "earn_only",
    ]


def test_a_clock_that_is_not_believed_proves_no_freshness() -> None:
    assert rights.stage(away(HOUR, clock_suspect=True), RULES, NOON) == "lease"
    assert rights.stage(away(73 * HOUR, clock_suspect=True), RULES, NOON) == "earn_only"


POSSIBLE_UNTIL: list[tuple[str, Stage]] = [
    ("identify", "earn_only"), ("balance", "earn_only"), ("earn", "earn_only"), ("time_benefit", "earn_only"),
    ("join", "earn_only"), ("points_as_cash", "full"), ("reward", "full"), ("central_stock", "online"),
    ("event_seat", "online"), ("signed_coupon", "lease"), ("plain_coupon", "full"), ("value_spend", "online"),
    ("top_up", "lease"), ("close_card", "online"), ("own_return", "earn_only"), ("other_return", "online"),
    ("tier_upgrade", "earn_only"), ("tier_review", "earn_only"), ("expiry", "earn_only"),
    ("lottery", "lease"), ("check_in_gift", "lease"), ("block_card", "earn_only"), ("merge", "online"),
    ("cancel", "online"),
    ("restore", "online"), ("grant", "online"), ("alliance", "online"), ("profile", "earn_only"),
    ("consent", "earn_only"), ("survey", "earn_only"),
]  # fmt: skip
"""Of a member without leases: the last stage in which anything at all is possible."""


def test_every_operation_has_its_row() -> None:
    assert {op for op, _ in POSSIBLE_UNTIL} == set(OPERATIONS)


@pytest.mark.parametrize(("op", "until"), POSSIBLE_UNTIL)
def test_the_table_of_operations(op: str, until: Stage) -> None:
    for far in STAGES:
        found = limit(op, rich(), 3, BY_STAGE[far], RULES, NOON)
        assert found.allows(1) == (STAGES.index(far) <= STAGES.index(until)), far
        assert found.allows(1) or found.why is not None


@pytest.mark.parametrize("op", ["time_benefit", "tier_review", "expiry"])
def test_what_depends_on_the_date_waits_for_a_right_clock(op: str) -> None:
    for may in (Rights(clock_suspect=True), replace(FAR, clock_suspect=True)):
        found = limit(op, None, 0, may, RULES, NOON)
        assert found.why is not None
        assert (found.amount, found.why.code) == (0, "CLOCK_SUSPECT")
    assert limit("earn", None, 0, replace(FAR, clock_suspect=True), RULES, NOON).allows(1)


def test_why_something_must_wait() -> None:
    merge = limit("merge", None, 0, FAR, RULES, NOON).why
    coupon = limit("plain_coupon", None, 0, BY_STAGE["lease"], RULES, NOON).why
    reward = limit("reward", None, 3, BY_STAGE["earn_only"], RULES, NOON).why
    assert [(one.code, one.data) for one in (merge, coupon, reward) if one] == [
        ("NEEDS_CENTRAL", {}),
        ("AWAY_TOO_LONG", {"hours": 24}),
        ("AWAY_TOO_LONG", {"hours": 72}),
    ]


@pytest.mark.parametrize("op", ["reward", "plain_coupon", "lottery"])
def test_a_shop_that_never_heard_central_is_not_called_long_away(op: str) -> None:
    found = limit(op, None, 3, replace(FAR, last_feed_at=None), RULES, NOON)
    assert (found.amount, found.why) == (0, Reason("NOT_HEARD_YET", {}))


# ---- points: the smallest of trust, lease or quota --------------------------------------------------------
@pytest.mark.parametrize(
    ("may", "trust", "expected"),
    [
        (Rights(), 3, (1_000_000, "DAILY_LIMIT")),
        (Rights(), 1, (2000, "DAILY_LIMIT")),
        (BY_STAGE["online"], 1, (500, "UNSETTLED_LIMIT")),
        (FAR, 1, (500, "UNSETTLED_LIMIT")),
        (replace(FAR, quota_left_member=120), 3, (120, "UNSETTLED_LIMIT")),
        (replace(FAR, quota_left_member=-7), 3, (0, "UNSETTLED_LIMIT")),
        (replace(FAR, quota_left_node=80), 3, (80, "SHOP_LIMIT")),
        (replace(FAR, quota_left_node=-1, quota_left_member=9), 3, (0, "SHOP_LIMIT")),
        (replace(FAR, leased_points=300), 3, (800, "UNSETTLED_LIMIT")),
        (replace(FAR, leased_points=300, quota_left_member=0), 3, (300, "UNSETTLED_LIMIT")),
        (replace(FAR, leased_points=9000), 1, (2000, "DAILY_LIMIT")),
        (away(25 * HOUR, leased_points=300), 3, (300, "LEASE_LIMIT")),
        (away(25 * HOUR), 3, (0, "LEASE_LIMIT")),
        (away(73 * HOUR, leased_points=300), 3, (0, "AWAY_TOO_LONG")),
    ],
)
def test_points_that_can_be_given_out(may: Rights, trust: int, expected: tuple[int, str]) -> None:
    assert points(may, trust) == expected


def test_what_was_redeemed_today_counts_against_the_card() -> None:
    who = members.APPLY[Tallied](rich(), Tallied(TRUST, TODAY, 1900), NOON)
    assert points(FAR, 1, who) == (100, "DAILY_LIMIT")
    yesterday = members.APPLY[Tallied](rich(), Tallied(TRUST, TODAY - 1, 1900), NOON)
    assert points(FAR, 1, yesterday) == (500, "UNSETTLED_LIMIT")


def test_a_card_that_only_identifies_never_redeems_alone_offline() -> None:
    assert points(Rights(), 0) == (100, "DAILY_LIMIT")  # online: as the programme says
    assert points(FAR, 0) == (0, "CARD_ONLY_IDENTIFIES")


def test_digits_of_the_phone_are_a_step_up_for_points_and_never_for_value() -> None:
    found = limit("reward", rich(), 0, FAR, RULES, NOON, stepped_up=True)
    assert found.amount == 500
    generous = program(unsettled_points=500, trust=TrustLimits(9999, 9999, 9999, 9999))
    alone = limit("reward", rich(), 0, Rights(), generous, NOON, stepped_up=True)
    assert alone.amount == 500  # c, whatever the card could do by itself
    value = limit("value_spend", rich(), 0, Rights(), RULES, NOON, stepped_up=True)
    assert value.why is not None
    assert (value.amount, value.why.code) == (0, "CARD_ONLY_IDENTIFIES")


# ---- money ------------------------------------------------------------------------------------------------
def test_stored_value_pays_offline_only_what_is_here() -> None:
    here = replace(FAR, own_principal_minor=5000, leased_principal_minor=300)
    assert limit("value_spend", rich(), 1, here, RULES, NOON).amount == 5300
    assert (
        limit("value_spend", rich(), 1, replace(here, last_feed_at=NOON - 30 * HOUR), RULES, NOON).amount
        == 5300
    )
    assert limit("value_spend", rich(), 1, FAR, RULES, NOON).amount == 0
    assert limit("value_spend", rich(), 1, Rights(), RULES, NOON).amount is None


def test_cash_for_top_ups_and_codes_have_a_limit_of_the_day() -> None:
    capped = replace(FAR, top_up_left_minor=700, coupon_left_minor=2500)
    assert limit("top_up", rich(), 0, capped, RULES, NOON).amount == 700
    assert limit("top_up", rich(), 0, replace(capped, online=True), RULES, NOON).amount is None
    assert limit("top_up", rich(), 0, FAR, RULES, NOON).amount is None
    assert limit("plain_coupon", rich(), 0, capped, RULES, NOON).amount == 2500
    assert (
        limit("plain_coupon", rich(), 0, replace(capped, coupon_left_minor=9999), RULES, NOON).amount == 3000
    )
    assert limit("plain_coupon", rich(), 0, replace(capped, coupon_left_minor=-1), RULES, NOON).amount == 0
    assert limit("plain_coupon", rich(), 0, Rights(), RULES, NOON).amount is None


def test_a_limit_allows_up_to_its_amount() -> None:
    assert rights.Limit(5).allows(5)
    assert not rights.Limit(5).allows(6)
    assert rights.Limit().allows(10**12)


# ---- differences, tiers, exposure -------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("posted", "due", "expected"),
    [(10, 12, Difference(2, 0)), (12, 10, Difference(0, 2)), (7, 7, Difference(0, 0))],
)
def test_differences_are_posted_upward_only(posted: int, due: int, expected: Difference) -> None:
    assert difference(posted, due) == expected


def test_a_tier_reached_away_from_central_is_provisional() -> None:
    assert not rights.is_provisional(Rights(), RULES, NOON)
    assert rights.is_provisional(FAR, RULES, NOON)


@pytest.mark.parametrize(
    ("nodes", "c", "in_all", "expected"),
    [
        (4, 500, 20_000, Exposure(4, 2000, 80_000)),  # G98: K times c
        (0, 500, 20_000, Exposure(0, 0, 0)),
        (2, 500, 300, Exposure(2, 600, 600)),  # no member can have more than the shop gives out
    ],
)
def test_the_worst_case(nodes: int, c: int, in_all: int, expected: Exposure) -> None:
    rules = program(unsettled_points=c, offline=Offline(node_points=in_all))
    assert rights.exposure(rules, nodes) == expected


# ---- P9: whatever the shops do and whenever they sync -----------------------------------------------------
@dataclass
class Node:
    """A shop with what it knows of one member: central's word, and what it recorded since."""

    view: Member
    unsent: list[EventBody] = field(default_factory=list)
    unsettled: int = 0

    def spend(self, wanted: int) -> int:
        may = replace(FAR, quota_left_member=RULES.unsettled_points - self.unsettled)
        room = limit("points_as_cash", self.view, 3, may, RULES, NOON).amount
        have = members.points(self.view, NOON).available
        amount = min(wanted, have, wanted if room is None else room)
        takes = lots.take(self.view.lots, amount, NOON)
        if takes:
            self._record(
                EventBody(kind="sale", at=NOON, program="1", member=MEMBER, effects=(Debited(takes),))
            )
            self.unsettled += amount
        return amount

    def earn(self, id_: str, amount: int) -> None:
        lot = Lot(id_, amount, amount, NOON, None)
        self._record(EventBody(kind="sale", at=NOON, program="1", member=MEMBER, effects=(Credited(lot),)))

    def _record(self, body: EventBody) -> None:
        self.view = members.as_of(members.fold(self.view, body), NOON)
        self.unsent.append(body)


@given(
    st.integers(1, 4),
    st.integers(0, 3000),
    st.lists(
        st.tuples(st.sampled_from(["spend", "spend", "earn", "sync"]), st.integers(0, 3), st.integers(1, 900))
    ),
)
def test_P9_no_schedule_loses_more_than_the_bound(
    shops: int, start: int, schedule: list[tuple[str, int, int]]
) -> None:
    truth = rich(start) if start else Member(MEMBER, NOON)
    nodes = [Node(truth) for _ in range(shops)]
    worst = rights.exposure(RULES, shops).per_member

    def sync(node: Node) -> None:
        nonlocal truth
        for body in node.unsent:
            truth = members.fold(truth, body)
        node.view, node.unsent, node.unsettled = truth, [], 0
        assert truth.deficit <= worst

    for number, (what, which, amount) in enumerate(schedule):
        node = nodes[which % shops]
        match what:
            case "spend":
                node.spend(amount)
            case "earn":
                node.earn(f"lot-{number}", amount)
            case "sync":
                sync(node)
    for node in nodes:
        sync(node)


def test_G98_four_tills_and_one_that_was_online() -> None:
    truth = rich(500)
    nodes = [Node(truth) for _ in range(5)]
    assert [node.spend(500) for node in nodes] == [500] * 5
    assert [node.spend(1) for node in nodes] == [0] * 5
    for node in nodes:
        for body in node.unsent:
            truth = members.fold(truth, body)
    assert truth.deficit == rights.exposure(RULES, 4).per_member == 2000

"""Referral: it counts when nothing came back in time; 3-by-3; what is undone leaves nothing (3.15)."""

from __future__ import annotations

import datetime as dt
import itertools

import msgspec
import pytest

from tapledger.errors import Refused
from tapledger.loyalty import tallies
from tapledger.loyalty.effects import Credential, Credited, StatusSet, Tagged
from tapledger.loyalty.gains import Gained
from tapledger.loyalty.members import Member
from tapledger.loyalty.people import referring
from tapledger.loyalty.people.referring import SetReferrer
from tapledger.loyalty.program.values import Returns
from tapledger.loyalty.tiers import tier_progress, tier_reviews, tiering
from tests.loyalty.crowds import RULE, RULES, START, Crowd
from tests.loyalty.givens import DAY, lot
from tests.loyalty.lives import MACHINES, ZONES, at, machine_in


@pytest.fixture
def crowd() -> Crowd:
    made = Crowd()
    made.join("M")
    return made


# ---- 3-by-3 -----------------------------------------------------------------------------------------------
def test_G56_three_of_three_with_the_date_then_silver(crowd: Crowd) -> None:
    for name in "ABC":
        crowd.join(name, "M")
        crowd.buy(name)
    told = tier_progress.progress(crowd.members["M"], RULES, crowd.now)
    assert told is not None
    clause = told.groups[0][0]
    assert (clause.have, dt.date.fromordinal(clause.counts_on)) == (3, dt.date(2026, 3, 10))
    assert crowd.tier("M") == "normal"
    crowd.now = dt.datetime(2026, 3, 9, 15, 59, 59, tzinfo=dt.UTC)
    assert crowd.tier("M") == "normal"
    crowd.now = dt.datetime(2026, 3, 9, 16, 0, tzinfo=dt.UTC)
    assert crowd.tier("M") == "silver", "by time alone, before any job"
    crowd.night(0)
    assert (crowd.members["M"].tier, crowd.points("M"), crowd.points("A")) == ("silver", (600, 0), (100, 0))


def test_G57_three_silvers_make_a_gold(crowd: Crowd) -> None:
    for name in "ABC":
        crowd.join(name, "M")
        for buyer in range(3):
            crowd.join(f"{name}{buyer}", name)
    for name in "ABC":
        for buyer in range(3):
            crowd.buy(f"{name}{buyer}")
        crowd.night(1)
    assert [crowd.tier(name) for name in "MABC"] == ["normal"] * 4
    crowd.night(5)
    crowd.night(1)
    assert [crowd.tier(name) for name in "MABC"] == ["normal", "silver", "silver", "normal"]
    crowd.night(1)
    assert [crowd.tier(name) for name in "MABC"] == ["gold", "silver", "silver", "silver"]


def test_silver_once_attained_counts_for_ever(crowd: Crowd) -> None:
    for name in "ABC":
        crowd.join(name, "M")
        crowd.keep(
            tier_reviews.decide_tier(
                crowd.members[name], tier_reviews.GiveTier("silver", "x", "s"), RULES, crowd.now
            )
        )
        crowd.tell(name)
    assert crowd.tier("M") == "gold"
    fallen = msgspec.structs.replace(crowd.members["A"], tier="normal")
    crowd.members["A"] = fallen
    assert crowd.tell("A") == 0
    assert crowd.tier("M") == "gold"


def test_telling_ends_at_the_first_who_joined(crowd: Crowd) -> None:
    names = ["M", *(f"n{place}" for place in range(50))]
    for above, name in itertools.pairwise(names):
        crowd.join(name, above)
    crowd.buy(names[-1])
    crowd.night(8)
    assert crowd.tell(names[-1]) == 0


# ---- points -----------------------------------------------------------------------------------------------
def test_points_wait_for_the_return_window(crowd: Crowd) -> None:
    crowd.join("A", "M")
    crowd.buy("A")
    assert (crowd.points("A"), crowd.points("M")) == ((0, 100), (0, 200))
    crowd.night(7)
    assert (crowd.points("A"), crowd.points("M")) == ((0, 100), (0, 200))
    crowd.night(1)
    assert (crowd.points("A"), crowd.points("M")) == ((100, 0), (200, 0))
    assert tallies.total(crowd.members["M"].tallies, tallies.GROWTH) == 5
    crowd.buy("A")
    crowd.night(30)
    assert (crowd.points("A"), crowd.points("M")) == ((100, 0), (200, 0)), "once"


def test_a_purchase_below_the_minimum_does_not_count(crowd: Crowd) -> None:
    crowd.join("A", "M")
    crowd.buy("A", 999)
    assert crowd.points("M") == (0, 0)
    crowd.buy("A", 1000)
    assert crowd.points("M") == (0, 200)


def test_returned_before_it_counts_gives_nothing(crowd: Crowd) -> None:
    crowd.join("A", "M")
    sale = crowd.buy("A")
    crowd.give_back("A", sale)
    assert (crowd.points("A"), crowd.points("M")) == ((0, 0), (0, 0))
    crowd.night(8)
    assert (crowd.points("A"), crowd.points("M")) == ((0, 0), (0, 0))
    assert tiering.referrals(crowd.members["M"]) == []
    crowd.buy("A")
    crowd.night(8)
    assert (crowd.points("A"), crowd.points("M")) == ((100, 0), (200, 0))


def test_what_is_kept_must_reach_the_minimum(crowd: Crowd) -> None:
    crowd.join("A", "M")
    sale = crowd.buy("A", 1500)
    crowd.give_back("A", sale, kept_minor=1000)
    assert crowd.points("M") == (0, 200)
    crowd.give_back("A", sale, kept_minor=999)
    assert crowd.points("M") == (0, 0)


def test_the_next_purchase_takes_the_place_of_one_that_came_back(crowd: Crowd) -> None:
    crowd.join("A", "M")
    first = crowd.buy("A")
    crowd.night(3)
    crowd.buy("A")
    crowd.give_back("A", first)
    assert (crowd.points("A"), crowd.points("M")) == ((0, 100), (0, 200))
    assert tiering.referrals(crowd.members["M"]) == [dt.date(2026, 3, 13).toordinal()]
    crowd.night(5)
    assert crowd.points("M") == (0, 200)
    crowd.night(3)
    assert (crowd.points("A"), crowd.points("M")) == ((100, 0), (200, 0))


@pytest.mark.parametrize(
    ("negative", "left"), [("deficit", (-100, -200)), ("clamp", (0, 0))], ids=["deficit", "clamp"]
)
def test_returned_after_it_counted_is_reversed(negative: str, left: tuple[int, int]) -> None:
    rules = msgspec.structs.replace(RULES, returns=msgspec.convert({"negative": negative}, Returns))
    crowd = Crowd(rules)
    crowd.join("M")
    crowd.join("A", "M")
    sale = crowd.buy("A")
    crowd.night(8)
    for name in ("A", "M"):  # all of it is spent
        spent = msgspec.structs.replace(crowd.members[name], lots=())
        crowd.members[name] = spent
    crowd.give_back("A", sale)
    assert (crowd.points("A")[0], crowd.points("M")[0]) == left
    assert tiering.referrals(crowd.members["M"]) == []
    crowd.give_back("A", sale)
    assert (crowd.points("A")[0], crowd.points("M")[0]) == left, "once"


def test_a_reversal_takes_the_lot_of_the_referral_first(crowd: Crowd) -> None:
    crowd.join("A", "M")
    sale = crowd.buy("A")
    crowd.night(8)
    soon = lot("soon", 500, crowd.now + DAY, crowd.now)
    crowd.post("M", Gained(effects=(Credited(soon),)))
    crowd.give_back("A", sale)
    assert [(one.id, one.remaining) for one in crowd.members["M"].lots] == [("soon", 500)]


def test_a_month_has_its_limit(crowd: Crowd) -> None:
    crowd.rules = msgspec.structs.replace(
        RULES, referral=msgspec.structs.replace(RULE, per_month=2, join_points=10)
    )
    for name in "ABC":
        crowd.join(name, "M")
        crowd.buy(name)
    assert crowd.points("M") == (20, 400)
    crowd.night(8)
    assert crowd.points("M") == (420, 0)
    assert crowd.tier("M") == "silver", "status is no payment"
    crowd.now = dt.datetime(2026, 4, 1, tzinfo=dt.UTC)
    crowd.join("D", "M")
    crowd.buy("D")
    assert crowd.points("M") == (430, 200)


def test_a_purchase_that_came_back_makes_room_in_its_month(crowd: Crowd) -> None:
    crowd.rules = msgspec.structs.replace(RULES, referral=msgspec.structs.replace(RULE, per_month=1))
    for name in "AB":
        crowd.join(name, "M")
    sale = crowd.buy("A")
    crowd.give_back("A", sale)
    crowd.buy("B")
    assert crowd.points("M") == (0, 200)


# ---- who may be whose -------------------------------------------------------------------------------------
def _refused(crowd: Crowd, name: str, by: str, **asked: object) -> str:
    before = dict(crowd.members)
    with pytest.raises(Refused) as caught:
        referring.decide_referrer(
            crowd.members[name],
            crowd.members[by],
            SetReferrer(**asked),  # type: ignore[arg-type]
            crowd.rules,
            crowd.now,
        )
    assert crowd.members == before
    return caught.value.code


def test_never_oneself_never_twice_never_a_later_member(crowd: Crowd) -> None:
    crowd.join("A", "M")
    crowd.join("B")
    assert _refused(crowd, "A", "A") == "REFERRER_SELF"
    assert _refused(crowd, "A", "B") == "REFERRER_SET"
    assert _refused(crowd, "M", "A") == "REFERRER_NOT_EARLIER"
    same_moment = Member("T", crowd.members["B"].joined_at)
    crowd.members["T"] = same_moment
    assert _refused(crowd, "T", "B") == "REFERRER_NOT_EARLIER"


def test_who_joined_is_paid_for_once_though_an_undone_merge_forgets_who_sent_them(crowd: Crowd) -> None:
    crowd.rules = msgspec.structs.replace(RULES, referral=msgspec.structs.replace(RULE, join_points=5))
    crowd.join("A", "M")
    once = crowd.points("M")
    assert once == (5, 0)
    crowd.members["A"] = msgspec.structs.replace(crowd.members["A"], referrer="")
    again = referring.decide_referrer(
        crowd.members["A"], crowd.members["M"], SetReferrer(), crowd.rules, crowd.now
    )
    assert again[1].body.lines == ()
    for one in again:
        crowd.keep(one)
    assert crowd.points("M") == once
    assert tallies.total(crowd.members["M"].tallies, referring.JOINS) == 1


def test_only_before_the_first_purchase(crowd: Crowd) -> None:
    crowd.join("A")
    crowd.buy("A", 1)
    assert _refused(crowd, "A", "M") == "REFERRER_TOO_LATE"


@pytest.mark.parametrize("status", ["frozen", "cancelled", "merged", "erased"])
def test_only_an_active_member_may_be_named(crowd: Crowd, status: str) -> None:
    crowd.join("A")
    crowd.post("M", Gained(effects=(StatusSet(status, crowd.now),)))
    assert _refused(crowd, "A", "M") == "REFERRER_NOT_ACTIVE"


def test_without_a_rule_nobody_is_sent(crowd: Crowd) -> None:
    crowd.join("A")
    crowd.rules = msgspec.structs.replace(RULES, referral=None)
    assert _refused(crowd, "A", "M") == "REFERRAL_OFF"


def test_two_who_share_a_thing_are_looked_at(crowd: Crowd) -> None:
    crowd.join("A")
    crowd.post("M", Gained(effects=(Tagged(referring.SEEN, ("hash-of-device",)),)))
    assert _refused(crowd, "A", "M", seen=frozenset({"hash-of-device"})) == "REFERRAL_REVIEW"
    shared = Credential("phone", "index-1", 0)
    for name in "AM":
        crowd.members[name] = msgspec.structs.replace(crowd.members[name], credentials=(shared,))
    assert _refused(crowd, "A", "M") == "REFERRAL_REVIEW"
    own, _ = referring.decide_referrer(
        crowd.members["A"], crowd.members["M"], SetReferrer(looked_at=True, staff="s-1"), RULES, crowd.now
    )
    assert own.after is not None and own.after.referrer == "M"


def test_too_many_at_a_kiosk_within_an_hour_are_looked_at(crowd: Crowd) -> None:
    crowd.join("A")
    assert _refused(crowd, "A", "M", at_kiosk=True, kiosk_joins=5) == "REFERRAL_REVIEW"
    crowd.join("B", "M", at_kiosk=True, kiosk_joins=4)
    crowd.join("C", "M", at_kiosk=False, kiosk_joins=5)
    crowd.join("D", "M", at_kiosk=True, kiosk_joins=5, looked_at=True)
    assert set(crowd.members["M"].referees) == {"B", "C", "D"}


def test_a_cancelled_referrer_is_given_nothing(crowd: Crowd) -> None:
    crowd.join("A", "M")
    crowd.post("M", Gained(effects=(StatusSet("cancelled", crowd.now),)))
    crowd.buy("A")
    crowd.night(8)
    assert crowd.points("M") == (0, 0)
    assert crowd.points("A") == (100, 0)


def test_X4_a_link_is_lawful_only_to_somebody_who_joined_earlier(crowd: Crowd) -> None:
    first, later = crowd.members["M"], crowd.join("A")
    assert referring.is_lawful(first, later)
    assert not referring.is_lawful(later, first)
    assert not referring.is_lawful(first, first)


# ---- edges ------------------------------------------------------------------------------------------------
def test_only_the_referral_that_counts_is_freed(crowd: Crowd) -> None:
    for name in "AB":
        crowd.join(name, "M")
    crowd.buy("A")
    crowd.night(3)
    crowd.buy("B")
    crowd.night(5)
    assert crowd.points("M") == (200, 200)


def test_after_a_reversal_a_later_purchase_counts_again(crowd: Crowd) -> None:
    crowd.join("A", "M")
    sale = crowd.buy("A")
    crowd.night(8)
    crowd.give_back("A", sale)
    assert not referring.is_settled(crowd.members["A"])
    assert tallies.total(crowd.members["A"].tallies, referring.SALE + sale) == 0
    crowd.buy("A")
    assert (crowd.points("A"), crowd.points("M")) == ((0, 100), (0, 200))
    crowd.night(8)
    assert (crowd.points("A"), crowd.points("M")) == ((100, 0), (200, 0))


@pytest.mark.parametrize(("days", "kept"), [(9, False), (11, True)])
def test_a_second_purchase_saves_the_points_once_it_counts_itself(days: int, kept: bool) -> None:
    crowd = Crowd()
    crowd.join("M")
    crowd.join("A", "M")
    first = crowd.buy("A")
    crowd.now += 3 * DAY
    crowd.buy("A")
    crowd.night(days - 3)
    crowd.give_back("A", first)
    assert crowd.points("A") == ((100, 0) if kept else (0, 0))
    crowd.night(11 - days)
    assert tiering.referrals(crowd.members["M"]) == [dt.date(2026, 3, 13).toordinal()]


def test_clamp_takes_what_is_there_and_no_more() -> None:
    crowd = Crowd(msgspec.structs.replace(RULES, returns=Returns(negative="clamp")))
    crowd.join("M")
    crowd.join("A", "M")
    sale = crowd.buy("A")
    crowd.night(8)
    waiting = lot("later", 500, None, crowd.now + 9 * DAY)
    few = msgspec.structs.replace(crowd.members["A"], lots=(lot("few", 30, None, START), waiting))
    crowd.members["A"] = few
    part = referring.after_return(few, sale, 0, crowd.rules, crowd.now)
    assert [line.amount for line in part.lines] == [-30, 30]
    crowd.give_back("A", sale)
    assert crowd.points("A") == (0, 500)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("machine", MACHINES)
def test_the_day_of_the_sale_is_the_programmes(zone: str, machine: str) -> None:
    crowd = Crowd(msgspec.structs.replace(RULES, timezone=zone))
    crowd.now = at("2026-03-01", zone=zone)
    crowd.join("M")
    for name in "AB":
        crowd.join(name, "M")
    with machine_in(machine):
        crowd.now = at("2026-03-02", "23:59:59", zone)
        crowd.buy("A")
        crowd.now = at("2026-03-03", "00:00", zone)
        crowd.buy("B")
    days = [dt.date(2026, 3, 10).toordinal(), dt.date(2026, 3, 11).toordinal()]
    assert tiering.referrals(crowd.members["M"]) == days
